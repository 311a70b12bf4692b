//! Untracked detections, and how they lie in the zones.

use protocol::{BoundingBox, ClassId, Point, Polygon, Task, TimedBox, Zone, ZoneKind};

use crate::scene::Scene;

/// Points across a box that are asked whether they are inside.
const PROBES: usize = 6;

/// A detection that counts: within the picture, sure enough, of one of the wanted classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) class: ClassId,
    pub(super) score: f32,
    pub(super) bbox: BoundingBox,
}

/// The detections of `classes` with at least `min_score`, in an order that does not depend on the detector's.
pub(super) fn found(scene: &Scene<'_>, classes: &[Option<ClassId>], min_score: f32) -> Vec<Found> {
    let wanted = |class: ClassId| classes.contains(&Some(class));
    let mut found: Vec<Found> = scene
        .detections
        .iter()
        .filter(|d| wanted(d.class) && d.score >= min_score)
        .filter_map(|d| Some(Found { class: d.class, score: d.score.min(1.0), bbox: within_picture(d.bbox)? }))
        .collect();
    found.sort_by(|a, b| {
        let key = |f: &Found| [-f.score, f.bbox.x, f.bbox.y, f.bbox.w, f.bbox.h];
        let order = key(a).into_iter().zip(key(b)).map(|(x, y)| x.total_cmp(&y));
        order.fold(a.class.cmp(&b.class), std::cmp::Ordering::then)
    });
    found
}

impl Found {
    /// As it travels in an event.
    pub(super) fn boxed(&self, scene: &Scene<'_>) -> TimedBox {
        TimedBox {
            at: scene.at,
            class: scene.classes.name(self.class).to_owned(),
            score: self.score,
            bbox: self.bbox,
            track: None,
            subject: true,
        }
    }
}

fn within_picture(bbox: BoundingBox) -> Option<BoundingBox> {
    if ![bbox.x, bbox.y, bbox.w, bbox.h].into_iter().all(f32::is_finite) {
        return None;
    }
    let (left, top) = (bbox.x.clamp(0.0, 1.0), bbox.y.clamp(0.0, 1.0));
    let (w, h) = ((bbox.x + bbox.w).clamp(0.0, 1.0) - left, (bbox.y + bbox.h).clamp(0.0, 1.0) - top);
    (w > 1e-4 && h > 1e-4).then_some(BoundingBox::new(left, top, w, h))
}

/// The include zones in drawing order; the whole picture, without a name, when none is drawn.
pub(super) fn includes(task: &Task) -> Vec<(&str, Option<&Polygon>)> {
    let zones: Vec<_> = task.zones.iter().filter(|z| z.kind == ZoneKind::Include).collect();
    if zones.is_empty() {
        vec![("", None)]
    } else {
        zones.iter().map(|z| (z.name.as_str(), Some(&z.outline))).collect()
    }
}

/// Whether an exclude zone covers the point.
pub(super) fn is_excluded(task: &Task, point: Point) -> bool {
    excludes(task).any(|z| z.outline.contains(point))
}

fn excludes(task: &Task) -> impl Iterator<Item = &Zone> {
    task.zones.iter().filter(|z| z.kind == ZoneKind::Exclude)
}

/// Share of a box that exclude zones cover, 0–1.
pub(super) fn excluded_share(task: &Task, bbox: &BoundingBox) -> f32 {
    if excludes(task).next().is_none() { 0.0 } else { share(bbox, |p| is_excluded(task, p)) }
}

/// The first include zone that any part of the box touches; `""` for the whole picture.
pub(super) fn touched_zone<'t>(task: &'t Task, bbox: &BoundingBox) -> Option<&'t str> {
    let touches = |outline: Option<&Polygon>| outline.is_none_or(|o| share(bbox, |p| o.contains(p)) > 0.0);
    includes(task).into_iter().find(|(_, outline)| touches(*outline)).map(|(name, _)| name)
}

/// The smallest confidence that counts in the zone called `name`.
pub(super) fn min_score_in(task: &Task, name: &str) -> f32 {
    let zone = task.zones.iter().find(|z| z.kind == ZoneKind::Include && z.name == name);
    zone.and_then(|z| z.min_score).unwrap_or(task.params.min_score)
}

/// The smallest confidence that counts anywhere.
pub(super) fn least_score(task: &Task) -> f32 {
    task.zones.iter().filter_map(|z| z.min_score).fold(task.params.min_score, f32::min)
}

/// Share of a box whose points are `inside`.
fn share(bbox: &BoundingBox, inside: impl Fn(Point) -> bool) -> f32 {
    let step = |i: usize, from: f32, size: f32| from + size * (i as f32 + 0.5) / PROBES as f32;
    let points =
        (0..PROBES * PROBES).map(|i| Point::new(step(i % PROBES, bbox.x, bbox.w), step(i / PROBES, bbox.y, bbox.h)));
    points.filter(|p| inside(*p)).count() as f32 / (PROBES * PROBES) as f32
}

/// Share of `inner` that lies in `outer`, 0–1.
pub(super) fn covered(inner: &BoundingBox, outer: &BoundingBox) -> f32 {
    let area = inner.area();
    if area > 0.0 { inner.intersection(outer) / area } else { 0.0 }
}

/// The box around both.
pub(super) fn around(a: &BoundingBox, b: &BoundingBox) -> BoundingBox {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let (right, bottom) = ((a.x + a.w).max(b.x + b.w), (a.y + a.h).max(b.y + b.h));
    BoundingBox::new(x, y, right - x, bottom - y)
}

/// A box with `margin` of its own size added on each side.
pub(super) fn inflated(bbox: &BoundingBox, margin: f32) -> BoundingBox {
    let (mx, my) = (bbox.w * margin, bbox.h * margin);
    BoundingBox::new(bbox.x - mx, bbox.y - my, bbox.w + 2.0 * mx, bbox.h + 2.0 * my)
}
