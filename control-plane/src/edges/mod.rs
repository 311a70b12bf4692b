//! Edge boxes 边缘节点: who they are, what they should run, what they run.

pub(crate) mod insight;
pub(crate) mod join;
pub(crate) mod reports;
pub(crate) mod routes;
pub(crate) mod store;
pub(crate) mod types;

use axum::http::{HeaderMap, header};
use protocol::{ContentHash, EdgeId};
use server_kit::{Db, DbError};

/// Whether `secret` is the one of `edge`; the embedded broker asks this too. A database that does not answer
/// lets nobody in.
pub async fn authenticate(db: &Db, edge: EdgeId, secret: &str) -> bool {
    match is_secret_of(db, edge, secret).await {
        Ok(fits) => fits,
        Err(error) => {
            tracing::error!(edge.id = %edge, reason = %error, "an edge could not be checked");
            false
        }
    }
}

/// The edge that signs a request with `Bearer {edge}.{secret}`.
pub(crate) async fn of_request(db: &Db, headers: &HeaderMap) -> Result<Option<EdgeId>, DbError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let Some((edge, secret)) = bearer.and_then(|v| v.strip_prefix("Bearer ")).and_then(|v| v.split_once('.')) else {
        return Ok(None);
    };
    let Ok(edge) = edge.parse() else { return Ok(None) };
    Ok(is_secret_of(db, edge, secret).await?.then_some(edge))
}

async fn is_secret_of(db: &Db, edge: EdgeId, secret: &str) -> Result<bool, DbError> {
    let stored = store::secret_hash(&mut *db.read().await?, edge).await?;
    Ok(stored.is_some_and(|stored| same(stored.as_bytes(), hash_secret(secret).as_bytes())))
}

/// The secret has 256 random bits, so a plain hash cannot be searched.
pub(crate) fn hash_secret(secret: &str) -> String {
    ContentHash::of(secret.as_bytes()).to_string()
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
