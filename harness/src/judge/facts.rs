//! What the checks may know of each port, from the plan.

use checks::{Answers, PortFacts};
use nodes::Role;
use wire::PortId;

use crate::plan::Plan;

/// The facts of every port, in order of the ports.
pub(super) fn ports(plan: &Plan) -> Vec<PortFacts> {
    let mut facts = Vec::new();
    for (number, node) in plan.nodes.iter().enumerate() {
        for (index, port) in node.config.ports.iter().enumerate() {
            facts.push(PortFacts {
                node: number as u16,
                mac: port.mac,
                addresses: port.addresses.iter().map(|address| address.ip).collect(),
                peer: peer(plan, number, index),
                answers: answers(&node.role),
            });
        }
    }
    facts
}

fn peer(plan: &Plan, node: usize, port: usize) -> Option<PortId> {
    let here = (node, port as link::PortIndex);
    let link = plan.links.iter().find(|link| link.ends.contains(&here))?;
    let (node, port) = if link.ends[0] == here { link.ends[1] } else { link.ends[0] };
    plan.nodes.get(node)?.ports.get(usize::from(port)).copied()
}

fn answers(role: &Role) -> Answers {
    match role {
        Role::Silent | Role::Sender => Answers::Never,
        Role::ClosedPort { ports } => Answers::ClosedPorts(ports.clone()),
        Role::Forwarder { reject } => Answers::Forwards { rejects: reject.clone() },
        Role::Other => Answers::Unknown,
    }
}
