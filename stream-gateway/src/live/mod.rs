//! Live view: fragmented MP4 over a WebSocket, for Media Source Extensions.
//!
//! `GET /live/{camera}/ws?token=…`, with a token that the control plane signed. Text messages are JSON
//! (see [`Message`]), binary messages are MP4: after each `init` one init segment, then fragments.

mod access;
mod message;
mod session;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::get,
};
use protocol::viewer_token::ViewerKey;
use runtime::Clock;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{Hub, Subscription};

pub use access::ViewerRefused;
pub use message::Message;

/// So many viewers at once; the next one is refused.
pub const MAX_VIEWERS: usize = 64;
/// Viewers have nothing to say.
const MAX_INCOMING_BYTES: usize = 4 << 10;

#[derive(Clone)]
struct Live {
    hub: Hub,
    key: ViewerKey,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct Ticket {
    #[serde(default)]
    token: String,
}

/// The routes of the live view.
pub fn router(hub: Hub, key: ViewerKey, clock: Arc<dyn Clock>) -> Router {
    let places = Arc::new(Semaphore::new(MAX_VIEWERS));
    Router::new().route("/live/{camera}/ws", get(watch)).with_state(Live { hub, key, clock, places })
}

async fn watch(
    State(live): State<Live>,
    Path(camera): Path<String>,
    Query(ticket): Query<Ticket>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let admitted = access::admit(&live, &camera, &ticket.token, &headers);
    let (channel, place) = match admitted {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    match upgrade {
        Err(rejection) => rejection.into_response(),
        Ok(upgrade) => upgrade.max_message_size(MAX_INCOMING_BYTES).on_upgrade(async move |socket| {
            let subscription = Subscription::to(&channel);
            session::serve(socket, &channel, subscription).await;
            drop(place);
        }),
    }
}
