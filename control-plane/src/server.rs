//! The composition of the control plane: the routes, and the parts that run.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use runtime::{CancellationToken, Tasks};
use server_kit::{Db, ObjectStore};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
};

use crate::{
    config::{PlaneConfig, PlaneEnvironment, PlaneError},
    edges, events,
    guard::{self, AccessTable},
    ingest::{self, LinkStatus},
    openapi, reports,
    state::App,
    stream::{self, Changes},
    web,
};

/// The largest JSON body.
const MAX_JSON_BYTES: usize = 1_000_000;

/// Open change streams at most.
const MAX_STREAMS: usize = 512;

/// How long running requests may take when the plane stops.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Runs the control plane until `shutdown`.
///
/// # Errors
/// When the configuration cannot work, or a part fails for good. A broker that is away is no such failure:
/// `/readyz` says so and everything else works.
pub async fn run(config: PlaneConfig, env: PlaneEnvironment, shutdown: CancellationToken) -> Result<(), PlaneError> {
    // Boxed, so that the caller's own future stays small.
    Box::pin(run_parts(config, env, shutdown)).await
}

async fn run_parts(config: PlaneConfig, env: PlaneEnvironment, shutdown: CancellationToken) -> Result<(), PlaneError> {
    let broker = ingest::Broker::of(&config)?;
    let tasks = Tasks::under(&shutdown);
    let stop = tasks.token().clone();
    let app = Arc::new(assemble(&config, &env, &stop).await?);
    let router = router(&app, config.console_dir.as_deref(), env.extra);

    let (client, messages) = ingest::connect(&tasks, &app, broker).await;
    tasks.spawn("ingest", ingest::run(Arc::clone(&app), client.clone(), messages)).await;
    tasks.spawn("desired", ingest::publish_desired(Arc::clone(&app), client)).await;
    tasks.spawn("housekeeping", housekeeping(Arc::clone(&app))).await;
    tasks.spawn("sweeps", sweeps(Arc::clone(&app))).await;
    tasks.spawn("http", serve(env.listener, router, stop)).await;
    tracing::info!("control plane is up");
    tasks.run_until_cancelled(LAST_REQUESTS + Duration::from_secs(1)).await?;
    Ok(())
}

pub(crate) async fn assemble(
    config: &PlaneConfig,
    env: &PlaneEnvironment,
    stop: &CancellationToken,
) -> Result<App, PlaneError> {
    let folder = config.data_dir.join("evidence");
    let objects = ObjectStore::open(&folder, config.max_evidence_bytes)
        .await
        .map_err(|source| PlaneError::DataDir { path: folder, source })?;
    let newest = newest_change(&env.db).await?;
    Ok(App {
        db: env.db.clone(),
        clock: Arc::clone(&env.clock),
        viewer_key: env.viewer_key.clone(),
        objects,
        changes: Changes::starting_at(newest),
        desired: Arc::new(Notify::new()),
        link: LinkStatus::default(),
        lockout: server_kit::accounts::Lockout::default(),
        passwords: server_kit::accounts::Passwords::default(),
        access: AccessTable::of(&openapi::document()),
        streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        sessions_ended: watch::Sender::new(0),
        allow_loopback_cameras: config.allow_loopback_cameras,
        exports: Semaphore::new(1),
        stop: stop.clone(),
    })
}

async fn newest_change(db: &Db) -> Result<i64, PlaneError> {
    Ok(stream::store::newest(&mut *db.read().await?).await?)
}

/// Every route: the API behind its guard, what the caller adds, and the console for the rest.
pub(crate) fn router(app: &Arc<App>, console: Option<&Path>, extra: Option<Router>) -> Router {
    let (api, _) = openapi::routes().split_for_parts();
    let api = api
        .method_not_allowed_fallback(web::method_not_allowed)
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), guard::guard))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .with_state(Arc::clone(app));
    Router::new()
        .merge(api)
        .merge(extra.unwrap_or_default())
        .merge(web::console(console))
        .layer(middleware::from_fn(web::security_headers))
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        done = server => done,
        () = async { stop.cancelled().await; tokio::time::sleep(LAST_REQUESTS).await } => {
            tracing::warn!("open connections outlasted the stop and are closed");
            Ok(())
        }
    }
}

/// What happens because time passes: reminders of what is overdue, and samples of who is online.
async fn sweeps(app: Arc<App>) -> Result<(), std::convert::Infallible> {
    const EVERY: Duration = Duration::from_mins(1);
    let mut sampled: Option<protocol::Timestamp> = None;
    loop {
        let now = app.now();
        match events::handling::overdue::sweep(&app.db, now).await {
            Ok(Some(newest)) => app.changes.tell(newest),
            Ok(None) => {}
            Err(error) => tracing::warn!(reason = %error, "overdue events could not be swept; it is tried again"),
        }
        if sampled.is_none_or(|at| now.since(at) >= reports::SAMPLE_EVERY) {
            sampled = Some(now);
            if let Err(error) = reports::sample_cameras(&app.db, now).await {
                tracing::warn!(reason = %error, "cameras could not be sampled; it is tried again");
            }
        }
        tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Forgets what nobody will ask for any more.
async fn housekeeping(app: Arc<App>) -> Result<(), std::convert::Infallible> {
    const KEEP_CHANGES: i64 = 100_000;
    const KEEP_QUARANTINED: i64 = 5_000;
    loop {
        let sweep = async {
            let mut tx = app.db.begin().await?;
            stream::store::prune(&mut tx, KEEP_CHANGES).await?;
            ingest::store::prune(&mut tx, KEEP_QUARANTINED).await?;
            edges::insight::store::prune(&mut tx, app.now()).await?;
            reports::store::prune(&mut tx, reports::store::oldest_kept(app.now())).await?;
            tx.commit().await
        };
        if let Err(error) = sweep.await {
            tracing::warn!(reason = %error, "housekeeping failed; it is tried again later");
        }
        tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_mins(10)) => {}
        }
    }
}
