//! Every endpoint of the API document with every role: a new endpoint cannot be forgotten.

use std::str::FromStr as _;

use axum::http::{HeaderName, Method, StatusCode};
use serde_json::{Value, json};
use server_kit::{Permission, Role};

use super::harness::{Client, Plane};

/// Who makes the request.
enum Who {
    Nobody,
    User(Role),
    Edge,
}

pub(super) async fn every_endpoint_for_every_role(plane: Plane) {
    let document = serde_json::to_value(crate::document()).unwrap();
    let edge = plane.edge_client().with(HeaderName::from_static("x-requested-with"), "gongshao");
    let mut clients = vec![(Who::Nobody, plane.nobody()), (Who::Edge, edge)];
    for role in Role::ALL {
        clients.push((Who::User(role), plane.user(role).await));
    }
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_str(&method.to_uppercase()).unwrap();
            for (who, client) in &clients {
                // Signing out would end the walk for this client.
                if method == Method::DELETE && path == "/api/v1/session" && matches!(who, Who::User(_)) {
                    continue;
                }
                check(&method, path, &operation["security"][0], who, client).await;
                walked += 1;
            }
        }
    }
    assert!(walked > 120, "only {walked} requests were made");
}

async fn check(method: &Method, path: &str, security: &Value, who: &Who, client: &Client) {
    let url = path.replace("{id}", "019abcde-0000-7000-8000-000000000000").replace("{hash}", &"a".repeat(64));
    let shown = format!("{method} {path}");
    if path == "/api/v1/stream" && matches!(who, Who::User(_)) {
        let response = client.send(method.clone(), &url, axum::body::Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK, "{shown}");
        return;
    }
    let body = if method == Method::POST || method == Method::PUT { json!({}) } else { Value::Null };
    let (status, answer) = client.json(method.clone(), &url, body.clone()).await;
    let passed = !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let expect = match (security, who) {
        (security, _) if security == &json!({}) => true,
        (security, Who::Edge) => security.get("edge").is_some(),
        (security, Who::User(role)) => security.get("session").is_some_and(|scopes| {
            let permission = Permission::from_str(scopes[0].as_str().unwrap()).unwrap();
            role.may(permission)
        }),
        (_, Who::Nobody) => false,
    };
    assert_eq!(passed, expect, "{shown}: {status} {answer}");
    if !passed && method != Method::HEAD {
        for key in ["code", "message", "message_zh", "field"] {
            assert!(answer.get(key).is_some(), "{shown}: the error has no {key}: {answer}");
        }
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    if changes && passed && security.get("edge").is_none() {
        let foreign = client.clone().without(&HeaderName::from_static("x-requested-with"));
        let (status, answer) = foreign.json(method.clone(), &url, body).await;
        assert_eq!((status.as_u16(), answer["code"].as_str()), (403, Some("csrf")), "{shown}");
    }
}
