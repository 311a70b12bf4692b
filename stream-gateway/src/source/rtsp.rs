//! RTSP cameras.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture};
use media::Codec;
use protocol::{Camera, StreamState, Transport};
use retina::{
    client::{
        Credentials, Demuxed, PlayOptions, Session, SessionGroup, SessionOptions, SetupOptions, TcpTransportOptions,
        UdpTransportOptions,
    },
    codec::{CodecItem, FrameFormat},
};
use tokio::time::timeout;
use tracing::debug;

use super::{Fault, RawUnit, Source, Stream, fault};

/// How long a goodbye may take. A camera that is gone does not answer it.
const GOODBYE: Duration = Duration::from_secs(2);

/// Pulls cameras by RTSP, over TCP or UDP, with digest authentication.
#[derive(Default)]
pub struct RtspSource {
    /// Sessions that a server may still believe in, by server. Some servers (old live555) send pictures of
    /// a forgotten session into the next connection, and many allow few sessions: so the next one is only
    /// opened when the last one is over.
    groups: Mutex<BTreeMap<String, Arc<SessionGroup>>>,
}

impl RtspSource {
    fn group(&self, camera: &Camera) -> Arc<SessionGroup> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(groups.entry(fault::host(camera)).or_default())
    }
}

impl Source for RtspSource {
    fn open<'a>(&'a self, camera: &'a Camera) -> BoxFuture<'a, Result<Box<dyn Stream>, Fault>> {
        Box::pin(async move {
            if camera.url.scheme() != "rtsp" {
                let detail = match camera.url.scheme() {
                    "gb28181" => "GB/T 28181 is switched off at this gateway: switch it on in its configuration",
                    _ => "rtsps:// cannot be pulled yet: use the camera's rtsp:// address",
                };
                return Err(Fault::new(StreamState::Unsupported, detail));
            }
            let group = self.group(camera);
            if timeout(GOODBYE, group.await_teardown()).await.is_err() {
                debug!(camera.id = %camera.id, "the camera has not confirmed the end of an earlier session");
            }
            let (session, codec) = play(camera, Arc::clone(&group)).await?;
            let camera = camera.clone();
            Ok(Box::new(RtspStream { session, codec, group, camera }) as Box<dyn Stream>)
        })
    }
}

async fn play(camera: &Camera, group: Arc<SessionGroup>) -> Result<(Demuxed, Codec), Fault> {
    let named = |error: retina::Error| fault::from_rtsp(camera, &error);
    let credentials = camera
        .credentials
        .as_ref()
        .map(|(username, password)| Credentials { username: username.clone(), password: password.expose().to_owned() });
    let options = SessionOptions::default()
        .creds(credentials)
        .user_agent(concat!("gongshao/", env!("CARGO_PKG_VERSION")).to_owned())
        .session_group(group);
    let mut session = Session::describe(camera.url.clone(), options).await.map_err(named)?;
    let (index, codec) = video(session.streams())?;
    let transport = match camera.transport {
        Transport::Tcp => retina::client::Transport::Tcp(TcpTransportOptions::default()),
        Transport::Udp => retina::client::Transport::Udp(UdpTransportOptions::default()),
    };
    // only video is set up: with sound the timestamps of both would have to be trusted
    let setup = SetupOptions::default().transport(transport).frame_format(FrameFormat::SIMPLE);
    session.setup(index, setup).await.map_err(named)?;
    let session = session.play(PlayOptions::default()).await.map_err(named)?;
    Ok((session.demuxed().map_err(named)?, codec))
}

/// The first video that can be used.
fn video(streams: &[retina::client::Stream]) -> Result<(usize, Codec), Fault> {
    let mut others = Vec::new();
    for (index, stream) in streams.iter().enumerate().filter(|(_, stream)| stream.media() == "video") {
        match stream.encoding_name() {
            "h264" => return Ok((index, Codec::H264)),
            "h265" => return Ok((index, Codec::H265)),
            other => others.push(other.to_uppercase()),
        }
    }
    let detail = if others.is_empty() {
        "the stream has no video: correct the path".to_owned()
    } else {
        format!("the camera sends {}: set it to H.264 or H.265", others.join(" and "))
    };
    Err(Fault::new(StreamState::Unsupported, detail))
}

struct RtspStream {
    session: Demuxed,
    codec: Codec,
    group: Arc<SessionGroup>,
    camera: Camera,
}

impl Stream for RtspStream {
    fn next(&mut self) -> BoxFuture<'_, Result<RawUnit, Fault>> {
        Box::pin(async move {
            loop {
                let item = self.session.next().await.ok_or_else(Fault::closed)?;
                let item = item.map_err(|error| fault::from_rtsp(&self.camera, &error))?;
                let CodecItem::VideoFrame(frame) = item else { continue };
                let time = frame.timestamp();
                let source_us = i128::from(time.elapsed()) * 1_000_000 / i128::from(time.clock_rate().get());
                return Ok(RawUnit {
                    codec: self.codec,
                    source_us: i64::try_from(source_us).unwrap_or(i64::MAX),
                    lost: frame.loss().into(),
                    data: Bytes::from(frame.into_data()),
                });
            }
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            drop(self.session);
            if timeout(GOODBYE, self.group.await_teardown()).await.is_err() {
                debug!(camera.id = %self.camera.id, "the camera did not confirm the end of the session");
            }
        })
    }
}
