//! Digest authentication (RFC 2617, RFC 7616, RFC 8760): the server's side, and the response itself.
//!
//! Nonces are the server's own: kept, bound to the address they were given to, of one use and short life.
//! Nothing that a client sends back is trusted, so a captured `Authorization` opens nothing.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    time::Duration,
};

use core::net::IpAddr;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::sip::{Params, Uri};

/// How long a nonce can be used.
const NONCE_LIFE: Duration = Duration::from_mins(1);
/// Most nonces kept; beyond, the oldest go. 10,000 devices that register at once have room.
const MAX_NONCES: usize = 40_000;

/// The hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// What every device knows.
    #[default]
    Md5,
    /// RFC 7616.
    Sha256,
}

impl Algorithm {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn named(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "" | "MD5" => Some(Self::Md5),
            "SHA-256" | "SHA256" => Some(Self::Sha256),
            _ => None,
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What a client proves to know a password with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub username: String,
    /// Realm as sent back.
    pub realm: String,
    /// Nonce as sent back.
    pub nonce: String,
    /// URI over which the response was computed, as sent.
    pub uri: String,
    /// The response, hexadecimal.
    pub response: String,
    /// Hash.
    pub algorithm: Algorithm,
    /// `qop`, `nc` and `cnonce`, when sent.
    pub qop: Option<(String, String, String)>,
}

impl Credentials {
    /// Reads the value of `Authorization`. Values may be quoted or not, whatever the RFC says.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let list: Vec<&str> = crate::sip::split_outside_quotes(rest, ',').map(str::trim).collect();
        let params = Params::parse(&list.join(";"));
        let text = |name: &str| params.get(name).map(str::to_owned);
        let filled = |name: &str| text(name).filter(|value| !value.is_empty());
        Some(Self {
            username: text("username")?,
            realm: text("realm")?,
            nonce: filled("nonce")?,
            uri: filled("uri")?,
            response: filled("response")?,
            algorithm: Algorithm::named(params.get("algorithm").unwrap_or_default())?,
            qop: filled("qop").map(|qop| (qop, text("nc").unwrap_or_default(), text("cnonce").unwrap_or_default())),
        })
    }

    /// The header value, for a client.
    pub fn encode(&self) -> String {
        let Self { username, realm, nonce, uri, response, algorithm, qop } = self;
        let mut out = format!(
            "Digest username=\"{username}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"{uri}\",response=\"{response}\",algorithm={}",
            algorithm.as_str()
        );
        if let Some((qop, nc, cnonce)) = qop {
            let _ = write!(out, ",qop={qop},nc={nc},cnonce=\"{cnonce}\"");
        }
        out
    }
}

/// Computes a response. `qop` is `(qop, nc, cnonce)`, `None` for the form of RFC 2069.
pub fn response(
    algorithm: Algorithm,
    (username, realm, password): (&str, &str, &str),
    (method, uri): (&str, &str),
    nonce: &str,
    qop: Option<(&str, &str, &str)>,
) -> String {
    let ha1 = algorithm.hash(&format!("{username}:{realm}:{password}"));
    combine(algorithm, &ha1, &algorithm.hash(&format!("{method}:{uri}")), nonce, qop)
}

fn combine(algorithm: Algorithm, ha1: &str, ha2: &str, nonce: &str, qop: Option<(&str, &str, &str)>) -> String {
    match qop {
        Some((qop, nc, cnonce)) => algorithm.hash(&format!("{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")),
        None => algorithm.hash(&format!("{ha1}:{nonce}:{ha2}")),
    }
}

/// What the server makes of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is known.
    Granted,
    /// The nonce is unknown, used, of another address or too old: ask again, with `stale`.
    Stale,
    /// The response does not fit, with what was compared, free of secrets.
    Wrong(String),
}

#[derive(Clone, Copy, Debug)]
struct Given {
    to: IpAddr,
    at: Duration,
}

/// The server's side.
#[derive(Debug)]
pub struct Authenticator {
    realm: String,
    secret: [u8; 32],
    counter: u64,
    given: HashMap<String, Given>,
    order: VecDeque<(Duration, String)>,
}

impl Authenticator {
    /// Makes a server for `realm`. `secret` must be unpredictable.
    pub fn new(realm: impl Into<String>, secret: [u8; 32]) -> Self {
        Self { realm: realm.into(), secret, counter: 0, given: HashMap::new(), order: VecDeque::new() }
    }

    /// Makes a nonce for `source` and the value of `WWW-Authenticate` that carries it.
    pub fn challenge(&mut self, now: Duration, source: IpAddr, algorithm: Algorithm, stale: bool) -> String {
        self.expire(now);
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(self.counter.to_be_bytes());
        let nonce = hex(&hash.finalize()[..16]);
        if self.given.len() >= MAX_NONCES
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.given.remove(&oldest);
        }
        self.given.insert(nonce.clone(), Given { to: source, at: now });
        if self.order.len() >= 2 * MAX_NONCES {
            self.order.retain(|(_, nonce)| self.given.contains_key(nonce));
        }
        self.order.push_back((now, nonce.clone()));
        let stale = if stale { ",stale=true" } else { "" };
        let (realm, algorithm) = (&self.realm, algorithm.as_str());
        format!("Digest realm=\"{realm}\",nonce=\"{nonce}\",algorithm={algorithm},qop=\"auth\"{stale}")
    }

    /// Judges what `source` sent with a request. A nonce is used up by it, whatever the verdict.
    pub fn judge(
        &mut self,
        now: Duration,
        source: IpAddr,
        (method, request_uri): (&str, &str),
        sent: &Credentials,
        password: &str,
    ) -> Verdict {
        self.expire(now);
        match self.given.get(&sent.nonce) {
            Some(given) if given.to == source => drop(self.given.remove(&sent.nonce)),
            // somebody else's nonce stays theirs
            _ => return Verdict::Stale,
        }
        let wrong = |what: &str| Verdict::Wrong(format!("{what} (user {}, uri {})", sent.username, sent.uri));
        if sent.realm != self.realm {
            return wrong(&format!("the realm is {}, not {}", sent.realm, self.realm));
        }
        if !same_target(&sent.uri, request_uri) {
            return wrong(&format!("the response is for another address than the request's {request_uri}"));
        }
        // the uri as sent: devices compute over what they write, not over what a proxy made of the request
        let (hash, ha2) = (sent.algorithm, sent.algorithm.hash(&format!("{method}:{}", sent.uri)));
        let ha1 = hash.hash(&format!("{}:{}:{password}", sent.username, sent.realm));
        let qop = sent.qop.as_ref().map(|(qop, nc, cnonce)| (qop.as_str(), nc.as_str(), cnonce.as_str()));
        // some write `qop` and leave it out of the sum, some hash upper-case digits: each proves the password
        let forms = [qop, None];
        let cases = [(ha1.clone(), ha2.clone()), (ha1.to_uppercase(), ha2.to_uppercase())];
        let fits = forms.iter().any(|form| {
            cases.iter().any(|(ha1, ha2)| same(&combine(hash, ha1, ha2, &sent.nonce, *form), &sent.response))
        });
        if fits { Verdict::Granted } else { wrong("the password is another one") }
    }

    /// Nonces that wait for their answer.
    pub fn waiting(&self) -> usize {
        self.given.len()
    }

    fn expire(&mut self, now: Duration) {
        while let Some((at, nonce)) = self.order.front()
            && (*at + NONCE_LIFE <= now || !self.given.contains_key(nonce))
        {
            if self.given.get(nonce).is_some_and(|given| given.at == *at) {
                self.given.remove(nonce);
            }
            self.order.pop_front();
        }
    }
}

/// Whether both are SIP addresses and name the same user or the same host: devices and proxies write one of
/// the two differently (`sip:id@domain`, `sip:domain@address:5060`).
fn same_target(a: &str, b: &str) -> bool {
    let (Some(first), Some(second)) = (Uri::parse(a), Uri::parse(b)) else { return a == b };
    a == b || first.host.eq_ignore_ascii_case(&second.host) || (!first.user.is_empty() && first.user == second.user)
}

/// Compares in the same time whatever differs.
fn same(expected: &str, sent: &str) -> bool {
    let sent = sent.trim().to_ascii_lowercase();
    expected.len() == sent.len() && expected.bytes().zip(sent.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URI: &str = "sip:34020000002000000001@3402000000";
    const ID: &str = "34020000001320000001";

    fn source(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn nonce(challenge: &str) -> String {
        challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn answer(nonce: &str, algorithm: Algorithm, qop: bool) -> Credentials {
        let qop = qop.then(|| ("auth".to_owned(), "00000001".to_owned(), "0a4f113b".to_owned()));
        let parts = qop.as_ref().map(|(q, n, c)| (q.as_str(), n.as_str(), c.as_str()));
        let response = response(algorithm, (ID, "3402000000", "站点密码"), ("REGISTER", URI), nonce, parts);
        let (username, realm, nonce, uri) = (ID.into(), "3402000000".into(), nonce.into(), URI.into());
        Credentials { username, realm, nonce, uri, response, algorithm, qop }
    }

    fn judge(server: &mut Authenticator, now: u64, from: u8, sent: &Credentials) -> Verdict {
        server.judge(Duration::from_secs(now), source(from), ("REGISTER", URI), sent, "站点密码")
    }

    #[test]
    fn the_example_of_rfc_2617() {
        let qop = Some(("auth", "00000001", "0a4f113b"));
        let who = ("Mufasa", "testrealm@host.com", "Circle Of Life");
        let what = ("GET", "/dir/index.html");
        let got = response(Algorithm::Md5, who, what, "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop);
        assert_eq!(got, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn accepts_the_forms_of_devices_once() {
        let mut server = Authenticator::new("3402000000", [7; 32]);
        for (algorithm, qop) in [(Algorithm::Md5, true), (Algorithm::Md5, false), (Algorithm::Sha256, true)] {
            let challenge = server.challenge(Duration::ZERO, source(1), algorithm, false);
            assert!(challenge.contains(algorithm.as_str()) && challenge.contains("qop=\"auth\""));
            let sent = answer(&nonce(&challenge), algorithm, qop);
            let loud = Credentials { response: sent.response.to_uppercase(), ..sent.clone() };
            assert_eq!(Credentials::parse(&sent.encode()).as_ref(), Some(&sent));
            assert_eq!(judge(&mut server, 1, 1, &loud), Verdict::Granted);
            assert_eq!(judge(&mut server, 1, 1, &loud), Verdict::Stale, "a replay");
        }
        // a device that announces qop and computes without it
        let nonce = nonce(&server.challenge(Duration::ZERO, source(1), Algorithm::Md5, false));
        let sent =
            Credentials { qop: answer(&nonce, Algorithm::Md5, true).qop, ..answer(&nonce, Algorithm::Md5, false) };
        assert_eq!(judge(&mut server, 1, 1, &sent), Verdict::Granted);
        assert_eq!(server.waiting(), 0);
    }

    #[test]
    fn a_nonce_is_bound_to_its_address_and_time() {
        let mut server = Authenticator::new("3402000000", [7; 32]);
        let sent =
            answer(&nonce(&server.challenge(Duration::ZERO, source(1), Algorithm::Md5, false)), Algorithm::Md5, true);
        assert_eq!(judge(&mut server, 1, 2, &sent), Verdict::Stale, "captured, sent from elsewhere");
        assert_eq!(judge(&mut server, 61, 1, &sent), Verdict::Stale, "too late");
        let invented = answer("0123456789abcdef", Algorithm::Md5, true);
        assert_eq!(judge(&mut server, 1, 1, &invented), Verdict::Stale);
        assert!(server.challenge(Duration::ZERO, source(1), Algorithm::Md5, true).ends_with("stale=true"));
    }

    #[test]
    fn refusals_tell_why_without_secrets() {
        let mut server = Authenticator::new("3402000000", [7; 32]);
        let mut fresh = || nonce(&server.challenge(Duration::ZERO, source(1), Algorithm::Md5, false));
        let mut cases = [fresh(), fresh(), fresh()].map(|nonce| answer(&nonce, Algorithm::Md5, true));
        cases[0].response = "0".repeat(32);
        cases[1].realm = "other".into();
        cases[2].uri = "sip:other@elsewhere".into();
        for (sent, words) in cases.iter().zip(["password is another", "realm is other", "another address"]) {
            let Verdict::Wrong(why) = judge(&mut server, 1, 1, sent) else { panic!("not refused") };
            assert!(why.contains(words) && !why.contains("站点密码"), "{why}");
        }
    }

    #[test]
    fn reads_what_devices_write() {
        let odd = "Digest username=34020000001320000001, realm=\"3402000000\",nonce=\"ab,cd\" , uri=\"sip:x@y\",\
                   response=\"AB\",algorithm=\"MD5\",nc=\"00000001\",qop=\"auth\",cnonce=\"\"";
        let read = Credentials::parse(odd).unwrap();
        assert_eq!((read.username.as_str(), read.nonce.as_str()), (ID, "ab,cd"));
        assert_eq!(read.qop, Some(("auth".into(), "00000001".into(), String::new())));
        for refused in ["", "Basic abc", "Digest", "Digest username=\"a\"", "Capability algorithm=\"A:SM2\""] {
            assert_eq!(Credentials::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn nonces_are_bounded() {
        let mut server = Authenticator::new("r", [7; 32]);
        for _ in 0..MAX_NONCES + 500 {
            server.challenge(Duration::ZERO, source(1), Algorithm::Md5, false);
        }
        assert_eq!(server.waiting(), MAX_NONCES);
        server.challenge(Duration::from_mins(2), source(1), Algorithm::Md5, false);
        assert_eq!(server.waiting(), 1);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "(Digest )?[ -~]{0,80}") {
            let _ = Credentials::parse(&text);
        }
    }
}
