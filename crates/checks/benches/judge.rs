//! What judging costs: a custom packet to a closed port and its reset, a pair over and over, with
//! one 4-tuple and with many. The limit measured beside it is one checksum pass over the bytes.
//!
//! Beside it stand frames of all kinds as a capture from elsewhere has them, both directions on one
//! interface and nothing known of it; and on two, between a client and a closed port.
//!
//! `cargo bench -p wireproof-checks`

use std::hint::black_box;
use std::net::IpAddr;

use wire::checksum::{internet_checksum, tcp_ip4};
use wire::{Capture, Deliberate, Instant, Mac, PortId, PortSet};
use wireproof_checks::{Answers, Judge, PortFacts, Report};

const PAIRS: usize = 10_000;
const ROUNDS: usize = 60;

fn main() {
    let ports =
        [facts(0, 1, Answers::Unknown), facts(1, 0, Answers::ClosedPorts(PortSet::one(80)))];
    for (name, tuples) in [("one 4-tuple", 1), ("4,096 4-tuples", 4096)] {
        let capture = capture(tuples);
        let (mut judge, mut out) = (Judge::new(), Report::new());
        let cost = best(|| judge.judge(black_box(&capture), &ports, &mut out));
        assert!(out.findings.is_empty(), "the pairs are right: {out:#?}");
        let limit = best(|| {
            for (_, _, frame) in capture.iter() {
                black_box(internet_checksum(&frame[14..34]));
                black_box(tcp_ip4([10, 0, 0, 1], [10, 0, 0, 2], &frame[34..]));
            }
        });
        let ratio = cost / limit;
        println!("{name}: {cost:.1} ns a pair, checksums alone {limit:.1} ns, ratio {ratio:.2}");
    }
    mixed("mixed traffic, one interface", 1, &[]);
    let two = [facts(0, 1, Answers::Unknown), facts(1, 0, Answers::Unknown)];
    mixed("mixed traffic, two hosts", 2, &two);
}

/// What a frame of mixed traffic costs.
fn mixed(name: &str, interfaces: usize, ports: &[PortFacts]) {
    let mut capture = Capture::new();
    let ids: Vec<PortId> = (0..interfaces).map(|_| capture.add_interface("eth0")).collect();
    let frames = conversation();
    for index in 0..PAIRS {
        let (from, frame) = &frames[index % frames.len()];
        let id = capture.push(Instant::from_nanos(index as u64), ids[from % interfaces], frame);
        capture.record_mut(id).deliveries = 1;
    }
    let (mut judge, mut out) = (Judge::new(), Report::new());
    let cost = best(|| judge.judge(black_box(&capture), ports, &mut out));
    assert!(out.findings.is_empty(), "the traffic is right: {:#?}", out.findings.first());
    println!("{name}: {cost:.1} ns a frame, {:.1} million frames a second", 1e3 / cost);
}

/// Frames of a client (0) and a server (1): a connection, ICMP, UDP, ARP, both IP versions.
fn conversation() -> Vec<(usize, Vec<u8>)> {
    let mut all = Vec::new();
    let tcp = |from: u8, word: u16, numbers: [u32; 2], payload: &[u8]| {
        let (hosts, ports) = if from == 0 { ([1, 2], [4000, 80]) } else { ([2, 1], [80, 4000]) };
        (usize::from(from), frame(hosts, ports, numbers, word, payload))
    };
    all.push(tcp(0, 0x5002, [9, 0], &[]));
    all.push(tcp(1, 0x5012, [70, 10], &[]));
    all.push(tcp(0, 0x5010, [10, 71], &[]));
    for turn in 0..8 {
        all.push(tcp(0, 0x5018, [10 + turn * 100, 71 + turn * 1400], &[3; 100]));
        all.push(tcp(1, 0x5010, [71 + turn * 1400, 110 + turn * 100], &[5; 1400]));
        all.push(tcp(0, 0x5010, [110 + turn * 100, 1471 + turn * 1400], &[]));
    }
    let udp = |length: usize| {
        let total = (8 + length as u16).to_be_bytes();
        [&[0x9c, 0x40, 0, 53, total[0], total[1], 0, 0][..], &vec![7; length]].concat()
    };
    for (kind, from, message) in [
        (17, 0, udp(40)),
        (17, 1, udp(200)),
        (1, 0, vec![8, 0, 0xf7, 0xf5, 0, 1, 0, 9]),
        (1, 1, vec![0, 0, 0xff, 0xf5, 0, 1, 0, 9]),
    ] {
        all.push((from, datagram(kind, from, &message)));
    }
    all.push((0, six(4000, 80)));
    all.push((0, arp()));
    all
}

fn ethernet(from: usize, kind: u16) -> Vec<u8> {
    let (to, from) = (2 - from as u8, from as u8 + 1);
    [&[2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from][..], &kind.to_be_bytes()].concat()
}

fn datagram(protocol: u8, from: usize, message: &[u8]) -> Vec<u8> {
    let total = (20 + message.len() as u16).to_be_bytes();
    let mut ip = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    ip.extend([10, 0, 0, from as u8 + 1, 10, 0, 0, 2 - from as u8]);
    let sum = internet_checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    [ethernet(from, 0x0800), ip, message.to_vec()].concat()
}

/// A TCP segment over IPv6.
fn six(src: u16, dst: u16) -> Vec<u8> {
    let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let mut tcp = [src.to_be_bytes(), dst.to_be_bytes()].concat();
    tcp.extend([0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 2, 0, 0, 0, 0, 0]);
    let pseudo = wire::checksum::Sum::pseudo_ip6(address(1), address(2), 6, 20);
    let sum = pseudo.bytes(&tcp).checksum();
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let head = [0x60, 0, 0, 0, 0, 20, 6, 64];
    [&ethernet(0, 0x86dd)[..], &head, &address(1), &address(2), &tcp].concat()
}

fn arp() -> Vec<u8> {
    let body = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [&ethernet(0, 0x0806)[..], &body, &[10, 0, 0, 2]].concat()
}

/// The best round's nanoseconds a pair.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]
fn best(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = std::time::Instant::now();
        run();
        best = best.min(start.elapsed().as_nanos() as f64 / PAIRS as f64);
    }
    best
}

fn facts(node: u16, peer: u16, answers: Answers) -> PortFacts {
    let last = node as u8 + 1;
    PortFacts {
        node,
        mac: Mac([2, 0, 0, 0, 0, last]),
        addresses: vec![IpAddr::from([10, 0, 0, last])],
        broadcasts: Vec::new(),
        peer: Some(PortId(peer)),
        answers,
    }
}

fn capture(tuples: usize) -> Capture {
    let mut capture = Capture::new();
    let ports = [capture.add_interface("sender:eth0"), capture.add_interface("rejecter:eth0")];
    for pair in 0..PAIRS {
        let port = 4000 + (pair % tuples) as u16;
        let payload: Vec<u8> = (1..=16).collect();
        let ask = frame([1, 2], [port, 80], [123, 0], 0x5001, &payload);
        let reset = frame([2, 1], [80, port], [0, 140], 0x5014, &[]);
        for (interface, bytes) in ports.iter().zip([ask, reset]) {
            let id = capture.push(Instant::from_nanos(pair as u64), *interface, &bytes);
            capture.record_mut(id).deliveries = 1;
            if *interface == ports[0] {
                capture.record_mut(id).deliberate = Deliberate::SEGMENT;
            }
        }
    }
    capture
}

/// A frame between two hosts, by the last byte of their addresses.
fn frame(hosts: [u8; 2], ports: [u16; 2], numbers: [u32; 2], word: u16, payload: &[u8]) -> Vec<u8> {
    let addresses = hosts.map(|host| [10, 0, 0, host]);
    let mut tcp = Vec::new();
    ports.iter().for_each(|port| tcp.extend(port.to_be_bytes()));
    numbers.iter().for_each(|number| tcp.extend(number.to_be_bytes()));
    tcp.extend(word.to_be_bytes());
    tcp.extend([0; 6]);
    tcp.extend(payload);
    let sum = tcp_ip4(addresses[0], addresses[1], &tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let total = (20 + tcp.len() as u16).to_be_bytes();
    let mut ip = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
    addresses.iter().for_each(|address| ip.extend(address));
    let sum = internet_checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![2, 0, 0, 0, 0, hosts[1], 2, 0, 0, 0, 0, hosts[0], 8, 0];
    frame.extend(ip);
    frame.extend(tcp);
    frame
}
