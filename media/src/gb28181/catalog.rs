//! Queries and commands, and answers that come in several messages: pages are lost, repeated and reordered.

use std::{collections::BTreeMap, time::Duration};

use super::{CommandError, Edition, Event, Now, Platform, timers::Key, transactions::Purpose};
use crate::{
    gbid::GbId,
    gbtime::LocalTime,
    manscdp::{self, CatalogItem, Control, Page, Preset, Query, RecordItem},
    ptz::Ptz,
    sip::Message,
};

/// How long a page may take after the one before.
const PAGE_PATIENCE: Duration = Duration::from_secs(10);
/// How often a catalog with missing pages is asked for again.
const RETRIES: u8 = 2;
/// Most items of an answer that are kept.
const MAX_ITEMS: usize = 20_000;

/// A query or command that waits for its result.
#[derive(Debug)]
pub(super) struct Pending {
    command: &'static str,
    /// Queries of lists are asked again when pages are missing.
    query: Option<Query>,
    target: String,
    collected: Collected,
    announced: Option<u32>,
    retries: u8,
    deadline: Duration,
}

#[derive(Debug)]
enum Collected {
    Nothing,
    Channels(BTreeMap<String, CatalogItem>),
    Records(BTreeMap<(LocalTime, LocalTime, Option<String>), RecordItem>),
}

impl Platform {
    /// Asks a device about itself, or about one of its channels as `target`. The answer comes as an event,
    /// with the serial number that is given here.
    ///
    /// # Errors
    /// When the device is not online.
    pub fn query(&mut self, now: Now, device: GbId, target: &str, query: Query) -> Result<u32, CommandError> {
        self.ask(now, device, target, query, None)
    }

    fn ask(
        &mut self,
        now: Now,
        device: GbId,
        target: &str,
        query: Query,
        again: Option<Pending>,
    ) -> Result<u32, CommandError> {
        check_target(target)?;
        if let Query::Records(records) = &query
            && records.start > records.end
        {
            return Err(CommandError::Invalid("the recordings asked for end before they begin"));
        }
        let peer = self.peer(device)?;
        let sn = self.next_sn();
        let message = self.query_message(device, target, &query, sn);
        let collected = match query {
            Query::Catalog => Collected::Channels(BTreeMap::new()),
            Query::Records(_) => Collected::Records(BTreeMap::new()),
            _ => Collected::Nothing,
        };
        let deadline = now.elapsed + self.config.patience + PAGE_PATIENCE;
        let new = Pending {
            command: query.command(),
            query: Some(query),
            target: target.to_owned(),
            collected,
            announced: None,
            retries: 0,
            deadline,
        };
        let pending = again.map_or(new, |again| Pending { deadline, retries: again.retries + 1, ..again });
        self.pending.insert((device, sn), pending);
        self.timers.set(deadline, Key::Query(device, sn));
        let patience = self.config.patience;
        self.request(now, (device, peer), &message, Purpose::Query(sn), patience);
        Ok(sn)
    }

    /// Gives a command to a device or to one of its channels as `target`. [`Event::Done`] tells the result
    /// where the standard has one; movements have none.
    ///
    /// # Errors
    /// When the device is not online, or a value is out of range.
    pub fn control(&mut self, now: Now, device: GbId, target: &str, control: &Control) -> Result<u32, CommandError> {
        check_target(target)?;
        check_control(control)?;
        let peer = self.peer(device)?;
        let sn = self.next_sn();
        let edition = self.devices.get(&device).map(|device| device.edition).unwrap_or_default();
        let spelled = Control::KeyFrame { spelling_2016: edition < Edition::V2022 };
        let control = if matches!(control, Control::KeyFrame { .. }) { &spelled } else { control };
        let message = self.message_to(device, target, manscdp::body(control, sn, target, edition.charset()));
        let patience = self.config.patience;
        // movements and key frames are not confirmed
        if !matches!(control, Control::Ptz(_) | Control::KeyFrame { .. } | Control::PreciseMove { .. }) {
            let deadline = now.elapsed + patience + PAGE_PATIENCE;
            let pending = Pending {
                command: control.command(),
                query: None,
                target: target.to_owned(),
                collected: Collected::Nothing,
                announced: None,
                retries: 0,
                deadline,
            };
            self.pending.insert((device, sn), pending);
            self.timers.set(deadline, Key::Query(device, sn));
        }
        self.request(now, (device, peer), &message, Purpose::Query(sn), patience);
        Ok(sn)
    }

    pub(super) fn query_message(&mut self, device: GbId, target: &str, query: &Query, sn: u32) -> Message {
        let charset = self.devices.get(&device).map(|device| device.edition.charset()).unwrap_or_default();
        self.message_to(device, target, manscdp::query(query, sn, target, charset))
    }

    /// A MESSAGE without its `Via`.
    pub(super) fn message_to(&mut self, device: GbId, target: &str, body: Vec<u8>) -> Message {
        let message = self.outside_dialog("MESSAGE", device, target);
        message.with_body(manscdp::CONTENT_TYPE, body)
    }

    /// The message itself was answered: the result follows, unless it was refused.
    pub(super) fn query_answered(&mut self, now: Now, device: GbId, sn: u32, status: u16) {
        let Some(pending) = self.pending.get_mut(&(device, sn)) else { return };
        if (200..300).contains(&status) {
            pending.deadline = now.elapsed + PAGE_PATIENCE;
            self.timers.set(pending.deadline, Key::Query(device, sn));
        } else {
            self.pending.remove(&(device, sn));
            self.event(Event::Done { device, sn, ok: false });
        }
    }

    pub(super) fn query_unanswered(&mut self, device: GbId, sn: u32) {
        // pages may have come although the answer to the message was lost
        let started = self.pending.get(&(device, sn)).is_some_and(|pending| pending.announced.is_some());
        if !started && self.pending.remove(&(device, sn)).is_some() {
            self.event(Event::Unanswered { device, sn });
        }
    }

    /// The query that a result belongs to. Some devices write another serial number: then the oldest query of
    /// the kind it is.
    fn find(&self, device: GbId, sn: Option<u32>, command: &str) -> Option<u32> {
        let fits = |pending: &Pending| pending.command.eq_ignore_ascii_case(command);
        if let Some(sn) = sn
            && self.pending.get(&(device, sn)).is_some_and(fits)
        {
            return Some(sn);
        }
        let same = self.pending.iter().filter(|((owner, _), pending)| *owner == device && fits(pending));
        same.map(|((_, sn), _)| *sn).min()
    }

    /// Ends a query of one answer; gives its serial number.
    pub(super) fn settle(&mut self, device: GbId, sn: Option<u32>, command: &str) -> Option<u32> {
        let sn = self.find(device, sn, command)?;
        self.pending.remove(&(device, sn));
        Some(sn)
    }

    pub(super) fn catalog_page(&mut self, now: Now, device: GbId, sn: Option<u32>, page: Page<CatalogItem>) {
        let Some(sn) = self.find(device, sn, "Catalog") else { return };
        let Some(pending) = self.pending.get_mut(&(device, sn)) else { return };
        let Collected::Channels(channels) = &mut pending.collected else { return };
        pending.announced = page.total.or(pending.announced);
        let room = MAX_ITEMS.saturating_sub(channels.len());
        channels.extend(page.items.into_iter().take(room).map(|item| (item.id.clone(), item)));
        // items that nobody can use count too: waiting for them would be in vain
        let have = channels.len() + page.unusable;
        let complete = pending.announced.is_some_and(|announced| have >= announced as usize);
        pending.deadline = now.elapsed + PAGE_PATIENCE;
        self.timers.set(pending.deadline, Key::Query(device, sn));
        if complete {
            self.finish(device, sn, true);
        }
    }

    pub(super) fn record_page(&mut self, now: Now, device: GbId, sn: Option<u32>, page: Page<RecordItem>) {
        let Some(sn) = self.find(device, sn, "RecordInfo") else { return };
        let Some(pending) = self.pending.get_mut(&(device, sn)) else { return };
        let Collected::Records(records) = &mut pending.collected else { return };
        pending.announced = page.total.or(pending.announced);
        let room = MAX_ITEMS.saturating_sub(records.len());
        let keyed = page.items.into_iter().take(room).map(|r| ((r.start, r.end, r.path.clone()), r));
        records.extend(keyed);
        let have = records.len() + page.unusable;
        let complete = pending.announced.is_some_and(|announced| have >= announced as usize);
        pending.deadline = now.elapsed + PAGE_PATIENCE;
        self.timers.set(pending.deadline, Key::Query(device, sn));
        if complete {
            self.finish(device, sn, true);
        }
    }

    pub(super) fn preset_page(&mut self, device: GbId, sn: Option<u32>, page: Page<Preset>) {
        if let Some(sn) = self.settle(device, sn, "PresetQuery") {
            let mut presets = page.items;
            presets.sort_by_key(|preset| preset.id);
            presets.dedup_by_key(|preset| preset.id);
            self.event(Event::Presets { device, sn, presets });
        }
    }

    pub(super) fn query_due(&mut self, now: Now, device: GbId, sn: u32) {
        let Some(pending) = self.pending.get(&(device, sn)) else { return };
        if pending.deadline > now.elapsed {
            return;
        }
        let missing = matches!(pending.collected, Collected::Channels(_) | Collected::Records(_));
        if missing && pending.announced.is_some() && pending.retries < RETRIES {
            // what arrived is kept: two halves are a whole
            if let Some(mut pending) = self.pending.remove(&(device, sn)) {
                let (target, query) = (std::mem::take(&mut pending.target), pending.query.clone());
                if let Some(query) = query {
                    let again = Pending { target: target.clone(), ..pending };
                    let _ = self.ask(now, device, &target, query, Some(again));
                }
            }
        } else {
            self.finish(device, sn, false);
        }
    }

    fn finish(&mut self, device: GbId, sn: u32, complete: bool) {
        let Some(pending) = self.pending.remove(&(device, sn)) else { return };
        match pending.collected {
            Collected::Channels(channels) if complete || !channels.is_empty() => {
                let (channels, announced) = (channels.into_values().collect(), pending.announced);
                self.event(Event::Catalog { device, channels, complete, announced });
            }
            Collected::Records(records) if complete || !records.is_empty() => {
                self.event(Event::Records { device, sn, records: records.into_values().collect(), complete });
            }
            _ => self.event(Event::Unanswered { device, sn }),
        }
    }
}

/// Codes of channels are digits for most; a few vendors use letters.
pub(super) fn check_target(target: &str) -> Result<(), CommandError> {
    let clean =
        (1..=32).contains(&target.len()) && target.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if clean { Ok(()) } else { Err(CommandError::Invalid("a channel code has 1 to 32 letters and digits")) }
}

fn check_control(control: &Control) -> Result<(), CommandError> {
    let problem = match control {
        Control::Ptz(Ptz::SetPreset(0) | Ptz::CallPreset(0) | Ptz::DeletePreset(0)) => "presets are 1 to 255",
        Control::PreciseMove { pan, tilt, .. } if !(0.0..=360.0).contains(pan) || !(-30.0..=90.0).contains(tilt) => {
            "pan is 0 to 360 and tilt -30 to 90 degrees"
        }
        Control::SnapShot(shot)
            if !(1..=10).contains(&shot.count)
                || shot.interval_secs == 0
                || !(32..=128).contains(&shot.session.len()) =>
        {
            "1 to 10 pictures, at least 1 s apart, with a session of 32 to 128 characters"
        }
        _ => return Ok(()),
    };
    Err(CommandError::Invalid(problem))
}
