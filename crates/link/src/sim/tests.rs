//! The run loop: order, causes, timers, limits, panics. Links are tried in `tests/links`.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::{FrameId, Packet, PortId};

use super::*;
use crate::outbox::Outbox;
use crate::{
    CommandError, Event, LinkChange, LinkConfig, LinkEvent, LinkId, PortIndex, TopologyError,
    Transmit,
};

/// What a node does beside sending back what comes.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// Nothing.
    Plain,
    /// Emits without end once it begins.
    Endless,
    /// Tells without end once something came.
    Telling,
    /// Wishes for a timeout at this instant, for ever.
    Wishing(Instant),
    /// Wishes for a timeout so long after each input, and tells of it.
    Alarm(Duration),
    /// Panics on a frame, with words made at run time.
    PanicOnFrame,
    /// Panics when asked for frames.
    PanicOnTransmit,
    /// Panics when asked for its timeout.
    PanicOnTimeout,
    /// Emits from a port that it does not have.
    Astray,
}

struct Puppet {
    habit: Habit,
    begun: bool,
    alarm: Option<Instant>,
    text: bool,
    out: Outbox,
}

impl Node for Puppet {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        assert!(self.habit != Habit::PanicOnFrame, "cannot bear {} bytes", frame.len());
        self.begun = true;
        if let Habit::Alarm(after) = self.habit {
            self.alarm = Some(now + after);
            return;
        }
        self.out.push(port, frame);
    }

    fn handle_timeout(&mut self, _: Instant) {
        self.alarm = None;
        self.text = self.habit != Habit::Telling;
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        if let Command::Do { verb, .. } = command
            && verb == "no"
        {
            return Err(CommandError("no is no verb".into()));
        }
        self.handle_frame(now, if self.habit == Habit::Astray { 1 } else { 0 }, &[7; 60]);
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        match self.habit {
            Habit::Endless if self.begun => Some(Transmit { port: 0, frame: &[1] }),
            Habit::PanicOnTransmit => panic!("cannot speak"),
            _ => self.out.pop(),
        }
    }

    fn poll_event(&mut self, _: Instant) -> Option<Event> {
        let endless = self.habit == Habit::Telling && self.begun;
        (std::mem::take(&mut self.text) || endless).then(|| Event::new("told"))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.habit {
            Habit::Wishing(at) => Some(at),
            Habit::PanicOnTimeout => panic!("cannot tell the time"),
            _ => self.alarm,
        }
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("frames".into(), 1)]
    }
}

fn puppet(habit: Habit) -> Box<dyn Node> {
    Box::new(Puppet { habit, begun: false, alarm: None, text: false, out: Outbox::new() })
}

fn go() -> Command {
    Command::Do { verb: "go".into(), args: BTreeMap::new() }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at_ms(n: u64) -> Instant {
    Instant::ZERO + ms(n)
}

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// `a` and `b` with a millisecond between them.
fn pair(limits: Limits, a: Habit, b: Habit) -> Sim {
    let mut sim = Sim::new(1, limits);
    for (name, habit) in [("a", a), ("b", b)] {
        sim.add_node(name, puppet(habit), &["eth0".into()]);
    }
    let config = LinkConfig { delay: ms(1), ..LinkConfig::default() };
    sim.connect((A, 0), (B, 0), config).unwrap();
    sim
}

fn plain(limits: Limits) -> Sim {
    pair(limits, Habit::Plain, Habit::Plain)
}

#[test]
fn frames_go_there_and_back_with_time_and_cause() {
    let mut sim = plain(Limits::default());
    sim.command(A, &go(), 42).unwrap();
    sim.run_until(at_ms(2)).unwrap();
    let seen: Vec<_> =
        sim.capture().iter().map(|(_, r, _)| (r.time, r.port.0, r.cause, r.deliveries)).collect();
    let expected = [
        (at_ms(0), 0, Cause::Command(42), 1),
        (at_ms(1), 1, Cause::Frame(FrameId(0)), 1),
        (at_ms(2), 0, Cause::Frame(FrameId(1)), 0),
    ];
    assert_eq!(seen, expected);
    assert_eq!((sim.now(), sim.next_event()), (at_ms(2), Some(at_ms(3))));
    assert_eq!(sim.capture().interfaces(), ["a:eth0", "b:eth0"]);
}

#[test]
fn time_goes_where_it_is_told_and_never_back() {
    let mut sim = plain(Limits::default());
    assert_eq!(sim.step(), Ok(false));
    sim.run_until(at_ms(5)).unwrap();
    sim.run_until(at_ms(3)).unwrap();
    sim.command(A, &go(), 0).unwrap();
    assert_eq!((sim.now(), sim.next_event()), (at_ms(5), Some(at_ms(6))));
    assert_eq!((sim.step(), sim.now()), (Ok(true), at_ms(6)));
}

#[test]
fn a_sent_packet_carries_what_is_deliberate() {
    let mut sim = plain(Limits::default());
    let packet = Packet { raw: Some(vec![1]), ..Packet::default() };
    let deliberate = packet.deliberate();
    sim.command(A, &Command::Send { port: 0, packet }, 1).unwrap();
    sim.run_until(at_ms(1)).unwrap();
    let flags: Vec<_> = sim.capture().iter().map(|(_, record, _)| record.deliberate).collect();
    assert_eq!(flags, [deliberate, Deliberate::NOTHING]);
    assert_ne!(deliberate, Deliberate::NOTHING);
}

#[test]
fn the_frame_limit_holds_to_the_frame() {
    let mut sim = plain(Limits { frames: 5, ..Limits::default() });
    sim.command(A, &go(), 0).unwrap();
    sim.run_until(at_ms(4)).unwrap();
    assert_eq!(sim.capture().len(), 5);
    assert_eq!(sim.run_until(at_ms(5)), Err(SimError::FrameLimit(5)));
    assert_eq!(sim.capture().len(), 5);
}

#[test]
fn the_byte_limit_holds_to_the_byte() {
    let mut long = plain(Limits::default());
    long.command(A, &go(), 0).unwrap();
    long.run_until(at_ms(4)).unwrap();
    let (frames, bytes) = (long.capture().len(), long.capture().byte_len() as u64);
    // Frames shorter than what counts are limited by their number.
    let counted = frames as u64 * crate::LEAST_COUNTED;
    assert!(bytes < counted, "{bytes} bytes in {frames} frames");
    for (limit, reached) in [(counted, false), (counted - 1, true)] {
        let mut sim = plain(Limits { bytes: limit, ..Limits::default() });
        sim.command(A, &go(), 0).unwrap();
        let ran = sim.run_until(at_ms(4));
        assert_eq!(ran, if reached { Err(SimError::ByteLimit(limit)) } else { Ok(()) });
        assert_eq!(sim.capture().len(), frames - usize::from(reached));
    }
}

/// Emits frames of so many bytes without end.
struct Long(Vec<u8>);

impl Node for Long {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, _: &[u8]) {}

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        Some(Transmit { port: 0, frame: &self.0 })
    }
}

#[test]
fn frames_of_any_length_end_at_the_limit_of_bytes() {
    for limit in [64_000, 64_001, 64_999, 65_000, 1 << 20] {
        let mut sim = Sim::new(1, Limits { bytes: limit, ..Limits::default() });
        sim.add_node("a", Box::new(Long(vec![7; 1000])), &["eth0".into()]);
        assert_eq!(sim.command(A, &go(), 0), Err(SimError::ByteLimit(limit)));
        assert_eq!(sim.capture().len() as u64, limit / 1000, "limit {limit}");
        assert!(sim.capture().byte_len() as u64 <= limit);
    }
    // Longer than what is counted on between two looks at the limits.
    for (length, limit) in [(70_000, 1 << 20), (65_536, 1 << 20), (65_537, 1 << 20), (300, 1 << 18)]
    {
        let mut sim = Sim::new(1, Limits { bytes: limit, ..Limits::default() });
        sim.add_node("a", Box::new(Long(vec![7; length])), &["eth0".into()]);
        assert_eq!(sim.command(A, &go(), 0), Err(SimError::ByteLimit(limit)));
        assert_eq!(sim.capture().len() as u64, limit / length as u64, "{length} bytes a frame");
    }
}

#[test]
fn the_step_limit_holds_to_the_step() {
    let mut sim = plain(Limits { steps: 5, ..Limits::default() });
    sim.command(A, &go(), 0).unwrap();
    sim.run_until(at_ms(5)).unwrap();
    assert_eq!(sim.steps(), 5);
    assert_eq!(sim.run_until(at_ms(6)), Err(SimError::StepLimit(5)));
}

#[test]
fn the_queue_limit_holds_to_the_frame() {
    let mut sim = plain(Limits { queue: 3, ..Limits::default() });
    for _ in 0..3 {
        sim.command(A, &go(), 0).unwrap();
    }
    assert_eq!(sim.command(A, &go(), 0), Err(SimError::QueueLimit(3)));
}

#[test]
fn the_duration_limit_holds_to_the_nanosecond() {
    let limits = Limits { duration: ms(3), ..Limits::default() };
    let mut sim = plain(limits);
    sim.command(A, &go(), 0).unwrap();
    sim.run_until(at_ms(3)).unwrap();
    assert_eq!(sim.step(), Err(SimError::DurationLimit(ms(3))));
    assert_eq!((sim.now(), sim.steps()), (at_ms(3), 3));
    let mut idle = plain(limits);
    let beyond = at_ms(3) + Duration::from_nanos(1);
    assert_eq!(idle.run_until(beyond), Err(SimError::DurationLimit(ms(3))));
    assert_eq!(idle.run_until(at_ms(3)), Ok(()));
}

#[test]
fn nodes_that_never_stop_are_stopped() {
    let limits = Limits { frames: 100, steps: 50, queue: 200, ..Limits::default() };
    let mut sim = pair(limits, Habit::Endless, Habit::Plain);
    assert_eq!(sim.command(A, &go(), 0), Err(SimError::FrameLimit(100)));
    let mut sim = pair(limits, Habit::Telling, Habit::Plain);
    assert_eq!(sim.command(A, &go(), 0), Err(SimError::StepLimit(50)));
    assert_eq!(sim.events().len(), 50);
    let mut sim = pair(limits, Habit::Wishing(Instant::ZERO), Habit::Plain);
    assert_eq!(sim.run_until(at_ms(9)), Err(SimError::StepLimit(50)));
}

#[test]
fn a_wish_for_the_past_leaves_others_their_turn() {
    let limits = Limits { steps: 50, ..Limits::default() };
    let mut sim = pair(limits, Habit::Wishing(at_ms(1)), Habit::Wishing(at_ms(1)));
    sim.run_until_idle().unwrap_err();
    let first: Vec<u16> = sim.events().iter().take(6).map(|seen| seen.node.0).collect();
    assert_eq!((first, sim.now()), (vec![0, 1, 0, 1, 0, 1], at_ms(1)));
}

#[test]
fn a_wish_for_the_past_does_not_turn_time_back() {
    let mut sim = Sim::new(1, Limits::default());
    sim.run_until(at_ms(5)).unwrap();
    sim.add_node("late", puppet(Habit::Wishing(at_ms(2))), &[]);
    assert_eq!(sim.next_event(), Some(at_ms(5)));
    assert_eq!((sim.step(), sim.now()), (Ok(true), at_ms(5)));
}

#[test]
fn each_input_moves_the_one_timer() {
    let mut sim = pair(Limits::default(), Habit::Plain, Habit::Alarm(ms(10)));
    sim.command(A, &go(), 0).unwrap();
    sim.run_until(at_ms(5)).unwrap();
    sim.command(A, &go(), 0).unwrap();
    sim.run_until_idle().unwrap();
    let text: Vec<_> = sim.events().iter().map(|seen| (seen.time, seen.node)).collect();
    assert_eq!(text, [(at_ms(16), B)], "the first wish, for 11 ms, is stale");
    assert_eq!(sim.steps(), 4, "two arrivals, one timeout, one thing told");
}

#[test]
fn what_was_scheduled_first_comes_first() {
    // At 1 ms a frame from `b` arrives at `a` and the timer of `a` runs out.
    for (order, timer_first) in [([A, B], true), ([B, A], false)] {
        let mut sim = pair(Limits::default(), Habit::Alarm(ms(1)), Habit::Plain);
        for node in order {
            sim.command(node, &go(), 0).unwrap();
        }
        sim.step().unwrap();
        assert_eq!((sim.now(), sim.events().len()), (at_ms(1), usize::from(timer_first)));
    }
}

#[test]
fn a_panic_is_the_end_of_the_node_and_not_of_the_run() {
    let mut sim = pair(Limits::default(), Habit::Plain, Habit::PanicOnFrame);
    assert_eq!(sim.counters(B).len(), 1);
    sim.command(A, &go(), 0).unwrap();
    sim.command(A, &go(), 0).unwrap();
    sim.run_until_idle().unwrap();
    let fault = Fault::Panicked("cannot bear 60 bytes".to_owned());
    assert_eq!(sim.faults(), [NodeFault { time: at_ms(1), node: B, fault }]);
    let dead = LinkNote {
        time: at_ms(1),
        frame: FrameId(1),
        link: Some(LinkId(0)),
        what: LinkEvent::Lost(LossReason::NodeDead),
    };
    assert_eq!(sim.losses(), [dead]);
    assert_eq!(sim.command(B, &go(), 0), Ok(()));
    assert_eq!((sim.capture().len(), sim.counters(B).len()), (2, 0));
}

#[test]
fn a_panic_anywhere_is_caught_and_once() {
    for (habit, message) in
        [(Habit::PanicOnTransmit, "cannot speak"), (Habit::PanicOnTimeout, "cannot tell the time")]
    {
        let mut sim = pair(Limits::default(), habit, Habit::Plain);
        sim.command(A, &go(), 0).unwrap();
        sim.command(A, &go(), 0).unwrap();
        sim.command(B, &go(), 0).unwrap();
        sim.run_until_idle().unwrap();
        let said: Vec<_> = sim.faults().iter().map(|fault| fault.fault.text()).collect();
        assert_eq!(said, [message]);
    }
}

#[test]
fn a_frame_without_a_link_is_captured_and_lost() {
    let mut sim = Sim::new(1, Limits::default());
    let node = sim.add_node("a", puppet(Habit::Plain), &["eth0".into()]);
    sim.command(node, &go(), 0).unwrap();
    assert_eq!((sim.capture().len(), sim.next_event()), (1, None));
    let [note] = sim.losses() else { panic!("{:?}", sim.losses()) };
    assert_eq!((note.link, note.what), (None, LinkEvent::Lost(LossReason::NoLink)));
}

#[test]
fn altered_copies_that_landed_make_room() {
    let mut sim = plain(Limits::default());
    let change = LinkChange { corrupt: Some(crate::Chance::Always), ..LinkChange::default() };
    sim.change_link(LinkId(0), None, &change).unwrap();
    sim.command(A, &go(), 0).unwrap();
    sim.run_until(at_ms(100)).unwrap();
    assert_eq!(sim.capture().len(), 101);
    // One is in flight, and the next is made while it is being handed over.
    assert!(sim.net.copy_slots() <= 2, "{} slots", sim.net.copy_slots());
}

#[test]
fn what_cannot_be_is_an_error_that_says_so() {
    let mut sim = pair(Limits::default(), Habit::Astray, Habit::Plain);
    let astray = SimError::UnknownPort { node: A, port: 1, ports: 1 };
    assert_eq!(sim.command(A, &go(), 0), Err(astray.clone()));
    assert_eq!(astray.to_string(), "node 0 emitted a frame from port 1, but has 1 ports");
    let no = Command::Do { verb: "no".into(), args: BTreeMap::new() };
    let refused = sim.command(B, &no, 0).unwrap_err();
    assert_eq!(refused.to_string(), "node 1: no is no verb");
    assert_eq!(sim.command(NodeId(2), &go(), 0), Err(SimError::UnknownNode(NodeId(2))));
}

#[test]
fn a_port_takes_one_link() {
    let mut sim = plain(Limits::default());
    let c = sim.add_node("c", puppet(Habit::Plain), &["l".into(), "r".into()]);
    let mut join = |a, b| sim.connect(a, b, LinkConfig::default());
    assert_eq!(join((A, 0), (c, 0)), Err(TopologyError::PortTaken(A, 0)));
    assert_eq!(join((c, 0), (c, 0)), Err(TopologyError::SamePort(c, 0)));
    assert_eq!(join((c, 2), (c, 0)), Err(TopologyError::UnknownPort(c, 2)));
    assert_eq!(join((c, 0), (NodeId(9), 0)), Err(TopologyError::UnknownNode(NodeId(9))));
    assert_eq!(join((c, 0), (c, 1)), Ok(LinkId(1)));
    let unknown = sim.change_link(LinkId(2), None, &LinkChange::default());
    assert_eq!(unknown, Err(TopologyError::UnknownLink(LinkId(2))));
    assert_eq!((sim.port_id(c, 1), sim.port_id(c, 2)), (Some(PortId(3)), None));
    assert_eq!(sim.port_owner(PortId(3)), Some((c, 1)));
    assert_eq!((sim.port_owner(PortId(4)), sim.node_name(c)), (None, "c"));
}

#[test]
fn a_run_has_as_many_links_as_their_directions_have_numbers() {
    let mut sim = Sim::new(0, Limits::default());
    let ports: Vec<String> = (0..0x8000).map(|port| port.to_string()).collect();
    let (a, b) = (puppet(Habit::Plain), puppet(Habit::Plain));
    let (a, b) = (sim.add_node("a", a, &ports), sim.add_node("b", b, &ports));
    let mut join = |port| sim.connect((a, port), (b, port), LinkConfig::default());
    for port in 0..0x7fff {
        assert_eq!(join(port), Ok(LinkId(port)));
    }
    assert_eq!(join(0x7fff), Err(TopologyError::TooManyLinks));
}

#[test]
fn a_capture_is_cleared_only_when_nothing_refers_to_it() {
    let mut sim =
        pair(Limits { frames: 1, ..Limits::default() }, Habit::Plain, Habit::Alarm(ms(1)));
    sim.command(A, &go(), 0).unwrap();
    assert!(!sim.clear_capture());
    assert_eq!(sim.capture().len(), 1);
    sim.run_until_idle().unwrap();
    assert!(sim.clear_capture());
    assert_eq!((sim.capture().len(), sim.events().len(), sim.now()), (0, 0, at_ms(2)));
    sim.command(A, &go(), 0).unwrap();
    assert_eq!(sim.capture().len(), 1);
    assert_eq!(sim.capture().interfaces().len(), 2);
}
