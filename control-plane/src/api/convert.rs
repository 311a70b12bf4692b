//! From the protocol's values to the API's, and back where people write them.

use protocol::Subject;

use super::{
    BoundingBox, CameraState, EdgeHealth, HealthWarning, Holiday, InferenceHealth, Line, Measure, ModelRef, Mute, ParamsInput,
    Point, ReferencePicture, Refusal, Schedule, ScheduleSpan, TaskParams, TimedBox, Why, Zone,
};

/// Moves fields of the same name from one struct to the other.
macro_rules! same_fields {
    ($from:ty => $to:ident { $($field:ident),+ $(; $($computed:ident: $value:expr),+)? } with $v:ident) => {
        impl From<$from> for $to {
            fn from($v: $from) -> Self {
                Self { $($field: $v.$field,)+ $($($computed: $value,)+)? }
            }
        }
    };
}

same_fields!(protocol::Point => Point { x, y } with v);
same_fields!(protocol::BoundingBox => BoundingBox { x, y, w, h } with v);
same_fields!(protocol::TimedBox => TimedBox { at, class, score, track, subject; bbox: v.bbox.into() } with v);
same_fields!(protocol::Why => Why {
    votes_for, votes_against, votes_needed, votes_window, lasted_secs, dwell_secs, people, people_needed;
    measures: v.measures.into_iter().map(Into::into).collect()
} with v);
same_fields!(protocol::event::Measure => Measure { name, value, limit, label } with v);
same_fields!(protocol::ModelRef => ModelRef { name, version } with v);
same_fields!(protocol::ScheduleSpan => ScheduleSpan { weekday, from_minute, to_minute } with v);
same_fields!(protocol::Schedule => Schedule {
    utc_offset_minutes; spans: v.spans.into_iter().map(Into::into).collect(),
    holidays: v.holidays.into_iter().map(Into::into).collect()
} with v);

same_fields!(protocol::ZoneSpec => Zone {
    name, min_score; kind: v.kind.into(), points: v.points.into_iter().map(Into::into).collect()
} with v);
same_fields!(protocol::LineSpec => Line {
    name; kind: v.kind.into(), points: v.points.into_iter().map(Into::into).collect()
} with v);
same_fields!(protocol::Mute => Mute { class, embedding, until; bbox: v.bbox.into() } with v);
same_fields!(protocol::ReferencePicture => ReferencePicture { version, approved_at; picture: v.picture.to_string() } with v);
same_fields!(protocol::ParamsSpec => ParamsInput {
    min_score, min_target_px, votes_needed, votes_window, dwell_secs, cool_down_secs, task_cool_down_secs,
    crowd_size, sample_fps, camera_cool_down_secs, min_overlap, share_needed, layers_max, reach, smoke_dwell_secs;
    overlap: v.overlap.map(Into::into)
} with v);
same_fields!(protocol::TaskParams => TaskParams {
    min_score, min_target_px, votes_needed, votes_window, dwell_secs, cool_down_secs, task_cool_down_secs,
    crowd_size, sample_fps, camera_cool_down_secs, min_overlap, share_needed, layers_max, reach, smoke_dwell_secs;
    overlap: v.overlap.into()
} with v);
same_fields!(protocol::CameraState => CameraState {
    detail, since, fps, kbps, analysed_fps, reconnects, lost_packets, width, height, codec; state: v.state.into()
} with v);
same_fields!(protocol::HealthWarning => HealthWarning { code, message } with v);
same_fields!(protocol::InferenceHealth => InferenceHealth { model, provider, precision, fps, latency_ms } with v);
same_fields!(protocol::EdgeHealth => EdgeHealth {
    at, version, uptime_secs, memory_bytes, disk_free_bytes, outbox_events, outbox_evidence_bytes, dropped_evidence;
    inference: v.inference.into(), warnings: v.warnings.into_iter().map(Into::into).collect()
} with v);

impl From<protocol::Refusal> for Refusal {
    fn from(refusal: protocol::Refusal) -> Self {
        let (camera_id, task_id) = match refusal.subject {
            Subject::Camera(id) => (Some(id), None),
            Subject::Task(id) => (None, Some(id)),
        };
        Self { camera_id, task_id, reason: refusal.reason }
    }
}

impl From<protocol::Holiday> for Holiday {
    fn from(v: protocol::Holiday) -> Self {
        Self { date: v.date.to_string(), plan: v.plan.into() }
    }
}

impl From<Zone> for protocol::ZoneSpec {
    fn from(zone: Zone) -> Self {
        let points = zone.points.into_iter().map(|p| protocol::Point::new(p.x, p.y)).collect();
        Self { name: zone.name, kind: zone.kind.into(), points, min_score: zone.min_score }
    }
}

impl From<Line> for protocol::LineSpec {
    fn from(line: Line) -> Self {
        let points = line.points.into_iter().map(|p| protocol::Point::new(p.x, p.y)).collect();
        Self { name: line.name, kind: line.kind.into(), points }
    }
}

impl From<Mute> for protocol::Mute {
    fn from(v: Mute) -> Self {
        let bbox = protocol::BoundingBox::new(v.bbox.x, v.bbox.y, v.bbox.w, v.bbox.h);
        Self { bbox, class: v.class, embedding: v.embedding, until: v.until }
    }
}

impl TryFrom<ReferencePicture> for protocol::ReferencePicture {
    type Error = String;

    fn try_from(v: ReferencePicture) -> Result<Self, Self::Error> {
        let picture = v.picture.parse().map_err(|_| v.picture)?;
        Ok(Self { version: v.version, picture, approved_at: v.approved_at })
    }
}

impl TryFrom<Schedule> for protocol::Schedule {
    type Error = String;

    fn try_from(schedule: Schedule) -> Result<Self, Self::Error> {
        let span = |s: ScheduleSpan| protocol::ScheduleSpan {
            weekday: s.weekday,
            from_minute: s.from_minute,
            to_minute: s.to_minute,
        };
        let holiday = |h: Holiday| {
            let date = h.date.parse().map_err(|_| h.date)?;
            Ok(protocol::Holiday { date, plan: h.plan.into() })
        };
        Ok(Self {
            utc_offset_minutes: schedule.utc_offset_minutes,
            spans: schedule.spans.into_iter().map(span).collect(),
            holidays: schedule.holidays.into_iter().map(holiday).collect::<Result<_, String>>()?,
        })
    }
}

impl From<ParamsInput> for protocol::ParamsSpec {
    fn from(v: ParamsInput) -> Self {
        Self {
            min_score: v.min_score,
            min_target_px: v.min_target_px,
            votes_needed: v.votes_needed,
            votes_window: v.votes_window,
            dwell_secs: v.dwell_secs,
            cool_down_secs: v.cool_down_secs,
            task_cool_down_secs: v.task_cool_down_secs,
            crowd_size: v.crowd_size,
            sample_fps: v.sample_fps,
            camera_cool_down_secs: v.camera_cool_down_secs,
            overlap: v.overlap.map(Into::into),
            min_overlap: v.min_overlap,
            share_needed: v.share_needed,
            layers_max: v.layers_max,
            reach: v.reach,
            smoke_dwell_secs: v.smoke_dwell_secs,
        }
    }
}
