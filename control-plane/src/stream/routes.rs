//! Server-sent events of the changes.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use server_kit::{ApiError, DbError, Principal, Query, accounts};
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ChangeKind, store,
    types::{Change, StreamHello, StreamParams},
};
use crate::{events, state::App};

/// Rows that are read at once.
const PAGE: i64 = 200;

/// How often a quiet stream looks whether its session still stands.
const RECHECK: Duration = Duration::from_secs(15);

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(stream_changes))
}

/// Server-sent events: `hello` with where the stream starts, then a `change` per committed change.
///
/// `hello` carries another `seq` than the cursor that was sent when that cursor is too old: then lists should be
/// read anew.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    tag = "stream",
    operation_id = "stream_changes",
    params(StreamParams),
    responses((
        status = 200,
        description = "the stream; `data` of `change` is a Change, of `hello` a StreamHello",
        body = Change,
        content_type = "text/event-stream",
    )),
    security(("session" = ["read"])),
)]
pub(crate) async fn stream_changes(
    State(app): State<Arc<App>>,
    principal: Principal,
    headers: HeaderMap,
    Query(params): Query<StreamParams>,
) -> Result<Response, ApiError> {
    let permit = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            "too many consoles are open; close some and try again",
            "打开的控制台过多，请关闭一些后重试",
        )
    })?;
    let resumed = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let news = app.changes.listen();
    let start = start(&app, resumed.or(params.cursor)).await?;
    let ended = app.sessions_ended.subscribe();
    let feed = Feed { app, news, ended, session: principal.session, cursor: start, ready: Vec::new(), _permit: permit };
    let hello = Event::default().event("hello").json_data(StreamHello { seq: start }).unwrap_or_default();
    let first = stream::iter([Ok::<_, Infallible>(hello.id(start.to_string()))]);
    let rest = stream::unfold(feed, |mut feed| async { feed.next().await.map(|event| (Ok(event), feed)) });
    let sse = Sse::new(futures::StreamExt::chain(first, rest)).keep_alive(KeepAlive::new().interval(RECHECK));
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(([unbuffered], sse).into_response())
}

/// Where a stream starts: after the cursor when everything since is kept, else now.
async fn start(app: &App, cursor: Option<i64>) -> Result<i64, DbError> {
    let mut connection = app.db.read().await?;
    let newest = store::newest(&mut connection).await?;
    let oldest = store::oldest(&mut connection).await?.unwrap_or(newest + 1);
    Ok(cursor.filter(|c| (oldest - 1..=newest).contains(c)).unwrap_or(newest))
}

struct Feed {
    app: Arc<App>,
    news: watch::Receiver<i64>,
    ended: watch::Receiver<u64>,
    session: String,
    /// Everything up to here is in `ready` or sent.
    cursor: i64,
    /// Newest first.
    ready: Vec<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    /// The next message; `None` ends the stream (the browser comes back with its cursor).
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop() {
                return Some(event);
            }
            self.news.mark_unchanged();
            match self.load().await {
                Ok(()) if self.ready.is_empty() => self.wait().await?,
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(reason = %error, "a change stream ends");
                    return None;
                }
            }
        }
    }

    async fn load(&mut self) -> Result<(), DbError> {
        let mut connection = self.app.db.read().await?;
        let rows = store::after(&mut connection, self.cursor, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        self.cursor = last.seq;
        // A thing that changed several times is told once, as it is now.
        let mut newest: HashMap<(&str, &str), i64> = HashMap::new();
        for row in &rows {
            newest.insert((row.kind.as_str(), &row.id), row.seq);
        }
        for row in rows.iter().rev().filter(|r| newest[&(r.kind.as_str(), r.id.as_str())] == r.seq) {
            let event = match row.kind {
                ChangeKind::Event => events::store::summary(&mut connection, &row.id, self.app.now()).await?,
                ChangeKind::Camera | ChangeKind::Task | ChangeKind::Edge => None,
            };
            let change = Change { seq: row.seq, kind: row.kind, id: row.id.clone(), event };
            let message = Event::default().event("change").id(row.seq.to_string()).json_data(change);
            self.ready.push(message.unwrap_or_default());
        }
        Ok(())
    }

    /// Waits for news; `None` when the stream should end.
    async fn wait(&mut self) -> Option<()> {
        loop {
            tokio::select! {
                () = self.app.stop.cancelled() => return None,
                changed = self.news.changed() => return changed.ok(),
                ended = self.ended.changed() => ended.ok()?,
                () = tokio::time::sleep(RECHECK) => {}
            }
            let mut connection = self.app.db.read().await.ok()?;
            if !accounts::session_stands(&mut connection, &self.session, self.app.now()).await.ok()? {
                return None;
            }
        }
    }
}
