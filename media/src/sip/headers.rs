//! The header lines of a message.

/// Header lines in their order. Names are compared without case; compact names are spelled out when read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

/// RFC 3261 section 7.3.3, RFC 6665, RFC 3515.
const COMPACT: [(char, &str); 13] = [
    ('a', "Accept-Contact"),
    ('b', "Referred-By"),
    ('c', "Content-Type"),
    ('e', "Content-Encoding"),
    ('f', "From"),
    ('i', "Call-ID"),
    ('k', "Supported"),
    ('l', "Content-Length"),
    ('m', "Contact"),
    ('o', "Event"),
    ('s', "Subject"),
    ('t', "To"),
    ('v', "Via"),
];

impl Headers {
    /// Appends a line. Line breaks in the value become spaces, so that nobody can smuggle in a header.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        let mut value: String = value.into();
        if value.contains(['\r', '\n', '\0']) {
            value = value.replace(['\r', '\n', '\0'], " ");
        }
        self.0.push((full_name(name).to_owned(), value));
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of `name`, one for each line.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Replaces the first value of `name`, or appends it.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(at) => {
                let mut one = Self::default();
                one.push(name, value);
                self.0[at] = one.0.remove(0);
            }
            None => self.push(name, value),
        }
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn full_name(name: &str) -> &str {
    let mut chars = name.chars();
    let (Some(letter), None) = (chars.next(), chars.next()) else { return name };
    if letter.eq_ignore_ascii_case(&'u') {
        return "Allow-Events";
    }
    COMPACT.iter().find(|(short, _)| letter.eq_ignore_ascii_case(short)).map_or(name, |(_, full)| full)
}
