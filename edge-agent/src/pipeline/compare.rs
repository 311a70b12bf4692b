//! Compares what a camera shows with the reference pictures of its tasks.

use std::collections::{BTreeMap, btree_map::Entry};

use analytics::ReferenceLook;
use inference::{Frame, Reference, reference::compare};
use protocol::{BoundingBox, ClassTable, ContentHash, Detection, Polygon, Task, TaskId, ZoneKind};
use tracing::warn;

use crate::references::ReferencePictures;

/// Boxes from this score on hide what is behind them.
const HIDES: f32 = 0.25;

/// Boxes of what moves in front of a region: people, vehicles, two-wheelers.
pub(super) fn masks(classes: &ClassTable, detections: &[Detection]) -> Vec<BoundingBox> {
    let moves = |name: &str| {
        name == ClassTable::PERSON || ClassTable::VEHICLES.contains(&name) || ClassTable::TWO_WHEELERS.contains(&name)
    };
    detections.iter().filter(|d| d.score >= HIDES && moves(classes.name(d.class))).map(|d| d.bbox).collect()
}

/// The references of one camera's tasks, made ready to compare.
#[derive(Debug, Default)]
pub(super) struct References {
    ready: BTreeMap<TaskId, Ready>,
}

#[derive(Debug)]
struct Ready {
    picture: ContentHash,
    outlines: Vec<Polygon>,
    /// One per include zone, or one of the whole picture.
    regions: Vec<Reference>,
}

impl References {
    /// Forgets what no task needs any more.
    pub(super) fn keep(&mut self, tasks: &[Task]) {
        self.ready.retain(|id, ready| {
            tasks.iter().any(|t| {
                t.id == *id
                    && t.reference.as_ref().is_some_and(|r| r.picture == ready.picture)
                    && outlines(t) == ready.outlines
            })
        });
    }

    /// Compares `frame` with the references of `tasks`; people and vehicles are in `masks`.
    pub(super) fn look<'a>(
        &mut self,
        pictures: &ReferencePictures,
        tasks: impl Iterator<Item = &'a Task>,
        frame: &Frame<'_>,
        masks: &[BoundingBox],
    ) -> Vec<ReferenceLook> {
        let mut looks = Vec::new();
        for task in tasks {
            let Some(approved) = &task.reference else { continue };
            let ready = match self.ready.entry(task.id) {
                Entry::Occupied(ready) => ready.into_mut(),
                Entry::Vacant(place) => match pictures.get(&approved.picture).and_then(|bytes| prepare(task, &bytes)) {
                    Some(ready) => place.insert(ready),
                    None => continue,
                },
            };
            let excluded = task.zones.iter().filter(|z| z.kind == ZoneKind::Exclude).map(|z| around(&z.outline));
            let masks: Vec<BoundingBox> = masks.iter().copied().chain(excluded).collect();
            for (zone, region) in ready.regions.iter().enumerate() {
                let Ok(look) = compare(region, frame, &masks) else { continue };
                looks.push(ReferenceLook {
                    task: task.id,
                    zone,
                    version: approved.version,
                    changed: look.changed,
                    masked: look.masked,
                    aligned: look.aligned,
                    at: look.at,
                });
            }
        }
        looks
    }
}

/// The include zones, or the whole picture.
fn outlines(task: &Task) -> Vec<Polygon> {
    let include: Vec<Polygon> =
        task.zones.iter().filter(|z| z.kind == ZoneKind::Include).map(|z| z.outline.clone()).collect();
    if include.is_empty() { vec![Polygon::whole_picture()] } else { include }
}

fn prepare(task: &Task, bytes: &[u8]) -> Option<Ready> {
    let picture = task.reference.as_ref()?.picture.clone();
    let decoded = match image::load_from_memory(bytes) {
        Ok(decoded) => decoded.to_rgb8(),
        Err(e) => {
            warn!(task.id = %task.id, reason = %e, "the reference picture cannot be decoded; approve another one");
            return None;
        }
    };
    let (width, height) = decoded.dimensions();
    let frame = Frame::Rgb { width, height, data: decoded.as_raw(), stride: width as usize * 3 };
    let outlines = outlines(task);
    let regions: Result<Vec<Reference>, _> = outlines.iter().map(|o| Reference::from_frame(&frame, o)).collect();
    match regions {
        Ok(regions) => Some(Ready { picture, outlines, regions }),
        Err(e) => {
            warn!(task.id = %task.id, reason = %e, "the reference picture cannot be used; approve another one");
            None
        }
    }
}

/// The smallest box around a polygon.
fn around(outline: &Polygon) -> BoundingBox {
    let points = outline.points();
    let fold =
        |of: fn(&protocol::Point) -> f32, pick: fn(f32, f32) -> f32| points.iter().map(of).reduce(pick).unwrap_or(0.0);
    let (left, top) = (fold(|p| p.x, f32::min), fold(|p| p.y, f32::min));
    BoundingBox::new(left, top, fold(|p| p.x, f32::max) - left, fold(|p| p.y, f32::max) - top)
}

#[cfg(test)]
mod tests {
    use protocol::{Algorithm, CameraId, Point, ReferencePicture, TaskSpec, Timestamp, ZoneSpec};

    use super::*;
    use crate::pipeline::picture::{Picture, tests::drawn};

    /// A yard with blocks of many greys, and a striped fence in front of it or not.
    fn yard(fence: bool, lighter: u8) -> Picture {
        let grey = move |x: usize, y: usize| {
            let striped = fence && (220..420).contains(&x) && (150..300).contains(&y);
            let block = (x / 20 * 31 + y / 20 * 17) % 97;
            let value = if !striped {
                60 + block
            } else if (x / 8).is_multiple_of(2) {
                200
            } else {
                70
            };
            value as u8 + lighter
        };
        drawn(grey, Timestamp::from_secs(0), (640, 360))
    }

    fn task(picture: ContentHash, zones: Vec<ZoneSpec>) -> Task {
        let reference = ReferencePicture { version: 3, picture, approved_at: Timestamp::from_secs(0) };
        let (id, camera) = (TaskId::new(Timestamp::from_secs(1)), CameraId::new(Timestamp::from_secs(1)));
        let spec = TaskSpec::new(id, camera, Algorithm::FenceMissing, "fence");
        Task::try_from(TaskSpec { reference: Some(reference), zones, ..spec }).unwrap()
    }

    fn zone(name: &str, kind: ZoneKind, [left, top, right, bottom]: [f32; 4]) -> ZoneSpec {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let points = corners.map(|(x, y)| Point::new(x, y)).to_vec();
        ZoneSpec { name: name.into(), kind, points, min_score: None }
    }

    #[test]
    fn a_fence_that_is_gone_is_a_change_and_what_hides_it_is_not() {
        let mut jpeg = Vec::new();
        inference::jpeg::encode_nv12(&yard(true, 0).frame(), 90, &mut jpeg).unwrap();
        let (hash, pictures) = (ContentHash::of(&jpeg), ReferencePictures::given([jpeg]));
        let fence = zone("fence", ZoneKind::Include, [0.34, 0.42, 0.66, 0.83]);
        let mut references = References::default();
        let mut look = |task: &Task, picture: &Picture, masks: &[BoundingBox]| {
            references.keep(std::slice::from_ref(task));
            references.look(&pictures, std::iter::once(task), &picture.frame(), masks)
        };
        let fenced = task(hash.clone(), vec![fence.clone()]);
        let same = look(&fenced, &yard(true, 20), &[])[0];
        assert!(same.aligned && same.changed < 0.1 && (same.version, same.zone) == (3, 0), "{same:?}");
        let gone = look(&fenced, &yard(false, 0), &[])[0];
        assert!(gone.aligned && gone.changed > 0.6, "{gone:?}");
        let hidden = look(&fenced, &yard(false, 0), &[BoundingBox::new(0.3, 0.4, 0.4, 0.5)])[0];
        assert!(hidden.masked > 0.99 && hidden.changed < 0.01, "{hidden:?}");
        let excluded = task(hash, vec![fence, zone("gate", ZoneKind::Exclude, [0.3, 0.4, 0.7, 0.9])]);
        assert!(look(&excluded, &yard(false, 0), &[])[0].masked > 0.99);
        let unknown = task(ContentHash::of(b"not here"), vec![]);
        assert!(look(&unknown, &yard(true, 0), &[]).is_empty(), "nothing is said without the picture");
    }
}
