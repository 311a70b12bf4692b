//! Devices on a network that loses datagrams, in simulated time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::*;

const LATENCY: Duration = Duration::from_millis(20);

/// Numbers that look random and are the same each time (xorshift).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// A device that registers, renews and reports.
pub(super) struct Sim {
    id: GbId,
    cseq: u32,
    /// Whether it repeats requests that are not answered. Many do not.
    repeats: bool,
    rhythm: Duration,
    registered_until: Option<Duration>,
    /// Request that is not answered: bytes, number, wait until repeated.
    open: Option<(Vec<u8>, u32, Duration)>,
    pub(super) dead: bool,
}

impl Sim {
    pub(super) fn new(number: u32, repeats: bool, rhythm: Duration) -> Self {
        let rhythm = rhythm + Duration::from_millis(u64::from(number % 997));
        Self { id: id(number), cseq: 0, repeats, rhythm, registered_until: None, open: None, dead: false }
    }

    /// Its next turn: what it sends, and when it wants another.
    fn turn(&mut self, now: Duration) -> (Option<Vec<u8>>, Duration) {
        if let Some((data, _, wait)) = &mut self.open {
            if self.repeats && *wait < Duration::from_secs(16) {
                *wait = (*wait * 2).min(Duration::from_secs(16));
                return (Some(data.clone()), now + *wait);
            }
            self.open = None;
        }
        self.cseq += 1;
        let due = self.registered_until.is_none_or(|until| now + self.rhythm * 2 > until);
        let message = if due { register_request(self.id, self.cseq, 300) } else { keepalive(self.id, self.cseq) };
        let data = message.encode();
        let wait = if self.repeats { Duration::from_millis(500) } else { self.rhythm };
        self.open = Some((data.clone(), self.cseq, wait));
        // one that does not repeat tries to register again soon
        let next = if due && !self.repeats { Duration::from_secs(5) } else { wait };
        (Some(data), now + next)
    }

    /// What it says to a message, and when it wants its next turn, if that changes.
    fn hear(&mut self, now: Duration, data: &[u8]) -> (Option<Vec<u8>>, Option<Duration>) {
        let message = Message::parse(data).unwrap();
        let Some(status) = message.status() else {
            return (Some(reply(&message, 200).encode()), None);
        };
        let cseq = message.cseq().unwrap();
        if self.open.as_ref().is_none_or(|(_, open, _)| *open != cseq.number) {
            return (None, None);
        }
        self.open = None;
        match (cseq.method.as_str(), status) {
            ("REGISTER", 401) => {
                self.cseq += 1;
                let request = authorise(register_request(self.id, self.cseq, 300), self.id, &message, PASSWORD);
                let data = request.encode();
                let wait = Duration::from_millis(500);
                self.open = Some((data.clone(), self.cseq, wait));
                (Some(data), Some(now + if self.repeats { wait } else { Duration::from_secs(5) }))
            }
            ("REGISTER", 200) => {
                self.registered_until = Some(now + Duration::from_mins(5));
                (None, Some(now + self.rhythm))
            }
            (_, 403) => {
                self.registered_until = None;
                (None, Some(now + Duration::from_secs(1)))
            }
            _ => (None, Some(now + self.rhythm)),
        }
    }
}

enum Happening {
    ToPlatform(usize, Vec<u8>),
    ToDevice(usize, Vec<u8>),
    Turn(usize),
}

/// The network, with the platform at its centre.
pub(super) struct Network {
    pub(super) platform: Platform,
    pub(super) devices: Vec<Sim>,
    pub(super) events: Vec<(Duration, Event)>,
    pub(super) datagrams: u64,
    dice: Dice,
    loss_percent: u64,
    heap: BinaryHeap<Reverse<(Duration, u64)>>,
    happenings: std::collections::HashMap<u64, Happening>,
    turns: Vec<u64>,
    count: u64,
}

impl Network {
    pub(super) fn new(devices: Vec<Sim>, loss_percent: u64, seed: u64) -> Self {
        let mut network = Self {
            platform: platform(),
            turns: vec![0; devices.len()],
            devices,
            events: Vec::new(),
            datagrams: 0,
            dice: Dice(seed),
            loss_percent,
            heap: BinaryHeap::new(),
            happenings: std::collections::HashMap::new(),
            count: 0,
        };
        for n in 0..network.devices.len() {
            network.turn_at(Duration::from_millis(n as u64), n);
        }
        network
    }

    fn at(&mut self, time: Duration, happening: Happening) -> u64 {
        self.count += 1;
        self.heap.push(Reverse((time, self.count)));
        self.happenings.insert(self.count, happening);
        self.count
    }

    fn turn_at(&mut self, time: Duration, device: usize) {
        self.happenings.remove(&self.turns[device]);
        self.turns[device] = self.at(time, Happening::Turn(device));
    }

    fn send(&mut self, now: Duration, happening: Happening) {
        self.datagrams += 1;
        if self.dice.throw(100) >= self.loss_percent {
            self.at(now + LATENCY, happening);
        }
    }

    fn address(device: usize) -> Peer {
        let [_, a, b, c] = (device as u32).to_be_bytes();
        Peer::udp(SocketAddr::from(([10, a, b, c], 5060)))
    }

    /// Runs until `end`.
    pub(super) fn run(&mut self, end: Duration) {
        loop {
            let next = self.heap.peek().map(|Reverse((time, _))| *time);
            let tick = self.platform.next_tick();
            let time = next.into_iter().chain(tick).min().unwrap_or(end);
            if time >= end {
                return;
            }
            if tick.is_some_and(|tick| tick <= time) {
                self.platform.tick(at(time.as_secs_f64()));
            } else if let Some(Reverse((_, key))) = self.heap.pop() {
                match self.happenings.remove(&key) {
                    Some(Happening::ToPlatform(n, data)) => {
                        self.platform.receive(at(time.as_secs_f64()), Self::address(n), &data).unwrap();
                    }
                    Some(Happening::ToDevice(n, data)) if !self.devices[n].dead => {
                        let (sent, turn) = self.devices[n].hear(time, &data);
                        self.follow(time, n, sent, turn);
                    }
                    Some(Happening::Turn(n)) if !self.devices[n].dead => {
                        let (sent, turn) = self.devices[n].turn(time);
                        self.follow(time, n, sent, Some(turn));
                    }
                    _ => {}
                }
            }
            while let Some(output) = self.platform.poll() {
                match output {
                    Output::Event(event) => self.events.push((time, event)),
                    Output::Send { to, data } => {
                        let core::net::IpAddr::V4(ip) = to.address.ip() else { panic!("no IPv6 here") };
                        let device = u32::from_be_bytes(ip.octets()) & 0x00ff_ffff;
                        self.send(time, Happening::ToDevice(device as usize, data));
                    }
                }
            }
        }
    }

    fn follow(&mut self, now: Duration, device: usize, sent: Option<Vec<u8>>, turn: Option<Duration>) {
        if let Some(data) = sent {
            self.send(now, Happening::ToPlatform(device, data));
        }
        if let Some(turn) = turn {
            self.turn_at(turn, device);
        }
    }
}
