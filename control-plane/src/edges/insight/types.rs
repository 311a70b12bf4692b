//! Bodies of an edge's health and differences.

use protocol::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api;

/// Which hours.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct HealthParams {
    /// How many hours back, 1 to 168; 24 when left out.
    pub(crate) hours: Option<u32>,
}

/// Health of an edge within five minutes: its newest report of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HealthSample {
    /// When the five minutes begin. A slot that is missing had no report.
    #[schema(value_type = i64)]
    pub(crate) at: Timestamp,
    pub(crate) memory_bytes: u64,
    pub(crate) disk_free_bytes: u64,
    pub(crate) outbox_events: u64,
    pub(crate) outbox_evidence_bytes: u64,
    pub(crate) dropped_evidence: u64,
    pub(crate) inference_fps: f64,
    pub(crate) inference_latency_ms: f64,
    pub(crate) warnings: u32,
}

/// Health of an edge over time, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HealthHistory {
    pub(crate) items: Vec<HealthSample>,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceKind {
    Camera,
    Task,
}

/// How desired 期望 and reported 实际 differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Difference {
    /// The edge says why it does not run it.
    Refused,
    /// It should run, the edge does not report it.
    Missing,
    /// It should not run, and still does.
    Surplus,
    /// It is applied, but its stream is not online.
    NotOnline,
}

/// One difference between what an edge should run and what it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DifferenceItem {
    pub(crate) kind: DifferenceKind,
    pub(crate) id: String,
    /// Empty for what the plane does not know any more.
    pub(crate) name: String,
    pub(crate) difference: Difference,
    /// State of the camera's stream, when it has one.
    pub(crate) state: Option<api::StreamState>,
    /// In words, as the edge says it; empty when it says nothing.
    pub(crate) reason: String,
}

/// Where an edge differs from what it should run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Differences {
    pub(crate) desired_generation: u64,
    pub(crate) reported_generation: u64,
    /// Whether the edge has taken the newest desired state; until then differences are expected.
    pub(crate) is_current: bool,
    pub(crate) items: Vec<DifferenceItem>,
}
