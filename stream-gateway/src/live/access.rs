//! Who may watch.

use std::sync::Arc;

use axum::{
    Json,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{HOST, ORIGIN},
    },
    response::{IntoResponse, Response},
};
use protocol::{CameraId, viewer_token::TokenRefused};
use tokio::sync::OwnedSemaphorePermit;

use super::{Live, MAX_VIEWERS};
use crate::{UnknownCamera, channel::Channel};

/// Why somebody may not watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewerRefused {
    /// A page of another site opened the connection.
    #[error("live view is only for pages of this host")]
    Origin,
    /// No such camera.
    #[error("there is no such camera")]
    UnknownCamera,
    /// The token does not allow it.
    #[error(transparent)]
    Token(#[from] TokenRefused),
    /// Too many watch already.
    #[error("{MAX_VIEWERS} viewers watch already: close a picture and try again")]
    Full,
}

impl From<UnknownCamera> for ViewerRefused {
    fn from(_: UnknownCamera) -> Self {
        Self::UnknownCamera
    }
}

impl IntoResponse for ViewerRefused {
    fn into_response(self) -> Response {
        let (status, code, message_zh) = match self {
            Self::Origin => (StatusCode::FORBIDDEN, "forbidden_origin", "只允许本站页面观看实时视频"),
            Self::UnknownCamera => (StatusCode::NOT_FOUND, "not_found", "没有这个摄像头"),
            Self::Token(TokenRefused::OtherCamera) => (StatusCode::FORBIDDEN, "forbidden", "观看凭证属于其他摄像头"),
            Self::Token(TokenRefused::Expired) => (StatusCode::UNAUTHORIZED, "token_expired", "观看凭证已过期"),
            Self::Token(TokenRefused::Invalid) => (StatusCode::UNAUTHORIZED, "token_invalid", "观看凭证无效"),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "too_many_viewers", "同时观看的人数已达上限"),
        };
        let body = serde_json::json!({ "code": code, "message": self.to_string(), "message_zh": message_zh });
        (status, Json(body)).into_response()
    }
}

pub(super) fn admit(
    live: &Live,
    camera: &str,
    token: &str,
    headers: &HeaderMap,
) -> Result<(Arc<Channel>, OwnedSemaphorePermit), ViewerRefused> {
    if !same_host(headers) {
        return Err(ViewerRefused::Origin);
    }
    let camera: CameraId = camera.parse().map_err(|_| ViewerRefused::UnknownCamera)?;
    live.key.verify(token, camera, live.clock.now())?;
    let channel = live.hub.channel(camera)?;
    let place = Arc::clone(&live.places).try_acquire_owned().map_err(|_| ViewerRefused::Full)?;
    Ok((channel, place))
}

/// Browsers let any page open a WebSocket anywhere and say in `Origin` which page it was. Others send none.
fn same_host(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(page), Some(host)) => page.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&'static str>, host: &'static str, expect: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(same_host(&headers), expect, "{origin:?} {host}");
    }

    #[test]
    fn only_pages_of_this_host() {
        check(None, "10.0.0.1:8080", true);
        check(Some("http://10.0.0.1:8080"), "10.0.0.1:8080", true);
        check(Some("https://Site.example"), "site.example", true);
        check(Some("http://10.0.0.1:8081"), "10.0.0.1:8080", false);
        check(Some("http://evil.example"), "10.0.0.1:8080", false);
        check(Some("null"), "10.0.0.1:8080", false);
    }
}
