//! Who makes a request.

use axum::{extract::FromRequestParts, http::request::Parts};
use protocol::UserId;

use crate::{ApiError, Role};

/// The signed-in user of a request, put there by the guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user's id.
    pub user: UserId,
    /// The user's name.
    pub username: String,
    /// What the user may do.
    pub role: Role,
    /// The password was generated and should be changed.
    pub must_change_password: bool,
    /// SHA-256 of the session's token, which names the session in the store.
    pub session: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::unauthenticated)
    }
}
