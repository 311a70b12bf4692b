//! The console: static files with one entry page, and the headers every answer carries.

use std::path::{Path, PathBuf};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse as _, Response},
    routing::get_service,
};
use server_kit::ApiError;
use tower_http::{
    compression::CompressionLayer,
    services::{ServeDir, ServeFile},
};

/// Nothing from elsewhere, no inline script, no frames. Blobs are pictures and live video of our own making;
/// inline styles are how the component library positions things.
const CSP: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
                   style-src 'self' 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; \
                   base-uri 'none'; form-action 'self'";

const NO_CONSOLE: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>工哨 Gongshao</title>\
    <h1>工哨 Gongshao</h1><p>控制台尚未构建，请在项目目录运行 <code>make console</code>，然后刷新本页。</p>\
    <p>The console is not built yet: run <code>make console</code> in the project, then reload this page.</p>\
    <p>The API is up: <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p></html>";

/// Files of `folder`, with its entry page for every path that is no file. A folder that is not built yet may be
/// built while the plane runs.
pub(crate) fn console<S: Clone + Send + Sync + 'static>(folder: Option<&Path>) -> Router<S> {
    // Without a folder nothing is ever found.
    let folder = folder.map_or_else(|| PathBuf::from("/nonexistent"), Path::to_owned);
    let files = ServeDir::new(&folder).fallback(ServeFile::new(folder.join("index.html")));
    Router::new()
        .fallback_service(get_service(files))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn(pages_only))
}

/// A wrong API path or a missing asset must not look like the console.
async fn pages_only(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if !is_page(&path) {
        return nothing_here().into_response();
    }
    let mut response = next.run(request).await;
    let is_asset = path.starts_with("/assets/");
    let is_missing = response.status() == StatusCode::NOT_FOUND;
    let html = response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
    if is_asset && (html || is_missing) {
        return nothing_here().into_response();
    }
    if is_missing {
        response = Html(NO_CONSOLE).into_response();
    }
    // Assets have their hash in their name; the entry page says which ones are the newest.
    let cache = if is_asset { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn is_page(path: &str) -> bool {
    !["/api/", "/edge/", "/live/"].iter().any(|prefix| path.starts_with(prefix))
}

pub(crate) fn nothing_here() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address", "该地址不存在")
}

pub(crate) async fn method_not_allowed() -> ApiError {
    wrong_method()
}

pub(crate) fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this address does not take this method",
        "该地址不支持此请求方法",
    )
}

/// Adds what every answer carries.
pub(crate) async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What the API says is for now and for this user, unless it says otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
