//! What can be wrong with a node itself, beside the frames that it emits. Knows kinds of faults;
//! not what they mean for a run.

use std::any::Any;
use std::fmt;

/// Something is wrong with a node, or with the way to it. Each has a sentence for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The code of an in-process node panicked. The node is dead from then on; the run goes on.
    Panicked(String),
    /// The implementation is at fault: its kernel panicked, or warned of itself.
    AtFault(String),
    /// The implementation is gone, or does not follow the protocol that it is driven by.
    Broken(String),
    /// It did not answer in time, and still may: the machine is busy, or it hangs.
    Late(String),
    /// It cannot do what the scenario asks, so that the scenario is none for it.
    Unable(String),
    /// It acted, or would have acted, by a clock of its own where the link's should have ruled. The
    /// run goes on, and proves nothing.
    OutOfStep(String),
}

impl Fault {
    /// Nothing that comes after it means anything, so the run ends there.
    #[must_use]
    pub const fn ends_the_run(&self) -> bool {
        !matches!(self, Self::Panicked(_) | Self::OutOfStep(_))
    }

    /// It is a finding about the implementation.
    #[must_use]
    pub const fn is_finding(&self) -> bool {
        matches!(self, Self::Panicked(_) | Self::AtFault(_))
    }

    /// The sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Panicked(text)
            | Self::AtFault(text)
            | Self::Broken(text)
            | Self::Late(text)
            | Self::Unable(text)
            | Self::OutOfStep(text) => text,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The words of a panic, from what was caught of it.
#[must_use]
pub fn panic_words(caught: &(dyn Any + Send)) -> String {
    let text = caught.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| caught.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
