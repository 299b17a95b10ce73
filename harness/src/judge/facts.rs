//! What the checks may know of each port, from the plan.

use std::net::{IpAddr, Ipv4Addr};

use checks::{Answers, PortFacts};
use link::Address;
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
                broadcasts: port.addresses.iter().filter_map(broadcast).collect(),
                peer: peer(plan, number, index),
                answers: answers(&node.role),
            });
        }
    }
    facts
}

/// The broadcast address of a subnet; one of two addresses or one has none (RFC 3021).
fn broadcast(address: &Address) -> Option<Ipv4Addr> {
    match address.ip {
        IpAddr::V4(ip) if address.prefix <= 30 => {
            Some(Ipv4Addr::from(u32::from(ip) | u32::MAX >> address.prefix))
        }
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broadcast_address_is_the_last_of_a_subnet_that_has_one() {
        let of = |ip: &str, prefix| broadcast(&Address { ip: ip.parse().unwrap(), prefix });
        let is = |text: &str| Some(text.parse().unwrap());
        assert_eq!(of("10.0.0.2", 24), is("10.0.0.255"));
        assert_eq!(of("10.1.2.3", 20), is("10.1.15.255"));
        assert_eq!(of("10.0.0.2", 30), is("10.0.0.3"));
        assert_eq!(of("10.0.0.2", 31), None);
        assert_eq!(of("10.0.0.2", 0), is("255.255.255.255"));
        assert_eq!(of("fd00::2", 64), None);
    }
}
