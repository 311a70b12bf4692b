//! What can go wrong with the database.

/// A failure of the database or of what is stored in it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address is of no known kind.
    #[error("the database address must be sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")]
    Address,
    /// It cannot be opened.
    #[error("the database cannot be opened; check that it runs, or that its folder exists and has room: {0}")]
    Open(#[source] sqlx::Error),
    /// The engine says no. Its words are for the log.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row that this version cannot have written.
    #[error("the stored {what} cannot be read: {reason}")]
    Corrupt {
        /// Which column of which table.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A migration that was applied has another text now.
    #[error("migration {0} was changed after it was applied; migrations only go forward, add a new one")]
    MigrationChanged(String),
    /// The database was written by a newer version.
    #[error("the database knows migration {0}, this program does not; start the newer version instead")]
    Newer(String),
}

impl DbError {
    /// Says that stored text cannot be read.
    pub fn corrupt(what: &'static str) -> impl FnOnce(&dyn std::fmt::Display) -> Self {
        move |reason| Self::Corrupt { what, reason: reason.to_string() }
    }

    /// Whether it may pass by itself: no connection, disk full, locked.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
            // SQLITE_BUSY, LOCKED, IOERR, FULL, CANTOPEN (low byte); PostgreSQL classes 08, 53, 57.
            Self::Sql(sqlx::Error::Database(error)) => error.code().is_some_and(|code| match code.parse::<u32>() {
                Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 14),
                _ => ["08", "53", "57"].iter().any(|class| code.starts_with(class)),
            }),
            _ => false,
        }
    }

    /// Whether the row is there already.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}
