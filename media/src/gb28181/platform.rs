//! The machine itself: what it holds, how messages come in and results go out.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use super::{
    CallId, Config, EndReason, Event, InvalidConfig, OfflineReason, Output, Peer, Topic, Transport,
    catalog::Pending,
    devices::{Device, State},
    dialog::Call,
    register::Failures,
    ssrc::Ssrcs,
    subscriptions::Subscription,
    timers::{Key, Timers},
    transactions::{Client, Servers},
};
use crate::{
    digest::{Authenticator, hex},
    gbid::GbId,
    sip::{Message, ParseError},
};

/// The time: for waiting, and for telling devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since any start; never goes back.
    pub elapsed: Duration,
    /// Milliseconds since 1970; may be corrected.
    pub unix_ms: i64,
}

/// A command that cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nobody of that code is registered.
    #[error("device {0} is not online: check its power, its network and its GB/T 28181 settings")]
    Offline(GbId),
    /// The call is over.
    #[error("the call is over")]
    NoCall,
    /// The call has not been answered yet.
    #[error("the call has not been answered yet")]
    NotAnswered,
    /// Too many calls.
    #[error("10,000 calls are on: end some of them")]
    TooManyCalls,
    /// A value out of range.
    #[error("{0}")]
    Invalid(&'static str),
}

/// What a platform holds, for health and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Devices that are known.
    pub devices: usize,
    /// Of these online.
    pub online: usize,
    /// Requests that wait for their answer.
    pub requests: usize,
    /// Queries that wait for their results.
    pub queries: usize,
    /// Calls.
    pub calls: usize,
    /// SSRCs given out.
    pub ssrcs: usize,
    /// Timers.
    pub timers: usize,
    /// Answers kept for repeated requests.
    pub answers: usize,
    /// Messages that made no sense.
    pub malformed: u64,
}

/// The platform.
#[derive(Debug)]
pub struct Platform {
    pub(super) config: Config,
    pub(super) auth: Authenticator,
    pub(super) failures: Failures,
    pub(super) devices: HashMap<GbId, Device>,
    pub(super) clients: HashMap<u64, Client>,
    pub(super) servers: Servers,
    pub(super) pending: HashMap<(GbId, u32), Pending>,
    pub(super) calls: HashMap<CallId, Call>,
    /// Calls by their `Call-ID`.
    pub(super) call_ids: HashMap<String, CallId>,
    pub(super) subscriptions: HashMap<(GbId, Topic), Subscription>,
    pub(super) ssrcs: Ssrcs,
    pub(super) timers: Timers,
    out: VecDeque<Output>,
    secret: [u8; 32],
    counter: u64,
    sn: u32,
    malformed: u64,
}

impl Platform {
    /// Makes a platform without devices. `seed` must be unpredictable: nonces and tags come from it.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: Config, seed: [u8; 32]) -> Result<Self, InvalidConfig> {
        config.check()?;
        let derive = |label: &[u8]| -> [u8; 32] { Sha256::new_with_prefix(seed).chain_update(label).finalize().into() };
        Ok(Self {
            auth: Authenticator::new(config.domain.clone(), derive(b"nonce")),
            ssrcs: Ssrcs::new(&config.domain),
            config,
            failures: Failures::default(),
            devices: HashMap::new(),
            clients: HashMap::new(),
            servers: Servers::default(),
            pending: HashMap::new(),
            calls: HashMap::new(),
            call_ids: HashMap::new(),
            subscriptions: HashMap::new(),
            timers: Timers::default(),
            out: VecDeque::new(),
            secret: derive(b"token"),
            counter: 0,
            sn: 0,
            malformed: 0,
        })
    }

    /// Takes a datagram.
    ///
    /// # Errors
    /// When it is no SIP message; it is counted and dropped.
    pub fn receive(&mut self, now: Now, from: Peer, datagram: &[u8]) -> Result<(), ParseError> {
        // four bytes or fewer of line ends or zeros keep a NAT open
        if datagram.len() <= 4 && datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Ok(());
        }
        match Message::parse(datagram) {
            Ok(message) => self.receive_message(now, from, message),
            Err(error) => {
                self.malformed += 1;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes a message that a connection was cut into.
    pub fn receive_message(&mut self, now: Now, from: Peer, mut message: Message) {
        let Some(method) = message.method().map(str::to_owned) else {
            if message.check().is_ok() {
                self.response(now, &message);
            } else {
                self.malformed += 1;
            }
            return;
        };
        message.note_source(from.address);
        if let Err(refusal) = message.check() {
            self.malformed += 1;
            if method != "ACK" && message.via().is_some() {
                self.respond(now, from, &message, refusal.status, refusal.reason);
            }
            return;
        }
        if method == "ACK" {
            return;
        }
        if let Some(data) = self.servers.answered(now.elapsed, from, &message) {
            self.send(from, data);
            return;
        }
        match method.as_str() {
            "REGISTER" => self.register(now, from, &message),
            "MESSAGE" => self.message(now, from, &message),
            "NOTIFY" => self.notify(now, from, &message),
            "BYE" => self.bye_received(now, from, &message),
            "INFO" => self.info_received(now, from, &message),
            "OPTIONS" => self.respond(now, from, &message, 200, "OK"),
            "CANCEL" => self.respond(now, from, &message, 481, "Call/Transaction Does Not Exist"),
            "INVITE" => self.respond(now, from, &message, 488, "Not Acceptable Here"),
            "SUBSCRIBE" => self.respond(now, from, &message, 489, "Bad Event"),
            _ => {
                let allow = "REGISTER, MESSAGE, NOTIFY, BYE, INFO, OPTIONS, ACK, CANCEL";
                let response = self.response_to(&message, 405, "Method Not Allowed").with("Allow", allow);
                self.answer(now, from, &message, &response);
            }
        }
    }

    /// Notes that a connection is gone: its devices must register again, and are asked no more.
    pub fn closed(&mut self, now: Now, connection: u64) {
        let gone =
            |device: &&mut Device| device.peer.transport == Transport::Tcp && device.peer.connection == connection;
        for device in self.devices.values_mut().filter(gone) {
            device.disconnected = true;
            // they come back with a new connection, within their rhythm
            let deadline = now.elapsed + device.rhythm(self.config.keepalive);
            self.timers.set(deadline, Key::Device(device.id));
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        while let Some(key) = self.timers.due(now.elapsed) {
            match key {
                Key::Device(device) => self.device_due(now, device),
                Key::Catalog(device) => self.catalog_due(now, device),
                Key::Client(id) => self.client_due(now, id),
                Key::Query(device, sn) => self.query_due(now, device, sn),
                Key::Call(call) => self.call_due(now, call),
                Key::Subscription(device, topic) => self.subscription_due(now, device, topic),
            }
        }
    }

    /// When [`Platform::tick`] is due next.
    pub fn next_tick(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// The next thing to be done, after each input until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// What it holds.
    pub fn load(&self) -> Load {
        Load {
            devices: self.devices.len(),
            online: self.devices.values().filter(|device| device.state != State::Offline).count(),
            requests: self.clients.len(),
            queries: self.pending.len(),
            calls: self.calls.len(),
            ssrcs: self.ssrcs.used(),
            timers: self.timers.len(),
            answers: self.servers.len(),
            malformed: self.malformed,
        }
    }

    /// Whether a device is online.
    pub fn is_online(&self, device: GbId) -> bool {
        self.devices.get(&device).is_some_and(|device| device.state != State::Offline)
    }

    /// Takes a device offline, with all that hangs on it.
    pub(super) fn take_offline(&mut self, id: GbId, reason: OfflineReason) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        if std::mem::replace(&mut device.state, State::Offline) == State::Offline {
            return;
        }
        self.pending.retain(|(device, _), _| *device != id);
        self.subscriptions.retain(|(device, _), _| *device != id);
        self.clients.retain(|_, client| client.device != id);
        let calls: Vec<CallId> = self.calls.iter().filter(|(_, c)| c.device == id).map(|(call, _)| *call).collect();
        for call in calls {
            self.end_call(call, EndReason::DeviceOffline);
        }
        self.event(Event::Offline { device: id, reason });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    pub(super) fn send(&mut self, to: Peer, data: Vec<u8>) {
        self.out.push_back(Output::Send { to, data });
    }

    /// An unpredictable word of 16 hexadecimal digits.
    pub(super) fn token(&mut self) -> String {
        self.counter += 1;
        let hash = Sha256::new_with_prefix(self.secret).chain_update(self.counter.to_be_bytes()).finalize();
        hex(&hash[..8])
    }

    /// A serial number that is not in use: they count up, so that no two queries share one.
    pub(super) fn next_sn(&mut self) -> u32 {
        self.sn = self.sn % 999_999_999 + 1;
        self.sn
    }
}
