//! Evidence uploads against a small server that keeps to the contract, over a bad network.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use edge_agent::{
    evidence::{self, UploadConfig, UploadState},
    outbox::Outbox,
};
use futures::StreamExt as _;
use protocol::{ContentHash, EvidenceKind, Secret};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use runtime::{SystemClock, Tasks};
use support::{SECRET, blob, edge_id, event, open_outbox, until};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the server does to the next request of its kind, instead of what it should.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Answer(StatusCode),
    Damage,
    Forget,
}

#[derive(Debug, Default)]
struct Server {
    files: HashMap<String, Vec<u8>>,
    complete: Vec<String>,
    faults: VecDeque<Fault>,
    requests: usize,
}

type Shared = Arc<Mutex<Server>>;

async fn serve(State(server): State<Shared>, Path(hash): Path<String>, request: axum::extract::Request) -> Response {
    let bearer = format!("Bearer {}.{SECRET}", edge_id());
    if request.headers().get("authorization").is_none_or(|v| v != bearer.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (parts, body) = request.into_parts();
    if parts.method == "HEAD" {
        return head(&server, &hash);
    }
    assert_eq!(parts.method, "PATCH");
    patch(&server, &hash, &parts.headers, body).await
}

fn head(server: &Shared, hash: &String) -> Response {
    let mut server = server.lock().unwrap();
    server.requests += 1;
    let offset = server.files.get(hash).map_or(0, Vec::len).to_string();
    let complete = server.complete.contains(hash).to_string();
    [("upload-offset", offset), ("upload-complete", complete)].into_response()
}

async fn patch(server: &Shared, hash: &String, headers: &HeaderMap, body: Body) -> Response {
    let number = |name: &str| headers[name].to_str().unwrap().parse::<usize>().unwrap();
    let (offset, length) = (number("upload-offset"), number("upload-length"));
    {
        let mut server = server.lock().unwrap();
        server.requests += 1;
        match server.faults.pop_front() {
            Some(Fault::Answer(status)) => return status.into_response(),
            Some(Fault::Damage) => server.files.entry(hash.clone()).or_default().iter_mut().for_each(|b| *b ^= 1),
            Some(Fault::Forget) => drop(server.files.remove(hash)),
            None => {}
        }
        let have = server.files.entry(hash.clone()).or_default().len();
        if have != offset {
            return (StatusCode::CONFLICT, [("upload-offset", have.to_string())]).into_response();
        }
    }
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        // What arrived before the connection broke stays.
        let Ok(chunk) = chunk else { return StatusCode::BAD_REQUEST.into_response() };
        server.lock().unwrap().files.get_mut(hash).unwrap().extend_from_slice(&chunk);
    }
    let mut server = server.lock().unwrap();
    let have = server.files[hash].len();
    if have == length {
        if ContentHash::of(&server.files[hash]).as_str() != hash {
            server.files.remove(hash);
            return (StatusCode::UNPROCESSABLE_ENTITY, [("upload-offset", "0")]).into_response();
        }
        server.complete.push(hash.clone());
    }
    (StatusCode::NO_CONTENT, [("upload-offset", have.to_string())]).into_response()
}

struct World {
    server: Shared,
    outbox: Outbox,
    tasks: Tasks,
    address: SocketAddr,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let (server, tasks, folder) = (Shared::default(), Tasks::default(), TempDir::new().unwrap());
        let app = Router::new().route("/base/edge/v1/evidence/{hash}", any(serve)).with_state(Arc::clone(&server));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tasks.spawn("server", async move { axum::serve(listener, app).await }).await;
        let outbox = open_outbox(folder.path()).await;
        Self { server, outbox, tasks, address, _folder: folder }
    }

    async fn upload_to(&self, address: SocketAddr, secret: &str) -> watch::Receiver<UploadState> {
        let config = UploadConfig {
            edge: edge_id(),
            secret: Secret::new(secret),
            plane: format!("http://{address}/base/").parse().unwrap(),
            ca_file: None,
        };
        evidence::start(config, self.outbox.clone(), Arc::new(SystemClock), &self.tasks).await.unwrap()
    }

    async fn commit(&self, n: u32, kind: EvidenceKind, bytes: Vec<u8>) -> ContentHash {
        let blob = blob(kind, bytes);
        self.outbox.commit(&event(n), std::slice::from_ref(&blob)).await.unwrap();
        blob.evidence.hash
    }

    async fn is_empty(&self) {
        until("all evidence left", || self.outbox.counts().evidence_files == 0).await;
    }

    fn complete(&self) -> Vec<String> {
        self.server.lock().unwrap().complete.clone()
    }
}

fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    StdRng::seed_from_u64(seed).fill_bytes(&mut noise);
    noise
}

#[tokio::test]
async fn snapshots_arrive_before_clips() {
    let world = World::new().await;
    let clips = [world.commit(1, EvidenceKind::Clip, noise(1, 3 << 20)).await];
    let mut snapshots = vec![];
    for n in 2..5 {
        snapshots.push(world.commit(n, EvidenceKind::Snapshot, noise(n.into(), 20_000)).await.to_string());
    }
    world.upload_to(world.address, SECRET).await;
    world.is_empty().await;
    let complete = world.complete();
    assert_eq!(complete.last().unwrap(), clips[0].as_str());
    let mut first = complete[..3].to_vec();
    first.sort();
    snapshots.sort();
    assert_eq!(first, snapshots);
    assert_eq!(world.outbox.counts().dropped_evidence, 0);
}

/// Forwards connections to `to`; each of the first ones breaks after so many bytes from the edge.
async fn bad_network(to: SocketAddr, breaks: Vec<usize>, tasks: &Tasks) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let breaks = Arc::new(Mutex::new(VecDeque::from(breaks)));
    let forward = async move {
        let mut open = futures::stream::FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (edge, server) = (accepted?.0, TcpStream::connect(to).await?);
                    open.push(carry(edge, server, Arc::clone(&breaks)));
                }
                Some(()) = open.next() => {}
            }
        }
        #[expect(unreachable_code, reason = "gives the task its type")]
        Ok::<_, std::io::Error>(())
    };
    tasks.spawn("bad network", forward).await;
    address
}

async fn carry(mut edge: TcpStream, mut server: TcpStream, breaks: Arc<Mutex<VecDeque<usize>>>) {
    let (mut up, mut down, mut carried) = (vec![0; 4_096], vec![0; 4_096], 0);
    loop {
        tokio::select! {
            read = edge.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                carried += n;
                let broken = {
                    let mut breaks = breaks.lock().unwrap();
                    let broken = breaks.front().is_some_and(|at| carried >= *at);
                    broken.then(|| breaks.pop_front());
                    broken
                };
                if server.write_all(&up[..n]).await.is_err() || broken {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if edge.write_all(&down[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn goes_on_where_the_connection_broke() {
    let world = World::new().await;
    let clip = noise(7, (5 << 20) / 2);
    let hash = world.commit(1, EvidenceKind::Clip, clip.clone()).await;
    let mut rng = StdRng::seed_from_u64(11);
    let breaks = (0..3).map(|_| 2_000 + rng.next_u32() as usize % 900_000).collect();
    let network = bad_network(world.address, breaks, &world.tasks).await;
    let mut state = world.upload_to(network, SECRET).await;
    let waiting = state.wait_for(|s| *s != UploadState::Good).await.unwrap().clone();
    assert_eq!(
        waiting.warning().unwrap().message,
        "pictures and clips wait on the edge: the control plane at 127.0.0.1 broke the connection"
    );
    world.is_empty().await;
    state.wait_for(|s| *s == UploadState::Good).await.unwrap();
    assert_eq!(world.complete(), [hash.to_string()]);
    assert!(world.server.lock().unwrap().files[hash.as_str()] == clip);
}

#[tokio::test]
async fn a_refused_piece_is_given_up_and_the_others_go_on() {
    let world = World::new().await;
    world.server.lock().unwrap().faults.push_back(Fault::Answer(StatusCode::PAYLOAD_TOO_LARGE));
    for n in 0..3 {
        world.commit(n, EvidenceKind::Snapshot, noise(n.into(), 1_000)).await;
    }
    world.upload_to(world.address, SECRET).await;
    world.is_empty().await;
    assert_eq!((world.complete().len(), world.outbox.counts().dropped_evidence), (2, 1));
}

#[tokio::test]
async fn a_piece_that_arrives_damaged_goes_again() {
    let world = World::new().await;
    let bytes = noise(3, 3 << 20);
    let hash = world.commit(1, EvidenceKind::Clip, bytes.clone()).await;
    // The second part finds the first one changed; later the server forgets everything once.
    world.server.lock().unwrap().faults = VecDeque::from([
        Fault::Answer(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Forget,
        Fault::Damage,
        Fault::Damage,
        Fault::Forget,
        Fault::Damage,
    ]);
    world.upload_to(world.address, SECRET).await;
    world.is_empty().await;
    assert!(world.server.lock().unwrap().files[hash.as_str()] == bytes);
    assert_eq!(world.outbox.counts().dropped_evidence, 0);
}

#[tokio::test]
async fn a_file_that_is_damaged_here_is_given_up() {
    let world = World::new().await;
    let hash = world.commit(1, EvidenceKind::Snapshot, noise(3, 5_000)).await;
    let queued = world.outbox.next_evidence(&[].into()).await.unwrap().unwrap();
    std::fs::write(&queued.path, noise(4, 5_000)).unwrap();
    world.upload_to(world.address, SECRET).await;
    world.is_empty().await;
    assert_eq!((queued.hash, world.complete().len()), (hash, 0));
    assert_eq!(world.outbox.counts().dropped_evidence, 1);
}

#[tokio::test]
async fn a_wrong_secret_is_a_state_of_its_own_and_keeps_the_evidence() {
    let world = World::new().await;
    world.commit(1, EvidenceKind::Snapshot, noise(1, 100)).await;
    let mut state = world.upload_to(world.address, "wr0ng").await;
    state.wait_for(|s| *s == UploadState::Unauthorised).await.unwrap();
    let warning = state.borrow().warning().unwrap();
    assert_eq!(warning.code, "evidence_upload");
    assert!(!warning.message.contains("wr0ng"));
    assert_eq!(world.outbox.counts().evidence_files, 1);
    world.tasks.stop(Duration::from_secs(1)).await.unwrap_or_default();
}
