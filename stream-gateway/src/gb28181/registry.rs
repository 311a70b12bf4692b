//! What is known of the devices, for status and console.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use media::{
    GbId,
    gb28181::{Event, OfflineReason},
    manscdp::CatalogItem,
};
use protocol::Timestamp;

use super::Diagnosis;

/// Channels kept of one device.
const MAX_CHANNELS: usize = 20_000;
/// Devices kept.
const MAX_DEVICES: usize = 20_000;

/// A device as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Its code.
    pub device: GbId,
    /// Whether it is online.
    pub online: bool,
    /// Why it is not, in words; empty when it is.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Where it registered from.
    pub address: Option<SocketAddr>,
    /// Maker, once it has said so.
    pub manufacturer: Option<String>,
    /// Model, once it has said so.
    pub model: Option<String>,
    /// Its channels, by code.
    pub channels: BTreeMap<String, CatalogItem>,
    /// Whether all channels are known.
    pub complete: bool,
}

/// Devices and streams. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    devices: BTreeMap<GbId, DeviceView>,
    streams: BTreeMap<u64, Diagnosis>,
    next: u64,
}

impl Registry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn devices(&self) -> Vec<DeviceView> {
        self.known().devices.values().cloned().collect()
    }

    pub(super) fn streams(&self) -> Vec<Diagnosis> {
        self.known().streams.values().cloned().collect()
    }

    /// Takes note of an event.
    pub(super) fn note(&self, now: Timestamp, event: &Event) {
        let mut known = self.known();
        match event {
            Event::Online { device, peer, .. } => {
                let view = known.device(now, *device);
                (view.online, view.detail, view.since) = (true, String::new(), now);
                view.address = Some(peer.address);
            }
            Event::Offline { device, reason } => {
                let view = known.device(now, *device);
                (view.online, view.detail, view.since) = (false, words(*reason).to_owned(), now);
            }
            Event::Refused { device, peer, reason } => {
                // a stranger leaves no trace here, a known device does
                if let Some(view) = known.devices.get_mut(device).filter(|view| !view.online) {
                    view.detail = format!("registration from {} was refused: {reason}", peer.address.ip());
                }
            }
            Event::Info { device, info } => {
                let view = known.device(now, *device);
                view.manufacturer.clone_from(&info.manufacturer);
                view.model.clone_from(&info.model);
            }
            Event::Catalog { device, channels, complete, .. } => {
                let view = known.device(now, *device);
                if *complete {
                    view.channels.clear();
                }
                view.complete = *complete;
                view.take(channels);
            }
            Event::ChannelsChanged { device, channels } => known.device(now, *device).change(channels),
            _ => {}
        }
    }

    /// Enters a stream; it leaves when the guard is dropped.
    pub(super) fn enter(&self, diagnosis: Diagnosis) -> StreamEntry {
        let mut known = self.known();
        known.next += 1;
        let key = known.next;
        known.streams.insert(key, diagnosis);
        StreamEntry { registry: self.clone(), key }
    }
}

impl Known {
    fn device(&mut self, now: Timestamp, device: GbId) -> &mut DeviceView {
        if self.devices.len() >= MAX_DEVICES && !self.devices.contains_key(&device) {
            let offline = self.devices.values().filter(|view| !view.online).min_by_key(|view| view.since);
            if let Some(oldest) = offline.map(|view| view.device) {
                self.devices.remove(&oldest);
            }
        }
        self.devices.entry(device).or_insert_with(|| DeviceView {
            device,
            online: false,
            detail: String::new(),
            since: now,
            address: None,
            manufacturer: None,
            model: None,
            channels: BTreeMap::new(),
            complete: false,
        })
    }
}

impl DeviceView {
    fn take(&mut self, channels: &[CatalogItem]) {
        for item in channels {
            if self.channels.len() < MAX_CHANNELS || self.channels.contains_key(&item.id) {
                self.channels.insert(item.id.clone(), item.clone());
            }
        }
    }

    /// Notifications may hold a code and an event only.
    fn change(&mut self, channels: &[CatalogItem]) {
        use media::manscdp::ChannelEvent;
        for item in channels {
            match item.event {
                Some(ChannelEvent::Deleted) => drop(self.channels.remove(&item.id)),
                Some(ChannelEvent::Added | ChannelEvent::Updated) | None => self.take(std::slice::from_ref(item)),
                Some(event) => {
                    if let Some(channel) = self.channels.get_mut(&item.id) {
                        channel.online = Some(event == ChannelEvent::On);
                    }
                }
            }
        }
    }
}

/// A stream's place in the registry.
#[derive(Debug)]
pub(super) struct StreamEntry {
    registry: Registry,
    key: u64,
}

impl StreamEntry {
    pub(super) fn update(&self, diagnosis: Diagnosis) {
        self.registry.known().streams.insert(self.key, diagnosis);
    }
}

impl Drop for StreamEntry {
    fn drop(&mut self) {
        self.registry.known().streams.remove(&self.key);
    }
}

const fn words(reason: OfflineReason) -> &'static str {
    match reason {
        OfflineReason::Unregistered => "the device said goodbye",
        OfflineReason::Silent => "the device sends no keep-alive and does not answer: check its power and its network",
        OfflineReason::Expired => "the device sends keep-alives, but did not renew its registration",
        OfflineReason::Disconnected => "the device's connection closed, and it did not come back",
    }
}

#[cfg(test)]
mod tests {
    use media::{gb28181::Peer, manscdp::ChannelEvent};

    use super::*;

    fn item(id: &str, event: Option<ChannelEvent>) -> CatalogItem {
        CatalogItem { id: id.into(), name: id.into(), event, ..CatalogItem::default() }
    }

    #[test]
    fn devices_come_go_and_keep_their_channels() {
        let registry = Registry::default();
        let device: GbId = "34020000001180000001".parse().unwrap();
        let peer = Peer::udp("198.51.100.7:5060".parse().unwrap());
        let refused = Event::Refused { device, peer, reason: "the password is another one".into() };
        let at = Timestamp::from_secs;
        registry.note(at(1), &refused);
        assert!(registry.devices().is_empty(), "strangers are not listed");
        registry.note(at(2), &Event::Online { device, edition: media::gb28181::Edition::default(), peer });
        let catalog = |ids: &[&str], complete| {
            let channels = ids.iter().map(|id| item(id, None)).collect();
            Event::Catalog { device, channels, complete, announced: Some(2) }
        };
        registry.note(at(3), &catalog(&["1", "2"], true));
        registry.note(at(4), &catalog(&["1"], false));
        let channels = || registry.devices()[0].channels.keys().cloned().collect::<Vec<_>>();
        assert_eq!(channels(), ["1", "2"], "an incomplete catalog takes nothing away");
        let changed = |item| Event::ChannelsChanged { device, channels: vec![item] };
        registry.note(at(5), &changed(item("3", Some(ChannelEvent::Added))));
        registry.note(at(5), &changed(item("2", Some(ChannelEvent::Deleted))));
        registry.note(at(5), &changed(item("1", Some(ChannelEvent::Off))));
        assert_eq!(channels(), ["1", "3"]);
        assert_eq!(registry.devices()[0].channels["1"].online, Some(false));
        registry.note(at(6), &Event::Offline { device, reason: OfflineReason::Silent });
        let view = &registry.devices()[0];
        assert_eq!((view.online, view.since, view.channels.len()), (false, at(6), 2));
        assert!(view.detail.contains("keep-alive"));
        registry.note(at(7), &refused);
        assert!(registry.devices()[0].detail.contains("password"));
    }
}
