//! The simulated wire under a script.

use ::guest::Pool;
use anyhow::{Context, Result, bail};
use link::{Command, LinkConfig, LinkId, NodeId, Seen, Sim, SimError};
use nodes::Registry;
use wire::{Capture, Instant};

use super::guest::Guests;
use super::script::Script;
use super::{Run, Wire, guest, linux};
use crate::plan::{LinkStep, Plan};

/// Runs a plan in virtual time.
pub(super) fn run(plan: &Plan, registry: &Registry, machines: &Pool) -> Result<Run> {
    let (sim, guests) = topology(plan, registry, machines)?;
    let mut script = Script::new(plan, Simulated { sim, plan, guests });
    let broken = script.run().err();
    let nodes = 0..plan.nodes.len() as u16;
    let counters = nodes.map(|node| script.wire.sim.counters(NodeId(node))).collect();
    let (begun, failures) = (script.begun, script.failures);
    let (expected, timed) = (script.expected, script.timed);
    let Simulated { sim, guests, .. } = script.wire;
    let end = sim.now();
    let left = sim.into_left();
    let mut run = Run {
        capture: left.capture,
        seen: left.events,
        notes: left.losses,
        panics: left.panics,
        counters,
        begun,
        failures,
        expected,
        timed,
        broken,
        end,
        ..Run::default()
    };
    guests.finish(end, |node| plan.nodes[node].name.clone(), &mut run);
    Ok(run)
}

/// The plan's nodes and links, nothing emitted yet.
fn topology(plan: &Plan, registry: &Registry, machines: &Pool) -> Result<(Sim, Guests)> {
    let mut sim = Sim::new(plan.seed, plan.limits);
    let mut guests = Guests::default();
    for (number, node) in plan.nodes.iter().enumerate() {
        if node.kind == linux::KIND {
            bail!("{}: the kind `linux` is a running kernel; it takes --on veth", node.name);
        }
        let told = || node.name.clone();
        let made = if node.kind == guest::KIND {
            let mtus = plan.mtus(number);
            let (made, standing) =
                guest::start(&node.config, &mtus, false, machines).with_context(told)?;
            guests.add(number, standing);
            Box::new(made)
        } else {
            registry.build(&node.kind, &node.config).with_context(told)?
        };
        let ports: Vec<String> = node.config.ports.iter().map(|port| port.name.clone()).collect();
        sim.add_node(&node.name, made, &ports);
    }
    for link in &plan.links {
        let [a, b] = link.ends.map(|(node, port)| (NodeId(node as u16), port));
        let id = sim.connect(a, b, LinkConfig::default()).with_context(|| link.name.clone())?;
        sim.change_link(id, None, &link.settings).with_context(|| link.name.clone())?;
    }
    Ok((sim, guests))
}

struct Simulated<'a> {
    sim: Sim,
    plan: &'a Plan,
    guests: Guests,
}

impl Simulated<'_> {
    /// The wire names nodes by number; a reader knows them by name.
    fn told(&self, error: SimError) -> String {
        match error {
            SimError::Command(node, error) => {
                format!("{}: {error}", self.plan.nodes[usize::from(node.0)].name)
            }
            other => other.to_string(),
        }
    }
}

impl Wire for Simulated<'_> {
    fn now(&self) -> Instant {
        self.sim.now()
    }

    fn command(&mut self, node: usize, command: &Command, step: u32) -> Result<(), String> {
        let done = self.sim.command(NodeId(node as u16), command, step);
        done.map_err(|error| self.told(error))?;
        self.guests.well()
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), String> {
        let link = LinkId(step.link as u16);
        self.sim.change_link(link, step.direction, &step.change).map_err(|error| error.to_string())
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, String> {
        let due = self.sim.next_event();
        let bound = due.map_or(until, |due| Some(until.map_or(due, |until| until.min(due))));
        // A guest in lockstep may speak before anything else happens. Without an end it would have
        // to be waited for for ever.
        if let Some(bound) = bound
            && let Some((at, node)) = self.guests.let_run(self.sim.now(), bound)
        {
            let woken = self.sim.run_until(at).and_then(|()| self.sim.wake(NodeId(node as u16)));
            woken.map_err(|error| self.told(error))?;
            return self.guests.well().map(|()| true);
        }
        match (due, until) {
            (Some(due), until) if until.is_none_or(|until| due <= until) => {
                let happened = self.sim.step().map_err(|error| self.told(error))?;
                self.guests.well().map(|()| happened)
            }
            (_, Some(until)) => {
                self.sim.run_until(until).map_err(|error| self.told(error))?;
                self.guests.well().map(|()| false)
            }
            _ => Ok(false),
        }
    }

    fn capture(&self) -> &Capture {
        self.sim.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.sim.events()
    }
}
