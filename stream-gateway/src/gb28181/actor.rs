//! The one task that owns the state machine.

use std::{collections::HashMap, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use media::{
    GbId,
    gb28181::{CallEvent, CallId, CommandError, Event, Invite, Now, Output, Peer, Platform, Topic, Transport},
    manscdp::{Control, Query},
    sip::Message,
};
use runtime::{CancellationToken, Clock};
use tokio::{
    net::UdpSocket,
    sync::{broadcast, mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use super::{connections::Outgoing, registry::Registry};

/// Longest datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Calls whose owner is gone are ended within this time.
const SWEEP: Duration = Duration::from_secs(1);
/// Datagrams taken in a row before anything else has its turn.
const BURST: usize = 64;

/// What the task is asked for.
pub(super) enum Request {
    /// A message of a connection.
    Message(Peer, Message),
    /// A connection, and where its messages go.
    Connected(u64, Outgoing),
    Closed(u64),
    Invite(Invite, mpsc::Sender<CallEvent>, oneshot::Sender<Result<(CallId, u32), CommandError>>),
    HangUp(CallId),
    Query(GbId, String, Query, oneshot::Sender<Result<u32, CommandError>>),
    Control(GbId, String, Control, oneshot::Sender<Result<u32, CommandError>>),
    Subscribe(GbId, Topic, oneshot::Sender<Result<(), CommandError>>),
    /// Address a device registered from.
    Address(GbId, oneshot::Sender<Option<SocketAddr>>),
}

pub(super) struct Actor {
    pub(super) platform: Platform,
    pub(super) socket: UdpSocket,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) events: broadcast::Sender<Arc<Event>>,
    pub(super) registry: Registry,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) token: CancellationToken,
    connections: HashMap<u64, Outgoing>,
    calls: HashMap<CallId, mpsc::Sender<CallEvent>>,
    addresses: HashMap<GbId, SocketAddr>,
    start: Instant,
}

impl Actor {
    pub(super) fn new(
        platform: Platform,
        socket: UdpSocket,
        requests: mpsc::Receiver<Request>,
        events: broadcast::Sender<Arc<Event>>,
        registry: Registry,
        clock: Arc<dyn Clock>,
        token: CancellationToken,
    ) -> Self {
        Self {
            platform,
            socket,
            requests,
            events,
            registry,
            clock,
            token,
            connections: HashMap::new(),
            calls: HashMap::new(),
            addresses: HashMap::new(),
            start: Instant::now(),
        }
    }

    fn now(&self) -> Now {
        Now { elapsed: self.start.elapsed(), unix_ms: self.clock.now().as_micros() / 1_000 }
    }

    /// Runs until the server is stopped; then ends all calls.
    pub(super) async fn run(mut self) -> Result<(), Infallible> {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut sweep = self.start + SWEEP;
        loop {
            let tick = self.platform.next_tick().map_or(sweep, |at| (self.start + at).min(sweep));
            // fair: a flood of datagrams must not keep commands and timers waiting
            tokio::select! {
                () = self.token.cancelled() => break,
                () = sleep_until(tick) => {
                    self.platform.tick(self.now());
                    if Instant::now() >= sweep {
                        sweep = Instant::now() + SWEEP;
                        self.sweep();
                    }
                }
                received = self.socket.recv_from(&mut buffer) => self.datagrams(received, &mut buffer).await,
                request = self.requests.recv() => match request {
                    Some(request) => self.serve(request),
                    None => break,
                },
            }
            self.flush().await;
        }
        let now = self.now();
        for call in self.calls.keys().copied().collect::<Vec<_>>() {
            self.platform.hang_up(now, call);
        }
        self.flush().await;
        Ok(())
    }

    /// Takes a datagram and those that came with it.
    async fn datagrams(&mut self, first: std::io::Result<(usize, SocketAddr)>, buffer: &mut [u8]) {
        let mut received = first;
        for _ in 0..BURST {
            match received {
                Ok((length, from)) => self.datagram(from, &buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // an earlier datagram met a closed port: of no interest
                Err(error) => {
                    debug!(reason = %error, "the SIP socket reports an error");
                    return;
                }
            }
            self.flush().await;
            received = self.socket.try_recv_from(buffer);
        }
    }

    fn datagram(&mut self, from: SocketAddr, data: &[u8]) {
        let now = self.now();
        if let Err(error) = self.platform.receive(now, Peer::udp(from), data) {
            debug!(peer.address = %from, reason = %error, "a datagram is no SIP message");
        }
    }

    fn serve(&mut self, request: Request) {
        let now = self.now();
        match request {
            Request::Message(peer, message) => self.platform.receive_message(now, peer, message),
            Request::Connected(id, outgoing) => drop(self.connections.insert(id, outgoing)),
            Request::Closed(id) => {
                self.connections.remove(&id);
                self.platform.closed(now, id);
            }
            Request::Invite(invite, events, answer) => {
                let result = self.platform.invite(now, &invite);
                if let Ok((call, _)) = &result {
                    self.calls.insert(*call, events);
                }
                // whoever asked may have given up: the sweep ends the call then
                let _ = answer.send(result);
            }
            Request::HangUp(call) => self.platform.hang_up(now, call),
            Request::Query(device, target, query, answer) => {
                let _ = answer.send(self.platform.query(now, device, &target, query));
            }
            Request::Control(device, target, control, answer) => {
                let _ = answer.send(self.platform.control(now, device, &target, &control));
            }
            Request::Subscribe(device, topic, answer) => {
                let _ = answer.send(self.platform.subscribe(now, device, topic));
            }
            Request::Address(device, answer) => {
                let _ = answer.send(self.addresses.get(&device).copied());
            }
        }
    }

    /// Ends calls whose owner is gone.
    fn sweep(&mut self) {
        let now = self.now();
        let gone: Vec<CallId> = self.calls.iter().filter(|(_, events)| events.is_closed()).map(|(id, _)| *id).collect();
        for call in gone {
            self.calls.remove(&call);
            self.platform.hang_up(now, call);
        }
    }

    async fn flush(&mut self) {
        while let Some(output) = self.platform.poll() {
            match output {
                Output::Send { to, data } if to.transport == Transport::Udp => {
                    if let Err(error) = self.socket.send_to(&data, to.address).await {
                        debug!(peer.address = %to.address, reason = %error, "a SIP message was not sent");
                    }
                }
                Output::Send { to, data } => {
                    // a device that does not read is not waited for: its requests are repeated or time out
                    if self.connections.get(&to.connection).is_some_and(|out| out.try_send(data).is_err()) {
                        debug!(peer.address = %to.address, "a SIP message was not sent: the connection is stuck");
                    }
                }
                Output::Event(event) => self.happened(event),
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match &event {
            Event::Call { call, event } => {
                let over = matches!(event, CallEvent::Ended(_));
                if let Some(owner) = self.calls.get(call) {
                    // the queue holds more than a call has to say; a full one is that of a dead owner
                    let _ = owner.try_send(event.clone());
                }
                if over {
                    self.calls.remove(call);
                }
            }
            Event::Online { device, peer, .. } => {
                info!(device.id = %device, peer.address = %peer.address, "the device is online");
                self.addresses.insert(*device, peer.address);
            }
            Event::Offline { device, reason } => {
                warn!(device.id = %device, reason = ?reason, "the device is offline");
                self.addresses.remove(device);
            }
            Event::Refused { device, peer, reason } => {
                warn!(device.id = %device, peer.address = %peer.address, reason, "a registration was refused");
            }
            _ => {}
        }
        self.registry.note(self.clock.now(), &event);
        // nobody listening is fine
        let _ = self.events.send(Arc::new(event));
    }
}
