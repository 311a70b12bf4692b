//! SQL of the approved pictures.

use protocol::{ContentHash, EdgeId, TaskId, Timestamp};
use server_kit::DbError;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::types::ApprovedPicture;
use crate::events::store::evidence_url;

pub(crate) async fn insert(c: &mut AnyConnection, task: TaskId, picture: &ApprovedPicture) -> Result<(), DbError> {
    sqlx::query(
        "insert into reference_pictures (task_id, version, hash, width, height, approved_by, approved_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(task.to_string())
    .bind(i64::from(picture.version))
    .bind(&picture.hash)
    .bind(i64::from(picture.width))
    .bind(i64::from(picture.height))
    .bind(&picture.approved_by)
    .bind(picture.approved_at.as_micros())
    .execute(c)
    .await?;
    Ok(())
}

/// Every version, newest first.
pub(crate) async fn of_task(c: &mut AnyConnection, task: TaskId) -> Result<Vec<ApprovedPicture>, DbError> {
    let query = sqlx::query(
        "select version, hash, width, height, approved_by, approved_at from reference_pictures
         where task_id = $1 order by version desc limit 200",
    );
    query.bind(task.to_string()).fetch_all(c).await?.iter().map(picture).collect()
}

/// Whether a task of `edge` has, or had, `hash` as its approved picture.
pub(crate) async fn is_of_edge(c: &mut AnyConnection, edge: EdgeId, hash: &ContentHash) -> Result<bool, DbError> {
    let query = sqlx::query(
        "select 1 from reference_pictures r join tasks t on t.id = r.task_id join cameras c on c.id = t.camera_id
         where r.hash = $1 and c.edge_id = $2 limit 1",
    );
    Ok(query.bind(hash.as_str()).bind(edge.to_string()).fetch_optional(c).await?.is_some())
}

fn picture(row: &AnyRow) -> Result<ApprovedPicture, DbError> {
    let number = |column: usize| Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
    let hash: String = row.try_get(1)?;
    Ok(ApprovedPicture {
        version: number(0)?,
        url: evidence_url(&hash),
        hash,
        width: number(2)?,
        height: number(3)?,
        approved_by: row.try_get(4)?,
        approved_at: Timestamp::from_micros(row.try_get(5)?),
    })
}
