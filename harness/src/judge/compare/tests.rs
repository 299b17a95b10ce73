//! The comparison's own tests: what it must object to, bit by bit, and what masks permit.

use std::sync::Arc;

use super::*;

fn capture(frames: &[(u64, &[u8])]) -> Capture {
    let mut capture = Capture::new();
    let port = capture.add_interface("a:eth0");
    for (time, frame) in frames {
        capture.push(Instant::from_nanos(*time), port, frame);
    }
    capture
}

#[test]
fn one_missing_frame_is_one_difference() {
    let golden = capture(&[(0, b"one"), (1, b"two"), (2, b"three")]);
    let actual = capture(&[(0, b"one"), (2, b"three")]);
    let found = compare(&golden, &actual, &[], true);
    assert!(matches!(found.differences[..], [Difference::Missing { golden: FrameId(1) }]));
    let found = compare(&actual, &golden, &[], true);
    assert!(matches!(found.differences[..], [Difference::Extra { frame: FrameId(1) }]));
}

#[test]
fn time_counts_on_an_exact_wire_only() {
    let golden = capture(&[(0, b"one")]);
    let late = capture(&[(1, b"one")]);
    assert_eq!(compare(&golden, &late, &[], true).differences.len(), 1);
    assert_eq!(compare(&golden, &late, &[], false).differences.len(), 0);
}

#[test]
fn another_emitter_is_a_difference() {
    let golden = capture(&[(0, b"one")]);
    let mut other = Capture::new();
    let port = other.add_interface("b:eth0");
    other.push(Instant::ZERO, port, b"one");
    let found = compare(&golden, &other, &[], true);
    assert!(matches!(found.differences[..], [Difference::Emitter { .. }]));
}

/// An Ethernet frame of two VLAN tags, an IPv4 header with four bytes of options, and a TCP header.
fn frame() -> Vec<u8> {
    let link = "0200000000fe 020000000001 8100 4005 8100 2006 0800";
    let ip4 = "4600 002c 1234 4000 4006 0000 0a000001 0a000002 01010100";
    let tcp = "0fa0 0050 00000001 00000000 5002 ffff 0000 0000";
    wire::hex::decode(&[link, ip4, tcp].concat().replace(' ', "")).unwrap()
}

/// Where the headers of [`frame`] begin, in bits.
const IP4: usize = 22 * 8;
const TCP: usize = IP4 + 24 * 8;

fn mask(field: &'static wire::Field, frames: &[u32], from: &[&str]) -> Mask {
    Mask {
        field,
        frames: frames.iter().copied().map(FrameId).collect(),
        from: Arc::new(from.iter().map(|&emitter| emitter.to_owned()).collect()),
        reason: "differs each run".into(),
    }
}

fn flipped(frame: &[u8], bit: usize) -> Vec<u8> {
    let mut other = frame.to_vec();
    other[bit / 8] ^= 0x80 >> (bit % 8);
    other
}

/// The bits of [`frame`] that may differ from the golden, each tried alone.
fn free_bits(masks: &[Mask]) -> Vec<usize> {
    let frame = frame();
    let golden = capture(&[(0, &frame)]);
    let is_free = |bit: &usize| {
        let found = compare(&golden, &capture(&[(0, &flipped(&frame, *bit))]), masks, true);
        assert_eq!(found.masked.len(), usize::from(found.differences.is_empty()), "bit {bit}");
        found.differences.is_empty()
    };
    (0..frame.len() * 8).filter(is_free).collect()
}

#[test]
fn without_a_mask_no_bit_may_differ_and_no_byte_be_there_or_not() {
    assert_eq!(free_bits(&[]), [0_usize; 0]);
    let frame = frame();
    let longer = [&frame[..], &[0]].concat();
    let masks = [mask(&wire::fields::tcp::URGENT, &[], &[])];
    for other in [&longer[..], &frame[..frame.len() - 1]] {
        for masks in [&[][..], &masks] {
            let found = compare(&capture(&[(0, &frame)]), &capture(&[(0, other)]), masks, true);
            assert!(matches!(found.differences[..], [Difference::Bytes { .. }]));
        }
    }
}

#[test]
fn a_mask_hides_the_bits_of_its_field_and_no_others() {
    use wire::fields::{eth, ip4, tcp, vlan};
    let last = frame().len() * 8;
    let rows = [
        (&eth::DST, 0..48),
        (&ip4::ID, IP4 + 32..IP4 + 48),
        (&ip4::FLAGS, IP4 + 48..IP4 + 51),
        (&ip4::RESERVED, IP4 + 48..IP4 + 49),
        (&ip4::DF, IP4 + 49..IP4 + 50),
        (&ip4::MF, IP4 + 50..IP4 + 51),
        (&ip4::FRAGMENT_OFFSET, IP4 + 51..IP4 + 64),
        (&ip4::ECN, IP4 + 14..IP4 + 16),
        (&ip4::OPTIONS, IP4 + 160..IP4 + 192),
        (&tcp::FLAGS, TCP + 103..TCP + 112),
        (&tcp::URGENT, last - 16..last),
    ];
    for (field, bits) in rows {
        assert_eq!(free_bits(&[mask(field, &[], &[])]), bits.collect::<Vec<_>>(), "{}", field.key);
    }
    let tags: Vec<_> = (14 * 8 + 4..16 * 8).chain(18 * 8 + 4..20 * 8).collect();
    assert_eq!(free_bits(&[mask(&vlan::ID, &[], &[])]), tags, "in both layers");
    let both = [mask(&ip4::DF, &[], &[]), mask(&ip4::TTL, &[], &[])];
    let bits: Vec<_> = [IP4 + 49].into_iter().chain(IP4 + 64..IP4 + 72).collect();
    assert_eq!(free_bits(&both), bits, "several masks");
}

#[test]
fn a_mask_ends_where_the_frame_does() {
    let cut = &frame()[..IP4 / 8 + 5];
    let other = flipped(cut, IP4 + 39);
    let masks = [mask(&wire::fields::ip4::ID, &[], &[]), mask(&wire::fields::ip4::DST, &[], &[])];
    let found = compare(&capture(&[(0, cut)]), &capture(&[(0, &other)]), &masks, true);
    assert_eq!((found.differences.len(), found.masked.len()), (0, 1));
}

/// The frames, of five, whose IPv4 identification may differ: each has its own emitter.
fn free_frames(mask: &Mask) -> Vec<usize> {
    let all = |differs: Option<usize>| {
        let mut capture = Capture::new();
        for (at, emitter) in ["a:eth0", "a:eth1", "b:eth0", "ab:eth0", "b:a"].iter().enumerate() {
            let port = capture.add_interface(*emitter);
            let frame = frame();
            let frame = if differs == Some(at) { flipped(&frame, IP4 + 32) } else { frame };
            capture.push(Instant::ZERO, port, &frame);
        }
        capture
    };
    let mask = std::slice::from_ref(mask);
    let is_free =
        |at: &usize| compare(&all(None), &all(Some(*at)), mask, true).differences.is_empty();
    (0..5).filter(is_free).collect()
}

#[test]
fn a_mask_holds_for_its_frames_and_emitters_and_no_others() {
    let free =
        |frames: &[u32], from: &[&str]| free_frames(&mask(&wire::fields::ip4::ID, frames, from));
    assert_eq!(free(&[], &[]), [0, 1, 2, 3, 4]);
    assert_eq!(free(&[1], &[]), [1]);
    assert_eq!(free(&[0, 4], &[]), [0, 4]);
    assert_eq!(free(&[9], &[]), [0_usize; 0]);
    assert_eq!(free(&[], &["a"]), [0, 1], "a node, on each of its ports");
    assert_eq!(free(&[], &["a:eth1"]), [1]);
    assert_eq!(free(&[], &["b:eth0", "ab"]), [2, 3]);
    assert_eq!(free(&[], &["c"]), [0_usize; 0]);
    assert_eq!(free(&[1, 2], &["b"]), [2], "both must hold");
    assert_eq!(free(&[1], &["b"]), [0_usize; 0]);
}

#[test]
fn places_are_those_of_the_captures_wherever_a_difference_stands() {
    let letters = |text: &str, late: Option<usize>| {
        let time = |at: usize| at as u64 * 10 + u64::from(late == Some(at));
        let frames: Vec<_> =
            text.bytes().enumerate().map(|(at, byte)| (time(at), [byte])).collect();
        let frames: Vec<(u64, &[u8])> =
            frames.iter().map(|(time, frame)| (*time, frame.as_slice())).collect();
        capture(&frames)
    };
    let found = |old: &str, new: &str, late| {
        let found = compare(&letters(old, None), &letters(new, late), &[], true);
        assert_eq!(found.frames, new.len());
        let place = |difference: &Difference| match difference {
            Difference::Missing { golden } => ("missing", golden.0, 0),
            Difference::Extra { frame } => ("extra", frame.0, 0),
            Difference::Bytes { golden, frame, .. } => ("bytes", golden.0, frame.0),
            Difference::Time { frame, .. } => ("time", frame.0, 0),
            other => panic!("{other:?}"),
        };
        found.differences.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(found("abcde", "abcde", None), []);
    for late in 0..5 {
        assert_eq!(found("abcde", "abcde", Some(late)), [("time", late as u32, 0)]);
    }
    // Between two that differ one is alike, and late.
    let both = [("bytes", 2, 2), ("bytes", 4, 4)];
    assert_eq!(found("abcdefg", "abxdyfg", None), both);
    assert_eq!(found("abcdefg", "abxdyfg", Some(3)), [both[0], ("time", 3, 0), both[1]]);
    assert_eq!(found("abcdefg", "abxdyfg", Some(5)), [both[0], both[1], ("time", 5, 0)]);
    assert_eq!(found("abcd", "abd", None), [("missing", 2, 0), ("time", 2, 0)]);
    assert_eq!(found("abd", "abcd", None), [("extra", 2, 0), ("time", 3, 0)]);
    assert_eq!(found("aaa", "aa", None), [("missing", 2, 0)]);
    // A mask that was needed names the frame of the run.
    let (one, other) = (frame(), flipped(&frame(), IP4 + 64));
    let golden = capture(&[(0, b"x"), (1, b"y"), (2, &one), (3, b"z"), (4, b"w")]);
    let actual = capture(&[(0, b"x"), (1, b"v"), (2, &other), (3, b"u"), (4, b"w")]);
    let masks = [mask(&wire::fields::ip4::TTL, &[], &[])];
    let found = compare(&golden, &actual, &masks, false);
    assert_eq!(found.masked.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [2]);
    assert_eq!(found.differences.len(), 2);
}
