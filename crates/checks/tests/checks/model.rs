//! A closed port that does everything right is never blamed, whatever comes in; neither does any
//! sequence of bytes make the judge panic.

use proptest::prelude::*;
use wire::{Capture, Instant, PortId};

use crate::checks::{Judge, Report, judge};
use crate::support::{ACK, RST, Run, Seg};

/// RFC 9293 3.10.7.1 as it reads.
fn closed(ask: &Seg) -> Option<Seg> {
    if ask.flags & RST != 0 {
        return None;
    }
    let length =
        ask.payload.len() as u32 + u32::from(ask.flags & 1) + u32::from(ask.flags >> 1 & 1);
    let reply = if ask.flags & ACK == 0 {
        Seg::answer(RST | ACK, 0, ask.seq.wrapping_add(length))
    } else {
        Seg::answer(RST, ask.ack, 0)
    };
    let (from, to) = (ask.to, ask.from);
    Some(Seg { from, to, v6: ask.v6, ..reply })
}

fn ask() -> impl Strategy<Value = Seg> {
    let numbers = (any::<u32>(), any::<u32>(), 0u16..0x200);
    let rest = (prop::collection::vec(any::<u8>(), 0..40), any::<bool>(), 4000u16..4003, 79u16..82);
    (numbers, rest).prop_map(|((seq, ack, flags), (payload, v6, from, to))| {
        Seg::ask(flags, seq, ack).with(|seg| {
            (seg.payload, seg.v6, seg.from.3, seg.to.3) = (payload, v6, from, to);
        })
    })
}

proptest! {
    #[test]
    fn a_right_closed_port_is_never_blamed(
        asks in prop::collection::vec((ask(), 0u8..3, any::<bool>()), 1..30),
        known in any::<bool>(),
    ) {
        let mut run = Run::closed();
        let mut waiting = Vec::new();
        for (ask, copies, at_once) in &asks {
            let id = run.script(0, &ask.frame());
            run.set(id, |record| record.deliveries = *copies);
            waiting.extend((0..*copies).filter_map(|_| Some((id, closed(ask)?))));
            if *at_once {
                for (id, reply) in waiting.drain(..) {
                    let frame = reply.frame();
                    if known { run.caused(1, id, &frame) } else { run.frame(1, &frame) };
                }
            }
        }
        for (id, reply) in waiting {
            let frame = reply.frame();
            if known { run.caused(1, id, &frame) } else { run.frame(1, &frame) };
        }
        prop_assert!(run.bites().is_empty(), "{:#?}", run.judge());
    }

    #[test]
    fn one_wrong_number_is_always_found(ask in ask(), by in 1u32.., seq in any::<bool>()) {
        let Some(right) = closed(&ask) else { return Ok(()) };
        let wrong = right.with(|reply| {
            if seq || reply.flags & ACK == 0 {
                reply.seq = reply.seq.wrapping_add(by);
            } else {
                reply.ack = reply.ack.wrapping_add(by);
            }
        });
        let bites = Run::closed().exchange(&ask, &wrong).bites();
        let wanted = if seq || wrong.flags & ACK == 0 { "rst-seq" } else { "rst-ack" };
        prop_assert_eq!(bites, [wanted]);
    }

    #[test]
    fn no_bytes_make_it_panic(
        frames in prop::collection::vec((0u16..5, prop::collection::vec(any::<u8>(), 0..90)), 0..9),
        kinds in prop::collection::vec(0usize..4, 9),
    ) {
        let mut run = Run::routed();
        for ((port, mut frame), kind) in frames.into_iter().zip(kinds) {
            let head: [&[u8]; 4] = [&[], &[8, 0, 0x45], &[0x86, 0xdd, 0x60], &[8, 6, 0, 1]];
            for (byte, forced) in frame.iter_mut().skip(12).zip(head[kind]) {
                *byte = *forced;
            }
            let id = run.capture.push(Instant::ZERO, PortId(port), &frame);
            run.set(id, |record| record.deliveries = 1);
        }
        run.judge();
    }

    #[test]
    fn no_change_to_a_right_exchange_makes_it_panic(
        ask in ask(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0usize..80,
    ) {
        let mut run = Run::closed();
        let mut frame = ask.frame();
        let at = at.index(frame.len());
        frame[at] = byte;
        frame.truncate(frame.len() - cut.min(frame.len()));
        run.script(0, &frame);
        if let Some(reply) = closed(&ask) {
            run.frame(1, &reply.frame());
        }
        run.judge();
    }
}

#[test]
fn a_judge_can_be_used_again() {
    let wrong = Run::closed().exchange(&Seg::ask(ACK, 5, 6), &Seg::answer(RST, 7, 0));
    let right = Run::closed().exchange(&Seg::ask(ACK, 5, 6), &Seg::answer(RST, 6, 0));
    let (mut again, mut out) = (Judge::new(), Report::new());
    for run in [&wrong, &right, &wrong, &right] {
        out.clear();
        again.judge(&run.capture, &run.ports, &mut out);
        assert_eq!(out, judge(&run.capture, &run.ports));
    }
    out.clear();
    again.judge(&Capture::new(), &[], &mut out);
    assert!(out.findings.is_empty());
}
