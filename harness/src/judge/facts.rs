//! What the checks may know of each port, from the plan.

use std::collections::BTreeMap;

use checks::{Answers, PortFacts};
use link::{Address, NodeId, PortIndex};
use nodes::Role;
use wire::segment::{ACK, RST, SYN};
use wire::{Capture, Mac, PortId, PortSet, TcpSegment};

use crate::plan::{Plan, Standing};

/// The facts of every port, in order of the ports.
pub(crate) fn ports(plan: &Plan, capture: &Capture) -> Vec<PortFacts> {
    let mut facts = Vec::new();
    let peers = peers(plan);
    for (number, node) in plan.nodes.iter().enumerate() {
        let answers = match (&node.role, &node.standing) {
            // The place says closed; the device itself is who knows where it listens.
            (Role::ClosedPort { ports }, Standing { device: true, told_role: false, .. }) => {
                Answers::ClosedPorts(ports.without(&opened(&node.ports, capture)))
            }
            (role, _) => answers(role),
        };
        // What leaves a bridge is from somebody else, or in the name of somebody else.
        let bridges = matches!(node.role, Role::Bridge { .. });
        for (index, port) in node.config.ports.iter().enumerate() {
            facts.push(PortFacts {
                node: number as u16,
                mac: if bridges { Mac::default() } else { port.mac },
                addresses: port.addresses.iter().map(|address| address.ip).collect(),
                broadcasts: port.addresses.iter().filter_map(Address::broadcast).collect(),
                peer: peers.get(&(NodeId::at(number), index as PortIndex)).copied(),
                answers: answers.clone(),
            });
        }
    }
    facts
}

/// The port at the other end of each port's link.
fn peers(plan: &Plan) -> BTreeMap<(NodeId, PortIndex), PortId> {
    let mut peers = BTreeMap::new();
    for link in &plan.links {
        let [a, b] = link.ends;
        for (here, (node, port)) in [(a, b), (b, a)] {
            let there =
                plan.nodes.get(node.index()).and_then(|node| node.ports.get(usize::from(port)));
            if let Some(there) = there {
                peers.insert(here, *there);
            }
        }
    }
    peers
}

/// The TCP ports at which these ports' node answered a SYN with a SYN,ACK.
fn opened(ports: &[PortId], capture: &Capture) -> PortSet {
    let theirs = capture.iter().filter(|(_, record, _)| ports.contains(&record.port));
    let opens = theirs.filter_map(|(_, _, frame)| {
        let segment = TcpSegment::parse(frame).ok()?;
        (segment.has(SYN | ACK) && !segment.has(RST)).then(|| segment.src_port())
    });
    PortSet::from_ranges(opens.map(|port| port..=port))
}

pub(crate) fn answers(role: &Role) -> Answers {
    match role {
        Role::Silent | Role::Sender => Answers::Never,
        Role::ClosedPort { ports } => Answers::ClosedPorts(ports.clone()),
        // What an open port answers is decided by connections, which a capture does not show.
        Role::Host { open } => Answers::ClosedPorts(open.complement()),
        Role::Forwarder { reject, may_reject } => {
            Answers::Forwards { rejects: reject.clone(), may_reject: may_reject.clone() }
        }
        Role::Bridge { .. } | Role::Other => Answers::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::Walk;

    #[test]
    fn a_bridge_speaks_for_others_and_a_router_for_itself() {
        let facts = |hook: &str| {
            let text = format!(
                r#"{{ "title": "t", "nodes": {{
                   "a": {{ "kind": "tester" }}, "b": {{ "kind": "tester" }},
                   "k": {{ "kind": "linux", "hook": "{hook}", "rules": "tcp dport 9 drop" }} }},
                   "links": [{{ "ends": ["a", "k:l"] }}, {{ "ends": ["k:r", "b"] }}],
                   "steps": [{{ "wait": "1ms" }}] }}"#
            );
            let read = scenario::parse(text.as_bytes()).expect("a right file");
            let registry = Walk::standard().registry;
            let plan = crate::plan::plan(&read, &text, &registry, &[]).expect("a plan");
            ports(&plan, &Capture::new()).remove(2)
        };
        let (bridge, router) = (facts("bridge"), facts("forward"));
        assert!(bridge.mac == Mac::default() && bridge.addresses.is_empty());
        assert_eq!(bridge.answers, Answers::Unknown);
        assert!(router.mac != Mac::default() && !router.addresses.is_empty());
        // A rule of the user's may take a segment away, so that no reset is owed.
        let rejects = wire::PortSet::default();
        assert_eq!(router.answers, Answers::Forwards { rejects, may_reject: PortSet::all() });
    }

    #[test]
    fn a_device_in_the_place_of_a_closed_port_is_open_where_it_shows_that_it_listens() {
        let text = r#"{ "title": "t", 
            "nodes": { "a": { "kind": "tester" }, "b": { "kind": "reject" } },
            "links": [{ "ends": ["a", "b"] }], "steps": [{ "wait": "1ms" }] }"#;
        let scenario = scenario::parse(text.as_bytes()).expect("a right file");
        let registry = nodes::Registry::standard();
        let mut plan = crate::plan::plan(&scenario, text, &registry, &[]).expect("a plan");
        let mut capture = Capture::new();
        let (ours, theirs) = (capture.add_interface("a:eth0"), capture.add_interface("b:eth0"));
        let mut say = |port, from: u64, flags: u16| {
            let segment = wire::Layer::new(wire::Proto::Tcp)
                .with(&wire::fields::tcp::SRC, from)
                .with(&wire::fields::tcp::FLAGS, flags.into());
            let ip4 = |text: &str| text.parse().ok();
            let (src_ip4, dst_ip4) = (ip4("10.0.0.1"), ip4("10.0.0.2"));
            let ends = wire::Defaults { src_ip4, dst_ip4, ..wire::Defaults::default() };
            let frames = wire::build::build(&wire::Packet::new().layer(segment), &ends);
            capture.push(wire::Instant::ZERO, port, &frames.expect("a frame")[0]);
        };
        say(theirs, 80, SYN | ACK);
        say(theirs, 81, RST | ACK);
        say(ours, 82, SYN | ACK);
        // A segment of a connection, one that opens, and a reset show no listener.
        say(theirs, 83, ACK);
        say(theirs, 84, SYN);
        say(theirs, 85, SYN | ACK | RST);
        let closed = |plan: &Plan| ports(plan, &capture)[1].answers.clone();
        let all = Answers::ClosedPorts(PortSet::all());
        assert_eq!(closed(&plan), all, "a node of ours is what the scenario says");
        plan.stand_in(&[true, false]);
        let but_80 = Answers::ClosedPorts(PortSet::all().without(&PortSet::one(80)));
        assert_eq!(closed(&plan), but_80);
        plan.nodes[1].standing.told_role = true;
        assert_eq!(closed(&plan), all, "what was said of it stands");
        plan.nodes[1].role = Role::Host { open: PortSet::one(80) };
        assert_eq!(closed(&plan), but_80);
    }
}
