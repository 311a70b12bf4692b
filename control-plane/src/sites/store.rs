//! SQL of the sites.

use protocol::{SiteId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _};

use super::types::Site;

pub(crate) async fn all(c: &mut AnyConnection) -> Result<Vec<Site>, DbError> {
    let rows = sqlx::query("select id, name from sites order by name, id").fetch_all(c).await?;
    let site = |row: &sqlx::any::AnyRow| {
        let id = row.try_get::<String, _>(0)?.parse().map_err(|e| DbError::corrupt("sites.id")(&e))?;
        Ok(Site { id, name: row.try_get(1)? })
    };
    rows.iter().map(site).collect()
}

pub(crate) async fn insert(c: &mut AnyConnection, id: SiteId, name: &str, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("insert into sites (id, name, created_at) values ($1, $2, $3)")
        .bind(id.to_string())
        .bind(name)
        .bind(now.as_micros())
        .execute(c)
        .await?;
    Ok(())
}
