//! What is said of walked scenarios, in three forms. Knows judgements; judges nothing.

pub mod comments;
pub mod diagnostics;
pub mod injected;
pub mod json;
pub mod junit;
pub mod ladder;
pub mod observed;
mod others;
pub mod text;

use crate::judge::Verdict;
use crate::outcome::{Entry, Walked};

/// All holds.
pub const EXIT_HOLDS: u8 = 0;
/// A difference or a finding.
pub const EXIT_FINDING: u8 = 1;
/// The job could not be done: a bad file, a missing privilege, no scenario matched.
pub const EXIT_CANNOT: u8 = 2;

/// How many scenarios ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All that was asked holds.
    pub hold: usize,
    /// A difference or a finding.
    pub fail: usize,
    /// Could not be run.
    pub refused: usize,
    /// Not run, with a reason.
    pub not_run: usize,
}

impl Totals {
    /// Counts.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut totals = Self::default();
        for entry in entries {
            let place = match &entry.walked {
                Walked::Judged(judged) if judged.judgement.verdict.holds() => &mut totals.hold,
                Walked::Judged(judged) if judged.judgement.verdict != Verdict::HarnessError => {
                    &mut totals.fail
                }
                Walked::Judged(_) | Walked::Refused(_) => &mut totals.refused,
                Walked::NotRun(_) => &mut totals.not_run,
            };
            *place += 1;
        }
        totals
    }

    /// The exit code they come to: what could not be done outweighs what was found.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        if self.refused > 0 || self.hold + self.fail == 0 {
            EXIT_CANNOT
        } else if self.fail > 0 {
            EXIT_FINDING
        } else {
            EXIT_HOLDS
        }
    }
}
