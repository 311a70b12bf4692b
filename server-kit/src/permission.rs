//! Who may do what.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Role of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Configures everything.
    Admin,
    /// Handles events.
    Supervisor,
    /// Looks.
    Viewer,
}

/// What an endpoint asks for. Its name stands in the OpenAPI document as a scope of the `session` scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// One's own session and password.
    OwnSession,
    /// See cameras, tasks, edges, events and their evidence.
    Read,
    /// Take events through their closed loop 处置.
    HandleEvents,
    /// Add, change and remove cameras and tasks.
    Configure,
}

/// A name that no role or permission has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Supervisor, Self::Viewer];

    /// Stable name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Viewer => "viewer",
        }
    }

    /// Whether this role has `permission`.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::OwnSession | Permission::Read => true,
            Permission::HandleEvents => matches!(self, Self::Admin | Self::Supervisor),
            Permission::Configure => matches!(self, Self::Admin),
        }
    }
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 4] = [Self::OwnSession, Self::Read, Self::HandleEvents, Self::Configure];

    /// Its name as a scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnSession => "own_session",
            Self::Read => "read",
            Self::HandleEvents => "handle_events",
            Self::Configure => "configure",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| UnknownName(text.to_owned()))
    }
}

impl FromStr for Permission {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or_else(|| UnknownName(text.to_owned()))
    }
}
