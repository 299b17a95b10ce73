//! What `--on nic` was told, and whether a scenario can run so: who is ours, which interface each
//! link is plugged into, and why not. Knows plans and interfaces' names; sends nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow, bail};
use link::{NodeId, PortIndex};
use nodes::Role;
use wire::{Capture, Duration, Proto};

use crate::plan::{Plan, PlanLink, topology};
use crate::spec::NodeSpec;

mod device;
mod fit;
#[cfg(test)]
mod tests;

/// How long a run listens on where nothing else is said.
const SETTLE: Duration = Duration::from_millis(50);
/// How long any host has for a frame that a step expects: no clause says how fast one is.
const ANY_HOST: Duration = Duration::from_secs(1);
/// The node of the device, and ours, by what they are, where one node stands there.
const DEVICE: &str = "device";
const US: &str = "us";

/// What a user asks of a run on cables, in the words of the command line.
#[derive(Clone, Debug, Default)]
pub struct NicOptions {
    /// The interfaces: `eth1`, `client=eth1`, `firewall:left=eth1`.
    pub iface: Vec<String>,
    /// The nodes that are ours; none: the testers and senders.
    pub node: Vec<String>,
    /// Addresses and roles: `server=mac=02:00:00:00:00:02,ip=10.0.0.2,role=host`.
    pub address: Vec<String>,
    /// The device has no IPv6.
    pub without_ip6: bool,
    /// See [`Cables::settle`].
    pub settle: Option<Duration>,
    /// See [`Cables::timeout`].
    pub timeout: Option<Duration>,
    /// See [`Cables::arp`].
    pub arp: bool,
    /// An interface that carries a default route may be used.
    pub i_know: bool,
}

/// What the words of the command come to.
#[derive(Clone, Debug, Default)]
pub struct Cables {
    /// What was looked at before the first run.
    host: veth::HostState,
    plugs: Vec<Plug>,
    nodes: Vec<String>,
    addresses: Vec<(String, NodeSpec)>,
    /// What nodes are said to be.
    roles: Vec<(String, Role)>,
    /// The device is said to have no IPv6.
    without_ip6: bool,
    /// What any host must do is asked of the device.
    any_host: bool,
    /// What was asked of the device before, by interface and address.
    asked: Arc<Mutex<BTreeMap<(String, Ipv6Addr), veth::Asked>>>,
    /// How long to listen on after the last step.
    pub settle: Duration,
    /// How long to wait at least for a frame that a step expects.
    pub timeout: Duration,
    /// Answer questions for our nodes' Ethernet addresses, off the record.
    pub arp: bool,
    /// The user ended a run: none is begun any more.
    ended: Arc<AtomicBool>,
}

/// An interface, and the port at one end of the link that it is plugged into.
#[derive(Clone, Debug)]
struct Plug {
    at: Option<(String, Option<String>)>,
    interface: String,
}

/// A scenario that can run.
#[derive(Debug)]
pub struct Fit {
    /// Which nodes of the plan are ours.
    pub ours: Vec<bool>,
    /// The links.
    pub cables: Vec<veth::Cable>,
    /// Layers that the scenario asks of the device by name.
    pub named: Vec<Proto>,
    /// What the scenario's own nodes did on the simulated wire.
    pub rehearsed: Capture,
}

impl Cables {
    /// Reads the words and looks at the interfaces.
    ///
    /// # Errors
    /// Says what is wrong with a word, or with an interface and how it is made right.
    pub fn plug(words: &NicOptions, any_host: bool) -> Result<Self> {
        let mut cables = Self::read(words, any_host)?;
        if cables.plugs.is_empty() {
            let there = veth::interfaces()?;
            bail!("--on nic takes --iface NAME, the interface with the cable; there are {there}");
        }
        let names: Vec<&str> = cables.plugs.iter().map(|plug| plug.interface.as_str()).collect();
        cables.host = veth::inspect(&names, words.i_know)?;
        Ok(cables)
    }

    fn read(words: &NicOptions, any_host: bool) -> Result<Self> {
        let mut plugs: Vec<Plug> = Vec::new();
        for word in &words.iface {
            let plug = Plug::parse(word).with_context(|| format!("--iface {word}"))?;
            if plugs.iter().any(|other| other.interface == plug.interface) {
                bail!("--iface {word}: {} is plugged in already", plug.interface);
            }
            plugs.push(plug);
        }
        let mut addresses: Vec<(String, NodeSpec)> = Vec::new();
        let mut roles = Vec::new();
        for word in &words.address {
            let (node, mut spec) = address(word).with_context(|| format!("--address {word}"))?;
            let role = device::role(std::mem::take(&mut spec.options));
            let role = role.with_context(|| format!("--address {word}"))?;
            roles.extend(role.map(|role| (node.clone(), role)));
            if addresses.iter().any(|(other, _)| *other == node) {
                bail!("--address {word}: `{node}` has addresses already; join them with commas");
            }
            addresses.push((node, spec));
        }
        Ok(Self {
            host: veth::HostState::default(),
            plugs,
            nodes: words.node.clone(),
            addresses,
            roles,
            without_ip6: words.without_ip6,
            any_host,
            asked: Arc::default(),
            settle: words.settle.unwrap_or(SETTLE),
            timeout: words.timeout.unwrap_or(if any_host { ANY_HOST } else { Duration::ZERO }),
            arp: words.arp || any_host,
            ended: Arc::default(),
        })
    }

    /// Puts the device into its place in the plan: which nodes it stands for, what it is, and the
    /// addresses that were asked for. The nodes that got some.
    ///
    /// # Errors
    /// Names the port that is not there.
    pub fn address(&self, plan: &mut Plan) -> Result<Vec<String>, String> {
        // Where nobody can say who is ours, a later question says so with the way out.
        let known = self.ours(plan);
        let ours = known.clone().unwrap_or_else(|_| vec![true; plan.nodes.len()]);
        let mut given = Vec::new();
        let before = fit::addresses(plan);
        for (name, spec) in &self.addresses {
            let context = |error| format!("--address {name}=…: {error}");
            let at = place(plan, &ours, name).map_err(context)?;
            let node = &mut plan.nodes[at];
            let context = |error| format!("--address {name}=…: {error}");
            spec.address(&mut node.config.ports).map_err(context)?;
            if spec.has_addresses() {
                given.push(node.name.clone());
            }
        }
        fit::addresses_stay(plan, &before)?;
        topology::set_peers(&mut plan.nodes, &plan.links);
        plan.stand_in(&ours);
        for node in plan.nodes.iter_mut().filter(|node| node.standing.device) {
            node.role = device::role_of_place(&node.role);
        }
        for (name, role) in &self.roles {
            let context = |error| format!("--address {name}=role=…: {error}");
            let at = place(plan, &ours, name).map_err(context)?;
            if known.is_ok() && ours[at] {
                let node = &plan.nodes[at].name;
                return Err(context(anyhow!("`{node}` is ours, and a role is what the device is")));
            }
            plan.nodes[at].role = role.clone();
            plan.nodes[at].standing.told_role = true;
        }
        Ok(given)
    }

    /// Whether the scenario can run: how, or why not.
    ///
    /// # Errors
    /// The reason, as a report shows it.
    pub fn fit(&self, plan: &Plan) -> Result<Fit, String> {
        if self.ended.load(Ordering::Relaxed) {
            return Err("the user ended the run before".to_owned());
        }
        let ours = self.ours(plan)?;
        fit::device_can(plan, &ours)?;
        let cables = self.cables(plan, &ours)?;
        self.addresses_are_free(plan, &ours)?;
        let rehearsed = fit::rehearse(plan)?;
        if let Some(reason) = device::open_where_closed_is_asked(plan, &rehearsed) {
            return Err(reason);
        }
        fit::cables_can(plan, &rehearsed, &cables, &self.host.interfaces)?;
        let named = fit::named(plan, &ours);
        Ok(Fit { ours, cables, named, rehearsed: rehearsed.transcript.capture })
    }

    /// No run is begun any more.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// What the run is plugged into, a line each.
    #[must_use]
    pub fn remarks(&self, plan: &Plan, fit: &Fit) -> Vec<String> {
        let end = |(node, port): (u16, PortIndex)| {
            let node = &plan.nodes[usize::from(node)];
            format!("{}:{}", node.name, node.config.ports[usize::from(port)].name)
        };
        let context = |cable: &veth::Cable| {
            let (ours, theirs, name) = (end(cable.ours), end(cable.theirs), &cable.interface);
            format!("{ours} is on {name}, the device stands for {theirs}")
        };
        fit.cables.iter().map(context).chain(self.questions()).collect()
    }

    /// Which nodes are ours.
    fn ours(&self, plan: &Plan) -> Result<Vec<bool>, String> {
        if self.nodes.is_empty() {
            let sends = |role: &Role| matches!(role, Role::Sender);
            let ours: Vec<bool> = plan.nodes.iter().map(|node| sends(&node.role)).collect();
            return match ours.contains(&true) && ours.contains(&false) {
                true => Ok(ours),
                false => Err(format!(
                    "which nodes are ours? --node names them; there are {}",
                    names(plan)
                )),
            };
        }
        let named = |name: &String| self.nodes.contains(name);
        let ours: Vec<bool> = plan.nodes.iter().map(|node| named(&node.name)).collect();
        if !ours.contains(&true) {
            return Err(no_node(plan, &self.nodes.join(",")));
        }
        if !ours.contains(&false) {
            return Err("--node names every node, and none is left for the device".to_owned());
        }
        Ok(ours)
    }

    /// Each link with its interface.
    fn cables(&self, plan: &Plan, ours: &[bool]) -> Result<Vec<veth::Cable>, String> {
        let ends: Vec<[End; 2]> =
            plan.links.iter().map(|link| here_and_there(link, ours)).collect::<Result<_, _>>()?;
        let mut free: Vec<&Plug> = self.plugs.iter().collect();
        let mut cables = Vec::new();
        for (link, [here, there]) in plan.links.iter().zip(ends) {
            let fits = |plug: &&Plug| match &plug.at {
                None => plan.links.len() == 1,
                Some(at) => is_end(plan, here, at) || is_end(plan, there, at),
            };
            let Some(at) = free.iter().position(fits) else {
                return Err(format!(
                    "no interface is plugged into the link {}; say --iface {}=NAME",
                    link.name,
                    plan.nodes[here.0.index()].name
                ));
            };
            let interface = free.remove(at).interface.clone();
            let [ours, theirs] = [here, there].map(|(node, port)| (node.0, port));
            cables.push(veth::Cable { interface, ours, theirs });
        }
        match free.first() {
            _ if cables.is_empty() => Err("it has no link".to_owned()),
            Some(plug) => Err(format!("no link is left for --iface {}", plug.interface)),
            None => Ok(cables),
        }
    }

    /// The host's kernel answers for the addresses that it has, beside our nodes.
    fn addresses_are_free(&self, plan: &Plan, ours: &[bool]) -> Result<(), String> {
        let nodes = plan.nodes.iter().zip(ours).filter(|(_, ours)| **ours);
        for (node, _) in nodes {
            let own = node.config.ports.iter().flat_map(|port| &port.addresses);
            let own: Vec<IpAddr> = own.map(|address| address.ip).collect();
            let taken = self.host.addresses.iter().find(|(ip, _)| own.contains(ip));
            if let Some((ip, interface)) = taken {
                return Err(format!(
                    "{} has the address {ip}, and so has this host on {interface}: its kernel \
                     would answer too; --address gives the node another one",
                    node.name
                ));
            }
        }
        Ok(())
    }
}

impl Plug {
    /// `eth1`, `client=eth1`, `firewall:left=eth1`.
    fn parse(word: &str) -> Result<Self> {
        let Some((at, interface)) = word.split_once('=') else {
            return Ok(Self { at: None, interface: word.to_owned() });
        };
        let (node, port) = match at.split_once(':') {
            Some((node, port)) => (node, Some(port.to_owned())),
            None => (at, None),
        };
        if node.is_empty() || interface.is_empty() || port.as_deref() == Some("") {
            bail!("an interface is NAME, NODE=NAME or NODE:PORT=NAME, such as client=eth1");
        }
        Ok(Self { at: Some((node.to_owned(), port)), interface: interface.to_owned() })
    }
}

/// `server=mac=02:00:00:00:00:02,ip=10.0.0.2`.
fn address(word: &str) -> Result<(String, NodeSpec)> {
    let wants = "it is NODE=mac=…,ip=…,role=…, such as \
                 server=mac=02:00:00:00:00:02,ip=10.0.0.2,role=host";
    let (node, rest) = word.split_once('=').context(wants)?;
    let spec = NodeSpec::parse(&format!("device,{rest}"));
    let spec = spec.and_then(NodeSpec::on_links).context(wants)?;
    Ok((node.to_owned(), spec))
}

/// The node of that name; or the one at that end, where its name is what it is.
fn place(plan: &Plan, ours: &[bool], name: &str) -> Result<usize, anyhow::Error> {
    if let Some(at) = plan.nodes.iter().position(|node| node.name == name) {
        return Ok(at);
    }
    let wanted = match name {
        DEVICE => false,
        US => true,
        _ => bail!("{}", no_node(plan, name)),
    };
    let mut at = ours.iter().enumerate().filter(|(_, ours)| **ours == wanted);
    match (at.next(), at.next()) {
        (Some((at, _)), None) => Ok(at),
        _ => bail!("`{name}` is no single node here; its nodes are {}", names(plan)),
    }
}

/// A node of the plan and its port.
type End = (NodeId, PortIndex);

/// A link's ends: ours, and the device's.
fn here_and_there(link: &PlanLink, ours: &[bool]) -> Result<[End; 2], String> {
    let [a, b] = link.ends;
    match (ours[a.0.index()], ours[b.0.index()]) {
        (true, false) => Ok([a, b]),
        (false, true) => Ok([b, a]),
        (both, _) => Err(format!(
            "both ends of the link {} are {}, and a cable has the device at one end; --node names \
             the nodes that are ours",
            link.name,
            if both { "ours" } else { "the device" }
        )),
    }
}

fn is_end(plan: &Plan, (node, port): End, (name, wanted): &(String, Option<String>)) -> bool {
    let node = &plan.nodes[node.index()];
    let is_port = |wanted: &String| node.config.ports[usize::from(port)].name == *wanted;
    node.name == *name && wanted.as_ref().is_none_or(is_port)
}

fn names(plan: &Plan) -> String {
    plan.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn no_node(plan: &Plan, wanted: &str) -> String {
    format!("no node `{wanted}`; its nodes are {}", names(plan))
}
