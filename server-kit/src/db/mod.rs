//! The database: one pool over SQLite or PostgreSQL, one SQL text for both.
//!
//! Stores write `$1` placeholders and the subset both engines share: text ids, integer microseconds, text
//! JSON. Every store function takes a connection, so that the caller decides what is one transaction.

mod error;
mod filter;
mod migrate;

use std::{
    ops::{Deref, DerefMut},
    str::FromStr as _,
    sync::{Arc, Once},
    time::Duration,
};

pub use error::DbError;
pub use filter::Filter;
pub use migrate::Migration;
use sqlx::{
    Any, AnyConnection, AnyPool, Executor as _, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    pool::PoolConnection,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Which database runs underneath. SQL differs only in modules that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded default.
    Sqlite,
    /// By configuration.
    Postgres,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
    /// SQLite has one writer at a time. Waiting here is fair and wakes at once; its own busy handler polls.
    writer: Arc<Mutex<()>>,
}

/// A transaction that will write. Dropping it without [`Tx::commit`] takes everything back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Any>,
    _writer: Option<OwnedMutexGuard<()>>,
}

/// WAL lets readers work beside the writer. `synchronous = full` because a receipt is a promise: what is
/// committed must outlive a power cut, and batches make the one `fsync` per transaction cheap.
const SQLITE_SETUP: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 10000; \
                            pragma foreign_keys = on; pragma temp_store = memory; pragma journal_size_limit = 67108864";

impl Db {
    /// Opens `sqlite:path` (created when missing) or `postgres://…`.
    ///
    /// # Errors
    /// When the address is neither, or the database cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, DbError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let engine = match url.split(':').next() {
            Some("sqlite") => Engine::Sqlite,
            Some("postgres" | "postgresql") => Engine::Postgres,
            _ => return Err(DbError::Address),
        };
        let mut url = url.to_owned();
        if engine == Engine::Sqlite && !url.contains("mode=") {
            url.push_str(if url.contains('?') { "&mode=rwc" } else { "?mode=rwc" });
        }
        let options = AnyConnectOptions::from_str(&url).map_err(|_| DbError::Address)?;
        let pool = AnyPoolOptions::new()
            .max_connections(if engine == Engine::Sqlite { 8 } else { 16 })
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if engine == Engine::Sqlite {
                        connection.execute(sqlx::raw_sql(SQLITE_SETUP)).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(DbError::Open)?;
        Ok(Self { pool, engine, writer: Arc::default() })
    }

    /// Which engine runs.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// When none can be had in time.
    pub async fn read(&self) -> Result<PoolConnection<Any>, DbError> {
        Ok(self.pool.acquire().await?)
    }

    /// Begins a transaction that will write.
    ///
    /// # Errors
    /// When no connection can be had in time.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match self.engine {
            // `immediate`: a transaction that reads first and writes later must not find that it reads the past.
            Engine::Sqlite => {
                let writer = Arc::clone(&self.writer).lock_owned().await;
                Ok(Tx { inner: self.pool.begin_with("begin immediate").await?, _writer: Some(writer) })
            }
            Engine::Postgres => Ok(Tx { inner: self.pool.begin().await?, _writer: None }),
        }
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.read().await?.execute(sqlx::raw_sql("select 1")).await?;
        Ok(())
    }

    /// Waits for running work and closes.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Tx {
    /// Makes everything permanent.
    ///
    /// # Errors
    /// When the database refuses; then nothing happened.
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.inner.commit().await?)
    }
}

impl Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}
