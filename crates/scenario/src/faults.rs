//! Collects what is wrong while reading goes on, in any order, and gives it out in order of place.

use crate::diagnostic::{Diagnostic, line_and_column};
use crate::span::Span;

/// More than these help nobody, and a hostile file could ask for millions.
const SHOWN: usize = 50;

/// The faults of one text.
pub(crate) struct Faults<'a> {
    text: &'a str,
    found: Vec<(Span, String, String)>,
    more: usize,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new(), more: 0 }
    }

    /// Notes a fault; an empty `help` is none.
    pub(crate) fn add(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        if self.found.len() < SHOWN {
            self.found.push((span, message.into(), help.into()));
        } else {
            self.more += 1;
        }
    }

    /// The same for a message that is dear to make: it is made only where it will be shown.
    pub(crate) fn add_with(&mut self, span: Span, make: impl FnOnce(&Self) -> (String, String)) {
        let (message, help) = match self.found.len() < SHOWN {
            true => make(self),
            false => Default::default(),
        };
        self.add(span, message, help);
    }

    /// The text between two offsets.
    pub(crate) fn text(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The line of an offset, from 1, for a help text that points elsewhere.
    pub(crate) fn line(&self, offset: usize) -> usize {
        line_and_column(self.text, offset).0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, sorted by place.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        let text = self.text;
        let show = |(span, message, help): (Span, String, String)| {
            let shown = Diagnostic::new(text, span, message);
            if help.is_empty() { shown } else { shown.help(help) }
        };
        let mut all: Vec<Diagnostic> = self.found.into_iter().map(show).collect();
        if self.more > 0 {
            let end = Span::new(text.len(), text.len());
            let message = format!("{} more faults are not shown", self.more);
            all.push(Diagnostic::new(text, end, message));
        }
        all
    }
}
