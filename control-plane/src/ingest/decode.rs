//! From bytes to something that can be stored, or the reason why not. Pure.

use protocol::{
    EdgeHealth, EdgeId, Event, EventId, HourlyCounts, ReportedState, TimedBox,
    wire::{self, Channel, Received},
};
use serde::Deserialize;

use super::Message;
use crate::evidence::MEDIA_TYPES;

/// What a message says.
#[derive(Debug)]
pub(super) enum Incoming {
    Event(EdgeId, Box<Event>),
    Health(EdgeId, Box<EdgeHealth>),
    Reported(EdgeId, Box<ReportedState>),
    Counts(EdgeId, Box<HourlyCounts>),
    Bad(Bad),
}

/// A message that cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) reason: String,
    /// What need not come again, when the message says what it is.
    pub(super) received: Option<(EdgeId, Received)>,
}

impl Bad {
    pub(super) fn event(edge: EdgeId, event: &Event, reason: impl Into<String>) -> Self {
        let received = Received { id: event.id, revision: event.revision };
        Self { reason: reason.into(), received: Some((edge, received)) }
    }
}

/// Longest text of an event, bytes.
const MAX_TEXT: usize = 300;

/// Most pictures and clips of an event.
const MAX_EVIDENCE: usize = 16;

pub(super) fn decode(message: &Message) -> Incoming {
    let Some((edge, channel)) = Channel::parse(&message.topic) else {
        return Incoming::Bad(Bad { reason: "the topic is not one of the edge link's".into(), received: None });
    };
    let bad = |error: wire::WireError| {
        let received = (channel == Channel::Event).then(|| readable_id(edge, &message.payload)).flatten();
        Incoming::Bad(Bad { reason: error.to_string(), received })
    };
    match channel {
        Channel::Event => match wire::decode::<Event>(edge, &message.payload) {
            Ok(envelope) => match fault(&envelope.body) {
                None => Incoming::Event(edge, Box::new(envelope.body)),
                Some(reason) => Incoming::Bad(Bad::event(edge, &envelope.body, reason)),
            },
            Err(error) => bad(error),
        },
        Channel::Health => match wire::decode::<EdgeHealth>(edge, &message.payload) {
            Ok(envelope) => Incoming::Health(edge, Box::new(envelope.body)),
            Err(error) => bad(error),
        },
        Channel::Reported => match wire::decode::<ReportedState>(edge, &message.payload) {
            Ok(envelope) => Incoming::Reported(edge, Box::new(envelope.body)),
            Err(error) => bad(error),
        },
        Channel::Telemetry => match wire::decode::<HourlyCounts>(edge, &message.payload) {
            Ok(envelope) => match envelope.body.validate() {
                Ok(()) => Incoming::Counts(edge, Box::new(envelope.body)),
                Err(error) => Incoming::Bad(Bad { reason: error.to_string(), received: None }),
            },
            Err(error) => bad(error),
        },
        Channel::Desired | Channel::Receipt => {
            Incoming::Bad(Bad { reason: "only the plane writes this topic".into(), received: None })
        }
    }
}

/// Which event revision a message is about although it cannot be read as a whole.
fn readable_id(edge: EdgeId, payload: &[u8]) -> Option<(EdgeId, Received)> {
    #[derive(Deserialize)]
    struct Outer {
        body: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        id: EventId,
        revision: u32,
    }
    let Outer { body } = serde_json::from_slice(payload).ok()?;
    Some((edge, Received { id: body.id, revision: body.revision }))
}

/// What is wrong with an event that is well-formed.
fn fault(event: &Event) -> Option<&'static str> {
    // 2000 to 2200: an edge without a clock is let in, one that counts in other units is not.
    let plausible = |t: protocol::Timestamp| (946_684_800_000_000..7_258_118_400_000_000).contains(&t.as_micros());
    let score = |s: f32| (0.0..=1.0).contains(&s);
    let text = |t: &str| t.len() <= MAX_TEXT && !t.contains('\0');
    let boxed = |b: &TimedBox| {
        let coordinates = [b.bbox.x, b.bbox.y, b.bbox.w, b.bbox.h];
        score(b.score) && text(&b.class) && coordinates.iter().all(|c| (-1.0..=2.0).contains(c))
    };
    let texts = [event.zone.as_deref().unwrap_or(""), &event.model.name, &event.model.version];
    if event.revision == 0 || event.revision > i32::MAX.unsigned_abs() {
        return Some("revisions count from 1");
    }
    if !plausible(event.started_at) || !plausible(event.decided_at) || !event.ended_at.is_none_or(plausible) {
        return Some("a time is outside 2000 to 2200");
    }
    if !score(event.score) {
        return Some("the score is not within 0 to 1");
    }
    if event.boxes.len() > Event::MAX_BOXES || event.path.len() > Event::MAX_BOXES {
        return Some("there are more boxes than an event carries");
    }
    if !event.boxes.iter().chain(&event.path).all(boxed) {
        return Some("a box has an impossible place, score or class");
    }
    if !texts.into_iter().all(text) {
        return Some("a text is too long");
    }
    if event.evidence.len() > MAX_EVIDENCE {
        return Some("there is more evidence than an event carries");
    }
    if !event.evidence.iter().all(|e| MEDIA_TYPES.contains(&e.media_type.as_str())) {
        return Some("evidence is image/jpeg or video/mp4");
    }
    None
}
