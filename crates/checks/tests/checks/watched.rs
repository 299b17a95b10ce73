//! As `changed.rs`, for captures from elsewhere: what an observer finds, leaves aside and takes the
//! hosts for when one thing in a capture is another, over every link type.

use std::fmt::Write;

use wire::{Frame, FrameId, Instant, LinkType, PortId};

use crate::changed::{Line, Outcome, Table, others};
use crate::checks::observed::{Observer, Settings};
use crate::observed::{
    Seen, a_copy_is_no_second_emission, a_reset_is_held_against_the_segment_that_it_answers,
    checksums_left_to_an_interface_are_one_line,
    loopback_and_other_links_are_judged_as_far_as_they_go, watched_by,
    what_began_before_the_capture_is_no_finding,
};
use crate::support::{
    A_MAC, A4, A6, ACK, B_MAC, B4, B6, RST, SYN, Seg, checksum, eth, ip4, ip6, patch, summed,
    tagged,
};

const TABLE: &str = include_str!("watched.txt");

/// Captures that have more frames than this are left as they are.
const MOST_FRAMES: usize = 6;

/// Link types with what stands before the datagram in place of Ethernet's header, for IPv4 and
/// IPv6.
const LINKS: [(LinkType, [&[u8]; 2]); 10] = [
    (LinkType::Ethernet, [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0], &[]]),
    (LinkType::Raw, [&[], &[]]),
    (LinkType::Ip4, [&[], &[]]),
    (LinkType::Ip6, [&[], &[]]),
    (LinkType::Null, [&[2, 0, 0, 0], &[30, 0, 0, 0]]),
    (LinkType::Loop, [&[0, 0, 0, 2], &[0, 0, 0, 30]]),
    (LinkType::Ppp, [&[0xff, 3, 0, 0x21], &[0, 0x57]]),
    (LinkType::PppHdlc, [&[0, 0x21], &[0xff, 3, 0, 0x57]]),
    (
        LinkType::Sll,
        [
            &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0],
            &[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x86, 0xdd],
        ],
    ),
    (
        LinkType::Sll2,
        [
            &[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
            &[0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        ],
    ),
];

fn outcome(link: LinkType, frames: &[Seen], settings: &Settings, cut: usize) -> Outcome {
    let mut observer = Observer::new(settings.clone());
    for (place, (millis, interface, bytes)) in (0..).zip(frames) {
        let original_len = bytes.len();
        let bytes = &bytes[..original_len - cut.min(original_len)];
        let frame = Frame { bytes, link, original_len, fcs_len: 0 };
        let time = Instant::from_nanos(millis * 1_000_000);
        observer.push(FrameId(place), time, PortId(*interface), frame);
    }
    let all = observer.finish();
    let mut told = String::new();
    for found in &all.findings {
        let (id, frame, trigger) = (found.check.id, found.frame, found.trigger);
        let _ = write!(told, "{id}{frame:?}{trigger:?}{}{};", found.expected, found.actual);
    }
    for one in &all.unjudged {
        let _ = write!(told, "{one};");
    }
    for host in &all.hosts {
        let _ = write!(told, "{} {} {};", host.name, host.frames, host.guess);
    }
    let _ = write!(told, "{:?}{:?}{:?}{}", all.counts, all.routers, all.absent, all.frames);
    Outcome { ids: all.findings.iter().map(|found| found.check.id).collect(), told }
}

fn line(name: &str, (link, ip): (LinkType, usize), captures: &[(Vec<Seen>, Settings)]) -> String {
    let mut line = Line::default();
    for (frames, settings) in captures.iter().filter(|(all, _)| all.len() <= MOST_FRAMES) {
        let mut with = |frames: &[Seen]| line.add(&outcome(link, frames, settings, 0));
        with(frames);
        for at in 0..frames.len() {
            let mut change = |change: &dyn Fn(&mut Seen)| {
                let mut other = frames.clone();
                change(&mut other[at]);
                with(&other);
            };
            for bytes in others(&frames[at].2, ip).into_iter().step_by(2) {
                change(&|seen| seen.2 = bytes.clone());
            }
            for later in [100, 101, 999, 1001, 3000] {
                change(&|seen| seen.0 += later);
            }
            change(&|seen| seen.1 += 1);
            let mut other = frames.clone();
            other.remove(at);
            with(&other);
            let mut other = frames.clone();
            other.insert(at, frames[at].clone());
            with(&other);
        }
        for cut in [1, 9, 20, 30, 40, 60] {
            line.add(&outcome(link, frames, settings, cut));
        }
        for (whole, none) in [(true, false), (false, false), (true, true), (false, true)] {
            let given = if none { Vec::new() } else { settings.given.clone() };
            let settings = Settings { whole, given, ..Settings::default() };
            line.add(&outcome(link, frames, &settings, 0));
        }
        let each = Settings { batch_frames: 1, ..settings.clone() };
        line.add(&outcome(link, frames, &each, 0));
        let small = Settings { batch_bytes: 100, ..settings.clone() };
        line.add(&outcome(link, frames, &small, 0));
    }
    line.text(name)
}

/// An ask and its reset, and what else hosts say to each other, as datagrams.
fn talk() -> [Vec<Vec<u8>>; 2] {
    let both = |v6: bool| {
        let seg = |seg: Seg| seg.with(|seg| seg.v6 = v6).frame()[14..].to_vec();
        let options = vec![2, 4, 5, 0xb4];
        vec![
            seg(Seg::ask(SYN, 7, 0).with(|seg| seg.options = options)),
            seg(Seg::answer(RST | ACK, 0, 8)),
        ]
    };
    [both(false), both(true)]
}

/// Frames between two hosts that are no TCP over IPv4.
fn others_over_ethernet() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let udp = |src: &[u8], dst: &[u8]| {
        summed(src, dst, 17, vec![0x9c, 0x40, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4], 6)
    };
    let echo = vec![8, 0, 0, 0, 0, 7, 0, 9, 1, 2];
    let echo = patch(echo.clone(), 2, &checksum(&[&echo]));
    let arp = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &A_MAC, &A4, &[0; 6], &B4].concat();
    let unfilled = |v6: bool| {
        let (src, dst): (&[u8], &[u8]) = if v6 { (&A6, &B6) } else { (&A4, &B4) };
        let sum = checksum(&[src, dst, &[0, 17, 0, 12]]);
        let message = patch(udp(src, dst), 6, &[!sum[0], !sum[1]]);
        match v6 {
            true => eth(B_MAC, A_MAC, 0x86dd, &ip6(A6, B6, 64, 17, &message)),
            false => eth(B_MAC, A_MAC, 0x0800, &ip4(A4, B4, 64, 17, &message)),
        }
    };
    let udp4 = eth(B_MAC, A_MAC, 0x0800, &ip4(A4, B4, 64, 17, &udp(&A4, &B4)));
    let udp6 = eth(B_MAC, A_MAC, 0x86dd, &ip6(A6, B6, 64, 17, &udp(&A6, &B6)));
    let [syn, reset] = [Seg::ask(SYN, 7, 0).frame(), Seg::answer(RST | ACK, 0, 8).frame()];
    vec![
        ("udp", vec![udp4, udp6]),
        ("udp left to an interface", vec![unfilled(false), unfilled(true)]),
        (
            "echo and arp",
            vec![
                eth(B_MAC, A_MAC, 0x0800, &ip4(A4, B4, 64, 1, &echo)),
                eth([0xff; 6], A_MAC, 0x0806, &arp),
            ],
        ),
        ("in VLANs", vec![tagged(syn, &[10]), tagged(reset, &[10, 20])]),
        (
            "an accepted connection",
            vec![
                Seg::ask(SYN, 7, 0).frame(),
                Seg::answer(SYN | ACK, 90, 8).frame(),
                Seg::ask(ACK, 8, 91).frame(),
            ],
        ),
        ("a connection from before", vec![Seg::ask(ACK, 8, 91).frame()]),
    ]
}

fn plain(frames: Vec<Vec<u8>>) -> Vec<(Vec<Seen>, Settings)> {
    let seen = |(millis, bytes)| (millis, 0, bytes);
    vec![((0..).zip(frames).map(seen).collect(), Settings::default())]
}

#[test]
fn no_verdict_near_a_capture_of_the_tests_changes_unnoticed() {
    let mut table = Table::new("watched.txt", TABLE);
    let tests: [(&str, fn()); 5] = [
        ("copies", a_copy_is_no_second_emission),
        ("resets", a_reset_is_held_against_the_segment_that_it_answers),
        ("checksums", checksums_left_to_an_interface_are_one_line),
        ("loopback", loopback_and_other_links_are_judged_as_far_as_they_go),
        ("begun before", what_began_before_the_capture_is_no_finding),
    ];
    for (name, test) in tests {
        table.holds(&line(name, (LinkType::Ethernet, 14), &watched_by(test)));
    }
    for (name, frames) in others_over_ethernet() {
        table.holds(&line(name, (LinkType::Ethernet, 14), &plain(frames)));
    }
    for (link, heads) in LINKS {
        for (head, datagrams) in heads.into_iter().zip(talk()) {
            let behind = |datagram: Vec<u8>| [head, &datagram].concat();
            let frames = plain(datagrams.into_iter().map(behind).collect());
            table.holds(&line(&format!("{link:?} {}", head.len()), (link, head.len()), &frames));
        }
    }
    table.ends();
}
