//! Checksums over datagrams that left in fragments: the pieces are kept in mind by where they lie
//! in the capture, and summed once all are there. A datagram whose fragments overlap has no one
//! content, and one of which a piece does not come has none: both are not judged, and reported so.

use std::collections::{BTreeMap, VecDeque};

use wire::checksum::Sum;
use wire::segment::{PseudoAddresses, is_tunnel_port};
use wire::{Capture, Deliberate, Duration, FrameId, Instant};

use crate::check::Finding;
use crate::checksums::{self, ICMP4_CHECKSUM, ICMP6_CHECKSUM, TCP_CHECKSUM, UDP_CHECKSUM};
use crate::context::FrameContext;
use crate::forward::Kin;
use crate::layout::{HeaderLayout, Net, be16, be32};
use crate::report::{Report, Why};

/// So many datagrams are put together at a time, each of so many fragments at most.
const MOST_DATAGRAMS: usize = 256;
const MOST_FRAGMENTS: usize = 2048;
/// After so long an identification may be used for another datagram, RFC 1122 3.3.2.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Which datagram a fragment is of: the emitting port, the IP version by the length of addresses,
/// the identification and, for IPv4, the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    port: u16,
    id: u32,
    protocol: u8,
    src: u128,
    dst: u128,
}

/// One piece: where it belongs, and where its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    from: usize,
    to: usize,
    frame: FrameId,
    at: usize,
}

/// A datagram of which pieces came.
#[derive(Debug)]
struct Pending {
    since: Instant,
    /// In the order of their places.
    pieces: Vec<Piece>,
    /// Where the last one ends.
    total: Option<usize>,
    /// What stands behind the IP header, by the first fragment.
    protocol: Option<u8>,
    /// The addresses that IPv6 sums, by the first fragment.
    summed: Option<PseudoAddresses>,
    first: FrameId,
    frames: usize,
    spared: Deliberate,
    /// Every fragment is passed on as it came.
    unchanged: bool,
    trouble: Option<Why>,
}

/// The datagrams that are not complete yet.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    pending: BTreeMap<Key, Pending>,
    /// In the order in which they began; some are complete since.
    order: VecDeque<(Key, Instant)>,
}

impl Fragments {
    /// Forgets what was.
    pub(crate) fn begin(&mut self) {
        self.pending.clear();
        self.order.clear();
    }

    /// Notes a fragment, and judges the datagram that it completes with others of the last
    /// `horizon` frames.
    #[cold]
    pub(crate) fn judge(
        &mut self,
        context: &FrameContext<'_>,
        horizon: usize,
        capture: &Capture,
        report: &mut Report,
    ) {
        let now = context.record.time;
        self.expire(now, report);
        let Some((key, piece, more)) = read(context) else { return };
        if let Some(pending) = self.pending.get(&key)
            && context.id.index() - pending.first.index() > horizon
            && let Some(pending) = self.pending.remove(&key)
        {
            pending.give_up(Why::Incomplete, report);
        }
        if !self.pending.contains_key(&key) {
            self.order.push_back((key, now));
        }
        let pending = self.pending.entry(key).or_insert_with(|| Pending::new(now, context.id));
        pending.add(context, piece, more, capture);
        if pending.is_complete() {
            let pending = self.pending.remove(&key);
            if let Some(pending) = pending
                && let Some(finding) = pending.finding(context, &key, capture)
            {
                report.findings.push(finding);
            }
        }
    }

    /// Gives up what is too old, or too much.
    fn expire(&mut self, now: Instant, report: &mut Report) {
        if self.order.len() > 4 * MOST_DATAGRAMS {
            let pending = &self.pending;
            self.order.retain(|(key, since)| pending.get(key).is_some_and(|p| p.since == *since));
        }
        while let Some((key, since)) = self.order.front().copied() {
            let current = self.pending.get(&key).is_some_and(|pending| pending.since == since);
            let full = self.pending.len() >= MOST_DATAGRAMS;
            if current && !full && now < since + TIMEOUT {
                return;
            }
            self.order.pop_front();
            if current && let Some(pending) = self.pending.remove(&key) {
                let why = if full { Why::Room } else { Why::Incomplete };
                pending.give_up(why, report);
            }
        }
    }

    /// The first frames are gone, and with them the datagrams of which they were pieces; those
    /// that are left count from 0 again.
    pub(crate) fn forget(&mut self, gone: usize, report: &mut Report) {
        let all = std::mem::take(&mut self.pending);
        for (key, mut pending) in all {
            if pending.first.index() < gone {
                pending.give_up(Why::Incomplete, report);
                continue;
            }
            pending.first.0 -= gone as u32;
            for piece in &mut pending.pieces {
                piece.frame.0 -= gone as u32;
            }
            self.pending.insert(key, pending);
        }
    }

    /// The capture ends: what is not complete is not judged.
    pub(crate) fn end(&mut self, report: &mut Report) {
        for pending in std::mem::take(&mut self.pending).into_values() {
            pending.give_up(Why::Incomplete, report);
        }
        self.order.clear();
    }
}

fn wide(address: &[u8]) -> u128 {
    match *address {
        [a, b, c, d] => u128::from(u32::from_be_bytes([a, b, c, d])),
        _ => address.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes)),
    }
}

/// The fragment that a frame carries: of which datagram, which piece, and whether more follow.
fn read(context: &FrameContext<'_>) -> Option<(Key, Piece, bool)> {
    let (layout, bytes) = (context.layout, context.bytes);
    let (src, dst) = layout.addresses(bytes);
    let (id, protocol, word) = match (layout.net, layout.fragment_at) {
        (Net::Ip4, _) => {
            let at = layout.net_at;
            let word = be16(bytes, at + 6);
            (u32::from(be16(bytes, at + 4)), bytes[at + 9], word << 3 | word >> 13 & 1)
        }
        (Net::Ip6, Some(at)) => (be32(bytes, at + 4), 0, be16(bytes, at + 2)),
        _ => return None,
    };
    let (from, more) = (usize::from(word & 0xfff8), word & 1 != 0);
    let to = from + layout.end.checked_sub(data_at(layout))?;
    let key = Key { port: context.record.port.0, id, protocol, src: wide(src), dst: wide(dst) };
    Some((key, Piece { from, to, frame: context.id, at: data_at(layout) }, more))
}

/// Where the fragment's share of the datagram begins.
fn data_at(layout: &HeaderLayout) -> usize {
    layout.fragment_at.map_or(layout.upper_at, |at| at + 8)
}

impl Pending {
    fn new(since: Instant, first: FrameId) -> Self {
        Self {
            since,
            pieces: Vec::new(),
            total: None,
            protocol: None,
            summed: None,
            first,
            frames: 0,
            spared: Deliberate::NOTHING,
            unchanged: true,
            trouble: None,
        }
    }

    fn add(&mut self, context: &FrameContext<'_>, piece: Piece, more: bool, capture: &Capture) {
        self.spared = self.spared.with(context.spared);
        self.frames += 1;
        self.unchanged &= context.passed.is_some_and(|passed| passed.kin == Kin::Same);
        let layout = context.layout;
        if layout.cut {
            self.trouble = self.trouble.or(Some(Why::Cut));
        } else if layout.unread == Some(Why::SourceRoute) {
            self.trouble = self.trouble.or(Some(Why::SourceRoute));
        } else if self.frames > MOST_FRAGMENTS {
            self.trouble = self.trouble.or(Some(Why::Room));
        }
        if piece.from == 0 {
            let headers = context.bytes.get(layout.net_at..piece.at).unwrap_or_default();
            self.summed = PseudoAddresses::behind(headers).filter(|_| layout.net == Net::Ip6);
            self.protocol = Some(match layout.fragment_at {
                Some(at) => context.bytes[at],
                None => context.bytes[layout.net_at + 9],
            });
        }
        if !more {
            let other = self.total.is_some_and(|total| total != piece.to);
            self.trouble = self.trouble.or(other.then_some(Why::Overlap));
            self.total = Some(piece.to);
        }
        if self.trouble.is_none() {
            self.place(piece, capture);
        }
    }

    /// Puts a piece in its place. One that came before is no other content, where it is the same.
    fn place(&mut self, piece: Piece, capture: &Capture) {
        let place = self.pieces.partition_point(|other| other.from < piece.from);
        let overlaps = |other: Option<&Piece>| {
            other.is_some_and(|other| other.from < piece.to && piece.from < other.to)
        };
        let before = place.checked_sub(1).and_then(|before| self.pieces.get(before));
        let after = self.pieces.get(place);
        if after.is_some_and(|after| after.is_again(&piece, capture)) {
            return;
        }
        if overlaps(before) || overlaps(after) {
            self.trouble = Some(Why::Overlap);
        } else if piece.to > piece.from {
            self.pieces.insert(place, piece);
        }
    }

    /// Every piece came, without a gap.
    fn is_complete(&self) -> bool {
        let Some(total) = self.total else { return false };
        if self.trouble.is_some() || self.pieces.last().is_none_or(|last| last.to != total) {
            return false;
        }
        let mut end = 0;
        self.pieces.iter().all(|piece| std::mem::replace(&mut end, piece.to) == piece.from)
    }

    fn give_up(self, why: Why, report: &mut Report) {
        let why = self.trouble.unwrap_or(why);
        // A frame that was cut is reported as such already.
        if !matches!(why, Why::Cut | Why::SourceRoute) {
            report.pass_over_some(why, self.first, self.frames);
        }
    }

    /// The finding about a datagram whose sum is wrong.
    fn finding(&self, context: &FrameContext<'_>, key: &Key, capture: &Capture) -> Option<Finding> {
        let total = self.total?;
        let v4 = context.layout.net == Net::Ip4;
        let (check, place) = match (self.protocol?, v4) {
            (6, _) => (&TCP_CHECKSUM, 16),
            (17, _) => (&UDP_CHECKSUM, 6),
            (1, true) => (&ICMP4_CHECKSUM, 2),
            (58, false) => (&ICMP6_CHECKSUM, 2),
            _ => return None,
        };
        if self.unchanged || self.spared.has(Deliberate::TRANSPORT_CHECKSUM) || total < place + 2 {
            return None;
        }
        let mut head = [0; 8];
        self.copy_head(capture, &mut head);
        let udp = check == &UDP_CHECKSUM;
        // A UDP length that is less than the datagram's leaves options behind (RFC 9868).
        let length = if udp { usize::from(be16(&head, 4)) } else { total };
        if length > total || length < place + 2 {
            return None;
        }
        let sum = match (v4, check == &ICMP4_CHECKSUM) {
            (_, true) => Sum::new(),
            (true, _) => {
                let (src, dst) = (key.src as u32, key.dst as u32);
                let (src, dst) = (src.to_be_bytes(), dst.to_be_bytes());
                Sum::pseudo_ip4(src, dst, self.protocol?, length as u16)
            }
            (false, _) => {
                let PseudoAddresses { src, dst } = self.summed?;
                Sum::pseudo_ip6(src, dst, self.protocol?, length as u32)
            }
        };
        if udp && be16(&head, 6) == 0 && (v4 || is_tunnel_port(be16(&head, 2))) {
            return None;
        }
        let pieces = || self.pieces.iter().map(|piece| piece.of(capture, length));
        let missing = udp && be16(&head, 6) == 0;
        if !missing && pieces().fold(sum, Sum::bytes).checksum() == 0 {
            return None;
        }
        let whole: Vec<u8> = pieces().flatten().copied().collect();
        Some(checksums::wrong_whole(context, check, sum, &whole, place))
    }

    /// The first bytes, wherever a fragment ends.
    fn copy_head(&self, capture: &Capture, head: &mut [u8; 8]) {
        let bytes = self.pieces.iter().flat_map(|piece| piece.of(capture, usize::MAX));
        head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
}

impl Piece {
    /// The other is the same piece once more.
    fn is_again(&self, other: &Self, capture: &Capture) -> bool {
        (self.from, self.to) == (other.from, other.to)
            && self.of(capture, usize::MAX) == other.of(capture, usize::MAX)
    }

    /// Its bytes, up to a place in the datagram.
    fn of<'a>(&self, capture: &'a Capture, limit: usize) -> &'a [u8] {
        let len = self.to.min(limit).saturating_sub(self.from);
        &capture.frame(self.frame)[self.at..self.at + len]
    }
}
