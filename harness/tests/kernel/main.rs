//! `reject` against the running kernel: random triggers from a seed, to nft's rule and to
//! iptables', and the bytes of every answer. Where the machine allows no namespaces, or has not the
//! program, the tests say so and count as ignored.

mod trigger;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use libtest_mimic::{Arguments, Failed};
use linux::{Kernel, Reject, Rules};
use testing::{both, needs, peer, port, trial_if};
use veth::{LinkSpec, NodeSpec, Occupant};
use wireproof::link::{Command, Limits, LinkChange, Node, NodeId, PortConfig};
use wireproof::nodes::{NodeConfig, Registry};
use wireproof::wire::{self, Instant, Packet};

use trigger::Triggers;

/// Triggers for each rule.
const MANY: usize = 3_000;
/// Kernels that are asked once each.
const FIRST: usize = 150;
const SEED: u64 = 0x5eed;
/// Set to a number, another seed than that.
const OTHER_SEED: &str = "WIREPROOF_SEED";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // While there is one thread; listing needs no privilege.
    let refused = needs::namespaces(&arguments);
    let trial = |title: &str, name: &str, run: fn() -> Result<(), Failed>| {
        trial_if(refused.clone().or_else(|| needs::rules_by(name)).as_ref(), title, run)
    };
    let trials = vec![
        trial("reject_answers_as_nft_does", "nft", || differences(by(Reject::Nft), 64)),
        trial("reject_answers_as_iptables_does", "iptables", || {
            differences(by(Reject::Iptables), 64)
        }),
        trial("a_first_frame_over_ip6_is_answered_on_a_busy_machine", "true", first_frames),
        trial("another_kernel_would_be_told_from_it", "nft", || {
            match differences(by(Reject::Nft), 63) {
                Ok(()) => Err("nothing differs from a kernel with another TTL".into()),
                Err(_) => Ok(()),
            }
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn by(reject: Reject) -> Rules {
    Rules { reject, ..Rules::default() }
}

fn linked(here: u8, there: u8) -> PortConfig {
    PortConfig { peer: peer(there, &both(there)), ..port(here, &both(here)) }
}

fn config(name: &str, here: u8, there: u8) -> NodeConfig {
    let ports = vec![linked(here, there)];
    NodeConfig { name: name.into(), ports, options: BTreeMap::new() }
}

/// A tester and a kernel.
fn lay(kernel: Kernel) -> Result<veth::Wire, Failed> {
    let spec = |name: &str, port, node| NodeSpec { name: name.into(), ports: vec![port], node };
    let sender = Registry::standard().build("tester", &config("sender", 1, 2))?;
    let nodes = vec![
        spec("sender", linked(1, 2), Occupant::InProcess(sender)),
        spec("kernel", linked(2, 1), Occupant::Kernel(kernel)),
    ];
    let (ends, settings) = ([(0, 0), (1, 0)], LinkChange::default());
    let link = LinkSpec { name: "link".into(), ends, settings, steady: true };
    Ok(veth::lay(0, Limits::default(), nodes, &[link])?)
}

/// The kernel takes an IPv6 address for its own some time after it was given it, and later while
/// namespaces come and go: the first frame must wait for that.
fn first_frames() -> Result<(), Failed> {
    let closed = || Kernel { rules: by(Reject::None), ..Kernel::default() };
    let mut ours = Registry::standard().build("reject", &config("ours", 2, 1))?;
    let is_ip6 = |frame: &[u8]| frame[12..14] == [0x86, 0xdd];
    let mut frames = Triggers::new(SEED).map(|(_, frame)| frame).filter(|frame| is_ip6(frame));
    let frame = frames.find(|frame| !of_node(ours.as_mut(), frame).is_empty()).expect("one");
    let busy = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    let _ = lay(closed());
                }
            });
        }
        let answers = || of_kernel(&mut lay(closed())?, &frame).map(|answers| answers.len());
        let all: Result<Vec<usize>, Failed> = (0..FIRST).map(|_| answers()).collect();
        busy.store(false, Ordering::Relaxed);
        let missed = all?.iter().filter(|answers| **answers != 1).count();
        if missed == 0 { Ok(()) } else { Err(format!("{missed} of {FIRST} not answered").into()) }
    })
}

/// Both on the same triggers, the kernel over a veth pair.
fn differences(rules: Rules, ttl: u8) -> Result<(), Failed> {
    let sysctls = vec![("net.ipv4.ip_default_ttl".to_owned(), ttl.to_string())];
    let mut running = lay(Kernel { rules, sysctls, ..Kernel::default() })?;
    let mut ours = Registry::standard().build("reject", &config("ours", 2, 1))?;
    let (mut answers, mut wrong) = (0, Vec::new());
    let other = std::env::var(OTHER_SEED).ok().and_then(|seed| seed.parse().ok());
    for (number, (about, frame)) in Triggers::new(other.unwrap_or(SEED)).take(MANY).enumerate() {
        let theirs = of_kernel(&mut running, &frame)?;
        let expected = of_node(ours.as_mut(), &frame);
        answers += theirs.len();
        if theirs != expected {
            let lines = |frames: &[Vec<u8>]| -> Vec<String> {
                frames.iter().map(wire::render::line).collect()
            };
            let (was, is) = (lines(&theirs), lines(&expected));
            let trigger = wire::render::line(&frame);
            wrong.push(format!("{number} ({about}) {trigger}\n  kernel {was:?}\n  reject {is:?}"));
        }
    }
    // A kernel that never answers, or always, would make a poor witness.
    if !(MANY / 3..=MANY - MANY / 10).contains(&answers) {
        return Err(format!("{answers} answers to {MANY} triggers").into());
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = wrong.iter().take(10).map(String::as_str).collect();
    Err(format!("{} of {MANY} differ\n{}", wrong.len(), shown.join("\n")).into())
}

fn of_kernel(running: &mut veth::Wire, frame: &[u8]) -> Result<Vec<Vec<u8>>, Failed> {
    let before = running.capture().len();
    let send = Command::Send { port: 0, packet: Packet::raw(frame.to_vec()) };
    running.command(NodeId(0), &send, 0)?;
    while running.advance(None)? {}
    let new = running.capture().iter().skip(before);
    Ok(new.filter(|(_, record, _)| record.port.0 == 1).map(|(_, _, f)| f.to_vec()).collect())
}

fn of_node(node: &mut dyn Node, frame: &[u8]) -> Vec<Vec<u8>> {
    let now = Instant::ZERO;
    node.handle_frame(now, 0, frame);
    let mut all = Vec::new();
    while let Some(out) = node.poll_transmit(now) {
        all.push(out.frame.to_vec());
    }
    while node.poll_event(now).is_some() {}
    all
}
