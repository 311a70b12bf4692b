//! Decides what goes over the link and takes what comes.

use std::{sync::Arc, time::Duration};

use protocol::{
    DesiredState, EdgeHealth, EdgeId, MessageId, ReportedState,
    wire::{self, Body, Channel, Envelope, Receipt, Received},
};
use rumqttc::{AsyncClient, Publish, QoS, SubscribeFilter};
use runtime::Clock;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{LinkConfig, LinkEnv, LinkState, Wanted, connection::Signal, window::Window};
use crate::outbox::{Outbox, OutboxError};

pub(super) struct Session {
    edge: EdgeId,
    resend_after: Duration,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    health: watch::Receiver<EdgeHealth>,
    reported: watch::Receiver<ReportedState>,
    client: AsyncClient,
    state: watch::Sender<LinkState>,
    wanted: watch::Sender<Wanted>,
    window: Window,
    line: Line,
    subscribe_asked: Instant,
    health_due: bool,
    reported_due: bool,
    /// Place of the newest counts that were sent on this connection.
    counts_up_to: i64,
}

// A broker that refused the subscription is asked again: its access rules may have been mended.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(30);

/// Counts have no receipt: those of the last day or so go again at each connection, in case the plane was away.
const COUNTS_GO_AGAIN: Duration = Duration::from_hours(26);
/// Counts that are sent in one go; the next tick sends more.
const COUNTS_AT_ONCE: u32 = 16;

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Down,
    Connected,
    Subscribed,
}

/// The client's queue is full; the next tick tries again.
struct Full;

impl Session {
    pub(super) fn new(
        config: &LinkConfig,
        env: LinkEnv,
        client: AsyncClient,
        state: watch::Sender<LinkState>,
        wanted: watch::Sender<Wanted>,
    ) -> Self {
        let (edge, resend_after) = (config.edge, config.resend_after);
        let LinkEnv { outbox, clock, health, reported } = env;
        Self {
            edge,
            resend_after,
            outbox,
            clock,
            health,
            reported,
            client,
            state,
            wanted,
            window: Window::default(),
            line: Line::Down,
            subscribe_asked: Instant::now(),
            health_due: false,
            reported_due: false,
            counts_up_to: 0,
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Signal>, stop: CancellationToken) {
        let mut outbox_changed = self.outbox.changed();
        let mut tick = interval(Duration::from_secs(1).min(self.resend_after));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                signal = inbox.recv() => match signal {
                    Some(signal) => self.take(signal).await,
                    None => return,
                },
                Ok(()) = outbox_changed.changed(), if self.line == Line::Subscribed => {}
                Ok(()) = self.health.changed(), if self.line == Line::Subscribed => self.health_due = true,
                Ok(()) = self.reported.changed(), if self.line == Line::Subscribed => self.reported_due = true,
                _ = tick.tick() => {}
            }
            match self.line {
                Line::Subscribed => {
                    if let Err(e) = self.pump().await {
                        error!(reason = %e, "events cannot be read from the outbox");
                    }
                }
                Line::Connected if self.subscribe_asked.elapsed() >= SUBSCRIBE_AGAIN => self.subscribe(),
                Line::Connected | Line::Down => {}
            }
        }
        self.say_goodbye(inbox).await;
    }

    async fn take(&mut self, signal: Signal) {
        match signal {
            Signal::Up => {
                self.line = Line::Connected;
                self.subscribe();
            }
            Signal::Subscribed { accepted: true } => {
                self.line = Line::Subscribed;
                // Only now: a receipt that came before the subscription would be lost.
                self.window.reset();
                (self.health_due, self.reported_due) = (true, true);
                self.counts_up_to = 0;
                self.enter(&LinkState::Online);
            }
            Signal::Subscribed { accepted: false } => self.enter(&LinkState::Unauthorised {
                detail: "the broker does not let this edge subscribe to its own topics; check its access rules".into(),
            }),
            Signal::Down(state) => {
                self.line = Line::Down;
                self.enter(&state);
            }
            Signal::Message(message) => self.take_message(&message).await,
        }
    }

    fn subscribe(&mut self) {
        self.subscribe_asked = Instant::now();
        let filters = [Channel::Desired, Channel::Receipt]
            .map(|channel| SubscribeFilter::new(channel.topic(self.edge), QoS::AtLeastOnce));
        if self.client.try_subscribe_many(filters).is_err() {
            warn!("the subscription cannot be sent yet");
        }
    }

    async fn take_message(&mut self, message: &Publish) {
        match Channel::parse(&message.topic) {
            Some((edge, Channel::Receipt)) if edge == self.edge => {
                match wire::decode::<Receipt>(edge, &message.payload) {
                    Ok(receipt) => match self.outbox.receive(&receipt.body).await {
                        Ok(_) => self.window.received(&receipt.body),
                        // They go again, are receipted again, and leave then.
                        Err(e) => error!(reason = %e, "receipted events could not be deleted"),
                    },
                    Err(e) => warn!(reason = %e, "a receipt cannot be read"),
                }
            }
            // An empty retained message is how MQTT deletes one.
            Some((edge, Channel::Desired)) if edge == self.edge && !message.payload.is_empty() => {
                match wire::decode::<DesiredState>(edge, &message.payload) {
                    Ok(envelope) => {
                        self.wanted.send_replace(Wanted { state: Some(envelope.body), problem: None });
                    }
                    Err(e) => {
                        error!(reason = %e, "the desired state cannot be read");
                        self.wanted.send_modify(|w| w.problem = Some(e.to_string()));
                    }
                }
            }
            _ => debug!(topic = %message.topic, "a message that nobody asked for"),
        }
    }

    /// Sends what is due, until there is nothing or the client takes no more.
    async fn pump(&mut self) -> Result<(), OutboxError> {
        if self.reported_due {
            let reported = self.reported.borrow_and_update().clone();
            self.reported_due = self.publish(reported, None).is_err();
        }
        if self.health_due {
            let health = self.health.borrow_and_update().clone();
            self.health_due = self.publish(EdgeHealth { online: true, ..health }, None).is_err();
        }
        for seq in self.window.overdue(Instant::now(), self.resend_after) {
            match self.outbox.event_at(seq).await? {
                Some(queued) => {
                    debug!(event.id = %queued.event.id, event.revision = queued.event.revision, "no receipt; sent again");
                    let key = Received { id: queued.event.id, revision: queued.event.revision };
                    if self.publish(queued.event, Some(queued.message)).is_err() {
                        return Ok(());
                    }
                    self.window.sent(seq, key, Instant::now());
                }
                None => self.window.skip(seq),
            }
        }
        while self.window.free() > 0 {
            let queued = self.outbox.events_after(self.window.sent_up_to(), self.window.free()).await?;
            if queued.is_empty() {
                break;
            }
            for queued in queued {
                let key = Received { id: queued.event.id, revision: queued.event.revision };
                if self.publish(queued.event, Some(queued.message)).is_err() {
                    return Ok(());
                }
                self.window.sent(queued.seq, key, Instant::now());
            }
        }
        self.pump_counts().await
    }

    async fn pump_counts(&mut self) -> Result<(), OutboxError> {
        let recent = self.clock.now() - COUNTS_GO_AGAIN;
        let counts = self.outbox.counts_after(self.counts_up_to, recent, COUNTS_AT_ONCE).await?;
        for (seq, counts) in counts {
            if self.publish(counts, None).is_err() {
                break;
            }
            self.counts_up_to = seq;
            self.outbox.counts_sent(seq).await?;
        }
        Ok(())
    }

    fn publish<T: Body>(&self, body: T, id: Option<MessageId>) -> Result<(), Full> {
        let now = self.clock.now();
        let id = id.unwrap_or_else(|| MessageId::new(now));
        let bytes = match wire::encode(&Envelope { version: wire::VERSION, id, edge: self.edge, sent_at: now, body }) {
            Ok(bytes) => bytes,
            Err(e) => {
                // Events were measured at commit. Anything else is sent anew at its next change.
                error!(channel = ?T::CHANNEL, reason = %e, "a message cannot be sent");
                return Ok(());
            }
        };
        let retained = matches!(T::CHANNEL, Channel::Health | Channel::Reported);
        let sent = self.client.try_publish(T::CHANNEL.topic(self.edge), QoS::AtLeastOnce, retained, bytes);
        sent.map_err(|_| Full)
    }

    fn enter(&self, state: &LinkState) {
        let changed = self.state.send_if_modified(|current| {
            let changed = current != state;
            current.clone_from(state);
            changed
        });
        match state {
            _ if !changed => {}
            LinkState::Online => info!("connected to the broker"),
            LinkState::Connecting => {}
            LinkState::Unreachable { detail } => {
                warn!(reason = %detail, "working offline; events stay in the outbox");
            }
            LinkState::Unauthorised { detail } => {
                error!(reason = %detail, "working offline; events stay in the outbox");
            }
        }
    }

    /// Tells the plane that the edge leaves on purpose; without it the last will would, later.
    async fn say_goodbye(self, mut inbox: mpsc::Receiver<Signal>) {
        if self.line == Line::Down {
            return;
        }
        let health = EdgeHealth { online: false, at: self.clock.now(), ..self.health.borrow().clone() };
        if self.publish(health, None).is_err() || self.client.try_disconnect().is_err() {
            return;
        }
        // The connection closes its end of the channel once it has disconnected.
        let gone = async { while inbox.recv().await.is_some() {} };
        if timeout(Duration::from_secs(1), gone).await.is_err() {
            debug!("the broker did not take the farewell in time");
        }
    }
}
