//! What a call is, and requests inside and outside of one.

use std::time::Duration;

use core::net::SocketAddr;

use super::{CommandError, Peer, Platform, devices::State};
use crate::{
    gbid::GbId,
    sdp::{Media, Sdp},
    sip::{Address, Message},
};

/// A call, within one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// How media travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaTransport {
    /// Datagrams.
    Udp,
    /// The device connects to us.
    TcpPassive,
    /// We connect to the device.
    TcpActive,
}

/// What is wanted. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The picture now.
    Live,
    /// A recording, at its own pace.
    Playback {
        /// From.
        start: u64,
        /// To.
        end: u64,
    },
    /// A recording, as fast as it goes.
    Download {
        /// From.
        start: u64,
        /// To.
        end: u64,
        /// Times as fast as it was recorded.
        speed: u8,
    },
}

/// An invitation to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Device.
    pub device: GbId,
    /// Channel.
    pub channel: String,
    /// What.
    pub wanted: Wanted,
    /// Where media are to be sent, as the device reaches it.
    pub media: SocketAddr,
    /// How.
    pub transport: MediaTransport,
    /// Whether the sub-stream is wanted.
    pub sub_stream: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// INVITE sent.
    Inviting,
    /// 200 received, ACK sent.
    Answered,
    /// Over for the user; kept to end it properly with the device.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) device: GbId,
    pub(super) channel: String,
    pub(super) history: bool,
    pub(super) ssrc: u32,
    pub(super) stage: Stage,
    /// `Call-ID`.
    pub(super) sip_id: String,
    pub(super) local: String,
    /// `To` with the device's tag, once answered.
    pub(super) remote: String,
    pub(super) uri: String,
    pub(super) route: Vec<String>,
    pub(super) cseq: u32,
    pub(super) rtsp_cseq: u32,
    pub(super) invite: Message,
    pub(super) branch: String,
    pub(super) ack: Option<Vec<u8>>,
    pub(super) deadline: Option<Duration>,
}

impl Call {
    /// A request inside the call, without its `Via`.
    pub(super) fn request(&mut self, method: &str, contact: &str) -> Message {
        let cseq = if method == "ACK" {
            1
        } else {
            self.cseq += 1;
            self.cseq
        };
        let mut message = Message::request(method, self.uri.clone());
        for route in &self.route {
            message.headers.push("Route", route);
        }
        message
            .with("From", &self.local)
            .with("To", &self.remote)
            .with("Call-ID", &self.sip_id)
            .with("CSeq", format!("{cseq} {method}"))
            .with("Contact", contact)
            .with("Max-Forwards", "70")
            .with("User-Agent", "Gongshao")
    }

    /// Takes what an answer says about the dialog (RFC 3261 section 12.1.2).
    pub(super) fn answered(&mut self, response: &Message) {
        if let Some(to) = response.headers.get("To") {
            to.clone_into(&mut self.remote);
        }
        if let Some(contact) = response.contact().filter(|c| crate::sip::Uri::parse(&c.uri).is_some()) {
            self.uri = contact.uri;
        }
        let split =
            |line: &str| crate::sip::split_outside_quotes(line, ',').map(|r| r.trim().to_owned()).collect::<Vec<_>>();
        let mut route: Vec<String> = response.headers.all("Record-Route").flat_map(split).collect();
        route.retain(|r| Address::parse(r).is_some());
        route.reverse();
        route.truncate(8);
        self.route = route;
    }
}

impl Platform {
    /// Where an online device is.
    pub(super) fn peer(&self, id: GbId) -> Result<Peer, CommandError> {
        let online = self.devices.get(&id).filter(|device| device.state != State::Offline);
        online.map(|device| device.peer).ok_or(CommandError::Offline(id))
    }

    pub(super) fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.config.id, self.config.advertised)
    }

    /// A request that begins something, without its `Via`.
    pub(super) fn outside_dialog(&mut self, method: &str, device: GbId, target: &str) -> Message {
        let (tag, call) = (self.token(), self.token());
        let host = self.devices.get(&device).map_or_else(|| self.config.domain.clone(), |d| d.peer.address.to_string());
        let (id, domain) = (self.config.id, &self.config.domain);
        Message::request(method, format!("sip:{target}@{host}"))
            .with("From", format!("<sip:{id}@{domain}>;tag={tag}"))
            .with("To", format!("<sip:{target}@{domain}>"))
            .with("Call-ID", call)
            .with("CSeq", format!("1 {method}"))
            .with("Contact", self.contact())
            .with("Max-Forwards", "70")
            .with("User-Agent", "Gongshao")
    }
}

/// The offer of an invitation.
pub(super) fn offer(invite: &Invite, server: GbId, ssrc: u32, manufacturer: Option<&str>) -> Sdp {
    let tcp = invite.transport != MediaTransport::Udp;
    let mut attributes = vec![("recvonly".to_owned(), None)];
    let mut attribute = |name: &str, value: String| attributes.push((name.to_owned(), Some(value)));
    for map in ["96 PS/90000", "97 MPEG4/90000", "98 H264/90000", "99 H265/90000", "100 H265/90000"] {
        attribute("rtpmap", map.to_owned());
    }
    match invite.transport {
        MediaTransport::Udp => {}
        MediaTransport::TcpPassive => attribute("setup", "passive".to_owned()),
        MediaTransport::TcpActive => attribute("setup", "active".to_owned()),
    }
    if tcp {
        attribute("connection", "new".to_owned());
    }
    let maker = manufacturer.unwrap_or_default().to_ascii_lowercase();
    let stream = u8::from(invite.sub_stream);
    match maker.as_str() {
        _ if !invite.sub_stream => {}
        m if m.contains("hik") => attribute("stream", stream.to_string()),
        m if m.contains("dahua") => attribute("streamprofile", stream.to_string()),
        m if m.contains("tp-link") || m.contains("tplink") => attribute("streamMode", "sub".to_owned()),
        _ => attribute("streamnumber", stream.to_string()),
    }
    let (name, time, uri) = match invite.wanted {
        Wanted::Live => ("Play", (0, 0), None),
        Wanted::Playback { start, end } => ("Playback", (start, end), Some(format!("{}:0", invite.channel))),
        Wanted::Download { start, end, speed } => {
            attribute("downloadspeed", speed.to_string());
            ("Download", (start, end), Some(format!("{}:0", invite.channel)))
        }
    };
    let media = Media {
        kind: "video".to_owned(),
        port: invite.media.port(),
        protocol: if tcp { "TCP/RTP/AVP" } else { "RTP/AVP" }.to_owned(),
        formats: vec![96, 97, 98, 99, 100],
        attributes,
    };
    Sdp {
        origin: server.to_string(),
        name: name.to_owned(),
        uri,
        address: Some(invite.media.ip()),
        time,
        media: vec![media],
        y: Some(format!("{ssrc:010}")),
        f: None,
    }
}
