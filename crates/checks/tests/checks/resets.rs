//! Cases for the checks that hold a reset against the segment that caused it.

use wire::{Cause, Deliberate, PortSet};

use crate::bites::Case;
use crate::checks::Answers;
use crate::support::{
    A4, ACK, B_MAC, B4, BROADCAST, C4, FIN, RST, Run, SYN, Seg, eth, ip4, ip6, patch, summed,
    tagged,
};

pub(crate) const CASES: &[Case] = &[
    Case("rst-to-rst", || after(RST, RST), || after(ACK, RST)),
    Case("rst-unprovoked", unprovoked, || after(ACK, RST)),
    Case("rst-unprovoked", || silent(true), || silent(false)),
    Case("rst-flags", || answered(ACK, RST | ACK, 6, 0), || answered(ACK, RST, 6, 0)),
    Case("rst-flags", || answered(SYN, RST, 0, 6), || answered(SYN, RST | ACK, 0, 6)),
    Case("rst-flags", || answered(SYN, RST | ACK | FIN, 0, 6), || answered(SYN, RST | ACK, 0, 6)),
    Case("rst-seq", || answered(ACK, RST, 7, 0), || answered(ACK, RST, 6, 0)),
    Case("rst-seq", || answered(FIN, RST | ACK, 1, 6), || answered(FIN, RST | ACK, 0, 6)),
    Case("rst-ack", || answered(FIN, RST | ACK, 0, 5), || answered(FIN, RST | ACK, 0, 6)),
    Case(
        "rst-ack",
        || answered(SYN | FIN, RST | ACK, 0, 6),
        || answered(SYN | FIN, RST | ACK, 0, 7),
    ),
    Case("rst-doubled", || copies(1, 2), || copies(1, 1)),
    Case("rst-doubled", || copies(2, 3), || copies(2, 2)),
    Case("rst-missing", || copies(1, 0), || copies(0, 0)),
    Case("rst-missing", || copies(2, 1), || copies(2, 2)),
    Case("rst-ports", || foreign(4001), || foreign(4000)),
    Case("rst-on-broadcast", || to_group([224, 0, 0, 1]), || to_group(B4)),
    Case("rst-on-broadcast", || to_group([255; 4]), || to_group(B4)),
    Case("rst-on-broadcast", || to_group(BROADCAST), || to_group(B4)),
    Case("rst-on-broadcast", || opened_for([224, 0, 0, 1]), || opened_for(B4)),
    Case("rst-on-broadcast", || opened_for(BROADCAST), || opened_for(B4)),
    Case("rst-on-link-broadcast", || opened_in_frame_to([0xff; 6]), || opened_in_frame_to(B_MAC)),
    Case("vlan-reply", || reset_in_vlans(&[10], &[]), || reset_in_vlans(&[10], &[10])),
    Case("rst-on-link-broadcast", || in_frame_to([0xff; 6]), || in_frame_to(B_MAC)),
    Case("bad-checksum-answered", || spoiled(50, RST), || spoiled_and_right(RST)),
    Case("bad-checksum-answered", || spoiled(24, RST), || spoiled_and_right(RST)),
    Case("bad-checksum-answered", || spoiled(50, SYN | ACK), || spoiled_and_right(SYN | ACK)),
];

/// A segment with these flags, seq 5 and ack 6, and a reset of B's with RST alone and seq 6.
fn after(flags: u16, reset: u16) -> Run {
    Run::closed().exchange(&Seg::ask(flags, 5, 6), &Seg::answer(reset, 6, 0))
}

fn answered(flags: u16, reset: u16, seq: u32, ack: u32) -> Run {
    Run::closed().exchange(&Seg::ask(flags, 5, 6), &Seg::answer(reset, seq, ack))
}

fn unprovoked() -> Run {
    let mut run = Run::closed();
    run.frame(1, &Seg::answer(RST, 6, 0).frame());
    run
}

/// A node that answers nothing is asked.
fn silent(answers: bool) -> Run {
    let mut run = Run::of(Answers::Never);
    run.script(0, &Seg::ask(ACK, 5, 6).frame());
    if answers {
        run.frame(1, &Seg::answer(RST, 6, 0).frame());
    }
    run
}

fn copies(delivered: u8, resets: u8) -> Run {
    let mut run = Run::closed();
    let id = run.script(0, &Seg::ask(ACK, 5, 6).frame());
    run.set(id, |record| record.deliveries = delivered);
    for _ in 0..resets {
        run.frame(1, &Seg::answer(RST, 6, 0).frame());
    }
    run
}

/// The wire knows what was being handled when the reset was sent to this port.
fn foreign(port: u16) -> Run {
    let mut run = Run::closed();
    let id = run.script(0, &Seg::ask(ACK, 5, 6).frame());
    run.caused(1, id, &Seg::answer(RST, 6, 0).with(|seg| seg.to.3 = port).frame());
    run
}

/// A segment to this address, answered from B's own.
fn to_group(address: [u8; 4]) -> Run {
    let ask = Seg::ask(ACK, 5, 6).with(|seg| seg.to.1 = address);
    Run::closed().exchange(&ask, &Seg::answer(RST, 6, 0))
}

/// A SYN to this address, accepted from B's own.
fn opened_for(address: [u8; 4]) -> Run {
    let ask = Seg::ask(SYN, 5, 0).with(|seg| seg.to.1 = address);
    Run::of(Answers::Unknown).exchange(&ask, &Seg::answer(SYN | ACK, 99, 6))
}

fn opened_in_frame_to(mac: [u8; 6]) -> Run {
    let ask = Seg::ask(SYN, 5, 0).with(|seg| seg.to.0 = mac);
    Run::of(Answers::Unknown).exchange(&ask, &Seg::answer(SYN | ACK, 99, 6))
}

/// A segment and its reset in VLANs, of which the wire does not say that they belong together.
fn reset_in_vlans(asked: &[u16], answered: &[u16]) -> Run {
    let mut run = Run::closed();
    run.script(0, &tagged(Seg::ask(ACK, 5, 6).frame(), asked));
    run.frame(1, &tagged(Seg::answer(RST, 6, 0).frame(), answered));
    run
}

fn in_frame_to(mac: [u8; 6]) -> Run {
    let ask = Seg::ask(ACK, 5, 6).with(|seg| seg.to.0 = mac);
    Run::closed().exchange(&ask, &Seg::answer(RST, 6, 0))
}

/// A SYN with one byte spoiled on purpose (50 is in the TCP checksum, 24 in IPv4's), answered.
fn spoiled(at: usize, answer: u16) -> Run {
    let mut run = Run::of(if answer & RST == 0 {
        Answers::Unknown
    } else {
        Answers::ClosedPorts(PortSet::all())
    });
    let mut frame = Seg::ask(SYN, 5, 0).frame();
    frame[at] ^= 0x11;
    let id = run.script(0, &frame);
    run.set(id, |record| record.deliberate = wire::Deliberate::EVERYTHING);
    let (flags, seq) = if answer & RST == 0 { (answer, 99) } else { (answer | ACK, 0) };
    run.frame(1, &Seg::answer(flags, seq, 6).frame());
    run
}

/// The same with a second SYN that is right: that one was answered.
fn spoiled_and_right(answer: u16) -> Run {
    let mut run = spoiled(50, answer);
    let reply = run.capture.frame(wire::FrameId(1)).to_vec();
    let mut both = Run::of(run.ports[1].answers.clone());
    let id = both.script(0, run.capture.frame(wire::FrameId(0)));
    both.set(id, |record| record.deliberate = wire::Deliberate::EVERYTHING);
    both.script(0, &Seg::ask(SYN, 5, 0).frame());
    both.frame(1, &reply);
    run = both;
    run
}

#[test]
fn payload_counts_and_padding_does_not() {
    let ask = Seg::ask(FIN, 123, 0).with(|seg| seg.payload = (1..=16).collect());
    let right = Run::closed().exchange(&ask, &Seg::answer(RST | ACK, 0, 140));
    assert!(right.bites().is_empty(), "{:#?}", right.judge());
    let mut run = Run::closed();
    let mut frame = Seg::ask(SYN, u32::MAX, 0).frame();
    frame.resize(60, 0);
    run.script(0, &frame);
    run.frame(1, &Seg::answer(RST | ACK, 0, 0).frame());
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

#[test]
fn an_altered_delivery_gives_no_verdict_either_way() {
    for answers in 0..3 {
        let mut run = copies(1, answers);
        run.set(wire::FrameId(0), |record| record.altered = true);
        assert!(run.bites().is_empty(), "{answers}: {:?}", run.bites());
    }
    let mut run = answered(ACK, RST, 1234, 0);
    run.set(wire::FrameId(0), |record| record.altered = true);
    assert!(run.bites().is_empty());
}

#[test]
pub(crate) fn answers_are_told_apart_when_two_questions_are_underway() {
    let mut run = Run::closed();
    run.script(0, &Seg::ask(ACK, 5, 6).frame());
    run.script(0, &Seg::ask(ACK, 5, 60).frame());
    run.frame(1, &Seg::answer(RST, 6, 0).frame());
    run.frame(1, &Seg::answer(RST, 60, 0).frame());
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    run.frame(1, &Seg::answer(RST, 60, 0).frame());
    assert_eq!(run.bites(), ["rst-doubled"]);
}

#[test]
fn the_wires_own_word_beats_the_better_match() {
    let mut run = Run::closed();
    let first = run.script(0, &Seg::ask(ACK, 5, 6).frame());
    let second = run.script(0, &Seg::ask(ACK, 5, 60).frame());
    run.caused(1, first, &Seg::answer(RST, 60, 0).frame());
    run.caused(1, second, &Seg::answer(RST, 6, 0).frame());
    assert_eq!(run.bites(), ["rst-seq", "rst-seq"]);
}

#[test]
pub(crate) fn a_stacks_own_connection_is_not_judged_by_the_rule_of_closed() {
    let mut run = Run::of(Answers::Unknown);
    run.script(0, &Seg::ask(SYN, 5, 0).frame());
    run.frame(1, &Seg::answer(SYN | ACK, 100, 6).frame());
    run.script(0, &Seg::ask(ACK, 6, 101).frame());
    run.frame(1, &Seg::answer(RST | ACK, 101, 6).frame());
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    let mut run = Run::of(Answers::Unknown);
    run.script(0, &Seg::ask(ACK, 6, 101).frame());
    run.frame(1, &Seg::answer(RST | ACK, 101, 7).frame());
    assert_eq!(run.bites(), ["rst-flags"]);
}

#[test]
pub(crate) fn only_what_every_implementation_answers_is_missed() {
    let ask = Seg::ask(ACK, 5, 6);
    let record_route = {
        let mut frame = ask.frame();
        frame.splice(34..34, [7, 4, 4, 0]);
        let frame = patch(patch(frame, 14, &[0x46]), 17, &[44]);
        crate::support::resum(frame)
    };
    let excused = [
        ask.clone().with(|seg| seg.flags = RST | ACK).frame(),
        ask.clone().with(|seg| seg.to.0 = [2, 0, 0, 0, 0, 9]).frame(),
        ask.clone().with(|seg| seg.to.1 = [10, 0, 0, 9]).frame(),
        ask.clone().with(|seg| seg.from.1 = [10, 0, 0, 255]).frame(),
        ask.clone().with(|seg| seg.from.1 = [127, 0, 0, 1]).frame(),
        ask.clone().with(|seg| seg.from.1 = B4).frame(),
        patch(ask.frame(), 50, &[0xff]),
        record_route,
    ];
    for (index, frame) in excused.iter().enumerate() {
        let mut run = Run::closed();
        let id = run.script(0, frame);
        run.set(id, |record| record.deliberate = wire::Deliberate::EVERYTHING);
        assert!(run.bites().is_empty(), "case {index}: {:?}", run.bites());
    }
    let mut run = Run::of(Answers::ClosedPorts(PortSet::one(81)));
    run.script(0, &ask.frame());
    assert!(run.bites().is_empty());
}

#[test]
pub(crate) fn a_reset_after_fragments_is_not_called_unprovoked() {
    let segment = Seg::ask(FIN, 5, 0).with(|seg| seg.payload = vec![1; 12]).segment();
    let part = |range: std::ops::Range<usize>, word: [u8; 2]| {
        let ip = ip4(A4, B4, 64, 6, &segment[range]);
        crate::support::resum(patch(eth(B_MAC, crate::support::A_MAC, 0x0800, &ip), 20, &word))
    };
    for cut in [8, 24] {
        let mut run = Run::closed();
        run.script(0, &part(0..cut, [0x20, 0]));
        let last = run.script(0, &part(cut..32, [0, cut as u8 / 8]));
        let reset = run.frame(1, &Seg::answer(RST | ACK, 0, 18).frame());
        assert!(run.bites().is_empty(), "{cut}: {:#?}", run.judge());
        run.set(reset, |record| record.cause = Cause::Frame(last));
        assert!(run.bites().is_empty(), "{cut}: {:#?}", run.judge());
    }
}

#[test]
pub(crate) fn a_forwarder_resets_for_the_destination_it_rejects() {
    let ask = Seg::ask(SYN, 5, 0).with(|seg| seg.to.1 = C4);
    let reset = Seg::answer(RST | ACK, 0, 6).with(|seg| seg.from.1 = C4);
    let run = Run::routed().exchange(&ask, &reset);
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    let mut run = Run::routed();
    run.script(0, &ask.frame());
    assert_eq!(run.bites(), ["rst-missing"]);
    let mut run = Run::routed();
    run.script(0, &ask.with(|seg| seg.to.3 = 81).frame());
    assert!(run.bites().is_empty(), "port 81 is not rejected");
}

#[test]
pub(crate) fn a_reset_passed_on_is_not_the_forwarders() {
    let mut run = Run::routed();
    run.script(3, &{
        let seg = Seg::answer(RST, 9, 0);
        seg.with(|s| {
            s.from = (crate::support::C_MAC, C4, s.from.2, 80);
            s.to.0 = [2, 0, 0, 0, 0, 12];
        })
        .frame()
    });
    run.frame(1, &Seg::answer(RST, 9, 0).with(|s| (s.from.1, s.ttl) = (C4, 63)).frame());
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

#[test]
fn a_lying_data_offset_leaves_the_values_open() {
    let bytes = patch(patch(Seg::ask(SYN, 5, 0).segment(), 16, &[0, 0]), 12, &[0x40]);
    let ip = ip4(A4, B4, 64, 6, &summed(&A4, &B4, 6, bytes, 16));
    let mut run = Run::closed();
    let id = run.script(0, &eth(B_MAC, crate::support::A_MAC, 0x0800, &ip));
    run.set(id, |record| record.deliberate = wire::Deliberate::EVERYTHING);
    run.frame(1, &Seg::answer(RST | ACK, 0, 10).frame());
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

/// A jumbogram, whose segment nobody here reads, on the ports of an older segment with a wrong
/// checksum. The wire says that the reset answers the jumbogram, so the older one is not to blame.
#[test]
pub(crate) fn the_cause_that_cannot_be_read_is_not_exchanged_for_another() {
    let mut run = Run::closed();
    let wrong = Seg { v6: true, ..Seg::ask(ACK, 5, 6) }.frame();
    let sum = wrong[70] ^ 1;
    let id = run.script(0, &patch(wrong, 70, &[sum]));
    run.set(id, |record| record.deliberate = Deliberate::EVERYTHING);
    let good = Seg { v6: true, ..Seg::ask(ACK, 5, 6) };
    let message = [&[6, 0, 0xc2, 4, 0, 0, 0, 28][..], &good.segment()].concat();
    let jumbo = patch(ip6(good.from.2, good.to.2, 64, 0, &message), 4, &[0, 0]);
    let id = run.script(0, &eth(good.to.0, good.from.0, 0x86dd, &jumbo));
    let reset = Seg { v6: true, ..Seg::answer(RST, 6, 0) }.frame();
    run.caused(1, id, &reset);
    assert_eq!(run.bites(), [""; 0]);

    // Where it answers the older one, that is what it is blamed for.
    let mut run = Run::closed();
    let wrong = Seg { v6: true, ..Seg::ask(ACK, 5, 6) }.frame();
    let id = run.script(0, &patch(wrong, 70, &[sum]));
    run.set(id, |record| record.deliberate = Deliberate::EVERYTHING);
    run.caused(1, id, &reset);
    assert_eq!(run.bites(), ["bad-checksum-answered"]);
}
