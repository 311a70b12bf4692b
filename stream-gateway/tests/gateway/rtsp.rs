//! The hub against a real RTSP server, in real time.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use demo_camera::{DemoConfig, DemoServer, synthetic_clip};
use protocol::{Camera, CameraId, Secret, StreamState, Timestamp, Transport};
use runtime::{Clock as _, SystemClock, Tasks};
use stream_gateway::{AccessUnit, Hub, StreamStatus, Subscription, Unit};
use tokio::time::{interval, timeout};

const USER: &str = "admin";
const PASSWORD: &str = "zh0ng&guan: c/un";

fn clip() -> &'static Path {
    static CLIP: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = CLIP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ball.mp4");
        synthetic_clip(&path, 4).unwrap();
        (folder, path)
    });
    path
}

/// A server with one camera, `gate`; port 0 takes a free one.
fn server(port: u16) -> DemoServer {
    DemoServer::start(DemoConfig {
        bind: SocketAddr::from(([127, 0, 0, 1], port)),
        username: USER.into(),
        password: PASSWORD.into(),
        clips: vec![("gate".into(), clip().to_owned())],
    })
    .unwrap()
}

fn camera(url: &str, transport: Transport) -> Camera {
    Camera {
        id: CameraId::new(Timestamp::from_secs(1)),
        name: "gate".into(),
        url: url.parse().unwrap(),
        credentials: Some((USER.into(), Secret::new(PASSWORD))),
        transport,
    }
}

fn hub() -> (Hub, Arc<Tasks>) {
    let tasks = Arc::new(Tasks::default());
    (Hub::new(Arc::new(SystemClock), tasks.clone()), tasks)
}

async fn frame(subscription: &mut Subscription) -> Arc<AccessUnit> {
    let wait = async {
        loop {
            match subscription.next().await.expect("the subscription goes on") {
                Unit::Frame(unit) => return unit,
                Unit::Gap => {}
            }
        }
    };
    timeout(Duration::from_secs(40), wait).await.expect("a picture in time")
}

/// Waits until the camera is in `state`.
async fn until(hub: &Hub, state: StreamState) -> StreamStatus {
    wait_for(hub, |now| now.state == state).await
}

async fn until_it_says(hub: &Hub, detail: &str) -> StreamStatus {
    wait_for(hub, |now| now.detail == detail).await
}

/// Waits for a condition; the words on the way never hold the credentials.
async fn wait_for(hub: &Hub, condition: impl Fn(&StreamStatus) -> bool) -> StreamStatus {
    let wait = async {
        let mut tick = interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            let now = hub.status().remove(0);
            assert!(!now.detail.contains(PASSWORD) && !now.detail.contains(USER), "{}", now.detail);
            if condition(&now) {
                return now;
            }
        }
    };
    let waited = timeout(Duration::from_secs(40), wait).await;
    waited.unwrap_or_else(|_| panic!("not in time, it is {:?}", hub.status()))
}

/// Pulls a good camera, checks what comes, and cuts a clip.
async fn pulls(transport: Transport) {
    let server = server(0);
    let (hub, tasks) = hub();
    let camera = camera(&server.url("gate"), transport);
    hub.apply(camera.clone()).await;
    let mut subscription = hub.subscribe(camera.id).unwrap();
    let first = frame(&mut subscription).await;
    assert!(first.key);
    let mut last = first.pts_us;
    let mut keys = 0;
    for _ in 0..60 {
        let unit = frame(&mut subscription).await;
        let step = unit.pts_us - last;
        assert!((60_000..=74_000).contains(&step), "15 pictures a second, also where the clip starts over: {step} µs");
        last = unit.pts_us;
        keys += u32::from(unit.key);
    }
    assert!((3..=5).contains(&keys), "a key frame each second: {keys}");
    let now = until(&hub, StreamState::Online).await;
    assert_eq!((now.width, now.height, now.codec.as_str(), now.lost_packets), (640, 360, "h264", 0));
    assert!((13.0..=17.0).contains(&now.fps), "{}", now.fps);

    let at = SystemClock.now();
    let cut = hub.clip(camera.id, at - Duration::from_secs(2), at + Duration::from_secs(1)).await.unwrap();
    assert!((2_900..=4_300).contains(&cut.duration_ms), "{}", cut.duration_ms);
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pulls_over_tcp() {
    pulls(Transport::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pulls_over_udp() {
    pulls(Transport::Udp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_wrong_path_have_their_names() {
    let server = server(0);
    let (hub, tasks) = hub();
    let good = camera(&server.url("gate"), Transport::Tcp);
    let mut camera = good.clone();
    camera.credentials = Some((USER.into(), Secret::new("wrong")));
    hub.apply(camera.clone()).await;
    let mut subscription = hub.subscribe(camera.id).unwrap();
    let now = until(&hub, StreamState::Unauthorised).await;
    assert!(now.detail.starts_with("the camera refuses this user or password"), "{}", now.detail);

    camera.credentials = None;
    hub.apply(camera.clone()).await;
    until_it_says(&hub, "the camera asks for a user and a password: enter them").await;

    let mut camera = good.clone();
    camera.url = server.url("nowhere").parse().unwrap();
    hub.apply(camera).await;
    let now = until(&hub, StreamState::NotFound).await;
    assert_eq!(now.detail, "the camera has no stream at /nowhere: correct the path");

    hub.apply(good).await;
    assert!(frame(&mut subscription).await.key, "with the right settings the same subscription goes on");
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_appears_later_is_pulled() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (hub, tasks) = hub();
    let camera = camera(&format!("rtsp://127.0.0.1:{port}/gate"), Transport::Tcp);
    hub.apply(camera.clone()).await;
    let mut subscription = hub.subscribe(camera.id).unwrap();
    let now = until(&hub, StreamState::Unreachable).await;
    assert!(now.detail.starts_with(&format!("cannot connect to 127.0.0.1:{port}: ")), "{}", now.detail);
    let _server = server(port);
    assert!(frame(&mut subscription).await.key);
    assert_eq!(until(&hub, StreamState::Online).await.reconnects, 0);
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_loses_power_comes_back() {
    let mut first = server(0);
    let port = first.port();
    let (hub, tasks) = hub();
    let camera = camera(&first.url("gate"), Transport::Tcp);
    hub.apply(camera.clone()).await;
    let mut subscription = hub.subscribe(camera.id).unwrap();
    let before = frame(&mut subscription).await;
    first.stop();
    until(&hub, StreamState::Unreachable).await;
    let _second = server(port);
    let now = until(&hub, StreamState::Online).await;
    assert_eq!(now.reconnects, 1);
    let mut after = frame(&mut subscription).await;
    while after.received_at < now.since {
        after = frame(&mut subscription).await;
    }
    assert!(after.pts_us > before.pts_us, "the media clock goes on");
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_freezes_is_told_and_comes_back() {
    let server = server(0);
    let (hub, tasks) = hub();
    let camera = camera(&server.url("gate"), Transport::Tcp);
    hub.apply(camera.clone()).await;
    let mut subscription = hub.subscribe(camera.id).unwrap();
    frame(&mut subscription).await;
    server.stall("gate");
    let now = until(&hub, StreamState::NoFrames).await;
    assert!(now.detail.contains("no picture for 10 s"), "{}", now.detail);
    server.resume("gate");
    until(&hub, StreamState::Online).await;
    tasks.stop(Duration::from_secs(5)).await.unwrap();
}
