//! False-alarm drill: footage in which nothing is wrong goes through the replay, and every alarm is one too many.
//!
//! `false_alarms --onnxruntime FILE --models DIR --clip CLIP --work DIR [--seconds N] [--more FILE …]`
//!
//! The background is real: the median of the demo clip over time, in which the people are gone. On it rain, night,
//! headlights, insects, waving flags, a poster of a worker and a helmet that is carried past are drawn. Every
//! algorithm that the models can serve runs with its default parameters over the whole picture. `--more` adds clips
//! without people, if there are any.

mod film;
mod scenes;

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use edge_agent::{
    pipeline::load_models,
    replay::{Clip, Replayer, Watched},
};
use protocol::{Algorithm, CameraId, Task, TaskId, TaskSpec, Timestamp};

use self::{film::Film, scenes::Scene};

/// Algorithms that take a person or vehicle for what they look for: on clips of people and cars they are right.
const SEE_TRAFFIC: [Algorithm; 6] = [
    Algorithm::Intrusion,
    Algorithm::Crowd,
    Algorithm::ConstructionVehicle,
    Algorithm::EBike,
    Algorithm::NoHelmet,
    Algorithm::OccupantNoHelmet,
];

struct Arguments {
    onnxruntime: PathBuf,
    models: PathBuf,
    clip: PathBuf,
    work: PathBuf,
    seconds: u32,
    more: Vec<PathBuf>,
}

fn arguments() -> Result<Arguments> {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().with_context(|| format!("{name} needs a value"))?;
        given.entry(name).or_default().push(value);
    }
    let mut take = |name: &str| given.remove(name).unwrap_or_default();
    let mut one = |name: &str| take(name).pop();
    let path =
        |value: Option<String>, name: &str| value.map(PathBuf::from).with_context(|| format!("{name} is missing"));
    let arguments = Arguments {
        onnxruntime: path(one("--onnxruntime"), "--onnxruntime")?,
        models: path(one("--models"), "--models")?,
        clip: path(one("--clip"), "--clip")?,
        work: path(one("--work"), "--work")?,
        seconds: one("--seconds").map_or(Ok(30), |text| text.parse()).context("--seconds")?,
        more: take("--more").into_iter().map(PathBuf::from).filter(|file| file.is_file()).collect(),
    };
    if let Some(unknown) = given.keys().next() {
        bail!("unknown argument {unknown}");
    }
    Ok(arguments)
}

fn main() -> Result<()> {
    let arguments = arguments()?;
    let mut out = std::io::stdout();
    let models = load_models(&arguments.onnxruntime, &arguments.models, 0)?;
    let mut replayer = Replayer::new(models);
    let (served, lacking): (Vec<Algorithm>, Vec<Algorithm>) =
        Algorithm::ALL.into_iter().partition(|a| replayer.lacking(*a).is_none() && !a.compares_with_reference());
    let names = |list: &[Algorithm]| list.iter().map(|a| a.as_str()).collect::<Vec<_>>().join(", ");
    writeln!(out, "classes: {}", replayer.classes().join(", "))?;
    writeln!(out, "run: {}", names(&served))?;
    writeln!(out, "not run, for want of a model or a reference: {}", names(&lacking))?;

    std::fs::create_dir_all(&arguments.work).context("the working folder cannot be made")?;
    let background = film::median(&arguments.clip)?;
    let golden = scenes::Props::load(&arguments.models)?;
    let mut total: BTreeMap<Algorithm, (u64, f64)> = BTreeMap::new();
    writeln!(out, "{:<16}{:>9}{:>9}  alarms", "scene", "seconds", "looks")?;
    for scene in Scene::ALL {
        let path = arguments.work.join(format!("{}.mp4", scene.name()));
        let mut film = Film::create(&path, background.size())?;
        for frame in 0..arguments.seconds * film::FPS {
            film.write(scene.paint(&background, golden.as_ref(), frame))?;
        }
        film.finish()?;
        drill(&mut replayer, scene.name(), &path, &served, &mut total, &mut out)?;
    }
    let quiet: Vec<Algorithm> = served.iter().copied().filter(|a| !SEE_TRAFFIC.contains(a)).collect();
    for clip in &arguments.more {
        let name = clip.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        drill(&mut replayer, &name, clip, &quiet, &mut total, &mut out)?;
    }
    writeln!(out, "\nalarms per camera-hour:")?;
    for (algorithm, (alarms, secs)) in &total {
        writeln!(
            out,
            "{:<24}{:>8.2}   ({alarms} in {secs:.0} s)",
            algorithm.as_str(),
            *alarms as f64 * 3_600.0 / secs
        )?;
    }
    Ok(())
}

/// Replays one clip and adds up its alarms.
fn drill(
    replayer: &mut Replayer,
    name: &str,
    video: &Path,
    algorithms: &[Algorithm],
    total: &mut BTreeMap<Algorithm, (u64, f64)>,
    out: &mut dyn std::io::Write,
) -> Result<()> {
    let camera = CameraId::new(Timestamp::from_secs(0));
    let task = |(number, algorithm): (i64, &Algorithm)| {
        let id = TaskId::new(Timestamp::from_secs(number));
        Task::try_from(TaskSpec::new(id, camera, *algorithm, algorithm.name_zh()))
    };
    let tasks: Vec<Task> = (1..).zip(algorithms).map(task).collect::<Result<_, _>>()?;
    let watched = Watched { tasks, ..Watched::default() };
    let clip = Clip { video: video.to_owned(), start: Timestamp::from_secs(0), limit: None, render: None };
    let mut when = Vec::new();
    let summary = replayer.run(
        &clip,
        &watched,
        &mut |line| {
            if line.phase == "new" {
                when.push(format!("{} at {:.1} s", line.algorithm, line.clip_secs));
            }
            Ok(())
        },
        &mut |_| (),
    )?;
    for algorithm in algorithms {
        let entry = total.entry(*algorithm).or_default();
        entry.0 += summary.alarms.get(algorithm).copied().unwrap_or(0);
        entry.1 += summary.clip_secs;
    }
    let alarms = if when.is_empty() { "none".to_owned() } else { when.join(", ") };
    writeln!(out, "{name:<16}{:>9.1}{:>9}  {alarms}", summary.clip_secs, summary.looked_at)?;
    Ok(())
}
