//! Cursors: where a page ends, as an opaque text.
//!
//! A cursor names the last row by its sort key, not by a count, so that rows which come in meanwhile neither
//! repeat nor hide anything.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::ApiError;

/// The sort key of the last row: a number and a text, or two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// First part of the key.
    pub first: String,
    /// What breaks ties.
    pub second: String,
}

impl Cursor {
    /// Makes a cursor.
    pub fn new(first: &impl ToString, second: &impl ToString) -> Self {
        Self { first: first.to_string(), second: second.to_string() }
    }

    /// Its text.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.second, self.first))
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// When the text is not one of ours.
    pub fn decode(text: &str) -> Result<Self, ApiError> {
        let read = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let (second, first) = text.split_once('\n')?;
            (!text.contains('\0')).then(|| Self::new(&first, &second))
        };
        read().ok_or_else(bad)
    }

    /// Its first part as a number.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self) -> Result<i64, ApiError> {
        self.first.parse().map_err(|_| bad())
    }
}

fn bad() -> ApiError {
    ApiError::invalid(
        "cursor",
        "the cursor is not one of ours; start from the first page",
        "翻页游标无效，请从第一页重新开始",
    )
}

/// A page size within 1 to `most`.
///
/// # Errors
/// When it is outside.
pub fn page_size(asked: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    let size = asked.unwrap_or(default);
    if (1..=most).contains(&size) {
        Ok(size)
    } else {
        Err(ApiError::invalid(
            "limit",
            format!("limit must be within 1 to {most}"),
            format!("limit 必须在 1 到 {most} 之间"),
        ))
    }
}

/// Cuts what was read with one row too many down to a page; gives the cursor of the next page when there is one.
pub fn cut<T>(rows: &mut Vec<T>, size: u32, key: impl FnOnce(&T) -> Cursor) -> Option<String> {
    let size = size as usize;
    if rows.len() <= size {
        return None;
    }
    rows.truncate(size);
    rows.last().map(|last| key(last).encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_rubbish() {
        let cursor = Cursor::new(&-5, &"门\n口 id");
        assert!(Cursor::decode(&cursor.encode()).is_ok());
        let cursor = Cursor::new(&"门 口\n2", &"0190-id");
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        for rubbish in ["", "!", "AAAA", "YQ"] {
            assert!(Cursor::decode(rubbish).is_err());
        }
    }
}
