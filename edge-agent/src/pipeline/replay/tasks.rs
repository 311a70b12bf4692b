//! The tasks file of a replay: what people would configure in the console, without ids.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use protocol::{
    Algorithm, CameraId, ContentHash, LineKind, LineSpec, Mute, ParamsSpec, Point, ReferencePicture, Schedule,
    Severity, Task, TaskId, TaskSpec, Timestamp, ZoneKind, ZoneSpec,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use crate::references::ReferencePictures;

/// The most tasks of one replay.
const MAX_TASKS: usize = 64;

/// What is wrong with a tasks file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {reason}")]
pub struct TasksError {
    /// The file.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, alias = "task")]
    tasks: Vec<Spanned<Entry>>,
}

/// A [`TaskSpec`] whose ids may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    algorithm: Algorithm,
    id: Option<TaskId>,
    /// Read, so that a configuration can be taken over as it is; a clip has one camera.
    camera: Option<CameraId>,
    name: Option<String>,
    enabled: Option<bool>,
    #[serde(default, alias = "zone")]
    zones: Vec<ZoneEntry>,
    #[serde(default, alias = "line")]
    lines: Vec<LineEntry>,
    #[serde(default, alias = "mute")]
    mutes: Vec<Mute>,
    /// A picture of the approved state, beside the tasks file.
    reference: Option<PathBuf>,
    #[serde(default)]
    schedule: Schedule,
    #[serde(default)]
    params: ParamsSpec,
    severity: Option<Severity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneEntry {
    name: Option<String>,
    #[serde(default)]
    kind: ZoneKind,
    points: Vec<PointEntry>,
    min_score: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineEntry {
    name: Option<String>,
    #[serde(default)]
    kind: LineKind,
    points: Vec<PointEntry>,
}

/// `[0.1, 0.2]` or `{ x = 0.1, y = 0.2 }`.
struct PointEntry(Point);

impl<'de> Deserialize<'de> for PointEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PointVisitor).map(Self)
    }
}

struct PointVisitor;

impl<'de> Visitor<'de> for PointVisitor {
    type Value = Point;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point like [0.25, 0.5], shares of the picture from its top left corner")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Point, A::Error> {
        let (x, y) = (numbers.next_element()?, numbers.next_element()?);
        match (x, y, numbers.next_element::<f32>()?) {
            (Some(x), Some(y), None) => Ok(Point::new(x, y)),
            _ => Err(de::Error::custom("a point has two numbers, like [0.25, 0.5]")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Point, A::Error> {
        Point::deserialize(de::value::MapAccessDeserializer::new(map))
    }
}

/// What a tasks file says.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The reference pictures that they name.
    pub references: ReferencePictures,
}

/// Reads a tasks file; `file` is where it is, for errors and for the pictures that it names.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse_tasks(text: &str, file: &Path) -> Result<Watched, TasksError> {
    let error = |at: usize, reason: String| TasksError {
        file: file.display().to_string(),
        line: text.get(..at).unwrap_or(text).matches('\n').count() + 1,
        reason: reason.replace('\n', "; "),
    };
    let parsed: File =
        toml::from_str(text).map_err(|e| error(e.span().map_or(0, |span| span.start), e.message().to_owned()))?;
    if parsed.tasks.is_empty() {
        return Err(error(text.len(), "no task; write [[tasks]] and algorithm = \"no_helmet\" below it".into()));
    }
    if parsed.tasks.len() > MAX_TASKS {
        return Err(error(text.len(), format!("more than {MAX_TASKS} tasks")));
    }
    let mut pictures = Vec::new();
    let task = |(index, entry): (usize, Spanned<Entry>)| {
        let at = entry.span().start;
        let mut entry = entry.into_inner();
        let algorithm = entry.algorithm;
        let what = entry.name.clone().unwrap_or_else(|| algorithm.to_string());
        let mut reference = None;
        if let Some(path) = entry.reference.take() {
            let path = file.parent().unwrap_or(Path::new("")).join(path);
            let bytes = std::fs::read(&path)
                .map_err(|e| error(at, format!("task {what:?}: reference {} cannot be read: {e}", path.display())))?;
            let approved_at = Timestamp::default();
            reference = Some(ReferencePicture { version: 1, picture: ContentHash::of(&bytes), approved_at });
            pictures.push(bytes);
        }
        let spec = TaskSpec { reference, ..entry.into_spec(index) };
        Task::try_from(spec).map_err(|e| error(at, format!("task {what:?}: {e}")))
    };
    let tasks = parsed.tasks.into_iter().enumerate().map(task).collect::<Result<_, _>>()?;
    Ok(Watched { tasks, references: ReferencePictures::given(pictures) })
}

impl Entry {
    fn into_spec(self, index: usize) -> TaskSpec {
        // The same ids each time, so that output does not depend on when it was made.
        let id = |number: usize| format!("00000000-0000-7000-8000-{number:012x}");
        let task = self.id.or_else(|| id(index + 1).parse().ok()).expect("the digits make a UUID");
        let camera = self.camera.or_else(|| id(0).parse().ok()).expect("the digits make a UUID");
        let named = |name: Option<String>, what: &str, i: usize| name.unwrap_or_else(|| format!("{what} {}", i + 1));
        let points = |points: Vec<PointEntry>| points.into_iter().map(|p| p.0).collect();
        let zone = |(i, z): (usize, ZoneEntry)| ZoneSpec {
            name: named(z.name, "zone", i),
            kind: z.kind,
            points: points(z.points),
            min_score: z.min_score,
        };
        let line = |(i, l): (usize, LineEntry)| LineSpec {
            name: named(l.name, "line", i),
            kind: l.kind,
            points: points(l.points),
        };
        let name = self.name.unwrap_or_else(|| self.algorithm.name_zh().to_owned());
        TaskSpec {
            enabled: self.enabled.unwrap_or(true),
            zones: self.zones.into_iter().enumerate().map(zone).collect(),
            lines: self.lines.into_iter().enumerate().map(line).collect(),
            mutes: self.mutes,
            schedule: self.schedule,
            params: self.params,
            severity: self.severity,
            ..TaskSpec::new(task, camera, self.algorithm, name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<Task>, String> {
        parse_tasks(text, Path::new("tasks.toml")).map(|w| w.tasks).map_err(|e| e.to_string())
    }

    #[test]
    fn the_example_is_good() {
        let tasks = check(include_str!("../../../examples/tasks.toml")).unwrap();
        assert!(tasks.len() >= 3);
        let algorithms: Vec<Algorithm> = tasks.iter().map(|t| t.algorithm).collect();
        assert!(algorithms.contains(&Algorithm::NoHelmet) && algorithms.contains(&Algorithm::Intrusion));
        assert_eq!(tasks, check(include_str!("../../../examples/tasks.toml")).unwrap(), "the same ids each time");
    }

    #[test]
    fn little_is_needed() {
        let tasks =
            check("[[task]]\nalgorithm = \"crowd\"\nzones = [{ points = [[0, 0], [1, 0.0], { x = 1.0, y = 1 }] }]")
                .unwrap();
        assert_eq!((tasks[0].name.as_str(), tasks[0].zones[0].name.as_str()), ("人员聚集", "zone 1"));
        assert_ne!(
            check("[[tasks]]\nalgorithm = \"crowd\"\n[[tasks]]\nalgorithm = \"crowd\"").unwrap()[1].id,
            tasks[0].id
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        let bad = |text: &str, words: &[&str]| {
            let error = check(text).unwrap_err();
            assert!(words.iter().all(|w| error.contains(w)), "{error} lacks one of {words:?}");
        };
        bad("", &["tasks.toml", "no task"]);
        bad("[[tasks]]\nalgorithm = \"helmets\"", &["line 2", "helmets", "no_helmet"]);
        bad("[[tasks]]\nalgorithm = \"crowd\"\ndwell = 3", &["line 3", "dwell"]);
        bad("[[tasks]]\nalgorithm = \"crowd\"\n\n[tasks.params]\ndwell_secs = \"long\"", &["line 5"]);
        bad(
            "[[tasks]]\nalgorithm = \"crowd\"\n[[tasks]]\nalgorithm = \"crowd\"\nparams = { crowd_size = 1 }",
            &["line 3", "crowd_size", "2 to 500"],
        );
        bad("[[tasks]]\nalgorithm = \"crowd\"\nzones = [{ points = [[0.1], [1, 1]] }]", &["line 3", "two numbers"]);
        bad(
            "[[tasks]]\nalgorithm = \"crowd\"\nzones = [{ name = \"门\", points = [[0, 0], [1, 1]] }]",
            &["门", "at least 3 points"],
        );
        bad("[[tasks]]\nalgorithm = \"overhang\"\nreference = \"none.jpg\"", &["line 1", "none.jpg cannot be read"]);
    }
}
