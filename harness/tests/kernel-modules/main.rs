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

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use wireproof::link::{Address, Datum, Event, Node, Peer, PortConfig};
use wireproof::nodes::{NodeConfig, Registry};
use wireproof::wire::{Instant, Mac};

/// What a run draws its frames from, unless this says another number.
const SEED: u64 = 0x5eed;
const OTHER_SEED: &str = "WIREPROOF_SEED";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        Trial::ignorable_test("rst_reply_answers_as_reject_does", replied::random),
        Trial::ignorable_test("rst_reply_differs_only_where_it_must", replied::table),
        Trial::ignorable_test("md5_receiver_judges_as_the_node_does", received::random),
        Trial::ignorable_test("skb_sender_sends_as_the_node_does", sent::random),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn seed() -> u64 {
    let other = std::env::var(OTHER_SEED).ok().and_then(|seed| seed.parse().ok());
    other.unwrap_or(SEED)
}

/// The Rust node in the place of 10.0.0.N.
fn node(kind: &str, last: u8, options: &[(&str, &str)]) -> Result<Box<dyn Node>, Failed> {
    let mac = |last| Mac([2, 0, 0, 0, 0, last]);
    let addresses = |last: u8| vec![Address { ip: [10, 0, 0, last].into(), prefix: 24 }];
    let peer = Some(Peer { mac: mac(3 - last), addresses: addresses(3 - last) });
    let port = PortConfig {
        name: "eth0".into(),
        mac: mac(last),
        addresses: addresses(last),
        peer,
        mtu: None,
    };
    let text = |value: &str| Datum::Text(value.to_owned());
    let options: BTreeMap<String, Datum> =
        options.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    let config = NodeConfig { name: "ours".into(), ports: vec![port], options };
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
