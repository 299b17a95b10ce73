//! What is wrong with a scenario's names, as many faults as help a reader. Knows places in a text;
//! no name.

use scenario::{Diagnostic, Span};

/// More than these help nobody, and a hostile file could ask for a million.
const SHOWN: usize = 50;

/// The faults of one file.
pub(super) struct Faults<'a> {
    text: &'a str,
    found: Vec<Diagnostic>,
    more: usize,
}

impl<'a> Faults<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new(), more: 0 }
    }

    /// Notes a fault. Its message and help are made only where they will be shown; an empty help
    /// is none.
    pub(super) fn add(&mut self, span: Span, make: impl FnOnce() -> (String, String)) {
        if self.found.len() == SHOWN {
            self.more += 1;
            return;
        }
        let (message, help) = make();
        let fault = Diagnostic::new(self.text, span, message);
        self.found.push(if help.is_empty() { fault } else { fault.help(help) });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them in order of place, and a line for those that are not shown.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|fault| fault.span.start);
        if self.more > 0 {
            let end = Span::new(self.text.len(), self.text.len());
            let message = format!("{} more faults are not shown", self.more);
            self.found.push(Diagnostic::new(self.text, end, message));
        }
        self.found
    }
}
