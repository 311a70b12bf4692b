//! Runs a GStreamer pipeline from start to end and tells why it ended.

use gstreamer as gst;
use gstreamer::prelude::*;

/// Initialises GStreamer and checks that the elements can be made.
pub(crate) fn check_elements(names: &[&str]) -> Result<(), String> {
    gst::init().map_err(|error| error.to_string())?;
    let missing: Vec<&str> = names.iter().copied().filter(|name| gst::ElementFactory::find(name).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("missing elements: {}", missing.join(", "))) }
}

/// Plays `pipeline` until the end of the stream or an error. `on_tick`, called about twice a second, may end it too.
pub(crate) fn run_to_end(
    pipeline: &gst::Pipeline,
    mut on_tick: impl FnMut(&gst::Pipeline) -> Result<(), String>,
) -> Result<(), String> {
    let _stopped = StopOnDrop(pipeline);
    let bus = pipeline.bus().expect("a pipeline has a bus from its construction on");
    if pipeline.set_state(gst::State::Playing).is_err() {
        let told = bus.timed_pop_filtered(gst::ClockTime::ZERO, &[gst::MessageType::Error]);
        return Err(told.as_ref().map_or_else(|| "the pipeline did not start".to_owned(), error_words));
    }
    loop {
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        match bus.timed_pop_filtered(gst::ClockTime::from_mseconds(500), &wanted) {
            Some(message) if message.type_() == gst::MessageType::Eos => return Ok(()),
            Some(message) => return Err(error_words(&message)),
            None => on_tick(pipeline)?,
        }
    }
}

/// The words of an error on the bus.
pub(crate) fn error_words(message: &gst::Message) -> String {
    match message.view() {
        gst::MessageView::Error(error) => error.error().message().trim_end_matches('.').to_owned(),
        _ => "unknown error".to_owned(),
    }
}

struct StopOnDrop<'a>(&'a gst::Pipeline);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        // Going to `Null` can't be refused; the result only says whether it is done already.
        let _ = self.0.set_state(gst::State::Null);
    }
}
