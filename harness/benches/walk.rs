//! The walk of a frame against the limit of the machine, both measured in the same run.
//!
//! The limit is what no simulated wire can do without: an ordered queue's push and pop and one
//! 64-byte copy a frame. The walk is the whole of it: the custom packet of 70 bytes is sent,
//! carried, answered with a reset, captured, carried back and both frames are held against every
//! check. Figures move from machine to machine; the ratio moves less.
//!
//! `just bench`, or `cargo bench -p wireproof`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use checks::{Answers, Judge, PortFacts};
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

/// Walks between two clearings of the capture, as a run that judges as it goes would have them.
const BATCH: usize = 1_000;
/// Rounds; each measures limit and walk, and the best of each is told: noise only adds.
const ROUNDS: usize = 20;
/// Batches a round.
const BATCHES: usize = 100;

fn main() {
    let mut walk = Walk::new();
    walk.batch();
    walk.batch();
    let (mut limit_ns, mut walk_ns) = (f64::MAX, f64::MAX);
    let mut parts = [f64::MAX; 2];
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        limit_ns = limit_ns.min(per(BATCHES * BATCH, limit));
        let mut of_batch = [0.0; 2];
        let total = per(BATCHES * BATCH, || {
            for _ in 0..BATCHES {
                let [run, judged] = walk.batch();
                of_batch[0] += run;
                of_batch[1] += judged;
            }
        });
        walk_ns = walk_ns.min(total);
        for (best, part) in parts.iter_mut().zip(of_batch) {
            *best = best.min(part / BATCHES as f64);
        }
    }
    let walks = ROUNDS * BATCHES * BATCH;
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("limit: queue push + pop + 64-byte copy   {limit_ns:7.1} ns  {}", rate(limit_ns));
    println!("walk:  70-byte frame and its answer      {walk_ns:7.1} ns  {}", rate(walk_ns));
    println!("       of which send, carry, answer      {:7.1} ns", parts[0]);
    println!("       of which judge both               {:7.1} ns", parts[1]);
    println!("walks a second, of the limit's frames:   {:7.3}", limit_ns / walk_ns);
    println!("frames a second, of the limit's:         {:7.3}", 2.0 * limit_ns / walk_ns);
    println!("allocations in {walks} walks:             {allocations}");
    assert!(allocations < 64, "the steady state allocates");
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
fn limit() {
    let mut queue: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::with_capacity(64);
    let (frame, mut room) = ([0xa5_u8; 64], [0_u8; 64]);
    for sequence in 0..(BATCHES * BATCH) as u64 {
        queue.push(Reverse((sequence / 4, sequence)));
        room.copy_from_slice(black_box(&frame));
        black_box(&mut room);
        if queue.len() > 8 {
            black_box(queue.pop());
        }
    }
    black_box(queue);
}

/// A tester and a `reject` on a link, with a judge that is used again.
struct Walk {
    sim: Sim,
    judge: Judge,
    facts: Vec<PortFacts>,
    send: Command,
    findings: Vec<checks::Finding>,
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
            peer: Some(PortId(2 - here)),
            answers,
        });
        let send = Command::Send { port: 0, packet: Packet::raw(custom_packet()) };
        let findings = Vec::with_capacity(16);
        Self { sim, judge: Judge::default(), facts: facts.collect(), send, findings }
    }

    /// Runs and judges a batch; nanoseconds a walk of both.
    fn batch(&mut self) -> [f64; 2] {
        let run = per(BATCH, || {
            for _ in 0..BATCH {
                self.sim.command(NodeId(0), &self.send, 0).expect("a frame sent");
                while self.sim.step().expect("a step") {}
            }
        });
        assert_eq!(self.sim.capture().len(), 2 * BATCH, "every frame is answered");
        let judged = per(BATCH, || {
            self.judge.judge(self.sim.capture(), &self.facts, &mut self.findings);
        });
        assert!(self.findings.is_empty(), "{:?}", self.findings);
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
    PortConfig { name: "eth0".into(), mac: mac(here), addresses: vec![ip(here)], peer: Some(peer) }
}

/// The frame of `rst/fin-then-rst`.
fn custom_packet() -> Vec<u8> {
    wire::field::hex(
        "020000000002 020000000001 0800 45000038 00004000 400626be 0a000001 0a000002 \
         0fa00050 0000007b 00000000 50010230 48ee0000 0102030405060708090a0b0c0d0e0f10",
    )
    .expect("hex")
}
