//! The parts of header values: URIs, addresses, `Via`.

use super::parse::is_token;

/// Parameters after `;`. Values lose their quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// Reads `;a=b;c`. Empty ones are skipped.
    pub fn parse(text: &str) -> Self {
        let one = |part: &str| {
            let (name, value) = part.split_once('=').map_or((part, None), |(n, v)| (n, Some(v)));
            let value = value.map(|v| unquote(v.trim()));
            (!name.trim().is_empty()).then(|| (name.trim().to_owned(), value))
        };
        Self(split_outside_quotes(text, ';').filter_map(one).take(64).collect())
    }

    /// The value of a parameter; empty for one without a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }
}

/// Splits at `at`, but not inside quotes or angle brackets.
pub(crate) fn split_outside_quotes(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    text.split(move |c: char| {
        let was_quoted = quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        c == at && !was_quoted && !angle
    })
}

pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else { return text.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let (mut out, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

/// A `sip:` or `sips:` URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// Before `@`, without password and user parameters; empty when there is none.
    pub user: String,
    /// After it. A GB/T 28181 domain counts as a host.
    pub host: String,
    /// Port, when written.
    pub port: Option<u16>,
    /// URI parameters.
    pub params: Params,
}

impl Uri {
    /// Reads a URI; `None` for one of another scheme or without a host.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return None;
        }
        // the user part may hold `;` and `?` (RFC 4475 section 3.1.1.9), so look for `@` first
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let user = user.split([':', ';']).next().unwrap_or_default();
        let rest = rest.split('?').next().unwrap_or_default();
        let (host_port, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_port_of(host_port)?;
        Some(Self { user: unescape(user), host, port, params: Params::parse(params) })
    }
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn host_port_of(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) => (v6, rest.trim().strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port.map(str::trim) {
        None | Some("") => None,
        Some(port) => Some(port.parse().ok()?),
    };
    let host = host.trim();
    let clean =
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"@".contains(c));
    clean.then(|| (host.to_owned(), port))
}

/// An address with its parameters: `"Gate" <sip:…>;tag=…` or `sip:…;tag=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Display name without quotes.
    pub name: String,
    /// The URI as written.
    pub uri: String,
    /// Parameters of the address, e.g. `tag`.
    pub params: Params,
}

impl Address {
    /// Reads one address; `None` for unbalanced quotes or brackets and for none at all.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(quoted) = text.strip_prefix('"') {
            let end = end_of_quotes(quoted)?;
            let rest = quoted[end + 1..].trim_start().strip_prefix('<')?;
            return Self::bracketed(unquote(&text[..end + 2]), rest);
        }
        if let Some((name, rest)) = text.split_once('<') {
            return Self::bracketed(name.trim().to_owned(), rest).filter(|_| !name.contains('"'));
        }
        // without brackets parameters belong to the address (RFC 3261 section 20)
        let (uri, params) = text.split_once(';').unwrap_or((text, ""));
        let uri = uri.trim();
        let whole = uri.contains(':') && !uri.contains(|c: char| c.is_whitespace() || "\">".contains(c));
        whole.then(|| Self { name: String::new(), uri: uri.to_owned(), params: Params::parse(params) })
    }

    fn bracketed(name: String, rest: &str) -> Option<Self> {
        let (uri, params) = rest.split_once('>')?;
        (!uri.trim().is_empty()).then(|| Self { name, uri: uri.trim().to_owned(), params: Params::parse(params) })
    }

    /// The tag; `None` when absent or empty.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// User part of the URI.
    pub fn user(&self) -> Option<String> {
        Uri::parse(&self.uri).map(|uri| uri.user).filter(|user| !user.is_empty())
    }
}

fn end_of_quotes(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// One `Via`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP` and so on.
    pub transport: String,
    /// Who sent it, as it believes.
    pub host: String,
    /// Its port, when written.
    pub port: Option<u16>,
    /// Parameters, e.g. `branch`.
    pub params: Params,
}

impl Via {
    /// Reads one value.
    pub fn parse(text: &str) -> Option<Self> {
        let (protocol, params) = text.split_once(';').unwrap_or((text, ""));
        // RFC 3261 allows spaces around the slashes
        let mut parts = protocol.splitn(3, '/').map(str::trim);
        let (name, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
            return None;
        }
        let (transport, sent_by) = rest.split_once(char::is_whitespace)?;
        let (host, port) = host_port_of(sent_by)?;
        is_token(transport).then(|| Self { transport: transport.to_owned(), host, port, params: Params::parse(params) })
    }
}
