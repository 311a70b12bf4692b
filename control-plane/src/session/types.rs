//! Bodies of the session endpoints.

use protocol::UserId;
use serde::{Deserialize, Serialize};
use server_kit::Role;
use utoipa::ToSchema;

/// User name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoginInput)]
pub(crate) struct LoginInput {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordInput)]
pub(crate) struct PasswordInput {
    pub(crate) current: String,
    /// At least 8 characters.
    pub(crate) new: String,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) role: Role,
    /// The password was generated; the console asks for a new one.
    pub(crate) must_change_password: bool,
}

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    pub(crate) user: User,
}
