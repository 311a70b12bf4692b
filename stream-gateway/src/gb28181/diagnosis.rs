//! Where a stream that shows nothing gets stuck, in words.

use std::{net::SocketAddr, time::Duration};

use media::{
    GbId,
    gb28181::{EndReason, MediaTransport},
    ps::Counters,
    rtp::Statistics,
};
use protocol::StreamState;

use crate::source::Fault;

/// A stream of a device, as counted so far.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// Device.
    pub device: GbId,
    /// Channel.
    pub channel: String,
    /// How media travel.
    pub transport: MediaTransport,
    /// Where the device was told to send, or where it was connected to.
    pub address: SocketAddr,
    /// SSRC that the device was told to use.
    pub ssrc_asked: u32,
    /// SSRC that the device answered, if it did.
    pub ssrc_answered: Option<u32>,
    /// SSRC that arrives.
    pub ssrc_seen: Option<u32>,
    /// Where packets come from.
    pub source: Option<SocketAddr>,
    /// Whether a connection stands, for TCP.
    pub connected: bool,
    /// Bytes of RTP received.
    pub bytes: u64,
    /// Bytes of a connection that belonged to no packet.
    pub skipped_bytes: u64,
    /// Datagrams and connections of strangers.
    pub strangers: u64,
    /// Payload type that arrives.
    pub payload_type: Option<u8>,
    /// Counts of RTP.
    pub rtp: Statistics,
    /// Counts of the program stream.
    pub ps: Counters,
}

impl Diagnosis {
    /// Interarrival jitter.
    pub fn jitter(&self) -> Duration {
        Duration::from_micros(u64::from(self.rtp.jitter) * 100 / 9)
    }

    /// Why no picture came for `patience`, as state and words.
    pub(super) fn fault(&self, patience: Duration) -> Fault {
        let secs = patience.as_secs();
        let Self { address, rtp, ps, .. } = self;
        let tcp = self.transport != MediaTransport::Udp;
        if tcp && !self.connected {
            return no_frames(format!(
                "the device accepted, but did not connect to {address} within {secs} s: check that it can reach this address and that no firewall is between"
            ));
        }
        if rtp.received == 0 && self.bytes == 0 {
            let strangers = match self.strangers {
                0 => String::new(),
                n => format!(" ({n} packets came from strangers)"),
            };
            let hint =
                if tcp { "restart the device's stream" } else { "check that no firewall drops them, or choose TCP" };
            return no_frames(format!(
                "the device accepted, but no packet arrived at {address} within {secs} s{strangers}: {hint}"
            ));
        }
        if rtp.received == 0 {
            return no_frames(format!("{} bytes arrived, but no RTP packet is among them", self.bytes));
        }
        let ssrc = match self.ssrc_seen {
            Some(seen) if seen != self.ssrc_asked && Some(seen) != self.ssrc_answered => {
                format!(", with SSRC {seen:010} instead of {:010}", self.ssrc_asked)
            }
            _ => String::new(),
        };
        let packets = format!("{} RTP packets arrived{ssrc} ({} lost)", rtp.received, rtp.lost);
        if ps.packs == 0 && ps.video == 0 && ps.pictures == 0 {
            let kind = self.payload_type.unwrap_or(0);
            return Fault::new(
                StreamState::Unsupported,
                format!("{packets} of payload type {kind}, but no program stream is in them: set the device to PS"),
            );
        }
        if ps.video == 0 {
            return no_frames(format!("{packets}, but the program stream has no video: switch the channel's video on"));
        }
        if let Some(codec) = unusable(ps.mapped)
            && ps.pictures == 0
        {
            return Fault::new(
                StreamState::Unsupported,
                format!("the device sends {codec}: set the channel to H.264 or H.265"),
            );
        }
        if ps.pictures == 0 {
            return no_frames(format!(
                "{packets}, but no key frame within {secs} s: set a key frame interval of 1 to 4 s at the device ({} damaged headers)",
                ps.broken
            ));
        }
        no_frames(format!("the device has sent no picture for {secs} s after {} pictures: {packets}", ps.pictures))
    }
}

fn no_frames(detail: String) -> Fault {
    Fault::new(StreamState::NoFrames, detail)
}

/// What the map calls the video, when it cannot be shown (ISO/IEC 13818-1 table 2-34; GB/T 28181 annex C).
const fn unusable(stream_type: u8) -> Option<&'static str> {
    match stream_type {
        0x01 | 0x02 => Some("MPEG-2"),
        0x10 => Some("MPEG-4"),
        0x80 => Some("SVAC"),
        _ => None,
    }
}

/// Why an invitation led to nothing.
pub(super) fn not_started(device: GbId, reason: &EndReason, patience: Duration) -> Fault {
    let secs = patience.as_secs();
    match reason {
        EndReason::NoAnswer => Fault::new(
            StreamState::Unreachable,
            format!(
                "device {device} does not answer the invitation within {secs} s: it reports, but calls do not reach it (network address translation, firewall)"
            ),
        ),
        EndReason::NoFinalAnswer => Fault::new(
            StreamState::NoFrames,
            format!(
                "device {device} works on the invitation, but did not accept it within {secs} s: the channel may be busy or off"
            ),
        ),
        EndReason::Refused { status, reason } => {
            let (state, hint) = match status {
                404 => (StreamState::NotFound, "the device has no such channel: correct the channel code"),
                401 | 403 => (StreamState::Unauthorised, "the device does not allow it: check its platform settings"),
                486 | 600 | 603 => (StreamState::Unreachable, "the channel is busy: the device allows fewer viewers"),
                480 | 408 => (StreamState::Unreachable, "the channel is off or out of reach of its recorder"),
                488 | 415 => {
                    (StreamState::Unsupported, "the device refuses this kind of stream: choose another transport")
                }
                _ => (StreamState::Interrupted, "the device refused"),
            };
            let words = if reason.is_empty() { String::new() } else { format!(" {reason}") };
            Fault::new(state, format!("{hint} (SIP status {status}{words})"))
        }
        EndReason::BadAnswer(why) => {
            Fault::new(StreamState::Unsupported, format!("the device's answer makes no sense: {why}"))
        }
        EndReason::DeviceOffline => Fault::new(StreamState::Unreachable, format!("device {device} went offline")),
        EndReason::Remote => Fault::new(StreamState::Interrupted, "the device ended the stream"),
        EndReason::Local => Fault::new(StreamState::Interrupted, "the stream was ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(transport: MediaTransport) -> Diagnosis {
        Diagnosis {
            device: "34020000001320000001".parse().unwrap(),
            channel: "34020000001320000001".into(),
            transport,
            address: "192.0.2.1:30000".parse().unwrap(),
            ssrc_asked: 200_000_001,
            ssrc_answered: None,
            ssrc_seen: None,
            source: None,
            connected: transport == MediaTransport::Udp,
            bytes: 0,
            skipped_bytes: 0,
            strangers: 0,
            payload_type: None,
            rtp: Statistics::default(),
            ps: Counters::default(),
        }
    }

    fn check(diagnosis: &Diagnosis, state: StreamState, words: &str) {
        let fault = diagnosis.fault(Duration::from_secs(9));
        assert!(fault.state == state && fault.detail.contains(words), "{fault:?} should say {words:?}");
    }

    #[test]
    fn every_place_to_get_stuck_has_its_words() {
        let tcp = diagnosis(MediaTransport::TcpPassive);
        check(&tcp, StreamState::NoFrames, "did not connect to 192.0.2.1:30000 within 9 s");
        check(&Diagnosis { connected: true, ..tcp }, StreamState::NoFrames, "no packet arrived");
        let udp = diagnosis(MediaTransport::Udp);
        check(&udp, StreamState::NoFrames, "choose TCP");
        check(&Diagnosis { strangers: 3, ..udp.clone() }, StreamState::NoFrames, "3 packets came from strangers");
        check(&Diagnosis { bytes: 9, ..udp.clone() }, StreamState::NoFrames, "no RTP packet is among them");
        let rtp = Statistics { received: 500, lost: 2, ..Statistics::default() };
        let rtp = Diagnosis { rtp, bytes: 9, payload_type: Some(98), ssrc_seen: Some(7), ..udp };
        check(
            &rtp,
            StreamState::Unsupported,
            "500 RTP packets arrived, with SSRC 0000000007 instead of 0200000001 (2 lost)",
        );
        check(&rtp, StreamState::Unsupported, "payload type 98, but no program stream");
        let with = |ps: Counters| Diagnosis { ps, ssrc_seen: Some(200_000_001), ..rtp.clone() };
        check(&with(Counters { packs: 9, ..Counters::default() }), StreamState::NoFrames, "has no video");
        let svac = Counters { packs: 9, video: 9, mapped: 0x80, ..Counters::default() };
        check(&with(svac), StreamState::Unsupported, "sends SVAC");
        let keyless = Counters { packs: 9, video: 9, unknown: 9, ..Counters::default() };
        check(&with(keyless), StreamState::NoFrames, "no key frame within 9 s");
        let stopped = Counters { pictures: 40, ..keyless };
        check(&with(stopped), StreamState::NoFrames, "no picture for 9 s after 40 pictures");
    }

    #[test]
    fn every_refusal_has_its_words() {
        let device = "34020000001320000001".parse().unwrap();
        let refused = |status| EndReason::Refused { status, reason: "Busy".into() };
        for (reason, state, words) in [
            (EndReason::NoAnswer, StreamState::Unreachable, "does not answer the invitation within 8 s"),
            (EndReason::NoFinalAnswer, StreamState::NoFrames, "did not accept"),
            (refused(404), StreamState::NotFound, "no such channel"),
            (refused(486), StreamState::Unreachable, "busy: the device allows fewer viewers (SIP status 486 Busy)"),
            (EndReason::Remote, StreamState::Interrupted, "the device ended the stream"),
        ] {
            let fault = not_started(device, &reason, Duration::from_secs(8));
            assert!(fault.state == state && fault.detail.contains(words), "{fault:?}");
        }
    }
}
