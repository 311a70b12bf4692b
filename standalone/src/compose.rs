//! The composition root: one readable function that starts every part and stops them in flow order.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use demo_camera::DemoServer;
use protocol::{CameraSpec, Secret, viewer_token::ViewerKey};
use runtime::{CancellationToken, Clock, Tasks};
use server_kit::Db;
use stream_gateway::{Hub, gb28181::Server as Gb28181, live};
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::{
    broker::{Access, Broker, PLANE_USER},
    config::{Config, DemoConfig},
    demo,
    secrets::{EdgeCredential, Secrets},
};

/// How long one part may take to stop; all of them together stay within five seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What to tell the person who started it.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where the console is.
    pub console: SocketAddr,
    /// Name of the administrator.
    pub admin: String,
    /// The administrator's one-time password, when the account was just made.
    pub admin_password: Option<Secret>,
    /// Names of the cameras.
    pub cameras: Vec<String>,
    /// What did not work, in words; the rest runs.
    pub problems: Vec<String>,
}

/// Runs everything until `shutdown`, and calls `ready` once the console answers.
///
/// # Errors
/// When a part cannot start, or fails while running.
pub async fn run(
    config: Config,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(Ready) + Send,
    shutdown: CancellationToken,
) -> Result<()> {
    let secrets_path = make_data_dir(&config)?;
    let mut secrets = Secrets::load_or_create(&secrets_path)?;

    // Store first: the broker asks it who may connect.
    let db = control_plane::open_database(&config.database(), clock.as_ref()).await?;
    let outcome = control_plane::bootstrap(&db, clock.as_ref(), &control_plane::Bootstrap::default()).await?;
    let edge = join(&db, &outcome, &mut secrets, &secrets_path).await?;

    // Each stage has its own owner, so that they stop one after the other.
    let (broker_stage, plane_stage, edge_stage) = (Tasks::default(), Tasks::default(), Tasks::default());

    let mqtt_url = if let Some(url) = &config.mqtt_url {
        url.clone()
    } else {
        let broker = Broker::bind(config.mqtt_listen, access(&secrets, &db)).await?;
        let url = format!("mqtt://{}", broker.address());
        let token = broker_stage.token().clone();
        broker_stage.spawn("broker", broker.run(token)).await;
        url
    };

    let video = Arc::new(Tasks::default());
    let hub = Hub::new(Arc::clone(&clock), Arc::clone(&video));
    if let Some(gb28181) = &config.gb28181 {
        let server = Gb28181::start(gb28181, &hub, Arc::clone(&clock), &video).await?;
        info!(address = %server.address(), "GB/T 28181 devices may register");
    }
    let viewer_key = ViewerKey::new(secrets.viewer_key.expose().as_bytes());
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "the console cannot listen on {}; is another program there? choose another address with --listen",
            config.listen
        )
    })?;
    let console = listener.local_addr()?;
    let plane_config = plane_config(&config, &secrets, mqtt_url.clone());
    let plane_environment = control_plane::PlaneEnvironment {
        clock: Arc::clone(&clock),
        listener,
        db: db.clone(),
        viewer_key: viewer_key.clone(),
        extra: Some(live::router(hub.clone(), viewer_key, Arc::clone(&clock))),
    };
    let token = plane_stage.token().clone();
    let plane = Box::pin(control_plane::run(plane_config, plane_environment, token));
    plane_stage.spawn("control-plane", plane).await;

    let cameras = start_cameras(&config, &db, clock.as_ref(), edge.id).await?;

    let edge_config = edge_agent::EdgeConfig {
        edge: edge.id,
        secret: edge.secret.clone(),
        mqtt_url,
        plane_url: format!("http://{console}"),
        data_dir: config.data_dir.join("edge"),
        model_dir: config.model.clone(),
        onnxruntime: config.onnxruntime.clone(),
        threads: config.inference_threads,
        ..edge_agent::EdgeConfig::example()
    };
    let edge_environment = edge_agent::EdgeEnvironment { clock: Arc::clone(&clock), hub };
    let token = edge_stage.token().clone();
    edge_stage.spawn("edge", edge_agent::run(edge_config, edge_environment, token)).await;

    ready(Ready {
        console,
        admin: outcome.admin,
        admin_password: outcome.admin_password,
        cameras: cameras.specs.iter().map(|c| c.name.clone()).collect(),
        problems: cameras.problems,
    });

    tokio::select! {
        () = shutdown.cancelled() => info!("stopping"),
        () = broker_stage.token().cancelled() => {}
        () = plane_stage.token().cancelled() => {}
        () = edge_stage.token().cancelled() => {}
    }
    // Flow order: what makes events, what carries them, what stores them; cameras last.
    let edge = edge_stage.stop(PATIENCE * 2).await;
    let video = video.stop(PATIENCE).await;
    let plane = plane_stage.stop(PATIENCE).await;
    let broker = broker_stage.stop(PATIENCE).await;
    db.close().await;
    drop(cameras.server);
    edge.and(video).and(plane).and(broker).map_err(Into::into)
}

/// The data folder, readable by its owner only; gives the path of the secrets file.
fn make_data_dir(config: &Config) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    for folder in [config.data_dir.clone(), config.data_dir.join("plane"), config.data_dir.join("edge")] {
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)))
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    }
    Ok(config.data_dir.join("secrets.json"))
}

/// The credential of the edge in this process: kept from an earlier start, just made, or made anew when the
/// secrets file was lost.
async fn join(
    db: &Db,
    outcome: &control_plane::BootstrapOutcome,
    secrets: &mut Secrets,
    path: &Path,
) -> Result<EdgeCredential> {
    if let Some(edge) = secrets.edge.clone().filter(|e| e.id == outcome.edge && outcome.edge_secret.is_none()) {
        return Ok(edge);
    }
    let secret = match outcome.edge_secret.clone() {
        Some(secret) => secret,
        None => control_plane::renew_edge_secret(db, outcome.edge).await?.context("the edge is not in the database")?,
    };
    let edge = EdgeCredential { id: outcome.edge, secret };
    secrets.edge = Some(edge.clone());
    secrets.save(path)?;
    Ok(edge)
}

/// The control plane's part of the configuration.
pub fn plane_config(config: &Config, secrets: &Secrets, mqtt_url: String) -> control_plane::PlaneConfig {
    control_plane::PlaneConfig {
        mqtt_url,
        mqtt_username: PLANE_USER.into(),
        mqtt_password: config.mqtt_password.clone().unwrap_or_else(|| secrets.plane_mqtt.clone()),
        data_dir: config.data_dir.join("plane"),
        console_dir: Some(config.console.clone()),
        database_url: config.database(),
        // Demo cameras are on this machine; without them, an address that people type must not reach local services.
        allow_loopback_cameras: config.demo.enabled,
        max_evidence_bytes: control_plane::default_max_evidence_bytes(),
    }
}

/// Who may connect to the broker: the plane by its own password, edges by what the database says.
pub fn access(secrets: &Secrets, db: &Db) -> Access {
    let db = db.clone();
    Access {
        plane_password: secrets.plane_mqtt.clone(),
        edges: Arc::new(move |edge, secret| {
            let db = db.clone();
            Box::pin(async move { control_plane::edges::authenticate(&db, edge, &secret).await })
        }),
    }
}

/// Serves the clips; when the configured port is taken, on a free one: nobody needs to know it.
fn serve(
    config: &DemoConfig,
    clips: &[(demo::Planned, PathBuf)],
    password: &Secret,
) -> Result<DemoServer, demo_camera::DemoError> {
    let start = |bind| {
        DemoServer::start(demo_camera::DemoConfig {
            bind,
            username: demo::CAMERA_USER.into(),
            password: password.expose().to_owned(),
            clips: clips.iter().map(|(planned, path)| (planned.key.clone(), path.clone())).collect(),
        })
    };
    match start(config.listen) {
        Err(demo_camera::DemoError::Listen { address }) => {
            warn!(%address, "the demo cameras' port is taken; another is used");
            start(SocketAddr::new(address.ip(), 0))
        }
        outcome => outcome,
    }
}

struct Cameras {
    specs: Vec<CameraSpec>,
    problems: Vec<String>,
    server: Option<DemoServer>,
}

/// Prepares the demo clips, starts their RTSP server, and enters cameras and tasks into the store.
async fn start_cameras(config: &Config, db: &Db, clock: &dyn Clock, edge: protocol::EdgeId) -> Result<Cameras> {
    let mut problems = Vec::new();
    let mut specs = Vec::new();
    let planned = demo::plan(&config.demo);
    let cache = config.demo.cache.clone();
    let prepared = tokio::task::spawn_blocking(move || {
        let prepare = |p: demo::Planned| (demo_camera::prepare_view(&p.clip, p.view, &cache), p);
        planned.into_iter().map(prepare).collect::<Vec<_>>()
    })
    .await?;
    let mut usable = Vec::new();
    for (outcome, planned) in prepared {
        match outcome {
            Ok(path) => usable.push((planned, path)),
            Err(e) => {
                warn!(clip.path = %planned.clip.display(), reason = %e, "a clip cannot be a demo camera");
                problems.push(format!("{}: {e}", planned.clip.display()));
            }
        }
    }
    let server = if usable.is_empty() {
        None
    } else {
        let password = crate::secrets::random();
        let server = serve(&config.demo, &usable, &password).context("the demo cameras cannot start")?;
        specs.extend(usable.iter().map(|(p, _)| demo::camera(p, server.url(&p.key), &password)));
        Some(server)
    };
    for (n, text) in config.demo.cameras.iter().enumerate() {
        match demo::own_camera(n, text) {
            Ok(camera) => specs.push(camera),
            Err(e) => problems.push(format!("camera {}: {e}; expected rtsp://[user:password@]host/path", n + 1)),
        }
    }
    for spec in &specs {
        control_plane::ensure_camera(db, clock, edge, spec).await?;
        for task in demo::tasks(spec) {
            control_plane::ensure_task(db, clock, &task).await?;
        }
    }
    Ok(Cameras { specs, problems, server })
}
