//! Where a track was, thinned so that any length of life fits.

use std::{collections::VecDeque, time::Duration};

use protocol::{BoundingBox, ClassId, ClassTable, TimedBox, Timestamp};

use super::Observation;

const CAPACITY: usize = 48;
const FIRST_STEP: Duration = Duration::from_millis(180);

/// A bounded path: when it is full every second entry goes and the step doubles.
#[derive(Clone, Debug)]
pub(crate) struct History {
    step: Duration,
    entries: VecDeque<(Timestamp, ClassId, f32, BoundingBox)>,
}

impl Default for History {
    fn default() -> Self {
        Self { step: FIRST_STEP, entries: VecDeque::new() }
    }
}

impl History {
    pub(super) fn push(&mut self, at: Timestamp, seen: &Observation) {
        if self.entries.back().is_some_and(|last| at.since(last.0) < self.step) {
            return;
        }
        if self.entries.len() == CAPACITY {
            let mut keep = false;
            self.entries.retain(|_| {
                keep = !keep;
                keep
            });
            self.step *= 2;
        }
        self.entries.push_back((at, seen.class, seen.score, seen.bbox));
    }

    /// The path as it travels in an event.
    pub(crate) fn path(&self, track: u64, classes: &ClassTable) -> Vec<TimedBox> {
        self.entries
            .iter()
            .map(|&(at, class, score, bbox)| TimedBox {
                at,
                class: classes.name(class).to_owned(),
                score,
                bbox,
                track: Some(track),
                subject: true,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_fits() {
        let mut history = History::default();
        let seen =
            Observation { class: ClassId(0), score: 0.5, rival: 0.0, bbox: BoundingBox::new(0.1, 0.1, 0.1, 0.1) };
        for i in 0..24 * 3600 {
            history.push(Timestamp::from_secs(i), &seen);
        }
        let path = history.path(1, &ClassTable::new(["person"]));
        assert!((CAPACITY / 2..=CAPACITY).contains(&path.len()));
        assert_eq!(path[0].at, Timestamp::from_secs(0));
        assert!(path.last().unwrap().at > Timestamp::from_secs(20 * 3600));
    }
}
