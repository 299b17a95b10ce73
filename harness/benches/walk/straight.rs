//! The same work as the walk's, written by hand for this one scenario: each length, place and
//! address is a constant, and there is no queue, no port and no case but the one that comes. What
//! is left is what any program has to do: copy, verify, answer, verify.

use std::hint::black_box;

use super::{BATCH, custom_packet};

/// Bytes of the trigger and of the reset.
const ASK: usize = 70;
const RESET: usize = 54;

/// The stations and hosts, as they stand in the frames.
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const BACK: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const HOSTS: [u8; 8] = [10, 0, 0, 1, 10, 0, 0, 2];

/// What is kept of a frame beside its bytes: when, by whom, because of which, and where it begins.
type Record = (u64, u16, u32, u32);

/// A capture of its own, used again after each batch.
pub(super) struct Straight {
    arena: Vec<u8>,
    records: Vec<Record>,
    ask: Vec<u8>,
    in_flight: usize,
}

impl Straight {
    pub(super) fn new(in_flight: usize) -> Self {
        let (arena, records) =
            (Vec::with_capacity(BATCH * (ASK + RESET)), Vec::with_capacity(2 * BATCH));
        Self { arena, records, ask: custom_packet(), in_flight }
    }

    /// As many walks as a batch has, in bursts of so many frames, and their judgement.
    pub(super) fn batch(&mut self) {
        let Self { arena, records, ask, in_flight } = self;
        arena.clear();
        records.clear();
        let mut now = 0;
        for _ in 0..BATCH / *in_flight {
            let (first, start) = (records.len(), arena.len());
            for _ in 0..*in_flight {
                records.push((now, 0, u32::MAX, arena.len() as u32));
                arena.extend_from_slice(black_box(ask));
            }
            now += 1_000;
            for number in 0..*in_flight {
                let at = start + number * ASK;
                let asked = arena[at..].first_chunk::<ASK>().expect("a frame");
                let reset = answer(asked).expect("a frame to answer");
                records.push((now, 1, (first + number) as u32, arena.len() as u32));
                arena.extend_from_slice(&reset);
            }
            now += 1_000;
        }
        let right = records.iter().all(|(_, port, cause, at)| {
            let bytes = &arena[*at as usize..];
            if *port == 0 {
                return bytes.first_chunk::<ASK>().is_some_and(asks);
            }
            let asked = &arena[records[*cause as usize].3 as usize..];
            bytes
                .first_chunk::<RESET>()
                .zip(asked.first_chunk::<ASK>())
                .is_some_and(|(reset, asked)| resets(reset, asked))
        });
        assert!(black_box(right), "every frame is right");
    }
}

/// The reset that a segment to the second host asks for.
#[inline]
fn answer(frame: &[u8; ASK]) -> Option<[u8; RESET]> {
    if !asks(frame) || frame[47] & 0x14 != 0 {
        return None;
    }
    let mut reset = [0; RESET];
    reset[..12].copy_from_slice(&BACK);
    reset[12..24].copy_from_slice(&[0x08, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6]);
    reset[26..30].copy_from_slice(&frame[30..34]);
    reset[30..34].copy_from_slice(&frame[26..30]);
    reset[34..36].copy_from_slice(&frame[36..38]);
    reset[36..38].copy_from_slice(&frame[34..36]);
    reset[42..46].copy_from_slice(&after(frame).to_be_bytes());
    reset[46..48].copy_from_slice(&[0x50, 0x14]);
    let header = !fold(sum(&reset, 14, 34));
    reset[24..26].copy_from_slice(&header.to_le_bytes());
    let tcp = !fold(sum(&reset, 26, RESET) + pseudo(RESET));
    reset[50..52].copy_from_slice(&tcp.to_le_bytes());
    Some(reset)
}

/// Nothing is wrong with a segment of the first host's to the second.
#[inline]
fn asks(frame: &[u8; ASK]) -> bool {
    frame[..12] == MACS && frame[26..34] == HOSTS && is_plain(frame)
}

/// Nothing is wrong with a reset, and it is the one that the segment asks for.
#[inline]
fn resets(reset: &[u8; RESET], asked: &[u8; ASK]) -> bool {
    reset[..12] == BACK
        && reset[26..30] == HOSTS[4..]
        && reset[30..34] == HOSTS[..4]
        && is_plain(reset)
        && reset[34..36] == asked[36..38]
        && reset[36..38] == asked[34..36]
        && reset[38..42] == [0; 4]
        && reset[42..46] == after(asked).to_be_bytes()
        && reset[47] == 0x14
}

/// The acknowledgment of all that the segment, which has a FIN, occupies.
#[inline]
fn after(frame: &[u8; ASK]) -> u32 {
    let seq = u32::from_be_bytes([frame[38], frame[39], frame[40], frame[41]]);
    seq.wrapping_add((ASK - RESET) as u32 + 1)
}

/// Headers without options, whole and not reserved, with both checksums right.
#[inline]
fn is_plain<const N: usize>(frame: &[u8; N]) -> bool {
    frame[12..16] == [0x08, 0, 0x45, 0]
        && frame[16..18] == (N as u16 - 14).to_be_bytes()
        && frame[20..24] == [0x40, 0, 64, 6]
        && frame[46] == 0x50
        && fold(sum(frame, 14, 34)) == 0xffff
        && fold(sum(frame, 26, N) + pseudo(N)) == 0xffff
}

/// Protocol and length of the pseudo-header; its addresses stand in the frame before the segment.
#[inline]
fn pseudo(frame_len: usize) -> u64 {
    let [high, low] = (frame_len as u16 - 34).to_be_bytes();
    u64::from(u32::from_le_bytes([0, 6, high, low]))
}

/// The sum of 32-bit words; places and lengths are known where it is called.
#[inline]
fn sum<const N: usize>(frame: &[u8; N], from: usize, to: usize) -> u64 {
    let (words, rest) = frame[from..to].as_chunks::<4>();
    debug_assert!(rest.is_empty());
    words.iter().map(|word| u64::from(u32::from_le_bytes(*word))).sum()
}

#[inline]
fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    (sum as u16).wrapping_add((sum >> 16) as u16)
}
