//! Cameras of the hub that are channels of devices.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::future::BoxFuture;
use media::{
    GbId,
    gb28181::{Answer, CallEvent, CommandError, EndReason, Invite, MediaTransport, Wanted},
};
use protocol::{Camera, StreamState, Transport};
use tokio::sync::mpsc;

use super::{
    Diagnosis, Server,
    actor::Request,
    diagnosis::not_started,
    ports::Ports,
    receiver::{Friends, Receiver},
    stream::{GbStream, Parts},
};
use crate::source::{Fault, Source, Stream};

/// Events of one call that may wait: it has less than this to say.
const MAX_CALL_EVENTS: usize = 64;

/// Invites channels.
pub(super) struct GbSource {
    server: Server,
    ports: Ports,
    media_ip: IpAddr,
    /// How long an invitation waits, for the words of a fault.
    patience: Duration,
}

/// What a camera's address says: `gb28181://device[/channel][?stream=sub][&setup=active]`.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    device: GbId,
    channel: String,
    sub_stream: bool,
    active: bool,
}

impl Target {
    fn of(camera: &Camera) -> Option<Self> {
        let device: GbId = camera.url.host_str()?.parse().ok()?;
        let channel = match camera.url.path().trim_matches('/') {
            "" => device.to_string(),
            channel => channel.parse::<GbId>().ok()?.to_string(),
        };
        let says = |name: &str, value: &str| camera.url.query_pairs().any(|(n, v)| n == name && v == value);
        Some(Self { device, channel, sub_stream: says("stream", "sub"), active: says("setup", "active") })
    }
}

impl GbSource {
    pub(super) const fn new(server: Server, ports: Ports, media_ip: IpAddr, patience: Duration) -> Self {
        Self { server, ports, media_ip, patience }
    }

    async fn invite(&self, camera: &Camera) -> Result<GbStream, Fault> {
        let target = Target::of(camera).ok_or_else(|| {
            let detail = "the address must be gb28181://device/channel with codes of 20 digits";
            Fault::new(StreamState::Unsupported, detail)
        })?;
        let transport = match (camera.transport, target.active) {
            (Transport::Udp, _) => MediaTransport::Udp,
            (Transport::Tcp, false) => MediaTransport::TcpPassive,
            (Transport::Tcp, true) => MediaTransport::TcpActive,
        };
        let taken = |error: std::io::Error| {
            let detail = format!("no media port is free at the gateway ({error}): widen its media_ports");
            Fault::new(StreamState::Unreachable, detail)
        };
        // an active call connects outwards and only needs a number to write down
        let (receiver, port) = match transport {
            MediaTransport::Udp => self.ports.udp().map(|(socket, port)| (Some(Receiver::udp(socket)), port)),
            MediaTransport::TcpPassive => self.ports.tcp().map(|(l, port)| (Some(Receiver::listening(l)), port)),
            MediaTransport::TcpActive => Ok((None, 9)),
        }
        .map_err(taken)?;
        let media = SocketAddr::new(self.media_ip, port);
        let Target { device, channel, sub_stream, .. } = target;
        let wanted = Wanted::Live;
        let invite = Invite { device, channel: channel.clone(), wanted, media, transport, sub_stream };
        let (sender, mut events) = mpsc::channel(MAX_CALL_EVENTS);
        let asked = self.server.ask(device, |answer| Request::Invite(invite, sender, answer)).await;
        let (call, ssrc) = asked.map_err(|error| match error {
            CommandError::Offline(_) => Fault::new(StreamState::Unreachable, error.to_string()),
            _ => Fault::new(StreamState::Unsupported, error.to_string()),
        })?;
        let mut diagnosis = Diagnosis {
            device,
            channel,
            transport,
            address: media,
            ssrc_asked: ssrc,
            ssrc_answered: None,
            ssrc_seen: None,
            source: None,
            connected: false,
            bytes: 0,
            skipped_bytes: 0,
            strangers: 0,
            payload_type: None,
            rtp: media::rtp::Statistics::default(),
            ps: media::ps::Counters::default(),
        };
        let entry = self.server.registry().enter(diagnosis.clone());
        let answer = self.answer(device, &mut events).await?;
        diagnosis.ssrc_answered = answer.ssrc;
        let registered = self.server.address_of(device).await;
        let mut addresses: Vec<IpAddr> = registered.iter().map(|a| a.ip().to_canonical()).collect();
        addresses.extend(answer.address.filter(|ip| !ip.is_unspecified() && !ip.is_loopback()));
        let receiver = if let Some(receiver) = receiver {
            receiver
        } else {
            diagnosis.address = connect_to(&answer, registered)?;
            Receiver::connecting(diagnosis.address)
        };
        let ssrcs = [Some(ssrc), answer.ssrc].into_iter().flatten().collect();
        let friends = Friends { addresses, ssrcs };
        let server = self.server.clone();
        Ok(GbStream::new(Parts { server, call, events, receiver, friends, diagnosis, entry }))
    }

    async fn answer(&self, device: GbId, events: &mut mpsc::Receiver<CallEvent>) -> Result<Answer, Fault> {
        loop {
            match events.recv().await {
                Some(CallEvent::Answered(answer)) => return Ok(answer),
                Some(CallEvent::Ended(reason)) => return Err(not_started(device, &reason, self.patience)),
                Some(_) => {}
                None => return Err(not_started(device, &EndReason::Local, self.patience)),
            }
        }
    }
}

/// Where to connect to. The device says so, and is believed only for addresses that a device can have: the
/// gateway must not be sent to services of its own host or of its cloud.
fn connect_to(answer: &Answer, registered: Option<SocketAddr>) -> Result<SocketAddr, Fault> {
    let registered = registered.map(|address| address.ip().to_canonical());
    let suspicious = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() || ip.is_unicast_link_local(),
    };
    let said = answer.address.map(|ip| ip.to_canonical()).filter(|ip| Some(*ip) == registered || !suspicious(ip));
    match said.or(registered) {
        Some(ip) if answer.port != 0 => Ok(SocketAddr::new(ip, answer.port)),
        _ => {
            let detail = "the device's answer has no address to connect to: choose TCP passive";
            Err(Fault::new(StreamState::Unsupported, detail))
        }
    }
}

impl Source for GbSource {
    fn open<'a>(&'a self, camera: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>> {
        Box::pin(async move { Ok(Box::new(self.invite(camera).await?) as Box<dyn Stream>) })
    }
}

#[cfg(test)]
mod tests {
    use protocol::{CameraId, Timestamp};

    use super::*;

    fn target(url: &str) -> Option<Target> {
        let id = CameraId::new(Timestamp::from_secs(1));
        let (name, url) = ("gate".to_owned(), url.parse().unwrap());
        Target::of(&Camera { id, name, url, credentials: None, transport: Transport::Tcp })
    }

    #[test]
    fn addresses_name_device_channel_and_stream() {
        let (device, channel) = ("34020000001180000001", "34020000001320000002");
        let full = target(&format!("gb28181://{device}/{channel}?stream=sub&setup=active")).unwrap();
        let expect =
            Target { device: device.parse().unwrap(), channel: channel.into(), sub_stream: true, active: true };
        assert_eq!(full, expect);
        let alone = target(&format!("gb28181://{device}")).unwrap();
        assert_eq!((alone.channel.as_str(), alone.sub_stream, alone.active), (device, false, false));
        assert_eq!(target("gb28181://34/56"), None);
    }

    #[test]
    fn a_device_does_not_send_us_into_our_own_house() {
        let registered = Some("203.0.113.7:5060".parse().unwrap());
        let answer = |ip: &str, port| Answer { address: ip.parse().ok(), port, ..Answer::default() };
        let to = |ip: &str, port| connect_to(&answer(ip, port), registered).map(|a| a.to_string()).ok();
        assert_eq!(to("192.168.1.64", 15_060).as_deref(), Some("192.168.1.64:15060"));
        for own in ["127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "224.0.0.1", "nonsense"] {
            assert_eq!(to(own, 15_060).as_deref(), Some("203.0.113.7:15060"), "{own}");
        }
        assert_eq!(to("192.168.1.64", 0), None);
        assert!(
            connect_to(&answer("127.0.0.1", 9), Some("127.0.0.1:5060".parse().unwrap())).is_ok(),
            "a device on this host"
        );
    }
}
