//! What an implementation of somebody else's chose for itself: its differences from a golden that
//! was taken from another one, where no check and no step says otherwise. Each is told per field,
//! in words. Knows plans, captures and differences; finds no fault.

use std::collections::{BTreeMap, BTreeSet};

use checks::Finding;
use wire::{Capture, Cause, FrameId, PortId};

use super::compare::{Comparison, Difference};
use crate::plan::{Action, Plan};
use crate::run::Run;

/// So many values, or frames, of one choice are written out.
const MOST_SHOWN: usize = 6;

/// One thing that was done otherwise than in the golden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Whose it is.
    pub node: String,
    /// The field: `ip4.ttl`; `None` for whole frames.
    pub field: Option<String>,
    /// What the golden has, each value once.
    pub golden: Vec<String>,
    /// What came, each value once.
    pub actual: Vec<String>,
    /// The frames of the run, or those of the golden that did not come.
    pub frames: Vec<FrameId>,
    /// All of it in words.
    pub text: String,
}

/// Takes the choices out of what a comparison found. What belongs to a frame that a check or a
/// step finds fault with stays a difference; so does a missing frame where one of them misses it.
pub(super) fn take(
    plan: &Plan,
    run: &Run,
    golden: &Capture,
    findings: &[Finding],
    found: &mut Comparison,
) -> Vec<Choice> {
    let mut sorter = Sorter::new(plan, run, golden, findings);
    let (chosen, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut found.differences)
        .into_iter()
        .partition(|difference| sorter.is_chosen(difference));
    found.differences = rest;
    describe(&sorter, &chosen)
}

/// Whose a difference is, and whether anybody finds fault with it.
struct Sorter<'a> {
    plan: &'a Plan,
    run: &'a Run,
    golden: &'a Capture,
    /// The names of the nodes that are measured by rules.
    others: BTreeSet<&'a str>,
    /// Frames that a check or a step finds fault with.
    faulted: BTreeSet<FrameId>,
    /// A check or a step misses a frame.
    missed: bool,
    /// Frames of the run, and of the golden, that are choices.
    chosen: BTreeSet<FrameId>,
    absent: BTreeSet<FrameId>,
    /// The rehearsal is the golden, so that its causes are the golden's.
    causes: Option<&'a Capture>,
}

impl<'a> Sorter<'a> {
    fn new(plan: &'a Plan, run: &'a Run, golden: &'a Capture, findings: &[Finding]) -> Self {
        let faulted = findings.iter().filter_map(|finding| finding.frame);
        let failed = run.failures.iter().filter_map(|failure| failure.frame);
        let same = |rehearsed: &&Capture| {
            rehearsed.len() == golden.len()
                && golden.iter().all(|(id, _, frame)| rehearsed.frame(id) == frame)
        };
        Self {
            plan,
            run,
            golden,
            others: plan.others().map(|node| node.name.as_str()).collect(),
            faulted: faulted.chain(failed).collect(),
            missed: !run.failures.is_empty() || findings.iter().any(|one| one.frame.is_none()),
            chosen: BTreeSet::new(),
            absent: BTreeSet::new(),
            causes: run.transcript.rehearsed.as_ref().filter(same),
        }
    }

    fn is_chosen(&mut self, difference: &Difference) -> bool {
        match difference {
            Difference::Missing { golden } => {
                let chosen = !self.missed
                    && (self.is_other(self.golden, *golden) || self.is_answer_to_absent(*golden));
                if chosen {
                    self.absent.insert(*golden);
                }
                chosen
            }
            Difference::Extra { frame }
            | Difference::Emitter { frame, .. }
            | Difference::Bytes { frame, .. }
            | Difference::Time { frame, .. }
            | Difference::Early { frame, .. } => {
                let chosen = !self.faulted.contains(frame)
                    && (self.is_other(&self.run.transcript.capture, *frame)
                        || self.follows(*frame));
                if chosen {
                    self.chosen.insert(*frame);
                }
                chosen
            }
        }
    }

    /// The frame was emitted by an implementation that is measured by rules.
    fn is_other(&self, capture: &Capture, frame: FrameId) -> bool {
        let port = capture.interface(capture.record(frame).port);
        self.others.contains(port.split(':').next().unwrap_or(port))
    }

    /// A frame of ours that answers one which another implementation chose, or that was made with
    /// names for what such a one said.
    fn follows(&self, frame: FrameId) -> bool {
        match self.run.transcript.capture.record(frame).cause {
            Cause::Frame(cause) => self.chosen.contains(&cause),
            Cause::Command(step) => {
                let step = self.plan.steps.get(step as usize);
                step.is_some_and(|step| match &step.action {
                    Action::Send { packet, .. } => packet.resolve(&BTreeMap::new()).is_err(),
                    _ => false,
                })
            }
            _ => false,
        }
    }

    /// A frame of ours in the golden that answers one which another implementation did not send.
    fn is_answer_to_absent(&self, golden: FrameId) -> bool {
        let cause = self.causes.map(|rehearsed| rehearsed.record(golden).cause);
        matches!(cause, Some(Cause::Frame(cause)) if self.absent.contains(&cause))
    }

    fn node_of(&self, capture: &Capture, frame: FrameId) -> String {
        let PortId(port) = capture.record(frame).port;
        let name = capture.interface(PortId(port));
        name.split(':').next().unwrap_or(name).to_owned()
    }
}

/// The choices in words, in order of the frames where each first shows.
fn describe(sorter: &Sorter<'_>, chosen: &[Difference]) -> Vec<Choice> {
    let (capture, golden) = (&sorter.run.transcript.capture, sorter.golden);
    let mut all: Vec<(Choice, String)> = Vec::new();
    let mut at = BTreeMap::new();
    for difference in chosen {
        match difference {
            Difference::Missing { golden: id } => {
                let node = sorter.node_of(golden, *id);
                let line = wire::render::line(golden.frame(*id));
                all.push(whole(
                    node,
                    *id,
                    format!("did not send frame {} of the golden", id.number()),
                    line,
                ));
            }
            Difference::Extra { frame } => {
                let node = sorter.node_of(capture, *frame);
                let line = wire::render::line(capture.frame(*frame));
                let what = format!("sent frame {}, which the golden has not", frame.number());
                all.push(whole(node, *frame, what, line));
            }
            Difference::Early { frame, cause } => {
                let node = sorter.node_of(capture, *frame);
                let line = wire::render::line(capture.frame(*frame));
                let (number, cause) = (frame.number(), cause.number());
                let what = format!(
                    "sent frame {number} before frame {cause}, which it answers in the golden"
                );
                all.push(whole(node, *frame, what, line));
            }
            // Neither is looked for where another implementation is.
            Difference::Emitter { .. } | Difference::Time { .. } => {}
            Difference::Bytes { frame, fields, .. } => {
                let node = sorter.node_of(capture, *frame);
                for field in fields {
                    // Whether a checksum is right is for the checks; it follows from the rest. What
                    // pads a frame to what Ethernet carries is no difference on any cable.
                    let is_sum = field.field.is_some_and(|known| known.key == "checksum");
                    let pads = field.path == "frame.trailer"
                        && capture.frame(*frame).len() <= crate::run::matching::LEAST_BYTES;
                    if !is_sum && !pads {
                        add(&mut all, &mut at, (&node, *frame), field);
                    }
                }
            }
        }
    }
    for (choice, title) in &mut all {
        if choice.field.is_some() {
            choice.text = of_field(choice, title);
        }
        if !sorter.others.contains(choice.node.as_str()) {
            choice.text += "; it follows from what another implementation chose";
        }
    }
    all.into_iter().map(|(choice, _)| choice).collect()
}

fn whole(node: String, frame: FrameId, what: String, line: String) -> (Choice, String) {
    let text = format!("{node} {what}: {line}");
    let (golden, actual) = (Vec::new(), Vec::new());
    (Choice { node, field: None, golden, actual, frames: vec![frame], text }, String::new())
}

/// Adds a field's difference to the choice that it is part of; `at` is where each stands.
fn add(
    all: &mut Vec<(Choice, String)>,
    at: &mut BTreeMap<(String, String), usize>,
    (node, frame): (&str, FrameId),
    field: &wire::diff::FieldDiff,
) {
    let place = *at.entry((node.to_owned(), field.path.clone())).or_insert(all.len());
    if place == all.len() {
        let (node, path) = (node.to_owned(), Some(field.path.clone()));
        let (golden, actual, frames) = (Vec::new(), Vec::new(), Vec::new());
        let choice = Choice { node, field: path, golden, actual, frames, text: String::new() };
        all.push((choice, field.title.clone()));
    }
    let Some((choice, _)) = all.get_mut(place) else { return };
    let values = [(&mut choice.golden, &field.expected), (&mut choice.actual, &field.actual)];
    for (values, value) in values {
        if !values.contains(value) && values.len() <= MOST_SHOWN {
            values.push(value.clone());
        }
    }
    if choice.frames.last() != Some(&frame) {
        choice.frames.push(frame);
    }
}

/// `rejecter chose ip4.ttl (Time to Live) 255 where the golden has 64, in frames 2, 4`.
fn of_field(choice: &Choice, title: &str) -> String {
    let Choice { node, field, golden, actual, frames, .. } = choice;
    let field = field.as_deref().unwrap_or("");
    let numbers: Vec<String> = frames.iter().map(|frame| frame.number().to_string()).collect();
    let (word, actual, golden) =
        (if frames.len() == 1 { "frame" } else { "frames" }, list(actual), list(golden));
    let numbers = list(&numbers);
    format!(
        "{node} chose {field} ({title}) {actual} where the golden has {golden}, in {word} {numbers}"
    )
}

/// A list that says where it goes on.
fn list(items: &[String]) -> String {
    let shown = items.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > MOST_SHOWN { format!("{shown} and others") } else { shown }
}

#[cfg(test)]
mod tests;
