//! Who is there.

use std::{collections::VecDeque, time::Duration};

use super::{
    Edition, Event, Now, OfflineReason, Peer, Platform,
    timers::Key,
    transactions::{KEEP, Purpose},
};
use crate::{gbid::GbId, manscdp::Query};

/// How long after its end a registration is still taken for valid: renewals get lost too.
pub(super) const EXPIRY_GRACE: Duration = Duration::from_mins(1);
/// Rhythms that are believed.
const RHYTHM: std::ops::RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_hours(1);
/// Steps between reports from which the rhythm is learnt.
const STEPS: usize = 8;

/// How a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Online,
    /// It missed its reports and is being asked.
    Doubtful,
    Offline,
}

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: GbId,
    pub(super) peer: Peer,
    pub(super) edition: Edition,
    pub(super) state: State,
    pub(super) expires_at: Duration,
    pub(super) last_heard: Duration,
    pub(super) disconnected: bool,
    pub(super) manufacturer: Option<String>,
    /// Said by the device itself.
    announced_rhythm: Option<Duration>,
    last_report: Option<(Duration, Option<u32>)>,
    steps: VecDeque<Duration>,
    /// Whether a timer runs for it, and until when.
    armed: Option<Duration>,
    /// When its catalog is asked for again.
    catalog_at: Duration,
}

impl Device {
    pub(super) fn new(id: GbId, peer: Peer, now: Duration) -> Self {
        Self {
            id,
            peer,
            edition: Edition::default(),
            state: State::Offline,
            expires_at: now,
            last_heard: now,
            disconnected: false,
            manufacturer: None,
            announced_rhythm: None,
            last_report: None,
            steps: VecDeque::new(),
            armed: None,
            catalog_at: now,
        }
    }

    /// Its own rhythm of reports: as it says, else as observed, else `assumed`. Of the observed steps a short
    /// one is taken, because a lost report makes a step longer, never shorter.
    pub(super) fn rhythm(&self, assumed: Duration) -> Duration {
        let mut steps: Vec<_> = self.steps.iter().copied().collect();
        steps.sort_unstable();
        let observed = (steps.len() >= 3).then(|| steps[steps.len() / 4]);
        self.announced_rhythm.or(observed).unwrap_or(assumed)
    }

    pub(super) fn announce_rhythm(&mut self, rhythm: Duration) {
        self.announced_rhythm = Some(rhythm).filter(|r| RHYTHM.contains(r));
    }

    /// Notes a report. The same one twice is one.
    fn reported(&mut self, now: Duration, sn: Option<u32>) {
        if let Some((at, last)) = self.last_report {
            let step = now.saturating_sub(at);
            if sn.is_some() && sn == last && step < *RHYTHM.start() {
                return;
            }
            if RHYTHM.contains(&step) {
                self.steps.push_back(step);
                if self.steps.len() > STEPS {
                    self.steps.pop_front();
                }
            }
        }
        self.last_report = Some((now, sn));
    }

    pub(super) fn is_expired(&self, now: Duration) -> bool {
        now > self.expires_at + EXPIRY_GRACE
    }
}

impl Platform {
    /// The registered device behind a request, when it comes from where the device registered.
    pub(super) fn known(&self, from: Peer, id: Option<GbId>) -> Option<&Device> {
        let device = self.devices.get(&id?)?;
        (device.state != State::Offline && device.peer == from).then_some(device)
    }

    /// Notes a sign of life.
    pub(super) fn heard(&mut self, now: Now, id: GbId, from: Peer) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        if device.peer != from || device.state == State::Offline {
            return;
        }
        device.last_heard = now.elapsed;
        device.state = State::Online;
    }

    /// Notes a report of the device's rhythm.
    pub(super) fn reported(&mut self, now: Now, id: GbId, sn: Option<u32>) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.reported(now.elapsed, sn);
        }
    }

    /// Sets the timer of a device unless an earlier one runs.
    pub(super) fn watch(&mut self, now: Now, id: GbId) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        let rhythm = device.rhythm(self.config.keepalive);
        // half a step more: the fourth report is late then, not just due
        let deadline = device.last_heard + rhythm * self.config.missed + rhythm / 2;
        let deadline = deadline.max(now.elapsed + Duration::from_secs(1));
        if device.armed.is_none_or(|armed| armed > deadline || armed <= now.elapsed) {
            device.armed = Some(deadline);
            self.timers.set(deadline, Key::Device(id));
        }
    }

    pub(super) fn device_due(&mut self, now: Now, id: GbId) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        if device.state == State::Offline {
            return;
        }
        if device.disconnected && now.elapsed >= device.last_heard + device.rhythm(self.config.keepalive) {
            self.take_offline(id, OfflineReason::Disconnected);
            return;
        }
        let rhythm = device.rhythm(self.config.keepalive);
        let silent = now.elapsed >= device.last_heard + rhythm * self.config.missed + rhythm / 2;
        if device.armed.is_some_and(|armed| armed <= now.elapsed) {
            device.armed = None;
        }
        if !silent {
            self.watch(now, id);
        } else if device.is_expired(now.elapsed) {
            self.take_offline(id, OfflineReason::Expired);
        } else if device.state == State::Online {
            device.state = State::Doubtful;
            let peer = device.peer;
            let sn = self.next_sn();
            let message = self.query_message(id, id.as_str(), &Query::DeviceStatus, sn);
            // any answer will do, a refusal too; repeated up to eleven times over datagrams
            self.request(now, (id, peer), &message, Purpose::Probe, KEEP);
        }
    }

    /// The device missed its reports and did not answer: unless it was heard of meanwhile, it is gone.
    pub(super) fn probe_unanswered(&mut self, now: Now, id: GbId) {
        match self.devices.get(&id).map(|device| device.state) {
            Some(State::Doubtful) => self.take_offline(id, OfflineReason::Silent),
            Some(State::Online) => self.watch(now, id),
            _ => {}
        }
    }

    /// A device has registered: watches it, and asks it when it is new.
    pub(super) fn online(&mut self, now: Now, id: GbId) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        let (edition, peer) = (device.edition, device.peer);
        let came = std::mem::replace(&mut device.state, State::Online) == State::Offline;
        device.last_heard = now.elapsed;
        device.disconnected = false;
        if came {
            device.armed = None;
            device.last_report = None;
        }
        self.watch(now, id);
        if !came {
            return;
        }
        self.event(Event::Online { device: id, edition, peer });
        if self.config.query_on_online {
            for query in [Query::DeviceInfo, Query::BasicParam, Query::Catalog] {
                let _ = self.query(now, id, id.as_str(), query);
            }
        }
        self.schedule_catalog(now, id);
    }

    fn schedule_catalog(&mut self, now: Now, id: GbId) {
        if let (Some(every), Some(device)) = (self.config.catalog_every, self.devices.get_mut(&id)) {
            device.catalog_at = now.elapsed + every;
            self.timers.set(device.catalog_at, Key::Catalog(id));
        }
    }

    pub(super) fn catalog_due(&mut self, now: Now, id: GbId) {
        // a device that came back meanwhile has a later turn
        let due = self.devices.get(&id).is_some_and(|device| device.catalog_at <= now.elapsed);
        if due && self.query(now, id, id.as_str(), Query::Catalog).is_ok() {
            self.schedule_catalog(now, id);
        }
    }
}
