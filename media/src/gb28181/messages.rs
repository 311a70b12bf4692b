//! MESSAGE and NOTIFY: what devices report.

use std::time::Duration;

use super::{Event, Now, Peer, Platform, transactions::Purpose};
use crate::{
    gbid::GbId,
    manscdp::{self, Body, Incoming, Root},
    sip::Message,
};

impl Platform {
    /// The registered device that sent a request. `From` names it for most; for some it is in the body
    /// (Hikvision's media status is from the channel).
    fn sender(&self, from: Peer, request: &Message, body: Option<&Incoming>) -> Option<GbId> {
        let by_from = request.from().and_then(|address| address.user()).and_then(|user| user.parse().ok());
        let by_body = body.and_then(|body| body.id.parse().ok());
        let known = |id| self.known(from, id).map(|device| device.id);
        let by_call = || {
            let call = self.call_ids.get(request.call_id()?)?;
            self.calls.get(call).map(|call| call.device)
        };
        known(by_from).or_else(|| known(by_body)).or_else(|| known(by_call()))
    }

    pub(super) fn message(&mut self, now: Now, from: Peer, request: &Message) {
        let body = match manscdp::parse(&request.body) {
            Ok(body) => Some(body),
            // some firewalls strip bodies: it is a sign of life all the same
            Err(_) if request.body.is_empty() => None,
            Err(error) => {
                self.respond(now, from, request, 400, &format!("Bad Request: {error}"));
                return;
            }
        };
        let Some(id) = self.sender(from, request, body.as_ref()) else {
            // it registers anew, which is the only way to become known or to change its address
            self.respond(now, from, request, 403, "Forbidden: register first");
            return;
        };
        let report = matches!(&body, Some(Incoming { body: Body::Keepalive { .. }, .. }));
        if report && self.devices.get(&id).is_some_and(|device| device.is_expired(now.elapsed)) {
            self.respond(now, from, request, 403, "Forbidden: the registration has expired");
            return;
        }
        self.respond(now, from, request, 200, "OK");
        self.heard(now, id, from);
        if let Some(body) = body {
            self.said(now, from, id, request, body);
        }
        self.watch(now, id);
    }

    pub(super) fn notify(&mut self, now: Now, from: Peer, request: &Message) {
        let body = manscdp::parse(&request.body).ok();
        let sender = self.sender(from, request, body.as_ref());
        // answered always: a device that gets none repeats it for ever
        self.respond(now, from, request, 200, "OK");
        let Some(id) = sender else { return };
        self.heard(now, id, from);
        self.notified(id, request);
        match body {
            Some(Incoming { body: Body::Catalog(page), .. }) if !page.items.is_empty() => {
                self.event(Event::ChannelsChanged { device: id, channels: page.items });
            }
            // an alarm by subscription needs no response message
            Some(Incoming { body: Body::Alarm(alarm), .. }) => self.event(Event::Alarm { device: id, alarm }),
            Some(body) => self.said(now, from, id, request, body),
            None => {}
        }
        self.watch(now, id);
    }

    fn said(&mut self, now: Now, from: Peer, device: GbId, request: &Message, incoming: Incoming) {
        let sn = incoming.sn;
        match incoming.body {
            Body::Keepalive { .. } => self.reported(now, device, sn),
            Body::Catalog(page) if incoming.root == Root::Notify => {
                self.event(Event::ChannelsChanged { device, channels: page.items });
            }
            Body::Catalog(page) => self.catalog_page(now, device, sn, page),
            Body::RecordInfo(page) => self.record_page(now, device, sn, page),
            Body::Presets(page) => self.preset_page(device, sn, page),
            Body::DeviceInfo(info) => {
                self.settle(device, sn, "DeviceInfo");
                if let Some(device) = self.devices.get_mut(&device).filter(|d| incoming.id == d.id.as_str()) {
                    device.manufacturer.clone_from(&info.manufacturer);
                }
                self.event(Event::Info { device, info });
            }
            Body::DeviceStatus(status) => {
                self.settle(device, sn, "DeviceStatus");
                self.event(Event::Status { device, status });
            }
            Body::Heartbeat { interval_secs, .. } => {
                self.settle(device, sn, "ConfigDownload");
                if let (Some(secs), Some(device)) = (interval_secs, self.devices.get_mut(&device)) {
                    device.announce_rhythm(Duration::from_secs(secs.into()));
                }
            }
            Body::Result { ok } => {
                let settled = self.settle(device, sn, &incoming.command);
                if let Some(sn) = settled {
                    self.event(Event::Done { device, sn, ok });
                }
            }
            Body::Alarm(alarm) => {
                self.confirm_alarm(now, from, device, sn, &alarm.id);
                self.event(Event::Alarm { device, alarm });
            }
            Body::MobilePosition(positions) if !positions.is_empty() => {
                self.event(Event::Positions { device, positions });
            }
            Body::SnapShotFinished { session, files } => self.event(Event::Pictures { device, session, files }),
            Body::MediaStatus(121) => self.file_ended(now, device, request.call_id(), &incoming.id),
            Body::MediaStatus(_) | Body::MobilePosition(_) | Body::Other => {}
        }
    }

    /// Alarms that come as MESSAGE want a message back, besides the 200.
    fn confirm_alarm(&mut self, now: Now, from: Peer, device: GbId, sn: Option<u32>, alarmed: &str) {
        let Some(edition) = self.devices.get(&device).map(|device| device.edition) else { return };
        let body = manscdp::alarm_response(sn.unwrap_or(0), alarmed, edition.charset());
        let message = self.message_to(device, device.as_str(), body);
        let patience = self.config.patience;
        self.request(now, (device, from), &message, Purpose::Nothing, patience);
    }
}
