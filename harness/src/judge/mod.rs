//! Judges a run: its steps, its golden, and the checks that no golden can bless away. Knows a run
//! and what must hold; runs nothing and prints nothing.

pub mod beside;
pub mod choices;
pub mod compare;
pub(crate) mod facts;
mod flow;
pub mod ignored;
pub mod races;

use std::collections::BTreeSet;

use checks::{Finding, Level, Unjudged};
use choices::Choice;
use compare::Comparison;
use wire::Capture;

use crate::golden;
use crate::plan::Plan;
use crate::run::{Ended, Run};

/// What a run comes to, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every byte is the golden's and every rule holds.
    Identical,
    /// Bytes differ only where a written mask allows it or another implementation chose for
    /// itself, or no golden was asked for.
    Conformant,
    /// The wire could not tell.
    Inconclusive,
    /// No rule is broken, and yet the frames are not the golden's or a step did not hold.
    Differs,
    /// A rule that a SHOULD states is broken.
    ViolatesShould,
    /// A rule that a MUST states is broken, or a node panicked.
    ViolatesMust,
    /// The run could not be carried out.
    HarnessError,
}

impl Verdict {
    /// In words, as reports show it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Conformant => "conformant",
            Self::Inconclusive => "inconclusive",
            Self::Differs => "differs",
            Self::ViolatesShould => "violates SHOULD",
            Self::ViolatesMust => "violates MUST",
            Self::HarnessError => "harness error",
        }
    }

    /// All that was asked holds.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Identical | Self::Conformant)
    }
}

/// How the golden comes into it.
#[derive(Debug)]
pub enum Against {
    /// The run was held against it.
    Golden(Comparison),
    /// There is none.
    Missing,
    /// Its two files disagree: how.
    Torn(String),
    /// It was not looked at, for this reason.
    NotCompared(String),
}

/// A run and all that was found about it.
#[derive(Debug)]
pub struct Judgement {
    /// What it comes to.
    pub verdict: Verdict,
    /// How it stands to its golden.
    pub against: Against,
    /// The golden, where the frames differ from it.
    pub golden: Option<Box<Capture>>,
    /// What the checks found and the scenario did not ask for.
    pub findings: Vec<Finding>,
    /// What the checks found as the scenario's `finds` wants.
    pub wanted: Vec<Finding>,
    /// Checks that the scenario's `finds` names and that found nothing.
    pub missing_findings: Vec<String>,
    /// Where an implementation that is measured by rules did otherwise than the golden.
    pub choices: Vec<Choice>,
    /// What the checks did not judge, or not in full, and why.
    pub unjudged: Vec<Unjudged>,
}

/// Judges a run. `state` is the golden as read, or why it is not to be compared.
#[must_use]
pub fn judge(plan: &Plan, run: &Run, state: Result<golden::State, String>) -> Judgement {
    match run.ended {
        Ended::Complete => {}
        Ended::Broken(_) => return cut_short(Verdict::HarnessError),
        Ended::Inconclusive(_) | Ended::Unable(_) => return cut_short(Verdict::Inconclusive),
    }
    let finds: BTreeSet<&str> = plan.finds.iter().map(String::as_str).collect();
    let report =
        checks::judge(&run.transcript.capture, &facts::ports(plan, &run.transcript.capture));
    let unjudged = report.unjudged().collect();
    let (wanted, findings): (Vec<_>, Vec<_>) =
        report.findings.into_iter().partition(|finding| finds.contains(finding.check.id));
    let bit: BTreeSet<&str> = wanted.iter().map(|finding| finding.check.id).collect();
    let bit = |id: &&String| bit.contains(id.as_str());
    let missing_findings: Vec<String> = plan.finds.iter().filter(|id| !bit(id)).cloned().collect();
    let (against, golden, choices) = against(plan, run, state, &findings);
    let mut judgement = Judgement {
        verdict: Verdict::Identical,
        against,
        golden,
        findings,
        wanted,
        missing_findings,
        choices,
        unjudged,
    };
    judgement.verdict = verdict(run, &judgement);
    judgement
}

/// Holds the run against its golden, and sorts out what another implementation chose for itself.
fn against(
    plan: &Plan,
    run: &Run,
    state: Result<golden::State, String>,
    findings: &[Finding],
) -> (Against, Option<Box<Capture>>, Vec<Choice>) {
    let (capture, masks) = (&run.transcript.capture, &plan.masks);
    let with_others = plan.others().next().is_some();
    let not_held = |against| (against, None, Vec::new());
    let golden = match state {
        Ok(golden::State::Accepted(golden)) => golden,
        Ok(golden::State::Same) => {
            let same = Comparison { frames: capture.len(), ..Comparison::default() };
            return not_held(Against::Golden(same));
        }
        Ok(golden::State::Missing) if with_others => {
            let reason = "there is none, and the checks and steps judge another implementation";
            return not_held(Against::NotCompared(reason.to_owned()));
        }
        Ok(golden::State::Missing) => return not_held(Against::Missing),
        Ok(golden::State::Torn(how)) => return not_held(Against::Torn(how)),
        Err(reason) => return not_held(Against::NotCompared(reason)),
    };
    let mut found = match &run.transcript.rehearsed {
        None if !with_others => compare::compare(&golden, capture, masks, !run.transcript.real),
        rehearsed => races::compare(&golden, capture, masks, rehearsed.as_ref()),
    };
    let choices = match with_others {
        true => choices::take(plan, run, &golden, findings, &mut found),
        false => Vec::new(),
    };
    // A report shows the frames that differ beside the golden's.
    let golden = (!found.differences.is_empty()).then_some(golden);
    (Against::Golden(found), golden, choices)
}

/// A run that was cut short says nothing about the nodes: what is missing might have come.
fn cut_short(verdict: Verdict) -> Judgement {
    Judgement {
        verdict,
        against: Against::NotCompared("the run was cut short".to_owned()),
        golden: None,
        findings: Vec::new(),
        wanted: Vec::new(),
        missing_findings: Vec::new(),
        choices: Vec::new(),
        unjudged: Vec::new(),
    }
}

fn verdict(run: &Run, judgement: &Judgement) -> Verdict {
    let of_level = |level| judgement.findings.iter().any(|finding| finding.check.level == level);
    if of_level(Level::Must) || run.at_fault().next().is_some() {
        return Verdict::ViolatesMust;
    }
    if of_level(Level::Should) {
        return Verdict::ViolatesShould;
    }
    // A machine that was late may have made frames of its own: a peer sends again what it awaits.
    if run.untimely().next().is_some() {
        return Verdict::Inconclusive;
    }
    if !run.failures.is_empty() || !judgement.missing_findings.is_empty() {
        return Verdict::Differs;
    }
    match &judgement.against {
        Against::Golden(found) if !found.differences.is_empty() => Verdict::Differs,
        Against::Golden(found) if found.masked.is_empty() && judgement.choices.is_empty() => {
            Verdict::Identical
        }
        Against::Golden(_) | Against::NotCompared(_) => Verdict::Conformant,
        Against::Missing | Against::Torn(_) => Verdict::Differs,
    }
}

#[cfg(test)]
mod tests;
