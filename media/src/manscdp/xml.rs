//! XML as devices write it: a tolerant reader and a writer.
//!
//! The reader never refuses a document for one bad spot: `&` and `<` that are no markup are text, an
//! element that is not closed ends with its parent, an end tag without a start is skipped. There are no
//! entities but the five of XML and character references, so nothing can grow.

use std::fmt::Write as _;

use crate::charset::{self, Charset};

/// Most elements in a document. A catalog of 1,000 channels in one message has 25,000.
const MAX_ELEMENTS: usize = 60_000;
/// Deepest nesting kept; deeper elements are dropped with their content.
const MAX_DEPTH: usize = 12;
/// Longest tag, bytes: a `<` that is not closed within is text.
const MAX_TAG: usize = 2_048;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name as written.
    pub name: String,
    /// Attributes in their order.
    pub attributes: Vec<(String, String)>,
    /// All text directly inside, trimmed.
    pub text: String,
    /// Elements inside.
    pub children: Vec<Element>,
}

/// A body that is no XML document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidXml {
    /// No element in it.
    #[error("the body holds no XML element")]
    Empty,
    /// Beyond a limit.
    #[error("the XML document has more than 60,000 elements")]
    TooLarge,
}

impl Element {
    /// The first child of a name, without regard to case.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// Text of a child, or the attribute of that name: some devices write attributes. `None` when empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        let child = self.child(name).map(|child| child.text.as_str());
        let attribute = || self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
        child.filter(|text| !text.is_empty()).or_else(attribute).filter(|text| !text.is_empty())
    }

    /// All elements of a name at any depth, in document order.
    pub fn descendants<'a>(&'a self, name: &str, found: &mut Vec<&'a Self>) {
        for child in &self.children {
            if child.name.eq_ignore_ascii_case(name) {
                found.push(child);
            }
            child.descendants(name, found);
        }
    }
}

enum Tag<'a> {
    Open { name: &'a [u8], attributes: Vec<(&'a [u8], &'a [u8])>, empty: bool },
    Close(&'a [u8]),
    Text(&'a [u8]),
    Skip,
}

/// Reads a document and says how it was written.
///
/// # Errors
/// When there is no element in it, or too many.
#[expect(
    clippy::missing_panics_doc,
    reason = "the document itself is at the bottom of the stack and never popped before"
)]
pub fn parse(document: &[u8]) -> Result<(Element, Charset), InvalidXml> {
    let head = document[..document.len().min(200)].to_ascii_lowercase();
    let declared_gb =
        head.windows(10).any(|w| w.starts_with(b"encoding=") && w[9..].iter().any(|q| b"\"'".contains(q)))
            && head.windows(3).any(|w| w == b"gb2" || w == b"gbk" || w == b"gb1");
    let charset = charset::sniff(document, declared_gb);
    let mut builder = Builder { charset, stack: vec![Open::default()], dropped: 0, elements: 0 };
    let mut rest = document;
    while !rest.is_empty() {
        let at = rest.iter().position(|&b| b == b'<').unwrap_or(rest.len());
        builder.text(&rest[..at], true);
        rest = &rest[at..];
        if rest.is_empty() {
            break;
        }
        let (tag, length) = tag(rest);
        rest = &rest[length..];
        match tag {
            Tag::Open { name, attributes, empty } => builder.open(name, &attributes, empty)?,
            Tag::Close(name) => builder.close(name),
            Tag::Text(text) => builder.text(text, false),
            Tag::Skip => {}
        }
    }
    while builder.stack.len() > 1 {
        builder.pop();
    }
    let root = builder.stack.pop().expect("the bottom is never popped").element;
    root.children.into_iter().next().map(|root| (root, charset)).ok_or(InvalidXml::Empty)
}

/// What begins with the `<` at the start of `data`, and its length.
fn tag(data: &[u8]) -> (Tag<'_>, usize) {
    let until = |end: &[u8]| data.windows(end.len()).position(|w| w == end).map_or(data.len(), |at| at + end.len());
    if data.starts_with(b"<![CDATA[") {
        let end = until(b"]]>");
        return (Tag::Text(data[9..end].strip_suffix(b"]]>").unwrap_or(&data[9..end])), end);
    }
    if data.starts_with(b"<!--") {
        return (Tag::Skip, until(b"-->"));
    }
    if data.starts_with(b"<?") || data.starts_with(b"<!") {
        return (Tag::Skip, until(b">"));
    }
    let closing = data.get(1) == Some(&b'/');
    let start = 1 + usize::from(closing);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_:.-".contains(&b);
    let name_length = data[start..].iter().take_while(|&&b| is_name(b)).count();
    let named = data.get(start).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let Some(end) = end_of_tag(&data[start + name_length..]).map(|end| start + name_length + end).filter(|_| named)
    else {
        return (Tag::Text(b"<"), 1);
    };
    let (name, inside) = (&data[start..start + name_length], &data[start + name_length..end]);
    if closing {
        return (Tag::Close(name), end + 1);
    }
    let empty = inside.last() == Some(&b'/');
    (Tag::Open { name, attributes: attributes(inside), empty }, end + 1)
}

/// Where the `>` of a tag is; `None` when another `<` or the end comes first.
fn end_of_tag(data: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, &byte) in data.iter().take(MAX_TAG).enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (_, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn attributes(mut data: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    while let Some(equals) = data.iter().position(|&b| b == b'=') {
        let name = data[..equals].trim_ascii();
        let value = data[equals + 1..].trim_ascii_start();
        let Some((&quote, value)) = value.split_first().filter(|(q, _)| b"\"'".contains(q)) else { break };
        let Some(end) = value.iter().position(|&b| b == quote) else { break };
        if !name.is_empty() && found.len() < 32 {
            found.push((name, &value[..end]));
        }
        data = &value[end + 1..];
    }
    found
}

#[derive(Default)]
struct Open {
    element: Element,
    text: Vec<u8>,
}

struct Builder {
    charset: Charset,
    /// The document at the bottom, the innermost open element at the top.
    stack: Vec<Open>,
    /// Open elements that are too deep.
    dropped: usize,
    elements: usize,
}

impl Builder {
    fn decode(&self, bytes: &[u8]) -> String {
        self.charset.decode(bytes).into_owned()
    }

    fn text(&mut self, bytes: &[u8], entities: bool) {
        let top = self.stack.last_mut().expect("the bottom is never popped");
        if self.dropped > 0 || bytes.is_empty() {
            return;
        }
        if entities {
            top.text.extend_from_slice(bytes);
        } else {
            // what was no markup is kept from being read as an entity
            for &byte in bytes {
                if byte == b'&' { top.text.extend_from_slice(b"&amp;") } else { top.text.push(byte) }
            }
        }
    }

    fn open(&mut self, name: &[u8], attributes: &[(&[u8], &[u8])], empty: bool) -> Result<(), InvalidXml> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(InvalidXml::TooLarge);
        }
        if self.dropped > 0 || self.stack.len() > MAX_DEPTH {
            self.dropped += usize::from(!empty);
            return Ok(());
        }
        let pair = |(name, value): &(&[u8], &[u8])| (self.decode(name), unescape(&self.decode(value)));
        let element = Element {
            name: self.decode(name),
            attributes: attributes.iter().map(pair).collect(),
            ..Element::default()
        };
        self.stack.push(Open { element, text: Vec::new() });
        if empty {
            self.pop();
        }
        Ok(())
    }

    fn close(&mut self, name: &[u8]) {
        if self.dropped > 0 {
            self.dropped -= 1;
            return;
        }
        let matches = |open: &Open| open.element.name.as_bytes().eq_ignore_ascii_case(name);
        let Some(at) = self.stack.iter().skip(1).rposition(matches) else { return };
        while self.stack.len() > at + 1 {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Open { mut element, text } = self.stack.pop().expect("only called with an open element");
        element.text = unescape(self.decode(&text).trim());
        let parent = self.stack.last_mut().expect("the bottom is never popped");
        parent.element.children.push(element);
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';');
        if let Some((c, end)) = end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            // an `&` as people type it
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
            char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace())
        }
    }
}

/// Writes a document.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Opens an element.
    #[must_use]
    pub fn open(mut self, name: &'static str) -> Self {
        let _ = write!(self.out, "<{name}>\r\n");
        self.open.push(name);
        self
    }

    /// Opens an element with one attribute.
    #[must_use]
    pub fn open_with(mut self, name: &'static str, attribute: &str, value: impl std::fmt::Display) -> Self {
        let _ = write!(self.out, "<{name} {attribute}=\"{}\">\r\n", escape(&value.to_string()));
        self.open.push(name);
        self
    }

    /// Closes the innermost open element.
    #[must_use]
    pub fn close(mut self) -> Self {
        if let Some(name) = self.open.pop() {
            let _ = write!(self.out, "</{name}>\r\n");
        }
        self
    }

    /// Writes an element with text.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let _ = write!(self.out, "<{name}>{}</{name}>\r\n", escape(&value.to_string()));
        self
    }

    /// Writes an element with text when there is a text.
    #[must_use]
    pub fn optional(self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        if let Some(value) = value { self.text(name, value) } else { self }
    }

    /// Closes what is open and encodes, with the declaration.
    pub fn finish(mut self, charset: Charset) -> Vec<u8> {
        while !self.open.is_empty() {
            self = self.close();
        }
        charset.encode(&format!("<?xml version=\"1.0\" encoding=\"{}\"?>\r\n{}", charset.label(), self.out))
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no place for other control characters
            c if c.is_control() && !c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use encoding_rs::GBK;
    use proptest::prelude::*;

    use super::*;

    fn flat(element: &Element) -> String {
        let inner: Vec<_> = element.children.iter().map(flat).collect();
        format!("{}={}({})", element.name, element.text, inner.join(","))
    }

    fn check(document: &str, expect: &str) {
        assert_eq!(parse(document.as_bytes()).map(|(root, _)| flat(&root)), Ok(expect.to_owned()), "{document}");
    }

    #[test]
    fn reads_sound_and_broken_documents() {
        check(
            "<?xml version='1.0'?><!DOCTYPE x><a><!-- no --><b> 1 &amp; 2&#x4e2d; </b><c/></a>",
            "a=(b=1 & 2中(),c=())",
        );
        check("<a><b>A&B < 3</b><b><![CDATA[<&lt;>]]></b></a>", "a=(b=A&B < 3(),b=<&lt;>())");
        check("<a><b>not closed<c>1</c></a>", "a=(b=not closed(c=1()))");
        check("<a></x><b>1</B></a>", "a=(b=1())");
        check("<a><b>1</b", "a=(b=1</b())");
        check("junk <a>1</a><b>2</b>", "a=1()");
        assert_eq!(parse(b"no markup"), Err(InvalidXml::Empty));
    }

    #[test]
    fn reads_attributes() {
        let (root, _) = parse(b"<Notify CmdType=\"Keepalive\" SN = '7' Odd=x/>").unwrap();
        assert_eq!((root.value("cmdtype"), root.value("SN"), root.value("Odd")), (Some("Keepalive"), Some("7"), None));
    }

    #[test]
    fn garbage_in_one_place_stays_there() {
        let mut document = b"<?xml version=\"1.0\" encoding=\"GB2312\"?><L><I><N>".to_vec();
        document.extend(GBK.encode("大门").0.iter());
        document.extend(b"</N><Address>\xb1<\x31&\xff\xfe</Address></I><I><N>");
        document.extend(GBK.encode("塔吊").0.iter());
        document.extend(b"</N></I></L>");
        let (root, charset) = parse(&document).unwrap();
        assert_eq!(charset, Charset::Gb18030);
        let names: Vec<_> = root.children.iter().map(|item| item.value("N").unwrap()).collect();
        assert_eq!(names, ["大门", "塔吊"]);
    }

    #[test]
    fn nothing_grows_without_bound() {
        let deep = "<a>".repeat(100) + "x" + &"</a>".repeat(100) + "<b/>";
        let (mut root, mut depth) = (&parse(deep.as_bytes()).unwrap().0, 1);
        while let Some(child) = root.children.first() {
            (root, depth) = (child, depth + 1);
        }
        assert_eq!(depth, MAX_DEPTH);
        assert_eq!(parse("<a/>".repeat(MAX_ELEMENTS + 1).as_bytes()), Err(InvalidXml::TooLarge));
    }

    proptest! {
        #[test]
        fn written_documents_read_back(name in "\\PC{0,20}", utf8 in any::<bool>()) {
            let charset = if utf8 { Charset::Utf8 } else { Charset::Gb18030 };
            prop_assume!(Charset::Gb18030.decode(&Charset::Gb18030.encode(&name)) == name);
            let body = Writer::default().open("Response").open("Item").text("Name", &name).finish(charset);
            let (root, _) = parse(&body).unwrap();
            prop_assert_eq!(&root.children[0].children[0].text, name.trim());
        }

        #[test]
        fn rubbish_never_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "<a>", "</a>", "<Item>", "</Item>", "<b/>", "<a x='1'", "<", ">", "&", "&#x110000;", "&lt;", "<!--", "-->", "<![CDATA[",
            "]]>", "<?", "?>", "大", "\u{fffd}", " ", "<1", "=\"",
        ]), 0..40), tail in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut document = pieces.concat().into_bytes();
            document.extend(tail);
            let _ = parse(&document);
        }
    }
}
