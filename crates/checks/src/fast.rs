//! The fast path: plain TCP over IPv4 whose TCP header has 20 bytes, from one host to another, with
//! nothing wrong in it.
//!
//! One function proves at fixed positions that no check can bite, and notes the segment for the
//! reset rules. Whatever it cannot prove it leaves to the checks themselves, so it finds nothing
//! and only saves their work; `tests.rs` compares the findings with and without it.

use std::net::IpAddr;

use wire::segment::{ACK, PlainTcp4, RST, SYN};
use wire::{Capture, Cause, Deliberate, FrameId, Mac, Record};

use crate::check::{Answers, PortFacts};
use crate::layout::{array, be32};
use crate::reset::{Segment, Segments};
use crate::source::{is_confined, is_group};

#[cfg(test)]
mod tests;

/// A port in the form that the fast path compares frames with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    /// The port's Ethernet address and the type of IPv4, as they follow each other in a frame.
    source: u64,
    /// Its only IPv4 address, which is one host's.
    ip: u32,
    /// The port at the other end of its link.
    peer: Option<u16>,
    /// TCP ports, first to last, on which the reset of a closed port is asked of it; none where
    /// the first is above the last.
    closed: (u16, u16),
}

/// The numbers of a frame on the fast path.
struct Numbers {
    src: u32,
    dst: u32,
    /// Source port in the upper half.
    ports: u32,
    seq: u32,
    ack: u32,
    flags: u16,
}

impl Station {
    /// A port of a node with no other, one IPv4 address of one host, and simple answers; `None`
    /// for all others, whose frames take the general path.
    pub(crate) fn of(facts: &PortFacts, joined: bool) -> Option<Self> {
        let mut own = facts.addresses.iter().filter(|address| address.is_ipv4());
        let (Some(IpAddr::V4(ip)), None) = (own.next(), own.next()) else { return None };
        let Mac([a, b, c, d, e, f]) = facts.mac;
        let no_host = is_group(&ip.octets()) || is_confined(&ip.octets());
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
        let source = u64::from_be_bytes([a, b, c, d, e, f, 0x08, 0x00]);
        Some(Self { source, ip: u32::from(*ip), peer: facts.peer.map(|port| port.0), closed })
    }

    /// A reset from this TCP port is a closed port's.
    #[inline]
    fn is_closed(&self, port: u16) -> bool {
        (self.closed.0..=self.closed.1).contains(&port)
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
    let Some(plain) = PlainTcp4::parse(frame) else { return false };
    let Some(numbers) = read(own, &plain) else { return false };
    if record.altered || !plain.checksums_hold() {
        return false;
    }
    let mut owed = false;
    let to = own.peer.filter(|_| record.deliveries > 0);
    if numbers.flags & RST == 0 {
        let opens = numbers.flags & SYN != 0 && numbers.flags & ACK != 0;
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
                Some(Some(target)) => owed = is_owed(target, &numbers, frame),
                Some(None) => return false,
                None => {}
            }
        }
    } else if !record.deliberate.has(Deliberate::SEGMENT) {
        let Some(cause) = provoked(own, segments, capture, record, &numbers) else { return false };
        segments.answer(cause);
    }
    segments.push(Segment::fast(record, to, numbers.flags, frame.len() - 54, owed));
    true
}

/// The numbers of a frame from this station, if its headers are as they have to be.
#[inline]
fn read(own: &Station, plain: &PlainTcp4<'_>) -> Option<Numbers> {
    let sent = u64::from_be_bytes(array(plain.headers(), 6)) == own.source
        && plain.word(26) == own.ip
        && plain.has_no_options()
        && plain.is_sound();
    sent.then(|| Numbers {
        src: own.ip,
        dst: plain.word(30),
        ports: plain.word(34),
        seq: plain.word(38),
        ack: plain.word(42),
        flags: plain.flags(),
    })
}

/// The segment, which is no reset, must be answered by the station it was handed to: what
/// `reset::missing` asks, for a frame on the fast path. The frame's own source was proved before.
#[inline]
fn is_owed(target: &Station, numbers: &Numbers, frame: &[u8]) -> bool {
    let Numbers { src, dst, ports, .. } = *numbers;
    let to_station = u64::from_be_bytes(array(frame, 0)) >> 16 == target.source >> 16;
    // By the usual /24, the first and last address of a subnet are no host's.
    let plain = src >> 24 != 0 && !matches!(src & 0xff, 0 | 0xff);
    ports >> 16 != 0
        && target.is_closed(ports as u16)
        && to_station
        && plain
        && src != target.ip
        && dst == target.ip
}

/// The frame that a closed port's reset answers, when the wire knows it, it took the fast path
/// and was not answered yet, and the reset is just what it asks for.
#[inline(always)]
fn provoked(
    own: &Station,
    segments: &Segments,
    capture: &Capture,
    record: &Record,
    reset: &Numbers,
) -> Option<FrameId> {
    let Cause::Frame(id) = record.cause else { return None };
    let trigger = segments.get(id)?;
    let open = trigger.took_fast_path()
        && trigger.to() == Some(record.port.0)
        && trigger.flags & RST == 0
        && !trigger.is_answered();
    if !open || !own.is_closed((reset.ports >> 16) as u16) {
        return None;
    }
    let head = capture.frame(id).first_chunk::<54>()?;
    let back = be32(head, 30) == own.ip
        && be32(head, 26) == reset.dst
        && be32(head, 34) == reset.ports.rotate_left(16)
        && head[0] & 1 == 0;
    // RFC 9293 3.10.7.1, CLOSED.
    let asked = if trigger.flags & ACK == 0 {
        let ack = be32(head, 38).wrapping_add(trigger.length());
        (reset.flags, reset.seq, reset.ack) == (RST | ACK, 0, ack)
    } else {
        (reset.flags, reset.seq) == (RST, be32(head, 42))
    };
    (back && asked).then_some(id)
}
