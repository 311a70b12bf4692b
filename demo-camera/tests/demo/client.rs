//! An RTSP client that is not ours: GStreamer's.

use std::path::Path;

use demo_camera::{DemoConfig, DemoServer};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "demo-12345";

/// Serves `clip` as the camera `gate`; port 0 takes a free one.
pub(crate) fn serve(clip: &Path, port: u16) -> DemoServer {
    DemoServer::start(DemoConfig {
        bind: ([127, 0, 0, 1], port).into(),
        username: USER.into(),
        password: PASSWORD.into(),
        clips: vec![("gate".into(), clip.to_owned())],
    })
    .unwrap()
}

pub(crate) struct Client {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
}

impl Client {
    pub(crate) fn connect(url: &str, password: &str, protocol: &str) -> Self {
        gst::init().unwrap();
        let description = format!(
            "rtspsrc location={url} user-id={USER} user-pw={password} protocols={protocol} latency=0 ! \
             rtph264depay ! h264parse ! video/x-h264,alignment=au ! appsink name=sink sync=false"
        );
        let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
        let sink = pipeline.by_name("sink").unwrap().downcast::<gst_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, sink }
    }

    /// The next picture's timestamp, or none when no picture comes for so long.
    pub(crate) fn next(&self, within_ms: u64) -> Option<gst::ClockTime> {
        let sample = self.sink.try_pull_sample(gst::ClockTime::from_mseconds(within_ms))?;
        sample.buffer().unwrap().pts()
    }

    /// The words of the client's error; panics when there is none in time.
    pub(crate) fn error(&self) -> String {
        let bus = self.pipeline.bus().unwrap();
        let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Error]);
        match message.expect("an error in time").view() {
            gst::MessageView::Error(error) => format!("{} {:?}", error.error(), error.debug()),
            _ => unreachable!("only errors were asked for"),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
