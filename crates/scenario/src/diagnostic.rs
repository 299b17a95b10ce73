//! What is wrong with a file, where, and what would be right. Knows no file name and draws no
//! excerpt: the report does both.

use std::fmt;

use crate::span::Span;

/// One thing that is wrong with a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: a sentence in lower case that names the word.
    pub message: String,
    /// Where, in bytes from the start of the file (a byte order mark counts).
    pub span: Span,
    /// What to write at the mark in an excerpt.
    pub label: Option<String>,
    /// What would be allowed, or the nearest word that is.
    pub help: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Diagnostic {
    /// A fault at a place in a text; later stages use it with the spans of a `Scenario`.
    #[must_use]
    pub fn new(text: &str, span: Span, message: impl Into<String>) -> Self {
        let (line, column) = line_and_column(text, span.start);
        Self { message: message.into(), span, label: None, help: None, line, column }
    }

    /// Says what would be allowed.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to write at the mark.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// `FILE:LINE:COL: message (help)`.
    #[must_use]
    pub fn in_file(&self, file: &str) -> String {
        format!("{file}:{self}")
    }
}

/// `LINE:COL: message (help)`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// The line and the column in characters of a byte offset, both from 1. An offset beyond the text
/// is its end; a byte order mark is no column.
#[must_use]
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    // Continuation bytes of UTF-8 (10xxxxxx) begin no character.
    let row = before[start..].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&before[start..]);
    (line, 1 + row.iter().filter(|byte| **byte & 0xc0 != 0x80).count())
}

/// The word among `allowed` that was probably meant, if one is near: a third of it mistyped at
/// most, or the same but for case and `_` for `-`.
#[must_use]
pub fn nearest<'a>(word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    if word.chars().count() > 64 {
        return None;
    }
    let scored =
        allowed.into_iter().map(|known| (strsim::osa_distance(&word, &plain(known)), known));
    let (distance, known) = scored.min_by_key(|(distance, _)| *distance)?;
    let longer = word.chars().count().max(known.chars().count());
    (distance <= 1.max(longer / 3) && distance < longer).then_some(known)
}

/// `did you mean \`X\`?`, or the list of what is allowed.
#[must_use]
pub fn suggestion(word: &str, allowed: &[&str]) -> String {
    match nearest(word, allowed.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None if allowed.is_empty() => "there are none".into(),
        None => format!("allowed: {}", allowed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "ab\nä€x\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('x').unwrap()), (2, 3));
        assert_eq!(line_and_column(text, 999), (3, 1));
        assert_eq!(line_and_column("\u{feff}{", 3), (1, 1));
    }

    #[test]
    fn near_misses() {
        let allowed = ["window", "seq", "ack", "flags", "total-length"];
        assert_eq!(nearest("windwo", allowed), Some("window"));
        assert_eq!(nearest("total_length", allowed), Some("total-length"));
        assert_eq!(nearest("sqe", allowed), Some("seq"));
        assert_eq!(nearest("zzz", allowed), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
