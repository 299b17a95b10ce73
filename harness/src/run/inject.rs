//! One node on a wire, and every frame of a capture sent to it by an injector at the capture's own
//! pace. Knows frames and ports; no scenario and no golden.

use std::borrow::Cow;

use anyhow::Result;
use link::{
    Command, CommandError, Fault, Limits, LinkChange, Node, NodeId, Outbox, PortIndex, Transmit,
};
use nodes::{ConfigError, Kind, NodeConfig, PortRule, Registry, Role, in_process};
use wire::{Capture, Instant, Packet};

use super::{Backend, Stop, Transcript, open};
use crate::on::{On, Speed};
use crate::plan::{Plan, PlanLink, PlanNode};

/// A node that emits more frames of its own is left there: it might never end.
const MOST_EMITTED: u32 = 1 << 24;
/// Bytes of them.
const MOST_BYTES: u64 = 4 << 30;
/// What may happen for each frame that is sent to it, and for all of them together.
const STEPS: (u64, u64) = (16, 10_000_000);
/// Timers that may run out after the last frame; a node that never rests is left there.
const MOST_TIMEOUTS: usize = 1_000;

/// The injector, by its place in the plan.
const INJECTOR: NodeId = NodeId(0);
/// The node.
const NODE: NodeId = NodeId(1);

/// The kind of the injector.
const INJECTS: &str = "injector";

/// The one kind of injector there is.
fn injectors() -> Registry {
    let mut registry = Registry::new();
    let about = "sends the frames of a capture as they are";
    let kind = Kind::new(INJECTS, about, |_, _| {
        Ok(in_process(Role::Sender, |_| Box::new(Injector(Outbox::new()))))
    });
    registry.register(kind.ports(PortRule::AtLeast(1)));
    registry
}

/// Sends frames of any length: a capture has what no builder of packets makes.
struct Injector(Outbox);

impl Node for Injector {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, _: &[u8]) {}

    fn handle_command(&mut self, _: Instant, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::Send { port, packet: Packet { raw: Some(raw), .. } } => {
                self.0.push(*port, raw);
                Ok(())
            }
            _ => Err(CommandError("an injector sends frames as they are".to_owned())),
        }
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.0.pop()
    }
}

/// What a node counted.
type Counters = Vec<(Cow<'static, str>, u64)>;

/// What came of it.
#[derive(Debug)]
pub struct Injected {
    /// All that crossed: first the ports of the injector, one for each of the node's, then the
    /// node's. The cause of what the injector sent is the command of the frame's place.
    pub transcript: Transcript,
    /// Why it ended before its time.
    pub broken: Option<String>,
    /// When a reader's time begins: that of the first frame, on a wire of virtual time.
    pub began: Instant,
}

/// A node of a kind opposite an injector with as many ports.
///
/// # Errors
/// When the kind does not take these options.
pub fn plan(
    kind: &str,
    config: NodeConfig,
    registry: &Registry,
    input: &Capture,
) -> Result<Plan, ConfigError> {
    let ports = config.ports.len() as PortIndex;
    let opposite =
        NodeConfig { name: "input".into(), ports: config.ports.clone(), ..NodeConfig::default() };
    let nodes = vec![
        PlanNode::alone(INJECTS, opposite, &injectors(), 0)?,
        PlanNode::alone(kind, config, registry, ports)?,
    ];
    let links = (0..ports).map(|port| PlanLink {
        name: format!("link {port}"),
        ends: [(INJECTOR, port), (NODE, port)],
        settings: LinkChange::default(),
        toward: Vec::new(),
    });
    let frames = input.len() as u64;
    let limits = Limits {
        frames: (input.len() as u32).saturating_mul(2).saturating_add(MOST_EMITTED),
        bytes: (input.byte_len() as u64).saturating_mul(2).saturating_add(MOST_BYTES),
        steps: frames.saturating_mul(STEPS.0).saturating_add(STEPS.1),
        queue: Limits::default().queue,
        duration: wire::Duration::MAX,
    };
    Ok(Plan::of_nodes("inject", nodes, links.collect(), limits))
}

/// Sends every frame. `port` gives the port by which a frame of an interface goes in; `sent` is
/// called behind each frame with its place, and with the node's counters where it was not answered
/// at once.
///
/// # Errors
/// When the wire cannot be made.
pub fn inject(
    on: On,
    plan: &Plan,
    input: &Capture,
    speed: Speed,
    port: impl Fn(&str) -> PortIndex,
    mut sent: impl FnMut(usize, Option<Counters>),
) -> Result<Injected> {
    let mut wire = open(on, plan)?.map_err(anyhow::Error::msg)?;
    let start = input.iter().next().map_or(Instant::ZERO, |(_, record, _)| record.time);
    let began = if on == On::Sim { start } else { Instant::ZERO };
    let mut last = None;
    let stop = feed(wire.as_mut(), input, |wire, id, record, frame| {
        let due = match speed {
            Speed::Max if on != On::Sim => wire.now(),
            Speed::Times(times) if on != On::Sim => {
                Instant::ZERO + (record.time - start).div_f64(times)
            }
            _ => Instant::ZERO + (record.time - start),
        };
        while wire.advance(Some(due))? {}
        last = Some(id.number());
        let before = wire.capture().len();
        let packet = Packet::raw(frame.to_vec());
        let port = port(input.interface(record.port));
        wire.command(INJECTOR, &Command::Send { port, packet }, id.0)?;
        while wire.advance(Some(due.max(wire.now())))? {}
        let answered = wire.capture().len() > before + 1;
        sent(id.index(), if answered { None } else { Some(wire.counters(NODE)) });
        Ok(())
    });
    let (transcript, late) = wire.close();
    let broken = broken(plan, stop.or(late), &transcript, last);
    Ok(Injected { transcript, broken, began })
}

/// Does the same for each frame, and lets the timers run out that are left.
fn feed(
    wire: &mut dyn Backend,
    input: &Capture,
    mut each: impl FnMut(&mut dyn Backend, wire::FrameId, &wire::Record, &[u8]) -> Result<(), Stop>,
) -> Option<Stop> {
    for (id, record, frame) in input.iter() {
        if let Err(stop) = each(wire, id, record, frame) {
            return Some(stop);
        }
        // One that panicked is sent nothing more.
        if !wire.faults().is_empty() {
            return None;
        }
    }
    for _ in 0..MOST_TIMEOUTS {
        match wire.advance(None) {
            Ok(true) => {}
            Ok(false) => break,
            Err(stop) => return Some(stop),
        }
    }
    None
}

/// Why it ended before its time, in words.
fn broken(
    plan: &Plan,
    stop: Option<Stop>,
    transcript: &Transcript,
    last: Option<u32>,
) -> Option<String> {
    let kind = &plan.nodes[NODE.index()].kind;
    let at = last.map_or_else(|| "the start".to_owned(), |number| format!("trigger={number}"));
    if let Some(fault) = transcript.faults.first() {
        return Some(match &fault.fault {
            Fault::Panicked(words) => {
                format!("{kind} panicked at {at}: {words}; what it emitted before is kept")
            }
            other => format!("{kind}: {other}"),
        });
    }
    match stop? {
        Stop::NodeFailed => Some(format!("{kind} failed at {at}")),
        Stop::Late(why) => Some(why),
        Stop::Refused(why) => Some(format!("{why}; {kind} was left at {at}")),
    }
}
