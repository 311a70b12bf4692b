//! The vocabulary of Gongshao: what the edge and the control plane say to each other.
//!
//! Pure data: no IO, no async, no clock. Specifications as people write them (`…Spec`) become values
//! that are valid by construction through `TryFrom`. Only [`wire`] knows MQTT topics and JSON.

pub mod algorithm;
pub mod camera;
pub mod desired;
pub mod detection;
pub mod event;
pub mod geometry;
pub mod health;
pub mod holiday;
pub mod ids;
pub mod overlay;
pub mod params;
pub mod schedule;
pub mod task;
pub mod telemetry;
pub mod time;
pub mod viewer_token;
pub mod wire;
pub mod zone;

pub use algorithm::Algorithm;
pub use camera::{Camera, CameraSpec, Secret, Transport};
pub use desired::{DesiredState, Refusal, ReportedState, Subject};
pub use detection::{ClassId, ClassTable, Detection};
pub use event::{Event, EventPhase, Evidence, EvidenceKind, Measure, ModelRef, Severity, TimedBox, Why};
pub use geometry::{BoundingBox, Point, Polygon};
pub use health::{CameraState, EdgeHealth, HealthWarning, InferenceHealth, StreamState};
pub use holiday::{Holiday, HolidayPlan, LocalDate};
pub use ids::{CameraId, ContentHash, EdgeId, EventId, MessageId, SiteId, TaskId, UserId};
pub use overlay::{Overlay, OverlayBox};
pub use params::{ParamsSpec, TaskParams};
pub use schedule::{Schedule, ScheduleSpan};
pub use task::{InZone, Task, TaskSpec};
pub use telemetry::{CountRow, HourlyCounts};
pub use time::Timestamp;
pub use zone::{LineKind, LineSpec, Mute, Overlap, ReferencePicture, Zone, ZoneKind, ZoneSpec};
