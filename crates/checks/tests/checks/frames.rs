//! Cases for the checks that look at one frame.

use wire::{Cause, Deliberate};

use crate::bites::Case;
use crate::checks::Answers;
use crate::support::{
    A_MAC, A4, A6, ACK, B_MAC, B4, B6, C_MAC, C4, Run, SYN, Seg, alone, eth, ip4, ip6, patch,
    resum, summed, tagged,
};

/// The home of a mobile node.
const C6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3];

/// Where headers stand in an unadorned frame.
const IP: usize = 14;
const TCP: usize = 34;

pub(crate) const CASES: &[Case] = &[
    Case("eth-header", || alone(&plain()[..13]), || alone(&eth(A_MAC, B_MAC, 0x88b5, &[]))),
    Case(
        "eth-trailer",
        || alone(&[&plain()[..], &[0, 0, 0, 0, 0, 1]].concat()),
        || alone(&[&plain()[..], &[0; 6]].concat()),
    ),
    Case("eth-trailer", || alone(&padded(61)), || alone(&padded(60))),
    Case("arp-lengths", || alone(&arp(6, 5, B4)), || alone(&arp(6, 4, B4))),
    Case("arp-lengths", || alone(&arp(6, 4, B4)[..41]), || alone(&arp(6, 4, B4)[..42])),
    Case("ip4-lengths", || alone(&resum(patch(plain(), IP + 3, &[41]))), || alone(&plain())),
    Case("ip4-lengths", || alone(&resum(patch(plain(), IP + 3, &[19]))), || alone(&plain())),
    Case("ip4-lengths", || alone(&patch(plain(), IP, &[0x44])), || alone(&plain())),
    Case("ip4-lengths", || alone(&patch(plain(), IP, &[0x55])), || alone(&plain())),
    Case("ip6-lengths", || alone(&patch(plain6(), IP + 5, &[21])), || alone(&plain6())),
    Case("ip6-lengths", || alone(&patch(plain6(), IP, &[0x40])), || alone(&plain6())),
    Case("ip6-lengths", || alone(&destination_options(1)), || alone(&destination_options(0))),
    Case("tcp-data-offset", || alone(&offloaded(1280)), || alone(&offloaded(1281))),
    Case("ip6-lengths", || alone(&jumbogram(1, 7)), || alone(&jumbogram(0, 7))),
    Case("ip4-lengths", || alone(&offloaded4(1280)), || alone(&offloaded4(1281))),
    Case("tcp-checksum", || alone(&mobile(C6, B6)), || alone(&mobile(C6, C6))),
    Case(
        "tcp-checksum",
        || alone(&patch(jumbogram(0, 7), IP + 70, &[8])),
        || alone(&jumbogram(0, 7)),
    ),
    Case("udp-checksum", || alone(&unsummed(4788)), || alone(&unsummed(4789))),
    Case("tcp-data-offset", || alone(&offset(0x40)), || alone(&offset(0x50))),
    Case("tcp-data-offset", || alone(&offset(0x70)), || alone(&offset(0x60))),
    Case("tcp-data-offset", || alone(&short(6, 19)), || alone(&plain())),
    Case("udp-length", || alone(&udp4(13, true)), || alone(&udp4(12, true))),
    Case("udp-length", || alone(&udp4(7, true)), || alone(&udp4(8, true))),
    Case("tcp-options", || alone(&options(SYN, &[2, 3, 1, 0])), || alone(&options(SYN, &MSS))),
    Case(
        "tcp-options",
        || alone(&options(ACK, &[1, 1, 9, 3])),
        || alone(&options(ACK, &[1, 9, 3, 7])),
    ),
    Case(
        "tcp-options",
        || alone(&options(ACK, &[1, 1, 1, 9])),
        || alone(&options(ACK, &[1, 1, 9, 2])),
    ),
    Case(
        "tcp-options-end",
        || alone(&options(ACK, &[1, 0, 0, 1])),
        || alone(&options(ACK, &[1, 1, 0, 0])),
    ),
    Case("tcp-options-syn-only", || alone(&options(ACK, &MSS)), || alone(&options(SYN, &MSS))),
    Case("ip4-checksum", || alone(&patch(plain(), IP + 10, &[0xff])), || alone(&plain())),
    Case("tcp-checksum", || alone(&patch(plain(), TCP + 14, &[3])), || alone(&plain())),
    Case("tcp-checksum", || alone(&patch(plain6(), IP + 54, &[3])), || alone(&plain6())),
    Case("udp-checksum", || alone(&udp6(false)), || alone(&udp6(true))),
    Case(
        "udp-checksum",
        || alone(&patch(udp4(12, true), TCP + 6, &[1])),
        || alone(&udp4(12, false)),
    ),
    Case("icmp4-checksum", || alone(&patch(echo4(), TCP + 4, &[9])), || alone(&echo4())),
    Case("icmp6-checksum", || alone(&patch(echo6(), IP + 44, &[9])), || alone(&echo6())),
    Case("tcp-reserved", || alone(&offset(0x52)), || alone(&offset(0x51))),
    Case(
        "ip4-reserved-bit",
        || alone(&resum(patch(plain(), IP + 6, &[0x80]))),
        || alone(&resum(patch(plain(), IP + 6, &[0x40]))),
    ),
    Case("ip6-fragment-reserved", || alone(&fragment6(0, 0x0b)), || alone(&fragment6(0, 0x09))),
    Case("ip6-fragment-reserved", || alone(&fragment6(1, 0x09)), || alone(&fragment6(0, 0x08))),
    Case("eth-source", || alone(&patch(plain(), 6, &C_MAC)), || alone(&plain())),
    Case("eth-source", || alone(&patch(plain(), 6, &[3])), || alone(&plain())),
    Case("arp-source", || alone(&arp(6, 4, A4)), || alone(&arp(6, 4, [0; 4]))),
    Case("arp-source", || alone(&patch(arp(6, 4, B4), 22, &A_MAC)), || alone(&arp(6, 4, B4))),
    Case("ip-source-own", || alone(&from4([10, 0, 0, 255])), || alone(&from4(B4))),
    Case("ip-source-group", || alone(&from4([224, 0, 0, 1])), || alone(&from4([0; 4]))),
    Case("ip-source-group", || alone(&from4([127, 0, 0, 1])), || alone(&from4(B4))),
    Case("ip-source-group", || alone(&from4([255; 4])), || alone(&from4(B4))),
    Case("ip4-ttl-zero", || alone(&hops(0)), || alone(&hops(1))),
    Case("ip6-hop-limit-zero", || alone(&hops6(0)), || alone(&hops6(1))),
    Case("vlan-reply", || in_vlans(&[10], &[]), || in_vlans(&[10], &[10])),
    Case("vlan-reply", || in_vlans(&[10], &[20]), || in_vlans(&[0], &[])),
    Case("vlan-reply", || in_vlans(&[10, 20], &[20]), || in_vlans(&[0, 10], &[10])),
    Case("vlan-reply", || in_vlans(&[], &[10]), || in_vlans(&[], &[0])),
    Case("forward-hops", || forwarded(2, 2), || forwarded(2, 1)),
    Case("forward-hops", || forwarded(1, 0), || forwarded(255, 1)),
    Case(
        "icmp-error-about",
        || alone(&error4(&quote4(1, A4, B4, 3))),
        || alone(&error4(&quote4(1, A4, B4, 8))),
    ),
    Case(
        "icmp-error-about",
        || alone(&error4(&quote4(17, A4, [224, 0, 0, 5], 0))),
        || alone(&error4(&quote4(17, A4, B4, 0))),
    ),
    Case(
        "icmp-error-about",
        || alone(&error4(&patch(quote4(17, A4, B4, 0), 7, &[1]))),
        || alone(&error4(&patch(quote4(17, A4, B4, 0), 6, &[0x20]))),
    ),
    Case(
        "icmp-error-about",
        || alone(&error4(&quote4(17, [0; 4], B4, 0))),
        || alone(&error4(&quote4(17, A4, B4, 0))),
    ),
    Case("icmp-error-about", || alone(&error6(1, 58, 1)), || alone(&error6(1, 58, 128))),
    Case("icmp-error-about", || error_after([0xff; 6]), || error_after(B_MAC)),
];

const MSS: [u8; 4] = [2, 4, 5, 0xb4];

fn plain() -> Vec<u8> {
    Seg::answer(ACK, 1, 2).frame()
}

fn plain6() -> Vec<u8> {
    Seg::answer(ACK, 1, 2).with(|seg| seg.v6 = true).frame()
}

fn padded(length: usize) -> Vec<u8> {
    let mut frame = plain();
    frame.resize(length, 0);
    frame
}

fn arp(hw: u8, proto: u8, sender: [u8; 4]) -> Vec<u8> {
    let head = [0, 1, 8, 0, hw, proto, 0, 1];
    eth([0xff; 6], B_MAC, 0x0806, &[&head[..], &B_MAC, &sender, &[0; 6], &A4].concat())
}

/// A segment whose data offset byte is this, with a right checksum and four bytes of payload.
fn offset(byte: u8) -> Vec<u8> {
    let seg = Seg::answer(ACK, 1, 2).with(|seg| seg.payload = vec![1; 4]);
    let bytes = patch(patch(seg.segment(), 16, &[0, 0]), 12, &[byte]);
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 6, &summed(&B4, &A4, 6, bytes, 16)))
}

fn short(protocol: u8, length: usize) -> Vec<u8> {
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, protocol, &vec![0; length]))
}

fn options(flags: u16, options: &[u8]) -> Vec<u8> {
    Seg::answer(flags, 1, 2).with(|seg| seg.options = options.to_vec()).frame()
}

/// Twelve bytes of UDP that claim to be `length`; the sum is over what is claimed.
fn udp4(length: u8, sum: bool) -> Vec<u8> {
    let message = vec![0, 53, 0, 53, 0, length, 0, 0, 1, 2, 3, 4];
    let claimed = usize::from(length).clamp(8, 12);
    let mut summed = summed(&B4, &A4, 17, message[..claimed].to_vec(), 6);
    summed.extend(&message[claimed..]);
    let message = if sum { summed } else { message };
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 17, &message))
}

fn udp6(sum: bool) -> Vec<u8> {
    let message = vec![0, 53, 0, 53, 0, 10, 0, 0, 1, 2];
    let message = if sum { summed(&B6, &A6, 17, message, 6) } else { message };
    eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 17, &message))
}

fn icmp4(message: Vec<u8>) -> Vec<u8> {
    let sum = crate::support::checksum(&[&message]);
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 1, &patch(message, 2, &sum)))
}

fn echo4() -> Vec<u8> {
    icmp4(vec![0, 0, 0, 0, 0, 1, 0, 1, 7])
}

fn icmp6(message: Vec<u8>) -> Vec<u8> {
    eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 58, &summed(&B6, &A6, 58, message, 2)))
}

fn echo6() -> Vec<u8> {
    icmp6(vec![129, 0, 0, 0, 0, 1, 0, 1, 7])
}

/// A destination options header that claims `words` of eight bytes more than there are.
fn destination_options(words: u8) -> Vec<u8> {
    eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 60, &[59, words, 1, 4, 0, 0, 0, 0]))
}

fn fragment6(octet: u8, low: u8) -> Vec<u8> {
    let header = [6, octet, 0, low, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8];
    eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 44, &header))
}

fn from4(source: [u8; 4]) -> Vec<u8> {
    eth(A_MAC, B_MAC, 0x0800, &ip4(source, A4, 64, 254, &[1]))
}

fn hops(ttl: u8) -> Vec<u8> {
    Seg::answer(ACK, 1, 2).with(|seg| seg.ttl = ttl).frame()
}

fn hops6(limit: u8) -> Vec<u8> {
    let seg = Seg::answer(ACK, 1, 2);
    seg.with(|seg| (seg.ttl, seg.v6) = (limit, true)).frame()
}

/// A datagram from A that a router passes on to C.
fn forwarded(before: u8, after: u8) -> Run {
    let mut run = Run::routed();
    run.frame(0, &eth(B_MAC, A_MAC, 0x0800, &ip4(A4, C4, before, 254, &[5])));
    run.frame(2, &eth(C_MAC, [2, 0, 0, 0, 0, 12], 0x0800, &ip4(A4, C4, after, 254, &[5])));
    run
}

/// A datagram in these VLANs, and what a host emits while it handles that, in those.
fn in_vlans(asked: &[u16], answered: &[u16]) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let ask = eth(B_MAC, A_MAC, 0x0800, &ip4(A4, B4, 64, 254, &[1]));
    let answer = eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 254, &[1]));
    let cause = run.script(0, &tagged(ask, asked));
    run.caused(1, cause, &tagged(answer, answered));
    run
}

/// A datagram with eight bytes of which the first is `first`.
fn quote4(protocol: u8, src: [u8; 4], dst: [u8; 4], first: u8) -> Vec<u8> {
    ip4(src, dst, 9, protocol, &[first, 0, 0, 0, 0, 0, 0, 0])
}

fn error4(quote: &[u8]) -> Vec<u8> {
    icmp4([&[3, 3, 0, 0, 0, 0, 0, 0], quote].concat())
}

fn error6(kind: u8, next: u8, first: u8) -> Vec<u8> {
    let quote = ip6(A6, B6, 9, next, &[first, 0, 0, 0]);
    icmp6([&[kind, 0, 0, 0, 0, 0, 0, 0], &quote[..]].concat())
}

/// An error about a datagram that came in a frame to `dst`.
fn error_after(dst: [u8; 6]) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let quote = quote4(254, A4, B4, 0);
    let cause = run.script(0, &eth(dst, A_MAC, 0x0800, &quote));
    run.caused(1, cause, &error4(&quote));
    run
}

#[test]
pub(crate) fn what_was_made_wrong_on_purpose_is_passed_over() {
    let excuses = [
        (Deliberate::LENGTHS, resum(patch(plain(), IP + 3, &[41]))),
        (Deliberate::LENGTHS, offset(0x40)),
        (Deliberate::IP_CHECKSUM, patch(plain(), IP + 10, &[0xff])),
        (Deliberate::TRANSPORT_CHECKSUM, patch(plain(), TCP + 14, &[3])),
        (Deliberate::RESERVED, offset(0x52)),
        (Deliberate::SOURCE, from4([224, 0, 0, 1])),
        (Deliberate::SOURCE, patch(plain(), 6, &C_MAC)),
        (Deliberate::HOPS, hops(0)),
        (Deliberate::TRAILER, padded(61)),
        (Deliberate::SEGMENT, options(ACK, &MSS)),
        (Deliberate::SEGMENT, error4(&quote4(1, A4, B4, 3))),
    ];
    for (index, (excuse, frame)) in excuses.iter().enumerate() {
        let mut run = alone(frame);
        assert_eq!(run.bites().len(), 1, "case {index}");
        run.set(wire::FrameId(0), |record| record.deliberate = *excuse);
        assert!(run.bites().is_empty(), "case {index}: {:?}", run.bites());
        // A length that was chosen may well leave bytes behind the datagram, or end an option.
        let others = excuses.iter().map(|(other, _)| other);
        for other in others.filter(|other| *other != excuse && **other != Deliberate::LENGTHS) {
            run.set(wire::FrameId(0), |record| record.deliberate = *other);
            assert_eq!(run.bites().len(), 1, "case {index} is excused by {other:?}");
        }
    }
}

#[test]
pub(crate) fn a_forwarder_inherits_the_scenarios_choices_but_sums_the_header_itself() {
    let spoofed = [10, 0, 0, 99];
    let build = |spoil: bool| {
        let mut run = Run::routed();
        let id = run.frame(0, &eth(B_MAC, A_MAC, 0x0800, &ip4(spoofed, C4, 9, 254, &[5])));
        let excuse = Deliberate::SOURCE.with(Deliberate::IP_CHECKSUM);
        run.set(id, |record| record.deliberate = excuse);
        let mut out = eth(C_MAC, [2, 0, 0, 0, 0, 12], 0x0800, &ip4(spoofed, C4, 8, 254, &[5]));
        out[24] ^= u8::from(spoil);
        run.frame(2, &out);
        run
    };
    assert!(build(false).bites().is_empty());
    assert_eq!(build(true).bites(), ["ip4-checksum"]);
}

#[test]
pub(crate) fn a_datagram_that_was_changed_underway_is_passed_on_without_a_verdict() {
    let mut run = Run::routed();
    let sent = Seg::ask(ACK, 1, 2).with(|seg| (seg.to.1, seg.to.3) = (C4, 81));
    let id = run.script(0, &sent.frame());
    let other = sent.with(|seg| (seg.ttl, seg.payload, seg.to.0) = (63, vec![1], C_MAC));
    let out = patch(patch(other.frame(), 6, &[2, 0, 0, 0, 0, 12]), 54, &[9]);
    let out = run.caused(2, id, &out);
    assert_eq!(run.bites(), ["tcp-checksum"]);
    run.set(id, |record| record.altered = true);
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    run.set(out, |record| record.cause = Cause::Unknown);
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

#[test]
fn a_port_without_facts_is_judged_by_its_frames_alone() {
    let mut run = alone(&patch(plain(), 6, &C_MAC));
    run.ports.clear();
    assert!(run.bites().is_empty());
    let mut run = alone(&patch(plain(), TCP + 14, &[3]));
    run.ports.clear();
    assert_eq!(run.bites(), ["tcp-checksum"]);
}

/// A segment over IPv6 whose payload length is 0, in a packet of so many bytes.
fn offloaded(packet: usize) -> Vec<u8> {
    let segment = Seg::answer(ACK, 1, 2).with(|seg| {
        seg.v6 = true;
        seg.payload = vec![7; packet - 60];
    });
    patch(segment.frame(), IP + 4, &[0, 0])
}

/// A jumbogram of 70,028 bytes behind its fixed header that claims so many more.
fn jumbogram(more: u32, payload: u8) -> Vec<u8> {
    let segment = Seg::answer(ACK, 1, 2).with(|seg| {
        seg.v6 = true;
        seg.payload = vec![payload; 70_000];
    });
    let length = (70_028 + more).to_be_bytes();
    let message = [&[6, 0, 0xc2, 4][..], &length, &segment.segment()].concat();
    let frame = eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 0, &message));
    patch(frame, IP + 4, &[0, 0])
}

/// A segment of a mobile node that is away from `home`, summed as if it came from `source`.
fn mobile(home: [u8; 16], source: [u8; 16]) -> Vec<u8> {
    let segment = vec![0, 80, 15, 160, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 2, 0, 0, 0, 0, 0];
    let segment = summed(&source, &A6, 6, segment, 16);
    let options = [&[6, 2, 1, 2, 0, 0, 0xc9, 16][..], &home].concat();
    eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 60, &[options, segment].concat()))
}

/// A datagram over IPv6 to a port, without a checksum.
fn unsummed(port: u16) -> Vec<u8> {
    patch(udp6(false), IP + 42, &port.to_be_bytes())
}

fn offloaded4(packet: usize) -> Vec<u8> {
    let segment = Seg::answer(ACK, 1, 2).with(|seg| seg.payload = vec![7; packet - 40]);
    resum(patch(segment.frame(), IP + 2, &[0, 0]))
}
