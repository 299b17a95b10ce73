//! Every frame as the reset checks need it: one small entry a frame, chained by connection.
//!
//! A table of chain heads indexed by a hash of the unordered 4-tuple finds the earlier segments of
//! a connection in both directions. The hash is fixed, so that order never depends on chance. The
//! chains are made when somebody first asks for one: where the wire knows every cause, nobody does.

use wire::{Capture, Deliberate, FrameId, Record};

use crate::check::PortFacts;
use crate::checksums::Sums;
use crate::context::{FrameContext, delivered_to};
use crate::layout::{Net, Part, Upper, be16, be32};

mod watch;

pub(crate) use watch::Watch;

/// What marks an entry.
const TCP: u8 = 1;
const IP6: u8 = 1 << 1;
/// Both checksums are right.
const SUMS: u8 = 1 << 2;
/// The receiver saw other bytes at least once.
const ALTERED: u8 = 1 << 3;
/// A fragment, or a data offset that lies: how long the segment is cannot be said.
const OPAQUE: u8 = 1 << 4;
/// It must be answered.
const OWED: u8 = 1 << 5;
/// It may carry a segment that cannot be read here: a source route, part of a header.
const UNREAD: u8 = 1 << 6;
/// The frame is one that took the fast path.
const FAST: u8 = 1 << 7;

/// How many chains a capture from elsewhere has.
const CHAINS: usize = 1 << 16;

/// Handed to no port.
const NOBODY: u16 = u16::MAX;

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// The frame before it in its chain, counted from 1; 0 for none.
    prev: u32,
    pub(crate) hash: u32,
    net_at: u32,
    tcp_at: u32,
    /// Bytes of payload.
    payload: u32,
    pub(crate) flags: u16,
    pub(crate) from: u16,
    to: u16,
    spared: Deliberate,
    copies: u8,
    answered: u8,
    marks: u8,
}

/// Both ends of a segment. IPv4 addresses are mapped as RFC 4291 2.5.5.2 maps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) src: (u128, u16),
    pub(crate) dst: (u128, u16),
}

impl Ends {
    /// The ends of a segment that goes the other way.
    #[inline]
    pub(crate) fn swapped(self) -> Self {
        Self { src: self.dst, dst: self.src }
    }

    /// The same for both directions.
    #[inline]
    pub(crate) fn hash(self) -> u32 {
        let side = |(ip, port): (u128, u16)| {
            let folded = (ip as u64) ^ ((ip >> 64) as u64).rotate_left(29);
            (folded ^ u64::from(port) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let sum = side(self.src) ^ side(self.dst);
        ((sum ^ sum >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as u32
    }

    /// Goes to a multicast address or the limited broadcast.
    #[inline]
    pub(crate) fn to_group(self) -> bool {
        let (ip, _) = self.dst;
        let low = ip as u32;
        ip >> 120 == 0xff || (ip >> 32 == 0xffff && (low >> 28 == 0xe || low == u32::MAX))
    }
}

/// The first sixteen bytes as a number; the layout proved that they are there.
#[inline]
fn wide(bytes: &[u8]) -> u128 {
    bytes.first_chunk().map_or(0, |address| u128::from_be_bytes(*address))
}

impl Segment {
    /// A frame on the fast path: both headers at their places without options, all sums right.
    #[inline]
    pub(crate) fn fast(
        record: &Record,
        to: Option<u16>,
        flags: u16,
        payload: usize,
        owed: bool,
    ) -> Self {
        Self {
            prev: 0,
            hash: 0,
            net_at: 14,
            tcp_at: 34,
            payload: payload as u32,
            flags,
            from: record.port.0,
            to: to.unwrap_or(NOBODY),
            spared: record.deliberate,
            copies: record.deliveries,
            answered: 0,
            marks: TCP | SUMS | FAST | if owed { OWED } else { 0 },
        }
    }

    /// What a frame is to the reset checks; one that carries no TCP header is never looked at.
    #[inline]
    pub(crate) fn of(context: &FrameContext<'_>, sums: Sums, ports: &[PortFacts]) -> Self {
        let layout = context.layout;
        let mut segment = Self {
            prev: 0,
            hash: 0,
            net_at: layout.net_at as u32,
            tcp_at: layout.upper_at as u32,
            payload: 0,
            flags: 0,
            from: context.record.port.0,
            to: delivered_to(ports, context.record).unwrap_or(NOBODY),
            spared: context.spared,
            copies: context.record.deliveries,
            answered: 0,
            marks: if context.record.altered { ALTERED } else { 0 },
        };
        if layout.upper != Upper::Tcp {
            let odd = !layout.plain || layout.part != Part::Whole || layout.cut;
            if odd && layout.upper == Upper::Other && layout.fault.is_none() {
                segment.marks |= UNREAD;
            }
            return segment;
        }
        let word = be16(context.bytes, layout.upper_at + 12);
        segment.flags = word & 0x1ff;
        segment.marks |= TCP;
        if layout.net == Net::Ip6 {
            segment.marks |= IP6;
        }
        if sums.header && sums.upper {
            segment.marks |= SUMS;
        }
        if layout.part == Part::Whole && layout.fault.is_none() {
            let header = usize::from(word >> 12) * 4;
            segment.payload = (layout.end - layout.upper_at - header) as u32;
        } else {
            segment.marks |= OPAQUE;
        }
        segment
    }

    #[inline(always)]
    fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    #[inline]
    pub(crate) fn is_tcp(&self) -> bool {
        self.has(TCP)
    }

    #[inline]
    pub(crate) fn sums_hold(&self) -> bool {
        self.has(SUMS)
    }

    #[inline]
    pub(crate) fn is_altered(&self) -> bool {
        self.has(ALTERED)
    }

    #[inline]
    pub(crate) fn is_opaque(&self) -> bool {
        self.has(OPAQUE)
    }

    #[inline]
    pub(crate) fn is_owed(&self) -> bool {
        self.has(OWED)
    }

    /// Carries something that may be a segment and cannot be read here.
    #[inline]
    pub(crate) fn is_unread(&self) -> bool {
        self.has(UNREAD)
    }

    #[inline]
    pub(crate) fn took_fast_path(&self) -> bool {
        self.has(FAST)
    }

    /// From now on every copy delivered must be answered.
    #[inline]
    pub(crate) fn owe(&mut self) {
        self.marks |= OWED;
    }

    /// The port it was handed to.
    #[inline]
    pub(crate) fn to(&self) -> Option<u16> {
        (self.to != NOBODY).then_some(self.to)
    }

    /// How many copies were handed over, and how many answers found so far.
    #[inline]
    pub(crate) fn tally(&self) -> (u8, u8) {
        (self.copies, self.answered)
    }

    /// Each copy has its answer. 255 copies is where the count ends, so that says nothing.
    #[inline]
    pub(crate) fn is_answered(&self) -> bool {
        self.answered >= self.copies && self.copies < u8::MAX
    }

    /// SEG.LEN: payload, and one each for SYN and FIN (RFC 9293 3.4).
    #[inline]
    pub(crate) fn length(&self) -> u32 {
        self.payload.wrapping_add(u32::from(self.flags & 1) + u32::from(self.flags >> 1 & 1))
    }

    /// Both ends, from the frame's bytes. Inlined always: every segment comes by here, and handing
    /// 64 bytes back through memory is a tenth of what judging it costs.
    #[inline(always)]
    pub(crate) fn ends(&self, frame: &[u8]) -> Ends {
        let (net, tcp) = (self.net_at as usize, self.tcp_at as usize);
        let (src, dst) = if self.has(IP6) {
            (wide(&frame[net + 8..]), wide(&frame[net + 24..]))
        } else {
            let mapped = |at: usize| 0xffff_0000_0000 | u128::from(be32(frame, at));
            (mapped(net + 12), mapped(net + 16))
        };
        let ports = be32(frame, tcp);
        Ends { src: (src, (ports >> 16) as u16), dst: (dst, ports as u16) }
    }

    /// SEG.SEQ and SEG.ACK, from the frame's bytes.
    #[inline]
    pub(crate) fn numbers(&self, frame: &[u8]) -> (u32, u32) {
        let tcp = self.tcp_at as usize;
        (be32(frame, tcp + 4), be32(frame, tcp + 8))
    }
}

/// All frames so far.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    entries: Vec<Segment>,
    /// The latest frame of each chain, counted from 1; 0 for none. A power of two of them.
    heads: Vec<u32>,
    /// How many entries stand in the chains.
    chained: usize,
    /// Answers that are owed and did not come yet.
    owed: u64,
    /// The capture is one from elsewhere.
    watch: Option<Watch>,
}

impl Segments {
    /// Forgets what was, and makes room for a capture of so many frames.
    pub(crate) fn begin(&mut self, frames: usize) {
        self.entries.clear();
        self.entries.reserve(frames);
        self.heads.clear();
        self.chained = 0;
        self.owed = 0;
    }

    /// Adds the next frame.
    #[inline]
    pub(crate) fn push(&mut self, segment: Segment) {
        if segment.is_owed() {
            self.owed += u64::from(segment.copies);
        }
        self.entries.push(segment);
    }

    /// Brings the chains up to the latest frame, for whoever is about to follow one.
    pub(crate) fn link(&mut self, capture: &Capture) {
        if self.heads.is_empty() {
            // What shares a chain with others may not depend on how many frames a batch has.
            let chains = if self.is_watched() { CHAINS } else { capture.len() };
            self.heads.resize(chains.next_power_of_two().max(16), 0);
        }
        for (index, segment) in self.entries.iter_mut().enumerate().skip(self.chained) {
            if segment.is_tcp() {
                segment.hash = segment.ends(capture.frame(FrameId(index as u32))).hash();
                let chain = segment.hash as usize & (self.heads.len() - 1);
                segment.prev = std::mem::replace(&mut self.heads[chain], index as u32 + 1);
            }
        }
        self.chained = self.entries.len();
    }

    /// How many frames there are so far.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is known of an earlier frame.
    #[inline]
    pub(crate) fn get(&self, id: FrameId) -> Option<&Segment> {
        self.entries.get(id.index())
    }

    /// What a frame's scenario chose, with what the frame inherited.
    pub(crate) fn spared(&self, id: FrameId) -> Deliberate {
        self.entries.get(id.index()).map_or(Deliberate::NOTHING, |segment| segment.spared)
    }

    /// The earlier segments between two ends in both directions, latest first, with some others;
    /// those up to the last [`Segments::link`].
    #[inline]
    pub(crate) fn chain(&self, hash: u32) -> impl Iterator<Item = (FrameId, &Segment)> {
        let mut next = self.heads[hash as usize & (self.heads.len() - 1)];
        let first = self.horizon();
        std::iter::from_fn(move || {
            let index = next.checked_sub(1).filter(|index| *index as usize >= first)?;
            let segment = &self.entries[index as usize];
            next = segment.prev;
            Some((FrameId(index), segment))
        })
    }

    /// Notes that a segment got an answer.
    #[inline]
    pub(crate) fn answer(&mut self, id: FrameId) {
        if let Some(segment) = self.entries.get_mut(id.index()) {
            if segment.is_owed() && segment.answered < segment.copies {
                self.owed -= 1;
            }
            segment.answered = segment.answered.saturating_add(1);
        }
    }

    /// The segments with fewer answers than they must have.
    pub(crate) fn unanswered(&self, count: usize) -> impl Iterator<Item = (FrameId, &Segment)> {
        let all: &[Segment] = if self.owed == 0 { &[] } else { &self.entries[..count] };
        all.iter().enumerate().filter_map(|(index, segment)| {
            let short = segment.is_owed() && segment.answered < segment.copies;
            short.then_some((FrameId(index as u32), segment))
        })
    }

    /// Of the last `count` frames that `mine` accepts, one reached its port altered, or carries a
    /// segment that cannot be read here: a reset may answer what nobody else has seen.
    pub(crate) fn unclear_lately(&self, count: usize, mine: impl Fn(&Segment) -> bool) -> bool {
        self.entries
            .iter()
            .rev()
            .take(count)
            .any(|segment| segment.has(ALTERED | UNREAD) && mine(segment))
    }
}
