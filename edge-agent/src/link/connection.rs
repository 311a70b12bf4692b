//! Polls the MQTT client: connects with back-off, tells the session what happened.

use std::{sync::Arc, time::Duration};

use protocol::{EdgeHealth, EdgeId, MessageId, wire};
use rumqttc::{
    ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, Outgoing, Packet, Publish, QoS, StateError,
    SubscribeReasonCode,
};
use runtime::{Backoff, Clock};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::LinkState;

/// What happened on the connection.
#[derive(Debug)]
pub(super) enum Signal {
    Up,
    Down(LinkState),
    Subscribed { accepted: bool },
    Message(Publish),
}

pub(super) struct Connection {
    pub(super) edge: EdgeId,
    pub(super) address: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) health: watch::Receiver<EdgeHealth>,
    pub(super) signals: mpsc::Sender<Signal>,
    pub(super) hard_stop: CancellationToken,
}

impl Connection {
    /// Runs until the session has disconnected, or is gone.
    pub(super) async fn run(self, mut events: EventLoop) {
        let mut backoff = Backoff::default();
        if let Some(will) = self.will() {
            events.mqtt_options.set_last_will(will);
        }
        loop {
            // Dropping `poll` half-way would lose what it was doing; only the end may do that.
            let polled = tokio::select! {
                () = self.hard_stop.cancelled() => return,
                polled = events.poll() => polled,
            };
            let signal = match polled {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    backoff.connected(self.clock.now());
                    Signal::Up
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let accepted = !ack.return_codes.contains(&SubscribeReasonCode::Failure);
                    Signal::Subscribed { accepted }
                }
                Ok(Event::Incoming(Packet::Publish(message))) => Signal::Message(message),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return linger(events).await,
                Ok(_) => continue,
                Err(error) => {
                    let wait = backoff.failed(self.clock.now(), &mut rand::rng());
                    debug!(reason = %error, retry_ms = wait.as_millis() as u64, "no connection to the broker");
                    if self.signals.send(Signal::Down(describe(&self.address, &error))).await.is_err() {
                        return;
                    }
                    if let Some(will) = self.will() {
                        events.mqtt_options.set_last_will(will);
                    }
                    tokio::select! {
                        () = self.hard_stop.cancelled() => return,
                        () = tokio::time::sleep(wait) => continue,
                    }
                }
            };
            if self.signals.send(signal).await.is_err() {
                return;
            }
        }
    }

    /// What the broker says when this edge falls silent.
    fn will(&self) -> Option<LastWill> {
        let now = self.clock.now();
        let body = EdgeHealth { online: false, at: now, ..self.health.borrow().clone() };
        let envelope =
            wire::Envelope { version: wire::VERSION, id: MessageId::new(now), edge: self.edge, sent_at: now, body };
        let bytes = wire::encode(&envelope).ok()?;
        Some(LastWill::new(wire::Channel::Health.topic(self.edge), bytes, QoS::AtLeastOnce, true))
    }
}

/// Lets the broker close the connection: closing it first with packets unread would reset it, and could
/// throw away the farewell.
async fn linger(mut events: EventLoop) {
    let closed = async { while events.poll().await.is_ok() {} };
    let _ = timeout(Duration::from_millis(500), closed).await;
}

fn describe(address: &str, error: &ConnectionError) -> LinkState {
    let detail = match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => {
            let detail = format!("the broker {address} refuses this edge; check `edge` and `secret`");
            return LinkState::Unauthorised { detail };
        }
        ConnectionError::ConnectionRefused(code) => format!("the broker {address} refuses connections: {code:?}"),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            format!("the broker {address} does not answer")
        }
        ConnectionError::MqttState(StateError::AwaitPingResp) => format!("the broker {address} fell silent"),
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            format!("the broker {address} closed the connection")
        }
        ConnectionError::Tls(e) => format!("no encrypted connection to the broker {address}: {e}; check ca_file"),
        ConnectionError::Io(e) => format!("the broker {address} cannot be reached: {e}"),
        other => format!("the connection to the broker {address} broke: {other}"),
    };
    LinkState::Unreachable { detail }
}
