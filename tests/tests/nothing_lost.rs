//! Every event committed to the outbox reaches the store exactly once, however often the edge, the broker
//! and the control plane are killed meanwhile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use edge_agent::outbox::{Outbox, OutboxLimits};
use protocol::{CameraId, CameraSpec, TaskId, Transport};
use runtime::{Clock as _, SystemClock};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use standalone::{
    config::Config,
    demo,
    secrets::{EdgeCredential, Secrets},
};
use tests::{Process, eventually, free_address, program};

const KILLS: u32 = 15;
const EVENTS_PER_SECOND: u32 = 60;

struct Installation {
    dir: PathBuf,
    config: Config,
    edge: EdgeCredential,
    camera: CameraId,
    task: TaskId,
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing() -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let site = install(temporary.path()).await?;
    add_ledger(&site.outbox()).await?;

    let log = site.dir.join("processes.log");
    let mut processes = [
        Process::start(site.role("broker")?, &log)?,
        Process::start(site.role("plane")?, &log)?,
        Process::start(site.pump(EVENTS_PER_SECOND)?, &log)?,
    ];
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("the first delivered event", Duration::from_secs(30), || async {
        Ok((stored(&site).await?.len() > 3).then_some(()))
    })
    .await
    .with_context(told)?;

    // A fixed sequence that visits every part, at moments that depend on the traffic, not on the clock.
    let mut state = 0x9E37_79B9_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for kill in 0..KILLS {
        let committed = ledger(&site.outbox()).await?.len();
        let more = committed + 2 + next(20) as usize;
        eventually("more committed events", Duration::from_secs(30), || async {
            Ok((ledger(&site.outbox()).await?.len() >= more).then_some(()))
        })
        .await
        .with_context(|| format!("before kill {kill}"))
        .with_context(told)?;
        let victim = if kill < 3 { kill as usize } else { next(3) as usize };
        processes[victim].restart()?;
    }

    // No new events; what is in the outbox must still arrive.
    let [_broker, _plane, pump] = &mut processes;
    pump.kill()?;
    *pump = Process::start(site.pump(0)?, &log)?;
    eventually("an empty outbox", Duration::from_mins(1), || async {
        Ok((waiting(&site.outbox()).await? == 0).then_some(()))
    })
    .await
    .with_context(told)?;

    let (committed, stored) = (ledger(&site.outbox()).await?, stored(&site).await?);
    assert!(committed.len() > 50, "only {} events were committed", committed.len());
    assert_eq!(committed, stored, "what was committed (left) is not what is in the store (right)");
    Ok(())
}

async fn install(dir: &Path) -> Result<Installation> {
    let clock = SystemClock;
    let mut config = Config { data_dir: dir.join("data"), ..Config::default() };
    config.listen = free_address()?;
    config.mqtt_listen = free_address()?;
    std::fs::create_dir_all(config.data_dir.join("plane"))?;
    let db = control_plane::open_database(&config.database(), &clock).await?;
    let outcome = control_plane::bootstrap(&db, &clock, &control_plane::Bootstrap::default()).await?;
    let secret = outcome.edge_secret.context("a new installation has an edge")?;
    let camera = CameraSpec {
        id: CameraId::new(clock.now()),
        name: "pit".into(),
        url: "rtsp://192.0.2.1/live".into(),
        username: None,
        password: None,
        transport: Transport::Tcp,
    };
    control_plane::ensure_camera(&db, &clock, outcome.edge, &camera).await?;
    let task = demo::tasks(&camera).into_iter().nth(1).context("the demo has an intrusion task")?;
    control_plane::ensure_task(&db, &clock, &task).await?;
    db.close().await;
    let edge = EdgeCredential { id: outcome.edge, secret };
    let path = config.data_dir.join("secrets.json");
    Secrets { edge: Some(edge.clone()), ..Secrets::load_or_create(&path)? }.save(&path)?;
    Ok(Installation { dir: dir.to_owned(), config, edge, camera: camera.id, task: task.id })
}

impl Installation {
    fn outbox(&self) -> PathBuf {
        self.dir.join("outbox")
    }

    fn role(&self, role: &str) -> Result<Command> {
        let mut command = Command::new(program("gongshao")?);
        command
            .arg(role)
            .args(["--no-demo", "--data-dir"])
            .arg(&self.config.data_dir)
            .args(["--listen", &self.config.listen.to_string()])
            .args(["--mqtt-listen", &self.config.mqtt_listen.to_string()]);
        Ok(command)
    }

    fn pump(&self, rate: u32) -> Result<Command> {
        let mut command = Command::new(program("event-pump")?);
        command
            .arg(self.outbox())
            .arg(format!("mqtt://{}", self.config.mqtt_listen))
            .arg(self.edge.id.to_string())
            .arg(self.edge.secret.expose())
            .arg(self.camera.to_string())
            .arg(self.task.to_string())
            .arg(rate.to_string());
        Ok(command)
    }
}

/// A trigger writes down each commit in the same transaction: the truth to compare with.
async fn add_ledger(outbox: &Path) -> Result<()> {
    drop(Outbox::open(outbox, OutboxLimits::default(), Arc::new(SystemClock)).await?);
    let mut db = open(&outbox.join("outbox.db")).await?;
    for statement in [
        "create table ledger (id text not null, revision integer not null)",
        "create trigger written_down after insert on event begin insert into ledger values (new.id, new.revision); end",
    ] {
        sqlx::query(statement).execute(&mut db).await?;
    }
    db.close().await.map_err(Into::into)
}

/// Newest committed revision of each event.
async fn ledger(outbox: &Path) -> Result<BTreeMap<String, i64>> {
    newest(
        &outbox.join("outbox.db"),
        "select id, max(revision), count(*) - count(distinct revision) from ledger group by id",
    )
    .await
}

/// Newest stored revision of each event.
async fn stored(site: &Installation) -> Result<BTreeMap<String, i64>> {
    newest(
        &site.config.data_dir.join("plane/plane.db"),
        "select id, max(revision), count(*) - 1 from events group by id",
    )
    .await
}

async fn newest(path: &Path, query: &'static str) -> Result<BTreeMap<String, i64>> {
    let mut db = open(path).await?;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(query).fetch_all(&mut db).await?;
    db.close().await?;
    assert!(rows.iter().all(|(_, _, doubled)| *doubled == 0), "something is there twice: {rows:?}");
    Ok(rows.into_iter().map(|(id, revision, _)| (id, revision)).collect())
}

async fn waiting(outbox: &Path) -> Result<i64> {
    let mut db = open(&outbox.join("outbox.db")).await?;
    let count: (i64,) = sqlx::query_as("select count(*) from event").fetch_one(&mut db).await?;
    db.close().await?;
    Ok(count.0)
}

async fn open(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
    Ok(SqliteConnection::connect_with(&options).await?)
}
