//! The last value that a rule takes and the first that it does not, where a case of two captures
//! for each check leaves the border open.

use wire::Deliberate;

use crate::checks::Answers;
use crate::support::{
    A_MAC, A4, A6, ACK, B_MAC, B4, B6, C_MAC, C4, Run, SYN, Seg, alone, checksum, eth, ip4, ip6,
    patch, resum, summed,
};

const NONE: [&str; 0] = [];
const ABOUT: &str = "icmp-error-about";

fn from_b(kind: u16, packet: &[u8]) -> Vec<u8> {
    eth(A_MAC, B_MAC, kind, packet)
}

#[test]
fn an_ip4_header_may_end_the_frame_and_not_go_past_it() {
    let bare = from_b(0x0800, &ip4(B4, A4, 64, 254, &[]));
    assert_eq!(alone(&bare).bites(), NONE, "five words of five");
    let words = |ihl: u8, frame: &[u8]| patch(frame.to_vec(), 14, &[0x40 | ihl]);
    for ihl in [0, 4, 6, 15] {
        assert_eq!(alone(&words(ihl, &bare)).bites(), ["ip4-lengths"], "{ihl} words of five");
    }
    let four = from_b(0x0800, &ip4(B4, A4, 64, 254, &[1, 1, 1, 1]));
    assert_eq!(alone(&resum(words(6, &four))).bites(), NONE, "six words of six");
    assert_eq!(alone(&words(7, &four)).bites(), ["ip4-lengths"], "seven words of six");
}

#[test]
pub(crate) fn behind_a_routing_header_tcp_is_read_once_no_segment_is_left() {
    let spoilt = patch(Seg::answer(ACK, 1, 2).with(|seg| seg.v6 = true).segment(), 15, &[3]);
    let behind = |kind: u8, header: [u8; 8]| {
        let packet = ip6(B6, A6, 64, kind, &[&header[..], &spoilt].concat());
        alone(&from_b(0x86dd, &packet)).bites()
    };
    assert_eq!(behind(43, [6, 0, 0, 0, 0, 0, 0, 0]), ["tcp-checksum"]);
    for left in [1, 255] {
        assert_eq!(behind(43, [6, 0, 0, left, 0, 0, 0, 0]), NONE, "{left} segments left");
    }
    // In other headers the same byte is another field.
    assert_eq!(behind(60, [6, 0, 1, 4, 0, 0, 0, 0]), ["tcp-checksum"]);
}

fn error4(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    let message = [&[kind, code, 0, 0, 0, 0, 0, 0], quote].concat();
    let sum = checksum(&[&message]);
    from_b(0x0800, &ip4(B4, A4, 64, 1, &patch(message, 2, &sum)))
}

fn error6(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    let message = [&[kind, code, 0, 0, 0, 0, 0, 0], quote].concat();
    from_b(0x86dd, &ip6(B6, A6, 64, 58, &summed(&B6, &A6, 58, message, 2)))
}

#[test]
fn a_quote_is_judged_from_a_whole_ip_header_on() {
    let bites = |frame: Vec<u8>| alone(&frame).bites().contains(&ABOUT);
    let later = patch(ip4(A4, B4, 9, 254, &[]), 7, &[1]);
    assert!(bites(error4(3, 3, &later)), "all of a header, and no more");
    for length in [0, 8, 12, 19] {
        assert!(!bites(error4(3, 3, &later[..length])), "{length} bytes");
    }
    assert!(!bites(error4(3, 3, &patch(later.clone(), 0, &[0x65]))), "another version");
    let group = ip6(A6, [0xff; 16], 9, 59, &[]);
    assert!(bites(error6(1, 0, &group)));
    for length in [0, 16, 39] {
        assert!(!bites(error6(1, 0, &group[..length])), "{length} bytes");
    }
    assert!(!bites(error6(1, 0, &patch(group, 0, &[0x40]))), "another version");
}

/// RFC 4443 2.4 (e.3): what path MTU discovery and options need.
const EXCEPTED: [(u8, u8); 3] = [(2, 0), (2, 1), (4, 2)];
const NOT_EXCEPTED: [(u8, u8); 6] = [(1, 0), (1, 2), (3, 2), (4, 0), (4, 1), (5, 2)];

#[test]
fn two_errors_of_ip6_may_answer_a_group_and_no_others() {
    let group = ip6(A6, [0xff; 16], 9, 59, &[7; 4]);
    let bites = |(kind, code)| alone(&error6(kind, code, &group)).bites().contains(&ABOUT);
    assert!(EXCEPTED.into_iter().all(|error| !bites(error)));
    for error in NOT_EXCEPTED {
        assert!(bites(error), "{error:?}");
    }
}

/// An error about a datagram in a frame to `dst`, which the wire may have changed underway.
fn bites_after(dst: [u8; 6], asked: &[u8], kind: u16, error: &[u8], altered: bool) -> bool {
    let mut run = Run::of(Answers::Unknown);
    let cause = run.script(0, &eth(dst, A_MAC, kind, asked));
    run.caused(1, cause, error);
    run.set(cause, |record| record.altered = altered);
    run.bites().contains(&ABOUT)
}

#[test]
pub(crate) fn no_error_answers_a_group_addressed_frame_but_the_two_of_ip6() {
    let asked = ip4(A4, B4, 9, 254, &[7; 8]);
    let bites = |dst, kind, code, altered| {
        bites_after(dst, &asked, 0x0800, &error4(kind, code, &asked), altered)
    };
    // Over IPv4 the two are other errors: none is excepted.
    for (kind, code) in [(3, 3), (4, 2), (4, 0), (11, 0), (12, 2)] {
        assert!(bites([0xff; 6], kind, code, false), "{kind} {code}");
        assert!(bites([1, 0, 0x5e, 0, 0, 1], kind, code, false), "{kind} {code}");
        assert!(!bites(B_MAC, kind, code, false), "{kind} {code}");
        assert!(!bites([0xff; 6], kind, code, true), "who knows what it was addressed to");
    }
    let asked = ip6(A6, B6, 9, 59, &[7; 8]);
    let bites =
        |dst, (kind, code)| bites_after(dst, &asked, 0x86dd, &error6(kind, code, &asked), false);
    let group = [0x33, 0x33, 0, 0, 0, 1];
    assert!(EXCEPTED.into_iter().all(|error| !bites(group, error)));
    for error in NOT_EXCEPTED {
        assert!(bites(group, error) && !bites(B_MAC, error), "{error:?}");
    }
}

#[test]
fn a_closed_port_owes_a_reset_to_legal_options_and_none_to_broken_ones() {
    let unanswered = |flags, options: &[u8]| {
        let mut run = Run::closed();
        let ask = Seg::ask(flags, 7, 0).with(|seg| seg.options = options.to_vec());
        run.script(0, &ask.frame());
        run.bites()
    };
    let legal: [&[u8]; 5] = [&[], &[1, 1, 1, 1], &[2, 4, 5, 0xb4], &[1, 0, 0, 0], &[254, 4, 9, 9]];
    for options in legal {
        assert_eq!(unanswered(SYN, options), ["rst-missing"], "{options:02x?}");
    }
    // One in the wrong segment is a sender's fault, and the list can still be read.
    assert_eq!(unanswered(ACK, &[2, 4, 5, 0xb4]), ["rst-missing"]);
    let broken: [&[u8]; 4] = [&[2, 3, 5, 1], &[254, 1, 0, 0], &[1, 254, 4, 0], &[0, 1, 0, 0]];
    for options in broken {
        assert_eq!(unanswered(SYN, options), NONE, "{options:02x?}");
    }
}

#[test]
pub(crate) fn a_router_is_shown_which_hops_it_may_pass_on() {
    let told = |before: u8, after: u8| {
        let mut run = Run::routed();
        let asked = eth(B_MAC, A_MAC, 0x0800, &ip4(A4, C4, before, 254, &[5]));
        let id = run.frame(0, &asked);
        run.set(id, |record| record.deliberate = Deliberate::HOPS);
        run.frame(2, &eth(C_MAC, [2, 0, 0, 0, 0, 12], 0x0800, &ip4(A4, C4, after, 254, &[5])));
        let found = run.judge();
        let of_hops = found.iter().find(|finding| finding.check.id == "forward-hops");
        of_hops.map(|finding| (finding.expected.clone(), finding.actual.clone()))
    };
    let wrong = |expected: &str, actual: &str| Some((expected.to_owned(), actual.to_owned()));
    assert_eq!(told(0, 255), wrong("no frame", "255"));
    assert_eq!(told(1, 0), wrong("no frame", "0"));
    assert_eq!(told(1, 1), wrong("no frame", "1"));
    assert_eq!(told(2, 2), wrong("1", "2"));
    assert_eq!(told(2, 0), wrong("1", "0"));
    assert_eq!(told(3, 3), wrong("1 to 2", "3"));
    assert_eq!(told(255, 255), wrong("1 to 254", "255"));
    for (before, after) in [(2, 1), (3, 2), (3, 1), (255, 254)] {
        assert_eq!(told(before, after), None, "{before} to {after}");
    }
}

/// Kind, the lengths that it can have up to 12, and what a finding then says.
const LENGTHS: [(u8, &[u8], &str); 6] = [
    (2, &[4], "4, inside the header"),
    (3, &[3], "3, inside the header"),
    (4, &[2], "2, inside the header"),
    (5, &[10], "8n + 2, inside the header"),
    (8, &[10], "10, inside the header"),
    (254, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "2 or more, inside the header"),
];

#[test]
fn an_option_has_the_lengths_of_its_kind_and_no_other() {
    for (kind, right, expected) in LENGTHS {
        for length in 0..=12 {
            let mut options = vec![1; 12];
            (options[0], options[1]) = (kind, length);
            let frame = Seg::answer(SYN, 1, 0).with(|seg| seg.options = options).frame();
            let found = alone(&frame).judge();
            if right.contains(&length) {
                assert!(found.is_empty(), "{kind} of {length}: {found:?}");
                continue;
            }
            let found: Vec<_> =
                found.iter().map(|one| (one.check.id, one.expected.as_str())).collect();
            assert_eq!(found, [("tcp-options", expected)], "{kind} of {length}");
        }
    }
}
