//! Small things in words, the same in every report.

use link::Event;
use wire::Duration;

/// `5ms`, `1.5s`: the largest unit that needs at most three decimals.
#[must_use]
pub fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".into(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let decimals = format!("{:03}", nanos % unit * 1_000 / unit);
    match decimals.trim_end_matches('0') {
        "" => format!("{}{name}", nanos / unit),
        decimals => format!("{}.{decimals}{name}", nanos / unit),
    }
}

/// Text from a file as a terminal may read it: whoever wrote it steers nobody's terminal.
#[must_use]
pub fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Text from anywhere that is to stand in one line: a character that ends a line, moves a cursor or
/// turns the writing direction is shown as U+FFFD, so that no line of a report is forged.
#[must_use]
pub fn line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns(c);
    text.chars().map(|c| if breaks(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for text of several lines: those after the first are indented, so that none of them
/// passes for one of the report's own.
#[must_use]
pub fn block(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join(&format!("\n{indent}"))
}

/// A path in one line.
#[must_use]
pub fn path(path: &std::path::Path) -> String {
    line(&path.display().to_string())
}

/// `payload bytes=0102 sport=4000`.
#[must_use]
pub fn event(event: &Event) -> String {
    let mut text = event.kind.to_string();
    for (name, value) in &event.fields {
        text += &format!(" {name}={}", line(&value.to_string()));
    }
    text
}

/// `1 frame`, `2 frames`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Quoted where a shell would take the word apart.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,:+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // What would break the line stands in an escape, as shells read it.
    if line(word) != word {
        let escaped = |c: char| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if line(&c.to_string()).starts_with(c) => c.to_string(),
            c if (c as u32) < 0x80 => format!("\\x{:02x}", c as u32),
            c => format!("\\u{:04x}", c as u32),
        };
        return format!("$'{}'", word.chars().map(escaped).collect::<String>());
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_takes_the_unit_that_fits() {
        let of = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(of(0), "0s");
        assert_eq!(of(999), "999ns");
        assert_eq!(of(1_500), "1.5us");
        assert_eq!(of(5_000_000), "5ms");
        assert_eq!(of(1_001_000_000), "1.001s");
        assert_eq!(of(61_000_000_000), "61s");
    }

    #[test]
    fn words_from_anywhere_stay_in_their_line() {
        for c in ['\n', '\r', '\t', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            assert_eq!(line(&format!("é{c}b")), "é\u{fffd}b", "{c:?}");
        }
        assert_eq!(block("a\nb\r\n\nc", "    "), "a\n    b\u{fffd}\n    \n    c");
    }

    #[test]
    fn counts_have_their_plural() {
        assert_eq!(count(1, "frame"), "1 frame");
        assert_eq!(count(0, "frame"), "0 frames");
    }
}
