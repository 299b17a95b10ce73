//! The kernel modules against the Rust nodes in whose place they stand: random frames and sends
//! from a seed, and every byte, event and reason. Where no guest can be booted or no module built,
//! the tests say why and count as ignored.

#[path = "../../../crates/guest/tests/modules/bench.rs"]
#[expect(dead_code, reason = "the tests of the guest itself use what these do not")]
mod bench;
mod received;
mod replied;
mod sent;
#[path = "../kernel/trigger.rs"]
mod trigger;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use testing::{peer, port, texts, trial};
use wireproof::link::{Event, Node, PortConfig};
use wireproof::nodes::{NodeConfig, Registry};
use wireproof::wire::Instant;

/// What a run draws its frames from, unless this says another number.
const SEED: u64 = 0x5eed;
const OTHER_SEED: &str = "WIREPROOF_SEED";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        trial("rst_reply_answers_as_reject_does", replied::random),
        trial("rst_reply_differs_only_where_it_must", replied::table),
        trial("md5_receiver_judges_as_the_node_does", received::random),
        trial("skb_sender_sends_as_the_node_does", sent::random),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn seed() -> u64 {
    let other = std::env::var(OTHER_SEED).ok().and_then(|seed| seed.parse().ok());
    other.unwrap_or(SEED)
}

/// The Rust node in the place of 10.0.0.N.
fn node(kind: &str, last: u8, options: &[(&str, &str)]) -> Result<Box<dyn Node>, Failed> {
    let ip = |last: u8| [format!("10.0.0.{last}")];
    let port = PortConfig { peer: peer(3 - last, &ip(3 - last)), ..port(last, &ip(last)) };
    let config = NodeConfig { name: "ours".into(), ports: vec![port], options: texts(options) };
    Ok(Registry::standard().build(kind, &config)?)
}

/// What a node says now: frames, and events.
fn drain(node: &mut dyn Node) -> (Vec<Vec<u8>>, Vec<Event>) {
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    while let Some(out) = node.poll_transmit(Instant::ZERO) {
        frames.push(out.frame.to_vec());
    }
    while let Some(event) = node.poll_event(Instant::ZERO) {
        events.push(event);
    }
    (frames, events)
}

/// Fails with the first of what differs.
fn none(wrong: &[String], of: usize) -> Result<(), Failed> {
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = wrong.iter().take(10).map(String::as_str).collect();
    Err(format!("{} of {of} differ\n{}", wrong.len(), shown.join("\n")).into())
}
