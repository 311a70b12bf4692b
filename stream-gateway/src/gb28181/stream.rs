//! One stream of the hub: from the socket to pictures.

use std::{collections::VecDeque, time::Duration};

use futures::future::BoxFuture;
use media::{
    GbId,
    gb28181::{CallEvent, CallId},
    manscdp::Control,
    ps::{Demuxer, Sample},
    rtp::{Ordered, Packet, Reorder},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::{
    Diagnosis, Server,
    actor::Request,
    diagnosis::not_started,
    receiver::{Arrived, Friends, Receiver},
    registry::StreamEntry,
};
use crate::source::{Fault, RawUnit, Stream};

/// How long a stream may show nothing. Less than the hub's own patience, so that the reason is told here.
const PICTURE_PATIENCE: Duration = Duration::from_secs(9);
/// How long packets wait for a missing one.
const REORDER_PATIENCE: Duration = Duration::from_millis(150);
/// How often the device is asked for a key frame after losses.
const KEY_PAUSE: Duration = Duration::from_secs(2);
/// How often the numbers are published.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// A call and what it delivers.
pub(super) struct GbStream {
    server: Server,
    call: CallId,
    events: mpsc::Receiver<CallEvent>,
    receiver: Receiver,
    friends: Friends,
    reorder: Reorder,
    ordered: Vec<Ordered>,
    demuxer: Demuxer,
    samples: Vec<Sample>,
    pictures: VecDeque<RawUnit>,
    diagnosis: Diagnosis,
    entry: StreamEntry,
    start: Instant,
    last_picture: Instant,
    published: Instant,
    /// Since when packets wait for a missing one.
    waiting_since: Option<Instant>,
    key_asked: Option<Instant>,
}

/// What a stream is made of.
pub(super) struct Parts {
    pub(super) server: Server,
    pub(super) call: CallId,
    pub(super) events: mpsc::Receiver<CallEvent>,
    pub(super) receiver: Receiver,
    pub(super) friends: Friends,
    pub(super) diagnosis: Diagnosis,
    pub(super) entry: StreamEntry,
}

enum Step {
    Arrived(std::io::Result<Arrived>),
    Call(Option<CallEvent>),
    Wait,
}

impl GbStream {
    pub(super) fn new(parts: Parts) -> Self {
        let now = Instant::now();
        let Parts { server, call, events, receiver, friends, diagnosis, entry } = parts;
        Self {
            server,
            call,
            events,
            receiver,
            friends,
            reorder: Reorder::default(),
            ordered: Vec::new(),
            demuxer: Demuxer::default(),
            samples: Vec::new(),
            pictures: VecDeque::new(),
            diagnosis,
            entry,
            start: now,
            last_picture: now,
            published: now,
            waiting_since: None,
            key_asked: None,
        }
    }

    async fn picture(&mut self) -> Result<RawUnit, Fault> {
        loop {
            if let Some(picture) = self.pictures.pop_front() {
                self.last_picture = Instant::now();
                return Ok(picture);
            }
            let give_up = self.last_picture + PICTURE_PATIENCE;
            let late = self.waiting_since.map_or(give_up, |since| since + REORDER_PATIENCE);
            let step = tokio::select! {
                biased;
                event = self.events.recv() => Step::Call(event),
                arrived = self.receiver.next(&self.friends) => Step::Arrived(arrived),
                () = sleep_until(give_up.min(late)) => Step::Wait,
            };
            match step {
                Step::Call(Some(CallEvent::Ended(reason))) => {
                    return Err(not_started(self.diagnosis.device, &reason, PICTURE_PATIENCE));
                }
                Step::Call(None) => return Err(Fault::closed()),
                Step::Arrived(Ok(arrived)) => self.arrived(arrived),
                Step::Arrived(Err(error)) => {
                    let detail = format!("receiving media failed: {error}");
                    return Err(Fault::new(protocol::StreamState::Interrupted, detail));
                }
                Step::Call(Some(_)) | Step::Wait => {}
            }
            let now = Instant::now();
            if self.waiting_since.is_some_and(|since| now >= since + REORDER_PATIENCE) {
                self.reorder.drain(&mut self.ordered);
                self.waiting_since = None;
                self.demux();
            }
            if now >= self.published + PUBLISH_EVERY {
                self.publish(now);
            }
            if self.pictures.is_empty() && now >= give_up {
                self.publish(now);
                return Err(self.diagnosis.fault(PICTURE_PATIENCE));
            }
        }
    }

    fn arrived(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Stranger => self.diagnosis.strangers += 1,
            Arrived::Connected(from) => {
                (self.diagnosis.connected, self.diagnosis.source) = (true, Some(from));
            }
            Arrived::Closed => self.diagnosis.connected = false,
            Arrived::Packet(data) => self.packet(&data),
        }
    }

    fn packet(&mut self, data: &bytes::Bytes) {
        self.diagnosis.bytes += data.len() as u64;
        let Ok(packet) = Packet::parse(data) else { return };
        // RTCP on the same port (RFC 5761 section 4)
        if (72..=76).contains(&packet.payload_type) {
            return;
        }
        self.diagnosis.ssrc_seen = Some(packet.ssrc);
        if !matches!(packet.payload_type, 0 | 8) {
            self.diagnosis.payload_type = Some(packet.payload_type);
        }
        let arrival = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX) * 9 / 100;
        self.reorder.push(packet, arrival, &mut self.ordered);
        if self.reorder.waiting() == 0 {
            self.waiting_since = None;
        } else {
            self.waiting_since.get_or_insert_with(Instant::now);
        }
        self.demux();
    }

    fn demux(&mut self) {
        for Ordered { packet, lost, restart } in self.ordered.drain(..) {
            let lost = if restart { lost.max(1) } else { lost };
            self.demuxer.push(&packet.payload, packet.payload_type, packet.timestamp, lost, &mut self.samples);
        }
        let mut damaged = false;
        for sample in self.samples.drain(..) {
            if let Sample::Picture(picture) = sample {
                damaged |= picture.lost > 0;
                self.pictures.push_back(RawUnit {
                    codec: picture.codec,
                    source_us: picture.time.saturating_mul(100) / 9,
                    lost: picture.lost,
                    data: picture.data,
                });
            }
        }
        if damaged {
            self.ask_for_key_frame();
        }
    }

    /// Nothing can be shown until the next key frame: it may as well come now.
    fn ask_for_key_frame(&mut self) {
        let now = Instant::now();
        if self.key_asked.is_some_and(|asked| now < asked + KEY_PAUSE) {
            return;
        }
        self.key_asked = Some(now);
        let (device, channel): (GbId, String) = (self.diagnosis.device, self.diagnosis.channel.clone());
        let (answer, _) = oneshot::channel();
        self.server.tell(Request::Control(device, channel, Control::KeyFrame { spelling_2016: true }, answer));
    }

    fn publish(&mut self, now: Instant) {
        self.published = now;
        let (source, connection) = self.receiver.state();
        self.diagnosis.source = source.or(self.diagnosis.source);
        self.diagnosis.skipped_bytes = connection.map_or(0, |(_, skipped)| skipped);
        self.diagnosis.bytes = connection.map_or(self.diagnosis.bytes, |(bytes, _)| bytes);
        self.diagnosis.rtp = self.reorder.statistics();
        self.diagnosis.ps = self.demuxer.counters();
        self.entry.update(self.diagnosis.clone());
    }
}

impl Stream for GbStream {
    fn next(&mut self) -> BoxFuture<'_, Result<RawUnit, Fault>> {
        Box::pin(self.picture())
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // the port is free again when `self` is dropped; the device is told first
            self.server.insist(Request::HangUp(self.call)).await;
        })
    }
}
