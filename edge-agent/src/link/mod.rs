//! The link to the control plane over MQTT: events and facts go up, desired state and receipts come down.
//!
//! The broker is not trusted to remember anything: the session is clean, and an event stays in the outbox
//! until the control plane's own receipt for it arrives. A bounded window of events is under way at a time,
//! in the order of commit; what is not receipted goes again after a while and after each reconnect.
//!
//! Two loops in one task: [`connection`] polls the client and owns the back-off, [`session`] decides what to
//! send. The session never waits for the connection, so the connection may wait for the session.

mod connection;
mod session;
mod window;

use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use protocol::{DesiredState, EdgeHealth, EdgeId, ReportedState, Secret};
use rumqttc::{AsyncClient, MqttOptions, TlsConfiguration, Transport};
use runtime::{Clock, Tasks};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::session::Session;
pub use crate::tls::TlsError;
use crate::{config::Broker, outbox::Outbox, tls};

/// How long an event may be without a receipt before it goes again.
pub const RESEND_AFTER: Duration = Duration::from_secs(15);

// Client's queue: the window, a whole window again, and the few other messages. When it is full the
// session tries again at its next tick.
const REQUESTS: usize = 2 * window::SIZE + 16;

// Packets that came in and wait for the session. When it is full the connection waits, and TCP with it.
const SIGNALS: usize = 64;

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// This edge.
    pub edge: EdgeId,
    /// Its secret.
    pub secret: Secret,
    /// The broker.
    pub broker: Broker,
    /// Certificates to trust; the system's when `None`.
    pub ca_file: Option<PathBuf>,
    /// How long an event may be without a receipt before it goes again, [`RESEND_AFTER`].
    pub resend_after: Duration,
}

/// What the link carries.
#[derive(Clone, Debug)]
pub struct LinkEnv {
    /// Events that wait.
    pub outbox: Outbox,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Published at each change; the link itself says whether the edge is online.
    pub health: watch::Receiver<EdgeHealth>,
    /// Published at each change.
    pub reported: watch::Receiver<ReportedState>,
}

/// How the link is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Being connected for the first time.
    #[default]
    Connecting,
    /// Connected and subscribed.
    Online,
    /// The broker cannot be reached; events stay in the outbox.
    Unreachable {
        /// Why, in words.
        detail: String,
    },
    /// The broker refuses this edge.
    Unauthorised {
        /// What to check.
        detail: String,
    },
}

/// What the control plane wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The newest desired state that could be read since the start.
    pub state: Option<DesiredState>,
    /// Why the newest one could not be read.
    pub problem: Option<String>,
}

/// A running link.
#[derive(Clone, Debug)]
pub struct Link {
    state: watch::Receiver<LinkState>,
    wanted: watch::Receiver<Wanted>,
}

impl Link {
    /// Starts the link as a task of `tasks`. When they are cancelled it says that the edge is offline and
    /// disconnects.
    ///
    /// # Errors
    /// When encryption is asked for and there is nothing to trust.
    pub async fn start(config: LinkConfig, env: LinkEnv, tasks: &Tasks) -> Result<Self, TlsError> {
        let (client, mut events) = AsyncClient::new(options(&config)?, REQUESTS);
        events.network_options.set_connection_timeout(10);
        let (signals, inbox) = mpsc::channel(SIGNALS);
        let (state_tx, state) = watch::channel(LinkState::default());
        let (wanted_tx, wanted) = watch::channel(Wanted::default());
        let (stop, hard_stop) = (tasks.token().clone(), CancellationToken::new());
        let connection = connection::Connection {
            edge: config.edge,
            address: format!("{}:{}", config.broker.host, config.broker.port),
            clock: Arc::clone(&env.clock),
            health: env.health.clone(),
            signals,
            hard_stop: hard_stop.clone(),
        };
        // On the heap: the client's future is large, and moves with the task's.
        let poll = Box::pin(connection.run(events));
        let session = Session::new(&config, env, client, state_tx, wanted_tx);
        let task = async move {
            tokio::join!(poll, async {
                // Whichever way the session ends, the connection ends with it.
                let _guard = hard_stop.drop_guard();
                session.run(inbox, stop).await;
            });
            Ok::<_, Infallible>(())
        };
        tasks.spawn("mqtt", task).await;
        Ok(Self { state, wanted })
    }

    /// How the link is, and its changes.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// What the control plane wants, and its changes.
    pub fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.clone()
    }
}

fn options(config: &LinkConfig) -> Result<MqttOptions, TlsError> {
    let mut options = MqttOptions::new(config.edge.to_string(), &config.broker.host, config.broker.port);
    options
        .set_credentials(config.edge.to_string(), config.secret.expose())
        .set_clean_session(true)
        .set_keep_alive(Duration::from_secs(10))
        // Above the protocol's own limit, so that an oversize message is refused by name and does not end the
        // connection again and again.
        .set_max_packet_size(4 * protocol::wire::MAX_MESSAGE_BYTES, 2 * protocol::wire::MAX_MESSAGE_BYTES)
        // More than the session ever has under way: the client stops reading requests at this number.
        .set_inflight(REQUESTS as u16);
    if config.broker.tls {
        let tls = tls::client_config(config.ca_file.as_deref())?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    Ok(options)
}
