//! Turns any video into a clip that a demo camera can loop, once per content.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use sha2::{Digest, Sha256};

use crate::encoder::make;
use crate::error::PrepareError;
use crate::picture::{Picture, View};
use crate::run::{check_elements, run_to_end};

/// Part of the cache's file names: a clip made by an older recipe is made anew.
const RECIPE: &str = "r1";
/// Clips are held in memory while they are served, so a long recording is cut.
pub(crate) const MAX_LENGTH: gst::ClockTime = gst::ClockTime::from_seconds(300);
const MIN_PICTURES: u32 = 10;

/// Converts a video to H.264 without B-frames, one key frame a second, at most 1280 pixels wide and 5 minutes long.
///
/// The result is kept in `cache_dir` under the hash of the input's content, so the second call for the same
/// video only reads it. Blocks until it is done; progress is logged.
pub fn prepare(input: &Path, cache_dir: &Path) -> Result<PathBuf, PrepareError> {
    prepare_view(input, View::WHOLE, cache_dir)
}

/// As [`prepare()`], of a part of the picture only, enlarged to the size of the whole: a second camera that looks closer.
pub fn prepare_view(input: &Path, view: View, cache_dir: &Path) -> Result<PathBuf, PrepareError> {
    let hash = content_hash(input).map_err(|source| PrepareError::Read { path: input.to_owned(), source })?;
    let stem = format!("{}-{RECIPE}{}", &hash[..32], view.suffix());
    let output = cache_dir.join(format!("{stem}.mp4"));
    if output.is_file() {
        return Ok(output);
    }
    let wanted = ["decodebin", "videoconvert", "videocrop", "videoscale", "videorate", "h264parse", "mp4mux"];
    check_elements(&wanted).map_err(|detail| PrepareError::Plugins { detail })?;
    let write = |source| PrepareError::Write { path: output.clone(), source };
    fs::create_dir_all(cache_dir).map_err(write)?;
    // Written beside its place under a name of its own, so that neither a crash nor a second process leaves half a clip.
    let partial = Partial(cache_dir.join(format!("{stem}-{}.tmp", std::process::id())));
    tracing::info!(clip.input = %input.display(), "preparing a clip for a demo camera");
    convert(input, view, &partial.0)?;
    fs::rename(&partial.0, &output).map_err(write)?;
    tracing::info!(clip.input = %input.display(), clip.output = %output.display(), "clip is ready");
    Ok(output)
}

struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // It is there only when the conversion failed; a leftover is harmless.
        let _ = fs::remove_file(&self.0);
    }
}

fn content_hash(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut part) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            read => hasher.update(&part[..read]),
        }
    }
}

/// What the pipeline's own threads tell the one that waits for it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) video: AtomicBool,
    pub(crate) pictures: AtomicU32,
    pub(crate) too_long: AtomicBool,
}

fn convert(input: &Path, view: View, output: &Path) -> Result<(), PrepareError> {
    let seen = Arc::new(Seen::default());
    let mut watch = Watch { input, told_percent: 0, pictures: 0, since: Instant::now() };
    let result = build(input, view, output, &seen)
        .and_then(|pipeline| run_to_end(&pipeline, |pipeline| watch.tick(pipeline, &seen)));
    if seen.too_long.load(Ordering::Relaxed) {
        let seconds = MAX_LENGTH.seconds();
        tracing::warn!(clip.input = %input.display(), clip.seconds = seconds, "only the start of the video is used");
    }
    let (path, pictures) = (input.to_owned(), seen.pictures.load(Ordering::Relaxed));
    match result {
        Err(detail) if !seen.video.load(Ordering::Relaxed) => Err(PrepareError::NotVideo { path, detail }),
        Err(detail) => Err(PrepareError::Convert { path, detail }),
        Ok(()) if pictures < MIN_PICTURES => {
            Err(PrepareError::NotVideo { path, detail: format!("it holds only {pictures} pictures") })
        }
        Ok(()) => Ok(()),
    }
}

/// Tells how far a conversion is, and notices when it no longer moves.
struct Watch<'a> {
    input: &'a Path,
    told_percent: u64,
    pictures: u32,
    since: Instant,
}

impl Watch<'_> {
    fn tick(&mut self, pipeline: &gst::Pipeline, seen: &Seen) -> Result<(), String> {
        let pictures = seen.pictures.load(Ordering::Relaxed);
        if pictures != self.pictures {
            (self.pictures, self.since) = (pictures, Instant::now());
        }
        // GStreamer's `decodebin` loses an error that comes while it still puts itself together, and then waits for ever.
        let patience = if pictures == 0 { Duration::from_secs(10) } else { Duration::from_mins(1) };
        if self.since.elapsed() > patience {
            return Err(format!("no picture came for {} s", patience.as_secs()));
        }
        let position = pipeline.query_position::<gst::ClockTime>();
        let duration = pipeline.query_duration::<gst::ClockTime>();
        if let (Some(position), Some(duration)) = (position, duration.map(|d| d.min(MAX_LENGTH))) {
            let percent = (position.mseconds() * 100 / duration.mseconds().max(1)).min(100);
            if percent >= self.told_percent + 20 {
                self.told_percent = percent;
                tracing::info!(clip.input = %self.input.display(), clip.percent = percent, "preparing a clip");
            }
        }
        Ok(())
    }
}

fn build(input: &Path, view: View, output: &Path, seen: &Arc<Seen>) -> Result<gst::Pipeline, String> {
    let utf8 = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| "its name is not UTF-8".to_owned());
    let pipeline = gst::Pipeline::new();
    let (source, decoder) = (make("filesrc")?, make("decodebin")?);
    source.set_property("location", utf8(input)?);
    pipeline.add_many([&source, &decoder]).map_err(|error| error.to_string())?;
    source.link(&decoder).map_err(|error| error.to_string())?;

    let no_video = Arc::clone(seen);
    decoder.connect_no_more_pads(move |decoder| {
        if !no_video.video.load(Ordering::Relaxed) {
            gst::element_error!(decoder, gst::StreamError::WrongType, ("it holds no video track"));
        }
    });
    let (weak, seen, output) = (pipeline.downgrade(), Arc::clone(seen), utf8(output)?);
    decoder.connect_pad_added(move |decoder, pad| {
        let (Some(pipeline), Some(picture)) = (weak.upgrade(), Picture::of(pad, view)) else { return };
        if seen.video.swap(true, Ordering::Relaxed) {
            return; // a second video track
        }
        if let Err(detail) = picture.link(&pipeline, pad, &output, &seen) {
            gst::element_error!(decoder, gst::StreamError::Format, ("{}", detail));
        }
    });
    Ok(pipeline)
}
