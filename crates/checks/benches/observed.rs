//! What judging a capture from elsewhere costs, frame by frame. The limit measured beside it is one
//! checksum pass over the bytes.
//!
//! `cargo bench -p wireproof-checks --bench observed`

use std::hint::black_box;
use std::net::IpAddr;

use wire::checksum::{internet_checksum, tcp_ip4};
use wire::{Capture, Deliberate, Instant, PortId, PortSet};
use wireproof_checks::Answers;
use wireproof_checks::observed::{Given, Observer, Part, Settings};

const PAIRS: usize = 10_000;
const ROUNDS: usize = 60;

/// A capture from elsewhere: the same pairs with another 4-tuple each, as a stranger's file has
/// them, pushed frame by frame; nothing is known of the hosts, and then which ports are closed.
fn main() {
    let capture = capture(4096);
    let limit = best(|| {
        for (_, _, frame) in capture.iter() {
            black_box(internet_checksum(&frame[14..34]));
            black_box(tcp_ip4([10, 0, 0, 1], [10, 0, 0, 2], &frame[34..]));
        }
    });
    let closed = Given {
        addresses: vec![IpAddr::from([10, 0, 0, 2])],
        broadcasts: Vec::new(),
        stations: Vec::new(),
        part: Part::Judged(Answers::ClosedPorts(PortSet::one(80))),
    };
    let data = data();
    for (name, capture, given) in [
        ("pairs, hosts guessed", &capture, vec![]),
        ("pairs, hosts given", &capture, vec![closed]),
        ("data, hosts guessed", &data, vec![]),
    ] {
        let cost = best(|| {
            let settings = Settings { given: given.clone(), ..Settings::default() };
            let mut observer = Observer::new(settings);
            for (id, record, _) in black_box(capture).iter() {
                observer.push(id, record.time, PortId(0), capture.captured(id));
            }
            let found = observer.finish();
            assert!(found.findings.is_empty(), "the pairs are right: {:#?}", found.findings);
        });
        let (ratio, rate) = (cost / limit, 2000.0 / cost);
        println!(
            "from elsewhere, {name}: {cost:.1} ns a pair, {rate:.1} M frames a second, checksums \
             alone {limit:.1} ns, ratio {ratio:.2}"
        );
    }
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

/// As many segments of connections, with payload and ACK, in both directions.
fn data() -> Capture {
    let mut capture = Capture::new();
    let port = capture.add_interface("eth0");
    for number in 0..2 * PAIRS {
        let (client, ack) = (4000 + (number / 2 % 4096) as u16, number as u32);
        let (hosts, ports) = match number % 2 {
            0 => ([1, 2], [client, 80]),
            _ => ([2, 1], [80, client]),
        };
        let bytes = frame(hosts, ports, [ack, ack], 0x5010, &[7; 16]);
        capture.push(Instant::from_nanos(number as u64), port, &bytes);
    }
    capture
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
    let mut ip = vec![0x45, 0, 0, 20 + tcp.len() as u8, 0, 0, 0x40, 0, 64, 6, 0, 0];
    addresses.iter().for_each(|address| ip.extend(address));
    let sum = internet_checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![2, 0, 0, 0, 0, hosts[1], 2, 0, 0, 0, 0, hosts[0], 8, 0];
    frame.extend(ip);
    frame.extend(tcp);
    frame
}
