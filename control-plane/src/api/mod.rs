//! What the features' answers share: the protocol's enums and small values as the API shows them.
//!
//! API types are not wire types: an answer may change its shape without touching the edge link.

mod convert;
mod values;

pub(crate) use values::{
    BoundingBox, CameraState, EdgeHealth, HealthWarning, Holiday, InferenceHealth, Line, Measure, ModelRef, Mute, ParamsInput,
    Point, ReferencePicture, Refusal, Schedule, ScheduleSpan, TaskParams, TimedBox, Why, Zone,
};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Declares an API enum beside a protocol enum, with conversions both ways; a variant that is missing on
/// either side does not compile.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $source:ty { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant),+ }

        impl From<$source> for $name {
            fn from(value: $source) -> Self {
                match value { $(<$source>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $source {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

mirror! {
    /// A site algorithm 算法.
    Algorithm = protocol::Algorithm {
        NoHelmet, Intrusion, Crowd, FenceMissing, NoHarness, OccupantNoHelmet, LargeMaterial, NoLifeJacket, EBike,
        ConstructionVehicle, EdgeProtection, FireSmoke, Ponding, SegmentStack, Overhang, SpecialVehicle, PictureQuality,
    }
}
mirror! {
    /// Grade of an event 告警级别.
    Severity = protocol::Severity { Yellow, Orange, Red }
}
mirror! {
    /// Where an event is in its own life at the camera.
    Phase = protocol::EventPhase { New, Update, End }
}
mirror! {
    /// What a piece of evidence is.
    EvidenceKind = protocol::EvidenceKind { Snapshot, Clip }
}
mirror! {
    /// How RTP travels from the camera.
    Transport = protocol::Transport { Tcp, Udp }
}
mirror! {
    /// Whether a rule looks into a zone or must not.
    ZoneKind = protocol::ZoneKind { Include, Exclude }
}
mirror! {
    /// What a holiday means for a task.
    HolidayPlan = protocol::HolidayPlan { AllDay, Off, LikeSunday, LikeMonday }
}
mirror! {
    /// What a drawn line is for.
    LineKind = protocol::LineKind { Crossing, CrossingRightward, CrossingLeftward, Height }
}
mirror! {
    /// How a subject must lie in a zone.
    Overlap = protocol::Overlap { FootPoint, TargetShare, ZoneShare }
}
mirror! {
    /// State of a camera's stream.
    StreamState = protocol::StreamState {
        Connecting, Online, Unreachable, Unauthorised, NotFound, NoFrames, DecodeError, Unsupported, Interrupted,
    }
}

/// Which page.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// 1 to 200; 200 when left out.
    pub(crate) limit: Option<u32>,
}
