//! The run loop: order, causes, limits, panics. Links are tried in `tests/link.rs`.

use std::time::Duration;

use super::*;
use crate::CommandError;
use crate::outbox::Outbox;

/// Sends back whatever comes, and on command the frame it was made with.
struct Echo {
    first: Vec<u8>,
    out: Outbox,
}

impl Echo {
    fn boxed(first: &[u8]) -> Box<dyn Node> {
        Box::new(Self { first: first.to_vec(), out: Outbox::new() })
    }
}

impl Node for Echo {
    fn handle_frame(&mut self, _: Instant, port: PortIndex, frame: &[u8]) {
        self.out.push(port, frame);
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        self.out.push(0, &self.first);
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<crate::Transmit<'_>> {
        self.out.pop()
    }
}

fn go() -> Command {
    Command::Do { verb: "go".into(), args: Default::default() }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at_ms(n: u64) -> Instant {
    Instant::ZERO + ms(n)
}

fn echoes(limits: Limits, config: LinkConfig) -> Sim {
    let mut sim = Sim::new(1, limits);
    let a = sim.add_node("a", Echo::boxed(&[7; 60]), &["eth0".into()]);
    let b = sim.add_node("b", Echo::boxed(&[8; 60]), &["eth0".into()]);
    sim.connect((a, 0), (b, 0), config).unwrap();
    sim
}

fn slow() -> LinkConfig {
    LinkConfig { delay: ms(1), ..LinkConfig::default() }
}

#[test]
fn frames_go_there_and_back_with_time_and_cause() {
    let mut sim = echoes(Limits::default(), slow());
    sim.command(NodeId(0), &go(), 42).unwrap();
    sim.run_until(at_ms(2)).unwrap();
    let seen: Vec<_> =
        sim.capture().iter().map(|(_, r, _)| (r.time, r.port.0, r.cause, r.deliveries)).collect();
    let expected = [
        (at_ms(0), 0, Cause::Command(42), 1),
        (at_ms(1), 1, Cause::Frame(wire::FrameId(0)), 1),
        (at_ms(2), 0, Cause::Frame(wire::FrameId(1)), 0),
    ];
    assert_eq!(seen, expected);
    assert_eq!((sim.now(), sim.next_event()), (at_ms(2), Some(at_ms(3))));
    assert_eq!(sim.capture().interfaces(), ["a:eth0", "b:eth0"]);
}
