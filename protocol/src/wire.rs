//! The edge link, version 1: topics, envelope, JSON, limits. The only place that knows them.
//!
//! Delivery of events is confirmed end to end: the edge keeps an event revision in its outbox until a
//! [`Receipt`] for it arrives, whatever the broker forgot in between, and the plane takes each
//! (event id, revision) once.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{DesiredState, EdgeHealth, EdgeId, Event, EventId, HourlyCounts, MessageId, ReportedState, Timestamp};

/// Version of the envelope.
pub const VERSION: u8 = 1;

/// The largest message either side sends or takes, bytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// What travels on one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Edge to plane, QoS 1: [`Event`].
    Event,
    /// Edge to plane, QoS 1, retained, last will: [`EdgeHealth`].
    Health,
    /// Edge to plane, QoS 1, retained: [`ReportedState`].
    Reported,
    /// Plane to edge, QoS 1, retained: [`DesiredState`].
    Desired,
    /// Plane to edge, QoS 1: [`Receipt`].
    Receipt,
    /// Edge to plane, QoS 1: [`HourlyCounts`].
    Telemetry,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] =
        [Self::Event, Self::Health, Self::Reported, Self::Desired, Self::Receipt, Self::Telemetry];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Health => "health",
            Self::Reported => "state/reported",
            Self::Desired => "state/desired",
            Self::Receipt => "receipt",
            Self::Telemetry => "telemetry",
        }
    }

    /// Whether the edge writes it (else the plane does).
    pub const fn is_upward(self) -> bool {
        matches!(self, Self::Event | Self::Health | Self::Reported | Self::Telemetry)
    }

    /// Topic of this channel for `edge`.
    pub fn topic(self, edge: EdgeId) -> String {
        format!("site/v1/{edge}/{}", self.suffix())
    }

    /// Filter that matches this channel of every edge.
    pub fn filter(self) -> String {
        format!("site/v1/+/{}", self.suffix())
    }

    /// Reads a topic back.
    pub fn parse(topic: &str) -> Option<(EdgeId, Self)> {
        let (edge, suffix) = topic.strip_prefix("site/v1/")?.split_once('/')?;
        let channel = Self::ALL.into_iter().find(|c| c.suffix() == suffix)?;
        Some((edge.parse().ok()?, channel))
    }
}

/// What may be put into an envelope, and on which channel it travels.
pub trait Body: Serialize + DeserializeOwned {
    /// Its channel.
    const CHANNEL: Channel;
}

impl Body for Event {
    const CHANNEL: Channel = Channel::Event;
}
impl Body for EdgeHealth {
    const CHANNEL: Channel = Channel::Health;
}
impl Body for ReportedState {
    const CHANNEL: Channel = Channel::Reported;
}
impl Body for DesiredState {
    const CHANNEL: Channel = Channel::Desired;
}
impl Body for HourlyCounts {
    const CHANNEL: Channel = Channel::Telemetry;
}
impl Body for Receipt {
    const CHANNEL: Channel = Channel::Receipt;
}

/// Event revisions that the plane has committed (or refused for good, with the reason kept in quarantine).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What need not be sent again.
    pub events: Vec<Received>,
}

/// One committed event revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Received {
    /// Which event.
    pub id: EventId,
    /// Which revision.
    pub revision: u32,
}

/// Every message's outer form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// [`VERSION`].
    pub version: u8,
    /// Id of this message; a repeated delivery has the same.
    pub id: MessageId,
    /// The edge it comes from or goes to.
    pub edge: EdgeId,
    /// When it was put into the envelope.
    pub sent_at: Timestamp,
    /// The content.
    pub body: T,
}

/// Why a message cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Over the size limit.
    #[error("the message has {0} bytes, more than the limit of {MAX_MESSAGE_BYTES}")]
    TooLarge(usize),
    /// Not the JSON that is expected.
    #[error("the message is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("message version {0} is not known here (this side speaks {VERSION})")]
    Version(u8),
    /// The sender claims to be another edge.
    #[error("the message is from edge {claimed}, but came on the topic of edge {topic}")]
    OtherEdge {
        /// In the envelope.
        claimed: EdgeId,
        /// On the topic.
        topic: EdgeId,
    },
}

/// Writes a message.
///
/// # Errors
/// When it is over the size limit.
pub fn encode<T: Body>(envelope: &Envelope<T>) -> Result<Vec<u8>, WireError> {
    let bytes = serde_json::to_vec(envelope)?;
    if bytes.len() > MAX_MESSAGE_BYTES { Err(WireError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Reads a message that came on the topic of `edge`.
///
/// # Errors
/// When it is too large, malformed, of another version, or of another edge.
pub fn decode<T: Body>(edge: EdgeId, bytes: &[u8]) -> Result<Envelope<T>, WireError> {
    #[derive(Deserialize)]
    struct Version {
        version: u8,
    }
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(WireError::TooLarge(bytes.len()));
    }
    // The version first: a newer body must fail as "newer", not as "malformed".
    let Version { version } = serde_json::from_slice(bytes)?;
    if version != VERSION {
        return Err(WireError::Version(version));
    }
    let envelope: Envelope<T> = serde_json::from_slice(bytes)?;
    if envelope.edge != edge {
        return Err(WireError::OtherEdge { claimed: envelope.edge, topic: edge });
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_read_back() {
        let edge = EdgeId::new(Timestamp::from_secs(1));
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(&channel.topic(edge)), Some((edge, channel)));
        }
        for rubbish in ["", "site/v1/", "site/v1/x/event", "site/v2/x/event", "$SYS/broker"] {
            assert_eq!(Channel::parse(rubbish), None);
        }
    }

    #[test]
    fn refuses_what_is_not_ours() {
        let now = Timestamp::from_secs(1);
        let (edge, other) = (EdgeId::new(now), EdgeId::new(now));
        let ours = Envelope { version: 1, id: MessageId::new(now), edge, sent_at: now, body: Receipt::default() };
        let bytes = encode(&ours).unwrap();
        assert_eq!(decode::<Receipt>(edge, &bytes).unwrap(), ours);
        assert!(matches!(decode::<Receipt>(other, &bytes), Err(WireError::OtherEdge { .. })));
        assert!(matches!(decode::<Receipt>(edge, br#"{"version":2}"#), Err(WireError::Version(2))));
        assert!(matches!(decode::<Receipt>(edge, b"\xff"), Err(WireError::Json(_))));
        assert!(matches!(decode::<Receipt>(edge, &vec![b' '; MAX_MESSAGE_BYTES + 1]), Err(WireError::TooLarge(_))));
    }
}
