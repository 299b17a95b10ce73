//! Which bits a comparison leaves aside, to the bit.

use super::*;

/// An IPv4 datagram with one option of four bytes and a TCP header; its sums are right.
fn frame() -> Vec<u8> {
    let link = "020000000002 020000000001 0800";
    let ip4 = "4600 002c 1234 4000 4006 1284 0a000001 0a000002 01010100";
    let tcp = "0fa0 0050 00000001 00000000 5002 ffff 8c58 0000";
    let mut frame = wire::hex::decode(&[link, ip4, tcp].concat().replace(' ', "")).unwrap();
    let sums = [(14..38, 24, None), (38..58, 54, Some(&frame[26..34]))];
    let sums = sums.map(|(part, at, ends)| {
        let mut all = frame[part].to_vec();
        let place = at - if ends.is_some() { 38 } else { 14 };
        all[place..place + 2].fill(0);
        if let Some(ends) = ends {
            all.extend(ends.iter().chain(&[0, 6, 0, 20]));
        }
        (at, wire::checksum::internet_checksum(&all))
    });
    for (at, sum) in sums {
        frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    frame
}

fn ignoring(words: &[&str]) -> Ignored {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    Ignored::parse(&words).unwrap()
}

/// The bits of a frame of ones at these headers that are set to zero.
fn hidden(words: &[&str], frame: &[u8]) -> Vec<usize> {
    let hidden = ignoring(words).hidden(frame.into()).expect("something is hidden");
    let bit = |bytes: &[u8], bit: usize| bytes[bit / 8] >> (7 - bit % 8) & 1;
    (0..frame.len() * 8)
        .filter(|at| {
            assert!(bit(&hidden, *at) <= bit(frame, *at), "bit {at} is set");
            bit(&hidden, *at) != bit(frame, *at)
        })
        .collect()
}

/// Of these bits those that are set in the frame.
fn set(frame: &[u8], bits: impl IntoIterator<Item = usize>) -> Vec<usize> {
    bits.into_iter().filter(|bit| frame[bit / 8] >> (7 - bit % 8) & 1 == 1).collect()
}

fn bytes(range: Range<usize>) -> Range<usize> {
    range.start * 8..range.end * 8
}

#[test]
fn a_field_is_hidden_and_the_sums_that_follow_from_it() {
    let frame = frame();
    let sums = || bytes(24..26).chain(bytes(54..56));
    let is = |words: &[&str], bits: &[usize]| {
        let mut wanted = set(&frame, bits.iter().copied().chain(sums()));
        wanted.sort_unstable();
        wanted.dedup();
        assert_eq!(hidden(words, &frame), wanted, "{words:?}");
    };
    is(&["ip4.ttl"], &bytes(22..23).collect::<Vec<_>>());
    is(&["ip4.id"], &bytes(18..20).collect::<Vec<_>>());
    is(&["tcp.window"], &bytes(52..54).collect::<Vec<_>>());
    is(&["ip4.ihl"], &(14 * 8 + 4..15 * 8).collect::<Vec<_>>());
    is(&["mac"], &bytes(0..12).collect::<Vec<_>>());
    is(&["tcp"], &bytes(38..58).collect::<Vec<_>>());
    is(&["ip4"], &bytes(14..38).collect::<Vec<_>>());
    is(&["ip4.options"], &bytes(34..38).collect::<Vec<_>>());
}

#[test]
fn a_sum_that_is_wrong_is_compared() {
    let mut frame = frame();
    frame[55] ^= 1;
    let sums = set(&frame, bytes(24..26));
    let ttl = set(&frame, bytes(22..23));
    assert_eq!(hidden(&["ip4.ttl"], &frame), [ttl, sums].concat());
}

#[test]
fn names_and_times_hide_no_byte_and_a_frame_may_be_cut() {
    let frame = frame();
    for words in [&[][..], &["interface"], &["time"], &["interface", "time"]] {
        assert_eq!(ignoring(words).hidden(frame.as_slice().into()), None, "{words:?}");
    }
    let cut = Frame { original_len: frame.len(), ..Frame::from(&frame[..40]) };
    let hidden = ignoring(&["tcp"]).hidden(cut).unwrap();
    assert_eq!((&hidden[..24], &hidden[26..38]), (&frame[..24], &frame[26..38]));
    assert_eq!(hidden[38..], [0; 2]);
}

/// The paths of what is left of the differences between two frames.
fn left(words: &[&str], one: &[u8], other: &[u8]) -> Vec<String> {
    let (one, other) = (Frame::from(one), Frame::from(other));
    let all = wire::diff::diff(one, other);
    ignoring(words).left(all, one, other).into_iter().map(|diff| diff.path).collect()
}

#[test]
fn what_is_left_of_the_differences_is_what_is_not_ignored() {
    let one = frame();
    let mut other = one.clone();
    (other[0], other[22], other[53]) = (6, 63, 0xfe);
    // The sums of the other are wrong now, so they are no consequence: they are equal.
    let all = ["eth.dst", "ip4.ttl", "tcp.window"];
    assert_eq!(left(&[], &one, &other), all);
    assert_eq!(left(&["time"], &one, &other), all);
    assert_eq!(left(&["ip4.ttl"], &one, &other), ["eth.dst", "tcp.window"]);
    assert_eq!(left(&["mac"], &one, &other), ["ip4.ttl", "tcp.window"]);
    assert_eq!(left(&["tcp"], &one, &other), ["eth.dst", "ip4.ttl"]);
    assert_eq!(left(&["ip4", "mac", "tcp.window"], &one, &other), [""; 0]);
    // Sums that are right on both sides follow from the rest; one that is wrong does not.
    let resummed = |ttl: u8, sum: [u8; 2]| {
        let mut frame = one.clone();
        frame[22] = ttl;
        frame[24..26].copy_from_slice(&sum);
        frame
    };
    let sum = (u16::from_be_bytes([one[24], one[25]]) + 0x0100).to_be_bytes();
    assert_eq!(left(&["ip4.ttl"], &one, &resummed(63, sum)), [""; 0]);
    assert_eq!(left(&["ip4.ttl"], &one, &resummed(63, [1, 2])), ["ip4.checksum"]);
    assert_eq!(left(&["ip4.id"], &one, &resummed(63, sum)), ["ip4.ttl"]);
}

#[test]
fn what_an_error_quotes_is_not_the_layer_that_is_ignored() {
    let around = |ttl: u8, inner: u8| {
        let link = "020000000002 020000000001 0800";
        let ip4 = "4500 0038 0001 0000 4001 0000 0a000001 0a000002 0303 0000 0000 0000";
        let quote = "4500 001c 0001 0000 4011 0000 0a000002 0a000001 0fa0 0035 0008 0000";
        let mut frame = wire::hex::decode(&[link, ip4, quote].concat().replace(' ', "")).unwrap();
        (frame[22], frame[50]) = (ttl, inner);
        frame
    };
    assert_eq!(left(&["ip4"], &around(64, 64), &around(63, 62)), ["quote.ip4.ttl"]);
    assert_eq!(left(&["ip4.ttl"], &around(64, 64), &around(63, 62)), ["quote.ip4.ttl"]);
}
