//! A reset against what the segment that caused it asks for.

use wire::segment::ACK;
use wire::{Capture, FrameId, LinkType};

use super::rules;
use super::search::{Asker, Found, LOOK_BACK, Role, Search, role};
use super::segments::{Segment, Segments};
use super::values::{Values, asked, names};
use crate::check::{Check, Finding};
use crate::context::FrameContext;

/// Judges a reset that nobody scripted and nobody passed on, and gives the segment it answers.
#[inline]
pub(super) fn reset(
    segments: &mut Segments,
    context: &FrameContext<'_>,
    reset: &Segment,
    asker: &Asker<'_>,
    capture: &Capture,
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    let role = role(asker.facts, asker.ends.src.1);
    let search = Search { segments, capture, context, reset, asker, role };
    let found = search.find();
    // It answers something that is not understood here, so nothing can be said of the answer.
    if found.unread {
        return None;
    }
    // A connection of a stack's own: its state is not known, only the wire's own word counts.
    if role == Role::Stack && found.opened && !found.certain {
        return None;
    }
    if let Some(id) = found.trigger {
        let trigger = segments.get(id).unwrap_or(reset);
        if role == Role::Silent {
            let text = "a node that answers nothing sent a reset";
            out.push(about(context, &rules::RST_UNPROVOKED, id, text, "no frame", "a reset"));
        } else {
            let by_state = role == Role::Stack && found.opened;
            answer(&search, id, trigger, by_state, out);
        }
        segments.answer(id);
    } else {
        without_trigger(segments, context, found, role, asker, capture, out);
    }
    found.trigger
}

/// Holds a reset against the segment that it answers. `by_state`: a connection decides the values.
#[inline]
fn answer(
    search: &Search<'_>,
    id: FrameId,
    trigger: &Segment,
    by_state: bool,
    out: &mut Vec<Finding>,
) {
    let Search { capture, context, reset, asker, .. } = *search;
    if trigger.is_altered() {
        return;
    }
    let frame = capture.frame(id);
    if !trigger.sums_hold() {
        let text = "a segment with a wrong checksum was answered";
        let check = &rules::BAD_CHECKSUM_ANSWERED;
        out.push(about(context, check, id, text, "no frame", "a reset"));
        return;
    }
    out.extend(of_many(context, id, trigger, asker, capture, "a reset"));
    if by_state || trigger.is_opaque() {
        return;
    }
    let (expected, actual) = (asked(trigger, frame), Values::of(reset, context.bytes));
    if expected != actual {
        values(context, id, expected, actual, out);
    }
}

#[cold]
fn values(
    context: &FrameContext<'_>,
    id: FrameId,
    expected: Values,
    actual: Values,
    out: &mut Vec<Finding>,
) {
    if expected.flags != actual.flags {
        let text = if expected.flags & ACK == 0 {
            "the segment it answers has ACK, so the reset is RST alone"
        } else {
            "the segment it answers has no ACK, so the reset is RST,ACK"
        };
        let (want, is) = (names(expected.flags), names(actual.flags));
        out.push(about(context, &rules::RST_FLAGS, id, text, want, is));
    }
    if expected.seq != actual.seq {
        let text = if expected.flags & ACK == 0 {
            "seq is not the acknowledgment number of the segment it answers"
        } else {
            "seq is not zero although the segment it answers has no ACK"
        };
        let (want, is) = (expected.seq.to_string(), actual.seq.to_string());
        out.push(about(context, &rules::RST_SEQ, id, text, want, is));
    }
    if expected.flags & actual.flags & ACK != 0 && expected.ack != actual.ack {
        let text = "ack is not seq and length of the segment it answers";
        let (want, is) = (expected.ack.to_string(), actual.ack.to_string());
        out.push(about(context, &rules::RST_ACK, id, text, want, is));
    }
}

/// A reset for which no segment is left that it could answer.
#[cold]
fn without_trigger(
    segments: &mut Segments,
    context: &FrameContext<'_>,
    found: Found,
    role: Role,
    asker: &Asker<'_>,
    capture: &Capture,
    out: &mut Vec<Finding>,
) {
    let altered = |id: FrameId| segments.get(id).is_some_and(Segment::is_altered);
    let unclear = segments.unclear_lately(LOOK_BACK, |segment| asker.was_handed(segment));
    let finding = match found {
        Found { answered: Some(id), certain, .. } if certain || found.reset < Some(id) => {
            if altered(id) || (unclear && !certain) || found.opened {
                return;
            }
            let copies = segments.get(id).map_or(0, |segment| segment.tally().0);
            let (want, is) = (resets(copies), format!("{} or more", u16::from(copies) + 1));
            let text = "the segment was answered before";
            about(context, &rules::RST_DOUBLED, id, text, want, is)
        }
        Found { reset: Some(id), certain, .. } => {
            if altered(id) || (unclear && !certain) || segments.begins_lately(capture, context.id) {
                return;
            }
            about(context, &rules::RST_TO_RST, id, "a reset answers a reset", "no frame", "a reset")
        }
        _ if role == Role::Stack || unclear => return,
        _ if segments.begins_lately(capture, context.id) => return,
        Found { foreign: Some(id), .. } => {
            segments.answer(id);
            let text = "the reset does not go back between the ends of the segment it answers";
            about(context, &rules::RST_PORTS, id, text, "addresses and ports swapped", "others")
        }
        _ => {
            let text = "no segment was delivered that this reset could answer";
            context.finding(&rules::RST_UNPROVOKED, text, "no frame", "a reset")
        }
    };
    out.push(finding);
}

/// The finding about an answer to a segment that went to many: by its address, or in its frame.
#[inline]
pub(super) fn of_many(
    context: &FrameContext<'_>,
    id: FrameId,
    trigger: &Segment,
    asker: &Asker<'_>,
    capture: &Capture,
    actual: &str,
) -> Option<Finding> {
    let frame = capture.frame(id);
    let (check, text) = if asker.is_to_many(trigger.ends(frame)) {
        let text = "a segment to a broadcast or multicast address was answered";
        (&rules::RST_ON_BROADCAST, text)
    } else if frame[0] & 1 == 1 && capture.link(capture.record(id).port) == LinkType::Ethernet {
        (&rules::RST_ON_LINK_BROADCAST, "a segment in a group-addressed frame was answered")
    } else {
        return None;
    };
    Some(about(context, check, id, text, "no frame", actual))
}

/// A finding about an answer, with the segment that it answers.
#[cold]
pub(super) fn about(
    context: &FrameContext<'_>,
    check: &'static Check,
    trigger: FrameId,
    message: &str,
    expected: impl Into<String>,
    actual: impl Into<String>,
) -> Finding {
    let mut finding = context.finding(check, message, expected, actual);
    finding.trigger = Some(trigger);
    finding
}

/// So many resets, in words.
pub(super) fn resets(count: u8) -> String {
    if count == 1 { "1 reset".to_owned() } else { format!("{count} resets") }
}
