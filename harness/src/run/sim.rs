//! The simulated wire.

use std::borrow::Cow;

use anyhow::{Context, bail};
use link::{Command, LinkConfig, NodeFault, NodeId, Seen, Sim, SimError};
use nodes::Occupant;
use wire::{Capture, Instant};

use super::{Answering, Backend, Opened, Stop, Transcript};
use crate::plan::{LinkStep, Plan};

/// The plan's nodes and links in virtual time.
pub(super) fn open(plan: &Plan) -> Opened<'_> {
    let mut sim = Sim::new(plan.seed, plan.limits);
    let mut answering = Vec::new();
    let mut remarks = Vec::new();
    for (number, planned) in plan.nodes.iter().enumerate() {
        let name = &planned.name;
        let made = planned.make(false).with_context(|| name.clone())?;
        answering.extend(made.who.map(|who| Answering { node: number, who }));
        remarks.extend(made.remarks.iter().map(|remark| format!("{name}: {remark}")));
        let node = match made.occupant {
            Occupant::InProcess(node) | Occupant::Remote { node, .. } => node,
            Occupant::Kernel(_) => {
                bail!("{name}: the kind `{}` is a running kernel; it takes --on veth", planned.kind)
            }
        };
        let ports = planned.config.ports.iter().map(|port| port.name.clone());
        sim.add_node(name, node, &ports.collect::<Vec<_>>());
    }
    for link in &plan.links {
        let [a, b] = link.ends;
        let id = sim.connect(a, b, LinkConfig::default()).with_context(|| link.name.clone())?;
        sim.change_link(id, None, &link.settings).with_context(|| link.name.clone())?;
    }
    Ok(Ok(Box::new(Simulated { sim, plan, answering, remarks })))
}

struct Simulated<'a> {
    sim: Sim,
    plan: &'a Plan,
    answering: Vec<Answering>,
    remarks: Vec<String>,
}

/// Why the run ends there. The wire names nodes by number; a reader knows them by name.
pub(super) fn stop(error: &SimError, plan: &Plan) -> Stop {
    match error {
        SimError::NodeFailed(_) => Stop::NodeFailed,
        SimError::Command(node, error) => {
            Stop::Refused(format!("{}: {error}", plan.node_name(*node)))
        }
        other => Stop::Refused(other.to_string()),
    }
}

impl Backend for Simulated<'_> {
    fn now(&self) -> Instant {
        self.sim.now()
    }

    fn command(&mut self, node: NodeId, command: &Command, step: u32) -> Result<(), Stop> {
        self.sim.command(node, command, step).map_err(|error| stop(&error, self.plan))
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), Stop> {
        let changed = self.sim.change_link(step.link, step.direction, &step.change);
        changed.map_err(|error| Stop::Refused(error.to_string()))
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, Stop> {
        self.sim.advance(until).map_err(|error| stop(&error, self.plan))
    }

    fn capture(&self) -> &Capture {
        self.sim.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.sim.events()
    }

    fn faults(&self) -> &[NodeFault] {
        self.sim.faults()
    }

    fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        self.sim.counters(node)
    }

    fn close(mut self: Box<Self>) -> (Transcript, Option<Stop>) {
        self.sim.finish();
        let nodes = 0..self.plan.nodes.len() as u16;
        let counters = nodes.map(|node| self.sim.counters(NodeId(node))).collect();
        let Self { sim, answering, remarks, .. } = *self;
        let end = sim.now();
        let left = sim.into_left();
        let transcript = Transcript {
            capture: left.capture,
            seen: left.events,
            notes: left.losses,
            faults: left.faults,
            counters,
            end,
            remarks,
            answering,
            ..Transcript::default()
        };
        (transcript, None)
    }
}
