//! A device of another make: the `gb28181-rs` crate registers, reports, lists its channels, and sends what
//! it takes for a program stream.

use std::{sync::Arc, time::Duration};

use gb28181_rs::{
    config::{Gb28181Config, Transport as SipTransport},
    frame::{AccessUnit, Nalu},
    mock::MockFrameHub,
    server::Gb28181Server,
};
use media::nal;
use protocol::{Camera, CameraId, StreamState, Timestamp, Transport};
use stream_gateway::gb28181::{Date, Diagnosis, Event, Server};
use tokio::time::{interval, timeout};

use crate::gb28181::{DEVICE, DOMAIN, PASSWORD, clip, start};

/// Its pictures, at 25 a second, for ever.
async fn film(hub: Arc<MockFrameHub>) {
    let mut tick = interval(Duration::from_millis(40));
    let is = |nal: &[u8], kind| nal[0] & 0x1f == kind;
    let nals: Vec<&[u8]> = nal::units(&clip().1).collect();
    for nal in nals.iter().cycle() {
        let make = |nal: &[u8]| Nalu {
            nalu_type: nal[0] & 0x1f,
            data: nal.to_vec(),
            is_idr: is(nal, 5),
            is_sps: is(nal, 7),
            is_pps: is(nal, 8),
            is_aud: is(nal, 9),
        };
        if !is(nal, 1) && !is(nal, 5) {
            continue;
        }
        tick.tick().await;
        let key = is(nal, 5);
        let sets = nals.iter().filter(|set| key && (is(set, 7) || is(set, 8))).take(2);
        let nalus = sets.chain([nal]).map(|nal| make(nal)).collect();
        hub.write(AccessUnit { nalus, timestamp: std::time::Instant::now(), is_key_frame: key });
    }
}

async fn seen(server: &Server, enough: impl Fn(&Diagnosis) -> bool) -> Diagnosis {
    let wait = async {
        let mut tick = interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Some(stream) = server.streams().into_iter().find(&enough) {
                return stream;
            }
        }
    };
    timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{:?}", server.streams()))
}

#[tokio::test]
async fn a_device_of_another_make_registers_and_sends() {
    let (hub, server, tasks) = start((31_040, 31_049), Date::Rfc1123).await;
    let mut events = server.events();
    let config = Gb28181Config {
        platform_sip_address: "127.0.0.1".into(),
        platform_sip_port: server.address().port(),
        device_id: DEVICE.into(),
        channel_id: DEVICE.into(),
        sip_domain: DOMAIN.into(),
        password: PASSWORD.into(),
        local_sip_port: 31_059,
        heartbeat_interval_secs: 5,
        transport: SipTransport::Udp,
        ..Gb28181Config::default()
    };
    let frames = Arc::new(MockFrameHub::new());
    let film = film(Arc::clone(&frames));
    tasks
        .spawn("film", async move {
            film.await;
            Ok::<_, std::convert::Infallible>(())
        })
        .await;
    let mut device = Gb28181Server::start(config, frames, None).await.expect("the device starts");
    let (mut online, mut listed) = (false, false);
    let both = async {
        while !(online && listed) {
            match &*events.recv().await.unwrap() {
                Event::Online { .. } => online = true,
                Event::Catalog { channels, complete, .. } => {
                    assert!(*complete && !channels.is_empty(), "{channels:?}");
                    listed = true;
                }
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(20), both).await.expect("it registers and lists its channels");
    // it reads our version, and our clock in the one form that it knows
    assert_eq!(device.platform_protocol_version().as_deref(), Some("3.0"));
    assert!(device.platform_date_unix().is_some(), "Date is not read");

    let id = CameraId::new(Timestamp::from_secs(1));
    let url = format!("gb28181://{DEVICE}").parse().unwrap();
    let camera = Camera { id, name: "foreign".into(), url, credentials: None, transport: Transport::Udp };
    hub.apply(camera).await;
    let _subscription = hub.subscribe(id).unwrap();
    let stream = seen(&server, |stream| stream.rtp.received > 40).await;
    // its muxer is known to be wrong in places: shown when it can be, and else counted, never a crash
    assert!(stream.ps.pictures > 0 || stream.ps.broken > 0 || stream.ps.video == 0, "{stream:?}");
    if stream.ps.pictures > 0 {
        crate::support::until(&hub, id, StreamState::Online).await;
    }
    hub.remove(id).await;
    assert!(server.streams().is_empty());
    let _ = timeout(Duration::from_secs(2), device.shutdown()).await;
    tasks.token().cancel();
}
