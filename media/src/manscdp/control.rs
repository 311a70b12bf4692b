//! What a platform orders.

use super::xml::Writer;
use crate::ptz::Ptz;

/// An order to a device or channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// Moves the camera.
    Ptz(Ptz),
    /// Restarts the device.
    Reboot,
    /// Recording on the device.
    Record(Record),
    /// Arming.
    Guard(Guard),
    /// Resets alarms, of one method (see [`super::Alarm::method`]) and type or of all.
    ResetAlarm {
        /// Method.
        method: Option<u8>,
        /// Type.
        kind: Option<u8>,
    },
    /// Asks for a key frame. `spelling_2016` writes the command as the 2016 edition does, without its `r`; the
    /// platform chooses it by what the device speaks.
    KeyFrame {
        /// Whether the device speaks the 2016 edition.
        spelling_2016: bool,
    },
    /// Zooms so that a box fills the picture.
    DragZoomIn(DragZoom),
    /// Zooms so that the picture shrinks into a box.
    DragZoomOut(DragZoom),
    /// Where the camera returns to.
    HomePosition(HomePosition),
    /// Looks somewhere exactly (2022): degrees 0 to 360, degrees −30 to 90, factor.
    PreciseMove {
        /// Degrees, 0 to 360.
        pan: f32,
        /// Degrees, −30 to 90.
        tilt: f32,
        /// Factor.
        zoom: f32,
    },
    /// Takes pictures and uploads them (2022).
    SnapShot(SnapShot),
}

/// Recording on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Begin.
    Start,
    /// End.
    Stop,
}

/// Arming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// 布防.
    Set,
    /// 撤防.
    Reset,
}

/// A box in a window of the player, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DragZoom {
    /// Width of the window.
    pub width: u32,
    /// Height of the window.
    pub height: u32,
    /// Centre of the box from the left.
    pub mid_x: u32,
    /// Centre of the box from the top.
    pub mid_y: u32,
    /// Width of the box.
    pub box_width: u32,
    /// Height of the box.
    pub box_height: u32,
}

/// Where the camera returns to when nobody moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomePosition {
    /// Whether it does.
    pub enabled: bool,
    /// After how many seconds.
    pub after_secs: u32,
    /// To which preset.
    pub preset: u8,
}

/// Pictures wanted (2022, A.2.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapShot {
    /// How many, 1 to 10.
    pub count: u8,
    /// Seconds between them, at least 1.
    pub interval_secs: u32,
    /// Where to send them by HTTP POST.
    pub upload_url: String,
    /// 32 to 128 characters that come back.
    pub session: String,
}

impl Control {
    /// The command on the wire.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::SnapShot(_) => "DeviceConfig",
            _ => "DeviceControl",
        }
    }

    pub(super) fn write(&self, sn: u32, id: &str) -> Writer {
        let writer =
            Writer::default().open("Control").text("CmdType", self.command()).text("SN", sn).text("DeviceID", id);
        match self {
            // 5 of 1 to 15: between guards and visitors
            Self::Ptz(ptz) => writer.text("PTZCmd", ptz.encode(1)).open("Info").text("ControlPriority", 5),
            Self::Reboot => writer.text("TeleBoot", "Boot"),
            Self::Record(Record::Start) => writer.text("RecordCmd", "Record"),
            Self::Record(Record::Stop) => writer.text("RecordCmd", "StopRecord"),
            Self::Guard(Guard::Set) => writer.text("GuardCmd", "SetGuard"),
            Self::Guard(Guard::Reset) => writer.text("GuardCmd", "ResetGuard"),
            Self::ResetAlarm { method, kind } => {
                let writer = writer.text("AlarmCmd", "ResetAlarm");
                if method.is_none() && kind.is_none() {
                    return writer;
                }
                writer.open("Info").optional("AlarmMethod", *method).optional("AlarmType", *kind)
            }
            Self::KeyFrame { spelling_2016: true } => writer.text("IFameCmd", "Send"),
            Self::KeyFrame { spelling_2016: false } => writer.text("IFrameCmd", "Send"),
            Self::DragZoomIn(zoom) => zoom.write(writer.open("DragZoomIn")),
            Self::DragZoomOut(zoom) => zoom.write(writer.open("DragZoomOut")),
            Self::HomePosition(home) => {
                let writer = writer.open("HomePosition").text("Enabled", u8::from(home.enabled));
                writer.text("ResetTime", home.after_secs).text("PresetIndex", home.preset)
            }
            Self::PreciseMove { pan, tilt, zoom } => {
                writer.open("PTZPreciseCtrl").text("Pan", pan).text("Tilt", tilt).text("Zoom", zoom)
            }
            Self::SnapShot(SnapShot { count, interval_secs, upload_url, session }) => {
                let writer = writer.open("SnapShotConfig").text("SnapNum", count).text("Interval", interval_secs);
                writer.text("UploadURL", upload_url).text("SessionID", session)
            }
        }
    }
}

impl DragZoom {
    fn write(self, writer: Writer) -> Writer {
        let Self { width, height, mid_x, mid_y, box_width, box_height } = self;
        let writer = writer.text("Length", width).text("Width", height).text("MidPointX", mid_x);
        writer.text("MidPointY", mid_y).text("LengthX", box_width).text("LengthY", box_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset::Charset;

    fn check(control: &Control, expect: &str) {
        let body = String::from_utf8(super::super::body(control, 1, "2", Charset::Utf8)).unwrap().replace("\r\n", "");
        assert!(body.contains(expect), "{body}");
        let element = super::super::xml::parse(body.as_bytes()).unwrap().0;
        assert_eq!(element.value("CmdType"), Some(control.command()));
    }

    #[test]
    fn orders() {
        check(&Control::Ptz(Ptz::STOP), "<PTZCmd>A50F0100000000B5</PTZCmd><Info><ControlPriority>5<");
        check(&Control::Reboot, "<TeleBoot>Boot</TeleBoot>");
        check(&Control::Guard(Guard::Reset), "<GuardCmd>ResetGuard</GuardCmd>");
        check(&Control::KeyFrame { spelling_2016: true }, "<IFameCmd>Send<");
        check(&Control::KeyFrame { spelling_2016: false }, "<IFrameCmd>Send<");
        check(&Control::ResetAlarm { method: Some(5), kind: None }, "<Info><AlarmMethod>5</AlarmMethod></Info>");
        let zoom = DragZoom { width: 1920, height: 1080, mid_x: 9, mid_y: 8, box_width: 7, box_height: 6 };
        check(&Control::DragZoomIn(zoom), "<DragZoomIn><Length>1920</Length><Width>1080</Width><MidPointX>9<");
        let home = HomePosition { enabled: true, after_secs: 30, preset: 2 };
        check(&Control::HomePosition(home), "<Enabled>1</Enabled><ResetTime>30</ResetTime><PresetIndex>2<");
        let shot = SnapShot { count: 1, interval_secs: 1, upload_url: "http://a/?b&c".into(), session: "s".into() };
        check(&Control::SnapShot(shot), "<UploadURL>http://a/?b&amp;c</UploadURL>");
        check(&Control::PreciseMove { pan: 1.5, tilt: -3.0, zoom: 2.0 }, "<Pan>1.5</Pan><Tilt>-3</Tilt>");
    }
}
