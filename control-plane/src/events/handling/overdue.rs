//! The sweep over what is overdue 超期升级: each passed due time is noted at its event and told to the consoles.

use protocol::Timestamp;
use server_kit::{Db, DbError};

use super::{
    store::{self, NewNote},
    types::NoteKind,
};
use crate::{
    events::deadlines,
    stream::{self, ChangeKind},
};

/// Events of one transaction.
const BATCH: i64 = 200;

/// Notes every reminder that is due by `now`. Gives the newest change, when there was one.
pub(crate) async fn sweep(db: &Db, now: Timestamp) -> Result<Option<i64>, DbError> {
    let mut newest = None;
    loop {
        let mut tx = db.begin().await?;
        let due = store::overdue(&mut tx, now, BATCH).await?;
        if due.is_empty() {
            return Ok(newest);
        }
        let mut changes = Vec::new();
        for event in &due {
            // A state without a term cannot be overdue; its reminder is taken away.
            let (level, next) = deadlines::term(event.state, event.severity)
                .map_or((event.level, None), |term| deadlines::reminders(event.due, term, now));
            store::reminded(&mut tx, event.id, level, next).await?;
            if level > event.level {
                let text = format!("第 {level} 次超期提醒");
                let note = NewNote { event: event.id, kind: NoteKind::Overdue, by: None, text: &text, pictures: &[] };
                store::write(&mut tx, &note, now).await?;
                changes.push((ChangeKind::Event, event.id.to_string()));
            }
        }
        if !changes.is_empty() {
            newest = Some(stream::append(&mut tx, &changes, now).await?);
        }
        tx.commit().await?;
        if !changes.is_empty() {
            tracing::info!(events = changes.len(), "events are overdue");
        }
    }
}
