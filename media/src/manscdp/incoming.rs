//! What arrives.

use super::{
    items::{Alarm, CatalogItem, DeviceInfo, DeviceStatus, MobilePosition, Page, Preset, RecordItem, number, text},
    xml::{self, Element, InvalidXml},
};
use crate::charset::Charset;

/// The outermost element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `Notify`.
    Notify,
    /// `Response`.
    Response,
    /// `Query`.
    Query,
    /// `Control`.
    Control,
}

/// A message of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// What it is.
    pub root: Root,
    /// Its command as written.
    pub command: String,
    /// Serial number, which ties a response to its query.
    pub sn: Option<u32>,
    /// The device or channel it is about.
    pub id: String,
    /// What it says.
    pub body: Body,
    /// How it was written.
    pub charset: Charset,
}

/// The content, by command.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// I am alive.
    Keepalive {
        /// Whether all is well by its own account.
        ok: bool,
        /// Codes of channels that are faulty.
        faulty: Vec<String>,
    },
    /// Part of the catalog, or what changed in it.
    Catalog(Page<CatalogItem>),
    /// Answer to `DeviceInfo`.
    DeviceInfo(DeviceInfo),
    /// Answer to `DeviceStatus`.
    DeviceStatus(DeviceStatus),
    /// Part of the list of recordings.
    RecordInfo(Page<RecordItem>),
    /// An alarm.
    Alarm(Alarm),
    /// Where devices are.
    MobilePosition(Vec<MobilePosition>),
    /// The media end; 121: a recording has been played to its end.
    MediaStatus(u16),
    /// Presets.
    Presets(Page<Preset>),
    /// How often the device reports, from its basic parameters.
    Heartbeat {
        /// Seconds between keep-alives.
        interval_secs: Option<u32>,
        /// How many may be missed.
        count: Option<u32>,
    },
    /// Pictures have been uploaded (2022).
    SnapShotFinished {
        /// Session of the request.
        session: String,
        /// Files.
        files: Vec<String>,
    },
    /// A command was done or refused.
    Result {
        /// Whether done.
        ok: bool,
    },
    /// Something else.
    Other,
}

/// A body that is no MANSCDP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// No XML.
    #[error(transparent)]
    Xml(#[from] InvalidXml),
    /// Another document.
    #[error("the document is no Notify, Response, Query or Control")]
    Root,
    /// No command.
    #[error("the document has no CmdType")]
    Command,
}

/// Reads a message.
///
/// # Errors
/// When it is none. Single items that make no sense are counted, not refused.
pub fn parse(body: &[u8]) -> Result<Incoming, InvalidBody> {
    let (document, charset) = xml::parse(body)?;
    let root = match document.name.to_ascii_lowercase().as_str() {
        "notify" => Root::Notify,
        "response" => Root::Response,
        "query" => Root::Query,
        "control" => Root::Control,
        _ => return Err(InvalidBody::Root),
    };
    let command = text(&document, "CmdType").ok_or(InvalidBody::Command)?;
    let id = text(&document, "DeviceID").unwrap_or_default();
    let body = read(root, &command, &id, &document);
    Ok(Incoming { root, sn: number(&document, "SN"), id, body, charset, command })
}

fn read(root: Root, command: &str, id: &str, document: &Element) -> Body {
    let reports = matches!(root, Root::Notify | Root::Response);
    match command.to_ascii_lowercase().as_str() {
        "keepalive" if root == Root::Notify => {
            let faulty = document.child("Info").into_iter().flat_map(|info| &info.children);
            let faulty = faulty.filter(|child| child.name.eq_ignore_ascii_case("DeviceID")).map(|c| c.text.clone());
            let ok = document.value("Status").is_none_or(|status| status.eq_ignore_ascii_case("OK"));
            Body::Keepalive { ok, faulty: faulty.take(1_000).collect() }
        }
        "catalog" if reports => Body::Catalog(Page::read(document, CatalogItem::read)),
        "recordinfo" if root == Root::Response => Body::RecordInfo(Page::read(document, RecordItem::read)),
        "presetquery" if root == Root::Response => Body::Presets(Page::read(document, Preset::read)),
        "deviceinfo" if root == Root::Response => Body::DeviceInfo(DeviceInfo::read(document)),
        "devicestatus" if root == Root::Response => Body::DeviceStatus(DeviceStatus::read(document)),
        "alarm" if root == Root::Notify => Body::Alarm(Alarm::read(document, id)),
        "mobileposition" if reports => {
            let mut items = Vec::new();
            document.descendants("Item", &mut items);
            let single = items.is_empty().then_some(document);
            let all = items.into_iter().chain(single);
            Body::MobilePosition(all.filter_map(|element| MobilePosition::read(element, id)).collect())
        }
        "mediastatus" if root == Root::Notify => Body::MediaStatus(number(document, "NotifyType").unwrap_or(0)),
        "uploadsnapshotfinished" if root == Root::Notify => {
            let mut files = Vec::new();
            document.descendants("SnapShotFileID", &mut files);
            let files = files.into_iter().map(|file| file.text.clone()).filter(|f| !f.is_empty()).take(10).collect();
            Body::SnapShotFinished { session: text(document, "SessionID").unwrap_or_default(), files }
        }
        "configdownload" if root == Root::Response && document.child("BasicParam").is_some() => {
            let basic = document.child("BasicParam").unwrap_or(document);
            Body::Heartbeat {
                interval_secs: number(basic, "HeartBeatInterval"),
                count: number(basic, "HeartBeatCount"),
            }
        }
        _ if root == Root::Response => match document.value("Result") {
            Some(result) => Body::Result { ok: result.eq_ignore_ascii_case("OK") },
            None => Body::Other,
        },
        _ => Body::Other,
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GB18030, GBK};
    use proptest::prelude::*;

    use super::*;

    fn catalog(names: &[Vec<u8>]) -> Vec<u8> {
        let mut body = b"<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Response>\r\n<CmdType>Catalog</CmdType>\r\n<SN>3001</SN>\r\n\
            <DeviceID>34020000001180000001</DeviceID>\r\n<SumNum>4</SumNum>\r\n<DeviceList Num=\"4\">\r\n".to_vec();
        for (n, name) in names.iter().enumerate() {
            body.extend(format!("<Item>\r\n<DeviceID>3402000000132000000{n}</DeviceID>\r\n<Name>").bytes());
            body.extend(name);
            body.extend(
                b"</Name>\r\n<Status>ON</Status><Longitude>121.47</Longitude><Latitude>31.23</Latitude>\r\n</Item>\r\n",
            );
        }
        body.extend(b"</DeviceList>\r\n</Response>\r\n");
        body
    }

    fn names(body: &[u8]) -> (Vec<String>, usize) {
        let Body::Catalog(page) = parse(body).unwrap().body else { panic!("no catalog") };
        (page.items.into_iter().map(|item| item.name).collect(), page.unusable)
    }

    #[test]
    fn catalogs_in_every_charset() {
        let expect = ["大门", "塔吊", "萳 & 基坑", "4"];
        let gb = ["大门", "塔吊", "萳 & 基坑", "4"].map(|name| GB18030.encode(name).0.into_owned());
        assert_eq!(names(&catalog(&gb)).0, expect, "GB18030 declared as GB2312");
        let utf8 = expect.map(|name| name.as_bytes().to_vec());
        assert_eq!(names(&catalog(&utf8)).0, expect, "UTF-8 declared as GB2312");
        let mixed = [utf8[0].clone(), utf8[1].clone(), utf8[2].clone(), GBK.encode("大门").0.into_owned()];
        assert_eq!(names(&catalog(&mixed)).0[3], "大门", "one name in another charset");
    }

    #[test]
    fn one_broken_item_costs_itself_only() {
        let broken =
            [b"a".to_vec(), b"b</Name></Item><Item><Name>no code".to_vec(), b"\xff\xfe<\x01&".to_vec(), b"d".to_vec()];
        let (found, unusable) = names(&catalog(&broken));
        assert_eq!((found.len(), unusable), (4, 1));
        assert_eq!((found[0].as_str(), found[3].as_str()), ("a", "d"));
        let unclosed = catalog(&[b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
        let cut = String::from_utf8(unclosed).unwrap().replacen("</Item>", "", 1);
        let mut found = names(cut.as_bytes()).0;
        found.sort();
        assert_eq!(found, ["a", "b", "c"], "an item that was not closed hides none");
    }

    #[test]
    fn keepalives_of_all_kinds() {
        for body in [
            "<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>34020000001320000001</DeviceID><Status>OK</Status></Notify>",
            "<Notify CmdType=\"Keepalive\" SN=\"1\" DeviceID=\"34020000001320000001\" Status=\"OK\"/>",
            "<?xml version=\"1.0\"?><notify><cmdtype>keepalive</cmdtype><sn>1</sn><DeviceID>34020000001320000001</DeviceID></notify>",
        ] {
            let read = parse(body.as_bytes()).unwrap();
            assert_eq!((read.sn, read.id.as_str()), (Some(1), "34020000001320000001"), "{body}");
            assert_eq!(read.body, Body::Keepalive { ok: true, faulty: Vec::new() });
        }
    }

    #[test]
    fn reports() {
        let alarm = "<Notify><CmdType>Alarm</CmdType><SN>9</SN><DeviceID>34020000001320000001</DeviceID><AlarmPriority>1</AlarmPriority>\
            <AlarmMethod>5</AlarmMethod><AlarmTime>2026-06-14T12:00:00</AlarmTime><Info><AlarmType>2</AlarmType></Info></Notify>";
        let Body::Alarm(alarm) = parse(alarm.as_bytes()).unwrap().body else { panic!() };
        assert_eq!((alarm.priority, alarm.method, alarm.kind), (Some(1), Some(5), Some(2)));
        let records = "<Response><CmdType>RecordInfo</CmdType><SN>9</SN><DeviceID>1</DeviceID><SumNum>2</SumNum><RecordList Num=\"2\">\
            <Item><DeviceID>1</DeviceID><StartTime>2026-06-14T10:00:00</StartTime><EndTime>2026-06-14T11:00:00</EndTime><FileSize>5</FileSize></Item>\
            <Item><DeviceID>1</DeviceID><StartTime>nonsense</StartTime></Item></RecordList></Response>";
        let Body::RecordInfo(page) = parse(records.as_bytes()).unwrap().body else { panic!() };
        assert_eq!((page.total, page.items.len(), page.unusable, page.items[0].bytes), (Some(2), 1, 1, Some(5)));
        let moved = "<Notify><CmdType>MobilePosition</CmdType><SN>1</SN><DeviceList Num=\"1\"><Item><DeviceID>7</DeviceID>\
            <CaptureTime>2026-06-14T10:00:00</CaptureTime><Longitude>121.5</Longitude><Latitude>31.2</Latitude></Item></DeviceList></Notify>";
        let Body::MobilePosition(moved) = parse(moved.as_bytes()).unwrap().body else { panic!() };
        assert_eq!((moved[0].id.as_str(), moved[0].position), ("7", (121.5, 31.2)));
        let beat = "<Response><CmdType>ConfigDownload</CmdType><SN>1</SN><Result>OK</Result><BasicParam><HeartBeatInterval>30</HeartBeatInterval></BasicParam></Response>";
        assert_eq!(parse(beat.as_bytes()).unwrap().body, Body::Heartbeat { interval_secs: Some(30), count: None });
        let end = "<Notify><CmdType>MediaStatus</CmdType><SN>1</SN><DeviceID>1</DeviceID><NotifyType>121</NotifyType></Notify>";
        assert_eq!(parse(end.as_bytes()).unwrap().body, Body::MediaStatus(121));
    }

    #[test]
    fn refuses_what_is_no_message() {
        assert_eq!(parse(b"<html></html>").unwrap_err(), InvalidBody::Root);
        assert_eq!(parse(b"<Notify></Notify>").unwrap_err(), InvalidBody::Command);
        assert!(matches!(parse(b""), Err(InvalidBody::Xml(_))));
    }

    proptest! {
        #[test]
        fn bitten_messages_never_panic(cut in 0..700_usize, at in 0..700_usize, byte in any::<u8>()) {
            let mut body = catalog(&["大门", "b", "c"].map(|n| n.as_bytes().to_vec()));
            let at = at % body.len();
            body[at] = byte;
            body.truncate(cut);
            let _ = parse(&body);
        }
    }
}
