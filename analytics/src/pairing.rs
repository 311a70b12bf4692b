//! Which head belongs to which person.
//!
//! A head belongs to a person when its centre lies within the upper third of the person's box. Where boxes
//! overlap the best pairs win: near the middle of the box's top, of a head's usual size, and the pair of the
//! frame before.

use std::collections::BTreeMap;

use protocol::BoundingBox;

use crate::{place::HEADS_PER_STATURE, tracker::Track};

/// How much better the pair of the frame before counts.
const LOYALTY: f32 = 0.15;

/// What is known of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadOf {
    /// It belongs to the person with this index.
    Person(usize),
    /// It lies within a person's box, but not where a head is: held in the hand, bent down, or somebody else's.
    Unclear,
    /// No person is seen there: far away or hidden.
    Nobody,
}

/// Remembers the pairs of the frame before.
#[derive(Debug, Default)]
pub(crate) struct Pairing(BTreeMap<u64, u64>);

impl Pairing {
    /// Says of every head whose it is.
    pub(crate) fn step(&mut self, persons: &[&Track], heads: &[&Track]) -> Vec<HeadOf> {
        let mut candidates = Vec::new();
        for (h, head) in heads.iter().enumerate() {
            for (p, person) in persons.iter().enumerate() {
                if let Some(cost) = cost(&person.seen.bbox, &head.seen.bbox) {
                    let loyal = self.0.get(&person.id) == Some(&head.id);
                    candidates.push((if loyal { cost - LOYALTY } else { cost }, p, h));
                }
            }
        }
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut taken = vec![false; persons.len()];
        let mut heads_of: Vec<HeadOf> = heads
            .iter()
            .map(|h| {
                let center = h.seen.bbox.center();
                let within = persons.iter().any(|p| p.seen.bbox.contains(center));
                if within { HeadOf::Unclear } else { HeadOf::Nobody }
            })
            .collect();
        self.0.clear();
        for (_, p, h) in candidates {
            if !taken[p] && !matches!(heads_of[h], HeadOf::Person(_)) {
                taken[p] = true;
                heads_of[h] = HeadOf::Person(p);
                self.0.insert(persons[p].id, heads[h].id);
            }
        }
        heads_of
    }
}

/// How badly a head fits a person; `None` when it cannot be the person's.
fn cost(person: &BoundingBox, head: &BoundingBox) -> Option<f32> {
    let center = head.center();
    let across = (center.x - person.center().x) / person.w.max(1e-6);
    let down = (center.y - person.y) / person.h.max(1e-6);
    let share = head.h / person.h.max(1e-6);
    let fits = across.abs() <= 0.6 && (-0.1..=1.0 / 3.0).contains(&down) && (0.03..=0.67).contains(&share);
    let usual = 1.0 / HEADS_PER_STATURE;
    fits.then(|| {
        let size = (share / usual).ln();
        across.powi(2) + (2.0 * (down - usual / 2.0)).powi(2) + 0.05 * size * size
    })
}
