//! A batch of messages in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protocol::{CameraId, EdgeHealth, EdgeId, Event, HourlyCounts, ReportedState, TaskId, Timestamp, wire::Received};
use server_kit::{Db, DbError, Tx};

use super::{
    Message,
    decode::{Bad, Incoming, decode},
    quarantine, store,
};
use crate::{
    cameras::{self, store::Ownership},
    edges, events,
    events::intake::store::{Place, Stored},
    reports,
    stream::{self, ChangeKind},
    tasks,
};

/// What a committed batch leads to.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(crate) receipts: BTreeMap<EdgeId, Vec<Received>>,
    /// Newest change, when anything is news.
    pub(crate) newest: Option<i64>,
}

/// Stores a batch. When this fails, nothing of it happened.
pub(crate) async fn commit(db: &Db, messages: &[Message], now: Timestamp) -> Result<Committed, DbError> {
    let mut batch = Batch::begin(db, now).await?;
    for message in messages {
        if let Some(bad) = batch.take(message).await? {
            batch.quarantine(message, bad).await?;
        }
    }
    batch.finish().await
}

/// Tries a message of the quarantine again: takes it out when it can be stored now. Gives the newest change, or
/// the reason why it stays.
pub(super) async fn replay(
    db: &Db,
    message: &Message,
    hash: &str,
    now: Timestamp,
) -> Result<(Option<i64>, Option<String>), DbError> {
    let mut batch = Batch::begin(db, now).await?;
    if let Some(bad) = batch.take(message).await? {
        return Ok((None, Some(bad.reason)));
    }
    quarantine::store::delete(&mut batch.tx, hash).await?;
    Ok((batch.finish().await?.newest, None))
}

/// Puts one message aside that the database refuses, so that it cannot hold up the others.
pub(super) async fn set_aside(
    db: &Db,
    message: &Message,
    reason: String,
    now: Timestamp,
) -> Result<Committed, DbError> {
    let received = match decode(message) {
        Incoming::Event(edge, event) => Bad::event(edge, &event, "").received,
        Incoming::Bad(bad) => bad.received,
        Incoming::Health(..) | Incoming::Reported(..) | Incoming::Counts(..) => None,
    };
    let mut tx = db.begin().await?;
    store::quarantine(&mut tx, message, &reason, now).await?;
    tx.commit().await?;
    let receipts = received.map(|(edge, received)| (edge, vec![received])).into_iter().collect();
    Ok(Committed { receipts, newest: None })
}

struct Batch {
    tx: Tx,
    now: Timestamp,
    receipts: BTreeMap<EdgeId, Vec<Received>>,
    changes: Vec<(ChangeKind, String)>,
    told: BTreeSet<String>,
    cameras: HashMap<CameraId, Option<Ownership>>,
    tasks: HashMap<TaskId, Option<String>>,
}

impl Batch {
    async fn begin(db: &Db, now: Timestamp) -> Result<Self, DbError> {
        Ok(Self {
            tx: db.begin().await?,
            now,
            receipts: BTreeMap::new(),
            changes: Vec::new(),
            told: BTreeSet::new(),
            cameras: HashMap::new(),
            tasks: HashMap::new(),
        })
    }

    /// Stores what a message says, or says why not.
    async fn take(&mut self, message: &Message) -> Result<Option<Bad>, DbError> {
        match decode(message) {
            Incoming::Event(edge, event) => self.event(edge, &event).await,
            Incoming::Health(edge, health) => self.health(edge, &health).await,
            Incoming::Reported(edge, reported) => self.reported(edge, &reported).await,
            Incoming::Counts(edge, counts) => self.counts(edge, &counts).await,
            Incoming::Bad(bad) => Ok(Some(bad)),
        }
    }

    async fn event(&mut self, edge: EdgeId, event: &Event) -> Result<Option<Bad>, DbError> {
        let Some(owner) = self.owner(event.camera).await? else {
            return Ok(Some(Bad::event(edge, event, "the camera is not known here")));
        };
        if owner.edge != edge {
            return Ok(Some(Bad::event(edge, event, "the camera belongs to another edge")));
        }
        let task_name = self.task_name(event.task).await?;
        let place = Place {
            edge,
            site: owner.site,
            site_name: &owner.site_name,
            camera_name: &owner.name,
            task_name: task_name.as_deref(),
        };
        match events::intake::store::take(&mut self.tx, event, &place, self.now).await? {
            Stored::New => self.news(ChangeKind::Event, event.id.to_string()),
            Stored::Known => {}
            Stored::Foreign => {
                let reason = "the event id is taken by another edge, camera or algorithm";
                return Ok(Some(Bad::event(edge, event, reason)));
            }
        }
        self.receipts.entry(edge).or_default().push(Received { id: event.id, revision: event.revision });
        Ok(None)
    }

    async fn owner(&mut self, camera: CameraId) -> Result<Option<Ownership>, DbError> {
        if let Some(owner) = self.cameras.get(&camera) {
            return Ok(owner.clone());
        }
        let owner = cameras::store::ownership(&mut self.tx, camera).await?;
        self.cameras.insert(camera, owner.clone());
        Ok(owner)
    }

    async fn task_name(&mut self, task: TaskId) -> Result<Option<String>, DbError> {
        if let Some(name) = self.tasks.get(&task) {
            return Ok(name.clone());
        }
        let name = tasks::store::name(&mut self.tx, task).await?;
        self.tasks.insert(task, name.clone());
        Ok(name)
    }

    async fn health(&mut self, edge: EdgeId, health: &EdgeHealth) -> Result<Option<Bad>, DbError> {
        let Some(known) = edges::store::get(&mut self.tx, edge).await? else { return Ok(Some(unknown_edge())) };
        let was_online = edges::reports::is_online(known.online, known.last_seen_at, self.now);
        edges::store::set_health(&mut self.tx, edge, health, self.now).await?;
        if health.online {
            edges::insight::store::note(&mut self.tx, edge, health, self.now).await?;
        }
        if edges::reports::health_is_news(known.health.as_ref(), was_online, health) {
            self.news(ChangeKind::Edge, edge.to_string());
        }
        Ok(None)
    }

    async fn reported(&mut self, edge: EdgeId, reported: &ReportedState) -> Result<Option<Bad>, DbError> {
        let Some(known) = edges::store::get(&mut self.tx, edge).await? else { return Ok(Some(unknown_edge())) };
        edges::store::set_reported(&mut self.tx, edge, reported).await?;
        for (kind, id) in edges::reports::report_news(edge, known.reported.as_ref(), reported) {
            self.news(kind, id);
        }
        Ok(None)
    }

    /// Keeps how many people an hour had; a repeated message changes nothing.
    async fn counts(&mut self, edge: EdgeId, counts: &HourlyCounts) -> Result<Option<Bad>, DbError> {
        match self.owner(counts.camera).await? {
            Some(owner) if owner.edge == edge => {}
            Some(_) => return Ok(Some(Bad { reason: "the camera belongs to another edge".into(), received: None })),
            None => return Ok(Some(Bad { reason: "the camera is not known here".into(), received: None })),
        }
        reports::store::keep_hour(&mut self.tx, counts).await?;
        Ok(None)
    }

    async fn quarantine(&mut self, message: &Message, bad: Bad) -> Result<(), DbError> {
        tracing::warn!(mqtt.topic = %message.topic, reason = %bad.reason, "a message is quarantined");
        store::quarantine(&mut self.tx, message, &bad.reason, self.now).await?;
        if let Some((edge, received)) = bad.received {
            self.receipts.entry(edge).or_default().push(received);
        }
        Ok(())
    }

    fn news(&mut self, kind: ChangeKind, id: String) {
        if self.told.insert(format!("{} {id}", kind.as_str())) {
            self.changes.push((kind, id));
        }
    }

    async fn finish(mut self) -> Result<Committed, DbError> {
        let mut newest = None;
        if !self.changes.is_empty() {
            newest = Some(stream::append(&mut self.tx, &self.changes, self.now).await?);
        }
        self.tx.commit().await?;
        Ok(Committed { receipts: self.receipts, newest })
    }
}

fn unknown_edge() -> Bad {
    Bad { reason: "the edge is not known here".into(), received: None }
}
