//! Who gets through to which endpoint.
//!
//! The permission of an endpoint is written once, beside its handler, as the scope of its `session` scheme in
//! the API document; the guard enforces what the document says. An endpoint that says nothing is closed.

use std::{collections::HashMap, str::FromStr as _, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use protocol::EdgeId;
use server_kit::{ApiError, Permission, accounts};
use utoipa::openapi::{OpenApi, path::Operation};

use crate::{edges, state::App, web};

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "gongshao_session";

/// What an endpoint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Public,
    Session(Permission),
    Edge,
}

/// The edge that makes a request, put there by the guard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallingEdge(pub(crate) EdgeId);

/// What each endpoint asks for, read from the API document.
#[derive(Debug, Default)]
pub(crate) struct AccessTable(HashMap<(Method, String), Access>);

impl AccessTable {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut table = HashMap::new();
        for (path, item) in &document.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::HEAD, &item.head),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations {
                if let Some(access) = operation.as_ref().and_then(access_of) {
                    table.insert((method, path.clone()), access);
                }
            }
        }
        Self(table)
    }

    fn get(&self, method: &Method, path: &str) -> Option<Access> {
        let find = |method: &Method| self.0.get(&(method.clone(), path.to_owned())).copied();
        find(method).or_else(|| if method == Method::HEAD { find(&Method::GET) } else { None })
    }
}

fn access_of(operation: &Operation) -> Option<Access> {
    let requirement = serde_json::to_value(operation.security.as_ref()?.first()?).ok()?;
    let schemes = requirement.as_object()?;
    if schemes.is_empty() {
        return Some(Access::Public);
    }
    if schemes.contains_key("edge") {
        return Some(Access::Edge);
    }
    let scope = schemes.get("session")?.get(0)?.as_str()?;
    Permission::from_str(scope).ok().map(Access::Session)
}

/// Lets a request through, with its principal, or refuses it.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let path = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned()).unwrap_or_default();
    match app.access.get(request.method(), &path).ok_or_else(web::wrong_method)? {
        Access::Public => own_pages_only(&request)?,
        Access::Edge => {
            let edge = edges::of_request(&app.db, request.headers()).await?.ok_or_else(unknown_edge)?;
            request.extensions_mut().insert(CallingEdge(edge));
        }
        Access::Session(permission) => {
            let token = session_token(request.headers()).ok_or_else(ApiError::unauthenticated)?;
            let mut connection = app.db.read().await?;
            let principal = accounts::principal(&mut connection, &token, app.now()).await?;
            drop(connection);
            let principal = principal.ok_or_else(ApiError::unauthenticated)?;
            if !principal.role.may(permission) {
                return Err(ApiError::forbidden());
            }
            own_pages_only(&request)?;
            request.extensions_mut().insert(principal);
        }
    }
    Ok(next.run(request).await)
}

/// A page of another origin cannot set this header without asking first, which nothing here allows.
fn own_pages_only(request: &Request) -> Result<(), ApiError> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let ours = request.headers().get("x-requested-with").is_some_and(|v| v == "gongshao");
    if changes && !ours {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "send the header x-requested-with: gongshao",
            "请求缺少 x-requested-with: gongshao 头",
        ));
    }
    Ok(())
}

fn unknown_edge() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "the edge's id or secret is wrong; check edge and secret in its configuration",
        "边缘节点的编号或密钥不正确，请检查其配置",
    )
}

/// The session's token out of the cookies.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}
