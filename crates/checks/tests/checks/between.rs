//! Nodes between two hosts: what they edit is not their own, and what they send themselves is.

use wire::{Deliberate, FrameId, PortSet};

use crate::checks::Answers;
use crate::support::{
    A_MAC, A4, A6, ACK, B_MAC, B4, B6, C_MAC, C4, RST, Run, SYN, Seg, checksum, eth, ip4, ip6,
    patch, summed,
};

/// The router's port towards C.
const OUT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 12];
/// An address that a NAT has beside its own.
const POOL: [u8; 4] = [192, 0, 2, 7];

/// A router that rejects by rules that are not known, and a node of which nothing is known.
fn middleboxes() -> [Answers; 3] {
    [
        Answers::Forwards { rejects: PortSet::none(), may_reject: PortSet::all() },
        Answers::Forwards { rejects: PortSet::one(9999), may_reject: PortSet::none() },
        Answers::Unknown,
    ]
}

/// The run with such a node between A and C.
fn between(answers: &Answers) -> Run {
    let mut run = Run::routed();
    for port in &mut run.ports[1..3] {
        port.answers = answers.clone();
    }
    run
}

/// From A:4000 to C:80.
fn ask(flags: u16) -> Seg {
    Seg::ask(flags, 5, 6).with(|seg| seg.to.1 = C4)
}

/// What leaves towards C, one hop later.
fn out(seg: &Seg) -> Vec<u8> {
    let seg = seg.clone().with(|seg| {
        (seg.from.0, seg.to.0, seg.ttl) = (OUT_MAC, C_MAC, seg.ttl - 1);
    });
    seg.frame()
}

/// Every middlebox passes the one frame on as the other, with and without the wire's word for it.
fn passes(asked: &[u8], left: &[u8]) -> Vec<(usize, bool, Vec<&'static str>)> {
    let mut all = Vec::new();
    for (index, answers) in middleboxes().iter().enumerate() {
        for told in [false, true] {
            let mut run = between(answers);
            let cause = run.script(0, asked);
            if told {
                run.caused(2, cause, left)
            } else {
                run.frame(2, left)
            };
            all.push((index, told, run.bites()));
        }
    }
    all.retain(|(.., bites)| !bites.is_empty());
    all
}

#[test]
pub(crate) fn a_router_may_clamp_the_mss_and_take_options_out() {
    let syn = ask(SYN).with(|seg| seg.options = vec![2, 4, 5, 0xb4, 4, 2, 1, 1]);
    let clamped = syn.clone().with(|seg| seg.options[2..4].copy_from_slice(&[4, 0xb0]));
    assert_eq!(passes(&syn.frame(), &out(&clamped)), []);
    let fewer = syn.clone().with(|seg| seg.options = vec![2, 4, 5, 0xb4, 1, 1, 1, 1]);
    assert_eq!(passes(&syn.frame(), &out(&fewer)), []);
    let none = syn.clone().with(|seg| seg.options.clear());
    assert_eq!(passes(&syn.frame(), &out(&none)), []);
}

#[test]
pub(crate) fn what_an_edit_breaks_is_found_once() {
    let syn = ask(SYN).with(|seg| seg.options = vec![2, 4, 5, 0xb4]);
    let clamped = syn.clone().with(|seg| seg.options[3] = 0);
    let left = out(&clamped);
    let sum = [left[50] ^ 0x55];
    let found = passes(&syn.frame(), &patch(left.clone(), 50, &sum));
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|(.., bites)| bites == &["tcp-checksum"]), "{found:?}");
    // A length that is one too large.
    let long = crate::support::resum(patch(left, 17, &[45]));
    let found = passes(&syn.frame(), &long);
    assert!(found.iter().all(|(.., bites)| bites == &["ip4-lengths"]), "{found:?}");
    assert_eq!(found.len(), 6);
}

#[test]
pub(crate) fn a_nat_translates_sources_destinations_and_ports() {
    for v6 in [false, true] {
        let ask = ask(SYN).with(|seg| seg.v6 = v6);
        let other6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let source = ask.clone().with(|seg| (seg.from.1, seg.from.2) = (POOL, other6));
        let port = source.clone().with(|seg| seg.from.3 = 61_000);
        let destination = ask.clone().with(|seg| (seg.to.1, seg.to.2) = (POOL, other6));
        let both = port.clone().with(|seg| (seg.to.1, seg.to.3) = ([10, 0, 1, 9], 8080));
        for left in [source, port, destination, both] {
            assert_eq!(passes(&ask.frame(), &out(&left)), []);
        }
    }
}

#[test]
pub(crate) fn answers_are_translated_back_and_later_segments_belong_to_the_flow() {
    for answers in middleboxes() {
        let mut run = between(&answers);
        let syn = ask(SYN);
        let there = syn.clone().with(|seg| (seg.from.1, seg.from.3) = (POOL, 61_000));
        run.script(0, &syn.frame());
        run.frame(2, &out(&there));
        // C accepts, with the NAT's address as destination; the NAT takes it back to A.
        let accept = Seg::answer(SYN | ACK, 70, 6).with(|seg| {
            (seg.from, seg.to) = ((C_MAC, C4, B6, 80), (OUT_MAC, POOL, A6, 61_000));
        });
        run.script(3, &accept.frame());
        let back = Seg::answer(SYN | ACK, 70, 6).with(|seg| (seg.from.1, seg.ttl) = (C4, 63));
        run.frame(1, &back.frame());
        // An application gateway changes what is said: the flow is all that is left to go by.
        let data = |seq, text: &[u8]| {
            there.clone().with(|seg| {
                (seg.flags, seg.seq, seg.ack, seg.payload) = (ACK, seq, 71, text.to_vec());
            })
        };
        let said = data(6, b"PORT 10,0,0,1").with(|seg| (seg.from.1, seg.from.3) = (A4, 4000));
        run.script(0, &said.with(|seg| (seg.from.0, seg.to.0) = (A_MAC, B_MAC)).frame());
        run.frame(2, &out(&data(6, b"PORT 192,0,2,7")));
        assert!(run.bites().is_empty(), "{answers:?}: {:#?}", run.judge());
    }
}

#[test]
pub(crate) fn a_datagram_may_change_its_ip_version() {
    let udp = |src: &[u8], dst: &[u8]| {
        summed(src, dst, 17, vec![0x9c, 0x40, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4], 6)
    };
    let asked = eth(B_MAC, A_MAC, 0x86dd, &ip6(A6, B6, 64, 17, &udp(&A6, &B6)));
    let left = eth(C_MAC, OUT_MAC, 0x0800, &ip4(POOL, C4, 63, 17, &udp(&POOL, &C4)));
    assert_eq!(passes(&asked, &left), []);
    let syn = ask(SYN);
    let six = syn.clone().with(|seg| seg.v6 = true);
    assert_eq!(passes(&six.frame(), &out(&syn.with(|seg| seg.from.1 = POOL))), []);
    let echo = |kind: u8, src: &[u8], dst: &[u8]| {
        let message = vec![kind, 0, 0, 0, 0, 7, 0, 9, 1, 2];
        if src.len() == 16 {
            summed(src, dst, 58, message, 2)
        } else {
            let sum = checksum(&[&message]);
            patch(message, 2, &sum)
        }
    };
    let asked = eth(B_MAC, A_MAC, 0x86dd, &ip6(A6, B6, 64, 58, &echo(128, &A6, &B6)));
    let left = eth(C_MAC, OUT_MAC, 0x0800, &ip4(POOL, C4, 63, 1, &echo(8, &POOL, &C4)));
    assert_eq!(passes(&asked, &left), []);
}

#[test]
pub(crate) fn a_group_that_a_nat_makes_the_source_is_still_found() {
    let ask = ask(SYN);
    let left = out(&ask.clone().with(|seg| seg.from.1 = [224, 0, 0, 1]));
    let found = passes(&ask.frame(), &left);
    assert!(found.iter().all(|(.., bites)| bites == &["ip-source-group"]), "{found:?}");
    assert_eq!(found.len(), 6);
}

#[test]
pub(crate) fn what_a_middlebox_sends_itself_is_judged_as_its_own() {
    let nobody = [10, 9, 9, 9];
    let error = |source: [u8; 4]| {
        let quote = ip4(A4, C4, 64, 17, &[0x9c, 0x40, 0, 53, 0, 8, 0, 0]);
        let message = [&[11, 0, 0, 0, 0, 0, 0, 0][..], &quote].concat();
        let sum = checksum(&[&message]);
        eth(A_MAC, B_MAC, 0x0800, &ip4(source, A4, 64, 1, &patch(message, 2, &sum)))
    };
    for answers in middleboxes() {
        for (source, bites) in [(nobody, &["ip-source-own"][..]), (B4, &[])] {
            let mut run = between(&answers);
            let quote = ip4(A4, C4, 64, 17, &[0x9c, 0x40, 0, 53, 0, 8, 0, 0]);
            let cause = run.script(0, &eth(B_MAC, A_MAC, 0x0800, &quote));
            run.caused(1, cause, &error(source));
            assert_eq!(run.bites(), bites, "{answers:?}");
        }
        let mut run = between(&answers);
        run.frame(2, &eth(C_MAC, OUT_MAC, 0x0800, &ip4(nobody, C4, 64, 254, &[1])));
        assert_eq!(run.bites(), ["ip-source-own"], "{answers:?}");
    }
}

#[test]
pub(crate) fn a_reset_in_the_name_of_the_destination_is_held_against_its_segment() {
    for answers in middleboxes() {
        for (ack, wrong) in [(6, false), (7, true)] {
            let mut run = between(&answers);
            run.script(0, &ask(SYN).frame());
            run.frame(1, &Seg::answer(RST | ACK, 0, ack).with(|seg| seg.from.1 = C4).frame());
            let bites = run.bites();
            assert_eq!(bites, if wrong { vec!["rst-ack"] } else { vec![] }, "{answers:?}");
        }
    }
    // A length that lies is found, and not the source of what cannot be read for it.
    for answers in middleboxes() {
        let mut run = between(&answers);
        run.script(0, &ask(SYN).frame());
        let reset = Seg::answer(RST | ACK, 0, 6).with(|seg| seg.from.1 = C4).frame();
        run.frame(1, &crate::support::resum(patch(reset, 17, &[39])));
        assert_eq!(run.bites()[0], "tcp-data-offset", "{answers:?}");
        assert!(!run.bites().contains(&"ip-source-own"), "{answers:?}");
    }
    // By rules that are not known a segment may be reset, and need not be.
    let mut run = between(&middleboxes()[0]);
    run.script(0, &ask(SYN).frame());
    assert!(run.bites().is_empty());
}

#[test]
pub(crate) fn a_host_with_one_port_passes_nothing_on() {
    for answers in [Answers::Unknown, Answers::ClosedPorts(PortSet::none()), Answers::Never] {
        let mut run = Run::of(answers);
        let syn = Seg::ask(SYN, 5, 0);
        let cause = run.script(0, &syn.frame());
        run.caused(1, cause, &syn.with(|seg| seg.from.0 = B_MAC).frame());
        assert_eq!(run.bites(), ["ip-source-own"]);
    }
}

#[test]
fn a_host_with_two_ports_that_translates_nothing_is_held_to_its_own_addresses() {
    let mut run = between(&Answers::ClosedPorts(PortSet::none()));
    let cause = run.script(0, &ask(SYN).frame());
    run.caused(2, cause, &out(&ask(SYN).with(|seg| seg.from.1 = POOL)));
    assert_eq!(run.bites(), ["ip-source-own"]);
}

#[test]
pub(crate) fn a_wrong_sum_that_is_passed_on_as_it_came_is_its_senders() {
    for answers in middleboxes() {
        let mut run = between(&answers);
        let spoilt = |frame: Vec<u8>| patch(frame, 50, &[0xee]);
        run.frame(0, &spoilt(ask(SYN).frame()));
        run.frame(2, &spoilt(out(&ask(SYN))));
        let found = run.judge();
        assert_eq!(run.bites(), ["tcp-checksum"], "{answers:?}");
        assert_eq!(found[0].frame, Some(FrameId(0)));
    }
}

#[test]
fn a_nat_inherits_what_the_scenario_made_wrong() {
    for answers in middleboxes() {
        let mut run = between(&answers);
        let id = run.script(0, &patch(ask(SYN).frame(), 50, &[0xee]));
        run.set(id, |record| record.deliberate = Deliberate::EVERYTHING);
        let left = out(&ask(SYN).with(|seg| seg.from.1 = POOL));
        run.frame(2, &patch(left, 50, &[0xef]));
        assert!(run.bites().is_empty(), "{answers:?}: {:#?}", run.judge());
    }
}

#[test]
pub(crate) fn the_quote_of_an_error_that_a_nat_passes_on_is_translated_too() {
    let datagram = |src: [u8; 4], dst: [u8; 4], ttl| {
        ip4(src, dst, ttl, 17, &summed(&src, &dst, 17, vec![0x9c, 0x40, 0, 53, 0, 8, 0, 0], 6))
    };
    let error = |macs: ([u8; 6], [u8; 6]), src, dst, ttl, quote: &[u8]| {
        let message = [&[3, 3, 0, 0, 0, 0, 0, 0][..], quote].concat();
        let sum = checksum(&[&message]);
        eth(macs.0, macs.1, 0x0800, &ip4(src, dst, ttl, 1, &patch(message, 2, &sum)))
    };
    for answers in middleboxes() {
        for (quoted, bites) in [(A4, &[][..]), (POOL, &["icmp-quote"])] {
            for told in [false, true] {
                let mut run = between(&answers);
                run.script(0, &eth(B_MAC, A_MAC, 0x0800, &datagram(A4, C4, 64)));
                let there = datagram(POOL, C4, 63);
                run.frame(2, &eth(C_MAC, OUT_MAC, 0x0800, &there));
                let cause = run.script(3, &error((OUT_MAC, C_MAC), C4, POOL, 64, &there));
                let back = error((A_MAC, B_MAC), C4, A4, 63, &datagram(quoted, C4, 63));
                if told {
                    run.caused(1, cause, &back)
                } else {
                    run.frame(1, &back)
                };
                assert_eq!(run.bites(), bites, "{answers:?} {told}: {:#?}", run.judge());
            }
        }
    }
}
