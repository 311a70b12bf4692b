//! One step for many events, each by itself: what cannot be done says why and holds up nothing.

use std::collections::HashSet;

use protocol::Timestamp;
use server_kit::{ApiError, Principal};
use sqlx::AnyConnection;

use super::{
    actions,
    types::{BulkActionInput, BulkResult, BulkResults},
};
use crate::events::{store, types::ActionInput};

/// Most events of one request.
const MAX_ITEMS: usize = 200;

/// Refuses a request that cannot be meant.
pub(crate) fn valid(input: &BulkActionInput) -> Result<(), ApiError> {
    let distinct: HashSet<_> = input.items.iter().map(|item| item.id).collect();
    if input.items.is_empty() || input.items.len() > MAX_ITEMS || distinct.len() < input.items.len() {
        return Err(ApiError::invalid(
            "items",
            format!("send 1 to {MAX_ITEMS} events, each once"),
            format!("一次可处理 1 到 {MAX_ITEMS} 个不同的事件"),
        ));
    }
    Ok(())
}

/// Takes the step for each event. A refusal of one is its result; a failure of the database is everybody's.
pub(crate) async fn take(
    c: &mut AnyConnection,
    input: &BulkActionInput,
    principal: &Principal,
    now: Timestamp,
) -> Result<BulkResults, ApiError> {
    let mut results = BulkResults { items: Vec::with_capacity(input.items.len()), done: 0, failed: 0 };
    for item in &input.items {
        let action = ActionInput {
            action: input.action,
            reason: input.reason,
            remark: input.remark.clone(),
            version: item.version,
            assignee_id: input.assignee_id,
            due_at: input.due_at,
            duplicate_of: input.duplicate_of,
        };
        let action = actions::valid(action, now)?;
        let outcome = actions::take(c, item.id, &action, principal, now).await;
        let error = match outcome {
            Ok(()) => None,
            Err(error) if error.status().is_client_error() => Some(error.into_body()),
            Err(error) => return Err(error),
        };
        let event = store::summary(c, &item.id.to_string(), now).await?;
        if error.is_none() {
            results.done += 1;
        } else {
            results.failed += 1;
        }
        results.items.push(BulkResult {
            id: item.id,
            ok: error.is_none(),
            state: event.as_ref().map(|e| e.state),
            version: event.as_ref().map(|e| e.version),
            error,
        });
    }
    Ok(results)
}
