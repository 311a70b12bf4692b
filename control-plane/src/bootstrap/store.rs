//! SQL of the first start.

use protocol::{EdgeId, SiteId};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

pub(super) async fn any_user(c: &mut AnyConnection) -> Result<bool, DbError> {
    Ok(sqlx::query("select id from users limit 1").fetch_optional(c).await?.is_some())
}

pub(super) async fn first_site(c: &mut AnyConnection) -> Result<Option<SiteId>, DbError> {
    let row = sqlx::query("select id from sites order by created_at, id limit 1").fetch_optional(c).await?;
    let Some(row) = row else { return Ok(None) };
    row.try_get::<String, _>(0)?.parse().map(Some).map_err(|e| DbError::corrupt("sites.id")(&e))
}

pub(super) async fn first_edge(c: &mut AnyConnection, site: SiteId) -> Result<Option<EdgeId>, DbError> {
    let query = sqlx::query("select id from edges where site_id = $1 order by created_at, id limit 1");
    let Some(row) = query.bind(site.to_string()).fetch_optional(c).await? else { return Ok(None) };
    row.try_get::<String, _>(0)?.parse().map(Some).map_err(|e| DbError::corrupt("edges.id")(&e))
}
