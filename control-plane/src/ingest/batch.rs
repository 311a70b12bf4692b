//! Collects messages into batches and sees them through.

use std::{sync::Arc, time::Duration};

use protocol::wire::Receipt;
use runtime::Backoff;
use server_kit::DbError;
use tokio::{sync::mpsc, time::Instant};

use super::{Message, Publisher, apply};
use crate::state::App;

/// A batch is full with so many messages …
const MOST: usize = 200;

/// … or when the first one has waited so long.
const LONGEST: Duration = Duration::from_millis(20);

/// Receipts in one message stay far below its size limit.
const RECEIPTS: usize = 1_000;

/// Takes messages until the control plane stops.
pub(crate) async fn run(
    app: Arc<App>,
    publisher: Publisher,
    mut messages: mpsc::Receiver<Message>,
) -> Result<(), std::convert::Infallible> {
    loop {
        let first = tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            first = messages.recv() => first,
        };
        let Some(first) = first else { return Ok(()) };
        let batch = collect(first, &mut messages).await;
        see_through(&app, &publisher, &batch).await;
    }
}

async fn collect(first: Message, messages: &mut mpsc::Receiver<Message>) -> Vec<Message> {
    let (mut batch, until) = (vec![first], Instant::now() + LONGEST);
    while batch.len() < MOST {
        match tokio::time::timeout_at(until, messages.recv()).await {
            Ok(Some(message)) => batch.push(message),
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

/// Stores a batch, then acknowledges and tells. A database that is away is waited for; a message that it
/// refuses is set aside.
pub(crate) async fn see_through(app: &App, publisher: &Publisher, batch: &[Message]) {
    match until_available(app, || apply::commit(&app.db, batch, app.now())).await {
        Some(Ok(committed)) => announce(app, publisher, committed),
        Some(Err(error)) if batch.len() > 1 => {
            tracing::warn!(messages = batch.len(), reason = %error, "a batch failed; its messages are tried one by one");
            for message in batch {
                Box::pin(see_through(app, publisher, std::slice::from_ref(message))).await;
            }
        }
        Some(Err(error)) => {
            let Some(message) = batch.first() else { return };
            tracing::error!(mqtt.topic = %message.topic, reason = %error, "a message cannot be stored");
            let reason = format!("it cannot be stored: {error}");
            match apply::set_aside(&app.db, message, reason, app.now()).await {
                Ok(committed) => announce(app, publisher, committed),
                Err(error) => tracing::error!(reason = %error, "a message could not be quarantined; it comes again"),
            }
        }
        None => {}
    }
}

/// Tries until the database is there; `None` when the control plane stops first.
async fn until_available<T, F: Future<Output = Result<T, DbError>>>(
    app: &App,
    mut attempt: impl FnMut() -> F,
) -> Option<Result<T, DbError>> {
    let mut backoff = Backoff::default();
    loop {
        let error = match attempt().await {
            Err(error) if error.is_unavailable() => error,
            done => return Some(done),
        };
        let wait = backoff.failed(app.now(), &mut rand::rng());
        tracing::warn!(reason = %error, retry_ms = wait.as_millis() as u64, "the database is not available");
        tokio::select! {
            () = app.stop.cancelled() => return None,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn announce(app: &App, publisher: &Publisher, committed: apply::Committed) {
    for (edge, received) in committed.receipts {
        for part in received.chunks(RECEIPTS) {
            publisher.send(edge, Receipt { events: part.to_vec() }, false, app.now());
        }
    }
    if let Some(newest) = committed.newest {
        app.changes.tell(newest);
    }
}
