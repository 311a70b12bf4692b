//! The embedded MQTT broker: who may connect, and which topics each may touch.
//!
//! An edge writes and reads only below its own id; the control plane reads every edge's reports and writes
//! desired state and receipts. Nobody else gets in, and there is no anonymous access.

use std::{fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use mqtt5::broker::{
    BrokerConfig, MqttBroker,
    auth::{AuthProvider, AuthResult},
    config::StorageConfig,
};
use protocol::{EdgeId, Secret, wire::Channel};
use runtime::CancellationToken;

/// The name under which the control plane connects.
pub const PLANE_USER: &str = "plane";

/// Says whether `secret` is the credential of `edge`.
pub type EdgeCheck = Arc<dyn Fn(EdgeId, String) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Who may connect.
#[derive(Clone)]
pub struct Access {
    /// Password of [`PLANE_USER`].
    pub plane_password: Secret,
    /// Checks an edge's credential.
    pub edges: EdgeCheck,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// A broker that is bound and not yet serving.
pub struct Broker {
    inner: MqttBroker,
    address: SocketAddr,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The broker could not start or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address cannot be bound.
    #[error(
        "the MQTT broker cannot listen on {address}: {reason}; is another broker there? choose another address with --mqtt-listen"
    )]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// It stopped.
    #[error("the MQTT broker stopped: {0}")]
    Stopped(String),
}

impl Broker {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, access: Access) -> Result<Self, BrokerError> {
        let bind_failed = |reason: String| BrokerError::Bind { address, reason };
        let config = BrokerConfig {
            bind_addresses: vec![address],
            max_packet_size: protocol::wire::MAX_MESSAGE_BYTES + 4096,
            max_clients: 4096,
            sys_topics_enabled: false,
            // Delivery is confirmed end to end by receipts, so the broker may forget: it keeps nothing on disk.
            storage_config: StorageConfig { enable_persistence: false, ..StorageConfig::default() },
            ..BrokerConfig::default()
        };
        let inner = MqttBroker::with_config(config).await.map_err(|e| bind_failed(e.to_string()))?;
        let inner = inner.with_auth_provider(Arc::new(access));
        let address = inner.local_addr().ok_or_else(|| bind_failed("no address was bound".into()))?;
        Ok(Self { inner, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`.
    ///
    /// # Errors
    /// When the broker stops by itself.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        let handle = self.inner.shutdown_handle();
        let mut serving = std::pin::pin!(self.inner.run());
        let outcome = tokio::select! {
            outcome = &mut serving => outcome,
            () = shutdown.cancelled() => {
                handle.shutdown();
                serving.await
            }
        };
        outcome.map_err(|e| BrokerError::Stopped(e.to_string()))
    }
}

impl AuthProvider for Access {
    fn authenticate<'a>(
        &'a self,
        connect: &'a mqtt5::packet::connect::ConnectPacket,
        _from: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = mqtt5::error::Result<AuthResult>> + Send + 'a>> {
        Box::pin(async move {
            let refused = || AuthResult::fail(mqtt5::protocol::v5::reason_codes::ReasonCode::BadUsernameOrPassword);
            let (Some(user), Some(password)) = (connect.username.as_deref(), connect.password.as_deref()) else {
                return Ok(refused());
            };
            let Ok(password) = std::str::from_utf8(password) else { return Ok(refused()) };
            // An edge's client id is its own id, so that nobody takes over another's session; planes are several.
            let own_id = if user == PLANE_USER {
                connect.client_id.parse::<EdgeId>().is_err()
            } else {
                connect.client_id == user
            };
            let known = if user == PLANE_USER {
                same(password, self.plane_password.expose())
            } else if let Ok(edge) = user.parse() {
                (self.edges)(edge, password.to_owned()).await
            } else {
                false
            };
            Ok(if known && own_id { AuthResult::success_with_user(user) } else { refused() })
        })
    }

    fn authorize_publish<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        topic: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(std::future::ready(may_publish(user, topic)))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client: &str,
        user: Option<&'a str>,
        filter: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(std::future::ready(may_subscribe(user, filter)))
    }
}

fn may_publish(user: Option<&str>, topic: &str) -> bool {
    match (user, Channel::parse(topic)) {
        (Some(PLANE_USER), Some((_, channel))) => !channel.is_upward(),
        (Some(user), Some((edge, channel))) => channel.is_upward() && user == edge.to_string(),
        _ => false,
    }
}

fn may_subscribe(user: Option<&str>, filter: &str) -> bool {
    match user {
        Some(PLANE_USER) => {
            let plain = filter.strip_prefix("$share/").and_then(|f| f.split_once('/')).map_or(filter, |(_, f)| f);
            Channel::ALL.into_iter().any(|c| c.is_upward() && c.filter() == plain)
        }
        // An edge names its topics in full: a filter with wildcards parses as no topic.
        Some(user) => {
            Channel::parse(filter).is_some_and(|(edge, channel)| !channel.is_upward() && user == edge.to_string())
        }
        None => false,
    }
}

/// Compares without telling by its time where the first difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;

    use super::*;

    #[test]
    fn an_edge_touches_only_its_own_topics() {
        let now = Timestamp::from_secs(1);
        let (edge, other) = (EdgeId::new(now), EdgeId::new(now));
        let me = edge.to_string();
        let me = Some(me.as_str());
        assert!(may_publish(me, &Channel::Event.topic(edge)));
        assert!(!may_publish(me, &Channel::Event.topic(other)));
        assert!(!may_publish(me, &Channel::Desired.topic(edge)));
        assert!(!may_publish(me, &Channel::Receipt.topic(edge)));
        assert!(!may_publish(me, "$SYS/broker/version"));
        assert!(may_subscribe(me, &Channel::Desired.topic(edge)));
        assert!(!may_subscribe(me, &Channel::Desired.topic(other)));
        assert!(!may_subscribe(me, &Channel::Event.filter()));
        assert!(!may_subscribe(me, "#"));
        assert!(!may_subscribe(None, &Channel::Desired.topic(edge)));
    }

    #[test]
    fn the_plane_reads_reports_and_writes_state() {
        let edge = EdgeId::new(Timestamp::from_secs(1));
        let plane = Some(PLANE_USER);
        assert!(may_subscribe(plane, &Channel::Event.filter()));
        assert!(may_subscribe(plane, &format!("$share/planes/{}", Channel::Event.filter())));
        assert!(!may_subscribe(plane, "#"));
        assert!(may_publish(plane, &Channel::Desired.topic(edge)));
        assert!(!may_publish(plane, &Channel::Event.topic(edge)));
    }
}
