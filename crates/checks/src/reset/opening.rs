//! A SYN,ACK against the SYN that it answers: one that is right, and for this host alone.

use wire::segment::{ACK, SYN};
use wire::{Capture, FrameId};

use super::rules;
use super::search::{Asker, LOOK_BACK};
use super::segments::{Segment, Segments};
use super::verdict::{about, of_many};
use crate::check::Finding;
use crate::context::FrameContext;

/// Judges a SYN,ACK that nobody scripted and nobody passed on, and gives the SYN it answers.
#[inline(never)]
pub(super) fn judge(
    segments: &Segments,
    context: &FrameContext<'_>,
    opening: &Segment,
    asker: &Asker<'_>,
    capture: &Capture,
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    let ends = asker.ends.swapped();
    let (_, ack) = opening.numbers(context.bytes);
    let opens = |id: FrameId, segment: &Segment| {
        segment.flags & (SYN | ACK) == SYN
            && asker.was_handed(segment)
            && segment.numbers(capture.frame(id)).0.wrapping_add(1) == ack
    };
    let mut wrong = None;
    for (id, segment) in segments.chain(opening.hash).take(LOOK_BACK) {
        if segment.hash != opening.hash
            || segment.ends(capture.frame(id)) != ends
            || !opens(id, segment)
        {
            continue;
        }
        if segment.sums_hold() || segment.is_altered() {
            if !segment.is_altered() {
                out.extend(of_many(context, id, segment, asker, capture, "a SYN,ACK"));
            }
            return Some(id);
        }
        wrong = wrong.or(Some(id));
    }
    if let Some(id) = wrong {
        let text = "a SYN with a wrong checksum was answered";
        let check = &rules::BAD_CHECKSUM_ANSWERED;
        out.push(about(context, check, id, text, "no frame", "a SYN,ACK"));
        return Some(id);
    }
    let (id, segment) = to_many(segments, asker, capture, opens)?;
    if !segment.is_altered() {
        out.extend(of_many(context, id, segment, asker, capture, "a SYN,ACK"));
    }
    Some(id)
}

/// The latest SYN to many hosts that this SYN,ACK answers from an address of its own.
#[cold]
fn to_many<'a>(
    segments: &'a Segments,
    asker: &Asker<'_>,
    capture: &Capture,
    opens: impl Fn(FrameId, &Segment) -> bool,
) -> Option<(FrameId, &'a Segment)> {
    let (ends, len) = (asker.ends, segments.len());
    (len.saturating_sub(LOOK_BACK)..len).rev().find_map(|index| {
        let id = FrameId(index as u32);
        let segment = segments.get(id).filter(|segment| segment.is_tcp())?;
        let its = opens(id, segment).then(|| segment.ends(capture.frame(id)))?;
        let meant = asker.is_to_many(its) && its.src == ends.dst && its.dst.1 == ends.src.1;
        meant.then_some((id, segment))
    })
}
