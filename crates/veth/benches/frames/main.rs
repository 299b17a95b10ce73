//! Frames over the real wire against the limit of the machine, both measured in the same run, and
//! what making a topology takes, part by part.
//!
//! The limit is a bare veth pair: a frame is sent on one packet socket and received on another. On
//! the wire a frame is emitted by a node, captured, crosses the pair, is held against what was
//! sent, and is handed to the next node. A link that does something to frames takes two pairs; a
//! kernel node answers, and a barrier of two frames proves that it is done.
//!
//! `cargo bench -p wireproof-veth`; it enters namespaces of its own, and says why where it cannot.

mod bare;
#[path = "../../src/sys.rs"]
#[expect(dead_code, reason = "the limit needs a few of its system calls")]
mod sys;

use std::process::Stdio;

use link::{
    Address, Chance, Command, CommandError, Limits, LinkChange, Node, NodeId, Outbox, Peer,
    PortConfig, PortIndex, Transmit,
};
use linux::Kernel;
use wire::{Duration, Instant, Mac};
use wireproof_veth::{LinkSpec, NodeSpec, Occupant, SetupTimes, Wire, enter, lay, program};

/// Rounds; each measures everything by turns, and the best of each is told: noise only adds.
const ROUNDS: usize = 40;
/// Frames, or triggers of a kernel, a round.
const FRAMES: usize = 500;
/// Topologies of each kind that are made and taken down.
const TOPOLOGIES: usize = 40;

/// The frame of `rst/fin-then-rst`: a FIN from 10.0.0.1 to 10.0.0.2, with sixteen bytes.
#[rustfmt::skip]
const FRAME: [u8; 70] = [
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
    0x45, 0, 0, 0x38, 0, 0, 0x40, 0, 0x40, 6, 0x26, 0xbe, 10, 0, 0, 1, 10, 0, 0, 2,
    0x0f, 0xa0, 0, 0x50, 0, 0, 0, 0x7b, 0, 0, 0, 0, 0x50, 0x01, 0x02, 0x30, 0x48, 0xee, 0, 0,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

fn main() {
    if let Err(refused) = enter() {
        println!("not run: {refused}");
        return;
    }
    let kernel = || Occupant::Kernel(Kernel::default());
    let has_nft = program("nft").arg("-v").stdout(Stdio::null()).status().is_ok();
    if !has_nft {
        println!("not run: kernel nodes: nft is not installed (apt-get install nftables)");
    }
    frames(has_nft.then(kernel));
    println!("\na topology of two nodes and a link, the median of {TOPOLOGIES}, in ms");
    println!("{}", row(["", "all", "namesp.", "pairs", "ends", "addr.", "rules", "proof", "end"]));
    topologies("plain link", &LinkChange::default(), tester);
    topologies("link with the model", &modelled(), tester);
    if has_nft {
        topologies("to a kernel", &LinkChange::default(), kernel);
    }
}

/// Measures and prints frames a second on each kind of link.
fn frames(kernel: Option<Occupant>) {
    let mut bare = bare::Pair::new().expect("a bare pair");
    let mut wires = vec![
        ("a plain link", 1, topology(&LinkChange::default(), tester())),
        ("a link with the model, two pairs", 1, topology(&modelled(), tester())),
    ];
    if let Some(kernel) = kernel {
        wires.push(("a trigger and a kernel's reset", 2, topology(&LinkChange::default(), kernel)));
    }
    let command = Command::Do { verb: "send".into(), args: [].into() };
    let mut limit = f64::MAX;
    let mut best = vec![f64::MAX; wires.len()];
    for _ in 0..ROUNDS {
        limit = limit.min(each(|| {
            bare.cross(&FRAME).expect("a frame crosses");
        }));
        for ((_, emitted, wire), best) in wires.iter_mut().zip(&mut best) {
            let before = wire.capture().len();
            *best = best.min(each(|| run(wire, &command)));
            assert_eq!(wire.capture().len() - before, *emitted * FRAMES, "frames are missing");
        }
    }
    println!("frames of 70 bytes, one at a time, the best of {ROUNDS} rounds of {FRAMES}");
    let line = |what: &str, ns: f64, of_limit: f64| {
        println!("  {what:34} {ns:8.0} ns {:8.0} k/s {of_limit:6.2}", 1e6 / ns);
    };
    line("limit: send, receive, a bare pair", limit, 1.0);
    for ((what, emitted, _), ns) in wires.iter().zip(best) {
        // The ratio is by frames that a node emitted and the capture holds.
        line(what, ns / *emitted as f64, limit * *emitted as f64 / ns);
    }
}

/// Nanoseconds that the work takes each time.
fn each(mut work: impl FnMut()) -> f64 {
    let start = now();
    (0..FRAMES).for_each(|_| work());
    start.elapsed().as_nanos() as f64 / FRAMES as f64
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn run(wire: &mut Wire, command: &Command) {
    wire.command(NodeId(0), command, 0).expect("a frame sent");
    while wire.advance(None).expect("a step") {}
}

/// Makes topologies, takes them down, and prints the median of each part.
fn topologies(what: &str, settings: &LinkChange, occupant: impl Fn() -> Occupant) {
    let mut all: Vec<[Duration; 8]> = Vec::new();
    for _ in 0..TOPOLOGIES {
        let start = now();
        let wire = topology(settings, occupant());
        let laid = start.elapsed();
        let SetupTimes { namespaces, pairs, ends, addresses, rules, proof } = wire.setup_times();
        drop(wire);
        let end = start.elapsed() - laid;
        all.push([laid + end, namespaces, pairs, ends, addresses, rules, proof, end]);
    }
    let median = |part: usize| {
        let mut times: Vec<Duration> = all.iter().map(|times| times[part]).collect();
        times.sort();
        format!("{:.2}", times[times.len() / 2].as_secs_f64() * 1e3)
    };
    let cells: Vec<String> = (0..8).map(median).collect();
    let mut shown = vec![what];
    shown.extend(cells.iter().map(String::as_str));
    println!("{}", row(shown));
}

fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut cells = cells.into_iter();
    let first = format!("  {:20}", cells.next().unwrap_or(""));
    cells.fold(first, |line, cell| format!("{line} {cell:>8}"))
}

fn tester() -> Occupant {
    Occupant::InProcess(Box::new(Tester::default()))
}

/// Emits the frame of the benchmark whatever it is told, and answers nothing.
#[derive(Default)]
struct Tester(Outbox);

impl Node for Tester {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, _: &[u8]) {}

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        self.0.push(0, &FRAME);
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.0.pop()
    }
}

/// Settings that want the link's model and hardly ever do anything.
fn modelled() -> LinkChange {
    LinkChange { duplicate: Some(Chance::Every(1 << 40)), ..LinkChange::default() }
}

fn topology(settings: &LinkChange, second: Occupant) -> Wire {
    let spec = |name: &str, here, there, node| NodeSpec {
        name: name.into(),
        ports: vec![port(here, there)],
        node,
    };
    let nodes = vec![spec("a", 1, 2, tester()), spec("b", 2, 1, second)];
    let link = LinkSpec {
        name: "a-b".into(),
        ends: [(0, 0), (1, 0)],
        settings: settings.clone(),
        steady: true,
    };
    let limits = Limits { duration: Duration::from_secs(1 << 30), ..Limits::default() };
    lay(7, limits, nodes, &[link]).expect("a topology")
}

fn port(here: u8, there: u8) -> PortConfig {
    let mac = |last| Mac([2, 0, 0, 0, 0, last]);
    let addresses = |last: u8| vec![Address { ip: [10, 0, 0, last].into(), prefix: 24 }];
    let peer = Peer { mac: mac(there), addresses: addresses(there) };
    let (mac, addresses) = (mac(here), addresses(here));
    PortConfig { name: "eth0".into(), mac, addresses, peer: Some(peer), mtu: None }
}
