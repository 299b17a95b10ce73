//! The walk of a frame against the same work written by hand, and against the limit of the machine,
//! all measured in the same run.
//!
//! The same work, straight, is one function that does what this scenario comes to and nothing else:
//! it copies the frame, verifies it, makes the reset, and judges both. It knows every length, place
//! and address beforehand, and needs no order, because it has only this one. What the walk takes
//! beyond it is the price of being a simulator.
//!
//! The limit is what no simulated wire can do without: an ordered queue's push and pop and one
//! 64-byte copy a frame. The walk is the whole of it: the custom packet of 70 bytes is sent,
//! carried, answered with a reset, captured, carried back, and both frames are held against every
//! check. So a walk carries two frames, and the limit is told for one.
//!
//! A queue costs by its depth, so all are measured at the same depth: with one frame in flight at
//! a time, as in a conversation, and with 256, as in a burst. Figures move from machine to machine;
//! the ratio moves less.
//!
//! `just bench`, or `cargo bench -p wireproof`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use checks::{Answers, Judge, PortFacts, Report};
use link::{Address, Command, Limits, LinkConfig, NodeId, Peer, PortConfig, Sim};
use nodes::{NodeConfig, Registry};
use wire::{Duration, Mac, Packet, PortId, PortSet};

/// Counts what the walk allocates.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts")]
// SAFETY: every call is handed on as it came to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

mod straight;

use straight::Straight;

/// Walks between two clearings of the capture, as a run that judges as it goes would have them.
const BATCH: usize = 256;
/// Rounds; each measures limit and walk, and the best of each is told: noise only adds.
const ROUNDS: usize = 150;
/// Batches a round.
const BATCHES: usize = 20;
/// Walks a round.
const WALKS: usize = BATCHES * BATCH;

fn main() {
    let mut walk = Walk::new();
    for in_flight in [1, BATCH] {
        measure(&mut walk, in_flight);
    }
}

/// Measures and prints with so many frames in flight, which divide a batch.
fn measure(walk: &mut Walk, in_flight: usize) {
    let mut limit = Limit::new(in_flight);
    let mut straight = Straight::new(in_flight);
    walk.batch(in_flight);
    straight.batch();
    let (mut limit_ns, mut walk_ns, mut straight_ns) = (f64::MAX, f64::MAX, f64::MAX);
    let mut parts = [f64::MAX; 2];
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        limit_ns = limit_ns.min(per(2 * WALKS, || limit.round()));
        straight_ns = straight_ns.min(per(WALKS, || (0..BATCHES).for_each(|_| straight.batch())));
        let mut of_round = [0.0; 2];
        for _ in 0..BATCHES {
            for (sum, part) in of_round.iter_mut().zip(walk.batch(in_flight)) {
                *sum += part / BATCHES as f64;
            }
        }
        walk_ns = walk_ns.min(of_round.iter().sum());
        for (best, part) in parts.iter_mut().zip(of_round) {
            *best = best.min(part);
        }
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{in_flight} in flight");
    println!("  limit: push + pop + 64-byte copy  {limit_ns:7.1} ns {}", rate(limit_ns));
    println!("  the same work, straight           {straight_ns:7.1} ns {}", rate(straight_ns));
    println!("  walk: 70-byte frame and answer    {walk_ns:7.1} ns {}", rate(walk_ns));
    println!("    send, carry, answer, carry back {:7.1} ns", parts[0]);
    println!("    judge both frames               {:7.1} ns", parts[1]);
    println!("  straight, of the walk's time      {:7.3}", straight_ns / walk_ns);
    println!("  frames judged a second                       {}", rate(parts[1] / 2.0));
    println!("  walks, of the limit's frames      {:7.3}", limit_ns / walk_ns);
    println!("  frames, of the limit's frames     {:7.3}", 2.0 * limit_ns / walk_ns);
    println!("  allocations in {} walks: {allocations}", ROUNDS * WALKS);
    assert_eq!(allocations, 0, "the steady state allocates");
}

fn rate(ns: f64) -> String {
    format!("{:6.1} M/s", 1_000.0 / ns)
}

/// Nanoseconds a unit that `work` takes.
fn per(units: usize, work: impl FnOnce()) -> f64 {
    let start = now();
    work();
    start.elapsed().as_nanos() as f64 / units as f64
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// What no wire can do without: for each frame a place in the order, and its bytes moved once.
///
/// The queue is the standard library's heap over (time, sequence, place of the frame), the plainest
/// that can be right. Its depth and the times in it are those of the walk: all frames of a burst
/// leave, each is answered when it arrives, and the answers arrive. The copy goes to the next place
/// of an arena that is used again after each batch, as the walk's capture is.
struct Limit {
    queue: BinaryHeap<Reverse<(u64, u64, u32)>>,
    arena: Vec<u8>,
    sequence: u64,
    in_flight: usize,
}

impl Limit {
    fn new(in_flight: usize) -> Self {
        let (queue, arena) =
            (BinaryHeap::with_capacity(in_flight), Vec::with_capacity(128 * BATCH));
        Self { queue, arena, sequence: 0, in_flight }
    }

    fn round(&mut self) {
        let mut now = 0;
        for _ in 0..BATCHES {
            self.arena.clear();
            for _ in 0..BATCH / self.in_flight {
                for _ in 0..self.in_flight {
                    self.emit(now);
                }
                for _ in 0..self.in_flight {
                    now = self.arrive();
                    self.emit(now);
                }
                for _ in 0..self.in_flight {
                    now = self.arrive();
                }
            }
        }
    }

    #[inline]
    fn emit(&mut self, now: u64) {
        let place = self.arena.len() as u32;
        self.arena.extend_from_slice(black_box(&[0xa5; 64]));
        self.queue.push(Reverse((now + 1_000, self.sequence, place)));
        self.sequence += 1;
    }

    #[inline]
    fn arrive(&mut self) -> u64 {
        self.queue.pop().map_or(0, |Reverse((time, _, place))| {
            black_box(&self.arena[place as usize]);
            time
        })
    }
}

/// A tester and a `reject` on a link, with a judge that is used again.
struct Walk {
    sim: Sim,
    judge: Judge,
    facts: Vec<PortFacts>,
    send: Command,
    report: Report,
}

impl Walk {
    fn new() -> Self {
        let registry = Registry::standard();
        let limits =
            Limits { steps: u64::MAX, duration: Duration::from_secs(1 << 30), ..Limits::default() };
        let mut sim = Sim::new(0, limits);
        for (kind, here, there) in [("tester", 1, 2), ("reject", 2, 1)] {
            let ports = vec![port(here, there)];
            let config = NodeConfig { name: kind.into(), ports, ..NodeConfig::default() };
            let node = registry.build(kind, &config).expect("a standard node");
            sim.add_node(kind, node, &["eth0".to_owned()]);
        }
        let config = LinkConfig { delay: Duration::from_micros(1), ..LinkConfig::default() };
        sim.connect((NodeId(0), 0), (NodeId(1), 0), config).expect("a link");
        let answers = [Answers::Never, Answers::ClosedPorts(PortSet::all())];
        let facts = (1..).zip(answers).map(|(here, answers)| PortFacts {
            node: here - 1,
            mac: mac(here as u8),
            addresses: vec![ip(here as u8).ip],
            broadcasts: Vec::new(),
            peer: Some(PortId(2 - here)),
            answers,
        });
        let send = Command::Send { port: 0, packet: Packet::raw(custom_packet()) };
        let mut report = Report::new();
        report.findings.reserve(16);
        Self { sim, judge: Judge::default(), facts: facts.collect(), send, report }
    }

    /// Runs a batch in bursts of so many frames, and judges it; nanoseconds a walk of both.
    fn batch(&mut self, in_flight: usize) -> [f64; 2] {
        let run = per(BATCH, || {
            for _ in 0..BATCH / in_flight {
                for _ in 0..in_flight {
                    self.sim.command(NodeId(0), &self.send, 0).expect("a frame sent");
                }
                while self.sim.step().expect("a step") {}
            }
        });
        assert_eq!(self.sim.capture().len(), 2 * BATCH, "every frame is answered");
        let judged = per(BATCH, || {
            self.judge.judge(self.sim.capture(), &self.facts, &mut self.report);
        });
        assert!(self.report.findings.is_empty(), "{:?}", self.report.findings);
        assert!(self.sim.clear_capture(), "nothing is in flight");
        [run, judged]
    }
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

fn ip(last: u8) -> Address {
    Address { ip: [10, 0, 0, last].into(), prefix: 24 }
}

fn port(here: u8, there: u8) -> PortConfig {
    let peer = Peer { mac: mac(there), addresses: vec![ip(there)] };
    PortConfig {
        name: "eth0".into(),
        mac: mac(here),
        addresses: vec![ip(here)],
        peer: Some(peer),
        mtu: None,
    }
}

/// The frame of `rst/fin-then-rst`.
fn custom_packet() -> Vec<u8> {
    wire::hex::decode(
        "020000000002 020000000001 0800 45000038 00004000 400626be 0a000001 0a000002 \
         0fa00050 0000007b 00000000 50010230 48ee0000 0102030405060708090a0b0c0d0e0f10",
    )
    .expect("hex")
}
