//! Resets that had to be sent and were not: what a closed port may not keep silent about.
//!
//! Only segments that every implementation must answer count. Where implementations may differ
//! with reason (options in the IP header, VLAN tags, odd sources) nothing is asked.

use wire::Capture;
use wire::address::{is_confined, is_group, same};
use wire::segment::RST;

use super::rules;
use super::segments::{Segment, Segments};
use super::values::asked;
use super::verdict::resets;
use crate::check::{Answers, Finding, PortFacts};
use crate::checksums::Sums;
use crate::context::FrameContext;
use crate::layout::be16;
use crate::options;

/// The segment must be answered with a reset by the port that it was handed to.
#[inline]
pub(super) fn is_owed(
    context: &FrameContext<'_>,
    segment: &Segment,
    sums: Sums,
    ports: &[PortFacts],
) -> bool {
    let Some(target) = segment.to().and_then(|to| ports.get(usize::from(to))) else {
        return false;
    };
    let set = match &target.answers {
        Answers::ClosedPorts(set) | Answers::Forwards { rejects: set, .. } => set,
        Answers::Unknown | Answers::Never => return false,
    };
    let (frame, layout) = (context.bytes, context.layout);
    let readable = layout.ethernet && !layout.cut;
    let valid = readable && layout.is_sound_tcp() && layout.plain && layout.vlans == 0;
    let tcp = layout.upper_at;
    valid
        && segment.flags & RST == 0
        && !context.record.altered
        && sums.header
        && sums.upper
        && be16(frame, tcp) != 0
        && set.contains(be16(frame, tcp + 2))
        && frame[..6] == target.mac.0
        && frame[6] & 1 == 0
        && between_hosts(context, target, ports)
        && options::legal(context)
}

/// The segment comes from one host that is not the target itself, and is for the target, or for a
/// host behind it.
fn between_hosts(context: &FrameContext<'_>, target: &PortFacts, ports: &[PortFacts]) -> bool {
    let (src, dst) = context.layout.addresses(context.bytes);
    let has = |port: &PortFacts, bytes: &[u8]| port.addresses.iter().any(|ip| same(*ip, bytes));
    let node = |bytes: &[u8]| ports.iter().any(|p| p.node == target.node && has(p, bytes));
    if !is_plain_host(src) || node(src) {
        return false;
    }
    match target.answers {
        Answers::ClosedPorts(_) => has(target, dst),
        // Routes are not known here: both hosts have to be ones that the run has.
        Answers::Forwards { .. } => {
            let known = |bytes: &[u8]| ports.iter().any(|port| has(port, bytes));
            let hops = context.layout.hops(context.bytes).unwrap_or(0);
            hops > 1 && !node(dst) && known(dst) && known(src)
        }
        Answers::Unknown | Answers::Never => false,
    }
}

/// A unicast address that may be a source. The prefix is not known, so whatever could be a
/// subnet's own or broadcast address by the usual /24 is left out.
fn is_plain_host(address: &[u8]) -> bool {
    let mapped = || address[..10].iter().all(|b| *b == 0) && address[10..12] == [0xff, 0xff];
    let odd = match address.len() {
        4 => address[0] == 0 || matches!(address[3], 0 | 0xff),
        16 => address.iter().all(|byte| *byte == 0) || mapped(),
        _ => true,
    };
    !odd && !is_group(address) && !is_confined(address)
}

/// Finds the segments left without an answer among the first `count` frames.
pub(crate) fn missing(
    segments: &Segments,
    capture: &Capture,
    count: usize,
    out: &mut Vec<Finding>,
) {
    for (id, segment) in segments.unanswered(count) {
        let (copies, answered) = segment.tally();
        let reset = asked(segment, capture.frame(id));
        out.push(Finding {
            check: &rules::RST_MISSING,
            frame: None,
            trigger: Some(id),
            message: "a segment to a closed port was not answered".to_owned(),
            expected: format!("{}: {reset}", resets(copies)),
            actual: resets(answered),
        });
    }
}
