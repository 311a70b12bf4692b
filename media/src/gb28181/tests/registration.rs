//! Who gets in, and who stays.

use proptest::prelude::*;

use super::*;
use crate::gb28181::{DateForm, Edition, InvalidConfig, OfflineReason};

#[test]
fn a_device_registers_and_is_told_the_local_time() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 1, 3_600));
    assert_eq!((sent[0].status(), sent[0].headers.get("X-GB-Ver")), (Some(401), Some("3.0")));
    let request = register_request(device, 2, 3_600).with("X-GB-Ver", "3.0");
    let (sent, events) = tell(&mut platform, at(0.0), peer(5060), &authorise(request, device, &sent[0], PASSWORD));
    let ok = &sent[0];
    assert_eq!((ok.status(), ok.headers.get("Date")), (Some(200), Some("2026-06-14T12:00:00.000")));
    assert_eq!((ok.headers.get("Expires"), ok.headers.get("X-GB-Ver")), (Some("3600"), Some("3.0")));
    assert!(ok.headers.get("Contact").unwrap().contains("192.168.1.64"));
    assert!(ok.headers.get("Via").unwrap().contains("rport=5060;received=198.51.100.7"));
    assert_eq!(events, [Event::Online { device, edition: Edition::V2022, peer: peer(5060) }]);

    for (form, expect) in [
        (DateForm::Off, None),
        (DateForm::Seconds, Some("2026-06-14T12:00:00")),
        (DateForm::Rfc1123, Some("Sun, 14 Jun 2026 12:00:00 GMT")),
    ] {
        let mut platform = Platform::new(Config { date: form, ..config() }, [7; 32]).unwrap();
        assert_eq!(register(&mut platform, at(0.0), peer(5060), device, 1).0.headers.get("Date"), expect);
    }
}

#[test]
fn nothing_is_believed_without_a_fresh_proof() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 1, 3_600));
    let proof = authorise(register_request(device, 2, 3_600), device, &sent[0], PASSWORD);
    // captured, and sent from elsewhere before the device itself
    let (sent, events) = tell(&mut platform, at(0.1), Peer::udp("203.0.113.66:5060".parse().unwrap()), &proof);
    assert_eq!((sent[0].status(), events.len()), (Some(401), 0));
    assert!(sent[0].headers.get("WWW-Authenticate").unwrap().contains("stale=true"));
    assert_eq!(tell(&mut platform, at(0.2), peer(5060), &proof).0[0].status(), Some(200));
    // replayed later, as a new transaction
    let mut replay = proof.clone();
    replay.headers.set("Via", "SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bKother");
    assert_eq!(tell(&mut platform, at(9.0), peer(5060), &replay).0[0].status(), Some(401));
    // the same Call-ID opens nothing, from the same place or another, for a renewal or a goodbye
    for (n, from) in [(3, peer(5060)), (4, peer(9))] {
        for expires in [3_600, 0] {
            let request = register_request(device, n * 10 + expires % 7, expires);
            let (sent, events) = tell(&mut platform, at(10.0), from, &request);
            assert_eq!((sent[0].status(), events.len()), (Some(401), 0));
        }
    }
    assert!(platform.is_online(device));
    // a goodbye with proof
    let (sent, _) = tell(&mut platform, at(11.0), peer(5060), &register_request(device, 50, 0));
    let bye = authorise(register_request(device, 51, 0), device, &sent[0], PASSWORD);
    let (sent, events) = tell(&mut platform, at(11.0), peer(5060), &bye);
    assert_eq!((sent[0].status(), sent[0].headers.get("Date")), (Some(200), None));
    assert_eq!(events, [Event::Offline { device, reason: OfflineReason::Unregistered }]);
}

#[test]
fn repeated_requests_get_the_same_answer() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    let (first, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 1, 3_600));
    assert_eq!(tell(&mut platform, at(0.5), peer(5060), &register_request(device, 1, 3_600)).0, first);
    let proof = authorise(register_request(device, 2, 3_600), device, &first[0], PASSWORD);
    let (first, events) = tell(&mut platform, at(1.0), peer(5060), &proof);
    let (again, none) = tell(&mut platform, at(1.5), peer(5060), &proof);
    assert_eq!((again, events.len(), none.len()), (first, 1, 0), "our 200 was lost");
}

#[test]
fn wrong_passwords_are_told_and_slowed() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    for n in 0..5 {
        let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 2 * n, 3_600));
        let request = authorise(register_request(device, 2 * n + 1, 3_600), device, &sent[0], "guess");
        let (sent, events) = tell(&mut platform, at(0.0), peer(5060), &request);
        assert_eq!(sent[0].status(), Some(403));
        let Event::Refused { reason, .. } = &events[0] else { panic!("{events:?}") };
        assert!(reason.contains("password") && !reason.contains(PASSWORD), "{reason}");
    }
    let (sent, _) = tell(&mut platform, at(1.0), peer(5060), &register_request(device, 20, 3_600));
    assert_eq!(sent[0].status(), Some(403), "barred");
    register(&mut platform, at(1.0), peer(5061), id(2), 1);
    register(&mut platform, at(62.0), peer(5060), device, 21);
}

#[test]
fn odd_registrations_of_devices_are_understood() {
    let mut platform = platform();
    let device: GbId = ID.parse().unwrap();
    // the user of the address is the domain, no Expires header but one in Contact, an odd Authorization
    let mut request = register_request(device, 1, 3_600);
    request.start =
        crate::sip::Start::Request { method: "REGISTER".into(), uri: format!("sip:{DOMAIN}@192.0.2.1:5060") };
    request.headers.set("Contact", "<sip:1@2>;expires=120");
    request.headers.push("Authorization", "Capability algorithm=\"H:MD5\"");
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &request);
    assert_eq!(sent[0].status(), Some(401));
    let mut request = register_request(device, 2, 3_600);
    request.headers.set("Contact", "<sip:1@2>;expires=120");
    request.headers.set("From", format!("\"gate\" <sip:{device}@{DOMAIN}:5060;transport=udp>;tag=9"));
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &authorise(request, device, &sent[0], PASSWORD));
    assert_eq!((sent[0].status(), sent[0].headers.get("Expires")), (Some(200), Some("120")));
    let mut short = register_request(device, 3, 3_600);
    short.headers.set("From", "<sip:12345@x>;tag=1");
    assert_eq!(tell(&mut platform, at(0.0), peer(5060), &short).0[0].status(), Some(403));
}

#[test]
fn a_device_may_name_the_domain_and_repeat_itself() {
    // `To` is the domain, and the proof comes with the branch and CSeq of the challenged request
    let mut platform = platform();
    let device = ID.parse().unwrap();
    let mut request = register_request(device, 1, 60);
    request.headers.set("To", format!("<sip:{DOMAIN}@{DOMAIN}>"));
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &request);
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &authorise(request, device, &sent[0], PASSWORD));
    assert_eq!(sent[0].status(), Some(200));
    let mut other = register_request(device, 5, 60);
    other.headers.set("To", format!("<sip:{}@{DOMAIN}>", id(2)));
    assert_eq!(tell(&mut platform, at(0.0), peer(5060), &other).0[0].status(), Some(403), "another device");
}

#[test]
fn reports_from_elsewhere_change_nothing() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    assert_eq!(tell(&mut platform, at(0.0), peer(5060), &keepalive(device, 1)).0[0].status(), Some(403), "unknown");
    register(&mut platform, at(0.0), peer(5060), device, 1);
    assert_eq!(tell(&mut platform, at(60.0), peer(5060), &keepalive(device, 2)).0[0].status(), Some(200));
    assert_eq!(tell(&mut platform, at(61.0), peer(6666), &keepalive(device, 3)).0[0].status(), Some(403));
    platform.query(at(62.0), device, ID, crate::manscdp::Query::DeviceStatus).unwrap();
    assert_eq!(outputs(&mut platform).0[0].0, peer(5060), "commands go where the registration came from");
    // its network address has changed: it registers anew and is reached there
    let (_, events) = register(&mut platform, at(63.0), peer(7777), device, 10);
    assert!(events.is_empty(), "it was online all the time");
    assert_eq!(tell(&mut platform, at(64.0), peer(7777), &keepalive(device, 4)).0[0].status(), Some(200));
}

#[test]
fn a_device_is_asked_before_it_is_given_up() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    register(&mut platform, at(0.0), peer(5060), device, 1);
    platform.tick(at(209.0));
    assert_eq!(outputs(&mut platform).0.len(), 0, "three reports of 60 s are missed at 210 s");
    platform.tick(at(211.0));
    let (sent, events) = outputs(&mut platform);
    assert!(text(&sent[0].1).contains("DeviceStatus") && events.is_empty());
    // any answer will do
    let (_, events) = tell(&mut platform, at(212.0), peer(5060), &reply(&sent[0].1, 405));
    assert!(events.is_empty() && platform.is_online(device));
    platform.tick(at(423.0));
    assert_eq!(outputs(&mut platform).0.len(), 1, "asked again");
    for secs in 424..=455 {
        platform.tick(at(f64::from(secs)));
    }
    let (sent, events) = outputs(&mut platform);
    assert!(sent.len() >= 8, "asked {} times more", sent.len());
    assert_eq!(events, [Event::Offline { device, reason: OfflineReason::Silent }]);
    assert_eq!((platform.load().online, platform.load().requests), (0, 0));
    assert_eq!(tell(&mut platform, at(460.0), peer(5060), &keepalive(device, 9)).0[0].status(), Some(403));
}

#[test]
fn the_rhythm_is_the_devices_own() {
    // a slow device by its own word; a fast one by observation
    let mut platform = platform();
    let (slow, fast) = (id(1), id(2));
    register(&mut platform, at(0.0), peer(1), slow, 1);
    register(&mut platform, at(0.0), peer(2), fast, 1);
    let told = "<Response><CmdType>ConfigDownload</CmdType><SN>1</SN><Result>OK</Result><BasicParam><HeartBeatInterval>300</HeartBeatInterval></BasicParam></Response>";
    tell(&mut platform, at(0.0), peer(1), &manscdp(slow, 1, told));
    for n in 1..=8 {
        // each third report of the fast one is lost
        if n % 3 != 0 {
            tell(&mut platform, at(f64::from(n) * 10.0), peer(2), &keepalive(fast, n));
        }
    }
    platform.tick(at(80.0 + 36.0));
    let (sent, _) = outputs(&mut platform);
    assert_eq!(sent.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [peer(2)], "asked after 3.5 reports of 10 s");
    platform.tick(at(900.0));
    assert!(platform.is_online(slow));
}

#[test]
fn a_registration_that_is_not_renewed_ends() {
    let mut platform = platform();
    let device = ID.parse().unwrap();
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 1, 120));
    tell(&mut platform, at(0.0), peer(5060), &authorise(register_request(device, 2, 120), device, &sent[0], PASSWORD));
    for n in 1..=3 {
        assert_eq!(
            tell(&mut platform, at(f64::from(n) * 60.0), peer(5060), &keepalive(device, n)).0[0].status(),
            Some(200)
        );
    }
    assert_eq!(
        tell(&mut platform, at(240.0), peer(5060), &keepalive(device, 4)).0[0].status(),
        Some(403),
        "register anew"
    );
    platform.tick(at(391.0));
    assert_eq!(outputs(&mut platform).1, [Event::Offline { device, reason: OfflineReason::Expired }]);
}

#[test]
fn a_closed_connection_is_not_the_end_when_the_device_comes_back() {
    let mut platform = platform();
    let (returns, stays_away) = (id(1), id(2));
    register(&mut platform, at(0.0), tcp(1, 1), returns, 1);
    register(&mut platform, at(0.0), tcp(2, 2), stays_away, 1);
    platform.closed(at(10.0), 1);
    platform.closed(at(10.0), 2);
    assert!(register(&mut platform, at(30.0), tcp(3, 3), returns, 5).1.is_empty());
    platform.tick(at(71.0));
    let gone = Event::Offline { device: stays_away, reason: OfflineReason::Disconnected };
    assert_eq!(outputs(&mut platform).1, [gone]);
    assert!(platform.is_online(returns));
}

#[test]
fn a_server_without_a_password_does_not_start() {
    let with = |passwords| Platform::new(Config { passwords, ..config() }, [0; 32]).map(|_| ()).unwrap_err();
    assert_eq!(with(Passwords::default()), InvalidConfig::NoPassword);
    assert_eq!(with(Passwords::default().with_shared("1234567")), InvalidConfig::WeakPassword);
    let camera = Config { id: ID.parse().unwrap(), ..config() };
    assert_eq!(Platform::new(camera, [0; 32]).map(|_| ()).unwrap_err(), InvalidConfig::Code);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_messages_breaks_it(
        steps in prop::collection::vec((0..12_u8, 0..3_u32, 0..3_u16, 0..90_u32, any::<u8>()), 1..60)
    ) {
        let mut platform = platform();
        let (mut secs, mut count) = (0.0, 1_000);
        let mut last: Vec<Message> = Vec::new();
        for (kind, device, port, pause, byte) in steps {
            secs += f64::from(pause);
            let (now, device, from) = (at(secs), id(device), peer(port));
            let cseq = u32::from(byte);
            match kind {
                0 => {
                    count += 2;
                    drop(register(&mut platform, now, from, device, count));
                }
                1 => drop(tell(&mut platform, now, from, &keepalive(device, cseq))),
                2 => drop(platform.query(now, device, device.as_str(), crate::manscdp::Query::Catalog)),
                3 => drop(platform.subscribe(now, device, crate::gb28181::Topic::Alarm)),
                4 => for message in &last { drop(tell(&mut platform, now, from, &reply(message, 100 + u16::from(byte) * 2))) },
                5 => platform.tick(now),
                6 => {
                    let mut bytes = keepalive(device, cseq).encode();
                    let place = usize::from(byte) % bytes.len();
                    bytes[place] = byte;
                    let _ = platform.receive(now, from, &bytes);
                }
                7 => platform.closed(now, u64::from(byte)),
                8 => drop(tell(&mut platform, now, from, &manscdp(device, cseq, "<Response><CmdType>Catalog</CmdType><SumNum>9</SumNum><Item><DeviceID>1</DeviceID></Item></Response>"))),
                9 => drop(platform.invite(now, &calls::live(device))),
                10 => drop(tell(&mut platform, now, from, &from_device(device, "BYE", cseq))),
                _ => drop(tell(&mut platform, now, from, &from_device(device, "NOTIFY", cseq))),
            }
            let sent: Vec<_> = outputs(&mut platform).0.into_iter().map(|(_, message)| message).collect();
            if !sent.is_empty() {
                last = sent.into_iter().filter(|message| message.method().is_some()).take(4).collect();
            }
        }
        // left alone, everything comes to its end
        for hour in 0..200 {
            platform.tick(at(secs + f64::from(hour) * 60.0));
            outputs(&mut platform);
        }
        let load = platform.load();
        prop_assert_eq!((load.online, load.requests, load.queries, load.calls, load.ssrcs), (0, 0, 0, 0, 0));
    }
}
