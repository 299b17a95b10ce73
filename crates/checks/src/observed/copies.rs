//! Frames that a capture has twice: the same datagram seen on another interface, at a mirror port,
//! or on the other side of a router. A copy is no second emission.

use wire::{Capture, Duration, FrameId, Instant};

use super::HORIZON;
use super::look::{Look, Net, look};

/// How many of the latest datagrams are kept. A power of two.
const SLOTS: usize = 1 << 13;

/// A copy comes this soon; a retransmission comes later (RFC 6298 asks for a second, and the
/// stacks in use wait 200 ms).
const SOON: Duration = Duration::from_millis(100);

/// Where a datagram was seen first.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    hash: u64,
    /// Counted from 1 over all that was kept; 0 for an empty slot.
    place: u64,
    interface: u16,
    time: Instant,
}

/// How a frame repeats an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// The capture saw the very frame, or its datagram, on another interface.
    Interface,
    /// Behind a router: the same datagram with other stations or another TTL.
    Hop,
    /// The very frame again on the same interface: a mirror port, or a retransmission.
    Again,
}

/// The datagrams seen lately.
#[derive(Debug)]
pub(super) struct Copies {
    slots: Vec<Seen>,
}

/// A frame under comparison.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) look: &'a Look,
    pub(super) interface: u16,
    pub(super) time: Instant,
    /// The place that it gets if it is kept, counted from 1.
    pub(super) place: u64,
}

impl Copies {
    pub(super) fn new() -> Self {
        Self { slots: vec![Seen::default(); SLOTS] }
    }

    /// What the frame repeats of those kept, the oldest of which has the place `first`. It is noted
    /// where it repeats nothing, or only itself.
    #[inline]
    pub(super) fn of(
        &mut self,
        new: Candidate<'_>,
        capture: &Capture,
        first: u64,
    ) -> Option<Copied> {
        let (at, end) = new.look.datagram?;
        let datagram = new.bytes.get(at..end)?;
        let hash = hash(datagram, new.look.ends.net)?;
        let slot = &mut self.slots[hash as usize & (SLOTS - 1)];
        let fresh = Seen { hash, place: new.place, interface: new.interface, time: new.time };
        let apart = new.time.since(slot.time).max(slot.time.since(new.time));
        let gone = slot.place == 0 || new.place - slot.place > HORIZON as u64;
        if slot.hash != hash || gone || apart > SOON {
            *slot = fresh;
            return None;
        }
        let before = capture.captured(FrameId((slot.place - first) as u32));
        let same = look(before)
            .datagram
            .and_then(|(at, end)| before.bytes.get(at..end))
            .is_some_and(|before| alike(before, datagram, new.look.ends.net));
        if !same {
            *slot = fresh;
            return None;
        }
        if slot.interface != new.interface {
            return Some(Copied::Interface);
        }
        let again = before.bytes == new.bytes;
        if !again && moved_on(before.bytes, new, at) {
            return Some(Copied::Hop);
        }
        if again {
            // Whether it is kept is not decided yet; the one that it repeats has the same bytes.
            slot.time = new.time;
            return Some(Copied::Again);
        }
        *slot = fresh;
        None
    }
}

/// A router was between both: it puts its own station in, and lowers the TTL where there are none.
fn moved_on(before: &[u8], new: Candidate<'_>, at: usize) -> bool {
    match at {
        12.. => before.get(..12) != new.bytes.get(..12),
        _ => before.len() == new.bytes.len(),
    }
}

/// Of what no router changes: all but TTL and header checksum.
#[inline]
fn hash(datagram: &[u8], net: Net) -> Option<u64> {
    let word = |at: usize| {
        let bytes = datagram.get(at..at + 8).and_then(|bytes| bytes.first_chunk());
        bytes.map(|bytes| u64::from_le_bytes(*bytes))
    };
    let mix =
        |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut hash = 0;
    let behind = match net {
        Net::Ip4 => {
            hash = mix(mix(hash, word(0)?), word(12)?);
            20
        }
        Net::Ip6 => {
            for at in [8, 16, 24, 32] {
                hash = mix(hash, word(at)?);
            }
            40
        }
        Net::Arp | Net::Other => return None,
    };
    for at in [behind, behind + 8, behind + 16] {
        hash = mix(hash, word(at).unwrap_or(0));
    }
    Some(hash ^ hash >> 31)
}

/// The same datagram, whatever hops it took.
fn alike(one: &[u8], other: &[u8], net: Net) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match net {
        Net::Ip4 => one[..8] == other[..8] && one[9] == other[9] && one[12..] == other[12..],
        Net::Ip6 => one[..7] == other[..7] && one[8..] == other[8..],
        Net::Arp | Net::Other => false,
    }
}
