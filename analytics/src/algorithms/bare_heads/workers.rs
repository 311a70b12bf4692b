//! Workers: a person's track and a head's track under one number, through the times when only one is seen.

use protocol::Timestamp;

use crate::{numbers::Numbers, scene::Scene};

/// How long a head and a person that were a pair stay one worker though they do not fit, seconds.
const PAIR_OUTLASTS_SECS: f32 = 1.5;

#[derive(Debug)]
struct Worker {
    key: u64,
    person: Option<u64>,
    head: Option<u64>,
    paired_at: Timestamp,
    seen_at: Timestamp,
}

/// All workers of one task.
#[derive(Debug, Default)]
pub(super) struct Workers {
    known: Vec<Worker>,
    numbers: Numbers,
    /// The frame: its time and the persons seen on it.
    now: Timestamp,
    persons: Vec<u64>,
}

impl Workers {
    /// Begins a frame.
    pub(super) fn begin(&mut self, scene: &Scene<'_>) {
        self.now = scene.at;
        self.persons.clear();
        self.persons.extend(scene.persons.iter().map(|p| p.id));
        self.known.retain(|w| scene.at.since(w.seen_at).as_secs_f32() <= scene.patience_secs);
    }

    /// The worker with this person and this head, and the number of another that turned out to be the same.
    pub(super) fn of_pair(&mut self, person: u64, head: u64) -> (u64, Option<u64>) {
        // A head whose own person is in sight was somebody else's until now.
        for worker in &mut self.known {
            if worker.head == Some(head) && worker.person.is_some_and(|p| p != person && self.persons.contains(&p)) {
                worker.head = None;
            }
        }
        let by_head = self.known.iter().position(|w| w.head == Some(head));
        let by_person = self.known.iter().position(|w| w.person == Some(person));
        let (index, merged) = match (by_person, by_head) {
            (Some(p), Some(h)) if p != h => {
                let merged = self.known.remove(h).key;
                (if h < p { p - 1 } else { p }, Some(merged))
            }
            (Some(index), _) | (None, Some(index)) => (index, None),
            (None, None) => (self.add(), None),
        };
        let worker = &mut self.known[index];
        (worker.person, worker.head) = (Some(person), Some(head));
        (worker.paired_at, worker.seen_at) = (self.now, self.now);
        (worker.key, merged)
    }

    /// The worker with this person, of whom no head is seen.
    pub(super) fn of_person(&mut self, person: u64) -> u64 {
        let index = self.known.iter().position(|w| w.person == Some(person)).unwrap_or_else(|| self.add());
        let worker = &mut self.known[index];
        worker.person = Some(person);
        worker.seen_at = self.now;
        worker.key
    }

    /// The worker of whom only this head is seen; `None` when the head is not (yet) a worker of its own.
    pub(super) fn of_lone_head(&mut self, head: u64, clear: bool) -> Option<u64> {
        if let Some(worker) = self.known.iter_mut().find(|w| w.head == Some(head)) {
            let person_in_sight = worker.person.is_some_and(|p| self.persons.contains(&p));
            if !person_in_sight {
                worker.seen_at = self.now;
                return Some(worker.key);
            }
            if !clear || self.now.since(worker.paired_at).as_secs_f32() <= PAIR_OUTLASTS_SECS {
                return None;
            }
            worker.head = None;
        }
        if !clear {
            return None;
        }
        let index = self.add();
        let worker = &mut self.known[index];
        worker.head = Some(head);
        Some(worker.key)
    }

    /// The tracks of a worker.
    pub(super) fn tracks_of(&self, key: u64) -> impl Iterator<Item = u64> {
        self.known.iter().filter(move |w| w.key == key).flat_map(|w| w.person.into_iter().chain(w.head))
    }

    fn add(&mut self) -> usize {
        let key = self.numbers.next();
        self.known.push(Worker { key, person: None, head: None, paired_at: self.now, seen_at: self.now });
        self.known.len() - 1
    }
}
