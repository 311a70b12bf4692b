//! Demo cameras: clips looped through a real RTSP server with digest authentication, and the tasks they run.

use std::path::{Path, PathBuf};

use protocol::{
    Algorithm, CameraId, CameraSpec, ParamsSpec, Point, Secret, TaskId, TaskSpec, Transport, ZoneKind, ZoneSpec,
};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};
use uuid::Uuid;

use crate::config::DemoConfig;

/// User at the demo cameras; the password is made anew at each start.
pub const CAMERA_USER: &str = "demo";

/// A camera to show, with its tasks.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its last path segment at the RTSP server; the ids derive from it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The clip as found.
    pub clip: PathBuf,
    /// The part of the picture to show.
    pub view: demo_camera::View,
}

/// The clips that become cameras: the one of `make setup` twice (whole, and a closer view), those of the
/// folder, and the user's own.
pub fn plan(config: &DemoConfig) -> Vec<Planned> {
    let mut planned = Vec::new();
    if !config.enabled {
        return planned;
    }
    if config.clip.exists() {
        let two = [
            ("walkway", "步行通道 Walkway", demo_camera::View::WHOLE),
            // The middle of the picture at twice the size: heads become large enough to judge.
            ("gate", "出入口近景 Gate", demo_camera::View { x: 0.25, y: 0.3, w: 0.5, h: 0.5 }),
        ];
        planned.extend(two.map(|(key, name, view)| Planned {
            key: key.into(),
            name: name.into(),
            clip: config.clip.clone(),
            view,
        }));
    } else {
        warn!(clip.path = %config.clip.display(), "the demo clip is missing; run `make setup` to get it");
    }
    let mut more = config.clips_dir.as_deref().map(clips_in).unwrap_or_default();
    more.extend(config.clips.iter().cloned());
    for clip in more {
        let name = clip.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let taken = |key: &str| planned.iter().any(|p: &Planned| p.key == key);
        let key = free_key(&name, taken);
        planned.push(Planned { key, name, clip, view: demo_camera::View::WHOLE });
    }
    planned
}

/// A path segment for a clip: its name as far as a URL takes it, numbered when another clip has it already.
fn free_key(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let numbered = (2..).map(|n| format!("{plain}-{n}"));
    std::iter::once(plain.clone()).chain(numbered).find(|key| !taken(key)).expect("there are more numbers than clips")
}

fn clips_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_video =
        |p: &PathBuf| p.extension().and_then(|e| e.to_str()).is_some_and(|e| ["mp4", "avi", "mkv", "mov"].contains(&e));
    let mut clips: Vec<_> = entries.flatten().map(|e| e.path()).filter(is_video).collect();
    clips.sort();
    info!(folder = %folder.display(), clips = clips.len(), "more demo clips found");
    clips
}

/// The camera for a demo stream.
pub fn camera(planned: &Planned, url: String, password: &Secret) -> CameraSpec {
    CameraSpec {
        id: CameraId::from_uuid(id("camera", &planned.key)),
        name: planned.name.clone(),
        url,
        username: Some(CAMERA_USER.into()),
        password: Some(password.clone()),
        transport: Transport::Tcp,
    }
}

/// A camera of the user's own, from `rtsp://[user:password@]host/path`.
///
/// # Errors
/// When the text is no URL.
pub fn own_camera(n: usize, text: &str) -> Result<CameraSpec, url::ParseError> {
    let mut url = url::Url::parse(text)?;
    let username = (!url.username().is_empty()).then(|| percent_decoded(url.username()));
    let password = url.password().map(|p| Secret::new(percent_decoded(p)));
    // Only URLs that cannot have credentials refuse this, and those have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(CameraSpec {
        id: CameraId::from_uuid(id("camera", url.as_str())),
        name: format!("自有摄像头 Camera {}", n + 1),
        url: url.into(),
        username,
        password,
        transport: Transport::Tcp,
    })
}

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("k={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The three tasks every demo camera runs.
pub fn tasks(camera: &CameraSpec) -> Vec<TaskSpec> {
    let task = |algorithm: Algorithm, zones, params| TaskSpec {
        zones,
        params,
        ..TaskSpec::new(
            TaskId::from_uuid(id(algorithm.as_str(), &camera.id.to_string())),
            camera.id,
            algorithm,
            format!("{}·{}", camera.name, algorithm.name_zh()),
        )
    };
    let zone = |name: &str, points: &[(f32, f32)]| ZoneSpec {
        name: name.into(),
        kind: ZoneKind::Include,
        points: points.iter().map(|&(x, y)| Point::new(x, y)).collect(),
        min_score: None,
    };
    // Shorter quiet times than on a site, so that a demo does not fall silent.
    let demo = |cool_down, task_cool_down| ParamsSpec {
        cool_down_secs: Some(cool_down),
        task_cool_down_secs: Some(task_cool_down),
        ..ParamsSpec::default()
    };
    vec![
        task(Algorithm::NoHelmet, vec![], demo(300.0, 10.0)),
        task(
            Algorithm::Intrusion,
            vec![zone("禁入区", &[(0.30, 0.35), (0.72, 0.35), (0.80, 0.80), (0.22, 0.80)])],
            demo(300.0, 20.0),
        ),
        task(
            Algorithm::Crowd,
            vec![zone("集合区", &[(0.02, 0.10), (0.98, 0.10), (0.98, 0.98), (0.02, 0.98)])],
            ParamsSpec { crowd_size: Some(5), ..demo(300.0, 0.0) },
        ),
    ]
}

/// The same key gives the same id at each start.
fn id(kind: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("gongshao demo {kind} {key}"));
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use protocol::{Camera, Task};

    use super::*;

    #[test]
    fn credentials_leave_the_address() {
        let camera = own_camera(0, "rtsp://admin:p%40ss@10.0.0.9/live").unwrap();
        assert_eq!(camera.url, "rtsp://10.0.0.9/live");
        assert_eq!(camera.username.as_deref(), Some("admin"));
        assert_eq!(camera.password.as_ref().map(Secret::expose), Some("p@ss"));
        assert!(Camera::try_from(camera).is_ok());
        assert!(own_camera(0, "nonsense").is_err());
    }

    #[test]
    fn clips_of_one_name_get_different_keys() {
        assert_eq!(free_key("gate 1", |_| false), "gate-1");
        assert_eq!(free_key("大门", |key| key == "--"), "---2");
    }

    #[test]
    fn demo_tasks_are_valid_and_keep_their_ids() {
        let camera = own_camera(0, "rtsp://10.0.0.9/live").unwrap();
        let (a, b) = (tasks(&camera), tasks(&camera));
        assert_eq!(a, b);
        for task in a {
            Task::try_from(task).unwrap();
        }
    }
}
