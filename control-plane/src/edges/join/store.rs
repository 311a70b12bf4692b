//! SQL of joining.

use protocol::{EdgeId, MessageId, SiteId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

/// A token as stored.
#[derive(Clone, Debug)]
pub(crate) struct TokenRow {
    pub(crate) id: String,
    pub(crate) site: SiteId,
    pub(crate) name: String,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) edge: Option<EdgeId>,
    pub(crate) revoked: bool,
}

const COLUMNS: &str = "select id, site_id, edge_name, created_by, created_at, expires_at, used_at, edge_id, revoked_at
    from edge_tokens";

/// A token to store.
pub(crate) struct NewToken<'a> {
    pub(crate) hash: &'a str,
    pub(crate) site: SiteId,
    pub(crate) name: &'a str,
    pub(crate) by: &'a str,
    pub(crate) expires_at: Timestamp,
}

/// Stores a token and gives its id.
pub(crate) async fn insert(c: &mut AnyConnection, token: &NewToken<'_>, now: Timestamp) -> Result<String, DbError> {
    let id = MessageId::new(now).to_string();
    sqlx::query(
        "insert into edge_tokens (id, token_hash, site_id, edge_name, created_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&id)
    .bind(token.hash)
    .bind(token.site.to_string())
    .bind(token.name)
    .bind(token.by)
    .bind(now.as_micros())
    .bind(token.expires_at.as_micros())
    .execute(c)
    .await?;
    Ok(id)
}

/// Tokens, newest first.
pub(crate) async fn all(c: &mut AnyConnection, limit: i64) -> Result<Vec<TokenRow>, DbError> {
    let query = server_kit::Filter::default().int(limit).query(COLUMNS, " order by created_at desc, id desc limit ?");
    query.fetch_all(c).await?.iter().map(token).collect()
}

pub(crate) async fn get(c: &mut AnyConnection, id: &str) -> Result<Option<TokenRow>, DbError> {
    let query = server_kit::Filter::default().and("id = ?").text(id).query(COLUMNS, "");
    query.fetch_optional(c).await?.as_ref().map(token).transpose()
}

pub(crate) async fn by_hash(c: &mut AnyConnection, hash: &str) -> Result<Option<TokenRow>, DbError> {
    let query = server_kit::Filter::default().and("token_hash = ?").text(hash).query(COLUMNS, "");
    query.fetch_optional(c).await?.as_ref().map(token).transpose()
}

/// Uses a token up for an edge; false when it was used or revoked by somebody faster.
pub(crate) async fn use_up(c: &mut AnyConnection, id: &str, edge: EdgeId, now: Timestamp) -> Result<bool, DbError> {
    let done = sqlx::query(
        "update edge_tokens set used_at = $1, edge_id = $2 where id = $3 and used_at is null and revoked_at is null",
    )
    .bind(now.as_micros())
    .bind(edge.to_string())
    .bind(id)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a token; false when it is not open any more.
pub(crate) async fn revoke(c: &mut AnyConnection, id: &str, now: Timestamp) -> Result<bool, DbError> {
    let query =
        sqlx::query("update edge_tokens set revoked_at = $1 where id = $2 and used_at is null and revoked_at is null");
    Ok(query.bind(now.as_micros()).bind(id).execute(c).await?.rows_affected() == 1)
}

fn token(row: &AnyRow) -> Result<TokenRow, DbError> {
    let time = |column: usize| row.try_get::<i64, _>(column).map(Timestamp::from_micros);
    let edge: Option<String> = row.try_get(7)?;
    Ok(TokenRow {
        id: row.try_get(0)?,
        site: row.try_get::<String, _>(1)?.parse().map_err(|e| DbError::corrupt("edge_tokens.site_id")(&e))?,
        name: row.try_get(2)?,
        created_by: row.try_get(3)?,
        created_at: time(4)?,
        expires_at: time(5)?,
        used_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_micros),
        edge: edge.map(|e| e.parse().map_err(|e| DbError::corrupt("edge_tokens.edge_id")(&e))).transpose()?,
        revoked: row.try_get::<Option<i64>, _>(8)?.is_some(),
    })
}
