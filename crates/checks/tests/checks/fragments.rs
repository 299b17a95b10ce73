//! Cases for sums over fragments, and for what of them is not judged.

use std::ops::Range;

use crate::bites::Case;
use crate::checks::{Answers, Why};
use crate::support::{
    A_MAC, A4, A6, B_MAC, B4, B6, RST, Run, Seg, checksum, eth, ip4, ip6, patch, resum, summed,
};

pub(crate) const CASES: &[Case] = &[
    Case("udp-checksum", || pieces4(17, &udp(true, 9), &[]), || pieces4(17, &udp(true, 0), &[])),
    Case("udp-checksum", || pieces4(17, &first_only(), &[]), || pieces4(17, &udp(false, 0), &[])),
    Case("udp-checksum", || pieces6(17, &udp6(false)), || pieces6(17, &udp6(true))),
    Case("tcp-checksum", || pieces4(6, &tcp(9), &[]), || pieces4(6, &tcp(0), &[])),
    Case("icmp4-checksum", || pieces4(1, &echo(9), &[]), || pieces4(1, &echo(0), &[])),
    Case("icmp6-checksum", || pieces6(58, &echo6(9)), || pieces6(58, &echo6(0))),
    Case("udp-checksum", || pieces4(17, &udp(true, 9), &[1]), || pieces4(17, &udp(true, 0), &[1])),
];

fn spoilt(mut message: Vec<u8>, spoil: u8) -> Vec<u8> {
    message[12] ^= spoil;
    message
}

fn plain() -> Vec<u8> {
    (0..40)
        .map(|n| [0, 53, 0, 99, 0, 40].get(n).copied().unwrap_or(if n < 8 { 0 } else { 1 }))
        .collect()
}

fn udp(sum: bool, spoil: u8) -> Vec<u8> {
    spoilt(if sum { summed(&B4, &A4, 17, plain(), 6) } else { plain() }, spoil)
}

/// The sum covers what the first fragment carries, and no more.
fn first_only() -> Vec<u8> {
    let first = summed(&B4, &A4, 17, plain()[..16].to_vec(), 6);
    patch(plain(), 6, &first[6..8])
}

fn udp6(sum: bool) -> Vec<u8> {
    if sum { summed(&B6, &A6, 17, plain(), 6) } else { plain() }
}

fn tcp(spoil: u8) -> Vec<u8> {
    let segment = Seg::answer(0x10, 1, 2).with(|seg| seg.payload = vec![3; 20]).segment();
    patch(segment.clone(), 30, &[segment[30] ^ spoil])
}

fn echo(spoil: u8) -> Vec<u8> {
    let message = patch(vec![5; 40], 0, &[0, 0, 0, 0]);
    let sum = checksum(&[&message]);
    spoilt(patch(message, 2, &sum), spoil)
}

fn echo6(spoil: u8) -> Vec<u8> {
    spoilt(summed(&B6, &A6, 58, patch(vec![5; 40], 0, &[129, 0, 0, 0]), 2), spoil)
}

/// A piece of a message in an IPv4 fragment from B.
fn piece4(protocol: u8, message: &[u8], place: Range<usize>) -> Vec<u8> {
    let more = u8::from(place.end < message.len()) << 5;
    let word = [more, (place.start / 8) as u8];
    let ip = ip4(B4, A4, 64, protocol, &message[place]);
    resum(patch(eth(A_MAC, B_MAC, 0x0800, &ip), 20, &word))
}

/// The message in three fragments, of which the middle one comes last; those named come twice.
fn pieces4(protocol: u8, message: &[u8], twice: &[usize]) -> Run {
    let mut run = Run::of(Answers::Unknown);
    for (index, place) in [0..16, 24..message.len(), 16..24].into_iter().enumerate() {
        for _ in 0..=usize::from(twice.contains(&index)) {
            run.frame(1, &piece4(protocol, message, place.clone()));
        }
    }
    run
}

fn pieces6(protocol: u8, message: &[u8]) -> Run {
    let mut run = Run::of(Answers::Unknown);
    for place in [24..message.len(), 0..24] {
        let more = u8::from(place.end < message.len());
        let header = [protocol, 0, 0, place.start as u8 | more, 0, 0, 0, 9];
        let payload = [&header[..], &message[place]].concat();
        run.frame(1, &eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 44, &payload)));
    }
    run
}

fn unjudged(run: &Run) -> Vec<(Why, u32, u64)> {
    run.report().unjudged().map(|one| (one.why, one.frame.0, one.count)).collect()
}

#[test]
fn the_finding_stands_at_the_fragment_that_completes_it() {
    let run = pieces4(17, &udp(true, 9), &[]);
    let found = run.judge();
    assert_eq!(found[0].frame, Some(wire::FrameId(2)));
    assert_eq!(unjudged(&run), []);
}

#[test]
fn fragments_that_never_complete_are_reported_as_not_judged() {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &Seg::answer(0x10, 1, 2).frame());
    run.frame(1, &piece4(17, &udp(true, 9), 0..16));
    run.frame(1, &piece4(17, &udp(true, 9), 24..40));
    assert!(run.bites().is_empty());
    assert_eq!(unjudged(&run), [(Why::Incomplete, 1, 2)]);
    let told: Vec<String> = run.report().unjudged().map(|one| one.to_string()).collect();
    let words =
        "2 frames from frame 2: fragment of a datagram that is not complete: no sum over it";
    assert_eq!(told, [words]);
}

#[test]
pub(crate) fn fragments_that_overlap_are_not_judged() {
    for place in [8..24, 0..24, 8..40] {
        let mut run = Run::of(Answers::Unknown);
        for place in [0..16, place, 24..40] {
            run.frame(1, &piece4(17, &udp(true, 9), place));
        }
        assert!(run.bites().is_empty());
        assert_eq!(unjudged(&run), [(Why::Overlap, 0, 3)]);
    }
}

#[test]
pub(crate) fn an_identification_that_is_used_again_later_is_another_datagram() {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &piece4(17, &udp(true, 9), 0..16));
    let message = udp(true, 0);
    for place in [16..40, 0..16] {
        let time = wire::Instant::from_nanos(61_000_000_000);
        let id = run.capture.push(time, wire::PortId(1), &piece4(17, &message, place));
        run.set(id, |record| record.deliveries = 1);
    }
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    assert_eq!(unjudged(&run), [(Why::Incomplete, 0, 1)]);
}

#[test]
fn datagrams_beyond_the_room_are_given_up_and_reported() {
    let mut run = Run::of(Answers::Unknown);
    for id in 0..600u16 {
        let piece = patch(piece4(17, &udp(true, 9), 0..16), 18, &id.to_be_bytes());
        run.frame(1, &resum(piece));
    }
    let all = unjudged(&run);
    assert_eq!(all.iter().map(|(.., count)| count).sum::<u64>(), 600);
    assert!(all.iter().any(|(why, ..)| *why == Why::Room), "{all:?}");
}

#[test]
pub(crate) fn what_stands_above_ip_and_is_not_known_is_reported() {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 50, &[1; 20])));
    run.frame(1, &eth(A_MAC, B_MAC, 0x8847, &[1; 20]));
    run.frame(1, &Seg::answer(RST, 1, 2).frame());
    run.frame(1, &eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 50, &[1; 20])));
    let told: Vec<String> = run.report().unjudged().map(|one| one.to_string()).collect();
    assert_eq!(
        told,
        [
            "frame 2: EtherType 0x8847 is not taken apart",
            "2 frames from frame 1: IP protocol 50 (ESP, encrypted) is not taken apart"
        ]
    );
}
