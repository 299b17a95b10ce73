//! JSON (RFC 8259) as a tree in which every value and key knows its place. Strict: no comments, no
//! trailing commas, no key twice. Knows nothing of scenarios.
//!
//! A number stays text, because what it may be (whole, a fraction, how large) is the reader's to
//! say. Depth and count are limited, so that no file can exhaust the stack or the memory.

use std::fmt;

use crate::faults::Faults;
use crate::span::{Span, Spanned};

const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 1_000_000;

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// Its text stands at the span.
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Vec<Member>),
}

/// A key and its value.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Json,
}

/// The kind as an error names it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        })
    }
}

/// Reads one value that fills the text; `None` after a fault that was noted. A key that stands
/// twice is a fault too, but reading goes on.
pub(crate) fn read(text: &str, faults: &mut Faults<'_>) -> Option<Json> {
    let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { text, at, open: Vec::new(), count: 0, faults };
    reader.space();
    if reader.at == text.len() {
        return reader.fail(0, "the file is empty", "a scenario is a JSON object: { … }");
    }
    let value = reader.value()?;
    reader.space();
    if reader.at < text.len() {
        let message = format!("{} after the end of the value", reader.here());
        return reader.fail(reader.at, message, "a file holds one JSON object");
    }
    Some(value)
}

struct Reader<'a, 'f, 't> {
    text: &'a str,
    at: usize,
    /// The offsets of the brackets that are open.
    open: Vec<usize>,
    count: usize,
    faults: &'f mut Faults<'t>,
}

impl Reader<'_, '_, '_> {
    fn fail<T>(&mut self, start: usize, message: impl Into<String>, help: &str) -> Option<T> {
        let next = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        let end = self.text.len().min(start.max(self.at + next));
        self.faults.add(Span::new(start, end), message, help);
        None
    }

    /// What stands here, for an error: `` `x` ``, or the end of the file and what it cut off.
    fn here(&self) -> String {
        match self.text[self.at..].chars().next() {
            Some(c) if c.is_control() => format!("the character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
            None => match self.open.last() {
                Some(start) => {
                    let (bracket, line) = (&self.text[*start..=*start], self.faults.line(*start));
                    format!("the file ends inside the `{bracket}` of line {line}")
                }
                None => "the file ends".into(),
            },
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Json> {
        let start = self.at;
        self.count += 1;
        if self.count > MAX_VALUES {
            return self.fail(start, format!("more than {MAX_VALUES} values in one file"), "");
        }
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Some(Json { span: Span::new(start, self.at), kind })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Kind>) -> Option<Kind> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} brackets inside each other");
            return self.fail(self.at, message, "");
        }
        self.open.push(self.at);
        self.at += 1;
        let kind = read(self)?;
        self.open.pop();
        Some(kind)
    }

    fn list(&mut self) -> Option<Kind> {
        let mut items = Vec::new();
        loop {
            self.space();
            if self.peek() == Some(b']') {
                if !items.is_empty() {
                    return self.fail(self.at, "a comma before `]`", "JSON has no trailing commas");
                }
                break;
            }
            items.push(self.value()?);
            if !self.comma(b']')? {
                break;
            }
        }
        self.at += 1;
        Some(Kind::List(items))
    }

    fn object(&mut self) -> Option<Kind> {
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b'}') if members.is_empty() => break,
                Some(b'}') => {
                    return self.fail(self.at, "a comma before `}`", "JSON has no trailing commas");
                }
                Some(b'"') => {}
                _ => {
                    let message = format!("{} where a key is wanted", self.here());
                    return self.fail(self.at, message, self.hint("keys stand in double quotes"));
                }
            }
            let start = self.at;
            let key = self.string()?;
            let key = Spanned::new(key, Span::new(start, self.at));
            self.space();
            if self.peek() != Some(b':') {
                let message = format!("{} where `:` is wanted", self.here());
                return self.fail(self.at, message, "a key is followed by `:` and its value");
            }
            self.at += 1;
            self.space();
            members.push(Member { key, value: self.value()? });
            if !self.comma(b'}')? {
                break;
            }
        }
        self.at += 1;
        self.duplicates(&members);
        Some(Kind::Object(members))
    }

    /// Takes a comma and says whether there was one; the closing bracket is left.
    fn comma(&mut self, close: u8) -> Option<bool> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Some(true)
            }
            Some(byte) if byte == close => Some(false),
            _ => {
                let close = char::from(close);
                let message = format!("{} where `,` or `{close}` is wanted", self.here());
                self.fail(self.at, message, self.hint(""))
            }
        }
    }

    /// A better help where the text is of another language than JSON.
    fn hint(&self, otherwise: &'static str) -> &'static str {
        match self.peek() {
            Some(b'/' | b'#') => "JSON has no comments: write a `note`",
            Some(b'\'') => "texts stand in double quotes",
            _ => otherwise,
        }
    }

    fn duplicates(&mut self, members: &[Member]) {
        let mut keys: Vec<&Spanned<String>> = members.iter().map(|member| &member.key).collect();
        keys.sort_by_key(|key| (&key.value, key.span));
        for pair in keys.windows(2).filter(|pair| pair[0].value == pair[1].value) {
            self.faults.add_with(pair[1].span, |faults| {
                let first = faults.line(pair[0].span.start);
                let message = format!("`{}` stands twice in one object", pair[1].value);
                (message, format!("the first is in line {first}"))
            });
        }
    }

    fn word(&mut self) -> Option<Kind> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let word = &rest[..length.unwrap_or(rest.len())];
        let kind = match word {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            "" => {
                let message = format!("{} where a value is wanted", self.here());
                let help =
                    self.hint("a value is a text, number, list, object, true, false or null");
                return self.fail(start, message, help);
            }
            _ => {
                let shown: String = word.chars().take(40).collect();
                let message = format!("`{shown}` is no JSON value");
                self.at += word.len() - 1;
                return self.fail(start, message, "texts stand in double quotes");
            }
        };
        self.at += word.len();
        Some(kind)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut right = whole == 1 || (whole > 1 && !zero);
        if self.peek() == Some(b'.') {
            self.at += 1;
            right &= self.digits() > 0;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            right &= self.digits() > 0;
        }
        let after = self.text[self.at..].find(|c: char| !c.is_ascii_alphanumeric());
        let after = after.unwrap_or(self.text.len() - self.at);
        if right && after == 0 {
            return Some(Kind::Number);
        }
        self.at += after;
        let shown: String = self.text[start..self.at].chars().take(40).collect();
        let message = format!("`{shown}` is no JSON number");
        self.at -= usize::from(self.at == self.text.len());
        self.fail(start, message, "hex numbers and units stand in a text: \"0x1f\", \"5ms\"")
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let plain = self.text[self.at..].find(|c: char| c == '"' || c == '\\' || c < ' ');
            let end = plain.map_or(self.text.len(), |plain| self.at + plain);
            text.push_str(&self.text[self.at..end]);
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Some(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(b'\n' | b'\r') => {
                    return self.fail(
                        start,
                        "a text that is not closed in its line",
                        "\\n is a line end",
                    );
                }
                Some(_) => {
                    let message = format!("{} in a text", self.here());
                    return self.fail(self.at, message, "control characters are written \\u00XX");
                }
                None => return self.fail(start, "the file ends inside a text", ""),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode(start);
            }
            _ => {
                let help = "the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
                return self.fail(start, "an unknown escape in a text", help);
            }
        };
        self.at += 1;
        Some(c)
    }

    /// Four hex digits, or two times four for a character beyond U+FFFF.
    fn unicode(&mut self, start: usize) -> Option<char> {
        let mut unit = self.unit(start)?;
        if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let low = self.unit(start)?;
            if (0xdc00..0xe000).contains(&low) {
                unit = 0x1_0000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
            }
        }
        match char::from_u32(unit) {
            Some(c) => Some(c),
            None => {
                self.fail(start, "half a surrogate pair in a text", "write both: \\ud83d\\ude00")
            }
        }
    }

    fn unit(&mut self, start: usize) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return self.fail(start, "`\\u` without four hex digits in a text", "");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
