//! Bodies of the user endpoints.

use protocol::UserId;
use serde::{Deserialize, Serialize};
use server_kit::Role;
use utoipa::ToSchema;

/// A user as an administrator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UserInfo {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) role: Role,
    /// The password was generated and was not changed yet.
    pub(crate) must_change_password: bool,
}

/// All users, by name; at most 1000.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UserList {
    pub(crate) items: Vec<UserInfo>,
}

/// A user to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserInput {
    /// 1 to 64 letters, digits or `._-@`, also Chinese; unique without regard to case.
    pub(crate) username: String,
    pub(crate) role: Role,
}

/// What a user may do from now on.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRoleInput {
    pub(crate) role: Role,
}

/// A user with a password that was just generated.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UserWithPassword {
    #[serde(flatten)]
    pub(crate) user: UserInfo,
    /// Shown once; the user should change it.
    pub(crate) password: String,
}
