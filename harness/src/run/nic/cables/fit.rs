//! Why a scenario cannot run on cables: it asks of a device what only a node of ours does, or of a
//! cable what only a link does. Found before anything is sent, by a rehearsal on the simulated
//! wire: where that shows that no frame is harmed on its way, a link's settings are a matter of
//! time alone, and a cable will do.

use link::{Datum, LinkEvent, LossReason};
use scenario::{FieldTemplate, Pattern, ValueTemplate};
use wire::{FrameId, LinkChange, Proto, Value};

use crate::plan::{Action, Plan, Step};
use crate::run::{self, Run};

/// Kinds of node that are what no device is.
const FAULTY: &str = "faulty";

/// The scenario asks nothing of a device that it cannot do.
pub(super) fn device_can(plan: &Plan, ours: &[bool]) -> Result<(), String> {
    let device = |node: usize| !ours[node];
    let planted = |(index, _): &(usize, _)| device(*index) && plan.nodes[*index].kind == FAULTY;
    if let Some((_, node)) = plan.nodes.iter().enumerate().find(planted) {
        return Err(format!("a fault is planted in {}, and a device has its own", node.name));
    }
    for step in &plan.steps {
        let place = || format!("step {} (line {})", step.index + 1, step.line);
        let (node, asks) = match &step.action {
            Action::Send { node, .. } => (*node, "sends a packet"),
            Action::Do { node, .. } => (*node, "is given a command"),
            Action::ExpectEvent(event) => (event.node, "tells what its application saw"),
            Action::Link(change) => {
                let link = &plan.links[change.link.index()].name;
                return Err(format!("{} changes the link {link}, and a cable stays", place()));
            }
            _ => continue,
        };
        if device(node.index()) {
            let name = &plan.nodes[node.index()].name;
            return Err(format!("in {} {name} {asks}, and a device does not", place()));
        }
    }
    Ok(())
}

/// Every address that a node has, with the node's name.
pub(super) fn addresses(plan: &Plan) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for node in &plan.nodes {
        for port in &node.config.ports {
            let ips = port.addresses.iter().map(|address| Value::Ip(address.ip));
            let own = ips.chain([Value::Mac(port.mac)]);
            all.extend(own.map(|address| (node.name.clone(), address)));
        }
    }
    all
}

/// No step names an address that a node had before and has no more: what it means then nobody says.
pub(super) fn addresses_stay(plan: &Plan, before: &[(String, Value)]) -> Result<(), String> {
    let now = addresses(plan);
    let gone: Vec<&(String, Value)> = before.iter().filter(|one| !now.contains(one)).collect();
    for step in &plan.steps {
        let fields: Vec<&FieldTemplate> = match &step.action {
            Action::Send { packet, .. } => packet.layers.iter().flat_map(|l| &l.fields).collect(),
            Action::Expect(expect) => {
                expect.pattern.layers.iter().flat_map(|layer| &layer.fields).collect()
            }
            Action::ExpectNothing(nothing) => {
                nothing.pattern.layers.iter().flat_map(|layer| &layer.fields).collect()
            }
            _ => continue,
        };
        let named = |(_, address): &&&(String, Value)| {
            let is = |value: &ValueTemplate| match value {
                ValueTemplate::Fixed(value) => value == address,
                ValueTemplate::Expr(_) => false,
            };
            fields.iter().any(|field| is(&field.value))
        };
        if let Some((node, address)) = gone.iter().find(named).copied() {
            let (number, line) = (step.index + 1, step.line);
            let address = match address {
                Value::Mac(mac) => mac.to_string(),
                Value::Ip(ip) => ip.to_string(),
                other => format!("{other:?}"),
            };
            return Err(format!(
                "step {number} (line {line}) names {address}, and --address gives {node} another"
            ));
        }
    }
    Ok(())
}

/// What the scenario's own nodes do, on the simulated wire; and its steps hold as well where no
/// link takes time, since a cable takes its own.
pub(super) fn rehearse(plan: &Plan) -> Result<Run, String> {
    let rehearse = |plan: &Plan| run::rehearse(plan).map_err(|error| format!("{error:#}"));
    let rehearsed = rehearse(plan)?;
    let mut at_once = plan.clone();
    for link in &mut at_once.links {
        let one_way = link.toward.iter_mut().map(|(_, settings)| settings);
        one_way.chain([&mut link.settings]).for_each(LinkChange::without_time);
    }
    if let (true, Some(failure)) =
        (rehearsed.failures.is_empty(), rehearse(&at_once)?.failures.first())
    {
        let (number, line) = (failure.step + 1, plan.steps[failure.step].line);
        return Err(format!(
            "step {number} (line {line}) counts on the time that a link takes, and a cable takes \
             its own"
        ));
    }
    Ok(rehearsed)
}

/// The cables do to frames what the links do: nothing.
pub(super) fn cables_can(
    plan: &Plan,
    rehearsed: &Run,
    cables: &[veth::Cable],
    interfaces: &[veth::Interface],
) -> Result<(), String> {
    for note in &rehearsed.transcript.notes {
        let (Some(link), number) = (note.link, note.frame.number()) else { continue };
        let name = &plan.links[usize::from(link.0)].name;
        let what = match note.what {
            LinkEvent::Lost(LossReason::NodeDead) => continue,
            LinkEvent::Lost(reason) => format!("loses frame {number} ({reason})"),
            LinkEvent::Duplicated => format!("duplicates frame {number}"),
            LinkEvent::Reordered(_) => format!("holds frame {number} back"),
            LinkEvent::Corrupted { .. } => format!("corrupts frame {number}"),
            LinkEvent::Altered { .. } => format!("alters frame {number}"),
        };
        return Err(format!("the link {name} {what}, and a cable does not"));
    }
    for cable in cables {
        let (node, port) = cable.ours;
        let Some(port) = plan.nodes[usize::from(node)].ports.get(usize::from(port)) else {
            continue;
        };
        let mtu = interfaces.iter().find(|interface| interface.name == cable.interface);
        let mtu = mtu.map_or(u32::MAX, |interface| interface.mtu) as usize;
        for (id, _, frame) in
            rehearsed.transcript.capture.iter().filter(|(_, record, _)| record.port == *port)
        {
            fits(id, frame, mtu, &cable.interface)?;
        }
    }
    Ok(())
}

/// An interface takes a frame of this length.
fn fits(id: FrameId, frame: &[u8], mtu: usize, name: &str) -> Result<(), String> {
    let (number, length) = (id.number(), frame.len());
    if length < veth::LEAST_BYTES {
        let least = veth::LEAST_BYTES;
        return Err(format!(
            "frame {number} has {length} bytes, and no interface sends below {least}"
        ));
    }
    let tag = if frame.get(12..14) == Some(&[0x81, 0x00]) { 4 } else { 0 };
    if length > mtu + veth::LEAST_BYTES + tag {
        let wants = length - veth::LEAST_BYTES - tag;
        return Err(format!(
            "frame {number} has {length} bytes, and {name} has an MTU of {mtu}; `ip link set \
             {name} mtu {wants}` makes room"
        ));
    }
    Ok(())
}

/// The layers that the scenario names where it expects something of the device, or nothing; and
/// those that nodes of ours answer.
pub(super) fn named(plan: &Plan, ours: &[bool]) -> Vec<Proto> {
    let mut named: Vec<Proto> = Vec::new();
    let device = |port: &wire::PortId| {
        let owner = plan.nodes.iter().position(|node| node.ports.contains(port));
        owner.is_some_and(|node| !ours[node])
    };
    let asked = |step: &Step| -> Option<Pattern> {
        match &step.action {
            Action::Expect(expect) => Some((&expect.ports, &expect.pattern)),
            Action::ExpectNothing(nothing) => Some((&nothing.ports, &nothing.pattern)),
            _ => None,
        }
        .filter(|(ports, _)| ports.iter().any(device))
        .map(|(_, pattern)| pattern.clone())
    };
    for pattern in plan.steps.iter().filter_map(asked) {
        named.extend(pattern.layers.iter().map(|layer| layer.proto));
        named.extend(pattern.raw.iter().flat_map(|raw| {
            let view = wire::view::LaxFrame::as_sent(raw);
            view.layers().iter().map(|layer| layer.proto).collect::<Vec<_>>()
        }));
    }
    for (node, _) in plan.nodes.iter().zip(ours).filter(|(_, ours)| **ours) {
        for (option, proto) in [("arp", Proto::Arp), ("nd", Proto::Icmp6)] {
            if node.config.options.get(option) == Some(&Datum::Bool(true))
                || node.config.options.get(option) == Some(&Datum::Text("true".to_owned()))
            {
                named.push(proto);
            }
        }
    }
    named.sort_unstable();
    named.dedup();
    named
}
