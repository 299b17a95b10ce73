//! The fields that a step asserts: a change to one of them must keep the step from accepting the
//! frame, whatever golden and checks say. Knows patterns and frames.

use std::ops::Range;

use scenario::{LayerPattern, Pattern};
use wire::FrameId;
use wire::view::LaxFrame;

use super::{Bitten, Change, MOST_SURVIVORS, changed};
use crate::plan::{Action, Plan};
use crate::run::{self, Run, Transcript};

/// Whether a step takes a changed frame for the one that it expects.
pub(super) type Accepts<'a> = &'a dyn Fn(&Change, FrameId, usize) -> bool;

/// Flips each bit that a step asserts in the frame that it expected.
pub(super) fn bite(plan: &Plan, run: &Run, accepts: Accepts<'_>, bitten: &mut Bitten) {
    for (frame, step) in &run.expected {
        let Some(Action::Expect(expect)) = plan.steps.get(*step).map(|step| &step.action) else {
            continue;
        };
        for bit in bits(&expect.pattern, run.transcript.capture.frame(*frame)) {
            let place = format!("asserted by step {}", step + 1);
            let change = Change::Flip { frame: *frame, bit, place };
            bitten.asserted += 1;
            if accepts(&change, *frame, *step) && bitten.survivors.len() < MOST_SURVIVORS {
                bitten.survivors.push(format!("step {} accepts {change}", step + 1));
            }
        }
    }
}

/// The step takes the changed frame for the one that it expects.
pub(super) fn accepts(
    plan: &Plan,
    run: &Run,
    change: &Change,
    frame: FrameId,
    step: usize,
) -> bool {
    let Some(capture) = changed(&run.transcript.capture, change) else { return false };
    let (seen, real) = (run.transcript.seen.clone(), run.transcript.real);
    let recorded = Transcript { capture, seen, real, ..Transcript::default() };
    run::replay(plan, &recorded).expected.contains(&(frame, step))
}

/// The bits of a frame that a pattern says something about.
fn bits(pattern: &Pattern, frame: &[u8]) -> Vec<usize> {
    if pattern.raw.is_some() {
        return (0..frame.len() * 8).collect();
    }
    let view = LaxFrame::parse(frame);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for layer in &pattern.layers {
        ranges.extend(of_layer(layer, &view));
    }
    if pattern.payload.is_some()
        && let Some(payload) = view.find(wire::Proto::Payload)
    {
        ranges.push(payload.start * 8..payload.end * 8);
    }
    let mut bits: Vec<usize> =
        ranges.into_iter().flatten().filter(|bit| *bit < frame.len() * 8).collect();
    bits.sort_unstable();
    bits.dedup();
    bits
}

fn of_layer(layer: &LayerPattern, view: &LaxFrame<'_>) -> Vec<Range<usize>> {
    let Some(found) = view.layer(layer.proto, layer.occurrence) else { return Vec::new() };
    let of_field = |field: &wire::Field| {
        let start = found.start * 8 + usize::from(field.bit);
        start..if field.width == 0 { found.end * 8 } else { start + usize::from(field.width) }
    };
    let mut ranges: Vec<Range<usize>> =
        layer.fields.iter().map(|template| of_field(template.field)).collect();
    if layer.tcp_options.is_some() {
        ranges.push((found.start + 20) * 8..found.end * 8);
    }
    if let Some(quote) = &layer.quote
        && quote.raw.is_some()
    {
        ranges.push(found.end * 8..found.limit * 8);
    }
    ranges
}
