//! Datagrams that a node passes on: where they came from, and what a router owes them.
//!
//! A frame is passed on when an earlier one, handed to another port of the same node, carried the
//! same datagram; a router may also pass it back to the port it came by. Address translation is not
//! seen through: such a frame counts as the node's own.

use wire::{Capture, Cause, Deliberate, FrameId, Record};

use crate::check::{Answers, Check, Finding, Level, PortFacts};
use crate::outline::{Net, Outline, Part, be16, be32};
use crate::shot::{Shot, delivered_to, facts_of, frame};

pub(crate) static FORWARD_HOPS: Check = Check {
    id: "forward-hops",
    clause: "RFC 1812 5.3.1; RFC 8200 3",
    requirement: "1812-5.3.1",
    level: Level::Must,
    title: "a router lowers the TTL by one at least, and passes no zero on",
    about: "The TTL, or hop limit, is what ends a routing loop. Each router takes one away at \
            least, and drops the datagram instead of sending it with nothing left.",
};

/// How many frames before it are searched for the one that a frame passes on.
const LOOK_BACK: usize = 1024;

/// The frame that this one passes on, where there is one.
pub(crate) fn origin(
    capture: &Capture,
    ports: &[PortFacts],
    id: FrameId,
    outline: &Outline,
) -> Option<FrameId> {
    let (record, bytes) = frame(capture, id);
    let facts = facts_of(ports, record)?;
    // A router may send a datagram back into the link it came from; a bridge does not.
    let returns = matches!(facts.answers, Answers::Forwards { .. });
    let handed = |earlier: &Record| {
        delivered_to(ports, earlier).is_some_and(|to| {
            let same_node = ports.get(usize::from(to)).is_some_and(|p| p.node == facts.node);
            same_node && (returns || to != record.port.0)
        })
    };
    if let Cause::Frame(cause) = record.cause
        && cause < id
        && handed(capture.record(cause))
        && carries(capture, cause, outline, bytes)
    {
        return Some(cause);
    }
    let first = id.index().saturating_sub(LOOK_BACK);
    (first..id.index()).rev().map(|index| FrameId(index as u32)).find(|earlier| {
        handed(capture.record(*earlier)) && carries(capture, *earlier, outline, bytes)
    })
}

/// The earlier frame carries the same datagram, or part of it, or the whole of which it is part.
fn carries(capture: &Capture, earlier: FrameId, outline: &Outline, bytes: &[u8]) -> bool {
    let (record, before) = frame(capture, earlier);
    let was = Outline::of(before);
    if was.net != outline.net {
        return false;
    }
    if outline.net == Net::Other || outline.net == Net::Arp {
        // Only a bridge passes these on, and it changes nothing.
        return before == bytes;
    }
    if was.addresses(before) != outline.addresses(bytes) {
        return false;
    }
    let same_id =
        || datagram_id(&was, before).is_some_and(|id| datagram_id(outline, bytes) == Some(id));
    let in_parts = was.part != Part::Whole || outline.part != Part::Whole;
    before[was.upper_at..was.end] == bytes[outline.upper_at..outline.end]
        || (in_parts && (same_id() || was.net == Net::Ip6))
        || (record.altered && (same_id() || was.net == Net::Ip6))
}

/// The identification of an IPv4 datagram, or of an IPv6 fragment.
fn datagram_id(outline: &Outline, frame: &[u8]) -> Option<u32> {
    match outline.net {
        Net::Ip4 => Some(u32::from(be16(frame, outline.net_at + 4))),
        _ => outline.fragment_at.map(|at| be32(frame, at + 4)),
    }
}

/// What a frame passed on inherits: where its bytes were changed underway, no verdict at all.
pub(crate) fn inherited(origin: &Record, spared: Deliberate) -> Deliberate {
    if origin.altered { Deliberate::EVERYTHING } else { spared }
}

/// Holds what a router passes on against what it got.
#[cold]
pub(crate) fn judge(shot: &Shot<'_>, capture: &Capture, out: &mut Vec<Finding>) {
    let Some(origin) = shot.passed.filter(|_| shot.by_forwarder()) else { return };
    let (record, before) = frame(capture, origin);
    let hops = (Outline::of(before).hops(before), shot.outline.hops(shot.bytes));
    let (Some(was), Some(is)) = hops else { return };
    if record.altered || (is < was && is > 0) {
        return;
    }
    let expected = match was {
        0 | 1 => "no frame".to_owned(),
        2 => "1".to_owned(),
        _ => format!("1 to {}", was - 1),
    };
    let message = "the datagram is passed on without one hop less, or with none left";
    let mut finding = shot.finding(&FORWARD_HOPS, message, expected, is.to_string());
    finding.trigger = Some(origin);
    out.push(finding);
}
