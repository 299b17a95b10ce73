use std::collections::VecDeque;

use wire::{Cause, Duration, Instant};

use crate::fault::Fault;
use crate::node::{Command, CommandError, Node, PortIndex, Transmit};
use crate::{Limits, LinkConfig, NodeId, Outbox, Sim, SimError};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

fn at_ms(time: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(time)
}

/// An implementation with a clock of its own: it emits a frame at each of these times, and a fault
/// follows the frame at the time that it has one for.
#[derive(Default)]
struct Elsewhere {
    speaks: VecDeque<Instant>,
    fault: Option<(Instant, Fault)>,
    at_the_end: Option<Fault>,
    /// How far its clock ran.
    ran: Instant,
    ready: bool,
    out: Outbox,
}

impl Node for Elsewhere {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, _: &[u8]) {}

    fn handle_timeout(&mut self, now: Instant) {
        if std::mem::take(&mut self.ready) {
            assert_eq!(self.speaks.pop_front(), Some(now), "woken when it has something to emit");
            self.out.push(0, &[0; 60]);
        }
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        Err(CommandError("none".to_owned()))
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn run_until(&mut self, horizon: Instant) -> Option<Instant> {
        let next = self.speaks.front().copied().filter(|next| *next <= horizon);
        self.ready = next.is_some();
        self.ran = next.unwrap_or(horizon);
        next
    }

    fn poll_fault(&mut self) -> Option<Fault> {
        let due = self.fault.as_ref().is_some_and(|(at, _)| *at <= self.ran);
        if due { self.fault.take().map(|(_, fault)| fault) } else { None }
    }

    fn finish(&mut self, now: Instant) {
        self.fault = self.at_the_end.take().map(|fault| (now, fault));
        self.ran = now;
    }
}

fn speaking(times: &[u64]) -> Elsewhere {
    Elsewhere { speaks: times.iter().map(|time| at_ms(*time)).collect(), ..Elsewhere::default() }
}

fn sim(a: Elsewhere, b: Elsewhere, delay_ms: u64) -> Sim {
    let mut sim = Sim::new(1, Limits::default());
    for (name, node) in [("a", a), ("b", b)] {
        sim.add_node(name, Box::new(node), &["eth0".to_owned()]);
    }
    let delay = Duration::from_millis(delay_ms);
    sim.connect((A, 0), (B, 0), LinkConfig { delay, ..LinkConfig::default() }).unwrap();
    sim
}

#[test]
fn what_remote_nodes_emit_comes_in_the_order_of_their_clocks() {
    for delay_ms in [0, 1, 50] {
        let mut sim = sim(speaking(&[3, 40, 41]), speaking(&[2, 39, 90]), delay_ms);
        while sim.advance(Some(at_ms(100))).unwrap() {}
        let emitted = sim.capture().iter().map(|(_, record, _)| (record.time, record.port.0));
        let emitted: Vec<_> = emitted.collect();
        let times = [2, 3, 39, 40, 41, 90].map(at_ms);
        let ports = [1, 0, 1, 0, 0, 1];
        assert_eq!(emitted, times.into_iter().zip(ports).collect::<Vec<_>>(), "{delay_ms} ms");
        assert!(sim.capture().iter().all(|(_, record, _)| record.cause == Cause::Unknown));
        assert_eq!(sim.now(), at_ms(100));
    }
}

#[test]
fn a_remote_node_runs_as_far_as_it_is_let_and_no_further() {
    let mut sim = sim(speaking(&[20]), Elsewhere::default(), 1);
    assert_eq!(sim.advance(Some(at_ms(19))), Ok(false));
    assert_eq!((sim.capture().len(), sim.now()), (0, at_ms(19)));
    // Without an end nobody waits for what may never come.
    assert_eq!(sim.advance(None), Ok(false));
    assert_eq!(sim.advance(Some(at_ms(20))), Ok(true));
    assert_eq!((sim.capture().len(), sim.now()), (1, at_ms(20)));
}

#[test]
fn a_fault_that_ends_the_run_ends_it_and_another_does_not() {
    let text = || "it is".to_owned();
    for (fault, ends) in [
        (Fault::AtFault(text()), true),
        (Fault::Broken(text()), true),
        (Fault::Late(text()), true),
        (Fault::Unable(text()), true),
        (Fault::OutOfStep(text()), false),
    ] {
        let a = Elsewhere { fault: Some((at_ms(5), fault.clone())), ..speaking(&[5, 8]) };
        let mut sim = sim(a, Elsewhere::default(), 1);
        let mut last = Ok(true);
        while last == Ok(true) {
            last = sim.advance(Some(at_ms(10)));
        }
        assert_eq!(last, if ends { Err(SimError::NodeFailed(A)) } else { Ok(false) }, "{fault:?}");
        let faults: Vec<_> = sim.faults().iter().map(|one| (one.node, &one.fault)).collect();
        assert_eq!(faults, [(A, &fault)]);
    }
}

#[test]
fn what_is_found_at_a_last_look_is_listed() {
    let fault = Fault::AtFault("it warned".to_owned());
    let b = Elsewhere { at_the_end: Some(fault.clone()), ..Elsewhere::default() };
    let mut sim = sim(Elsewhere::default(), b, 1);
    assert_eq!(sim.advance(Some(at_ms(7))), Ok(false));
    assert!(sim.faults().is_empty());
    sim.finish();
    let [found] = sim.faults() else { panic!("{:?}", sim.faults()) };
    assert_eq!((found.time, found.node, &found.fault), (at_ms(7), B, &fault));
}
