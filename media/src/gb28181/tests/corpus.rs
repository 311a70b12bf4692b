//! Messages as devices of several makers write them: read as they are, and bitten.

use proptest::prelude::*;

use super::*;
use crate::{
    manscdp::{self, Body},
    sdp::Sdp,
    sip::Framer,
};

const CORPUS: [&[u8]; 6] = [
    include_bytes!("../../../testdata/gb28181/register-unquoted.sip"),
    include_bytes!("../../../testdata/gb28181/register-2022.sip"),
    include_bytes!("../../../testdata/gb28181/keepalive-attributes.sip"),
    include_bytes!("../../../testdata/gb28181/catalog-gb2312.sip"),
    include_bytes!("../../../testdata/gb28181/alarm.sip"),
    include_bytes!("../../../testdata/gb28181/invite-answer.sip"),
];

#[test]
fn all_are_read() {
    let messages = CORPUS.map(|bytes| Message::parse(bytes).unwrap());
    for message in &messages {
        assert_eq!(message.check(), Ok(()), "{message:?}");
    }
    assert_eq!(messages[1].expires(), Some(86_400), "compact names");
    assert!(matches!(manscdp::parse(&messages[2].body).unwrap().body, Body::Keepalive { ok: true, .. }));
    let Body::Catalog(page) = manscdp::parse(&messages[3].body).unwrap().body else { panic!() };
    assert_eq!((page.total, page.unusable), (Some(3), 1));
    assert_eq!((page.items[0].name.as_str(), page.items[1].name.as_str()), ("东侧大门 & 道闸", "塔吊"));
    assert_eq!(page.items[0].address.as_deref(), Some("工地<1#>东"));
    let Body::Alarm(alarm) = manscdp::parse(&messages[4].body).unwrap().body else { panic!() };
    assert_eq!((alarm.kind, alarm.kind_param.as_deref()), (Some(6), Some("1")));
    assert_eq!(alarm.description.as_deref(), Some("周界入侵"));
    assert_eq!(Sdp::parse(&messages[5].body).unwrap().ssrc(), Some(200_000_001));
}

proptest! {
    #[test]
    fn bitten_ones_are_survived(
        which in 0..CORPUS.len(), bites in prop::collection::vec((any::<u16>(), any::<u8>()), 0..6), cut in any::<u16>()
    ) {
        let mut bytes = CORPUS[which].to_vec();
        for (place, byte) in bites {
            let place = usize::from(place) % bytes.len();
            bytes[place] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(usize::from(cut) % bytes.len());
        }
        let mut platform = platform();
        let device = "34020000001320000001".parse().unwrap();
        register(&mut platform, at(0.0), peer(5060), device, 1);
        let _ = platform.receive(at(1.0), peer(5060), &bytes);
        outputs(&mut platform);
        let mut framer = Framer::default();
        framer.push(&bytes);
        while let Ok(Some(message)) = framer.next_message() {
            let _ = (manscdp::parse(&message.body), Sdp::parse(&message.body));
        }
    }
}
