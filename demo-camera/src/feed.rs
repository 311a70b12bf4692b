//! Feeds one clip, round after round, into the media that the RTSP server makes of it.
//!
//! Each media asks for its next unit when the previous one has gone out; the server's sink holds
//! units back until their time has come. Timestamps are `anchor + time within the round`; the anchor
//! moves on by one round at a time, so that they never jump back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::clip::Clip;

/// How far a feed may fall behind the clock before it gives up the lost time.
const LATE: gst::ClockTime = gst::ClockTime::from_mseconds(500);

/// A demo camera: its clip, and the media that play it at the moment.
#[derive(Debug)]
pub(crate) struct Channel {
    clip: Clip,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stalled: bool,
    feeds: Vec<Arc<Mutex<Feed>>>,
}

#[derive(Debug)]
struct Feed {
    source: gst::glib::WeakRef<gst_app::AppSrc>,
    next: usize,
    anchor: gst::ClockTime,
    hungry: bool,
}

impl Channel {
    pub(crate) fn new(clip: Clip) -> Arc<Self> {
        Arc::new(Self { clip, state: Mutex::default() })
    }

    /// Plays the clip into `source` from its start on, until the source is gone.
    pub(crate) fn attach(self: &Arc<Self>, source: &gst_app::AppSrc) {
        source.set_caps(Some(&self.clip.caps));
        source.set_format(gst::Format::Time);
        source.set_is_live(true);
        source.set_stream_type(gst_app::AppStreamType::Stream);
        let feed = Feed { source: source.downgrade(), next: 0, anchor: gst::ClockTime::ZERO, hungry: false };
        let feed = Arc::new(Mutex::new(feed));
        {
            let mut state = locked(&self.state);
            state.feeds.retain(|feed| locked(feed).source.upgrade().is_some());
            state.feeds.push(Arc::clone(&feed));
        }
        let channel = Arc::clone(self);
        let need_data = move |_: &gst_app::AppSrc, _: u32| {
            let stalled = locked(&channel.state).stalled;
            let mut feed = locked(&feed);
            if stalled { feed.hungry = true } else { feed.send_next(&channel.clip) }
        };
        source.set_callbacks(gst_app::AppSrcCallbacks::builder().need_data(need_data).build());
    }

    /// Stops sending, with every connection left open.
    pub(crate) fn stall(&self) {
        locked(&self.state).stalled = true;
    }

    /// Sends again, from the unit at which the stall began.
    pub(crate) fn resume(&self) {
        let feeds = {
            let mut state = locked(&self.state);
            state.stalled = false;
            state.feeds.clone()
        };
        for feed in feeds {
            let mut feed = locked(&feed);
            if feed.hungry {
                feed.send_next(&self.clip);
            }
        }
    }
}

impl Feed {
    fn send_next(&mut self, clip: &Clip) {
        self.hungry = false;
        let Some(source) = self.source.upgrade() else { return };
        if self.next == clip.units.len() {
            self.next = 0;
            self.anchor += clip.duration;
        }
        let mut unit = clip.units[self.next].clone();
        self.next += 1;
        let offset = unit.pts().unwrap_or_default();
        let now = source.current_running_time().unwrap_or_default();
        if self.anchor + offset + LATE < now {
            // After a stall or an overload the stream goes on from now instead of racing through the lost time.
            self.anchor = now - offset.min(now);
        }
        let at = self.anchor + offset;
        unit.make_mut().set_pts(at);
        // Refused only when the media is being taken down, which is where a feed ends.
        let _ = source.push_buffer(unit);
    }
}

/// A feed's state stays usable after a panic elsewhere: every change to it is one assignment.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
