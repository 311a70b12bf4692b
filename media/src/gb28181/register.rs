//! REGISTER: the one door.

use std::{collections::HashMap, time::Duration};

use core::net::IpAddr;

use super::{DateForm, Edition, Event, Now, OfflineReason, Peer, Platform, devices::Device};
use crate::{
    digest::{Algorithm, Credentials, Verdict},
    gbid::GbId,
    gbtime::LocalTime,
    sip::{Address, Message},
};

/// Wrong passwords until a device at an address has to wait.
const MAX_FAILURES: u32 = 5;
/// How long it waits.
const PENALTY: Duration = Duration::from_mins(1);
/// Most devices that wait.
const MAX_PENALTIES: usize = 10_000;

/// Wrong passwords by address and device.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<(IpAddr, GbId), (u32, Duration)>);

impl Failures {
    fn barred(&self, now: Duration, key: &(IpAddr, GbId)) -> bool {
        self.0.get(key).is_some_and(|(count, last)| *count >= MAX_FAILURES && now < *last + PENALTY)
    }

    fn failed(&mut self, now: Duration, key: (IpAddr, GbId)) {
        if self.0.len() >= MAX_PENALTIES {
            self.0.retain(|_, (_, last)| now < *last + PENALTY);
        }
        if self.0.len() >= MAX_PENALTIES {
            return;
        }
        let (count, last) = self.0.entry(key).or_insert((0, now));
        if now >= *last + PENALTY {
            *count = 0;
        }
        (*count, *last) = (*count + 1, now);
    }
}

impl Platform {
    pub(super) fn register(&mut self, now: Now, from: Peer, request: &Message) {
        let code = |address: Option<Address>| address?.user()?.parse::<GbId>().ok();
        // `To` is the device for most; for some it is the domain or the server. Never another device.
        let to = code(request.to()).filter(|to| *to != self.config.id);
        let Some(id) = code(request.from()).filter(|from| to.is_none_or(|to| to == *from)) else {
            self.refuse(now, from, request, 403, "Forbidden: the device code must have 20 digits");
            return;
        };
        let refused = |this: &mut Self, reason: String| {
            this.event(Event::Refused { device: id, peer: from, reason });
        };
        let Some(password) = self.config.passwords.of(&id).map(str::to_owned) else {
            refused(self, "no password is set for this device".to_owned());
            self.refuse(now, from, request, 403, "Forbidden");
            return;
        };
        let key = (from.address.ip(), id);
        if self.failures.barred(now.elapsed, &key) {
            self.refuse(now, from, request, 403, "Forbidden: too many wrong passwords, wait a minute");
            return;
        }
        // every registration is proved anew: renewals and goodbyes too, whatever their Call-ID
        let credentials = request.headers.get("Authorization").and_then(Credentials::parse);
        let Some(credentials) = credentials else {
            self.challenge(now, from, request, false);
            return;
        };
        let uri = match &request.start {
            crate::sip::Start::Request { uri, .. } => uri.as_str(),
            crate::sip::Start::Response { .. } => return,
        };
        match self.auth.judge(now.elapsed, from.address.ip(), ("REGISTER", uri), &credentials, &password) {
            Verdict::Granted => self.registered(now, from, request, id),
            Verdict::Stale => self.challenge(now, from, request, true),
            Verdict::Wrong(why) => {
                self.failures.failed(now.elapsed, key);
                refused(self, why);
                self.refuse(now, from, request, 403, "Forbidden: wrong password");
            }
        }
    }

    fn challenge(&mut self, now: Now, from: Peer, request: &Message, stale: bool) {
        let mut response = self.response_to(request, 401, "Unauthorized").with("X-GB-Ver", "3.0");
        let mut offers = vec![Algorithm::Md5];
        if self.config.offer_sha256 {
            offers.push(Algorithm::Sha256);
        }
        for algorithm in offers {
            let value = self.auth.challenge(now.elapsed, from.address.ip(), algorithm, stale);
            response.headers.push("WWW-Authenticate", value);
        }
        self.answer(now, from, request, &response);
    }

    fn refuse(&mut self, now: Now, from: Peer, request: &Message, status: u16, reason: &str) {
        let response = self.response_to(request, status, reason).with("X-GB-Ver", "3.0");
        self.answer(now, from, request, &response);
    }

    fn registered(&mut self, now: Now, from: Peer, request: &Message, id: GbId) {
        let wanted = request.expires().map_or(Duration::from_hours(1), |secs| Duration::from_secs(secs.into()));
        let expires = wanted.min(self.config.max_expires);
        if expires.is_zero() {
            let response = self.response_to(request, 200, "OK").with("Expires", "0").with("X-GB-Ver", "3.0");
            self.answer(now, from, request, &response);
            self.take_offline(id, OfflineReason::Unregistered);
            return;
        }
        if !self.devices.contains_key(&id) && !self.room_for_device() {
            self.refuse(now, from, request, 503, "Service Unavailable: too many devices");
            return;
        }
        let mut response = self.response_to(request, 200, "OK");
        if let Some(contact) = request.headers.get("Contact") {
            response.headers.push("Contact", contact);
        }
        response = response.with("Expires", expires.as_secs().to_string());
        let local = LocalTime::from_unix_ms(now.unix_ms, self.config.utc_offset_minutes);
        match self.config.date {
            DateForm::Off => {}
            DateForm::Millis => response.headers.push("Date", local.with_millis()),
            DateForm::Seconds => response.headers.push("Date", local.to_string()),
            DateForm::Rfc1123 => response.headers.push("Date", local.rfc1123()),
        }
        let response = response.with("X-GB-Ver", "3.0");
        self.answer(now, from, request, &response);

        let device = self.devices.entry(id).or_insert_with(|| Device::new(id, from, now.elapsed));
        device.peer = from;
        device.expires_at = now.elapsed + expires;
        device.edition = Edition::named(request.headers.get("X-GB-Ver"));
        self.online(now, id);
    }

    /// Makes room among the devices that are offline.
    fn room_for_device(&mut self) -> bool {
        if self.devices.len() < self.config.max_devices {
            return true;
        }
        let offline = self.devices.values().filter(|device| device.state == super::devices::State::Offline);
        let oldest = offline.min_by_key(|device| device.last_heard).map(|device| device.id);
        oldest.is_some_and(|id| self.devices.remove(&id).is_some())
    }
}
