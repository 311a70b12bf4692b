//! Migrations: forward only, one SQL text for both engines, each in its own transaction.

use protocol::{ContentHash, Timestamp};
use sqlx::{Executor as _, Row as _};

use super::{Db, DbError, Engine};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name; steps are applied in the order they are given.
    pub name: &'static str,
    /// The SQL both engines take.
    pub sql: &'static str,
}

const TABLE: &str = "create table if not exists migrations (
    name text not null primary key,
    hash text not null,
    applied_at bigint not null
)";

impl Db {
    /// Applies the migrations that are missing.
    ///
    /// # Errors
    /// When one fails (then it left nothing behind), was changed since it was applied, or the database is
    /// newer than the program.
    pub async fn migrate(&self, migrations: &[Migration], now: Timestamp) -> Result<(), DbError> {
        self.read().await?.execute(sqlx::raw_sql(TABLE)).await?;
        for migration in migrations {
            let mut tx = self.begin().await?;
            if self.engine == Engine::Postgres {
                // Several planes may start at once.
                tx.execute(sqlx::raw_sql("lock table migrations in exclusive mode")).await?;
            }
            let hash = ContentHash::of(migration.sql.as_bytes()).to_string();
            let row = sqlx::query("select hash from migrations where name = $1")
                .bind(migration.name)
                .fetch_optional(&mut *tx);
            match row.await? {
                Some(row) if row.try_get::<String, _>(0)? == hash => continue,
                Some(_) => return Err(DbError::MigrationChanged(migration.name.to_owned())),
                None => {}
            }
            tx.execute(sqlx::raw_sql(migration.sql)).await?;
            sqlx::query("insert into migrations (name, hash, applied_at) values ($1, $2, $3)")
                .bind(migration.name)
                .bind(hash)
                .bind(now.as_micros())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            tracing::info!(migration = migration.name, "database migrated");
        }
        self.refuse_newer(migrations).await
    }

    async fn refuse_newer(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let rows = sqlx::query("select name from migrations").fetch_all(&mut *self.read().await?).await?;
        for row in rows {
            let name: String = row.try_get(0)?;
            if migrations.iter().all(|m| m.name != name) {
                return Err(DbError::Newer(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn migrations_only_go_forward() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite:{}/x.db", folder.path().display())).await.unwrap();
        let now = Timestamp::from_secs(0);
        let one = Migration { name: "1", sql: "create table a (id text); create table b (id text)" };
        let two = Migration { name: "2", sql: "create table c (id text); insert into nowhere values (1)" };
        db.migrate(&[one], now).await.unwrap();
        db.migrate(&[one], now).await.unwrap();
        assert!(matches!(db.migrate(&[one, two], now).await, Err(DbError::Sql(_))));
        let fixed = Migration { name: "2", sql: "create table c (id text)" };
        db.migrate(&[one, fixed], now).await.expect("the failed one left nothing behind");
        let changed = Migration { name: "1", sql: "create table a (id bigint)" };
        assert!(
            matches!(db.migrate(&[changed, fixed], now).await, Err(DbError::MigrationChanged(name)) if name == "1")
        );
        assert!(matches!(db.migrate(&[one], now).await, Err(DbError::Newer(name)) if name == "2"));
    }

    #[tokio::test]
    async fn bad_addresses_say_what_to_do() {
        for address in ["", "mysql://x", "/var/lib/x.db"] {
            assert!(matches!(Db::connect(address).await, Err(DbError::Address)), "{address}");
        }
        let error = Db::connect("sqlite:/nonexistent/folder/x.db").await.unwrap_err().to_string();
        assert!(error.contains("check that it runs, or that its folder exists"), "{error}");
    }
}
