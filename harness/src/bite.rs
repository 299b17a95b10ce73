//! Shows that a scenario's expectations bite: each frame of its run is changed in every way in
//! which an implementation could get it wrong, and the judge has to object to each change. Knows a
//! plan, a run and its golden; emits nothing and writes nothing.
//!
//! A change that neither the golden, nor a step, nor a check objects to is a survivor: a mask that
//! is too wide, or a comparison that overlooks something. Where a mask covers the change, that is
//! what its reason was written for, and it is counted.

mod asserted;
mod change;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use wire::Capture;

use crate::judge::compare::{Comparison, compare};
use crate::judge::{facts, races};
use crate::plan::{Mask, Plan};
use crate::run::{self, Run, Transcript};

pub use change::{Change, changed, changes};

/// What became of a scenario's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitten {
    /// How many changes were made.
    pub changes: usize,
    /// How many of them a mask covers, by the mask's reason.
    pub masked: BTreeMap<String, usize>,
    /// Changes to fields that a step asserts, which that step had to object to by itself.
    pub asserted: usize,
    /// The changes that nothing objected to, in words.
    pub survivors: Vec<String>,
}

/// How a capture is held against a golden: [`compare`] or [`races::compare`].
pub type Hold<'a> = &'a dyn Fn(&Capture, &Capture, &[Mask]) -> Comparison;

/// The survivors listed for one scenario; more say no more.
const MOST_SURVIVORS: usize = 20;

/// Changes every frame of a run and judges each change. `golden` is what the run is held against.
#[must_use]
pub fn bite(plan: &Plan, run: &Run, golden: &Capture) -> Bitten {
    let exact = !run.transcript.real;
    let hold = |golden: &Capture, capture: &Capture, masks: &[Mask]| match &run.transcript.rehearsed
    {
        Some(rehearsed) => races::compare(golden, capture, masks, Some(rehearsed)),
        None => compare(golden, capture, masks, exact),
    };
    let mut bitten = against(&hold, plan, run, golden, exact);
    let accepts = |change: &Change, frame, step| asserted::accepts(plan, run, change, frame, step);
    asserted::bite(plan, run, &accepts, &mut bitten);
    bitten
}

/// The changes that `hold` lets through, and no step or check objects to either.
fn against(hold: Hold<'_>, plan: &Plan, run: &Run, golden: &Capture, exact: bool) -> Bitten {
    let mut bitten = Bitten::default();
    // Where the recorded frames do not satisfy the steps as they are, a failing step says nothing.
    let steps = run::replay(plan, &run.transcript).failures.is_empty();
    let before = found(plan, &run.transcript.capture);
    for change in changes(&run.transcript.capture, exact) {
        let Some(capture) = changed(&run.transcript.capture, &change) else { continue };
        bitten.changes += 1;
        if !hold(golden, &capture, &plan.masks).differences.is_empty()
            || found(plan, &capture) > before
            || (steps && fails(plan, run, capture))
        {
            continue;
        }
        match covering(&change, &plan.masks, hold, golden, run) {
            Some(reason) => *bitten.masked.entry(reason).or_default() += 1,
            None if bitten.survivors.len() < MOST_SURVIVORS => {
                bitten.survivors.push(format!("nothing objects to {change}"));
            }
            None => {}
        }
    }
    bitten
}

/// A step does not hold on the changed frames.
fn fails(plan: &Plan, run: &Run, capture: Capture) -> bool {
    let (seen, real) = (run.transcript.seen.clone(), run.transcript.real);
    let recorded = Transcript { capture, seen, real, ..Transcript::default() };
    !run::replay(plan, &recorded).failures.is_empty()
}

/// How many findings of the checks a scenario did not ask for.
fn found(plan: &Plan, capture: &Capture) -> usize {
    let report = checks::judge(capture, &facts::ports(plan, capture));
    report
        .findings
        .iter()
        .filter(|finding| !plan.finds.iter().any(|id| id == finding.check.id))
        .count()
}

/// The reason of the masks without which the change would be a difference.
fn covering(
    change: &Change,
    masks: &[Mask],
    hold: Hold<'_>,
    golden: &Capture,
    run: &Run,
) -> Option<String> {
    let capture = changed(&run.transcript.capture, change)?;
    let mut reasons: Vec<&String> = masks.iter().map(|mask| &mask.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let shown = |masks: &[Mask]| !hold(golden, &capture, masks).differences.is_empty();
    reasons.into_iter().find_map(|reason| {
        let others: Vec<Mask> =
            masks.iter().filter(|mask| mask.reason != *reason).cloned().collect();
        shown(&others).then(|| reason.clone())
    })
}
