//! Reassembly of IPv4 fragments at a host, RFC 791 3.2 under the rules of RFC 5722 on overlap,
//! which Linux holds for IPv4 too. Knows no TCP; sees only fragments whose header is sound.

use std::collections::BTreeMap;

use wire::segment::{IpPacket, LinkHeader};
use wire::{Duration, Instant};

use super::ip4;

/// How long a datagram may take from its first piece to its last.
const PATIENCE: Duration = Duration::from_secs(30);

/// Memory held at once, `net.ipv4.ipfrag_high_thresh`; once beyond it, every piece is dropped.
const MEMORY_MAX: usize = 4 << 20;

/// Memory that a waiting datagram takes beside its pieces, as measured on Linux 6.18 (x86-64).
const WAITING_MEMORY: usize = 200;

/// Pieces of one source that may come between two of a datagram before it starts anew.
const DISTANCE_MAX: u64 = 64;

/// Source, destination, identification and protocol: what makes pieces one datagram's.
type Key = ([u8; 4], [u8; 4], [u8; 2], u8);

/// The datagrams that wait for more.
#[derive(Clone, Debug, Default)]
pub(super) struct Fragments {
    waiting: BTreeMap<Key, Waiting>,
    /// Pieces seen of each source.
    seen: BTreeMap<[u8; 4], u64>,
    memory: usize,
}

/// A whole datagram: the first piece's header, whose checksum stays that of the piece, and the
/// body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole(Vec<u8>);

impl Whole {
    pub(super) fn datagram(&self) -> Option<IpPacket<'_>> {
        IpPacket::behind(&self.0, LinkHeader { ethertype: 0x0800, len: 0 }).ok()
    }
}

#[derive(Clone, Debug)]
struct Waiting {
    since: Instant,
    header: Vec<u8>,
    /// Bytes by where they start. A piece that arrives right behind the farthest run joins it;
    /// any other stands alone, though it may touch its neighbours.
    runs: BTreeMap<usize, Vec<u8>>,
    /// The end of the last piece, or the farthest end seen.
    end: usize,
    has_last: bool,
    /// The four codepoints of ECN seen, a bit each.
    ecn: u8,
    ordinal: u64,
    /// What it and its pieces take of [`MEMORY_MAX`].
    memory: usize,
}

/// What a piece does to its datagram.
enum Place {
    Taken,
    Doubled,
    Spoilt,
}

impl Fragments {
    /// Takes a piece that came in a frame of `frame_len` bytes; gives the datagram when it was the
    /// last that lacked.
    pub(super) fn take(
        &mut self,
        now: Instant,
        piece: &IpPacket<'_>,
        frame_len: usize,
    ) -> Option<Whole> {
        self.forget(now);
        let ((src, dst), h) = (ip4::ends(piece), piece.header());
        let key = (src, dst, [h[4], h[5]], piece.protocol());
        if self.memory > MEMORY_MAX {
            return None;
        }
        let seen = self.seen.entry(key.0).or_insert(0);
        *seen += 1;
        let ordinal = *seen;
        let waiting = self.waiting.entry(key).or_insert_with(|| {
            self.memory += WAITING_MEMORY;
            Waiting::new(now, ordinal)
        });
        if ordinal - waiting.ordinal > DISTANCE_MAX {
            self.memory -= waiting.memory - WAITING_MEMORY;
            *waiting = Waiting::new(now, ordinal);
        }
        waiting.ordinal = ordinal;
        match waiting.place(piece) {
            Place::Taken => {
                let memory = piece_memory(frame_len);
                waiting.memory += memory;
                self.memory += memory;
                if waiting.is_whole() { self.remove(&key)?.join() } else { None }
            }
            Place::Doubled => None,
            Place::Spoilt => {
                self.remove(&key);
                None
            }
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Waiting> {
        let waiting = self.waiting.remove(key)?;
        self.memory -= waiting.memory;
        Some(waiting)
    }

    fn forget(&mut self, now: Instant) {
        let memory = &mut self.memory;
        self.waiting.retain(|_, waiting| {
            let stays = now.since(waiting.since) < PATIENCE;
            if !stays {
                *memory -= waiting.memory;
            }
            stays
        });
    }
}

/// Memory that a piece takes while it waits: that of the buffer which holds its frame, padding and
/// all. Buffers come in three sizes, as measured on Linux 6.18 (x86-64) behind a veth pair.
fn piece_memory(frame_len: usize) -> usize {
    match frame_len {
        0..=240 => 832,
        241..=688 => 1280,
        _ => 2304,
    }
}

impl Waiting {
    fn new(since: Instant, ordinal: u64) -> Self {
        Self {
            since,
            header: Vec::new(),
            runs: BTreeMap::new(),
            end: 0,
            has_last: false,
            ecn: 0,
            ordinal,
            memory: WAITING_MEMORY,
        }
    }

    /// Puts a piece where it belongs. A piece that contradicts another, or is empty, spoils the
    /// whole datagram; one that lies within a run is a double, and is dropped alone.
    fn place(&mut self, piece: &IpPacket<'_>) -> Place {
        let start = usize::from(piece.fragment_offset());
        let mut end = start + piece.payload().len();
        if piece.more_fragments() {
            end &= !7;
            if end > self.end {
                if self.has_last {
                    return Place::Spoilt;
                }
                self.end = end;
            }
        } else {
            if end < self.end || (self.has_last && end != self.end) {
                return Place::Spoilt;
            }
            self.has_last = true;
            self.end = end;
        }
        if end <= start {
            return Place::Spoilt;
        }
        let body = &piece.payload()[..end - start];
        let tail = self.runs.last_entry().map(|run| run.key() + run.get().len());
        if tail.is_none_or(|tail| tail < end) {
            match (tail, self.runs.last_entry()) {
                (Some(tail), _) if start < tail => return Place::Spoilt,
                (Some(tail), Some(mut run)) if start == tail => {
                    run.get_mut().extend_from_slice(body);
                }
                _ => drop(self.runs.insert(start, body.to_vec())),
            }
        } else {
            let mut runs = self.runs.iter().map(|(&from, run)| (from, from + run.len()));
            if let Some((from, to)) = runs.find(|&(from, to)| start < to && from < end) {
                let inside = from <= start && end <= to;
                return if inside { Place::Doubled } else { Place::Spoilt };
            }
            self.runs.insert(start, body.to_vec());
        }
        self.ecn |= 1 << (piece.tos() & 3);
        if start == 0 {
            self.header = piece.header().to_vec();
            self.header[6..8].fill(0);
        }
        Place::Taken
    }

    fn bytes(&self) -> usize {
        self.runs.values().map(Vec::len).sum()
    }

    fn is_whole(&self) -> bool {
        self.has_last && !self.header.is_empty() && self.bytes() == self.end
    }

    /// RFC 3168 5.3: pieces that are and are not ECN-capable make no datagram.
    fn join(self) -> Option<Whole> {
        let mixed = self.ecn & 1 != 0 && self.ecn & !1 != 0;
        let total = u16::try_from(self.header.len() + self.end).ok().filter(|_| !mixed)?;
        let mut bytes = self.header;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes.extend(self.runs.into_values().flatten());
        Some(Whole(bytes))
    }
}
