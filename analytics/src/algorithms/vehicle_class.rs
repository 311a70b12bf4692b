//! Which vehicle it is: classes are voted per track, because a detector that sees an excavator from behind calls it a
//! loader now and then.

use protocol::{ClassId, ClassTable};

use crate::{scene::Scene, tracker::Track};

/// 工程车辆: machines and lorries that work on a site. A model without finer classes says `truck`.
pub(super) const MACHINES: [&str; 9] =
    ["truck", "excavator", "dump_truck", "loader", "bulldozer", "mixer_truck", "crane", "forklift", "machine"];
/// 特殊车辆: told apart.
pub(super) const SPECIAL: [&str; 3] = ["police_car", "fire_truck", "ambulance"];

/// A vehicle of this height in pixels is as good to see as any larger one.
const CLEAR_PX: f32 = 80.0;
/// Even the smallest and least clear look counts this much.
const SMALLEST_WEIGHT: f32 = 0.1;
/// When the votes weigh more than this together, the old ones are halved.
const FULL: f32 = 30.0;

/// Whether the class works on a site.
pub(super) fn is_machine(class: &str) -> bool {
    MACHINES.contains(&class)
}

/// Whether the class is to be told apart.
pub(super) fn is_special(class: &str) -> bool {
    SPECIAL.contains(&class)
}

/// How clear a look at a vehicle is, 0–1: its size, score, and how far the next class is behind.
pub(super) fn clarity(scene: &Scene<'_>, track: &Track) -> f32 {
    let seen = &track.seen;
    let size = (scene.pixels(&seen.bbox) / CLEAR_PX).min(1.0);
    let alone = (1.0 - seen.rival / seen.score.max(1e-3)).max(0.0);
    (size * seen.score * alone).clamp(SMALLEST_WEIGHT, 1.0)
}

/// Votes on the class of one track.
#[derive(Clone, Debug, Default)]
pub(super) struct ClassVotes {
    weights: Vec<(ClassId, f32)>,
    looks: u32,
}

impl ClassVotes {
    /// Takes a look.
    pub(super) fn push(&mut self, class: ClassId, weight: f32) {
        self.looks = self.looks.saturating_add(1);
        match self.weights.iter_mut().find(|(c, _)| *c == class) {
            Some((_, sum)) => *sum += weight,
            None => self.weights.push((class, weight)),
        }
        if self.weights.iter().map(|(_, w)| w).sum::<f32>() > FULL {
            self.weights.iter_mut().for_each(|(_, w)| *w /= 2.0);
        }
    }

    /// The class with most votes among those that are `wanted`, and its share of theirs; `None` before `needed` looks.
    pub(super) fn winner<'t>(
        &self,
        needed: u32,
        classes: &'t ClassTable,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<(&'t str, f32)> {
        let own = || self.weights.iter().filter(|(c, _)| wanted(classes.name(*c)));
        let total: f32 = own().map(|(_, w)| w).sum();
        // Of two with equal votes the first of the table.
        let best = own().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (self.looks >= needed && total > 0.0).then(|| (classes.name(best.0), best.1 / total))
    }
}
