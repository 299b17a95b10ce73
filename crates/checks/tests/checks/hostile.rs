//! Captures that nobody's wire made: causes that point nowhere, and runs as large as they come.

use std::net::IpAddr;

use crate::checks::{Answers, Judge, PortFacts, Report};
use wire::{Capture, Cause, FrameId, Instant, Mac, PortId};

use crate::support::{
    A_MAC, A4, A6, B_MAC, B4, B6, FIN, RST, Run, Seg, alone, checksum, eth, ip4, ip6, patch,
};

/// An ICMP error about a datagram of A's, from B.
fn unreachable() -> Vec<u8> {
    let quote = ip4(A4, B4, 64, 17, &[0; 8]);
    let message = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quote].concat();
    let sum = checksum(&[&message]);
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 1, &patch(message, 2, &sum)))
}

#[test]
fn a_cause_that_is_no_earlier_frame_is_none() {
    let reset = Seg::answer(RST, 1, 0).frame();
    let syn = Seg::answer(0x12, 1, 1).frame();
    for frame in [unreachable(), reset, syn, vec![0; 60], vec![]] {
        for answers in [Answers::Unknown, Answers::Never] {
            let mut plain = Run::of(answers.clone());
            plain.script(0, &Seg::ask(FIN, 1, 0).frame());
            plain.frame(1, &frame);
            for cause in [1, 2, 7, u32::MAX] {
                let mut run = Run::of(answers.clone());
                run.script(0, &Seg::ask(FIN, 1, 0).frame());
                run.caused(1, FrameId(cause), &frame);
                assert_eq!(run.judge(), plain.judge(), "caused by frame {cause} of 2");
            }
        }
    }
}

#[test]
fn a_cause_that_is_an_earlier_frame_is_the_trigger_of_an_icmp_error() {
    let mut run = Run::of(Answers::Unknown);
    let group = eth([0xff; 6], A_MAC, 0x0800, &ip4(A4, B4, 64, 253, &[0; 8]));
    let ask = run.script(0, &group);
    run.caused(1, ask, &unreachable());
    let found = run.judge();
    let of_icmp = found.iter().find(|finding| finding.check.id == "icmp-error-about");
    assert_eq!(of_icmp.and_then(|finding| finding.trigger), Some(ask), "{found:?}");
}

fn port(node: u16) -> PortFacts {
    let ip = IpAddr::from([10, 0, (node >> 8) as u8, node as u8]);
    PortFacts {
        node,
        mac: Mac([2, 0, 0, 0, (node >> 8) as u8, node as u8]),
        addresses: vec![ip],
        broadcasts: Vec::new(),
        peer: None,
        answers: Answers::Unknown,
    }
}

/// As many ports as a run can have. Looking at each for each of them would take four thousand
/// million looks, which nobody would wait for.
#[test]
fn a_run_of_65000_ports_is_judged_at_once() {
    let ports: Vec<PortFacts> = (0..65_000).map(port).collect();
    let mut capture = Capture::new();
    capture.add_interface("a:eth0");
    let id = capture.push(Instant::ZERO, PortId(0), &Seg::ask(FIN, 1, 0).frame());
    capture.record_mut(id).cause = Cause::Timeout;
    let (mut judge, mut out) = (Judge::new(), Report::new());
    for _ in 0..20 {
        judge.judge(&capture, &ports, &mut out);
    }

    assert!(out.findings.len() % 20 == 0, "each time the same");
}

#[test]
fn ports_of_one_node_are_joined_wherever_they_stand() {
    // B is port 1 and port 3 of one run: what A sends to the one leaves by the other.
    let mut run = Run::routed();
    let ask = eth(B_MAC, A_MAC, 0x0800, &ip4(A4, [10, 0, 1, 3], 64, 253, &[0; 8]));
    run.script(0, &ask);
    let on = eth(
        [2, 0, 0, 0, 0, 3],
        [2, 0, 0, 0, 0, 12],
        0x0800,
        &ip4(A4, [10, 0, 1, 3], 64, 253, &[0; 8]),
    );
    run.frame(2, &on);
    assert_eq!(run.bites(), ["forward-hops"]);
}

/// Of a datagram over IPv6 without a checksum the sum was made over as much as its length says.
#[test]
fn a_udp_length_past_the_end_where_there_is_no_checksum_is_reported() {
    for length in [0, 7, 13, 255] {
        let message = [0x9c, 0x40, 0, 53, 0, length, 0, 0, 1, 2, 3, 4];
        let frame = eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 17, &message));
        assert_eq!(alone(&frame).bites(), ["udp-length", "udp-checksum"], "{length}");
    }
}
