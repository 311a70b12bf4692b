//! The one shape of an error that leaves the server.
//!
//! A handler returns [`ApiError`]; what went wrong inside is logged here, once, and never leaves.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What every 4xx and 5xx answer carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// Stable code for programs, e.g. `not_found`.
    pub code: &'static str,
    /// A sentence for people, English.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
    /// The field of the request that is wrong, when one is.
    pub field: Option<String>,
}

/// An error on its way to the client.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {}", body.message)]
pub struct ApiError {
    status: StatusCode,
    body: Box<ErrorBody>,
    retry_after_secs: Option<u64>,
}

impl ApiError {
    /// Makes an error with any status and code.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        message_zh: impl Into<String>,
    ) -> Self {
        let body = ErrorBody { code, message: message.into(), message_zh: message_zh.into(), field: None };
        Self { status, body: Box::new(body), retry_after_secs: None }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.body.field = Some(field.into());
        self
    }

    /// 400: `field` cannot be used as given.
    pub fn invalid(field: &str, message: impl Into<String>, message_zh: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message, message_zh).field(field)
    }

    /// 400: the request cannot be read at all.
    pub fn malformed(message: impl Into<String>) -> Self {
        let message = message.into();
        let zh = format!("请求格式不正确：{message}");
        Self::new(StatusCode::BAD_REQUEST, "malformed", message, zh)
    }

    /// 401: nobody is signed in.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "please sign in first", "请先登录")
    }

    /// 403: the role does not allow it.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "your role does not allow this", "您的角色没有此操作的权限")
    }

    /// 404: there is no such thing.
    pub fn not_found(what: &str, what_zh: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
            format!("{what_zh}不存在或已被删除"),
        )
    }

    /// 409: somebody else was faster.
    pub fn conflict() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "somebody else changed this in the meantime; look at the new state and try again",
            "该内容刚被他人修改，请查看最新状态后重试",
        )
    }

    /// 429: too often; try again after `secs` seconds.
    pub fn too_many(code: &'static str, message: &str, message_zh: &str, secs: u64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message, message_zh);
        Self { retry_after_secs: Some(secs), ..error }
    }

    /// 413: the body is over the limit.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the request is too large", "请求内容过大")
    }

    /// 500: a fault of ours. The reason goes to the log, not to the client.
    pub fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on the server; try again, and look into its log if it stays",
            "服务器内部错误，请稍后重试；若持续出现请查看服务日志",
        )
    }

    /// 503: a part we need is not there now. The reason goes to the log.
    pub fn unavailable(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "a request could not be served");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the storage is not available now; try again in a moment",
            "存储暂时不可用，请稍后重试",
        )
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What would be sent.
    pub fn into_body(self) -> ErrorBody {
        *self.body
    }

    /// Its stable code.
    pub fn code(&self) -> &'static str {
        self.body.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(*self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<crate::db::DbError> for ApiError {
    fn from(error: crate::db::DbError) -> Self {
        if error.is_unavailable() { Self::unavailable(&error) } else { Self::internal(&error) }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        crate::db::DbError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_detail_stays_inside() {
        let error = ApiError::from(sqlx::Error::Protocol("password=hunter2".into()));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
