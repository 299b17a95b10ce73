//! Captures from elsewhere: who emitted what, copies, checksums that an interface fills in,
//! connections that began before, and batches that change nothing.

use std::cell::RefCell;
use std::net::IpAddr;

use proptest::prelude::*;
use wire::{Frame, FrameId, Instant, LinkType, Mac, PortId, PortSet};

use crate::checks::Answers;
use crate::checks::observed::{Aside, Given, HORIZON, Observed, Observer, Part, Settings};
use crate::support::{A_MAC, ACK, B_MAC, B4, BROADCAST, C_MAC, RST, SYN, Seg, patch, resum};

/// A frame of a capture: milliseconds, interface, bytes.
pub(crate) type Seen = (u64, u16, Vec<u8>);

/// Captures, each with how it is judged.
type Watched = Vec<(Vec<Seen>, Settings)>;

thread_local! {
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
}

/// Every capture that a test hands to an observer.
pub(crate) fn watched_by(test: fn()) -> Watched {
    WATCHED.set(Some(Vec::new()));
    test();
    WATCHED.take().unwrap_or_default()
}

pub(crate) fn observed(frames: &[Seen], settings: Settings) -> Observed {
    WATCHED.with_borrow_mut(|kept| {
        if let Some(kept) = kept {
            kept.push((frames.to_vec(), settings.clone()));
        }
    });
    let mut observer = Observer::new(settings);
    for (place, (millis, interface, bytes)) in (0..).zip(frames) {
        let time = Instant::from_nanos(millis * 1_000_000);
        observer.push(FrameId(place), time, PortId(*interface), bytes.into());
    }
    observer.finish()
}

fn guessed(frames: &[Seen]) -> Vec<&'static str> {
    observed(frames, Settings::default()).findings.iter().map(|found| found.check.id).collect()
}

fn host(part: Part) -> Given {
    Given {
        addresses: vec![IpAddr::from(B4)],
        broadcasts: vec![BROADCAST.into()],
        stations: Vec::new(),
        part,
    }
}

/// B has every port closed, and nothing came before.
fn closed() -> Settings {
    let given = vec![host(Part::Judged(Answers::ClosedPorts(PortSet::all())))];
    Settings { given, whole: true, ..Settings::default() }
}

fn with_closed(frames: &[Seen]) -> Vec<&'static str> {
    observed(frames, closed()).findings.iter().map(|found| found.check.id).collect()
}

fn syn() -> Vec<u8> {
    Seg::ask(SYN, 7, 0).frame()
}

fn reset(ack: u32) -> Vec<u8> {
    Seg::answer(RST | ACK, 0, ack).frame()
}

#[test]
pub(crate) fn a_reset_is_held_against_the_segment_that_it_answers() {
    assert_eq!(with_closed(&[(0, 0, syn()), (1, 0, reset(8))]), [""; 0]);
    assert_eq!(with_closed(&[(0, 0, syn()), (1, 0, reset(9))]), ["rst-ack"]);
    assert_eq!(with_closed(&[(0, 0, syn())]), ["rst-missing"]);
    // Of a host of which nothing is known, a fresh SYN asks for as much, and silence for nothing.
    assert_eq!(guessed(&[(0, 0, syn()), (1, 0, reset(9))]), ["rst-ack"]);
    assert_eq!(guessed(&[(0, 0, syn())]), [""; 0]);
    let to_many = Seg::ask(SYN, 7, 0).with(|seg| seg.to = ([0xff; 6], BROADCAST, seg.to.2, 80));
    let frames = [(0, 0, to_many.frame()), (1, 0, reset(8))];
    assert_eq!(with_closed(&frames), ["rst-on-broadcast"]);
}

#[test]
pub(crate) fn what_began_before_the_capture_is_no_finding() {
    // An abort in the middle of a connection: RST,ACK in answer to data with ACK.
    let data = Seg::ask(ACK, 100, 500).with(|seg| seg.payload = vec![1; 9]).frame();
    let abort = Seg::answer(RST | ACK, 500, 100).frame();
    assert_eq!(guessed(&[(0, 0, data.clone()), (1, 0, abort.clone())]), [""; 0]);
    // The capture saw one direction of what opened it.
    assert_eq!(guessed(&[(0, 0, syn()), (1, 0, data), (2, 0, abort)]), [""; 0]);
    // A closed port's reset whose segment came before the capture.
    let begun = Settings { whole: false, ..closed() };
    assert!(observed(&[(0, 0, reset(8))], begun.clone()).findings.is_empty());
    assert_eq!(with_closed(&[(0, 0, reset(8))]), ["rst-unprovoked"]);
    // A second later it would have been in the capture.
    let other = Seg::ask(ACK, 1, 1).with(|seg| seg.from.3 = 9).frame();
    let answer = Seg::answer(RST, 1, 0).with(|seg| seg.to.3 = 9).frame();
    let frames = [(0, 0, other), (0, 0, answer), (1001, 0, reset(8))];
    let found = observed(&frames, begun).findings;
    assert_eq!(found.iter().map(|found| found.check.id).collect::<Vec<_>>(), ["rst-unprovoked"]);
}

#[test]
pub(crate) fn a_copy_is_no_second_emission() {
    // Another interface, as `-i any` shows it.
    let any = [(0, 0, syn()), (0, 1, syn()), (1, 1, reset(8)), (1, 0, reset(8))];
    let found = observed(&any, closed());
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!((found.unjudged[0].why, found.unjudged[0].count), (Aside::CopyOnInterface, 2));
    // The other side of a router.
    let hop = |frame: Vec<u8>, macs: [[u8; 6]; 2]| {
        let frame = patch(patch(frame, 0, &macs[0]), 6, &macs[1]);
        resum(patch(frame, 22, &[63]))
    };
    let routed = [
        (0, 0, syn()),
        (0, 0, hop(syn(), [C_MAC, B_MAC])),
        (1, 0, reset(8)),
        (1, 0, hop(reset(8), [A_MAC, C_MAC])),
    ];
    let found = observed(&routed, Settings::default());
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!(found.unjudged[0].why, Aside::CopyBehindRouter);
    assert_eq!(found.routers, [(Mac(B_MAC), 1), (Mac(C_MAC), 1)]);
    // A mirror port shows the reset twice; a host that is known to be closed sent it twice.
    let twice = [(0, 0, syn()), (1, 0, reset(8)), (1, 0, reset(8))];
    assert_eq!(guessed(&twice), [""; 0]);
    assert_eq!(with_closed(&twice), ["rst-doubled"]);
    // A retransmission comes later, and is answered again.
    let again = [(0, 0, syn()), (1, 0, reset(8)), (900, 0, syn()), (901, 0, reset(8))];
    assert_eq!(with_closed(&again), [""; 0]);
}

/// The sum over the pseudo-header alone, not complemented: what a kernel leaves to an interface.
fn unfilled(frame: Vec<u8>) -> Vec<u8> {
    let length = (frame.len() - 34) as u16;
    let [one, two] = length.to_be_bytes();
    let sum = crate::support::checksum(&[&frame[26..34], &[0, 6, one, two]]);
    patch(frame, 50, &[!sum[0], !sum[1]])
}

#[test]
pub(crate) fn checksums_left_to_an_interface_are_one_line() {
    let ask = |number: u32| unfilled(Seg::ask(SYN, number, 0).frame());
    let frames: Vec<Seen> = (0..20)
        .flat_map(|number| {
            let answer = Seg::answer(RST | ACK, 0, number + 1).frame();
            [(u64::from(number) * 2, 0, ask(number)), (u64::from(number) * 2 + 1, 0, answer)]
        })
        .collect();
    let found = observed(&frames, Settings::default());
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    let line = found.unjudged[0].to_string();
    assert!(line.starts_with("20 frames from frame 1, of 10.0.0.1: checksum offload"), "{line}");
    // One frame among right ones is wrong.
    let mut frames: Vec<Seen> =
        (0..20).map(|number| (number, 0, Seg::ask(ACK, number as u32, 1).frame())).collect();
    frames.push((21, 0, ask(99)));
    assert_eq!(guessed(&frames), ["tcp-checksum"]);
    // Resets of closed ports are filled in by the kernel itself, frames that an interface cuts into
    // segments are left to it as well, and a frame that the capture cut shows its sum.
    let long = unfilled(Seg::answer(ACK, 7, 1).with(|seg| seg.payload = vec![0; 4000]).frame());
    let mut frames: Vec<Seen> = Vec::new();
    for number in 0..4u64 {
        frames.push((number * 9, 0, ask(number as u32)));
        frames.push((number * 9 + 1, 0, Seg::answer(RST | ACK, 0, number as u32 + 1).frame()));
        frames.push((number * 9 + 2, 0, long.clone()));
    }
    frames.push((50, 0, unfilled(Seg::answer(ACK, 9, 1).frame())));
    assert_eq!(guessed(&frames), [""; 0]);
    // Nothing of the host contradicts a lone frame; a zero may be a fault.
    assert_eq!(guessed(&[(0, 0, ask(1))]), [""; 0]);
    let zero = patch(Seg::ask(SYN, 1, 0).frame(), 50, &[0, 0]);
    assert_eq!(guessed(&[(0, 0, zero)]), ["tcp-checksum"]);
    // Of a reset among right resets nobody says that it was left to an interface.
    let answer = |number: u32| Seg::answer(RST | ACK, 0, number + 1).frame();
    let frames: Vec<Seen> = (0..3)
        .flat_map(|n: u32| {
            let reset = if n == 1 { unfilled(answer(n)) } else { answer(n) };
            [(u64::from(n) * 9, 0, Seg::ask(SYN, n, 0).frame()), (u64::from(n) * 9 + 1, 0, reset)]
        })
        .collect();
    assert_eq!(guessed(&frames), ["tcp-checksum"]);
    // A wrong sum that no kernel leaves is wrong each time.
    let wrong = |number: u32| patch(Seg::ask(SYN, number, 0).frame(), 50, &[0x12, 0x34]);
    let frames: Vec<Seen> = (0..3).map(|number| (number.into(), 0, wrong(number))).collect();
    assert_eq!(guessed(&frames), ["tcp-checksum"; 3]);
}

#[test]
pub(crate) fn loopback_and_other_links_are_judged_as_far_as_they_go() {
    let local =
        Seg::ask(ACK, 1, 1).with(|seg| (seg.from.1, seg.to.1) = ([127, 0, 0, 1], [127, 0, 0, 2]));
    assert_eq!(guessed(&[(0, 0, local.frame())]), [""; 0]);
    let leaves = local.with(|seg| seg.to.1 = B4);
    assert_eq!(guessed(&[(0, 0, leaves.frame())]), ["ip-source-group"]);
    // Without Ethernet the hosts are the same.
    let mut observer = Observer::new(closed());
    for (place, bytes) in (0..).zip([syn(), reset(9)]) {
        let (bytes, link) = (&bytes[14..], LinkType::Raw);
        let frame = Frame { bytes, link, original_len: bytes.len(), fcs_len: 0 };
        observer.push(FrameId(place), Instant::ZERO, PortId(0), frame);
    }
    let found = observer.finish();
    assert_eq!(found.findings.iter().map(|f| f.check.id).collect::<Vec<_>>(), ["rst-ack"]);
}

#[test]
fn a_host_that_is_given_and_not_seen_is_told() {
    let given = vec![Given { addresses: vec![IpAddr::from([9, 9, 9, 9])], ..host(Part::Scripted) }];
    let found = observed(&[(0, 0, syn())], Settings { given, ..Settings::default() });
    assert_eq!(found.absent, [0]);
}

/// One of a few exchanges between few ends, so that much of it meets.
fn step() -> impl Strategy<Value = Vec<u8>> {
    let seg = (0u16..4, 0u32..3, prop::sample::select(vec![SYN, ACK, RST, RST | ACK, SYN | ACK]));
    (seg, any::<bool>(), 0u8..12).prop_map(|((port, seq, flags), asks, fault)| {
        let seg = if asks { Seg::ask(flags, seq, 1) } else { Seg::answer(flags, seq, seq + 1) };
        let seg = seg.with(|seg| match asks {
            true => seg.from.3 += port,
            false => seg.to.3 += port,
        });
        match fault {
            0 => patch(seg.frame(), 50, &[1, 2]),
            1 => unfilled(seg.frame()),
            2 => resum(patch(seg.frame(), 22, &[7])),
            _ => seg.frame(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn batches_change_nothing(
        steps in prop::collection::vec((step(), 0u16..3), 1..400),
        batch in 1usize..60,
        far in any::<bool>(),
    ) {
        let mut frames: Vec<Seen> = Vec::new();
        for (place, (frame, interface)) in (0u64..).zip(&steps) {
            frames.push((place * 7, *interface / 2, frame.clone()));
        }
        if far {
            // So many frames between that the first part is out of reach for the last.
            let filler = Seg::ask(ACK, 1, 1).with(|seg| seg.from.3 = 9).frame();
            let numbered = |n: u64| {
                let frame = patch(filler.clone(), 18, &(n as u16).to_be_bytes());
                (3000 + n, 0, resum(frame))
            };
            let filler: Vec<Seen> = (0..HORIZON as u64 + 9).map(numbered).collect();
            let again = frames.clone();
            frames.extend(filler);
            let later = |(time, port, frame): Seen| (time + 90_000, port, frame);
            frames.extend(again.into_iter().map(later));
        }
        let batch = if far { batch * 100 } else { batch };
        let whole = observed(&frames, closed());
        let in_parts = observed(&frames, Settings { batch_frames: batch, ..closed() });
        let found = |all: &Observed| -> Vec<String> {
            let told = |found: &crate::checks::Finding| {
                format!("{} {:?} {:?}", found.check.id, found.frame, found.trigger)
            };
            all.findings.iter().map(told).collect()
        };
        prop_assert_eq!(found(&whole), found(&in_parts));
        prop_assert_eq!(whole, in_parts);
    }
}
