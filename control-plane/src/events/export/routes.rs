//! Lists of events as files.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State as Shared,
    http::header,
    response::{IntoResponse as _, Response},
};
use futures::stream;
use protocol::{ContentHash, Timestamp};
use server_kit::{ApiError, DbError, Principal, Query};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{TITLES, cells, csv, sheet};
use crate::{
    china_time,
    events::{
        EventSummary, search,
        store::{self, EventQuery, evidence_url},
        types::EventParams,
    },
    state::App,
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(export_events_csv)).routes(routes!(export_events_xlsx))
}

/// Rows that are read at once.
const PAGE: i64 = 500;

/// Rows of a CSV file at most: what Excel can open.
const MOST_CSV_ROWS: usize = 1_000_000;

/// Rows of an Excel file at most.
const MOST_SHEET_ROWS: usize = 5_000;

/// Rows with a thumbnail at most; reading each picture takes some hundredths of a second.
const MOST_PICTURES: usize = 500;

/// The list as CSV, newest first, at most 1,000,000 rows. `cursor` and `limit` mean nothing here.
#[utoipa::path(
    get,
    path = "/api/v1/events/export.csv",
    tag = "events",
    operation_id = "export_events_csv",
    params(EventParams),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String)),
    security(("session" = ["read"])),
)]
pub(crate) async fn export_events_csv(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Query(params): Query<EventParams>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let mut query = search::query(&params, &principal, now)?;
    query.limit = PAGE;
    let mut head = csv::BYTE_ORDER_MARK.to_owned();
    csv::push(&mut head, &TITLES);
    let first = stream::iter([Ok::<_, DbError>(Bytes::from(head))]);
    let rest = stream::try_unfold(Some((app, query, 0_usize)), move |state| async move {
        let Some((app, mut query, written)) = state else { return Ok(None) };
        let page = store::page(&mut *app.db.read().await?, &query, now).await?;
        let mut text = String::new();
        for event in &page {
            csv::push(&mut text, &cells(event));
        }
        let written = written + page.len();
        let next = page.last().filter(|_| page.len() == PAGE as usize && written < MOST_CSV_ROWS);
        let next = next.map(|last| after(last, &mut query)).map(|()| (app, query, written));
        if text.is_empty() && next.is_none() {
            return Ok(None);
        }
        Ok(Some((Bytes::from(text), next)))
    });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    Ok((headers("text/csv; charset=utf-8", "csv", now), body).into_response())
}

/// The list as an Excel workbook, newest first: at most 5,000 rows, the first 500 with a thumbnail.
#[utoipa::path(
    get,
    path = "/api/v1/events/export.xlsx",
    tag = "events",
    operation_id = "export_events_xlsx",
    params(EventParams),
    responses((
        status = 200,
        description = "the file",
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        body = Vec<u8>,
    )),
    security(("session" = ["read"])),
)]
pub(crate) async fn export_events_xlsx(
    Shared(app): Shared<Arc<App>>,
    principal: Principal,
    Query(params): Query<EventParams>,
) -> Result<Response, ApiError> {
    const MIME: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    // One at a time: a workbook holds its pictures in memory.
    let _turn = app.exports.acquire().await.map_err(|e| ApiError::unavailable(&e))?;
    let now = app.now();
    let mut query = search::query(&params, &principal, now)?;
    query.limit = PAGE;
    let mut rows: Vec<sheet::Row> = Vec::new();
    while rows.len() < MOST_SHEET_ROWS {
        let page = store::page(&mut *app.db.read().await?, &query, now).await?;
        for event in &page {
            let picture = if rows.len() < MOST_PICTURES { picture(&app, event) } else { None };
            rows.push(sheet::Row { cells: cells(event), picture });
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after(last, &mut query),
            _ => break,
        }
    }
    let written = tokio::task::spawn_blocking(move || sheet::write(&rows)).await;
    let bytes = written.map_err(|e| ApiError::internal(&e))?.map_err(|e| ApiError::internal(&e))?;
    Ok((headers(MIME, "xlsx", now), bytes).into_response())
}

fn after(last: &EventSummary, query: &mut EventQuery) {
    query.after = Some((last.decided_at.as_micros(), last.id.to_string()));
}

/// Where an event's picture lies, when it has arrived.
fn picture(app: &App, event: &EventSummary) -> Option<std::path::PathBuf> {
    let snapshot = event.snapshot.as_ref().filter(|s| s.available)?;
    let hash: ContentHash = snapshot.url.strip_prefix(&evidence_url(""))?.parse().ok()?;
    Some(app.objects.path(&hash))
}

fn headers(mime: &'static str, ending: &str, now: Timestamp) -> [(header::HeaderName, String); 2] {
    let day = china_time::date_text(china_time::day(now));
    [
        (header::CONTENT_TYPE, mime.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"gongshao-events-{day}.{ending}\"")),
    ]
}
