//! The real wire: the plan's nodes in namespaces of their own, its links as veth pairs. Knows
//! what a plan says of them; how they are made is the crate `veth`'s.

use std::borrow::Cow;

use anyhow::Context;
use link::{Command, NodeFault, NodeId, Seen};
use nodes::Occupant;
use veth::{Error, LinkSpec, NodeSpec};
use wire::{Capture, Duration, FrameId, Instant};

use super::{Answering, Backend, Opened, Stop, Transcript, sim};
use crate::plan::{Action, LinkStep, Plan, PlanLink};

/// The plan's nodes and links by the real clock.
pub(super) fn open(plan: &Plan) -> Opened<'_> {
    let mut nodes = Vec::new();
    let (mut answering, mut remarks) = (Vec::new(), Vec::new());
    for (number, planned) in plan.nodes.iter().enumerate() {
        let name = planned.name.clone();
        let made = planned.make(true).with_context(|| name.clone())?;
        answering.extend(made.who.map(|who| Answering { node: number, who }));
        remarks.extend(made.remarks.iter().map(|remark| format!("{name}: {remark}")));
        let node = match made.occupant {
            Occupant::InProcess(node) => veth::Occupant::InProcess(node),
            Occupant::Remote { node, readiness } => veth::Occupant::Remote { node, readiness },
            Occupant::Kernel(kernel) => veth::Occupant::Kernel(*kernel),
        };
        nodes.push(NodeSpec { name, ports: planned.config.ports.clone(), node });
    }
    let links = plan.links.iter().enumerate();
    let links: Vec<LinkSpec> = links.map(|(at, link)| spec(plan, at, link)).collect();
    match veth::lay(plan.seed, plan.limits, nodes, &links) {
        Ok(wire) => {
            remarks.splice(0..0, wire.remarks().iter().cloned());
            Ok(Ok(Box::new(Real { wire, plan, answering, remarks })))
        }
        // The machine did not come that far in time: this says nothing about the nodes.
        Err(Error::Late(why)) => Ok(Err(why)),
        Err(other) => Err(other.into()),
    }
}

fn spec(plan: &Plan, at: usize, link: &PlanLink) -> LinkSpec {
    let changed = plan.steps.iter().any(|step| match &step.action {
        Action::Link(change) => change.link.index() == at,
        _ => false,
    });
    LinkSpec {
        name: link.name.clone(),
        ends: link.ends.map(|(node, port)| (node.0, port)),
        settings: link.settings.clone(),
        steady: !changed && link.toward.is_empty(),
    }
}

struct Real<'a> {
    wire: veth::Wire,
    plan: &'a Plan,
    answering: Vec<Answering>,
    remarks: Vec<String>,
}

/// Why the run ends there.
pub(super) fn stop(error: Error, plan: &Plan) -> Stop {
    match error {
        Error::Run(error) => sim::stop(&error, plan),
        Error::Late(why) => Stop::Late(why),
        other => Stop::Refused(other.to_string()),
    }
}

impl Backend for Real<'_> {
    fn now(&self) -> Instant {
        self.wire.now()
    }

    fn command(&mut self, node: NodeId, command: &Command, step: u32) -> Result<(), Stop> {
        self.wire.command(node, command, step).map_err(|error| stop(error, self.plan))
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), Stop> {
        let changed = self.wire.change_link(step.link, step.direction, &step.change);
        changed.map_err(|error| stop(error, self.plan))
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, Stop> {
        self.wire.advance(until).map_err(|error| stop(error, self.plan))
    }

    fn capture(&self) -> &Capture {
        self.wire.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.wire.seen()
    }

    fn faults(&self) -> &[NodeFault] {
        self.wire.faults()
    }

    fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        self.wire.counters(node)
    }

    fn emitted(&self, frame: FrameId) -> Instant {
        self.wire.emitted(frame).unwrap_or_else(|| self.wire.capture().record(frame).time)
    }

    fn late(&self) -> Duration {
        self.wire.late()
    }

    fn close(self: Box<Self>) -> (Transcript, Option<Stop>) {
        let Self { mut wire, plan, answering, remarks } = *self;
        wire.finish();
        let nodes = 0..plan.nodes.len() as u16;
        let transcript = Transcript {
            capture: wire.real_capture(),
            by_wire: Some(wire.capture().clone()),
            seen: wire.seen().to_vec(),
            notes: wire.notes().to_vec(),
            faults: wire.faults().to_vec(),
            counters: nodes.map(|node| wire.counters(NodeId(node))).collect(),
            end: wire.now(),
            real: true,
            remarks,
            answering,
            ..Transcript::default()
        };
        (transcript, None)
    }
}
