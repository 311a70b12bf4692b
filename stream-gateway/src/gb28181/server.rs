//! The face of the server.

use std::{io, net::SocketAddr, sync::Arc};

use media::{
    GbId,
    gb28181::{CommandError, Event, Platform, Topic},
    manscdp::{Control, Query},
};
use rand::Rng as _;
use runtime::{Clock, Tasks};
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::info;

use super::{
    DeviceView, Diagnosis, InvalidServerConfig, ServerConfig,
    actor::{Actor, Request},
    connections,
    ports::{self, Ports},
    registry::Registry,
    source::GbSource,
};
use crate::Hub;

/// Requests that wait for the server's task; whoever asks for more waits.
const MAX_REQUESTS: usize = 1_024;
/// Events kept for a listener that is busy; a slower one misses the oldest and is told how many.
const MAX_EVENTS: usize = 4_096;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A wrong configuration.
    #[error("the GB/T 28181 server is not configured right")]
    Config(#[from] InvalidServerConfig),
    /// The address is taken or not allowed.
    #[error("cannot listen for SIP at {address}: is another server running there, or is the port below 1024?")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// The running server. Clones are the same.
#[derive(Clone, Debug)]
pub struct Server {
    address: SocketAddr,
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<Arc<Event>>,
    registry: Registry,
}

impl Server {
    /// Starts the server with tasks of `tasks`, and makes `gb28181://` cameras of `hub` its own. Port 0 in
    /// the listening address takes a free one.
    ///
    /// # Errors
    /// When the configuration cannot work, or the address cannot be listened at.
    pub async fn start(
        config: &ServerConfig,
        hub: &Hub,
        clock: Arc<dyn Clock>,
        tasks: &Arc<Tasks>,
    ) -> Result<Self, StartError> {
        let ports = Ports::new(config.ports()?);
        let mut seed = [0; 32];
        rand::rng().fill_bytes(&mut seed);
        let protocol = config.protocol()?;
        let patience = protocol.invite_patience;
        let platform = Platform::new(protocol, seed).map_err(InvalidServerConfig::from)?;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let socket = ports::udp(config.listen).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let listener = ports::tcp(address).map_err(failed)?;

        let (requests, receiver) = mpsc::channel(MAX_REQUESTS);
        let events = broadcast::Sender::new(MAX_EVENTS);
        let registry = Registry::default();
        let token = tasks.token().clone();
        let actor = Actor::new(platform, socket, receiver, events.clone(), registry.clone(), clock, token.clone());
        tasks.spawn("gb28181", actor.run()).await;
        tasks.spawn("gb28181 connections", connections::serve(listener, requests.clone(), token)).await;
        let server = Self { address, requests, events, registry };
        let source = GbSource::new(server.clone(), ports, config.media_ip(), patience);
        hub.add_source("gb28181", Arc::new(source));
        info!(server.address = %address, server.id = config.id, "the GB/T 28181 server listens");
        Ok(server)
    }

    /// Where SIP is listened for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// All devices that are or were online since the start.
    pub fn devices(&self) -> Vec<DeviceView> {
        self.registry.devices()
    }

    /// All streams that run or are being set up.
    pub fn streams(&self) -> Vec<Diagnosis> {
        self.registry.streams()
    }

    /// What happens from now on: devices, channels, alarms, positions, answers.
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Asks a device, or its channel `target`; the answer comes as an event with the serial number given here.
    ///
    /// # Errors
    /// When the device is not online or the question makes no sense.
    pub async fn query(&self, device: GbId, target: &str, query: Query) -> Result<u32, CommandError> {
        let target = target.to_owned();
        self.ask(device, |answer| Request::Query(device, target, query, answer)).await
    }

    /// Commands a device, or its channel `target`.
    ///
    /// # Errors
    /// When the device is not online or a value is out of range.
    pub async fn control(&self, device: GbId, target: &str, control: Control) -> Result<u32, CommandError> {
        let target = target.to_owned();
        self.ask(device, |answer| Request::Control(device, target, control, answer)).await
    }

    /// Subscribes to a topic while the device is online.
    ///
    /// # Errors
    /// When the device is not online.
    pub async fn subscribe(&self, device: GbId, topic: Topic) -> Result<(), CommandError> {
        self.ask(device, |answer| Request::Subscribe(device, topic, answer)).await
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Asks the server's task. One that has stopped has no device online.
    pub(super) async fn ask<T>(
        &self,
        device: GbId,
        request: impl FnOnce(oneshot::Sender<Result<T, CommandError>>) -> Request,
    ) -> Result<T, CommandError> {
        let (sender, receiver) = oneshot::channel();
        let stopped = || CommandError::Offline(device);
        self.requests.send(request(sender)).await.map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }

    /// Where a device registered from.
    pub(super) async fn address_of(&self, device: GbId) -> Option<SocketAddr> {
        let (sender, receiver) = oneshot::channel();
        self.requests.send(Request::Address(device, sender)).await.ok()?;
        receiver.await.ok()?
    }

    /// Tells the server's task something that needs no answer, unless it is too busy to hear it.
    pub(super) fn tell(&self, request: Request) {
        let _ = self.requests.try_send(request);
    }

    /// Tells the server's task something that it must hear.
    pub(super) async fn insist(&self, request: Request) {
        let _ = self.requests.send(request).await;
    }
}
