//! Which pictures are looked at, and what they and the classes are called in the results.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The part of a COCO file that is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct Coco {
    images: Vec<CocoImage>,
    categories: Vec<CocoCategory>,
}

#[derive(Debug, Deserialize)]
struct CocoImage {
    id: serde_json::Value,
    file_name: String,
}

#[derive(Debug, Deserialize)]
struct CocoCategory {
    id: i64,
    name: String,
}

/// A picture to look at and what to call it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) path: PathBuf,
    pub(crate) id: serde_json::Value,
}

pub(crate) fn read_coco(path: &Path) -> Result<Coco> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no COCO file", path.display()))
}

/// The pictures in the order of the COCO file, or of their names.
pub(crate) fn jobs(dir: &Path, coco: Option<&Coco>) -> Result<Vec<Job>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))? {
        let path = entry?.path();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        if ["jpg", "jpeg", "png"].iter().any(|known| extension == *known) {
            files.insert(path.file_name().unwrap_or_default().to_owned(), path);
        }
    }
    let jobs: Vec<_> = match coco {
        Some(coco) => {
            let find = |image: &CocoImage| {
                // Some COCO files have the folder in the name, some have not.
                let name = Path::new(&image.file_name).file_name().unwrap_or_default();
                let path = files.get(name).cloned().unwrap_or_else(|| dir.join(name));
                Job { path, id: image.id.clone() }
            };
            coco.images.iter().map(find).collect()
        }
        None => files
            .into_values()
            .map(|path| {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let id = stem.parse::<i64>().map_or_else(|_| stem.clone().into(), Into::into);
                Job { path, id }
            })
            .collect(),
    };
    if jobs.is_empty() {
        bail!("there are no JPEG or PNG pictures in {}", dir.display());
    }
    Ok(jobs)
}

/// The category id of each class; a class that the COCO file does not have is not written.
pub(crate) fn categories(classes: &[String], coco: Option<&Coco>) -> Vec<Option<i64>> {
    let names = classes.iter();
    match coco {
        Some(coco) => names.map(|name| coco.categories.iter().find(|c| c.name == *name).map(|c| c.id)).collect(),
        None => names.zip(1..).map(|(_, id)| Some(id)).collect(),
    }
}
