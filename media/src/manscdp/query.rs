//! What a platform asks.

use super::{Control, xml::Writer};
use crate::{charset::Charset, gbtime::LocalTime};

/// A question to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Its channels.
    Catalog,
    /// What it is.
    DeviceInfo,
    /// How it is.
    DeviceStatus,
    /// Its presets.
    Presets,
    /// Its basic parameters, among them how often it reports.
    BasicParam,
    /// Its recordings.
    Records(RecordQuery),
    /// Where it is, every so many seconds.
    MobilePosition {
        /// Seconds.
        interval_secs: u32,
    },
    /// Its alarms, for a subscription.
    Alarm,
    /// Where it looks (2022).
    PtzPosition,
}

/// Which recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// From, local time of the device.
    pub start: LocalTime,
    /// To.
    pub end: LocalTime,
    /// `all`, `time`, `alarm` or `manual`.
    pub kind: &'static str,
}

impl Query {
    /// The command on the wire.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Catalog => "Catalog",
            Self::DeviceInfo => "DeviceInfo",
            Self::DeviceStatus => "DeviceStatus",
            Self::Presets => "PresetQuery",
            Self::BasicParam => "ConfigDownload",
            Self::Records(_) => "RecordInfo",
            Self::MobilePosition { .. } => "MobilePosition",
            Self::Alarm => "Alarm",
            Self::PtzPosition => "PTZPosition",
        }
    }
}

/// The body of a query about `id`, a device or a channel.
pub fn query(query: &Query, sn: u32, id: &str, charset: Charset) -> Vec<u8> {
    let writer = Writer::default().open("Query").text("CmdType", query.command()).text("SN", sn).text("DeviceID", id);
    let writer = match query {
        Query::BasicParam => writer.text("ConfigType", "BasicParam"),
        Query::Records(RecordQuery { start, end, kind }) => {
            let writer = writer.text("StartTime", start).text("EndTime", end);
            writer.text("Secrecy", 0).text("Type", kind)
        }
        Query::MobilePosition { interval_secs } => writer.text("Interval", interval_secs),
        Query::Alarm => writer.text("StartAlarmPriority", 0).text("EndAlarmPriority", 0).text("AlarmMethod", 0),
        _ => writer,
    };
    writer.finish(charset)
}

/// The body of a control command for `id`.
pub fn body(control: &Control, sn: u32, id: &str, charset: Charset) -> Vec<u8> {
    control.write(sn, id).finish(charset)
}

/// The body that confirms an alarm (section 9.4 of the 2016 edition: beside the 200 to its message).
pub fn alarm_response(sn: u32, id: &str, charset: Charset) -> Vec<u8> {
    let writer = Writer::default().open("Response").text("CmdType", "Alarm").text("SN", sn);
    writer.text("DeviceID", id).text("Result", "OK").finish(charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_and_declared() {
        let text = |body: Vec<u8>| String::from_utf8(body).unwrap().replace("\r\n", "");
        let body = text(query(&Query::Catalog, 17, "3402<&>", Charset::Gb2312));
        let head = "<?xml version=\"1.0\" encoding=\"GB2312\"?>";
        assert_eq!(
            body,
            format!("{head}<Query><CmdType>Catalog</CmdType><SN>17</SN><DeviceID>3402&lt;&amp;&gt;</DeviceID></Query>")
        );
        let [start, end] = ["2026-06-14T10:00:00", "2026-06-14T11:00:00"].map(|t| LocalTime::parse(t).unwrap());
        let records = Query::Records(RecordQuery { start, end, kind: "all" });
        let body = text(query(&records, 1, "1", Charset::Gb18030));
        assert!(
            body.contains("<StartTime>2026-06-14T10:00:00</StartTime>") && body.contains("<Type>all</Type>"),
            "{body}"
        );
    }
}
