//! JSON that is about to be written. Knows no layout.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// A text in its quotes, a number, true, false or null.
    Word(String),
    List(Vec<Piece>),
    Object(Vec<(String, Piece)>),
}

impl Piece {
    pub(super) fn number(number: impl Into<u64>) -> Self {
        Self::Word(number.into().to_string())
    }

    pub(super) fn flag(flag: bool) -> Self {
        Self::Word(flag.to_string())
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Word(quoted(text))
    }

    /// The one item of a list, where it is alone.
    pub(super) fn one_or_list(mut items: Vec<Self>) -> Self {
        match items.pop() {
            Some(one) if items.is_empty() => one,
            last => {
                items.extend(last);
                Self::List(items)
            }
        }
    }

    /// An object with one member.
    pub(super) fn pair(name: &str, value: Self) -> Self {
        Self::Object(vec![(name.to_owned(), value)])
    }
}

/// A JSON text: what must be escaped is, and nothing else.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
