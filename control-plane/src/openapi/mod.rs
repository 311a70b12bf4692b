//! The API document: gathered from the routes themselves, so that a route without documentation does not exist.

pub(crate) mod routes;
pub(crate) mod types;

use std::sync::Arc;

use utoipa::{
    OpenApi as _,
    openapi::{
        ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
        schema::Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    algorithms, cameras, edges, events, evidence, ingest, references, reports, session, sites, state::App, stream,
    tasks, users,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gongshao API",
        version = "1",
        description = "Times are integer microseconds since 1970-01-01T00:00:00Z. Every error has the shape `Error`. \
                       Requests that change something need the header `x-requested-with: gongshao`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(
        server_kit::ErrorBody,
        crate::stream::types::Change,
        crate::stream::types::StreamHello
    )),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "events", description = "Events and their closed loop 处置闭环"),
        (name = "reports", description = "Precision 真实告警率 and statistics 统计"),
        (name = "evidence", description = "Pictures and clips"),
        (name = "cameras", description = "Cameras 摄像头"),
        (name = "tasks", description = "Algorithm tasks 算法任务"),
        (name = "algorithms", description = "What tasks can look for"),
        (name = "edges", description = "Edge boxes 边缘节点"),
        (name = "sites", description = "Construction sites 工地"),
        (name = "users", description = "People who sign in 用户"),
        (name = "stream", description = "Changes as they are committed"),
        (name = "edge", description = "What edges upload"),
        (name = "system", description = "Health and this document"),
    ),
)]
struct Base;

/// Every route with its documentation.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Base::openapi())
        .merge(session::routes::router())
        .merge(events::routes::router())
        .merge(events::handling::routes::router())
        .merge(events::export::routes::router())
        .merge(reports::routes::router())
        .merge(evidence::routes::router())
        .merge(cameras::routes::router())
        .merge(tasks::routes::router())
        .merge(references::routes::router())
        .merge(algorithms::routes::router())
        .merge(edges::routes::router())
        .merge(edges::join::routes::router())
        .merge(edges::insight::routes::router())
        .merge(ingest::quarantine::routes::router())
        .merge(sites::routes::router())
        .merge(users::routes::router())
        .merge(stream::routes::router())
        .merge(routes::router())
}

/// The API document.
pub fn document() -> OpenApi {
    let mut api = routes().into_openapi();
    let components = api.components.get_or_insert_default();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("gongshao_session"));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let mut bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    bearer.description = Some("`{edge_id}.{secret}`".to_owned());
    components.add_security_scheme("edge", SecurityScheme::Http(bearer));
    for (name, schema) in &mut components.schemas {
        if !name.ends_with("Input") {
            answers_carry_every_key(schema);
        }
    }
    for item in api.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch, &mut item.head];
        for operation in operations.into_iter().flatten() {
            for class in ["4XX", "5XX"] {
                let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
                let response =
                    ResponseBuilder::new().description("refused or failed").content("application/json", content);
                operation.responses.responses.insert(class.to_owned(), RefOr::T(response.build()));
            }
        }
    }
    api
}

/// An answer always has all its keys; a value that is not there is `null`.
fn answers_carry_every_key(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.required = object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(answers_carry_every_key),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}
