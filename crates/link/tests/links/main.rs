//! Links from outside: what arrives, when, and what is noted of what does not. Every threshold is
//! tried from both sides.

mod chances;
mod order;
mod thresholds;

use std::collections::BTreeMap;
use std::time::Duration;

use wire::Instant;
use wireproof_link::{
    Command, CommandError, Datum, Event, Limits, LinkConfig, LinkEvent, LinkId, Node, NodeId,
    Outbox, PortIndex, Sim, Transmit,
};

pub(crate) const A: NodeId = NodeId(0);
pub(crate) const B: NodeId = NodeId(1);
pub(crate) const LINK: LinkId = LinkId(0);

/// Emits the frames that it is told to, and tells of each frame that arrives.
#[derive(Default)]
struct Probe {
    out: Outbox,
    arrived: Vec<Vec<u8>>,
}

impl Node for Probe {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, frame: &[u8]) {
        self.arrived.push(frame.to_vec());
    }

    fn handle_command(&mut self, _: Instant, command: &Command) -> Result<(), CommandError> {
        let Command::Do { args, .. } = command else { return Err(CommandError("no".into())) };
        for frame in args.values() {
            let Datum::Bytes(bytes) = frame else { return Err(CommandError("no".into())) };
            self.out.push(0, bytes);
        }
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }

    fn poll_event(&mut self, _: Instant) -> Option<Event> {
        let frame = if self.arrived.is_empty() { None } else { Some(self.arrived.remove(0)) };
        frame.map(|frame| Event::new("arrived").with("frame", Datum::Bytes(frame)))
    }
}

/// Two probes and a link between them.
pub(crate) fn pair(seed: u64, config: LinkConfig) -> Sim {
    let mut sim = Sim::new(seed, Limits::default());
    for name in ["a", "b"] {
        sim.add_node(name, Box::<Probe>::default(), &["eth0".into()]);
    }
    sim.connect((A, 0), (B, 0), config).unwrap();
    sim
}

/// Has a node emit frames at once, in order.
pub(crate) fn emit(sim: &mut Sim, node: NodeId, frames: &[&[u8]]) {
    let args: BTreeMap<_, _> = frames
        .iter()
        .enumerate()
        .map(|(n, frame)| (format!("{n:04}"), Datum::Bytes(frame.to_vec())))
        .collect();
    sim.command(node, &Command::Do { verb: "emit".into(), args }, 0).unwrap();
}

/// So many frames of 60 bytes, each with its number from 1 in the last byte, from `a` at once.
pub(crate) fn volley(sim: &mut Sim, count: u8) {
    let frames: Vec<Vec<u8>> = (1..=count).map(numbered).collect();
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    emit(sim, A, &frames);
}

pub(crate) fn numbered(number: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[59] = number;
    frame
}

/// When and with what bytes frames arrived, run to the end.
pub(crate) fn arrivals(sim: &mut Sim) -> Vec<(Instant, Vec<u8>)> {
    sim.run_until_idle().unwrap();
    let bytes = |event: &Event| match &event.fields[0].1 {
        Datum::Bytes(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    };
    sim.events().iter().map(|seen| (seen.time, bytes(&seen.event))).collect()
}

/// The numbers of the frames in the order in which they arrived.
pub(crate) fn numbers(sim: &mut Sim) -> Vec<u8> {
    arrivals(sim).iter().map(|(_, frame)| frame[59]).collect()
}

/// What was noted, without when.
pub(crate) fn mishaps(sim: &Sim) -> Vec<(u32, LinkEvent)> {
    sim.losses().iter().map(|note| (note.frame.0, note.what)).collect()
}

pub(crate) fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

pub(crate) fn at_us(n: u64) -> Instant {
    Instant::ZERO + us(n)
}
