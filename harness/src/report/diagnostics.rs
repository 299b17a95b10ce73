//! A fault of a scenario file with the lines around it, as compilers show theirs.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use scenario::Diagnostic;

use crate::text::{block, line};

use crate::outcome::Refusal;

/// Longer files are not shown in excerpts: drawing them would take longer than reading the fault.
const MOST_SHOWN: usize = 1 << 20;

/// A fault in a longer line is named by its place alone.
const MOST_LINE: usize = 4096;

/// The refusal in words, several lines, without a newline at the end.
#[must_use]
pub fn refusal(path: &Path, refusal: &Refusal, colour: bool) -> String {
    let name = crate::text::path(path);
    match refusal {
        Refusal::Other(error) => format!("error: {}", block(&format!("{error:#}"), "  ")),
        Refusal::File { text, faults } => {
            let shown: Vec<String> =
                faults.iter().map(|fault| one(&name, text, fault, colour)).collect();
            shown.join("\n\n")
        }
    }
}

/// The lines of the fault are too long for a screen.
fn is_long(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].bytes().rev().take(MOST_LINE);
    let behind = text[range.start..].bytes().take(MOST_LINE);
    let length = before.take_while(|byte| *byte != b'\n').count()
        + behind.take_while(|byte| *byte != b'\n').count();
    length >= MOST_LINE
}

fn one(name: &str, text: &str, fault: &Diagnostic, colour: bool) -> String {
    let range = fault.span.range();
    let fits = range.end <= text.len()
        && text.is_char_boundary(range.start)
        && text.is_char_boundary(range.end);
    if text.len() > MOST_SHOWN || text.trim().is_empty() || !fits || is_long(text, &range) {
        return format!("error: {}", line(&fault.in_file(name)));
    }
    let mut mark = AnnotationKind::Primary.span(range);
    if let Some(label) = &fault.label {
        mark = mark.label(line(label));
    }
    let mut group = Level::ERROR
        .primary_title(line(&fault.message))
        .element(Snippet::source(text).path(name).annotation(mark));
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(line(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}
