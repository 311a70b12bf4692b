//! The protocol's refusals as answers: which field, and in Chinese.

use protocol::{camera::InvalidCamera, geometry::InvalidPolygon, schedule::InvalidSchedule, task::InvalidTask};
use server_kit::ApiError;

/// A camera that cannot be used.
pub(crate) fn invalid_camera(error: &InvalidCamera) -> ApiError {
    let (field, zh) = match error {
        InvalidCamera::Name => ("name", "摄像头名称需为 1 到 100 个字符".to_owned()),
        InvalidCamera::Url(_) => ("url", "摄像头地址不是有效的网址".to_owned()),
        InvalidCamera::Scheme(scheme) => {
            ("url", format!("摄像头地址需以 rtsp:// 或 rtsps:// 开头，而不是 {scheme}://"))
        }
        InvalidCamera::GbCode => ("url", "国标地址格式为 gb28181://设备编码/通道编码，编码为 20 位数字".to_owned()),
        InvalidCamera::Host => ("url", "摄像头地址缺少主机名".to_owned()),
        InvalidCamera::CredentialsInUrl => ("url", "用户名和密码请填写在各自的输入框中，不要写在地址里".to_owned()),
        InvalidCamera::PasswordWithoutUser => ("username", "填写了密码但没有用户名".to_owned()),
    };
    ApiError::invalid(field, error.to_string(), zh)
}

/// A task that cannot run.
pub(crate) fn invalid_task(error: &InvalidTask) -> ApiError {
    let (field, zh) = match error {
        InvalidTask::Name => ("name".to_owned(), "任务名称需为 1 到 100 个字符".to_owned()),
        InvalidTask::TooManyZones => ("zones".to_owned(), "一个任务最多 32 个区域和 32 条线".to_owned()),
        InvalidTask::TooManyMutes => {
            ("mutes".to_owned(), "一个任务最多 64 个屏蔽位置，每个特征最多 1024 维".to_owned())
        }
        InvalidTask::Line(i) => {
            (format!("lines.{i}"), format!("第 {} 条线需有 1 到 60 个字符的名称和画面内 2 到 16 个点", i + 1))
        }
        InvalidTask::ZoneName(i) => {
            (format!("zones.{i}.name"), format!("第 {} 个区域的名称需为 1 到 60 个字符", i + 1))
        }
        InvalidTask::Zone { name, reason } => ("zones".to_owned(), format!("区域“{name}”：{}", polygon(reason))),
        InvalidTask::Schedule(reason) => ("schedule".to_owned(), format!("布防时段：{}", schedule(reason))),
        InvalidTask::Param { name, min, max, got } => {
            (format!("params.{name}"), format!("参数 {name} 需在 {min} 到 {max} 之间，当前为 {got}"))
        }
    };
    ApiError::invalid(&field, error.to_string(), zh)
}

fn polygon(reason: &InvalidPolygon) -> String {
    match reason {
        InvalidPolygon::TooFewPoints(n) => format!("至少需要 3 个顶点，当前 {n} 个"),
        InvalidPolygon::TooManyPoints(n) => format!("最多 64 个顶点，当前 {n} 个"),
        InvalidPolygon::OutsidePicture(i) => format!("第 {} 个顶点在画面之外", i + 1),
        InvalidPolygon::SelfIntersecting(a, b) => format!("第 {} 条边与第 {} 条边相交", a + 1, b + 1),
        InvalidPolygon::NoArea => "区域面积为零".to_owned(),
    }
}

fn schedule(reason: &InvalidSchedule) -> String {
    match reason {
        InvalidSchedule::Span(i) => format!("第 {} 个时段须在同一天内且结束晚于开始", i + 1),
        InvalidSchedule::TooMany => "最多 336 个时段".to_owned(),
        InvalidSchedule::TooManyHolidays => "最多 366 个节假日".to_owned(),
        InvalidSchedule::Offset => "时区偏移须在 14 小时以内".to_owned(),
    }
}
