//! From bytes to a message.

use super::{Headers, Message, Start};
use crate::charset;

/// Longest start line and headers together, bytes. RFC 4475 section 3.1.1.7 has one of 4 KiB.
pub const MAX_HEAD: usize = 16 * 1024;
/// Longest body, bytes. A catalog page of a cascade that sends all channels at once stays below.
pub const MAX_BODY: usize = 1024 * 1024;
/// Most header lines.
const MAX_LINES: usize = 256;

/// Bytes that are no SIP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// More bytes are needed: a stream waits, a datagram is broken.
    #[error("the message is incomplete: its headers do not end")]
    Incomplete,
    /// The body is shorter than its length says.
    #[error("the message says that its body has {claimed} bytes, but {left} follow")]
    ShortBody {
        /// What `Content-Length` says.
        claimed: usize,
        /// What follows the headers.
        left: usize,
    },
    /// Beyond a limit.
    #[error("the message exceeds a limit: {0}")]
    TooLarge(&'static str),
    /// The first line is neither a request nor a response.
    #[error("the first line is neither a SIP request nor a response")]
    StartLine,
    /// Another version of SIP.
    #[error("the message is of another version of SIP than 2.0")]
    Version,
    /// A header line without a name or a colon.
    #[error("header line {0} has no name or no colon")]
    Header(usize),
    /// A length that is no length, or two that differ.
    #[error("the message has no usable Content-Length")]
    Length,
}

/// Head of a message and where its body begins.
pub(super) struct Head {
    pub(super) message: Message,
    pub(super) body_at: usize,
    pub(super) length: Option<usize>,
}

/// Where the head ends, after its empty line. Bare line feeds are taken.
fn end_of_head(data: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + data[from..].iter().position(|&b| b == b'\n')?;
        match data.get(at + 1..) {
            Some([b'\n', ..]) => return Some(at + 2),
            Some([b'\r', b'\n', ..]) => return Some(at + 3),
            Some(_) => from = at + 1,
            None => return None,
        }
    }
}

pub(super) fn head(data: &[u8]) -> Result<Head, ParseError> {
    let window = &data[..data.len().min(MAX_HEAD)];
    let Some(body_at) = end_of_head(window) else {
        let full = window.len() == MAX_HEAD;
        return Err(if full { ParseError::TooLarge("16 KiB of headers") } else { ParseError::Incomplete });
    };
    let mut lines = data[..body_at].split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let start = start_line(lines.next().unwrap_or_default())?;
    let mut unfolded: Vec<Vec<u8>> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if line[0] == b' ' || line[0] == b'\t' {
            // RFC 3261 section 7.3.1: a folded line continues the one before it
            let Some(last) = unfolded.last_mut() else { return Err(ParseError::Header(1)) };
            last.push(b' ');
            last.extend_from_slice(line.trim_ascii());
        } else if unfolded.len() == MAX_LINES {
            return Err(ParseError::TooLarge("256 header lines"));
        } else {
            unfolded.push(line.to_vec());
        }
    }
    let mut headers = Headers::default();
    for (n, line) in unfolded.iter().enumerate() {
        let colon = line.iter().position(|&b| b == b':').ok_or(ParseError::Header(n + 1))?;
        let name = line[..colon].trim_ascii_end();
        let name = std::str::from_utf8(name).ok().filter(|name| is_token(name)).ok_or(ParseError::Header(n + 1))?;
        headers.push(name, charset::decode(line[colon + 1..].trim_ascii()));
    }
    let length = content_length(&headers)?;
    Ok(Head { message: Message { start, headers, body: Vec::new() }, body_at, length })
}

fn content_length(headers: &Headers) -> Result<Option<usize>, ParseError> {
    let mut length = None;
    for value in headers.all("Content-Length") {
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let this: usize = value.parse().ok().filter(|_| digits).ok_or(ParseError::Length)?;
        if this > MAX_BODY {
            return Err(ParseError::TooLarge("1 MiB of body"));
        }
        if length.replace(this).is_some_and(|other| other != this) {
            return Err(ParseError::Length);
        }
    }
    Ok(length)
}

fn start_line(line: &[u8]) -> Result<Start, ParseError> {
    let line = std::str::from_utf8(line).map_or_else(|_| charset::decode(line), str::to_owned);
    let response = line.get(..8).is_some_and(|version| version.eq_ignore_ascii_case("SIP/2.0 "));
    if response {
        let rest = &line[8..];
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let digits = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
        let status = code.parse().ok().filter(|s| digits && (100..700).contains(s)).ok_or(ParseError::StartLine)?;
        return Ok(Start::Response { status, reason: reason.trim().to_owned() });
    }
    // RFC 4475 sections 3.1.2.8 to 3.1.2.10: exactly one space on each side, none at the end
    let mut words = line.split(' ');
    let (Some(method), Some(uri), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(ParseError::StartLine);
    };
    let scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    });
    if !is_token(method) || !scheme || uri.contains(['<', '>', '"']) || uri.chars().any(char::is_control) {
        return Err(ParseError::StartLine);
    }
    match version {
        v if v.eq_ignore_ascii_case("SIP/2.0") => Ok(Start::Request { method: method.to_owned(), uri: uri.to_owned() }),
        v if v.get(..4).is_some_and(|v| v.eq_ignore_ascii_case("SIP/")) => Err(ParseError::Version),
        _ => Err(ParseError::StartLine),
    }
}

/// RFC 3261 section 25.1.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}
