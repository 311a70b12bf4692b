//! Media on and off.

use super::*;
use crate::{
    gb28181::{Answer, CallEvent, CallId, CommandError, EndReason, Invite, MediaTransport, Wanted},
    mansrtsp::Steer,
    sdp::Sdp,
};

pub(super) fn live(device: GbId) -> Invite {
    Invite {
        device,
        channel: "34020000001320000101".into(),
        wanted: Wanted::Live,
        media: "192.0.2.1:30000".parse().unwrap(),
        transport: MediaTransport::TcpPassive,
        sub_stream: false,
    }
}

const ANSWER: &str = "v=0\r\no=1 0 0 IN IP4 192.168.1.64\r\ns=Play\r\nc=IN IP4 192.168.1.64\r\nt=0 0\r\n\
    m=video 15060 TCP/RTP/AVP 96\r\na=setup:active\r\na=filesize:4711\r\ny=0200000001\r\n";

fn accept(request: &Message, body: &str) -> Message {
    reply(request, 200)
        .with("Contact", "<sip:34020000001320000101@192.168.1.64:5060>")
        .with("Record-Route", "<sip:proxy;lr>")
        .with_body("application/sdp", body.as_bytes().to_vec())
}

fn started() -> (Platform, GbId) {
    let (mut platform, device) = (platform(), ID.parse().unwrap());
    register(&mut platform, at(0.0), peer(5060), device, 1);
    (platform, device)
}

/// Invites and gives the call and the INVITE.
fn invite(platform: &mut Platform, now: Now, invite: &Invite) -> (CallId, Message) {
    let (call, _) = platform.invite(now, invite).unwrap();
    let (mut sent, _) = outputs(platform);
    (call, sent.remove(0).1)
}

fn ended(call: CallId, reason: EndReason) -> Event {
    Event::Call { call, event: CallEvent::Ended(reason) }
}

#[test]
fn live_from_invitation_to_goodbye() {
    let (mut platform, device) = started();
    let (call, request) = invite(&mut platform, at(1.0), &live(device));
    let offer = Sdp::parse(&request.body).unwrap();
    let video = offer.medium("video").unwrap();
    assert_eq!((offer.name.as_str(), offer.y.as_deref()), ("Play", Some("0200000001")));
    assert_eq!(
        (video.port, video.protocol.as_str(), video.attribute("setup")),
        (30_000, "TCP/RTP/AVP", Some("passive"))
    );
    assert_eq!(request.headers.get("Subject"), Some("34020000001320000101:0200000001,34020000002000000001:0"));
    assert_eq!(request.content_type().as_deref(), Some("application/sdp"));

    let (_, events) = tell(&mut platform, at(1.1), peer(5060), &reply(&request, 100));
    assert_eq!(events, [Event::Call { call, event: CallEvent::Trying }]);
    let ok = accept(&request, ANSWER);
    let (sent, events) = tell(&mut platform, at(1.2), peer(5060), &ok);
    let answer = Answer {
        ssrc: Some(200_000_001),
        address: Some([192, 168, 1, 64].into()),
        port: 15_060,
        file_size: Some(4_711),
    };
    assert_eq!(events, [Event::Call { call, event: CallEvent::Answered(answer) }]);
    let ack = &sent[0];
    assert_eq!((ack.method(), ack.cseq().unwrap().number), (Some("ACK"), 1));
    assert_eq!(ack.headers.get("Route"), Some("<sip:proxy;lr>"));
    assert!(matches!(&ack.start, crate::sip::Start::Request { uri, .. } if uri.contains("192.168.1.64")));
    let (sent, events) = tell(&mut platform, at(1.7), peer(5060), &ok);
    assert_eq!((sent[0].method(), events.len()), (Some("ACK"), 0), "the first ACK was lost");
    assert_eq!(
        platform.steer(at(2.0), call, Steer::Pause),
        Err(CommandError::Invalid("a live picture cannot be steered"))
    );

    platform.hang_up(at(9.0), call);
    let (sent, events) = outputs(&mut platform);
    let bye = &sent[0].1;
    assert_eq!(
        (bye.method(), bye.cseq().unwrap().number, bye.to().unwrap().tag()),
        (Some("BYE"), 2, Some("device-tag"))
    );
    assert_eq!(events, [ended(call, EndReason::Local)]);
    assert_eq!(sent[0].0, peer(5060), "behind NAT its Contact is of no use");
    // 481 is as good as 200
    tell(&mut platform, at(9.1), peer(5060), &reply(bye, 481));
    assert_eq!((platform.load().calls, platform.load().ssrcs), (0, 0));
}

#[test]
fn answers_without_an_ssrc_are_fine() {
    let (mut platform, device) = started();
    for y in ["", "y=0000000000\r\n", "y=\r\n"] {
        let (call, request) = invite(&mut platform, at(1.0), &live(device));
        let body = ANSWER.replace("y=0200000001\r\n", y);
        let (_, events) = tell(&mut platform, at(1.2), peer(5060), &accept(&request, &body));
        assert!(matches!(&events[0], Event::Call { event: CallEvent::Answered(Answer { ssrc: None, .. }), .. }), "{y}");
        platform.hang_up(at(1.3), call);
        outputs(&mut platform);
    }
}

#[test]
fn every_way_not_to_answer_has_its_name() {
    let (mut platform, device) = started();
    // silence
    let (call, first) = invite(&mut platform, at(1.0), &live(device));
    platform.tick(at(9.5));
    let (sent, events) = outputs(&mut platform);
    assert_eq!(events, [ended(call, EndReason::NoAnswer)]);
    assert_eq!(sent.last().unwrap().1.method(), Some("CANCEL"));
    // it answers all the same, after we had given up: thanked and sent away
    let (sent, events) = tell(&mut platform, at(11.0), peer(5060), &accept(&first, ANSWER));
    assert_eq!(sent.iter().map(|m| m.method().unwrap()).collect::<Vec<_>>(), ["ACK", "BYE"]);
    assert!(events.is_empty());
    tell(&mut platform, at(11.1), peer(5060), &reply(&sent[1], 200));
    // works on it for ever
    let (call, request) = invite(&mut platform, at(20.0), &live(device));
    tell(&mut platform, at(20.1), peer(5060), &reply(&request, 100));
    platform.tick(at(29.0));
    assert_eq!(outputs(&mut platform).1, [ended(call, EndReason::NoFinalAnswer)]);
    // refusal
    let (call, request) = invite(&mut platform, at(30.0), &live(device));
    let (sent, events) = tell(&mut platform, at(30.1), peer(5060), &reply(&request, 486));
    assert_eq!(
        (sent[0].method(), sent[0].via().unwrap().params.get("branch")),
        (Some("ACK"), request.via().unwrap().params.get("branch"))
    );
    assert_eq!(events, [ended(call, EndReason::Refused { status: 486, reason: "whatever".into() })]);
    // nonsense
    let (call, request) = invite(&mut platform, at(40.0), &live(device));
    let (sent, events) = tell(&mut platform, at(40.1), peer(5060), &accept(&request, "v=0\r\n"));
    assert_eq!(sent.iter().map(|m| m.method().unwrap()).collect::<Vec<_>>(), ["ACK", "BYE"]);
    assert!(matches!(&events[0], Event::Call { event: CallEvent::Ended(EndReason::BadAnswer(_)), .. }), "{call:?}");
    // hung up while it rings: the late 487 ends it for good
    let (call, request) = invite(&mut platform, at(50.0), &live(device));
    platform.hang_up(at(50.5), call);
    assert_eq!(outputs(&mut platform).1, [ended(call, EndReason::Local)]);
    assert!(tell(&mut platform, at(50.6), peer(5060), &reply(&request, 487)).1.is_empty());
    for secs in 51..=150 {
        platform.tick(at(f64::from(secs)));
        outputs(&mut platform);
    }
    let load = platform.load();
    assert_eq!((load.calls, load.ssrcs, load.requests), (0, 0, 0));
    assert_eq!(platform.invite(at(200.0), &live(id(9))).unwrap_err(), CommandError::Offline(id(9)));
}

#[test]
fn the_device_hangs_up() {
    let (mut platform, device) = started();
    let (call, request) = invite(&mut platform, at(1.0), &live(device));
    tell(&mut platform, at(1.2), peer(5060), &accept(&request, ANSWER));
    let mut bye = from_device(device, "BYE", 1);
    bye.headers.set("Call-ID", request.call_id().unwrap());
    let (sent, events) = tell(&mut platform, at(1.9), peer(6666), &bye);
    assert_eq!((sent[0].status(), events.len()), (Some(481), 0), "from elsewhere");
    let mut bye = from_device(device, "BYE", 2);
    bye.headers.set("Call-ID", request.call_id().unwrap());
    let (sent, events) = tell(&mut platform, at(2.0), peer(5060), &bye);
    assert_eq!((sent[0].status(), events), (Some(200), vec![ended(call, EndReason::Remote)]));
    assert_eq!(tell(&mut platform, at(2.1), peer(5060), &bye).0[0].status(), Some(200), "repeated");
    assert_eq!(platform.load().calls, 0);
}

#[test]
fn recordings_are_steered_and_end() {
    let (mut platform, device) = started();
    let wanted = Wanted::Playback { start: 1_781_400_000, end: 1_781_403_600 };
    let playback = Invite { wanted, transport: MediaTransport::Udp, sub_stream: true, ..live(device) };
    let (call, request) = invite(&mut platform, at(1.0), &playback);
    let offer = text(&request);
    for line in [
        "s=Playback",
        "u=34020000001320000101:0",
        "t=1781400000 1781403600",
        "RTP/AVP 96",
        "y=1200000001",
        "a=streamnumber:1",
    ] {
        assert!(offer.contains(line), "{line} is missing in {offer}");
    }
    tell(&mut platform, at(1.2), peer(5060), &accept(&request, ANSWER));
    for (n, steer) in [(1, Steer::Speed(2.0)), (2, Steer::Seek(60_000)), (3, Steer::Pause)] {
        platform.steer(at(2.0), call, steer).unwrap();
        let (sent, _) = outputs(&mut platform);
        let info = &sent[0].1;
        assert_eq!((info.method(), info.cseq().unwrap().number), (Some("INFO"), n + 1));
        assert_eq!(Steer::parse(&info.body), Some((n, steer)));
        let (_, events) = tell(&mut platform, at(2.1), peer(5060), &reply(info, 400));
        assert_eq!(events, [Event::Call { call, event: CallEvent::Steered { status: 400 } }], "said, not hidden");
    }
    // Hikvision: the media status is from the channel, with the Call-ID of the call
    let body = "<Notify><CmdType>MediaStatus</CmdType><SN>1</SN><DeviceID>34020000001320000101</DeviceID><NotifyType>121</NotifyType></Notify>";
    let mut end = manscdp("34020000001320000101".parse().unwrap(), 7, body);
    end.headers.set("Call-ID", request.call_id().unwrap());
    let (sent, events) = tell(&mut platform, at(9.0), peer(5060), &end);
    assert_eq!((sent[0].status(), sent[1].method()), (Some(200), Some("BYE")));
    assert_eq!(events, [Event::Call { call, event: CallEvent::FileEnd }, ended(call, EndReason::Remote)]);

    let wanted = Wanted::Download { start: 1, end: 2, speed: 4 };
    let (_, request) = invite(&mut platform, at(20.0), &Invite { wanted, ..live(device) });
    assert!(text(&request).contains("s=Download") && text(&request).contains("a=downloadspeed:4"));
    let backwards = Invite { wanted: Wanted::Playback { start: 5, end: 5 }, ..live(device) };
    assert!(matches!(platform.invite(at(20.0), &backwards), Err(CommandError::Invalid(_))));
}

#[test]
fn a_device_that_goes_ends_its_calls() {
    let (mut platform, device) = started();
    let (call, request) = invite(&mut platform, at(1.0), &live(device));
    tell(&mut platform, at(1.2), peer(5060), &accept(&request, ANSWER));
    let (sent, _) = tell(&mut platform, at(2.0), peer(5060), &register_request(device, 10, 0));
    let goodbye = authorise(register_request(device, 11, 0), device, &sent[0], PASSWORD);
    let (_, events) = tell(&mut platform, at(2.0), peer(5060), &goodbye);
    assert!(events.contains(&ended(call, EndReason::DeviceOffline)), "{events:?}");
    assert_eq!((platform.load().calls, platform.load().ssrcs), (0, 0));
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let (mut platform, device) = started();
    for n in 0..10_000_u32 {
        let now = at(1.0 + f64::from(n) * 0.02);
        let (call, request) = invite(&mut platform, now, &live(device));
        match n % 4 {
            // ended by us; by the device; refused; never answered
            0 => {
                tell(&mut platform, now, peer(5060), &accept(&request, ANSWER));
                platform.hang_up(now, call);
                let (sent, _) = outputs(&mut platform);
                tell(&mut platform, now, peer(5060), &reply(&sent[0].1, 200));
            }
            1 => {
                tell(&mut platform, now, peer(5060), &accept(&request, ANSWER));
                let mut bye = from_device(device, "BYE", n);
                bye.headers.set("Call-ID", request.call_id().unwrap());
                tell(&mut platform, now, peer(5060), &bye);
            }
            2 => drop(tell(&mut platform, now, peer(5060), &reply(&request, 480))),
            _ => {}
        }
        platform.tick(now);
        outputs(&mut platform);
    }
    // still online, by its reports
    for n in 0..3 {
        let now = at(260.0 + f64::from(n) * 60.0);
        tell(&mut platform, now, peer(5060), &keepalive(device, 20_000 + n));
        platform.tick(now);
        outputs(&mut platform);
    }
    let load = platform.load();
    assert_eq!((load.online, load.calls, load.ssrcs, load.requests, load.queries), (1, 0, 0, 0, 0));
    assert!(load.timers <= 2, "{load:?}");
}
