//! Asking, commanding, subscribing.

use std::fmt::Write as _;

use super::*;
use crate::{
    gb28181::{CommandError, Topic},
    gbtime::LocalTime,
    manscdp::{Control, Query, RecordQuery},
    ptz::{Motion, Ptz},
};

fn started() -> (Platform, GbId) {
    let (mut platform, device) = (platform(), ID.parse().unwrap());
    register(&mut platform, at(0.0), peer(5060), device, 1);
    (platform, device)
}

fn page(sn: u32, total: u32, items: &[u32]) -> String {
    let mut list = String::new();
    for n in items {
        let _ = write!(list, "<Item><DeviceID>{}</DeviceID><Name>c{n}</Name></Item>", id(*n));
    }
    format!(
        "<Response><CmdType>Catalog</CmdType><SN>{sn}</SN><DeviceID>{ID}</DeviceID><SumNum>{total}</SumNum><DeviceList>{list}</DeviceList></Response>"
    )
}

fn ask(platform: &mut Platform, secs: f64, device: GbId, query: Query) -> (u32, Message) {
    let sn = platform.query(at(secs), device, ID, query).unwrap();
    let (mut sent, _) = outputs(platform);
    (sn, sent.remove(0).1)
}

#[test]
fn catalog_pages_come_in_any_order_and_twice() {
    let (mut platform, device) = started();
    let (sn, request) = ask(&mut platform, 1.0, device, Query::Catalog);
    assert!(text(&request).contains(&format!("<SN>{sn}</SN>")));
    let mut events = Vec::new();
    // a page before the answer to the query itself
    for (n, items) in [&[5_u32, 6][..], &[1, 2], &[1, 2], &[3, 4]].into_iter().enumerate() {
        events.extend(tell(&mut platform, at(1.1), peer(5060), &manscdp(device, n as u32, &page(sn, 6, items))).1);
        if n == 0 {
            tell(&mut platform, at(1.1), peer(5060), &reply(&request, 200));
        }
    }
    let [Event::Catalog { channels, complete: true, announced: Some(6), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(channels.len(), 6);
    assert_eq!(platform.load().queries, 0);
    // a device without channels
    let (sn, _) = ask(&mut platform, 2.0, device, Query::Catalog);
    let (_, events) = tell(&mut platform, at(2.1), peer(5060), &manscdp(device, 9, &page(sn, 0, &[])));
    assert!(matches!(&events[..], [Event::Catalog { channels, complete: true, .. }] if channels.is_empty()));
}

#[test]
fn a_lost_page_is_asked_for_again_and_what_came_is_kept() {
    let (mut platform, device) = started();
    let (sn, request) = ask(&mut platform, 1.0, device, Query::Catalog);
    tell(&mut platform, at(1.1), peer(5060), &reply(&request, 200));
    tell(&mut platform, at(1.2), peer(5060), &manscdp(device, 1, &page(sn, 4, &[1, 2])));
    platform.tick(at(12.0));
    let (sent, events) = outputs(&mut platform);
    assert!(events.is_empty() && text(&sent[0].1).contains("Catalog"));
    // the second time another page is lost; together they are whole. The device writes a wrong serial number.
    let (_, events) = tell(&mut platform, at(12.5), peer(5060), &manscdp(device, 2, &page(0, 4, &[3, 4])));
    assert!(
        matches!(&events[..], [Event::Catalog { channels, complete: true, .. }] if channels.len() == 4),
        "{events:?}"
    );

    // it never becomes whole: what there is is given, as incomplete
    let (sn, request) = ask(&mut platform, 20.0, device, Query::Catalog);
    tell(&mut platform, at(20.1), peer(5060), &reply(&request, 200));
    tell(&mut platform, at(20.2), peer(5060), &manscdp(device, 3, &page(sn, 4, &[1, 2])));
    let mut events = Vec::new();
    for secs in 21..120 {
        platform.tick(at(f64::from(secs)));
        let (sent, more) = outputs(&mut platform);
        events.extend(more);
        for (_, message) in sent {
            tell(&mut platform, at(f64::from(secs)), peer(5060), &reply(&message, 200));
        }
    }
    assert!(
        matches!(&events[..], [Event::Catalog { channels, complete: false, announced: Some(4), .. }] if channels.len() == 2),
        "{events:?}"
    );
    assert_eq!(platform.load().queries, 0);
}

#[test]
fn five_thousand_channels() {
    let (mut platform, device) = started();
    let (sn, _) = ask(&mut platform, 1.0, device, Query::Catalog);
    let mut events = Vec::new();
    for first in (0..5_000).step_by(50) {
        let items: Vec<u32> = (first..first + 50).collect();
        events.extend(tell(&mut platform, at(1.5), peer(5060), &manscdp(device, first, &page(sn, 5_000, &items))).1);
    }
    assert!(matches!(&events[..], [Event::Catalog { channels, complete: true, .. }] if channels.len() == 5_000));
}

#[test]
fn a_new_device_is_asked_for_everything() {
    let mut platform = Platform::new(Config { query_on_online: true, ..config() }, [7; 32]).unwrap();
    let device = ID.parse().unwrap();
    let (sent, _) = tell(&mut platform, at(0.0), peer(5060), &register_request(device, 1, 3_600));
    let (sent, _) = tell(
        &mut platform,
        at(0.0),
        peer(5060),
        &authorise(register_request(device, 2, 3_600), device, &sent[0], PASSWORD),
    );
    let asked: Vec<_> = sent[1..].iter().map(text).collect();
    for (body, command) in asked.iter().zip(["DeviceInfo", "ConfigDownload", "Catalog"]) {
        assert!(body.contains(command), "{body}");
    }
    let info = "<Response><CmdType>DeviceInfo</CmdType><SN>1</SN><DeviceID>34020000001320000001</DeviceID><Manufacturer>Hikvision</Manufacturer></Response>";
    let (_, events) = tell(&mut platform, at(0.1), peer(5060), &manscdp(device, 3, info));
    assert!(matches!(&events[0], Event::Info { info, .. } if info.manufacturer.as_deref() == Some("Hikvision")));
    // the sub-stream is asked for in its maker's words
    let invite = crate::gb28181::Invite { sub_stream: true, ..super::calls::live(device) };
    platform.invite(at(1.0), &invite).unwrap();
    assert!(text(&outputs(&mut platform).0[0].1).contains("a=stream:1\r\n"));
}

#[test]
fn commands_and_what_becomes_of_them() {
    let (mut platform, device) = started();
    let left = Control::Ptz(Ptz::Move(Motion { pan: -31, tilt: 0, zoom: 0 }));
    platform.control(at(1.0), device, "34020000001320000101", &left).unwrap();
    let (sent, _) = outputs(&mut platform);
    assert!(text(&sent[0].1).contains("<PTZCmd>A50F01021F0000D6</PTZCmd>"));
    tell(&mut platform, at(1.1), peer(5060), &reply(&sent[0].1, 200));

    let sn = platform.control(at(2.0), device, ID, &Control::Reboot).unwrap();
    let (sent, _) = outputs(&mut platform);
    tell(&mut platform, at(2.1), peer(5060), &reply(&sent[0].1, 200));
    let done = format!(
        "<Response><CmdType>DeviceControl</CmdType><SN>{sn}</SN><DeviceID>{ID}</DeviceID><Result>OK</Result></Response>"
    );
    let (_, events) = tell(&mut platform, at(2.2), peer(5060), &manscdp(device, 2, &done));
    assert_eq!(events, [Event::Done { device, sn, ok: true }]);

    let sn = platform.control(at(3.0), device, ID, &Control::Reboot).unwrap();
    for secs in 3..40 {
        platform.tick(at(f64::from(secs)));
    }
    assert!(outputs(&mut platform).1.contains(&Event::Unanswered { device, sn }));
    let mut refused = |control: &Control| platform_error(platform.control(at(50.0), device, ID, control));
    assert_eq!(refused(&Control::Ptz(Ptz::CallPreset(0))), CommandError::Invalid("presets are 1 to 255"));
    assert!(matches!(platform.control(at(50.0), device, "x<y", &Control::Reboot), Err(CommandError::Invalid(_))));
}

fn platform_error(result: Result<u32, CommandError>) -> CommandError {
    result.unwrap_err()
}

#[test]
fn recordings_are_listed_in_order() {
    let (mut platform, device) = started();
    let [start, end] = ["2026-06-14T00:00:00", "2026-06-15T00:00:00"].map(|t| LocalTime::parse(t).unwrap());
    let (sn, _) = ask(&mut platform, 1.0, device, Query::Records(RecordQuery { start, end, kind: "all" }));
    let item = |hour: u32| {
        format!(
            "<Item><DeviceID>{ID}</DeviceID><StartTime>2026-06-14T{hour:02}:00:00</StartTime><EndTime>2026-06-14T{hour:02}:59:59</EndTime></Item>"
        )
    };
    let mut events = Vec::new();
    for (n, items) in [item(3) + &item(4), item(1) + "<Item><StartTime>?</StartTime></Item>"].into_iter().enumerate() {
        let body = format!(
            "<Response><CmdType>RecordInfo</CmdType><SN>{sn}</SN><DeviceID>{ID}</DeviceID><SumNum>4</SumNum><RecordList>{items}</RecordList></Response>"
        );
        events.extend(tell(&mut platform, at(1.1), peer(5060), &manscdp(device, n as u32, &body)).1);
    }
    let [Event::Records { records, complete: true, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(records.iter().map(|r| r.start.to_string()[11..13].to_owned()).collect::<Vec<_>>(), ["01", "03", "04"]);
    let backwards = Query::Records(RecordQuery { start: end, end: start, kind: "all" });
    assert!(matches!(platform.query(at(2.0), device, ID, backwards), Err(CommandError::Invalid(_))));
}

#[test]
fn alarms_are_confirmed_when_they_come_by_message() {
    let (mut platform, device) = started();
    let body = format!(
        "<Notify><CmdType>Alarm</CmdType><SN>42</SN><DeviceID>{ID}</DeviceID><AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod></Notify>"
    );
    let (sent, events) = tell(&mut platform, at(1.0), peer(5060), &manscdp(device, 1, &body));
    assert_eq!((sent[0].status(), sent[1].method()), (Some(200), Some("MESSAGE")));
    assert!(text(&sent[1]).contains("<SN>42</SN>") && text(&sent[1]).contains("<Result>OK</Result>"));
    assert!(matches!(&events[..], [Event::Alarm { alarm, .. }] if alarm.priority == Some(1)));
    let notify = from_device(device, "NOTIFY", 2).with_body("Application/MANSCDP+xml", body.into_bytes());
    let (sent, events) = tell(&mut platform, at(2.0), peer(5060), &notify);
    assert_eq!((sent.len(), sent[0].status(), events.len()), (1, Some(200), 1), "by notification the 200 is enough");
}

#[test]
fn subscriptions_are_renewed_and_their_failure_is_told() {
    let (mut platform, device) = started();
    platform.subscribe(at(1.0), device, Topic::Catalog).unwrap();
    let (sent, _) = outputs(&mut platform);
    let first = &sent[0].1;
    assert_eq!((first.method(), first.headers.get("Expires")), (Some("SUBSCRIBE"), Some("600")));
    assert!(first.headers.get("Event").unwrap().starts_with("Catalog;id="));
    tell(&mut platform, at(1.1), peer(5060), &reply(first, 200).with("Expires", "100"));
    assert!(!platform.is_notified(device, Topic::Catalog), "200 alone proves nothing");
    let change = format!(
        "<Notify><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>{ID}</DeviceID><SumNum>1</SumNum><DeviceList Num=\"1\"><Item><DeviceID>{}</DeviceID><Event>OFF</Event></Item></DeviceList></Notify>",
        id(5)
    );
    let mut notify = from_device(device, "NOTIFY", 2).with_body("Application/MANSCDP+xml", change.into_bytes());
    notify.headers.set("Call-ID", first.call_id().unwrap());
    let (_, events) = tell(&mut platform, at(2.0), peer(5060), &notify);
    assert!(
        matches!(&events[..], [Event::ChannelsChanged { channels, .. }] if channels[0].event == Some(crate::manscdp::ChannelEvent::Off))
    );
    assert!(platform.is_notified(device, Topic::Catalog));

    platform.tick(at(82.0));
    let (sent, _) = outputs(&mut platform);
    let renewal = &sent[0].1;
    assert_eq!((renewal.call_id(), renewal.to().unwrap().tag()), (first.call_id(), Some("device-tag")));
    assert_eq!(renewal.cseq().unwrap().number, 2);
    let (_, events) = tell(&mut platform, at(82.1), peer(5060), &reply(renewal, 481));
    assert_eq!(events, [Event::NotSubscribed { device, topic: Topic::Catalog, status: 481 }]);
    platform.tick(at(143.0));
    let (sent, _) = outputs(&mut platform);
    assert_ne!(sent[0].1.call_id(), first.call_id(), "a new dialog");
    let (_, events) = tell(&mut platform, at(143.1), peer(5060), &reply(&sent[0].1, 489));
    assert_eq!(events.len(), 1);
    platform.tick(at(209.0));
    assert!(outputs(&mut platform).0.is_empty(), "a device that does not know it is left alone");
}
