//! A model package on disk: read, bounded, and hashed before anything is made of it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use image::RgbImage;
use protocol::ContentHash;

use crate::{Manifest, ModelRefused, golden, manifest};

/// Largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Largest ONNX file that is read.
const MAX_MODEL_BYTES: u64 = 1 << 30;
/// Largest golden picture that is read.
const MAX_PICTURE_BYTES: u64 = 32 << 20;

/// Content of a package whose hash is right.
#[derive(Clone)]
pub(crate) struct Package {
    pub(crate) manifest: Manifest,
    /// Where the ONNX file is.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) model: Vec<u8>,
    /// The golden picture.
    pub(crate) picture: RgbImage,
}

impl Package {
    /// Reads the package in the folder `dir`.
    pub(crate) fn read(dir: &Path) -> Result<Self, ModelRefused> {
        let manifest = read_manifest(dir)?;
        // The bytes that are hashed are the bytes that are loaded.
        let path = dir.join(&manifest.file);
        let model = read(&path, MAX_MODEL_BYTES)?;
        let hash = ContentHash::of(&model);
        if hash != manifest.sha256 {
            let (expected, found) = (manifest.sha256.to_string(), hash.to_string());
            return Err(ModelRefused::WrongHash { path, expected, found });
        }
        let picture_path = dir.join(&manifest.golden.picture);
        let picture = golden::decode(&picture_path, &read(&picture_path, MAX_PICTURE_BYTES)?)?;
        Ok(Self { manifest, path, model, picture })
    }
}

/// Reads the manifest of the package in the folder `dir`.
pub(crate) fn read_manifest(dir: &Path) -> Result<Manifest, ModelRefused> {
    let manifest = read(&dir.join(manifest::FILE_NAME), MAX_MANIFEST_BYTES)?;
    std::str::from_utf8(&manifest).map_err(|e| ModelRefused::ManifestSyntax(e.to_string())).and_then(Manifest::parse)
}

/// Reads a file of the package, unless it is absurdly large.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ModelRefused> {
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => ModelRefused::FileMissing(path.to_owned()),
        _ => ModelRefused::Unreadable { path: path.to_owned(), reason: e },
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > limit {
        return Err(ModelRefused::TooLarge { path: path.to_owned(), bytes, limit });
    }
    let mut content = Vec::with_capacity(bytes as usize);
    // The file may grow between the two calls; the limit holds all the same.
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content)).map_err(failed)?;
    Ok(content)
}
