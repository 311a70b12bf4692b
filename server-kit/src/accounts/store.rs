//! SQL of users and sessions.

use protocol::{Timestamp, UserId};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::Account;
use crate::{DbError, Principal, Role};

pub(super) async fn insert_user(c: &mut AnyConnection, user: &Account, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "insert into users (id, username, username_key, password_hash, role, must_change_password, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.id.to_string())
    .bind(&user.username)
    .bind(user.username.to_ascii_lowercase())
    .bind(&user.password_hash)
    .bind(user.role.as_str())
    .bind(i64::from(user.must_change_password))
    .bind(now.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

pub(super) async fn user_by_name(c: &mut AnyConnection, username: &str) -> Result<Option<Account>, DbError> {
    let row = sqlx::query(
        "select id, username, password_hash, role, must_change_password from users where username_key = $1",
    )
    .bind(username.to_ascii_lowercase())
    .fetch_optional(c)
    .await?;
    row.as_ref().map(account).transpose()
}

pub(super) async fn user_by_id(c: &mut AnyConnection, id: UserId) -> Result<Option<Account>, DbError> {
    let row = sqlx::query("select id, username, password_hash, role, must_change_password from users where id = $1")
        .bind(id.to_string())
        .fetch_optional(c)
        .await?;
    row.as_ref().map(account).transpose()
}

pub(super) async fn users(c: &mut AnyConnection, limit: i64) -> Result<Vec<Account>, DbError> {
    let query = sqlx::query(
        "select id, username, password_hash, role, must_change_password from users order by username_key limit $1",
    );
    query.bind(limit).fetch_all(c).await?.iter().map(account).collect()
}

pub(super) async fn set_role(c: &mut AnyConnection, id: UserId, role: Role) -> Result<(), DbError> {
    let query = sqlx::query("update users set role = $1 where id = $2").bind(role.as_str()).bind(id.to_string());
    query.execute(c).await?;
    Ok(())
}

pub(super) async fn delete_user(c: &mut AnyConnection, id: UserId) -> Result<(), DbError> {
    sqlx::query("delete from users where id = $1").bind(id.to_string()).execute(c).await?;
    Ok(())
}

pub(super) async fn set_password(
    c: &mut AnyConnection,
    id: UserId,
    hash: &str,
    must_change: bool,
) -> Result<(), DbError> {
    sqlx::query("update users set password_hash = $1, must_change_password = $2 where id = $3")
        .bind(hash)
        .bind(i64::from(must_change))
        .bind(id.to_string())
        .execute(c)
        .await?;
    Ok(())
}

pub(super) async fn insert_session(
    c: &mut AnyConnection,
    session: &str,
    user: UserId,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("insert into sessions (token_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)")
        .bind(session)
        .bind(user.to_string())
        .bind(now.as_micros())
        .bind(expires.as_micros())
        .execute(c)
        .await?;
    Ok(())
}

pub(super) async fn principal(
    c: &mut AnyConnection,
    session: &str,
    now: Timestamp,
) -> Result<Option<Principal>, DbError> {
    let row = sqlx::query(
        "select u.id, u.username, u.password_hash, u.role, u.must_change_password
         from sessions s join users u on u.id = s.user_id
         where s.token_hash = $1 and s.expires_at > $2",
    )
    .bind(session)
    .bind(now.as_micros())
    .fetch_optional(c)
    .await?;
    let account = row.as_ref().map(account).transpose()?;
    Ok(account.map(|a| Principal {
        user: a.id,
        username: a.username,
        role: a.role,
        must_change_password: a.must_change_password,
        session: session.to_owned(),
    }))
}

pub(super) async fn delete_session(c: &mut AnyConnection, session: &str) -> Result<(), DbError> {
    sqlx::query("delete from sessions where token_hash = $1").bind(session).execute(c).await?;
    Ok(())
}

pub(super) async fn end_sessions_of(c: &mut AnyConnection, user: UserId, keep: &str) -> Result<(), DbError> {
    sqlx::query("delete from sessions where user_id = $1 and token_hash <> $2")
        .bind(user.to_string())
        .bind(keep)
        .execute(c)
        .await?;
    Ok(())
}

pub(super) async fn sweep_sessions(c: &mut AnyConnection, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("delete from sessions where expires_at <= $1").bind(now.as_micros()).execute(c).await?;
    Ok(())
}

fn account(row: &AnyRow) -> Result<Account, DbError> {
    Ok(Account {
        id: row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("users.id")(&e))?,
        username: row.try_get(1)?,
        password_hash: row.try_get(2)?,
        role: row.try_get::<String, _>(3)?.parse().map_err(|e| DbError::corrupt("users.role")(&e))?,
        must_change_password: row.try_get::<i64, _>(4)? != 0,
    })
}
