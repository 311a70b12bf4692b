use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a video could not be turned into a clip for a demo camera.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The file is not there or may not be read.
    #[error("can't read the video {path}: check that the file exists and may be read")]
    Read {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file holds no moving picture that can be decoded.
    #[error("{path} is not a video: give a file that holds a video track, such as an .mp4 or .avi ({detail})")]
    NotVideo {
        /// The file as it was named.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },
    /// The file starts as a video, but could not be converted to its end.
    #[error("the video {path} could not be converted: {detail}")]
    Convert {
        /// The file as it was named.
        path: PathBuf,
        /// What the converter said.
        detail: String,
    },
    /// The converted clip could not be kept.
    #[error("can't write the converted clip {path}: check free space and permissions")]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// GStreamer or one of its plugins is missing.
    #[error("GStreamer lacks what demo cameras need ({detail}): run `make setup`")]
    Plugins {
        /// What is missing.
        detail: String,
    },
}

/// Why the demo cameras could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The name can't be a path of an RTSP address, or is used twice.
    #[error("`{name}` can't name a demo camera: use each name once, of Latin letters, digits, `-` and `_`")]
    Name {
        /// The name as given.
        name: String,
    },
    /// A clip could not be read as H.264 in MP4.
    #[error("the clip {path} can't be served: {detail}; pass it through `prepare` first")]
    Clip {
        /// The clip's file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The address can't be listened on.
    #[error("demo cameras can't listen on {address}: another program may use that port")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
    },
    /// GStreamer or one of its plugins is missing.
    #[error("GStreamer lacks what demo cameras need ({detail}): run `make setup`")]
    Plugins {
        /// What is missing.
        detail: String,
    },
    /// The system refused a thread.
    #[error("can't start the thread that serves the demo cameras")]
    Thread {
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
