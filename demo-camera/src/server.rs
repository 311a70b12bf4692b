use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::gst_rtsp::RTSPAuthMethod;
use gstreamer_rtsp_server::prelude::*;

use crate::clip::Clip;
use crate::error::DemoError;
use crate::feed::Channel;

const LAUNCH: &str = "( appsrc name=source ! rtph264pay name=pay0 pt=96 config-interval=-1 )";
const ROLE: &str = "viewer";

/// What the demo cameras serve, and to whom.
#[derive(Clone)]
pub struct DemoConfig {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The user name that every camera asks for.
    pub username: String,
    /// The password that every camera asks for.
    pub password: String,
    /// The cameras: a name (letters, digits, `-`, `_`) and a clip in MP4 with H.264, as [`crate::prepare()`] makes.
    pub clips: Vec<(String, PathBuf)>,
}

/// An RTSP server with one endlessly looped camera per clip. Dropping it stops it.
pub struct DemoServer {
    address: SocketAddr,
    channels: BTreeMap<String, Arc<Channel>>,
    running: Option<Running>,
}

struct Running {
    server: rtsp::RTSPServer,
    source: glib::SourceId,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    thread: JoinHandle<()>,
}

impl std::fmt::Debug for DemoServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.channels.keys().collect::<Vec<_>>();
        f.debug_struct("DemoServer").field("address", &self.address).field("cameras", &names).finish_non_exhaustive()
    }
}

impl DemoServer {
    /// Loads the clips and starts to listen; when this returns, cameras can be pulled.
    pub fn start(config: DemoConfig) -> Result<Self, DemoError> {
        let DemoConfig { bind, username, password, clips } = config;
        let mut channels = BTreeMap::new();
        for (name, path) in clips {
            if !is_name(&name) || channels.contains_key(&name) {
                return Err(DemoError::Name { name });
            }
            channels.insert(name, Channel::new(Clip::load(&path)?));
        }
        gst::init().map_err(|error| DemoError::Plugins { detail: error.to_string() })?;

        let server = rtsp::RTSPServer::new();
        server.set_address(&bind.ip().to_string());
        server.set_service(&bind.port().to_string());
        server.set_auth(Some(&authentication(&username, &password)));
        let mounts = rtsp::RTSPMountPoints::new();
        for (name, channel) in &channels {
            mounts.add_factory(&format!("/{name}"), factory(Arc::clone(channel)));
        }
        server.set_mount_points(Some(&mounts));
        let running = listen(server, bind)?;
        let port = u16::try_from(running.server.bound_port()).unwrap_or(bind.port());
        let address = SocketAddr::new(bind.ip(), port);
        tracing::info!(server.address = %address, cameras = channels.len(), "demo cameras are up");
        Ok(Self { address, channels, running: Some(running) })
    }

    /// The port that the server listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of a camera, without credentials.
    pub fn url(&self, name: &str) -> String {
        let ip = self.address.ip();
        let host = if ip.is_unspecified() { "127.0.0.1".to_owned() } else { ip.to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("rtsp://{host}:{}/{name}", self.port())
    }

    /// Makes a camera send nothing more while it keeps its connections; unknown names are ignored.
    pub fn stall(&self, name: &str) {
        if let Some(channel) = self.channels.get(name) {
            channel.stall();
        }
    }

    /// Ends a stall.
    pub fn resume(&self, name: &str) {
        if let Some(channel) = self.channels.get(name) {
            channel.resume();
        }
    }

    /// Closes every connection and the port, as if all cameras lost power. A second call does nothing.
    pub fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        // Resumed first: a media that waits for data in a stall would hold up its own end.
        self.channels.values().for_each(|channel| channel.resume());
        running.stop();
        tracing::info!(server.address = %self.address, "demo cameras are down");
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn stop(self) {
        let Self { server, source, context, main_loop, thread } = self;
        if let Some(source) = context.find_source_by_id(&source) {
            source.destroy();
        }
        server.client_filter(Some(&mut |_, _| rtsp::RTSPFilterResult::Remove));
        // From inside the loop: a quit that comes before the thread has entered it would be forgotten.
        let quit = glib::idle_source_new(None, glib::Priority::HIGH, move || {
            main_loop.quit();
            glib::ControlFlow::Break
        });
        quit.attach(Some(&context));
        if thread.join().is_err() {
            tracing::error!("the demo cameras' thread panicked");
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Digest authentication. No default token is set: with one, a stranger would get 404 instead of 401.
fn authentication(username: &str, password: &str) -> rtsp::RTSPAuth {
    let auth = rtsp::RTSPAuth::new();
    auth.set_supported_methods(RTSPAuthMethod::Digest);
    auth.set_realm(Some("demo camera"));
    let token = rtsp::RTSPToken::builder().field("media.factory.role", ROLE).build();
    auth.add_digest(username, password, &token);
    auth
}

fn factory(channel: Arc<Channel>) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    factory.set_launch(LAUNCH);
    factory.set_shared(true);
    let role = gst::Structure::builder(ROLE)
        .field("media.factory.access", true)
        .field("media.factory.construct", true)
        .build();
    factory.add_role_from_structure(&role);
    factory.connect_media_configure(move |_, media| {
        let source = media.element().downcast::<gst::Bin>().ok().and_then(|bin| bin.by_name("source"));
        if let Some(source) = source.and_then(|source| source.downcast::<gst_app::AppSrc>().ok()) {
            channel.attach(&source);
        }
    });
    factory
}

fn listen(server: rtsp::RTSPServer, address: SocketAddr) -> Result<Running, DemoError> {
    let context = glib::MainContext::new();
    let main_loop = glib::MainLoop::new(Some(&context), false);
    let source = server.attach(Some(&context)).map_err(|_| DemoError::Listen { address })?;
    let looped = main_loop.clone();
    let thread = std::thread::Builder::new()
        .name("demo-cameras".to_owned())
        .spawn(move || looped.run())
        .map_err(|source| DemoError::Thread { source })?;
    Ok(Running { server, source, context, main_loop, thread })
}
