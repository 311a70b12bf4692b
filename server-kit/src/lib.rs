//! What every server crate stands on: database, errors, sessions, permissions, paging, evidence files.
//!
//! Knows no feature of the control plane; the features know only this.

pub mod accounts;
pub mod cursor;
pub mod db;
mod error;
mod extract;
pub mod objects;
mod permission;
mod principal;

pub use cursor::Cursor;
pub use db::{Db, DbError, Engine, Filter, Migration, Tx};
pub use error::{ApiError, ErrorBody};
pub use extract::{Json, Path, Query};
pub use objects::ObjectStore;
pub use permission::{Permission, Role, UnknownName};
pub use principal::Principal;

/// The tables of this crate; they come before those of the features.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "kit_0001_accounts", sql: include_str!("../migrations/0001_accounts.sql") }];
