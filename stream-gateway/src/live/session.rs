//! One viewer.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Packet, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use media::fmp4::{Fragmenter, init_segment};
use protocol::{StreamState, Timestamp};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, interval_at, timeout},
};
use tracing::debug;

use super::Message;
use crate::{AccessUnit, Subscription, Unit, VideoParams, channel::Channel};

/// How long one message may take to leave.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// How often a quiet connection is tried.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A viewer that had to skip so often …
const MAX_SKIPS: usize = 4;
/// … within this time is too slow.
const SKIP_WINDOW: Duration = Duration::from_secs(30);

/// Why a session ends.
enum End {
    /// The viewer is gone.
    Gone,
    /// We hang up.
    Close(u16, &'static str),
}

struct Session<'a> {
    socket: WebSocket,
    channel: &'a Channel,
    player: Option<Player>,
    skips: Skips,
}

/// What the browser's player was told last.
struct Player {
    params: Arc<VideoParams>,
    fragmenter: Fragmenter,
}

/// When a viewer was too slow.
#[derive(Default)]
struct Skips(VecDeque<Timestamp>);

impl Skips {
    /// Notes one more skip; whether that is one too many.
    fn too_many(&mut self, now: Timestamp) -> bool {
        self.0.push_back(now);
        self.0.retain(|&at| now.since(at) <= SKIP_WINDOW);
        self.0.len() >= MAX_SKIPS
    }
}

/// Shows a camera to a viewer until either is gone.
pub(super) async fn serve(socket: WebSocket, channel: &Channel, subscription: Subscription) {
    let mut session = Session { socket, channel, player: None, skips: Skips::default() };
    let end = session.run(subscription).await.err().unwrap_or(End::Gone);
    if let End::Close(code, reason) = end {
        debug!(camera.id = %channel.id, reason, "closing a live view");
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let _ = timeout(SEND_PATIENCE, session.socket.send(Packet::Close(Some(frame)))).await;
    }
}

impl Session<'_> {
    /// Runs until an `Err` says why it ends; `Ok` never comes.
    async fn run(&mut self, mut subscription: Subscription) -> Result<(), End> {
        let mut conditions = self.channel.conditions();
        let mut overlays = self.channel.overlays();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let now = conditions.borrow_and_update().clone();
        if now.state != StreamState::Online {
            self.tell(&Message::State { state: now.state, detail: &now.detail }).await?;
        }
        loop {
            let skipped = subscription.skipped();
            tokio::select! {
                unit = subscription.next() => match unit {
                    None => return Err(End::Close(close_code::AWAY, "the camera is gone")),
                    Some(Unit::Frame(unit)) => self.show(&unit).await?,
                    Some(Unit::Gap) => {
                        // a hole would stop the player: it starts anew at the next key frame
                        self.player = None;
                        if subscription.skipped() > skipped && self.skips.too_many(self.channel.clock.now()) {
                            return Err(End::Close(close_code::AGAIN, "the connection is too slow for this video"));
                        }
                    }
                },
                changed = conditions.changed() => {
                    changed.map_err(|_| End::Gone)?;
                    let now = conditions.borrow_and_update().clone();
                    self.tell(&Message::State { state: now.state, detail: &now.detail }).await?;
                }
                overlay = overlays.recv() => match overlay {
                    Ok(overlay) => self.tell(&Message::Overlay { pts_us: overlay.pts_us, boxes: &overlay.boxes }).await?,
                    // older boxes are worth nothing
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(End::Gone),
                },
                packet = self.socket.recv() => match packet {
                    None | Some(Err(_) | Ok(Packet::Close(_))) => return Err(End::Gone),
                    Some(Ok(_)) => {}
                },
                _ = ping.tick() => self.send(Packet::Ping(Bytes::new())).await?,
            }
        }
    }

    async fn show(&mut self, unit: &AccessUnit) -> Result<(), End> {
        if self.player.as_ref().is_none_or(|player| player.params != unit.params) {
            let unfit = |_| End::Close(close_code::ERROR, "the video cannot be shown in a browser");
            let init = init_segment(&unit.params).map_err(unfit)?;
            let VideoParams { codec_string: codec, width, height, .. } = &*unit.params;
            let message = Message::Init { codec, width: *width, height: *height, base_pts_us: unit.pts_us };
            self.tell(&message).await?;
            self.send(Packet::Binary(init)).await?;
            let fragmenter = Fragmenter::new(unit.params.codec, unit.pts_us);
            self.player = Some(Player { params: Arc::clone(&unit.params), fragmenter });
        }
        let Some(player) = &mut self.player else { return Ok(()) };
        match player.fragmenter.push(unit.data.clone(), unit.key, unit.pts_us) {
            Ok(Some(fragment)) => self.send(Packet::Binary(fragment)).await,
            Ok(None) => Ok(()),
            Err(_) => Err(End::Close(close_code::ERROR, "the video cannot be shown in a browser")),
        }
    }

    async fn tell(&mut self, message: &Message<'_>) -> Result<(), End> {
        let text = serde_json::to_string(message).map_err(|_| End::Gone)?;
        self.send(Packet::Text(text.into())).await
    }

    async fn send(&mut self, packet: Packet) -> Result<(), End> {
        match timeout(SEND_PATIENCE, self.socket.send(packet)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_may_be_slow_now_and_then() {
        let check = |at: &[i64], expect: bool| {
            let mut skips = Skips::default();
            let last = at.iter().fold(false, |_, &secs| skips.too_many(Timestamp::from_secs(secs)));
            assert_eq!(last, expect, "{at:?}");
        };
        check(&[0], false);
        check(&[0, 3, 6], false);
        check(&[0, 3, 6, 9], true);
        check(&[0, 20, 40, 60, 80, 100], false);
        check(&[0, 20, 40, 60, 62, 64, 66], true);
    }
}
