//! Lists of events as files: CSV of any length, row by row; Excel with thumbnails, bounded.

mod csv;
pub(crate) mod routes;
mod sheet;

use super::{EventSummary, lifecycle::State};
use crate::{api::Severity, china_time};

/// Titles of the columns, the authority's five first (J119).
const TITLES: [&str; 12] = [
    "上报编号",
    "问题类型",
    "工地名称",
    "预警时间",
    "预警内容",
    "级别",
    "处置状态",
    "摄像头",
    "责任人",
    "办理时限",
    "同组事件数",
    "事件编号",
];

/// The cells of an event.
fn cells(event: &EventSummary) -> [String; 12] {
    let algorithm = protocol::Algorithm::from(event.algorithm);
    let zone = event.zone.as_ref().map(|zone| format!("“{zone}”区域")).unwrap_or_default();
    let content = format!("{}{zone}发现{}", event.camera_name, algorithm.name_zh());
    [
        event.number.clone(),
        algorithm.name_zh().to_owned(),
        event.site_name.clone(),
        china_time::text(event.decided_at),
        content,
        grade(event.severity).to_owned(),
        state(event.state).to_owned(),
        event.camera_name.clone(),
        event.assignee_name.clone().unwrap_or_default(),
        event.due_at.map(china_time::text).unwrap_or_default(),
        event.group_count.to_string(),
        event.id.to_string(),
    ]
}

const fn grade(severity: Severity) -> &'static str {
    match severity {
        Severity::Yellow => "一般",
        Severity::Orange => "较大",
        Severity::Red => "重大",
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Pending => "待处理",
        State::Confirmed => "已确认",
        State::Dispatched => "已派单",
        State::InProgress => "整改中",
        State::InReview => "待复核",
        State::Closed => "已闭环",
        State::FalseAlarm => "误报",
        State::Duplicate => "重复",
        State::Ignored => "忽略",
    }
}
