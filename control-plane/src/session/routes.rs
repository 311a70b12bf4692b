//! Signing in and out.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use server_kit::{
    ApiError, Json, Principal,
    accounts::{self, Passwords, SESSION_LASTS},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::types::{LoginInput, PasswordInput, Session, User};
use crate::{guard::COOKIE, state::App};

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(login, current_session, logout)).routes(routes!(change_password))
}

/// Address of the other side; a test that has no connection comes from nowhere.
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
        Ok(Self(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Signs in and sets the session cookie.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    operation_id = "login",
    request_body = LoginInput,
    responses((status = 200, description = "signed in", body = Session)),
    security(()),
)]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    Json(input): Json<LoginInput>,
) -> Result<Response, ApiError> {
    let now = app.now();
    app.lockout.attempt(&input.username, address, now).map_err(|locked| {
        tracing::warn!(%address, "signing in is locked after too many failures");
        let message = "too many failed attempts; wait five minutes and try again";
        ApiError::too_many("locked", message, "登录失败次数过多，请五分钟后再试", locked.wait.as_secs().max(1))
    })?;
    let account = accounts::find_user(&mut *app.db.read().await?, &input.username).await?;
    let stored = account.as_ref().map(|a| a.password_hash.clone());
    let fits = app.passwords.verify(input.password, stored).await.map_err(|e| ApiError::internal(&e))?;
    let Some(account) = account.filter(|_| fits) else {
        tracing::info!(%address, "a sign-in failed");
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "user name or password is wrong",
            "用户名或密码错误",
        ));
    };
    app.lockout.succeeded(&input.username, address);
    let mut tx = app.db.begin().await?;
    let session = accounts::start_session(&mut tx, &account, now).await?;
    tx.commit().await?;
    tracing::info!(user.id = %account.id, %address, "signed in");
    let cookie = cookie(&session.token, SESSION_LASTS.as_secs())?;
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(describe(session.principal))).into_response())
}

/// Who is signed in.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    operation_id = "current_session",
    responses((status = 200, description = "the session", body = Session)),
    security(("session" = ["own_session"])),
)]
pub(crate) async fn current_session(principal: Principal) -> axum::Json<Session> {
    axum::Json(describe(principal))
}

/// Signs out.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    operation_id = "logout",
    responses((status = 204, description = "signed out")),
    security(("session" = ["own_session"])),
)]
pub(crate) async fn logout(State(app): State<Arc<App>>, principal: Principal) -> Result<Response, ApiError> {
    let mut tx = app.db.begin().await?;
    accounts::end_session(&mut tx, &principal.session).await?;
    tx.commit().await?;
    app.sessions_ended.send_modify(|n| *n += 1);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0)?)]).into_response())
}

/// Changes the own password; every other session of the user ends.
#[utoipa::path(
    post,
    path = "/api/v1/session/password",
    tag = "session",
    operation_id = "change_password",
    request_body = PasswordInput,
    responses((status = 204, description = "changed")),
    security(("session" = ["own_session"])),
)]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    principal: Principal,
    Peer(address): Peer,
    Json(input): Json<PasswordInput>,
) -> Result<StatusCode, ApiError> {
    let long_enough = input.new.chars().count() >= Passwords::MIN_CHARS && input.new.len() <= Passwords::MAX_BYTES;
    if !long_enough || input.new == input.current {
        return Err(ApiError::invalid(
            "new",
            "the new password needs at least 8 characters and must differ from the old one",
            "新密码至少 8 个字符，且不能与原密码相同",
        ));
    }
    // A stolen cookie must not become a place to guess the password.
    app.lockout.attempt(&principal.username, address, app.now()).map_err(|locked| {
        let message = "too many failed attempts; wait five minutes and try again";
        ApiError::too_many("locked", message, "尝试次数过多，请五分钟后再试", locked.wait.as_secs().max(1))
    })?;
    let account = accounts::user(&mut *app.db.read().await?, principal.user).await?;
    let stored = account.map(|a| a.password_hash);
    if !app.passwords.verify(input.current, stored).await.map_err(|e| ApiError::internal(&e))? {
        return Err(ApiError::invalid("current", "the current password is wrong", "原密码不正确"));
    }
    app.lockout.succeeded(&principal.username, address);
    let hash = app.passwords.hash(input.new).await.map_err(|e| ApiError::internal(&e))?;
    let mut tx = app.db.begin().await?;
    accounts::set_password(&mut tx, principal.user, &hash, Some(&principal.session)).await?;
    tx.commit().await?;
    app.sessions_ended.send_modify(|n| *n += 1);
    tracing::info!(user.id = %principal.user, "password changed");
    Ok(StatusCode::NO_CONTENT)
}

/// No `Secure`: sites reach the box by plain HTTP on their own network; TLS ends at the gateway in front.
fn cookie(token: &str, secs: u64) -> Result<HeaderValue, ApiError> {
    let text = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={secs}");
    HeaderValue::from_str(&text).map_err(|e| ApiError::internal(&e))
}

fn describe(principal: Principal) -> Session {
    Session {
        user: User {
            id: principal.user,
            username: principal.username,
            role: principal.role,
            must_change_password: principal.must_change_password,
        },
    }
}
