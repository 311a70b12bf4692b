//! What a platform gives.

use core::net::{IpAddr, SocketAddr};

use super::{CallId, Edition, Topic};
use crate::{
    gbid::GbId,
    manscdp::{Alarm, CatalogItem, DeviceInfo, DeviceStatus, MobilePosition, Preset, RecordItem},
};

/// How SIP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
}

/// The other end of a message: where it really came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// How.
    pub transport: Transport,
    /// Source address.
    pub address: SocketAddr,
    /// Which connection; 0 for datagrams.
    pub connection: u64,
}

impl Peer {
    /// The sender of a datagram.
    pub const fn udp(address: SocketAddr) -> Self {
        Self { transport: Transport::Udp, address, connection: 0 }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// To whom.
        to: Peer,
        /// One message.
        data: Vec<u8>,
    },
    /// Take note.
    Event(Event),
}

/// Why a device is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineReason {
    /// It said goodbye.
    Unregistered,
    /// It reported no more and did not answer when asked.
    Silent,
    /// It reports, but did not renew its registration.
    Expired,
    /// Its connection closed and it did not come back.
    Disconnected,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A device has registered and was not online before.
    Online {
        /// Which.
        device: GbId,
        /// What it speaks.
        edition: Edition,
        /// From where.
        peer: Peer,
    },
    /// A device is gone.
    Offline {
        /// Which.
        device: GbId,
        /// Why.
        reason: OfflineReason,
    },
    /// A registration was refused.
    Refused {
        /// Who it said to be.
        device: GbId,
        /// From where.
        peer: Peer,
        /// Why, without secrets.
        reason: String,
    },
    /// The catalog of a device.
    Catalog {
        /// Whose.
        device: GbId,
        /// All channels when `complete`, else what arrived.
        channels: Vec<CatalogItem>,
        /// Whether nothing is missing.
        complete: bool,
        /// How many it announced.
        announced: Option<u32>,
    },
    /// Channels changed, by a notification.
    ChannelsChanged {
        /// Whose.
        device: GbId,
        /// What changed.
        channels: Vec<CatalogItem>,
    },
    /// What a device says about itself.
    Info {
        /// Which.
        device: GbId,
        /// What.
        info: DeviceInfo,
    },
    /// How a device is.
    Status {
        /// Which device or channel.
        device: GbId,
        /// How.
        status: DeviceStatus,
    },
    /// Recordings, the answer to a query.
    Records {
        /// Whose.
        device: GbId,
        /// Serial number of the query.
        sn: u32,
        /// In order of time.
        records: Vec<RecordItem>,
        /// Whether nothing is missing.
        complete: bool,
    },
    /// Presets, the answer to a query.
    Presets {
        /// Whose.
        device: GbId,
        /// Serial number of the query.
        sn: u32,
        /// By number.
        presets: Vec<Preset>,
    },
    /// A command was done or refused.
    Done {
        /// By whom.
        device: GbId,
        /// Serial number of the command.
        sn: u32,
        /// Whether done.
        ok: bool,
    },
    /// A query or command was not answered.
    Unanswered {
        /// By whom.
        device: GbId,
        /// Serial number.
        sn: u32,
    },
    /// An alarm.
    Alarm {
        /// From whom.
        device: GbId,
        /// What.
        alarm: Alarm,
    },
    /// Where devices are.
    Positions {
        /// From whom.
        device: GbId,
        /// Where.
        positions: Vec<MobilePosition>,
    },
    /// Pictures have been uploaded.
    Pictures {
        /// By whom.
        device: GbId,
        /// Session of the request.
        session: String,
        /// Files.
        files: Vec<String>,
    },
    /// A subscription does not work: ask instead.
    NotSubscribed {
        /// To whom.
        device: GbId,
        /// To what.
        topic: Topic,
        /// Status of the refusal; 0 when there was no answer.
        status: u16,
    },
    /// Something happened to a call.
    Call {
        /// Which.
        call: CallId,
        /// What.
        event: CallEvent,
    },
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// The device works on it.
    Trying,
    /// Media come.
    Answered(Answer),
    /// A recording has been played to its end.
    FileEnd,
    /// The device took a steering command, or not.
    Steered {
        /// Status of the answer; 0 when there was none.
        status: u16,
    },
    /// It is over; the call is forgotten.
    Ended(EndReason),
}

/// What the device answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The SSRC it says it will send; `None` when it does not say.
    pub ssrc: Option<u32>,
    /// Where its media come from, or where to connect for [`super::MediaTransport::TcpActive`].
    pub address: Option<IpAddr>,
    /// Port of it.
    pub port: u16,
    /// Bytes of the file that is downloaded.
    pub file_size: Option<u64>,
}

/// Why a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// We ended it.
    Local,
    /// The device ended it.
    Remote,
    /// The device refused.
    Refused {
        /// Status.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// The device did not answer at all.
    NoAnswer,
    /// The device answered, but only that it works on it.
    NoFinalAnswer,
    /// The answer makes no sense.
    BadAnswer(String),
    /// The device went offline.
    DeviceOffline,
}
