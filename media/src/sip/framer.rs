//! Messages out of a TCP connection (RFC 3261 section 18.3).

use super::{
    Message, ParseError,
    parse::{self, MAX_BODY, MAX_HEAD},
};

/// Cuts a byte stream into messages by their `Content-Length`. Holds one message at most.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
}

impl Framer {
    /// Takes what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// Bytes that wait for the rest of their message.
    pub const fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next message, if all of it is there. Empty lines between messages (keep-alives of RFC 5626) are
    /// skipped.
    ///
    /// # Errors
    /// When the stream makes no sense any more: the connection is to be closed.
    pub fn next_message(&mut self) -> Result<Option<Message>, ParseError> {
        let start = self.buffer.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
        self.buffer.drain(..start);
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let head = match parse::head(&self.buffer) {
            Ok(head) => head,
            Err(ParseError::Incomplete) => return Ok(None),
            Err(error) => return Err(error),
        };
        // without a length nobody knows where the next message begins
        let length = head.length.ok_or(ParseError::Length)?;
        debug_assert!(head.body_at <= MAX_HEAD && length <= MAX_BODY, "the parser keeps the limits");
        let end = head.body_at + length;
        if self.buffer.len() < end {
            return Ok(None);
        }
        let mut message = head.message;
        message.body = self.buffer[head.body_at..end].to_vec();
        self.buffer.drain(..end);
        Ok(Some(message))
    }
}
