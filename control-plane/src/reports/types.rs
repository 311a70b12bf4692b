//! Bodies of the reports.

use std::collections::BTreeMap;

use protocol::{CameraId, SiteId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api;

/// Which events a report counts. Days are those of China Standard Time in which the events were decided.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParams {
    /// From the day of this time on, microseconds; 30 days before `to` when left out.
    pub(crate) from: Option<i64>,
    /// Up to and with the day of this time, microseconds; today when left out. At most 1100 days after `from`.
    pub(crate) to: Option<i64>,
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) site_id: Option<SiteId>,
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) camera_id: Option<CameraId>,
    #[param(inline)]
    pub(crate) algorithm: Option<api::Algorithm>,
}

/// What statistics are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatisticsBy {
    #[default]
    Day,
    Site,
    Camera,
    Algorithm,
    Severity,
}

/// What statistics are grouped by.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsParams {
    /// `day` when left out.
    #[param(inline)]
    pub(crate) by: StatisticsBy,
}

/// How often alarms were true.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Precision {
    pub(crate) raised: u64,
    /// Nobody has said yet.
    pub(crate) pending: u64,
    /// True: confirmed, dispatched, or further.
    pub(crate) confirmed: u64,
    pub(crate) false_alarms: u64,
    /// False alarms by reason.
    pub(crate) false_by_reason: BTreeMap<String, u64>,
    /// 重复: they count neither as true nor as false.
    pub(crate) duplicates: u64,
    /// 忽略: true, but nothing to do. They count as neither.
    pub(crate) ignored: u64,
    /// 真实告警率: `confirmed` ÷ (`confirmed` + `false_alarms`); `null` when nobody has judged any.
    pub(crate) true_rate: Option<f64>,
    /// Lower end of the 95 % Wilson interval of `true_rate`.
    pub(crate) true_rate_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval of `true_rate`.
    pub(crate) true_rate_high: Option<f64>,
}

/// Precision of one algorithm on one camera with one model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PrecisionRow {
    pub(crate) algorithm: String,
    pub(crate) camera_id: String,
    pub(crate) camera_name: String,
    /// Empty when events came before it was kept.
    pub(crate) model_name: String,
    pub(crate) model_version: String,
    #[serde(flatten)]
    pub(crate) precision: Precision,
}

/// Precision of one algorithm over all cameras and models.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlgorithmPrecision {
    pub(crate) algorithm: String,
    #[serde(flatten)]
    pub(crate) precision: Precision,
}

/// How often alarms are true 真实告警率.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PrecisionReport {
    /// First day, `2026-11-23`.
    pub(crate) from_day: String,
    /// Last day.
    pub(crate) to_day: String,
    /// By algorithm, camera, model and version; at most 5000, the ones with most false alarms first.
    pub(crate) items: Vec<PrecisionRow>,
    pub(crate) by_algorithm: Vec<AlgorithmPrecision>,
    pub(crate) total: Precision,
}

/// Counts of one group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StatisticsRow {
    /// A day (`2026-11-23`), an id of a site or camera, an algorithm or a grade.
    pub(crate) key: String,
    /// What the users call it.
    pub(crate) name: String,
    /// Events per state; a state without events is not there.
    pub(crate) by_state: BTreeMap<String, u64>,
    #[serde(flatten)]
    pub(crate) precision: Precision,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Took {
    pub(crate) events: u64,
    /// Seconds, within 5 %; `null` without events.
    pub(crate) median_secs: Option<f64>,
    pub(crate) p90_secs: Option<f64>,
}

/// Statistics 统计.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// First day, `2026-11-23`.
    pub(crate) from_day: String,
    /// Last day.
    pub(crate) to_day: String,
    pub(crate) items: Vec<StatisticsRow>,
    pub(crate) total: Precision,
    /// From arrival to the first step. Counts all cameras of the site.
    pub(crate) respond: Took,
    /// From arrival to 已闭环. Counts all cameras of the site.
    pub(crate) close: Took,
    /// Share of the looks at cameras that found them online 设备在线率, 0–1; `null` without looks.
    pub(crate) online_rate: Option<f64>,
}

/// A camera that has seen hardly anybody for a week (requirement A12).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DesertedCamera {
    pub(crate) camera_id: String,
    pub(crate) camera_name: String,
    /// Sightings of people in the working hours of the week.
    pub(crate) persons: u64,
}

/// Cameras that have seen hardly anybody for a week.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DesertedCameras {
    pub(crate) items: Vec<DesertedCamera>,
}

/// When people work.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkingHoursParams {
    /// First working hour, 0–23; 8 when left out.
    pub(crate) from_hour: Option<u8>,
    /// First hour after work, 1–24; 18 when left out.
    pub(crate) to_hour: Option<u8>,
}
