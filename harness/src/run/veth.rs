//! The real wire under a script: the plan's nodes in namespaces of their own, its links as veth
//! pairs. Knows what a plan says of them; how they are made is the crate `veth`'s.

use ::guest::Pool;
use anyhow::{Context, Result};
use link::{Command, LinkId, NodeId, Seen, SimError};
use nodes::Registry;
use veth::{Error, LinkSpec, NodeSpec, Occupant};
use wire::{Capture, Duration, FrameId, Instant};

use super::guest::Guests;
use super::script::Script;
use super::{Run, Speaker, Wire, guest, linux};
use crate::plan::{Action, LinkStep, Plan};

/// Runs a plan by the real clock.
pub(super) fn run(plan: &Plan, registry: &Registry, machines: &Pool) -> Result<Run> {
    let (wire, guests) = match topology(plan, registry, machines) {
        Ok(laid) => laid,
        Err(error) => match error.downcast() {
            // The machine did not come that far in time: this says nothing about the nodes.
            Ok(Error::Late(told)) => {
                return Ok(Run { inconclusive: Some(told), real: true, ..Run::default() });
            }
            Ok(other) => return Err(other.into()),
            Err(other) => return Err(other),
        },
    };
    let wire = Real { wire, plan, late: None, guests };
    let mut script = Script::new(plan, wire);
    let stopped = script.run().err();
    let (begun, failures) = (script.begun, script.failures);
    let (expected, timed) = (script.expected, script.timed);
    let Real { mut wire, late, guests, .. } = script.wire;
    let nodes = 0..plan.nodes.len() as u16;
    let mut run = Run {
        capture: wire.real_capture(),
        by_wire: Some(wire.capture().clone()),
        seen: wire.seen().to_vec(),
        notes: wire.notes().to_vec(),
        panics: wire.panics().to_vec(),
        counters: nodes.map(|node| wire.counters(NodeId(node))).collect(),
        begun,
        failures,
        expected,
        timed,
        broken: stopped.filter(|_| late.is_none()),
        end: wire.now(),
        inconclusive: late,
        real: true,
        remarks: wire.remarks().to_vec(),
        speakers: kernels(plan),
        ..Run::default()
    };
    guests.finish(wire.now(), |node| plan.nodes[node].name.clone(), &mut run);
    run.speakers.sort_by_key(|speaker| speaker.node);
    Ok(run)
}

/// The running kernel, wherever it speaks.
fn kernels(plan: &Plan) -> Vec<Speaker> {
    let kernel = |(node, planned): (usize, &crate::plan::PlanNode)| {
        let kernel = linux::kernel(&planned.config).ok().filter(|_| planned.kind == linux::KIND);
        Some(Speaker { node, who: linux::who(&kernel?) })
    };
    plan.nodes.iter().enumerate().filter_map(kernel).collect()
}

/// The plan's nodes and links, nothing emitted yet.
fn topology(plan: &Plan, registry: &Registry, machines: &Pool) -> Result<(veth::Wire, Guests)> {
    let mut nodes = Vec::new();
    let mut guests = Guests::default();
    for (number, node) in plan.nodes.iter().enumerate() {
        let told = || node.name.clone();
        let occupant = match node.kind.as_str() {
            linux::KIND => Occupant::Kernel(linux::kernel(&node.config).with_context(told)?),
            guest::KIND => {
                let mtus = plan.mtus(number);
                let started = guest::start(&node.config, &mtus, true, machines);
                let (node, standing) = started.with_context(told)?;
                guests.add(number, standing);
                let readiness = node.readiness().with_context(told)?;
                Occupant::Apart { node: Box::new(node), readiness }
            }
            kind => Occupant::Ours(registry.build(kind, &node.config).with_context(told)?),
        };
        let (name, ports) = (node.name.clone(), node.config.ports.clone());
        nodes.push(NodeSpec { name, ports, node: occupant });
    }
    let links: Vec<LinkSpec> =
        (0..).zip(&plan.links).map(|(at, link)| spec(plan, at, link)).collect();
    Ok((veth::lay(plan.seed, plan.limits, nodes, &links)?, guests))
}

fn spec(plan: &Plan, at: usize, link: &crate::plan::PlanLink) -> LinkSpec {
    let changed = plan.steps.iter().any(|step| match &step.action {
        Action::Link(change) => change.link == at,
        _ => false,
    });
    LinkSpec {
        name: link.name.clone(),
        ends: link.ends.map(|(node, port)| (node as u16, port)),
        settings: link.settings.clone(),
        steady: !changed && link.toward.is_empty(),
    }
}

struct Real<'a> {
    wire: veth::Wire,
    plan: &'a Plan,
    /// What the machine did not do in time.
    late: Option<String>,
    guests: Guests,
}

impl Real<'_> {
    fn told(&mut self, error: Error) -> String {
        match error {
            Error::Run(SimError::Command(node, error)) => {
                format!("{}: {error}", self.plan.node_name(node))
            }
            Error::Late(told) => {
                self.late = Some(told.clone());
                told
            }
            other => other.to_string(),
        }
    }
}

impl Wire for Real<'_> {
    fn now(&self) -> Instant {
        self.wire.now()
    }

    fn command(&mut self, node: usize, command: &Command, step: u32) -> Result<(), String> {
        let done = self.wire.command(NodeId(node as u16), command, step);
        done.map_err(|error| self.told(error))?;
        self.guests.well()
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), String> {
        let link = LinkId(step.link as u16);
        let done = self.wire.change_link(link, step.direction, &step.change);
        done.map_err(|error| self.told(error))
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, String> {
        let done = self.wire.advance(until);
        let happened = done.map_err(|error| self.told(error))?;
        self.guests.well().map(|()| happened)
    }

    fn capture(&self) -> &Capture {
        self.wire.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.wire.seen()
    }

    fn emitted(&self, frame: FrameId) -> Instant {
        self.wire.emitted(frame).unwrap_or_else(|| self.wire.capture().record(frame).time)
    }

    fn late(&self) -> Duration {
        self.wire.late()
    }
}
