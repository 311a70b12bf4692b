//! Users, their passwords and their sessions.
//!
//! A session is 256 random bits in a cookie; the store keeps only their SHA-256, so that a stolen database
//! signs nobody in. Passwords are Argon2id.

mod lockout;
mod password;
mod store;

use std::time::Duration;

pub use lockout::{Locked, Lockout};
pub use password::{PasswordError, Passwords, generate};
use protocol::{ContentHash, Timestamp, UserId};
use sqlx::AnyConnection;

use crate::{DbError, Principal, Role};

/// How long a session lasts.
pub const SESSION_LASTS: Duration = Duration::from_hours(7 * 24);

/// A user as stored.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The name that is typed in; kept as written, unique without regard to ASCII case.
    pub username: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// The password was generated and should be changed.
    pub must_change_password: bool,
}

/// A new session: the token for the cookie, and who it is.
#[derive(Debug)]
pub struct NewSession {
    /// 64 hexadecimal digits. Only the browser keeps it.
    pub token: String,
    /// The user.
    pub principal: Principal,
}

/// Adds a user.
///
/// # Errors
/// When the name is taken ([`DbError::is_duplicate`]) or the database fails.
pub async fn create_user(connection: &mut AnyConnection, account: &Account, now: Timestamp) -> Result<(), DbError> {
    store::insert_user(connection, account, now).await
}

/// The user called `username`.
///
/// # Errors
/// When the database fails.
pub async fn find_user(connection: &mut AnyConnection, username: &str) -> Result<Option<Account>, DbError> {
    store::user_by_name(connection, username).await
}

/// The user with `id`.
///
/// # Errors
/// When the database fails.
pub async fn user(connection: &mut AnyConnection, id: UserId) -> Result<Option<Account>, DbError> {
    store::user_by_id(connection, id).await
}

/// Users by name, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn users(connection: &mut AnyConnection, limit: i64) -> Result<Vec<Account>, DbError> {
    store::users(connection, limit).await
}

/// Sets what a user may do.
///
/// # Errors
/// When the database fails.
pub async fn set_role(connection: &mut AnyConnection, id: UserId, role: Role) -> Result<(), DbError> {
    store::set_role(connection, id, role).await
}

/// Removes a user and its sessions.
///
/// # Errors
/// When the database fails.
pub async fn delete_user(connection: &mut AnyConnection, id: UserId) -> Result<(), DbError> {
    store::delete_user(connection, id).await
}

/// Sets a password that its owner chose; every session but `keep` ends.
///
/// # Errors
/// When the database fails.
pub async fn set_password(
    connection: &mut AnyConnection,
    id: UserId,
    password_hash: &str,
    keep: Option<&str>,
) -> Result<(), DbError> {
    store::set_password(connection, id, password_hash, false).await?;
    store::end_sessions_of(connection, id, keep.unwrap_or_default()).await
}

/// Sets a generated password, which its owner should change; every session ends.
///
/// # Errors
/// When the database fails.
pub async fn set_generated_password(
    connection: &mut AnyConnection,
    id: UserId,
    password_hash: &str,
) -> Result<(), DbError> {
    store::set_password(connection, id, password_hash, true).await?;
    store::end_sessions_of(connection, id, "").await
}

/// Starts a session; sessions that have expired are swept.
///
/// # Errors
/// When the database fails.
pub async fn start_session(
    connection: &mut AnyConnection,
    account: &Account,
    now: Timestamp,
) -> Result<NewSession, DbError> {
    let token = hex::encode(rand::random::<[u8; 32]>());
    let session = session_key(&token);
    store::sweep_sessions(connection, now).await?;
    store::insert_session(connection, &session, account.id, now, now + SESSION_LASTS).await?;
    let principal = Principal {
        user: account.id,
        username: account.username.clone(),
        role: account.role,
        must_change_password: account.must_change_password,
        session,
    };
    Ok(NewSession { token, principal })
}

/// Who `token` belongs to; `None` when it is unknown or has expired.
///
/// # Errors
/// When the database fails.
pub async fn principal(
    connection: &mut AnyConnection,
    token: &str,
    now: Timestamp,
) -> Result<Option<Principal>, DbError> {
    store::principal(connection, &session_key(token), now).await
}

/// Whether a session still stands.
///
/// # Errors
/// When the database fails.
pub async fn session_stands(connection: &mut AnyConnection, session: &str, now: Timestamp) -> Result<bool, DbError> {
    Ok(store::principal(connection, session, now).await?.is_some())
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub async fn end_session(connection: &mut AnyConnection, session: &str) -> Result<(), DbError> {
    store::delete_session(connection, session).await
}

fn session_key(token: &str) -> String {
    ContentHash::of(token.as_bytes()).to_string()
}
