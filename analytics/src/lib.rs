//! What happens in a scene: detections become tracks, tracks gather votes, votes become at most one alarm.
//!
//! Pure: no IO, no clock, no threads. [`CameraAnalyzer`] is fed frame by frame with the time as an argument, so
//! a recording of its input replays to the same output. Every length of time is a parameter in seconds, never a
//! number of frames, so that 2 and 25 frames per second behave alike.
//!
//! ```text
//! detections ─▶ tracker ─▶ pairing (head ↔ person) ─▶ one rule per task ─▶ subjects: votes, dwell, cool-down ─▶ decisions
//! ```

pub mod algorithms;
mod analyzer;
mod clarity;
mod counts;
mod decision;
mod lines;
mod look;
mod mute;
mod numbers;
mod pairing;
mod place;
mod scene;
mod subject;
mod tracker;
mod trails;
mod votes;
mod worn;

pub use analyzer::{CameraAnalyzer, FrameInput};
pub use counts::{
    CountRow, DaySightings, HourlyCount, HourlySightings, SIGHTINGS_PER_DAY, WeekOfSightings, judge_week,
};
pub use decision::{Decision, Escalation, Raise, Suppressed, TrackView};
pub use look::{Appearance, PictureLook, ReferenceLook};
