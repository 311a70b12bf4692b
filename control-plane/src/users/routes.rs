//! Users, for administrators. One administrator always remains, and nobody shuts oneself out.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use protocol::UserId;
use server_kit::{
    ApiError, Json, Path, Principal, Role,
    accounts::{self, Account},
};
use sqlx::AnyConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::types::{UserInfo, UserInput, UserList, UserRoleInput, UserWithPassword};
use crate::state::App;

pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(change_user, delete_user))
        .routes(routes!(renew_user_password))
}

/// Users of one installation.
const MOST_USERS: i64 = 1000;

/// All users, by name.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "list_users",
    responses((status = 200, description = "the users", body = UserList)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn list_users(State(app): State<Arc<App>>) -> Result<axum::Json<UserList>, ApiError> {
    let users = accounts::users(&mut *app.db.read().await?, MOST_USERS).await?;
    Ok(axum::Json(UserList { items: users.into_iter().map(describe).collect() }))
}

/// Adds a user with a generated password.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    operation_id = "create_user",
    request_body = UserInput,
    responses((status = 201, description = "the user and its first password", body = UserWithPassword)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn create_user(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(input): Json<UserInput>,
) -> Result<(StatusCode, axum::Json<UserWithPassword>), ApiError> {
    let now = app.now();
    let username = valid_name(&input.username)?;
    let password = accounts::generate();
    let password_hash = app.passwords.hash(password.clone()).await.map_err(|e| ApiError::internal(&e))?;
    let account =
        Account { id: UserId::new(now), username, password_hash, role: input.role, must_change_password: true };
    let mut tx = app.db.begin().await?;
    let users = accounts::users(&mut tx, MOST_USERS).await?;
    if users.len() >= MOST_USERS as usize {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_users",
            "there are 1000 users already",
            "用户数已达上限",
        ));
    }
    if accounts::find_user(&mut tx, &account.username).await?.is_some() {
        return Err(ApiError::new(StatusCode::CONFLICT, "name_taken", "the name is taken", "该用户名已被使用")
            .field("username"));
    }
    accounts::create_user(&mut tx, &account, now).await?;
    tx.commit().await?;
    tracing::info!(user.id = %account.id, by.id = %principal.user, "a user was added");
    Ok((StatusCode::CREATED, axum::Json(UserWithPassword { user: describe(account), password })))
}

/// Changes what a user may do, at once.
#[utoipa::path(
    put,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "change_user",
    params(("id" = String, Path, format = "uuid")),
    request_body = UserRoleInput,
    responses((status = 200, description = "the user", body = UserInfo)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn change_user(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<UserId>,
    Json(input): Json<UserRoleInput>,
) -> Result<axum::Json<UserInfo>, ApiError> {
    let mut tx = app.db.begin().await?;
    let user = accounts::user(&mut tx, id).await?.ok_or_else(no_user)?;
    if input.role != Role::Admin {
        not_the_last_or_oneself(&mut tx, &user, &principal).await?;
    }
    accounts::set_role(&mut tx, id, input.role).await?;
    tx.commit().await?;
    tracing::info!(user.id = %id, by.id = %principal.user, role = %input.role, "a user's role was changed");
    Ok(axum::Json(describe(Account { role: input.role, ..user })))
}

/// Removes a user; what the user did stays in the histories.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "delete_user",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204, description = "removed")),
    security(("session" = ["configure"])),
)]
pub(crate) async fn delete_user(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.begin().await?;
    let user = accounts::user(&mut tx, id).await?.ok_or_else(no_user)?;
    not_the_last_or_oneself(&mut tx, &user, &principal).await?;
    accounts::delete_user(&mut tx, id).await?;
    tx.commit().await?;
    app.sessions_ended.send_modify(|n| *n += 1);
    tracing::info!(user.id = %id, by.id = %principal.user, "a user was removed");
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a user a generated password, for when the old one was forgotten; the user's sessions end.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/password",
    tag = "users",
    operation_id = "renew_user_password",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, description = "the user and its new password", body = UserWithPassword)),
    security(("session" = ["configure"])),
)]
pub(crate) async fn renew_user_password(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<UserId>,
) -> Result<axum::Json<UserWithPassword>, ApiError> {
    let user = accounts::user(&mut *app.db.read().await?, id).await?.ok_or_else(no_user)?;
    let password = accounts::generate();
    let hash = app.passwords.hash(password.clone()).await.map_err(|e| ApiError::internal(&e))?;
    let mut tx = app.db.begin().await?;
    accounts::set_generated_password(&mut tx, id, &hash).await?;
    tx.commit().await?;
    app.sessions_ended.send_modify(|n| *n += 1);
    tracing::info!(user.id = %id, by.id = %principal.user, "a user got a new password");
    Ok(axum::Json(UserWithPassword { user: describe(Account { must_change_password: true, ..user }), password }))
}

fn valid_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let known = |c: char| c.is_alphanumeric() || "._-@".contains(c);
    if (1..=64).contains(&name.chars().count()) && name.chars().all(known) {
        return Ok(name.to_owned());
    }
    Err(ApiError::invalid(
        "username",
        "a name has 1 to 64 letters, digits or the characters . _ - @",
        "用户名为 1 到 64 个汉字、字母、数字或 . _ - @",
    ))
}

async fn not_the_last_or_oneself(c: &mut AnyConnection, user: &Account, principal: &Principal) -> Result<(), ApiError> {
    if user.id == principal.user {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "yourself",
            "another administrator must do this to your account",
            "不能对自己的账号执行此操作，请由其他管理员处理",
        ));
    }
    let admins = accounts::users(c, MOST_USERS).await?.into_iter().filter(|u| u.role == Role::Admin);
    if user.role == Role::Admin && admins.count() <= 1 {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "last_admin",
            "the last administrator must stay",
            "必须保留至少一名管理员",
        ));
    }
    Ok(())
}

fn describe(account: Account) -> UserInfo {
    UserInfo {
        id: account.id,
        username: account.username,
        role: account.role,
        must_change_password: account.must_change_password,
    }
}

fn no_user() -> ApiError {
    ApiError::not_found("user", "用户")
}
