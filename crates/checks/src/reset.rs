//! Resets: each one has the segment that caused it, and says what that segment asks for.
//!
//! The rules are those of the CLOSED state (RFC 9293 3.10.7.1), which LISTEN shares. A stack that
//! has opened a connection resets by the state of that connection, which a capture does not show:
//! there only the rules that hold in every state are applied.

use wire::segment::{ACK, RST, SYN};
use wire::{Capture, Deliberate, FrameId};

use crate::check::{Finding, PortFacts};
use crate::checksums::Sums;
use crate::context::FrameContext;

mod missing;
mod opening;
pub(crate) mod rules;
mod search;
mod segments;
mod values;
mod verdict;

pub(crate) use missing::missing;
pub(crate) use segments::{Segment, Segments, Watch};

use search::Asker;

/// Judges a frame as an answer, and notes it as something that may be answered. Gives the frame
/// that it answers, where that is known.
#[inline]
pub(crate) fn judge(
    segments: &mut Segments,
    context: &FrameContext<'_>,
    sums: Sums,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    let mut segment = Segment::of(context, segments.lenient(context, sums), ports);
    if !segment.is_tcp() {
        segments.push(segment);
        return None;
    }
    let mut answered = None;
    let ends = segment.ends(context.bytes);
    let scripted = context.passed.is_some() || context.spares(Deliberate::SEGMENT);
    if !scripted && let Some(facts) = context.facts {
        let opens = segment.flags & (SYN | ACK) == SYN | ACK;
        if opens || segment.flags & RST != 0 {
            segments.link(capture);
            segment.hash = ends.hash();
        }
        if segment.flags & RST != 0 {
            let asker = Asker { facts, ports, port: context.record.port.0, ends };
            answered = verdict::reset(segments, context, &segment, &asker, capture, out);
        } else if opens {
            let asker = Asker { facts, ports, port: context.record.port.0, ends };
            answered = opening::judge(segments, context, &segment, &asker, capture, out);
        }
    }
    if missing::is_owed(context, &segment, sums, ports) {
        segment.owe();
    }
    segments.push(segment);
    answered
}
