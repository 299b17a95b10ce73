//! The fast path: plain TCP over IPv4 whose TCP header has 20 bytes, from one host to another, with
//! nothing wrong in it.
//!
//! One function proves at fixed positions that no check can bite, and notes the segment for the
//! reset rules. Whatever it cannot prove it leaves to the checks themselves, so it finds nothing
//! and only saves their work; `tests.rs` compares the findings with and without it.

use std::net::IpAddr;

use wire::address::{is_confined, is_group};
use wire::segment::{ACK, PlainTcp4, RST, SYN};
use wire::{Capture, Cause, Deliberate, FrameId, Mac, Record};

use crate::check::{Answers, PortFacts};
use crate::layout::{array, be16, be32};
use crate::reset::{Segment, Segments};

#[cfg(test)]
mod tests;

/// A port in the form that the fast path compares frames with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    /// The port's Ethernet address and the type of IPv4, as they follow each other in a frame.
    source: [u8; 8],
    /// Its only IPv4 address, which is one host's.
    ip: [u8; 4],
    /// By the usual /24 its address is that of a host, so that it is to be answered.
    is_answerable: bool,
    /// The port at the other end of its link.
    peer: Option<u16>,
    /// TCP ports, first to last, on which the reset of a closed port is asked of it; none where
    /// the first is above the last.
    closed: (u16, u16),
}

impl Station {
    /// A port of a node with no other, one IPv4 address of one host, and simple answers; `None`
    /// for all others, whose frames take the general path.
    pub(crate) fn of(facts: &PortFacts, joined: bool) -> Option<Self> {
        let mut own = facts.addresses.iter().filter(|address| address.is_ipv4());
        let (Some(IpAddr::V4(ip)), None) = (own.next(), own.next()) else { return None };
        let (Mac([a, b, c, d, e, f]), ip) = (facts.mac, ip.octets());
        let no_host = is_group(&ip) || is_confined(&ip);
        if joined || no_host || facts.mac.is_group() || facts.mac == Mac::default() {
            return None;
        }
        let closed = match &facts.answers {
            Answers::Unknown | Answers::Never => (1, 0),
            Answers::ClosedPorts(set) => match set.ranges() {
                [] => (1, 0),
                [range] => (*range.start(), *range.end()),
                _ => return None,
            },
            Answers::Forwards { .. } => return None,
        };
        let is_answerable = ip[0] != 0 && !matches!(ip[3], 0 | 0xff);
        let (source, peer) = ([a, b, c, d, e, f, 0x08, 0x00], facts.peer.map(|port| port.0));
        Some(Self { source, ip, is_answerable, peer, closed })
    }

    /// A reset from this TCP port is a closed port's.
    #[inline(always)]
    fn is_closed(&self, port: [u8; 2]) -> bool {
        let port = u16::from_be_bytes(port);
        self.closed.0 <= port && port <= self.closed.1
    }
}

/// Judges and notes a frame that takes the fast path, in which nothing can be wrong. Otherwise it
/// gives false and notes nothing. `stations` is indexed by port. Inlined by force: each of its
/// callers is a loop over every frame.
#[inline(always)]
pub(crate) fn passes(
    stations: &[Option<Station>],
    segments: &mut Segments,
    capture: &Capture,
    record: &Record,
    frame: &[u8],
) -> bool {
    let Some(Some(own)) = stations.get(usize::from(record.port.0)) else { return false };
    let Some(plain) = PlainTcp4::sound_without_options(frame) else { return false };
    let head = plain.headers();
    let sent = array(head, 6) == own.source && array(head, 26) == own.ip;
    if !sent || record.altered || !plain.checksums_hold() {
        return false;
    }
    let flags = plain.flags();
    let mut owed = false;
    let to = own.peer.filter(|_| record.deliveries > 0);
    if flags & RST == 0 {
        let opens = flags & (SYN | ACK) == SYN | ACK;
        if opens && !record.deliberate.has(Deliberate::SEGMENT) {
            return false;
        }
        // A tagged trigger asks for a tagged reply.
        if let Cause::Frame(cause) = record.cause
            && !segments.get(cause).is_some_and(Segment::took_fast_path)
        {
            return false;
        }
        if let Some(to) = to {
            match stations.get(usize::from(to)) {
                Some(Some(target)) => owed = is_owed(own, target, head),
                Some(None) => return false,
                None => {}
            }
        }
    } else if !record.deliberate.has(Deliberate::SEGMENT) {
        let Cause::Frame(cause) = record.cause else { return false };
        if !is_provoked(own, segments, capture, record, cause, head) {
            return false;
        }
        segments.answer(cause);
    }
    segments.push(Segment::fast(record, to, flags, frame.len() - 54, owed));
    true
}

/// The segment, which is no reset, must be answered by the station it was handed to: what
/// `reset::missing` asks, for a frame on the fast path. The frame's own source was proved before.
#[inline(always)]
fn is_owed(own: &Station, target: &Station, head: &[u8; 54]) -> bool {
    own.is_answerable
        && array(head, 30) == target.ip
        && own.ip != target.ip
        && array::<6>(head, 0) == array::<6>(&target.source, 0)
        && array(head, 34) != [0, 0]
        && target.is_closed(array(head, 36))
}

/// A closed port's reset answers this frame: it took the fast path and was not answered yet, and
/// the reset is just what it asks for.
#[inline(always)]
fn is_provoked(
    own: &Station,
    segments: &Segments,
    capture: &Capture,
    record: &Record,
    cause: FrameId,
    reset: &[u8; 54],
) -> bool {
    let Some(trigger) = segments.get(cause) else { return false };
    let open = trigger.took_fast_path()
        && trigger.to() == Some(record.port.0)
        && trigger.flags & RST == 0
        && !trigger.is_answered();
    if !open || !own.is_closed(array(reset, 34)) {
        return false;
    }
    let Some(asked) = capture.frame(cause).first_chunk::<54>() else { return false };
    let back = array(asked, 30) == own.ip
        && array::<4>(asked, 26) == array(reset, 30)
        && be32(asked, 34) == be32(reset, 34).rotate_left(16)
        && asked[0] & 1 == 0;
    let (seq, ack, flags) = (be32(reset, 38), be32(reset, 42), be16(reset, 46) & 0x1ff);
    // RFC 9293 3.10.7.1, CLOSED.
    back && if trigger.flags & ACK == 0 {
        let after = be32(asked, 38).wrapping_add(trigger.length());
        flags == RST | ACK && seq == 0 && ack == after
    } else {
        flags == RST && seq == be32(asked, 42)
    }
}
