//! Requests and their answers (RFC 3261 section 17), both ways.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use super::{CallEvent, CallId, EndReason, Event, Now, Peer, Platform, Topic, Transport, timers::Key};
use crate::{gbid::GbId, sip::Message};

/// First wait before a request is repeated (T1) and the longest (T2).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// How long answers are kept for repeated requests: 64 T1.
pub(super) const KEEP: Duration = Duration::from_secs(32);
/// Most answers kept.
const MAX_ANSWERS: usize = 32_768;

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A query or command; the serial number finds it.
    Query(u32),
    /// Is the device there?
    Probe,
    Invite(CallId),
    Bye(CallId),
    Steer(CallId),
    Subscribe(Topic),
    /// Nobody waits for it.
    Nothing,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) device: GbId,
    branch: String,
    peer: Peer,
    data: Vec<u8>,
    purpose: Purpose,
    interval: Duration,
    /// `None` when it is not repeated any more.
    repeat_at: Option<Duration>,
    give_up_at: Duration,
    provisional: bool,
}

impl Client {
    /// Whether it ends this call.
    pub(super) fn is_bye(&self, call: CallId) -> bool {
        self.purpose == Purpose::Bye(call)
    }
}

/// Answers to requests that may be repeated.
#[derive(Debug, Default)]
pub(super) struct Servers {
    answers: HashMap<String, Vec<u8>>,
    order: VecDeque<(Duration, String)>,
}

impl Servers {
    /// The answer to a request that was answered before.
    pub(super) fn answered(&mut self, now: Duration, from: Peer, request: &Message) -> Option<Vec<u8>> {
        while let Some((until, _)) = self.order.front()
            && *until <= now
        {
            let (_, key) = self.order.pop_front()?;
            self.answers.remove(&key);
        }
        self.answers.get(&key(from, request)).cloned()
    }

    fn keep(&mut self, now: Duration, from: Peer, request: &Message, data: Vec<u8>) {
        let key = key(from, request);
        if self.answers.insert(key.clone(), data).is_none() {
            self.order.push_back((now + KEEP, key));
        }
        if self.order.len() > MAX_ANSWERS
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }
}

/// What makes a request the same: branch, and for devices that write a constant one all else that counts.
fn key(from: Peer, request: &Message) -> String {
    let via = request.via();
    let branch = via.as_ref().and_then(|via| via.params.get("branch")).unwrap_or_default();
    let cseq = request.headers.get("CSeq").unwrap_or_default();
    let call = request.call_id().unwrap_or_default();
    // some repeat branch and CSeq when they answer a challenge
    let mut proof = DefaultHasher::new();
    request.headers.get("Authorization").hash(&mut proof);
    format!("{}/{}/{branch}/{cseq}/{call}/{:x}", from.address, from.connection, proof.finish())
}

impl Platform {
    /// An answer with our tag.
    pub(super) fn response_to(&mut self, request: &Message, status: u16, reason: &str) -> Message {
        let tag = self.token();
        Message::response(request, status, reason, &tag).with("User-Agent", "Gongshao")
    }

    /// Answers without a body.
    pub(super) fn respond(&mut self, now: Now, to: Peer, request: &Message, status: u16, reason: &str) {
        let response = self.response_to(request, status, reason);
        self.answer(now, to, request, &response);
    }

    /// Answers, and remembers the answer for when the request is repeated.
    pub(super) fn answer(&mut self, now: Now, to: Peer, request: &Message, response: &Message) {
        let data = response.encode();
        self.servers.keep(now.elapsed, to, request, data.clone());
        self.send(to, data);
    }

    /// Sends a request of its own; `message` lacks its `Via`. Gives the branch.
    pub(super) fn request(
        &mut self,
        now: Now,
        (device, peer): (GbId, Peer),
        message: &Message,
        purpose: Purpose,
        patience: Duration,
    ) -> String {
        let id = self.next_client();
        let branch = format!("z9hG4bK{id:x}.{}", self.token());
        let message = self.with_via(message, peer, &branch);
        let data = message.encode();
        let repeat_at = (peer.transport == Transport::Udp).then_some(now.elapsed + T1);
        let give_up_at = now.elapsed + patience;
        self.timers.set(repeat_at.unwrap_or(give_up_at).min(give_up_at), Key::Client(id));
        self.send(peer, data.clone());
        let client = Client {
            device,
            branch: branch.clone(),
            peer,
            data,
            purpose,
            interval: T1,
            repeat_at,
            give_up_at,
            provisional: false,
        };
        self.clients.insert(id, client);
        branch
    }

    /// Puts the `Via` in front.
    pub(super) fn with_via(&self, message: &Message, peer: Peer, branch: &str) -> Message {
        let transport = match peer.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        let via = format!("SIP/2.0/{transport} {};rport;branch={branch}", self.config.advertised);
        let mut out = Message { start: message.start.clone(), body: message.body.clone(), ..Message::request("", "") };
        out.headers.push("Via", via);
        for (name, value) in message.headers.iter() {
            out.headers.push(name, value);
        }
        out
    }

    fn next_client(&mut self) -> u64 {
        // the first half of a token is as good a number as any, and unique by the look-up
        loop {
            let token = self.token();
            let id = u64::from_str_radix(&token[..12], 16).unwrap_or(0);
            if !self.clients.contains_key(&id) {
                return id;
            }
        }
    }

    /// A response: finds its request by the branch.
    pub(super) fn response(&mut self, now: Now, message: &Message) {
        let Some(status) = message.status() else { return };
        let branch = message.via().and_then(|via| via.params.get("branch").map(str::to_owned)).unwrap_or_default();
        let id = branch.strip_prefix("z9hG4bK").and_then(|b| u64::from_str_radix(b.split('.').next()?, 16).ok());
        let known = id.filter(|id| self.clients.get(id).is_some_and(|client| client.branch == branch));
        let Some(id) = known else {
            // the 200 to an INVITE is repeated until its ACK arrives
            if (200..300).contains(&status) && message.cseq().is_some_and(|cseq| cseq.method == "INVITE") {
                self.repeated_answer(now, message);
            }
            return;
        };
        if status < 200 {
            let Some(client) = self.clients.get_mut(&id) else { return };
            client.provisional = true;
            if let Purpose::Invite(call) = client.purpose {
                client.repeat_at = None;
                self.event(Event::Call { call, event: CallEvent::Trying });
            }
            return;
        }
        let Some(client) = self.clients.remove(&id) else { return };
        // an answer with our unpredictable branch proves that the device is there, wherever it was sent from
        self.heard(now, client.device, client.peer);
        match client.purpose {
            Purpose::Query(sn) => self.query_answered(now, client.device, sn, status),
            Purpose::Invite(call) => self.invite_answered(now, call, &client.branch, message, status),
            Purpose::Bye(call) => self.forget_call(call),
            Purpose::Steer(call) => self.event(Event::Call { call, event: CallEvent::Steered { status } }),
            Purpose::Subscribe(topic) => self.subscribe_answered(now, client.device, topic, message, status),
            Purpose::Probe => self.watch(now, client.device),
            Purpose::Nothing => {}
        }
    }

    pub(super) fn client_due(&mut self, now: Now, id: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if now.elapsed < client.give_up_at {
            if let Some(at) = client.repeat_at
                && at <= now.elapsed
            {
                client.interval = (client.interval * 2).min(T2);
                client.repeat_at = Some(now.elapsed + client.interval);
                let (peer, data) = (client.peer, client.data.clone());
                self.send(peer, data);
            }
            let Some(client) = self.clients.get(&id) else { return };
            let next = client.repeat_at.unwrap_or(client.give_up_at).min(client.give_up_at);
            self.timers.set(next, Key::Client(id));
            return;
        }
        let Some(client) = self.clients.remove(&id) else { return };
        match client.purpose {
            Purpose::Query(sn) => self.query_unanswered(client.device, sn),
            Purpose::Probe => self.probe_unanswered(now, client.device),
            Purpose::Invite(call) => {
                let reason = if client.provisional { EndReason::NoFinalAnswer } else { EndReason::NoAnswer };
                self.give_up_invite(now, call, &client.branch, reason);
            }
            Purpose::Bye(call) => self.forget_call(call),
            Purpose::Steer(call) => self.event(Event::Call { call, event: CallEvent::Steered { status: 0 } }),
            Purpose::Subscribe(topic) => self.subscribe_failed(now, client.device, topic, 0),
            Purpose::Nothing => {}
        }
    }
}
