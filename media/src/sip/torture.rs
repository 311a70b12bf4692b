//! The torture cases of RFC 4475, by their names there, with messages of our own; and rubbish.

use proptest::prelude::*;

use super::*;

/// A request that is sound, but for `start`, and with `extra` lines before the usual ones.
fn request(start: &str, extra: &str) -> Vec<u8> {
    let usual = "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKx\r\nMax-Forwards: 70\r\nTo: <sip:j@example.com>\r\n\
                 From: <sip:i@example.com>;tag=8\r\nCall-ID: torture\r\n";
    let method = start.split(' ').next().unwrap_or_default();
    format!("{start}\r\n{extra}{usual}CSeq: 8 {method}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// What becomes of a datagram: `ok`, the status of the refusal, or the parser's words.
fn fate(datagram: &[u8]) -> String {
    match Message::parse(datagram) {
        Err(error) => error.to_string(),
        Ok(message) => message.check().map_or_else(|refusal| refusal.status.to_string(), |()| "ok".into()),
    }
}

fn check(name: &str, datagram: &[u8], expect: &str) {
    let got = fate(datagram);
    assert!(got.starts_with(expect), "{name}: {got}, expected {expect}");
}

#[test]
fn valid_messages() {
    let wsinv = b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n\
        TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
        from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n\
        MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 3\r\n\
        cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n\
        NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
        v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8\r\n\
        m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ; expires=7\r\n\r\nv=0";
    check("wsinv", wsinv, "ok");
    let message = Message::parse(wsinv).unwrap();
    assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
    assert_eq!(message.from().unwrap().name, r#"J Rosenberg \""#);
    assert_eq!(message.cseq().unwrap(), CSeq { number: 9, method: "INVITE".into() });
    assert_eq!(message.via().unwrap().host, "192.0.2.2");
    assert_eq!(message.headers.get("newfangledheader"), Some("newfangled value continued newfangled value"));
    assert_eq!(message.headers.get("Subject"), Some(""));
    assert_eq!((message.expires(), message.body.as_slice()), (Some(7), b"v=0".as_slice()));
    assert_eq!(message.headers.all("Via").count(), 2);

    check(
        "intmeth",
        &request("!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)@e.com SIP/2.0", ""),
        "ok",
    );
    check("esc01", &request("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", ""), "ok");
    assert_eq!(Uri::parse("sip:sips%3Auser%40example.com@example.net").unwrap().user, "sips:user@example.com");
    assert_eq!(Uri::parse("sip:null-%00-null@example.com").unwrap().user, "null-\0-null", "escnull");
    check("esc02", &request("RE%47IST%45R sip:registrar.example.com SIP/2.0", ""), "ok");
    check(
        "longreq",
        &request("INVITE sip:user@example.com SIP/2.0", &format!("X-Long: {}\r\n", "0".repeat(4000))),
        "ok",
    );
    check("semiuri", &request("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", ""), "ok");
    assert_eq!(Uri::parse("sip:user;par=u%40example.net@example.com").unwrap().host, "example.com");
    check(
        "transports",
        &request("OPTIONS sip:user@example.com SIP/2.0", "Via: SIP/2.0/UNKNOWN t5.example.com\r\n"),
        "ok",
    );
    for reason in ["= 2**3 * 5**2 \u{43d}\u{43e}", ""] {
        let text = format!(
            "SIP/2.0 200 {reason}\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9\r\nCall-ID: u\r\nCSeq: 3 INVITE\r\n\
                            From: <sip:u@e.com>;tag=1\r\nTo: <sip:w@e.net>;tag=2\r\nContent-Length: 0\r\n\r\n"
        );
        check("unreason, noreason", text.as_bytes(), "ok");
    }
    let mut dblreq = request("REGISTER sip:example.com SIP/2.0", "");
    let alone = Message::parse(&dblreq).unwrap();
    dblreq.extend(b"\r\nINVITE sip:joe@example.com SIP/2.0\r\n");
    assert_eq!(Message::parse(&dblreq).unwrap(), alone, "dblreq: what follows the body is ignored");
}

#[test]
fn invalid_messages() {
    let line = |start: &str| request(start, "");
    check(
        "badinv01",
        &request("INVITE sip:a@b SIP/2.0", "").replace_once(b"Via: SIP/2.0/UDP t1", b"Via: SIP/2.0/UDP;; t1"),
        "400",
    );
    check(
        "clerr",
        &request("INVITE sip:a@b SIP/2.0", "").replace_once(b"Length: 0", b"Length: 9999"),
        "the message says",
    );
    check(
        "ncl",
        &request("INVITE sip:a@b SIP/2.0", "").replace_once(b"Length: 0", b"Length: -999"),
        "the message has no usable",
    );
    check(
        "scalar02",
        &request("REGISTER sip:a@b SIP/2.0", "").replace_once(b"CSeq: 8", b"CSeq: 36893488147419103232"),
        "400",
    );
    check("scalar02", &request("REGISTER sip:a@b SIP/2.0", "").replace_once(b"s: 70", b"s: 300"), "400");
    let huge = Message::parse(&request("REGISTER sip:a@b SIP/2.0", "Expires: 10000000000000000000\r\n")).unwrap();
    assert_eq!(huge.expires(), Some(u32::MAX), "scalar02");
    check("quotbal", &request("INVITE sip:a@b SIP/2.0", "").replace_once(b"To: <", b"To: \"Mr. J. User <"), "400");
    check("ltgtruri", &line("INVITE <sip:user@example.com> SIP/2.0"), "the first line");
    check("lwsruri", &line("INVITE sip:user@example.com; lr SIP/2.0"), "the first line");
    check("lwsstart", &line("INVITE  sip:user@example.com  SIP/2.0"), "the first line");
    check("trws", &line("OPTIONS sip:remote-target@example.com SIP/2.0 "), "the first line");
    check("badvers", &line("OPTIONS sip:t.watson@example.org SIP/7.0"), "the message is of another version");
    check("mismatch01", &request("OPTIONS sip:a@b SIP/2.0", "").replace_once(b"8 OPTIONS", b"8 INVITE"), "400");
    check("bigcode", b"SIP/2.0 4294967301 better not break the receiver\r\nCall-ID: 1\r\n\r\n", "the first line");
    check("insuf", b"INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95\r\nContent-Length: 0\r\n\r\n", "400");
    check("multi01", &request("INVITE sip:a@b SIP/2.0", "Call-ID: another\r\n"), "400");
    check("mcl01", &request("OPTIONS sip:a@b SIP/2.0", "Content-Length: 13\r\n"), "the message has no usable");
    check("zeromf", &request("OPTIONS sip:a@b SIP/2.0", "").replace_once(b"s: 70", b"s: 0"), "ok");
    check("no colon", &request("OPTIONS sip:a@b SIP/2.0", "nothing here\r\n"), "header line 1");
    check("unkscm is for the server to refuse", &line("OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0"), "ok");
}

/// Lets a case read as "this message, but".
trait ReplaceOnce {
    fn replace_once(self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl ReplaceOnce for Vec<u8> {
    fn replace_once(self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = self.windows(from.len()).position(|w| w == from).unwrap();
        [&self[..at], to, &self[at + from.len()..]].concat()
    }
}

#[test]
fn a_stream_is_cut_by_lengths() {
    let one = Message::request("MESSAGE", "sip:a@b").with_body("Application/MANSCDP+xml", "<a>工</a>".into());
    let two = Message::request("OPTIONS", "sip:a@b");
    let stream = [b"\r\n\r\n".as_slice(), &one.encode(), b"\r\n", &two.encode()].concat();
    for chunk in [1, 7, 1000] {
        let (mut framer, mut got) = (Framer::default(), Vec::new());
        for piece in stream.chunks(chunk) {
            framer.push(piece);
            while let Some(message) = framer.next_message().unwrap() {
                got.push((message.method().unwrap().to_owned(), message.body));
            }
        }
        assert_eq!(got, [("MESSAGE".into(), one.body.clone()), ("OPTIONS".into(), Vec::new())]);
        assert_eq!(framer.waiting(), 0);
    }
    let mut endless = Framer::default();
    endless.push(&[b'x'; MAX_HEAD]);
    assert!(endless.next_message().is_err());
    let mut lengthless = Framer::default();
    lengthless.push(b"OPTIONS sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n");
    assert_eq!(lengthless.next_message(), Err(ParseError::Length));
}

#[test]
fn the_source_is_noted_for_answers_behind_nat() {
    let mut message = Message::request("REGISTER", "sip:a@b")
        .with("Via", "SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bK7, SIP/2.0/UDP x");
    message.note_source("203.0.113.7:40001".parse().unwrap());
    let expect = "SIP/2.0/UDP 192.168.1.64:5060;branch=z9hG4bK7;rport=40001;received=203.0.113.7, SIP/2.0/UDP x";
    assert_eq!(message.headers.get("v"), None, "asked by its full name");
    assert_eq!(message.headers.get("Via"), Some(expect));
    assert_eq!(message.via().unwrap().params.get("rport"), Some("40001"));
}

#[test]
fn nobody_smuggles_a_header_in() {
    let message = Message::request("MESSAGE", "sip:a@b").with("Subject", "x\r\nContact: <sip:evil@e>");
    assert_eq!(Message::parse(&message.encode()).unwrap().headers.get("Contact"), None);
}

/// Bytes that are nearly SIP: pieces of messages, glued and bitten.
fn nearly_sip() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n",
        "SIP/2.0 200 OK\r\n",
        "Via: SIP/2.0/UDP 1.2.3.4:5060;rport",
        ";branch=z9hG4bK1\r\n",
        "From: <sip:1@2>;tag=",
        "To: \"x\\\"\" <sip:[::1]:5>",
        "\r\n\r\n",
        "\r\n ",
        "CSeq: 1 INVITE\r\n",
        "Contact: *\r\n",
        "l: 3\r\n",
        "Content-Length: 99999999999\r\n",
        ":",
        ";",
        ",",
        "<",
        ">",
        "\"",
        "%4",
        "\n",
        "é",
        "\0",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..20).prop_map(|p| p.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..300),
    ]
}

proptest! {
    #[test]
    fn rubbish_is_refused_not_feared(data in nearly_sip()) {
        if let Ok(mut message) = Message::parse(&data) {
            let _ = (message.check(), message.contact(), message.expires(), message.content_type());
            message.note_source("[2001:db8::1]:5060".parse().unwrap());
            let _ = Message::response(&message, 200, "OK", "t").encode();
            // what was read once reads the same again
            let again = Message::parse(&message.encode()).unwrap();
            prop_assert_eq!(&again.body, &message.body);
            prop_assert_eq!(again.start, message.start);
        }
        let mut framer = Framer::default();
        framer.push(&data);
        while let Ok(Some(_)) = framer.next_message() {}
        prop_assert!(framer.waiting() <= data.len());
    }

    #[test]
    fn written_messages_read_back(
        user in "[0-9]{20}", value in "[ -~]{0,40}", body in prop::collection::vec(any::<u8>(), 0..100)
    ) {
        let message = Message::request("MESSAGE", format!("sip:{user}@3402000000"))
            .with("From", format!("<sip:{user}@3402000000>;tag=1")).with("X-Any", value.trim())
            .with_body("application/octet-stream", body.clone());
        let back = Message::parse(&message.encode()).unwrap();
        prop_assert_eq!(back.from().unwrap().user(), Some(user));
        prop_assert_eq!(back.headers.get("X-Any"), Some(value.trim()));
        prop_assert_eq!(back.body, body);
    }
}
