//! The things that devices report.

use super::xml::Element;
use crate::gbtime::LocalTime;

/// Longest text kept of a field, characters.
const MAX_TEXT: usize = 256;

/// A trimmed text of bounded length.
pub(super) fn text(element: &Element, name: &str) -> Option<String> {
    element.value(name).map(|value| value.chars().take(MAX_TEXT).collect())
}

pub(super) fn number<T: std::str::FromStr>(element: &Element, name: &str) -> Option<T> {
    element.value(name)?.parse().ok()
}

/// A finite number within `range`.
fn real(element: &Element, name: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    number::<f64>(element, name).filter(|value| range.contains(value))
}

fn time(element: &Element, name: &str) -> Option<LocalTime> {
    LocalTime::parse(element.value(name)?)
}

fn position(element: &Element) -> Option<(f64, f64)> {
    let longitude = real(element, "Longitude", -180.0..=180.0)?;
    let latitude = real(element, "Latitude", -90.0..=90.0)?;
    // devices without a receiver write zeros
    (longitude != 0.0 || latitude != 0.0).then_some((longitude, latitude))
}

/// One message of several that answer a query together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page<T> {
    /// How many items all messages have together; `None` when the device does not say.
    pub total: Option<u32>,
    /// Items of this message that could be used.
    pub items: Vec<T>,
    /// Items that could not, e.g. without a code.
    pub unusable: usize,
}

impl<T> Page<T> {
    /// Reads the items of a message; `None` for one without a list and without a count.
    pub(super) fn read(root: &Element, item: impl Fn(&Element) -> Option<T>) -> Self {
        let mut found = Vec::new();
        root.descendants("Item", &mut found);
        // a record list has items only; an item that holds others was not closed
        let items: Vec<T> = found.iter().filter_map(|element| item(element)).collect();
        Self { total: number(root, "SumNum"), unusable: found.len() - items.len(), items }
    }
}

/// What happened to a channel, in catalog notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// `ON`.
    On,
    /// `OFF`.
    Off,
    /// `VLOST`: no picture.
    VideoLost,
    /// `DEFECT`.
    Defect,
    /// `ADD`.
    Added,
    /// `DEL`.
    Deleted,
    /// `UPDATE`.
    Updated,
}

/// A device, channel, group or division of a catalog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogItem {
    /// Code: 20 digits for devices and groups, 2 to 8 for divisions; as sent.
    pub id: String,
    /// Name; the code when there is none.
    pub name: String,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Division.
    pub civil_code: Option<String>,
    /// Where it is, in words.
    pub address: Option<String>,
    /// Code above in the tree.
    pub parent: Option<String>,
    /// Group it belongs to.
    pub group: Option<String>,
    /// Network address as it says.
    pub ip: Option<String>,
    /// Whether it says that it is on; `None` when it says nothing.
    pub online: Option<bool>,
    /// Longitude and latitude, degrees.
    pub position: Option<(f64, f64)>,
    /// 1 dome, 2 half dome, 3 fixed bullet, 4 remote-controlled bullet; 5 to 7 in 2022.
    pub ptz_type: Option<u8>,
    /// In notifications: what happened.
    pub event: Option<ChannelEvent>,
}

impl CatalogItem {
    pub(super) fn read(element: &Element) -> Option<Self> {
        let id = text(element, "DeviceID")?;
        if id.len() > 32 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return None;
        }
        let status = element.value("Status").map(str::to_ascii_uppercase);
        let event = match element.value("Event").map(str::to_ascii_uppercase).as_deref() {
            Some("ON") => Some(ChannelEvent::On),
            Some("OFF") => Some(ChannelEvent::Off),
            Some("VLOST") => Some(ChannelEvent::VideoLost),
            Some("DEFECT") => Some(ChannelEvent::Defect),
            Some("ADD") => Some(ChannelEvent::Added),
            Some("DEL") => Some(ChannelEvent::Deleted),
            Some("UPDATE") => Some(ChannelEvent::Updated),
            _ => None,
        };
        Some(Self {
            name: text(element, "Name").unwrap_or_else(|| id.clone()),
            manufacturer: text(element, "Manufacturer"),
            model: text(element, "Model"),
            civil_code: text(element, "CivilCode"),
            address: text(element, "Address"),
            parent: text(element, "ParentID"),
            group: text(element, "BusinessGroupID"),
            ip: text(element, "IPAddress"),
            online: match status.as_deref() {
                Some("ON" | "OK" | "ONLINE") => Some(true),
                Some("OFF" | "OFFLINE" | "ERROR" | "NOTONLINE" | "VLOST" | "DEFECT") => Some(false),
                _ => None,
            },
            position: position(element),
            ptz_type: element.child("Info").and_then(|info| number(info, "PTZType")).or(number(element, "PTZType")),
            event,
            id,
        })
    }
}

/// What a device says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Name.
    pub name: Option<String>,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Firmware.
    pub firmware: Option<String>,
    /// How many channels it has.
    pub channels: Option<u32>,
}

impl DeviceInfo {
    pub(super) fn read(root: &Element) -> Self {
        Self {
            name: text(root, "DeviceName"),
            manufacturer: text(root, "Manufacturer"),
            model: text(root, "Model"),
            firmware: text(root, "Firmware"),
            channels: number(root, "Channel"),
        }
    }
}

/// How a device is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Whether it is online by its own account.
    pub online: Option<bool>,
    /// Whether it works.
    pub working: Option<bool>,
    /// Whether it encodes.
    pub encoding: Option<bool>,
    /// Whether it records.
    pub recording: Option<bool>,
    /// Its clock.
    pub time: Option<LocalTime>,
}

impl DeviceStatus {
    pub(super) fn read(root: &Element) -> Self {
        let flag = |name: &str| match root.value(name)?.to_ascii_uppercase().as_str() {
            "OK" | "ON" | "ONLINE" => Some(true),
            "ERROR" | "OFF" | "OFFLINE" => Some(false),
            _ => None,
        };
        Self {
            online: flag("Online"),
            working: flag("Status"),
            encoding: flag("Encode"),
            recording: flag("Record"),
            time: time(root, "DeviceTime"),
        }
    }
}

/// A recording on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordItem {
    /// Channel.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Beginning, local time of the device.
    pub start: LocalTime,
    /// End.
    pub end: LocalTime,
    /// `time`, `alarm` or `manual`.
    pub kind: Option<String>,
    /// File.
    pub path: Option<String>,
    /// Bytes.
    pub bytes: Option<u64>,
}

impl RecordItem {
    pub(super) fn read(element: &Element) -> Option<Self> {
        let (start, end) = (time(element, "StartTime")?, time(element, "EndTime")?);
        (start <= end).then_some(())?;
        Some(Self {
            id: text(element, "DeviceID")?,
            name: text(element, "Name"),
            start,
            end,
            kind: text(element, "Type"),
            path: text(element, "FilePath"),
            bytes: number(element, "FileSize"),
        })
    }
}

/// An alarm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarm {
    /// Channel or device that raises it.
    pub id: String,
    /// 1 (highest) to 4.
    pub priority: Option<u8>,
    /// 1 telephone, 2 device, 3 message, 4 position, 5 video, 6 fault, 7 other.
    pub method: Option<u8>,
    /// When, local time of the device.
    pub time: Option<LocalTime>,
    /// In words.
    pub description: Option<String>,
    /// Longitude and latitude, degrees.
    pub position: Option<(f64, f64)>,
    /// Number within the method, e.g. 2 motion for method 5.
    pub kind: Option<u8>,
    /// Parameter of the type, e.g. 1 entered.
    pub kind_param: Option<String>,
}

impl Alarm {
    pub(super) fn read(root: &Element, id: &str) -> Self {
        let info = root.child("Info").unwrap_or(root);
        Self {
            id: id.to_owned(),
            priority: number(root, "AlarmPriority"),
            method: number(root, "AlarmMethod"),
            time: time(root, "AlarmTime"),
            description: text(root, "AlarmDescription"),
            position: position(root),
            kind: number(info, "AlarmType").or(number(root, "AlarmType")),
            kind_param: info.child("AlarmTypeParam").and_then(|param| {
                let inner = param.children.first().map(|child| child.text.clone());
                inner.or_else(|| Some(param.text.clone())).filter(|text| !text.is_empty())
            }),
        }
    }
}

/// Where a mobile device is.
#[derive(Clone, Debug, PartialEq)]
pub struct MobilePosition {
    /// Which device.
    pub id: String,
    /// When, local time of the device.
    pub time: Option<LocalTime>,
    /// Longitude and latitude, degrees.
    pub position: (f64, f64),
    /// km/h.
    pub speed: Option<f64>,
    /// Degrees clockwise from north.
    pub direction: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
}

impl MobilePosition {
    /// `id` is that of the message, for one without a list.
    pub(super) fn read(element: &Element, id: &str) -> Option<Self> {
        Some(Self {
            id: text(element, "DeviceID").unwrap_or_else(|| id.to_owned()),
            time: time(element, "Time").or_else(|| time(element, "CaptureTime")),
            position: position(element)?,
            speed: real(element, "Speed", 0.0..=2_000.0),
            direction: real(element, "Direction", 0.0..=360.0),
            altitude: real(element, "Altitude", -500.0..=20_000.0),
        })
    }
}

/// A preset of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// 1 to 255.
    pub id: u8,
    /// Name.
    pub name: Option<String>,
}

impl Preset {
    pub(super) fn read(element: &Element) -> Option<Self> {
        let id = number(element, "PresetID")?;
        Some(Self { id, name: text(element, "PresetName") })
    }
}
