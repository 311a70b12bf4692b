//! The platform against simulated devices, in simulated time.

mod calls;
mod corpus;
mod network;
mod queries;
mod registration;
mod storm;

use std::time::Duration;

use core::net::SocketAddr;

use super::{Config, Event, Now, Output, Passwords, Peer, Platform, Transport};
use crate::{
    digest::{self, Algorithm, Credentials},
    gbid::GbId,
    sip::Message,
};

pub(super) const SERVER: &str = "34020000002000000001";
pub(super) const DOMAIN: &str = "3402000000";
pub(super) const PASSWORD: &str = "correct horse";
pub(super) const ID: &str = "34020000001320000001";

pub(super) fn id(number: u32) -> GbId {
    format!("34020000001320{number:06}").parse().unwrap()
}

pub(super) fn at(secs: f64) -> Now {
    // 2026-06-14 12:00:00 in China
    let elapsed = Duration::from_secs_f64(secs);
    Now { elapsed, unix_ms: 1_781_409_600_000 + elapsed.as_millis() as i64 }
}

pub(super) fn config() -> Config {
    let passwords = Passwords::default().with_shared(PASSWORD);
    let config = Config::new(SERVER.parse().unwrap(), "192.0.2.1:5060".parse().unwrap(), passwords);
    Config { query_on_online: false, catalog_every: None, ..config }
}

pub(super) fn platform() -> Platform {
    Platform::new(config(), [7; 32]).unwrap()
}

pub(super) fn peer(port: u16) -> Peer {
    Peer::udp(SocketAddr::from(([198, 51, 100, 7], port)))
}

/// Everything that waits to go out.
pub(super) fn outputs(platform: &mut Platform) -> (Vec<(Peer, Message)>, Vec<Event>) {
    let (mut sent, mut events) = (Vec::new(), Vec::new());
    while let Some(output) = platform.poll() {
        match output {
            Output::Send { to, data } => sent.push((to, Message::parse(&data).unwrap())),
            Output::Event(event) => events.push(event),
        }
    }
    (sent, events)
}

/// Hands a message in and gives what comes out.
pub(super) fn tell(platform: &mut Platform, now: Now, from: Peer, message: &Message) -> (Vec<Message>, Vec<Event>) {
    platform.receive(now, from, &message.encode()).unwrap();
    let (sent, events) = outputs(platform);
    (sent.into_iter().map(|(_, message)| message).collect(), events)
}

/// A request of a device, as devices write them.
pub(super) fn from_device(device: GbId, method: &str, cseq: u32) -> Message {
    Message::request(method, format!("sip:{SERVER}@{DOMAIN}"))
        .with("Via", format!("SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bK{device}{method}{cseq}"))
        .with("From", format!("<sip:{device}@{DOMAIN}>;tag=1"))
        .with("To", format!("<sip:{device}@{DOMAIN}>"))
        .with("Call-ID", format!("{device}-{method}"))
        .with("CSeq", format!("{cseq} {method}"))
        .with("Max-Forwards", "70")
}

pub(super) fn register_request(device: GbId, cseq: u32, expires: u32) -> Message {
    let contact = format!("<sip:{device}@192.168.1.64:5060>");
    from_device(device, "REGISTER", cseq).with("Contact", contact).with("Expires", expires.to_string())
}

/// The answer to a challenge.
pub(super) fn authorise(request: Message, device: GbId, challenge: &Message, password: &str) -> Message {
    let value = challenge.headers.get("WWW-Authenticate").unwrap();
    let nonce = value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (username, uri) = (device.to_string(), format!("sip:{SERVER}@{DOMAIN}"));
    let qop = ("auth", "00000001", "abc");
    let who = (username.as_str(), DOMAIN, password);
    let response = digest::response(Algorithm::Md5, who, ("REGISTER", &uri), &nonce, Some(qop));
    let qop = Some((qop.0.to_owned(), qop.1.to_owned(), qop.2.to_owned()));
    let realm = DOMAIN.to_owned();
    let credentials = Credentials { username, realm, nonce, uri, response, algorithm: Algorithm::Md5, qop };
    request.with("Authorization", credentials.encode())
}

/// Registers a device the right way.
pub(super) fn register(
    platform: &mut Platform,
    now: Now,
    from: Peer,
    device: GbId,
    cseq: u32,
) -> (Message, Vec<Event>) {
    let (sent, _) = tell(platform, now, from, &register_request(device, cseq, 3_600));
    assert_eq!(sent[0].status(), Some(401));
    let request = authorise(register_request(device, cseq + 1, 3_600), device, &sent[0], PASSWORD);
    let (mut sent, events) = tell(platform, now, from, &request);
    assert_eq!(sent[0].status(), Some(200), "{:?}", sent[0]);
    (sent.remove(0), events)
}

pub(super) fn manscdp(device: GbId, cseq: u32, body: &str) -> Message {
    from_device(device, "MESSAGE", cseq).with_body("Application/MANSCDP+xml", body.as_bytes().to_vec())
}

pub(super) fn keepalive(device: GbId, cseq: u32) -> Message {
    let body = format!(
        "<Notify><CmdType>Keepalive</CmdType><SN>{cseq}</SN><DeviceID>{device}</DeviceID><Status>OK</Status></Notify>"
    );
    manscdp(device, cseq, &body)
}

/// A device's answer to a request of the platform.
pub(super) fn reply(request: &Message, status: u16) -> Message {
    Message::response(request, status, "whatever", "device-tag")
}

pub(super) fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.body).into_owned()
}

pub(super) fn tcp(port: u16, connection: u64) -> Peer {
    Peer { transport: Transport::Tcp, connection, ..peer(port) }
}
