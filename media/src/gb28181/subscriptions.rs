//! SUBSCRIBE: devices tell changes by themselves (section 9.11 of the 2016 edition).

use std::time::Duration;

use super::{CommandError, Event, Now, Platform, timers::Key, transactions::Purpose};
use crate::{
    gbid::GbId,
    manscdp::{self, Query},
    sip::Message,
};

/// How long a subscription is asked for, seconds.
const EXPIRES: u32 = 600;
/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_mins(1);

/// What one can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Channels that come, go and change.
    Catalog,
    /// Alarms.
    Alarm,
    /// Positions, every 5 s.
    Position,
}

impl Topic {
    fn query(self) -> Query {
        match self {
            Self::Catalog => Query::Catalog,
            Self::Alarm => Query::Alarm,
            Self::Position => Query::MobilePosition { interval_secs: 5 },
        }
    }
}

/// A subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    call_id: String,
    /// First part of the dialog; the remote half is filled in by the answer.
    message: Message,
    cseq: u32,
    /// When it is renewed.
    deadline: Duration,
    /// Whether the device ever sent a notification.
    pub(super) notified: bool,
}

impl Platform {
    /// Subscribes to a topic of a device, and renews it while the device is online. The device must be
    /// subscribed again after [`Event::Offline`].
    ///
    /// # Errors
    /// When the device is not online.
    pub fn subscribe(&mut self, now: Now, device: GbId, topic: Topic) -> Result<(), CommandError> {
        self.peer(device)?;
        if self.subscriptions.contains_key(&(device, topic)) {
            return Ok(());
        }
        let id = self.next_sn();
        // alarms and positions are subscribed to by the event package of presence
        let event = match topic {
            Topic::Catalog => format!("Catalog;id={id}"),
            Topic::Alarm | Topic::Position => format!("presence;id={id}"),
        };
        let message = self.outside_dialog("SUBSCRIBE", device, device.as_str()).with("Event", event);
        let call_id = message.call_id().unwrap_or_default().to_owned();
        let subscription = Subscription { call_id, message, cseq: 0, deadline: now.elapsed, notified: false };
        self.subscriptions.insert((device, topic), subscription);
        self.renew(now, device, topic, EXPIRES);
        Ok(())
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, now: Now, device: GbId, topic: Topic) {
        if self.subscriptions.contains_key(&(device, topic)) {
            self.renew(now, device, topic, 0);
            self.subscriptions.remove(&(device, topic));
        }
    }

    fn renew(&mut self, now: Now, device: GbId, topic: Topic, expires: u32) {
        let Ok(peer) = self.peer(device) else { return };
        let sn = self.next_sn();
        let charset = self.devices.get(&device).map(|device| device.edition.charset()).unwrap_or_default();
        let Some(subscription) = self.subscriptions.get_mut(&(device, topic)) else { return };
        subscription.cseq += 1;
        let mut message = subscription.message.clone();
        message.headers.set("CSeq", format!("{} SUBSCRIBE", subscription.cseq));
        message.headers.set("Expires", expires.to_string());
        let body = manscdp::query(&topic.query(), sn, device.as_str(), charset);
        let message = message.with_body(manscdp::CONTENT_TYPE, body);
        let patience = self.config.patience;
        self.request(now, (device, peer), &message, Purpose::Subscribe(topic), patience);
    }

    pub(super) fn subscribe_answered(&mut self, now: Now, device: GbId, topic: Topic, response: &Message, status: u16) {
        if !(200..300).contains(&status) {
            self.subscribe_failed(now, device, topic, status);
            return;
        }
        let Some(subscription) = self.subscriptions.get_mut(&(device, topic)) else { return };
        if let Some(to) = response.headers.get("To") {
            subscription.message.headers.set("To", to);
        }
        if let Some(contact) = response.contact().filter(|c| crate::sip::Uri::parse(&c.uri).is_some()) {
            subscription.message.start =
                crate::sip::Start::Request { method: "SUBSCRIBE".to_owned(), uri: contact.uri };
        }
        let granted = response.expires().unwrap_or(EXPIRES).clamp(30, EXPIRES);
        subscription.deadline = now.elapsed + Duration::from_secs(u64::from(granted) * 4 / 5);
        self.timers.set(subscription.deadline, Key::Subscription(device, topic));
    }

    /// The device refused, or forgot the dialog: told, and tried anew later.
    pub(super) fn subscribe_failed(&mut self, now: Now, device: GbId, topic: Topic, status: u16) {
        if self.subscriptions.remove(&(device, topic)).is_none() {
            return;
        }
        self.event(Event::NotSubscribed { device, topic, status });
        // what is not known today is not known in a minute either
        if matches!(status, 0 | 408 | 481 | 500..) {
            self.timers.set(now.elapsed + AGAIN, Key::Subscription(device, topic));
        }
    }

    pub(super) fn subscription_due(&mut self, now: Now, device: GbId, topic: Topic) {
        match self.subscriptions.get(&(device, topic)) {
            Some(subscription) if subscription.deadline <= now.elapsed => self.renew(now, device, topic, EXPIRES),
            Some(_) => {}
            None => drop(self.subscribe(now, device, topic)),
        }
    }

    /// Whether a device that took a subscription has ever used it: some answer 200 and book nothing, and must
    /// be asked instead.
    pub fn is_notified(&self, device: GbId, topic: Topic) -> bool {
        self.subscriptions.get(&(device, topic)).is_some_and(|subscription| subscription.notified)
    }

    pub(super) fn notified(&mut self, device: GbId, request: &Message) {
        let call_id = request.call_id().unwrap_or_default();
        for topic in [Topic::Catalog, Topic::Alarm, Topic::Position] {
            if let Some(subscription) = self.subscriptions.get_mut(&(device, topic))
                && subscription.call_id == call_id
            {
                subscription.notified = true;
            }
        }
    }
}
