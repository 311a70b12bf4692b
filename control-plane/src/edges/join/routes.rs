//! Joining, and new secrets.

use std::{sync::Arc, time::Duration};

use axum::{Extension, extract::State, http::StatusCode};
use protocol::{EdgeId, SiteId, Timestamp};
use server_kit::{ApiError, Json, Path, Principal};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    store::{self, NewToken, TokenRow},
    types::{
        EdgeSecretInput, EdgeToken, EdgeTokenInput, EdgeTokenList, EdgeTokenState, JoinInput, Joined, NewEdgeSecret,
        NewEdgeToken,
    },
};
use crate::{
    edges::{self, hash_secret},
    guard::CallingEdge,
    session::routes::Peer,
    sites,
    state::App,
    stream::{self, ChangeKind},
};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_edge_tokens, create_edge_token))
        .routes(routes!(revoke_edge_token))
        .routes(routes!(renew_edge_secret))
        .routes(routes!(edge_join))
        .routes(routes!(edge_change_secret))
}

/// Tokens that a list shows.
const MOST_TOKENS: i64 = 200;

/// How long a token can be used when nobody says.
const USUAL_SECS: u64 = 24 * 3600;

/// Tokens by which edges join, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/edge-tokens",
    tag = "edges",
    operation_id = "list_edge_tokens",
    responses((status = 200, description = "the tokens", body = EdgeTokenList)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn list_edge_tokens(State(app): State<Arc<App>>) -> Result<axum::Json<EdgeTokenList>, ApiError> {
    let now = app.now();
    let rows = store::all(&mut *app.db.read().await?, MOST_TOKENS).await?;
    Ok(axum::Json(EdgeTokenList { items: rows.into_iter().map(|row| describe(row, now)).collect() }))
}

/// Makes a token by which one edge can join, once.
#[utoipa::path(
    post,
    path = "/api/v1/edge-tokens",
    tag = "edges",
    operation_id = "create_edge_token",
    request_body = EdgeTokenInput,
    responses((status = 201, description = "the token, shown once", body = NewEdgeToken)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn create_edge_token(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(input): Json<EdgeTokenInput>,
) -> Result<(StatusCode, axum::Json<NewEdgeToken>), ApiError> {
    let now = app.now();
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(ApiError::invalid("name", "a name has 1 to 100 characters", "名称需为 1 到 100 个字符"));
    }
    let secs = input.valid_secs.unwrap_or(USUAL_SECS);
    if !(60..=7 * USUAL_SECS).contains(&secs) {
        return Err(ApiError::invalid("valid_secs", "a token lasts a minute to a week", "有效期须在一分钟到一周之间"));
    }
    let token = hex::encode(rand::random::<[u8; 32]>());
    let mut tx = app.db.begin().await?;
    let site = site_of(&mut tx, input.site_id).await?;
    let hash = hash_secret(&token);
    let new =
        NewToken { hash: &hash, site, name, by: &principal.username, expires_at: now + Duration::from_secs(secs) };
    let id = store::insert(&mut tx, &new, now).await?;
    let row = store::get(&mut tx, &id).await?.ok_or_else(no_token)?;
    tx.commit().await?;
    tracing::info!(user.id = %principal.user, "a token for an edge was made");
    Ok((StatusCode::CREATED, axum::Json(NewEdgeToken { about: describe(row, now), token })))
}

/// Revokes a token that no edge has used; 409 when it is not open any more.
#[utoipa::path(
    delete,
    path = "/api/v1/edge-tokens/{id}",
    tag = "edges",
    operation_id = "revoke_edge_token",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204, description = "revoked")),
    security(("session" = ["configure"])),
)]
pub(crate) async fn revoke_edge_token(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.begin().await?;
    store::get(&mut tx, &id).await?.ok_or_else(no_token)?;
    if !store::revoke(&mut tx, &id, app.now()).await? {
        return Err(ApiError::conflict());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an edge a new secret, for when the old one was lost or seen.
#[utoipa::path(
    post,
    path = "/api/v1/edges/{id}/secret",
    tag = "edges",
    operation_id = "renew_edge_secret",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the secret, shown once", body = NewEdgeSecret)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn renew_edge_secret(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<EdgeId>,
) -> Result<axum::Json<NewEdgeSecret>, ApiError> {
    let secret = crate::renew_edge_secret(&app.db, id).await?;
    let secret = secret.ok_or_else(|| ApiError::not_found("edge", "边缘节点"))?;
    tracing::info!(edge.id = %id, user.id = %principal.user, "an edge got a new secret");
    Ok(axum::Json(NewEdgeSecret { secret: secret.expose().to_owned() }))
}

/// An edge joins by its one-time token. Sent again with the same secret, because the answer was lost, it gets the
/// same answer. Needs the header `x-requested-with: gongshao`.
#[utoipa::path(
    post,
    path = "/edge/v1/join",
    tag = "edge",
    operation_id = "edge_join",
    request_body = JoinInput,
    responses((status = 200, description = "who the edge is", body = Joined)),
    security(()),
)]
pub(crate) async fn edge_join(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(input): Json<JoinInput>,
) -> Result<axum::Json<Joined>, ApiError> {
    const DOOR: &str = "\u{1}edge-join";
    let now = app.now();
    app.lockout.attempt(DOOR, address, now).map_err(|locked| {
        let message = "too many failed attempts; wait five minutes and try again";
        ApiError::too_many("locked", message, "尝试次数过多，请五分钟后再试", locked.wait.as_secs().max(1))
    })?;
    let secret_hash = hash_secret(good_secret(input.secret.expose())?);
    let mut tx = app.db.begin().await?;
    let token = store::by_hash(&mut tx, &hash_secret(input.token.expose())).await?.ok_or_else(bad_token)?;
    if let Some(edge) = token.edge {
        let same = edges::store::secret_hash(&mut tx, edge).await?.is_some_and(|stored| stored == secret_hash);
        if !same || token.expires_at <= now {
            return Err(bad_token());
        }
        app.lockout.succeeded(DOOR, address);
        return Ok(axum::Json(Joined { edge_id: edge, site_id: token.site, name: token.name }));
    }
    let edge = EdgeId::new(now);
    if token.revoked || token.expires_at <= now {
        return Err(bad_token());
    }
    edges::store::insert(&mut tx, edge, token.site, &token.name, &secret_hash, now).await?;
    if !store::use_up(&mut tx, &token.id, edge, now).await? {
        return Err(bad_token());
    }
    let seq = stream::append(&mut tx, &[(ChangeKind::Edge, edge.to_string())], now).await?;
    tx.commit().await?;
    app.lockout.succeeded(DOOR, address);
    app.changes.tell(seq);
    app.desired.notify_one();
    tracing::info!(edge.id = %edge, %address, "an edge joined");
    Ok(axum::Json(Joined { edge_id: edge, site_id: token.site, name: token.name }))
}

/// An edge changes its own secret; the old one is void from now on.
#[utoipa::path(
    put,
    path = "/edge/v1/secret",
    tag = "edge",
    operation_id = "edge_change_secret",
    request_body = EdgeSecretInput,
    responses((status = 204, description = "changed")),
    security(("edge" = [])),
)]
pub(crate) async fn edge_change_secret(
    State(app): State<Arc<App>>,
    Extension(CallingEdge(edge)): Extension<CallingEdge>,
    Json(input): Json<EdgeSecretInput>,
) -> Result<StatusCode, ApiError> {
    let hash = hash_secret(good_secret(input.secret.expose())?);
    let mut tx = app.db.begin().await?;
    edges::store::set_secret(&mut tx, edge, &hash).await?;
    tx.commit().await?;
    tracing::info!(edge.id = %edge, "an edge changed its secret");
    Ok(StatusCode::NO_CONTENT)
}

/// Only what a generator of randomness makes is hashed without salt.
fn good_secret(secret: &str) -> Result<&str, ApiError> {
    let digits = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let first = secret.as_bytes().first();
    let varied = secret.bytes().filter(|b| Some(b) != first).count() >= 32;
    if digits && varied {
        return Ok(secret);
    }
    Err(ApiError::invalid(
        "secret",
        "the secret must be 64 lower-case hexadecimal digits out of a random generator",
        "密钥须为随机生成的 64 位小写十六进制数",
    ))
}

async fn site_of(c: &mut AnyConnection, asked: Option<SiteId>) -> Result<SiteId, ApiError> {
    let sites = sites::store::all(c).await?;
    match (asked, sites.as_slice()) {
        (None, [only]) => Ok(only.id),
        (None, _) => Err(ApiError::invalid("site_id", "say where the edge will stand", "请选择边缘节点所在的工地")),
        (Some(asked), all) => all
            .iter()
            .find(|site| site.id == asked)
            .map(|site| site.id)
            .ok_or_else(|| ApiError::invalid("site_id", "there is no such site", "工地不存在")),
    }
}

fn describe(row: TokenRow, now: Timestamp) -> EdgeToken {
    let state = if row.edge.is_some() {
        EdgeTokenState::Used
    } else if row.revoked {
        EdgeTokenState::Revoked
    } else if row.expires_at <= now {
        EdgeTokenState::Expired
    } else {
        EdgeTokenState::Open
    };
    EdgeToken {
        id: row.id,
        name: row.name,
        site_id: row.site,
        state,
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
        edge_id: row.edge,
    }
}

/// One answer for every token that does not open the door: which it is, is nobody's business.
fn bad_token() -> ApiError {
    ApiError::invalid(
        "token",
        "the token is unknown, used, revoked or expired; make a new one in the console",
        "令牌无效、已使用、已撤销或已过期，请在控制台重新生成",
    )
}

fn no_token() -> ApiError {
    ApiError::not_found("token", "令牌")
}
