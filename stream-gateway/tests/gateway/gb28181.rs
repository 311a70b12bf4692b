//! A GB/T 28181 device at the server: it registers over a real socket, is invited by the hub, and sends a
//! program stream that GStreamer has muxed.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use demo_camera::synthetic_clip;
use gstreamer::prelude::*;
use media::{
    digest::{self, Algorithm, Credentials},
    rtp::Packet,
    sdp::Sdp,
    sip::{Framer, Message},
};
use protocol::{Camera, CameraId, Secret, StreamState, Timestamp, Transport};
use runtime::{SystemClock, Tasks};
use stream_gateway::{
    Hub, Subscription, Unit,
    gb28181::{Control, Date, Event, Server, ServerConfig},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    time::{interval, timeout},
};

const SERVER: &str = "34020000002000000001";
pub(crate) const DOMAIN: &str = "3402000000";
pub(crate) const DEVICE: &str = "34020000001320000001";
const CHANNEL: &str = "34020000001320000002";
pub(crate) const PASSWORD: &str = "correct horse";

/// Runs a pipeline that ends in a file, and gives the file.
fn gst(pipeline: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let pipeline = gstreamer::parse::launch(&format!("{pipeline} ! filesink location={}", out.display())).unwrap();
    pipeline.set_state(gstreamer::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let kinds = [gstreamer::MessageType::Eos, gstreamer::MessageType::Error];
    let end = bus.timed_pop_filtered(gstreamer::ClockTime::from_seconds(30), &kinds).expect("the pipeline ends");
    assert_eq!(end.type_(), gstreamer::MessageType::Eos, "{end:?}");
    pipeline.set_state(gstreamer::State::Null).unwrap();
    std::fs::read(out).unwrap()
}

/// A clip of 4 s, as a program stream and as its bare pictures.
pub(crate) fn clip() -> &'static (Vec<u8>, Vec<u8>) {
    static CLIP: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    CLIP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ball.mp4");
        synthetic_clip(&path, 4).unwrap();
        let source = format!("filesrc location={} ! qtdemux ! h264parse config-interval=-1", path.display());
        let program = gst(&format!("{source} ! mpegpsmux"));
        let bare = gst(&format!("{source} ! video/x-h264,stream-format=byte-stream,alignment=au"));
        (program, bare)
    })
}

/// Slices of an Annex B stream: what must arrive, whatever is added around it.
fn slices(annex_b: &[u8]) -> Vec<Vec<u8>> {
    let is_slice = |nal: &&[u8]| matches!(nal[0] & 0x1f, 1 | 5);
    media::nal::units(annex_b).filter(is_slice).map(<[u8]>::to_vec).collect()
}

/// RTP packets of the program stream, with another SSRC than the platform asked for: devices do that.
fn packets() -> Vec<Vec<u8>> {
    let program = &clip().0;
    let starts: Vec<usize> =
        program.windows(4).enumerate().filter(|(_, w)| *w == [0, 0, 1, 0xba]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([program.len()]);
    let mut sequence = 65_500_u16;
    let mut packets = Vec::new();
    for (n, (start, end)) in (0_u32..).zip(starts.iter().zip(ends)) {
        for part in program[*start..end].chunks(1_400) {
            let payload = part.to_vec().into();
            let packet =
                Packet { payload_type: 96, marker: false, sequence, timestamp: n * 3_600, ssrc: 0x1234, payload };
            packets.push(packet.encode());
            sequence = sequence.wrapping_add(1);
        }
    }
    packets
}

/// How the device gets its messages to the server.
enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream, Framer),
}

impl Line {
    async fn send(&mut self, message: &Message) {
        match self {
            Self::Udp(socket) => drop(socket.send(&message.encode()).await.unwrap()),
            Self::Tcp(stream, _) => stream.write_all(&message.encode()).await.unwrap(),
        }
    }

    async fn receive(&mut self) -> Message {
        let mut buffer = vec![0; 65_536];
        match self {
            Self::Udp(socket) => {
                let length = socket.recv(&mut buffer).await.unwrap();
                Message::parse(&buffer[..length]).unwrap()
            }
            Self::Tcp(stream, framer) => loop {
                if let Some(message) = framer.next_message().unwrap() {
                    return message;
                }
                let length = stream.read(&mut buffer).await.unwrap();
                framer.push(&buffer[..length]);
            },
        }
    }
}

fn from_device(method: &str, cseq: u32) -> Message {
    Message::request(method, format!("sip:{SERVER}@{DOMAIN}"))
        .with("Via", format!("SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bK{method}{cseq}"))
        .with("From", format!("<sip:{DEVICE}@{DOMAIN}>;tag=1"))
        .with("To", format!("<sip:{DEVICE}@{DOMAIN}>"))
        .with("Call-ID", "device-call")
        .with("CSeq", format!("{cseq} {method}"))
        .with("Max-Forwards", "70")
}

fn register(cseq: u32) -> Message {
    from_device("REGISTER", cseq).with("Contact", format!("<sip:{DEVICE}@192.168.1.64:5060>")).with("Expires", "3600")
}

async fn sign_in(line: &mut Line) {
    line.send(&register(1)).await;
    let challenge = line.receive().await;
    assert_eq!(challenge.status(), Some(401));
    let value = challenge.headers.get("WWW-Authenticate").unwrap();
    let nonce = value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let uri = format!("sip:{SERVER}@{DOMAIN}");
    let who = (DEVICE, DOMAIN, PASSWORD);
    let response = digest::response(Algorithm::Md5, who, ("REGISTER", &uri), &nonce, None);
    let (username, realm, algorithm) = (DEVICE.to_owned(), DOMAIN.to_owned(), Algorithm::Md5);
    let credentials = Credentials { username, realm, nonce, uri, response, algorithm, qop: None };
    line.send(&register(2).with("Authorization", credentials.encode())).await;
    assert_eq!(line.receive().await.status(), Some(200));
}

/// What the device was asked for, besides media.
type Said = Arc<Mutex<Vec<String>>>;

/// Answers what the platform asks until the test ends. Media are sent by a task of their own.
async fn device(mut line: Line, listen: Option<TcpListener>, said: Said, bye: mpsc::Sender<()>) {
    sign_in(&mut line).await;
    let mut listen = listen;
    let mut offered = None;
    loop {
        let request = line.receive().await;
        let Some(method) = request.method().map(str::to_owned) else { continue };
        let ok = Message::response(&request, 200, "OK", "device-tag");
        match method.as_str() {
            "INVITE" => {
                let offer = Sdp::parse(&request.body).unwrap();
                let port = listen.as_ref().map_or(9, |l| l.local_addr().unwrap().port());
                let protocol = &offer.media[0].protocol;
                // neither `y=` nor an address that could be used
                let body = format!(
                    "v=0\r\no={DEVICE} 0 0 IN IP4 127.0.0.1\r\ns=Play\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video {port} {protocol} 96\r\n"
                );
                let ok = ok.with("Contact", format!("<sip:{CHANNEL}@192.168.1.64:5060>"));
                line.send(&ok.with_body("application/sdp", body.into_bytes())).await;
                offered = Some(offer);
            }
            "ACK" => {
                let offer = offered.take().expect("an INVITE came first");
                let target = SocketAddr::new(offer.address.unwrap(), offer.media[0].port);
                let (tcp, listener) = (offer.media[0].is_tcp(), listen.take());
                send_media(target, tcp, listener).await;
            }
            "BYE" => {
                line.send(&ok).await;
                bye.send(()).await.unwrap();
            }
            _ => {
                said.lock().unwrap().push(String::from_utf8_lossy(&request.body).into_owned());
                line.send(&ok).await;
            }
        }
        if said.lock().unwrap().last().is_some_and(|body| body.contains("<CmdType>Catalog<")) {
            let query = said.lock().unwrap().pop().unwrap();
            let sn = query.split("<SN>").nth(1).unwrap().split('<').next().unwrap().to_owned();
            let body = format!(
                "<Response><CmdType>Catalog</CmdType><SN>{sn}</SN><DeviceID>{DEVICE}</DeviceID><SumNum>1</SumNum><DeviceList><Item><DeviceID>{CHANNEL}</DeviceID><Name>塔吊 & 大门</Name><Status>ON</Status></Item></DeviceList></Response>"
            );
            line.send(&from_device("MESSAGE", 50).with_body("Application/MANSCDP+xml", body.into_bytes())).await;
        }
    }
}

async fn send_media(target: SocketAddr, tcp: bool, listener: Option<TcpListener>) {
    let mut pause = interval(Duration::from_millis(1));
    if tcp {
        let mut stream = match listener {
            Some(listener) => listener.accept().await.unwrap().0,
            None => TcpStream::connect(target).await.unwrap(),
        };
        for (n, packet) in packets().into_iter().enumerate() {
            if n % 2 == 0 {
                pause.tick().await;
            }
            stream.write_all(&(packet.len() as u16).to_be_bytes()).await.unwrap();
            stream.write_all(&packet).await.unwrap();
        }
        // a connection that stays open and silent
        let hold = async move {
            while stream.readable().await.is_ok() && stream.read(&mut [0; 9]).await.is_ok_and(|n| n > 0) {}
        };
        let _ = timeout(Duration::from_millis(200), hold).await;
    } else {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut packets = packets();
        // some come out of order and some twice
        for n in (0..packets.len() - 2).step_by(7) {
            packets.swap(n, n + 1);
        }
        for (n, packet) in packets.iter().enumerate() {
            if n % 2 == 0 {
                pause.tick().await;
            }
            for _ in 0..=usize::from(n % 11 == 0) {
                socket.send_to(packet, target).await.unwrap();
            }
        }
    }
}

struct Site {
    hub: Hub,
    server: Server,
    said: Said,
    bye: mpsc::Receiver<()>,
    tasks: Arc<Tasks>,
}

/// A server without devices.
pub(crate) async fn start(ports: (u16, u16), date: Date) -> (Hub, Server, Arc<Tasks>) {
    gstreamer::init().unwrap();
    clip();
    let tasks = Arc::new(Tasks::default());
    let hub = Hub::new(Arc::new(SystemClock), tasks.clone());
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        advertised: "127.0.0.1:5060".parse().unwrap(),
        media_address: None,
        media_ports: ports,
        id: SERVER.into(),
        domain: None,
        password: Some(Secret::new(PASSWORD)),
        passwords: std::collections::BTreeMap::new(),
        offer_sha256: false,
        date,
        utc_offset_minutes: 480,
        keepalive_secs: 60,
    };
    let server = Server::start(&config, &hub, Arc::new(SystemClock), &tasks).await.unwrap();
    (hub, server, tasks)
}

/// A server with one device that is online.
async fn site(sip_over_tcp: bool, active: bool, ports: (u16, u16)) -> Site {
    let (hub, server, tasks) = start(ports, Date::default()).await;
    let mut events = server.events();
    let line = if sip_over_tcp {
        Line::Tcp(TcpStream::connect(server.address()).await.unwrap(), Framer::default())
    } else {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(server.address()).await.unwrap();
        Line::Udp(socket)
    };
    let listen = if active { Some(TcpListener::bind("127.0.0.1:0").await.unwrap()) } else { None };
    let said = Said::default();
    let (sender, bye) = mpsc::channel(8);
    let run = device(line, listen, said.clone(), sender);
    tasks
        .spawn("device", async move {
            run.await;
            Ok::<_, std::convert::Infallible>(())
        })
        .await;
    // it is online, and has told its channels when asked
    let known = async {
        loop {
            if let Event::Catalog { channels, complete: true, .. } = &*events.recv().await.unwrap() {
                return channels[0].name.clone();
            }
        }
    };
    let name = timeout(Duration::from_secs(20), known).await.expect("the catalog arrives");
    assert_eq!(name, "塔吊 & 大门");
    Site { hub, server, said, bye, tasks }
}

fn camera(address: &str, transport: Transport) -> Camera {
    let id = CameraId::new(Timestamp::from_secs(1));
    Camera { id, name: "crane".into(), url: address.parse().unwrap(), credentials: None, transport }
}

/// Reads pictures until the one with the slice `until` has come.
async fn read(subscription: &mut Subscription, until: &[u8]) -> Vec<Vec<u8>> {
    let mut got: Vec<Vec<u8>> = Vec::new();
    let mut last = -1;
    while got.last().is_none_or(|slice| slice != until) {
        match timeout(Duration::from_secs(20), subscription.next()).await.expect("pictures arrive") {
            Some(Unit::Frame(unit)) => {
                assert!(unit.pts_us > last, "time goes on");
                last = unit.pts_us;
                got.extend(slices(&unit.data));
            }
            other => panic!("{other:?} after {} slices", got.len()),
        }
    }
    got
}

/// All pictures but the last arrive as the muxer got them, then the device is told goodbye.
async fn watch(mut site: Site, camera: Camera) {
    let expect = slices(&clip().1);
    assert_eq!(expect.len() % 60, 0, "15 pictures a second for 4 s");
    site.hub.apply(camera.clone()).await;
    let mut subscription = site.hub.subscribe(camera.id).unwrap();
    // the end of the last picture is known when another begins
    let count = expect.len() - expect.len() / 60;
    let got = read(&mut subscription, &expect[count - 1]).await;
    // a consumer begins at the newest key frame, which is a later one when this test is slow
    assert!(got.len() * 5 >= count, "{} of {count} slices", got.len());
    assert!(expect[..count].ends_with(&got), "the pictures are what the muxer got");
    let status = site.hub.status().remove(0);
    assert_eq!((status.state, status.lost_packets, status.width), (StreamState::Online, 0, 640));
    assert_eq!(site.server.streams().len(), 1);
    site.hub.remove(camera.id).await;
    timeout(Duration::from_secs(5), site.bye.recv()).await.expect("the device is told goodbye");
    assert!(site.server.streams().is_empty());
    site.tasks.token().cancel();
}

#[tokio::test]
async fn live_over_udp_with_reordering_and_duplicates() {
    let site = site(false, false, (31_000, 31_009)).await;
    watch(site, camera(&format!("gb28181://{DEVICE}/{CHANNEL}"), Transport::Udp)).await;
}

#[tokio::test]
async fn live_over_tcp_that_the_device_opens() {
    let site = site(true, false, (31_010, 31_019)).await;
    watch(site, camera(&format!("gb28181://{DEVICE}/{CHANNEL}"), Transport::Tcp)).await;
}

#[tokio::test]
async fn live_over_tcp_that_we_open() {
    let site = site(false, true, (31_020, 31_029)).await;
    watch(site, camera(&format!("gb28181://{DEVICE}/{CHANNEL}?setup=active"), Transport::Tcp)).await;
}

#[tokio::test]
async fn devices_are_commanded_and_faults_are_told() {
    let site = site(true, false, (31_030, 31_039)).await;
    let device = DEVICE.parse().unwrap();
    let ptz = Control::Ptz(media::ptz::Ptz::CallPreset(1));
    site.server.control(device, CHANNEL, ptz).await.unwrap();
    let arrived = async {
        let mut tick = interval(Duration::from_millis(5));
        while !site.said.lock().unwrap().iter().any(|body| body.contains("<PTZCmd>A50F018200010038</PTZCmd>")) {
            tick.tick().await;
        }
    };
    timeout(Duration::from_secs(5), arrived).await.expect("the command arrives");
    let view = site.server.devices().remove(0);
    assert!(view.online && view.complete && view.channels.contains_key(CHANNEL), "{view:?}");

    let stranger = camera("gb28181://34020000001320000099", Transport::Tcp);
    site.hub.apply(stranger.clone()).await;
    let _subscription = site.hub.subscribe(stranger.id).unwrap();
    let status = crate::support::until(&site.hub, stranger.id, StreamState::Unreachable).await;
    assert!(status.detail.contains("34020000001320000099 is not online"), "{}", status.detail);
    site.tasks.token().cancel();
}
