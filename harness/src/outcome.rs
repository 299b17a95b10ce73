//! What became of a scenario: judged, refused or not run. Knows plans, runs and judgements; makes
//! none of them and prints nothing.

use scenario::Diagnostic;

use crate::catalog::Item;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::run::{Ended, Run};

/// A scenario and how its walk ended.
#[derive(Debug)]
pub struct Entry {
    /// The scenario.
    pub item: Item,
    /// How its walk ended.
    pub walked: Walked,
}

/// How a walk ended.
#[derive(Debug)]
pub enum Walked {
    /// It came to a judgement.
    Judged(Box<Judged>),
    /// The scenario file, or what belongs to it, cannot be used.
    Refused(Refusal),
    /// It was not run, for a reason that the report shows.
    NotRun(String),
}

/// A scenario that ran, and what was found.
#[derive(Debug)]
pub struct Judged {
    /// What was to happen.
    pub plan: Plan,
    /// What happened.
    pub run: Run,
    /// What it comes to.
    pub judgement: Judgement,
}

impl Judged {
    /// Why this run may not become a golden; `None`: it may. A golden never blesses away a broken
    /// rule, and a step that does not hold is nothing to keep.
    #[must_use]
    pub fn unacceptable(&self) -> Option<String> {
        let Self { plan, run, judgement } = self;
        match &run.ended {
            Ended::Complete => {}
            Ended::Broken(why) => return Some(format!("the run could not be carried out: {why}")),
            Ended::Inconclusive(why) | Ended::Unable(why) => {
                return Some(format!("the run is inconclusive: {why}"));
            }
        }
        if let Some(timed) = run.untimely().next() {
            return Some(format!("step {} was late on this machine", timed.step + 1));
        }
        if let Some(finding) = judgement.findings.first() {
            return Some(format!("the check {} finds a violation", finding.check.id));
        }
        if let Some(fault) = run.at_fault().next() {
            return Some(format!("{} panicked", plan.node_name(fault.node)));
        }
        if let Some(failure) = run.failures.first() {
            return Some(format!("step {} does not hold", failure.step + 1));
        }
        let missing_findings = judgement.missing_findings.first()?;
        Some(format!("`finds` names {missing_findings}, and it found nothing"))
    }
}

/// Why a scenario cannot be run.
#[derive(Debug)]
pub enum Refusal {
    /// The file says something that means nothing: its text and the places.
    File {
        /// The file's text.
        text: String,
        /// What is wrong, in order of the places.
        faults: Vec<Diagnostic>,
    },
    /// Anything else.
    Other(anyhow::Error),
}
