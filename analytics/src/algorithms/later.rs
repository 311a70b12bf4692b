//! Stands in for an algorithm whose rule is not written yet: decides nothing.

use protocol::{Task, Timestamp};

use super::Rule;
use crate::{decision::Decision, numbers::Numbers, scene::Scene};

#[derive(Debug, Default)]
pub(crate) struct Later;

impl Rule for Later {
    fn step(&mut self, _: &Scene<'_>, _: &Task, _: &mut Numbers, _: &mut Vec<Decision>) {}

    fn end_all(&mut self, _: Timestamp, _: &mut Vec<Decision>) {}

    fn alarmed_tracks(&self, _: &mut Vec<u64>) {}
}
