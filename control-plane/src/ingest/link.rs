//! The MQTT client: stays connected, hands messages on, publishes what goes down. The only file that knows it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::{
    EdgeId, MessageId, Secret, Timestamp,
    wire::{self, Body, Channel, Envelope},
};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, MqttOptions, QoS, StateError,
    SubscribeFilter,
};
use runtime::{Backoff, Tasks};
use server_kit::DbError;
use tokio::sync::mpsc;
use url::Url;

use super::Message;
use crate::{
    config::{PlaneConfig, PlaneError},
    edges,
    state::App,
};

/// Messages that wait for the database. When full, newer ones are dropped; edges send them again.
const QUEUE: usize = 4_096;

/// Messages that wait for the broker. When full, newer ones are dropped; receipts are asked for again by the
/// repeated event, desired state is compared again every few seconds.
const OUTGOING: usize = 4_096;

/// How often generations are compared although nothing rang: another process may have changed something.
const COMPARE: Duration = Duration::from_secs(5);

/// Where the broker is.
pub(crate) struct Broker {
    host: String,
    port: u16,
    username: String,
    password: Secret,
}

impl Broker {
    pub(crate) fn of(config: &PlaneConfig) -> Result<Self, PlaneError> {
        let bad = || {
            // What is wrong may be a password in the wrong place.
            let shown = config.mqtt_url.rsplit('@').next().unwrap_or_default();
            PlaneError::MqttUrl(shown.to_owned())
        };
        let url = Url::parse(&config.mqtt_url).map_err(|_| bad())?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "mqtt" | "tcp") || !plain {
            return Err(bad());
        }
        let host = url.host_str().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        Ok(Self {
            host,
            port: url.port().unwrap_or(1883),
            username: config.mqtt_username.clone(),
            password: config.mqtt_password.clone(),
        })
    }
}

/// How the link is.
#[derive(Debug)]
pub(crate) struct LinkStatus(Mutex<Status>);

#[derive(Debug)]
struct Status {
    trouble: Option<String>,
    /// Counts connections: what was published before may be forgotten by the broker that is there now.
    connections: u64,
}

impl Default for LinkStatus {
    fn default() -> Self {
        let trouble = Some("not connected to the MQTT broker yet".to_owned());
        Self(Mutex::new(Status { trouble, connections: 0 }))
    }
}

impl LinkStatus {
    /// What is wrong, in words; `None` while connected.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    fn connected(&self) {
        let mut status = self.lock();
        status.trouble = None;
        status.connections += 1;
    }

    fn lost(&self, trouble: String) {
        self.lock().trouble = Some(trouble);
    }

    /// Which connection stands; `None` when none does.
    fn connection(&self) -> Option<u64> {
        let status = self.lock();
        status.trouble.is_none().then_some(status.connections)
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends to edges, never waiting.
#[derive(Clone)]
pub(crate) struct Publisher(AsyncClient);

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Publisher")
    }
}

impl Publisher {
    /// A publisher whose messages go nowhere, and what keeps it open.
    #[cfg(test)]
    pub(crate) fn unconnected() -> (Self, EventLoop) {
        let (client, connection) = AsyncClient::new(MqttOptions::new("test", "127.0.0.1", 1), OUTGOING);
        (Self(client), connection)
    }

    /// Puts a message to `edge` on its way; false when there is no room or it is too large.
    pub(crate) fn send<T: Body>(&self, edge: EdgeId, body: T, retain: bool, now: Timestamp) -> bool {
        let envelope = Envelope { version: wire::VERSION, id: MessageId::new(now), edge, sent_at: now, body };
        let bytes = match wire::encode(&envelope) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(edge.id = %edge, reason = %error, "a message to an edge cannot be sent");
                return false;
            }
        };
        let sent = self.0.try_publish(T::CHANNEL.topic(edge), QoS::AtLeastOnce, retain, bytes);
        if let Err(error) = &sent {
            tracing::warn!(edge.id = %edge, reason = %error, "no room for a message to an edge; it is sent later");
        }
        sent.is_ok()
    }
}

/// Starts the client; gives what publishes and what has come.
pub(crate) async fn connect(tasks: &Tasks, app: &Arc<App>, broker: Broker) -> (Publisher, mpsc::Receiver<Message>) {
    let id = format!("gongshao-plane-{}", hex::encode(rand::random::<[u8; 4]>()));
    let mut options = MqttOptions::new(id, broker.host, broker.port);
    options
        .set_credentials(broker.username, broker.password.expose())
        .set_clean_session(true)
        .set_keep_alive(Duration::from_secs(15))
        .set_inflight(100)
        .set_max_packet_size(2 * wire::MAX_MESSAGE_BYTES, 2 * wire::MAX_MESSAGE_BYTES);
    let (client, mut connection) = AsyncClient::new(options, OUTGOING);
    connection.network_options.set_connection_timeout(5);
    connection.network_options.set_tcp_nodelay(true);
    let (sender, receiver) = mpsc::channel(QUEUE);
    tasks.spawn("mqtt", poll(Arc::clone(app), client.clone(), connection, sender)).await;
    (Publisher(client), receiver)
}

async fn poll(
    app: Arc<App>,
    client: AsyncClient,
    mut connection: EventLoop,
    messages: mpsc::Sender<Message>,
) -> Result<(), std::convert::Infallible> {
    let mut backoff = Backoff::default();
    loop {
        let polled = tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            polled = connection.poll() => polled,
        };
        match polled {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                backoff.connected(app.now());
                subscribe(&client);
                app.link.connected();
                app.desired.notify_one();
                tracing::info!("connected to the MQTT broker");
            }
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let message = Message { topic: publish.topic, payload: publish.payload };
                if messages.try_send(message).is_err() {
                    tracing::warn!("ingest is behind; a message is dropped and will come again");
                }
            }
            Ok(_) => {}
            Err(error) => {
                let wait = backoff.failed(app.now(), &mut rand::rng());
                let words = words(&error);
                tracing::warn!(reason = %words, retry_ms = wait.as_millis() as u64, "the MQTT broker is away");
                app.link.lost(words);
                tokio::select! {
                    () = app.stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
}

fn subscribe(client: &AsyncClient) {
    let upward = Channel::ALL.into_iter().filter(|c| c.is_upward());
    let filters = upward.map(|c| SubscribeFilter::new(c.filter(), QoS::AtLeastOnce));
    if let Err(error) = client.try_subscribe_many(filters) {
        tracing::error!(reason = %error, "could not ask the MQTT broker for the edges' topics");
    }
}

/// What to do about it, without what was sent.
fn words(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "the MQTT broker refuses the user or password; check mqtt_username and mqtt_password".to_owned(),
        ConnectionError::ConnectionRefused(code) => format!("the MQTT broker refuses the connection: {code:?}"),
        ConnectionError::Io(error) => format!("the MQTT broker cannot be reached; check mqtt_url: {error}"),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => {
            "the MQTT broker does not answer; check mqtt_url and the network".to_owned()
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => "the MQTT broker closed the connection".to_owned(),
        other => format!("the MQTT connection failed: {other}"),
    }
}

/// Keeps every edge's retained desired state at its newest generation: at each change, and all of them when
/// the broker is new and may have forgotten.
pub(crate) async fn publish_desired(app: Arc<App>, publisher: Publisher) -> Result<(), std::convert::Infallible> {
    let mut published: HashMap<EdgeId, u64> = HashMap::new();
    let mut last = None;
    loop {
        let connection = app.link.connection();
        if connection != last {
            published.clear();
            last = connection;
        }
        if connection.is_some()
            && let Err(error) = publish_newer(&app, &publisher, &mut published).await
        {
            tracing::warn!(reason = %error, "desired state could not be read; it is tried again");
        }
        tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            () = app.desired.notified() => {}
            () = tokio::time::sleep(COMPARE) => {}
        }
    }
}

async fn publish_newer(app: &App, publisher: &Publisher, published: &mut HashMap<EdgeId, u64>) -> Result<(), DbError> {
    let generations = edges::store::generations(&mut *app.db.read().await?).await?;
    for (edge, generation) in generations {
        if published.get(&edge) == Some(&generation) {
            continue;
        }
        // One transaction, so that the generation fits the content.
        let mut tx = app.db.begin().await?;
        let desired = edges::store::desired(&mut tx, edge).await?;
        tx.commit().await?;
        let Some(desired) = desired else { continue };
        let generation = desired.generation;
        if publisher.send(edge, desired, true, app.now()) {
            published.insert(edge, generation);
            tracing::info!(edge.id = %edge, generation, "desired state published");
        }
    }
    Ok(())
}
