//! What a device is, and what it lacks: the role that `--address … role=` gives it, and whether it
//! has IPv6. Knows words and plans; what it asks the device is no part of a capture.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::PoisonError;

use anyhow::{Context, Result, bail};
use link::Datum;
use nodes::{NodeConfig, Role, neighbour};
use scenario::PacketTemplate;
use veth::Asked;
use wire::segment::{ACK, IpPacket, RST};
use wire::view::LaxFrame;
use wire::{Duration, PortSet, Proto};

use super::{Cables, Fit};
use crate::plan::{Action, Plan};
use crate::run::Run;

/// How often a device is asked whether it has IPv6, and how long it has for each answer. RFC 4861
/// 10 asks three times.
const QUESTIONS: (u32, Duration) = (3, Duration::from_millis(500));

/// The roles by their names, each with the option that it takes and what that is where it is not
/// given.
const ROLES: [(&str, Option<(&str, PortSetOf)>); 5] = [
    ("host", Some(("open", PortSet::none))),
    ("closed", Some(("ports", PortSet::all))),
    ("forwarder", Some(("reject", PortSet::none))),
    ("silent", None),
    ("unknown", None),
];

type PortSetOf = fn() -> PortSet;

/// The role that the words `role=host,open=80` give; `None` where none is given.
pub(super) fn role(options: BTreeMap<String, Datum>) -> Result<Option<Role>> {
    let config = NodeConfig { options, ..NodeConfig::default() };
    let read = config.read();
    let Some(name) = read.text("role").map_err(anyhow::Error::msg)? else {
        return match config.options.keys().next() {
            Some(option)
                if ROLES.iter().any(|(_, takes)| takes.is_some_and(|(o, _)| o == option)) =>
            {
                bail!("`{option}` goes with a role, such as role=host,open=80")
            }
            Some(option) => bail!("`{option}` is neither `mac` nor `ip` nor `role`"),
            None => Ok(None),
        };
    };
    let names = || ROLES.map(|(name, _)| name).join(", ");
    let known = ROLES.iter().find(|(known, _)| *known == name);
    let (_, takes) =
        known.with_context(|| format!("no role is called `{name}`: there are {}", names()))?;
    let takes_it = |option: &&String| *option != "role" && takes.is_none_or(|(o, _)| o != *option);
    if let Some(option) = config.options.keys().find(takes_it) {
        let takes = takes.map_or_else(|| "takes none".to_owned(), |(o, _)| format!("takes `{o}`"));
        bail!("`{option}` is no option of the role {name}, which {takes}");
    }
    let ports = match takes {
        Some((option, default)) => {
            read.ports(option).map_err(anyhow::Error::msg)?.unwrap_or_else(default)
        }
        None => PortSet::none(),
    };
    Ok(Some(match name {
        "host" => Role::Host { open: ports },
        "closed" => Role::ClosedPort { ports },
        "forwarder" => Role::Forwarder { reject: ports, may_reject: PortSet::none() },
        "silent" => Role::Silent,
        _ => Role::Other,
    }))
}

/// What the checks may expect of a device that nobody has said anything of: a place that says what
/// a host must do says it of the device too, and one that only takes frames says nothing.
pub(super) fn role_of_place(place: &Role) -> Role {
    match place {
        Role::Silent | Role::Sender | Role::Other => Role::Other,
        known => known.clone(),
    }
}

impl Cables {
    /// Whether the device has IPv6, where the scenario needs it.
    ///
    /// # Errors
    /// The reason for which the scenario is not run; and when a question cannot be asked.
    pub fn has_ip6(&self, plan: &Plan, fit: &Fit) -> Result<Result<(), String>> {
        if !needs_ip6(plan, fit) {
            return Ok(Ok(()));
        }
        if self.without_ip6 {
            return Ok(Err("it has no IPv6: --without ipv6 says so".to_owned()));
        }
        let without =
            fit.cables.iter().flat_map(|cable| [cable.ours.0, cable.theirs.0]).find(|node| {
                let ports = &plan.nodes[usize::from(*node)].config.ports;
                !ports.iter().flat_map(|port| &port.addresses).any(|address| address.ip.is_ipv6())
            });
        if let (Some(node), false) = (without, self.addresses.is_empty()) {
            let name = &plan.nodes[usize::from(node)].name;
            return Ok(Err(format!("it has no IPv6: --address gives {name} no IPv6 address")));
        }
        if !self.any_host {
            return Ok(Ok(()));
        }
        for cable in &fit.cables {
            let [ours, theirs] = [cable.ours, cable.theirs]
                .map(|(node, port)| &plan.nodes[usize::from(node)].config.ports[usize::from(port)]);
            let ip6 = |address: &link::Address| match address.ip {
                IpAddr::V6(ip) => Some(ip),
                IpAddr::V4(_) => None,
            };
            let Some(target) = theirs.addresses.iter().find_map(ip6) else { continue };
            let mut question = Vec::new();
            if !neighbour::solicit(ours, target, &mut question) {
                continue;
            }
            let asked = self.asked(&cable.interface, target, &question)?;
            if !asked.answered {
                let (times, (_, each)) = (asked.times, QUESTIONS);
                return Ok(Err(format!(
                    "it has no IPv6: no answer to {times} neighbour solicitations for {target}, \
                     each waited for {}; --address gives it another address",
                    crate::text::duration(each)
                )));
            }
        }
        Ok(Ok(()))
    }

    /// Asks once for each interface and address, and remembers the answer.
    fn asked(&self, interface: &str, target: Ipv6Addr, question: &[u8]) -> Result<Asked> {
        let key = (interface.to_owned(), target);
        let known = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let is_answer = |frame: &[u8]| neighbour::advertises(frame, target);
        let asked = veth::ask(interface, question, is_answer, QUESTIONS)?;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(key, asked);
        Ok(asked)
    }

    /// What was asked of the device outside the captures, a line each.
    pub(super) fn questions(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let context = |((interface, target), asked): (&(String, Ipv6Addr), &Asked)| {
            let (times, end) =
                (asked.times, if asked.answered { "answered" } else { "not answered" });
            let solicitations = crate::text::count(times as usize, "neighbour solicitation");
            format!("asked on {interface} before: {solicitations} for {target}, {end}")
        };
        asked.iter().map(context).collect()
    }
}

/// Why a device that listens where `--address` says so is not asked this: in the rehearsal one of
/// these ports refuses, as a closed one does and a listening one never.
pub(super) fn open_where_closed_is_asked(plan: &Plan, rehearsed: &Run) -> Option<String> {
    // Where a step does not hold in the rehearsal, it is not a closed port that is asked for.
    if !rehearsed.failures.is_empty() {
        return None;
    }
    plan.nodes.iter().filter(|node| node.standing.told_role).find_map(|node| {
        let Role::Host { open } = &node.role else { return None };
        let refuses = |frame| {
            let ip = IpPacket::parse(frame).ok()?;
            let segment = ip.tcp().ok().filter(|it| it.has(RST) && it.has(ACK))?;
            open.contains(segment.src_port()).then_some(segment.src_port())
        };
        let sent = rehearsed
            .transcript
            .capture
            .iter()
            .filter(|(_, record, _)| node.ports.contains(&record.port));
        let port = sent.map(|(_, _, frame)| frame).find_map(refuses)?;
        Some(format!(
            "--address says that {} listens on TCP port {port}, and the scenario asks what a \
             closed port answers there",
            node.name
        ))
    })
}

/// A frame of ours on the cable is IPv6, or a step writes one.
fn needs_ip6(plan: &Plan, fit: &Fit) -> bool {
    let of_ours = |port| {
        plan.nodes.iter().zip(&fit.ours).any(|(node, ours)| *ours && node.ports.contains(&port))
    };
    let is_ip6 = |frame| LaxFrame::parse(frame).find(Proto::Ip6).is_some();
    let mut sent = fit.rehearsed.iter().filter(|(_, record, _)| of_ours(record.port));
    // Steps behind one that the rehearsal did not come to count as well.
    let written = |packet: &PacketTemplate| {
        packet.layers.iter().any(|layer| [Proto::Ip6, Proto::Icmp6].contains(&layer.proto))
    };
    sent.any(|(_, _, frame)| is_ip6(frame))
        || plan.steps.iter().any(|step| match &step.action {
            Action::Send { packet, .. } => written(packet),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::NodeSpec;

    fn of(words: &str) -> Result<Option<Role>> {
        role(NodeSpec::parse(&format!("device,{words}"))?.options)
    }

    #[test]
    fn a_role_is_read_with_its_ports() {
        let set = |text: &str| text.parse::<PortSet>().unwrap();
        for (words, expected) in [
            ("mac=02:00:00:00:00:02", None),
            ("role=host", Some(Role::Host { open: PortSet::none() })),
            ("role=host,open=80", Some(Role::Host { open: set("80") })),
            ("role=host,open=80,open=8000-8080", Some(Role::Host { open: set("80,8000-8080") })),
            ("role=closed", Some(Role::ClosedPort { ports: PortSet::all() })),
            ("role=closed,ports=22", Some(Role::ClosedPort { ports: set("22") })),
            (
                "role=forwarder,reject=23",
                Some(Role::Forwarder { reject: set("23"), may_reject: PortSet::none() }),
            ),
            ("ip=10.0.0.9,role=silent", Some(Role::Silent)),
            ("role=unknown", Some(Role::Other)),
        ] {
            assert_eq!(of(words).unwrap(), expected, "{words}");
        }
    }

    #[test]
    fn what_is_no_role_is_named_with_what_would_be() {
        for (words, text) in [
            ("role=server", "no role is called `server`: there are host, closed, forwarder,"),
            ("open=80", "`open` goes with a role, such as role=host,open=80"),
            ("ttl=5", "`ttl` is neither `mac` nor `ip` nor `role`"),
            ("role=silent,open=80", "`open` is no option of the role silent, which takes none"),
            ("role=host,reject=80", "`reject` is no option of the role host, which takes `open`"),
            ("role=host,open=eighty", "`eighty` for `open`"),
        ] {
            let error = format!("{:#}", of(words).unwrap_err());
            assert!(error.contains(text), "{words}: {error}");
        }
    }

    #[test]
    fn a_place_that_only_takes_frames_says_nothing_of_a_device() {
        assert_eq!(role_of_place(&Role::Silent), Role::Other);
        assert_eq!(role_of_place(&Role::Sender), Role::Other);
        let closed = Role::ClosedPort { ports: PortSet::one(22) };
        assert_eq!(role_of_place(&closed), closed);
    }
}
