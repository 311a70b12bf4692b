//! A message and the questions one asks of it.

use core::net::SocketAddr;

use super::{
    Address, Headers, ParseError, Via,
    address::split_outside_quotes,
    parse::{self, MAX_BODY},
};

/// First line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// Method, case-sensitive.
        method: String,
        /// Request-URI as written.
        uri: String,
    },
    /// A response.
    Response {
        /// 100 to 699.
        status: u16,
        /// For people.
        reason: String,
    },
}

/// A SIP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// First line.
    pub start: Start,
    /// Header lines; `Content-Length` is written by [`Message::encode`].
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// The `CSeq` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2³¹.
    pub number: u32,
    /// The method it counts.
    pub method: String,
}

/// How a request that cannot be served is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status code.
    pub status: u16,
    /// What is wrong.
    pub reason: &'static str,
}

impl Message {
    /// Reads a datagram. Bytes after the body are ignored (RFC 3261 section 18.3), empty lines before the
    /// message are skipped.
    ///
    /// # Errors
    /// When it is no SIP message, or not all of one.
    pub fn parse(datagram: &[u8]) -> Result<Self, ParseError> {
        let start = datagram.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
        let data = &datagram[start..];
        let parse::Head { mut message, body_at, length } = parse::head(data)?;
        let rest = &data[body_at..];
        let length = length.unwrap_or(rest.len());
        if rest.len() < length {
            return Err(ParseError::ShortBody { claimed: length, left: rest.len() });
        }
        if length > MAX_BODY {
            return Err(ParseError::TooLarge("1 MiB of body"));
        }
        message.body = rest[..length].to_vec();
        Ok(message)
    }

    /// Makes a request without headers.
    pub fn request(method: &str, uri: impl Into<String>) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.into() };
        Self { start, headers: Headers::default(), body: Vec::new() }
    }

    /// Makes the response to `request`: with its `Via`s, `From`, `To`, `Call-ID` and `CSeq`; `to_tag` goes to
    /// a `To` that has none.
    pub fn response(request: &Self, status: u16, reason: &str, to_tag: &str) -> Self {
        let mut headers = Headers::default();
        for via in request.headers.all("Via") {
            headers.push("Via", via);
        }
        for name in ["From", "To", "Call-ID", "CSeq"] {
            let Some(value) = request.headers.get(name) else { continue };
            let tagged = Address::parse(value).is_none_or(|address| address.tag().is_some());
            if name == "To" && !tagged && !to_tag.is_empty() {
                headers.push(name, format!("{value};tag={to_tag}"));
            } else {
                headers.push(name, value);
            }
        }
        Self { start: Start::Response { status, reason: reason.to_owned() }, headers, body: Vec::new() }
    }

    /// Appends a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers.push("Content-Type", content_type);
        self.body = body;
        self
    }

    /// The bytes to send. `Content-Length` counts encoded bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Length")) {
            out.push_str(name);
            out.push_str(": ");
            out.push_str(value);
            out.push_str("\r\n");
        }
        let mut out = format!("{out}Content-Length: {}\r\n\r\n", self.body.len()).into_bytes();
        out.extend_from_slice(&self.body);
        out
    }

    /// Method of a request.
    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// Status of a response.
    pub const fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The topmost `Via`.
    pub fn via(&self) -> Option<Via> {
        Via::parse(split_outside_quotes(self.headers.get("Via")?, ',').next()?)
    }

    /// `From`.
    pub fn from(&self) -> Option<Address> {
        Address::parse(self.headers.get("From")?)
    }

    /// `To`.
    pub fn to(&self) -> Option<Address> {
        Address::parse(self.headers.get("To")?)
    }

    /// `Call-ID`.
    pub fn call_id(&self) -> Option<&str> {
        self.headers.get("Call-ID").filter(|id| !id.is_empty())
    }

    /// `CSeq`.
    pub fn cseq(&self) -> Option<CSeq> {
        let (number, method) = self.headers.get("CSeq")?.split_once(char::is_whitespace)?;
        let number = number.parse().ok().filter(|n| *n < 1 << 31)?;
        Some(CSeq { number, method: method.trim().to_owned() })
    }

    /// The first `Contact`; `None` for `*` and for none.
    pub fn contact(&self) -> Option<Address> {
        Address::parse(split_outside_quotes(self.headers.get("Contact")?, ',').next()?)
    }

    /// Seconds of `expires` in `Contact`, else of the `Expires` header. Numbers too large count as the largest.
    pub fn expires(&self) -> Option<u32> {
        let in_contact = self.contact().and_then(|contact| seconds(contact.params.get("expires")?));
        in_contact.or_else(|| seconds(self.headers.get("Expires")?))
    }

    /// Media type of the body in lower case, without parameters.
    pub fn content_type(&self) -> Option<String> {
        let value = self.headers.get("Content-Type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// Enters where a request really came from into its topmost `Via` (RFC 3261 section 18.2.1, RFC 3581).
    pub fn note_source(&mut self, source: SocketAddr) {
        let Some(line) = self.headers.get("Via") else { return };
        let mut values = split_outside_quotes(line, ',');
        let Some(top) = values.next() else { return };
        let rest: Vec<String> = values.map(|v| v.trim().to_owned()).collect();
        let mut parts = split_outside_quotes(top, ';');
        let mut noted = parts.next().unwrap_or_default().trim().to_owned();
        let mut asked_for_port = false;
        for part in parts {
            let name = part.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
            match name.as_str() {
                "rport" => asked_for_port = true,
                "received" => {}
                _ => {
                    noted.push(';');
                    noted.push_str(part.trim());
                }
            }
        }
        if asked_for_port {
            noted = format!("{noted};rport={}", source.port());
        }
        noted = format!("{noted};received={}", source.ip());
        let all = [vec![noted], rest].concat().join(", ");
        self.headers.set("Via", all);
    }

    /// Checks what a request needs to be served, a response to be matched.
    ///
    /// # Errors
    /// How a request is to be refused; a response is to be dropped.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |reason| Err(Refusal { status: 400, reason });
        for name in ["From", "To", "Call-ID", "CSeq", "Max-Forwards"] {
            if self.headers.all(name).nth(1).is_some() {
                return bad("a header that must be single is there twice");
            }
        }
        if self.via().is_none() {
            return bad("Via is missing or malformed");
        }
        let Some(from) = self.from() else { return bad("From is missing or malformed") };
        if self.to().is_none() {
            return bad("To is missing or malformed");
        }
        if self.call_id().is_none() {
            return bad("Call-ID is missing");
        }
        let Some(cseq) = self.cseq() else { return bad("CSeq is missing or malformed") };
        let Some(method) = self.method() else { return Ok(()) };
        if cseq.method != method {
            return bad("CSeq names another method");
        }
        if from.uri.is_empty() {
            return bad("From is empty");
        }
        if let Some(hops) = self.headers.get("Max-Forwards")
            && hops.parse::<u8>().is_err()
        {
            return bad("Max-Forwards is no number up to 255");
        }
        Ok(())
    }
}

fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}
