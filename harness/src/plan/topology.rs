//! Nodes and links of a plan: who is who, where each port leads, and whether each node can be made.

use link::{Address, Datum, NodeId, Peer, PortConfig, PortIndex};
use nodes::{NodeConfig, PortRule, Registry, Replaced, Role};
use scenario::{PortRef, Scalar, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wire::{Mac, PortId};

use super::bridges::Bridges;
use super::{PlanLink, PlanNode, Planner, Standing, Swap};

/// A capture numbers its ports with 16 bits; the rest is room for what a swap may add.
const MOST_PORTS: usize = 65_000;
/// What an interface takes for its MTU where the link says none.
const ETHERNET_MTU: u32 = 1500;

impl Planner<'_> {
    /// Whether all ports can be numbered; counts every link's ends, named or not.
    pub(super) fn can_number(&mut self, registry: &Registry) -> bool {
        let of_kind = |node: &scenario::Node| match registry.get(&node.kind.value)?.ports {
            PortRule::Exactly(count) | PortRule::AtLeast(count) => Some(count),
        };
        let least = |node: &scenario::Node| node.ports.len().max(of_kind(node).unwrap_or(1));
        let nodes: usize = self.scenario.nodes.iter().map(least).sum();
        let ports = nodes + 2 * self.scenario.links.len();
        let Some(last) = self.scenario.nodes.last().filter(|_| ports > MOST_PORTS) else {
            return true;
        };
        let help = format!("a run has at most {MOST_PORTS}, counting two for each link");
        self.fault(last.name.span, format!("nodes and links need up to {ports} ports"), help);
        false
    }

    /// The nodes with their ports and options; peers are not known yet.
    pub(super) fn nodes(&mut self, registry: &Registry, swaps: &[Swap]) -> Vec<PlanNode> {
        let mut nodes = Vec::new();
        let mut next_port = 0;
        let linked = linked_ports(self.scenario);
        for (index, node) in self.scenario.nodes.iter().enumerate() {
            let swap = swaps.iter().find(|swap| swap.node == node.name.value);
            let kind = swap.map_or(&node.kind.value, |swap| &swap.spec.kind);
            let known = registry.get(kind);
            let options: BTreeMap<String, Datum> = node
                .options
                .iter()
                .map(|option| (option.name.value.clone(), datum(&option.value.value)))
                .collect();
            let options = swap.map_or_else(
                || options.clone(),
                |swap| {
                    let replaced = Replaced { kind: &node.kind.value, options: &options };
                    let given = swap.spec.options.clone();
                    match known.and_then(|kind| kind.takes_over.as_ref()) {
                        Some(takes_over) => takes_over(given, &replaced),
                        None => given,
                    }
                },
            );
            let mut ports = self.ports(index, registry, kind, next_port, &linked[index]);
            let is_bridge = known.is_some_and(|kind| (kind.bridges)(&options));
            if is_bridge {
                bridged(node, &mut ports);
            }
            if let Some(Err(error)) = swap.map(|swap| swap.spec.address(&mut ports)) {
                let message = format!("--swap {}={kind}: {error}", node.name.value);
                self.fault(node.name.span, message, String::new());
            }
            let first = next_port;
            next_port += ports.len() as u16;
            let config = NodeConfig { name: node.name.value.clone(), ports, options };
            let swapped_in = swap.map(|swap| swap.spec.kind.as_str());
            nodes.push(PlanNode {
                name: node.name.value.clone(),
                kind: kind.clone(),
                home: known.map(|kind| kind.home).unwrap_or_default(),
                recipe: None,
                seed: link::node_seed(self.scenario.seed.as_ref().map_or(0, |s| s.value), index),
                is_bridge,
                standing: Standing::of(node, swapped_in, registry),
                config,
                role: Role::Other,
                ports: (first..next_port).map(PortId).collect(),
                note: node.note.clone(),
                swapped: swap.is_some(),
                unfit: None,
            });
        }
        let numbers = |node: &PlanNode| {
            let mut numbers = BTreeMap::new();
            for (number, port) in (0..).zip(&node.config.ports) {
                // Where two ports have one name, the first is meant.
                numbers.entry(port.name.clone()).or_insert(number);
            }
            numbers
        };
        self.port_numbers = nodes.iter().map(numbers).collect();
        nodes
    }

    /// A node's ports: as the file names them, or as many as its kind has, named after the links.
    fn ports(
        &self,
        index: usize,
        registry: &Registry,
        kind: &str,
        first: u16,
        linked: &[&str],
    ) -> Vec<PortConfig> {
        let node = &self.scenario.nodes[index];
        if !node.ports.is_empty() {
            // What the node says of its first port holds where the port itself says nothing.
            let own = |number| if number == 0 { node.mac.as_ref() } else { None };
            let port = |(number, port): (u16, &scenario::Port)| {
                let mac = port.mac.as_ref().or(own(number)).map(|mac| mac.value);
                let given = match &port.addresses {
                    None if number == 0 => &node.addresses,
                    given => given,
                };
                let given = given.as_deref().map(plain);
                config(&port.name.value, mac, given, first + number)
            };
            return (0..).zip(&node.ports).map(port).collect();
        }
        let mut names: Vec<String> = linked.iter().map(|name| (*name).to_owned()).collect();
        // What stands in a node's place has the node's ports.
        let count =
            |kind: &str| match registry.get(kind).map_or(PortRule::Exactly(1), |kind| kind.ports) {
                PortRule::Exactly(count) | PortRule::AtLeast(count) => count.max(1),
            };
        let wanted = match registry.get(kind).map(|kind| kind.ports) {
            Some(PortRule::AtLeast(least)) => least.max(count(&node.kind.value)),
            _ => count(kind),
        };
        for number in names.len()..wanted {
            names.push(format!("eth{number}"));
        }
        let mac = node.mac.as_ref().map(|mac| mac.value);
        let port = |(number, name): (u16, &String)| match number {
            0 => config(name, mac, node.addresses.as_deref().map(plain), first),
            _ => config(name, None, None, first + number),
        };
        (0..).zip(&names).map(port).collect()
    }

    /// The links, each end a port that is there.
    pub(super) fn links(&mut self, nodes: &[PlanNode]) -> Vec<PlanLink> {
        let mut links: Vec<PlanLink> = Vec::new();
        let mut taken = Taken { ports: BTreeSet::new(), free: vec![0; nodes.len()] };
        for link in &self.scenario.links {
            let [a, b] = &link.ends;
            let (Some(first), Some(second)) =
                (self.end(nodes, a, &mut taken), self.end(nodes, b, &mut taken))
            else {
                continue;
            };
            if first == second {
                let message = format!("both ends of this link are `{}`", shown(a));
                self.fault(b.node.span, message, "a link joins two ports".into());
                continue;
            }
            taken.ports.extend([first, second]);
            links.push(PlanLink {
                name: link.name.as_ref().map_or_else(
                    || format!("{}-{}", shown(a), shown(b)),
                    |name| name.value.clone(),
                ),
                ends: [first, second],
                settings: link.settings.clone(),
                toward: Vec::new(),
            });
            let index = links.len() - 1;
            for (end, settings) in &link.toward {
                if let Some(direction) = self.direction(index, end, nodes, &links) {
                    links[index].toward.push((direction, settings.value.clone()));
                }
            }
        }
        links
    }

    /// The port that an end means: the one named, or the node's first that is still free.
    fn end(
        &mut self,
        nodes: &[PlanNode],
        end: &PortRef,
        taken: &mut Taken,
    ) -> Option<(NodeId, PortIndex)> {
        let free = match self.port(nodes, end)? {
            Some(port) => (!taken.ports.contains(&(NodeId::at(end.index), port))).then_some(port),
            None => taken.first_free(end.index, nodes[end.index].ports.len() as u16),
        };
        if free.is_none() {
            let span = end.port.as_ref().map_or(end.node.span, |port| port.span);
            let help = "a port takes one link; put a node with more ports between".to_owned();
            self.fault(span, format!("`{}` has a link already", shown(end)), help);
        }
        free.map(|port| (NodeId::at(end.index), port))
    }

    /// The port that a reference names, `Some(None)` where it names none; a fault if there is none.
    pub(super) fn port(&mut self, nodes: &[PlanNode], end: &PortRef) -> Option<Option<PortIndex>> {
        let Some(wanted) = &end.port else { return Some(None) };
        if let Some(at) = self.port_numbers[end.index].get(&wanted.value) {
            return Some(Some(*at));
        }
        self.faults.add(wanted.span, || {
            let ports = nodes[end.index].config.ports.iter();
            let names: Vec<&str> = ports.map(|port| port.name.as_str()).collect();
            let message = format!("{} has no port `{}`", end.node.value, wanted.value);
            (message, format!("its ports are {}", names.join(", ")))
        });
        None
    }

    /// Reads every node's options, so that whatever a kind refuses is reported with its place in
    /// the file.
    pub(super) fn read_each(
        &mut self,
        nodes: &mut [PlanNode],
        registry: &Registry,
        swaps: &[Swap],
    ) {
        for (index, node) in nodes.iter_mut().enumerate() {
            let written = &self.scenario.nodes[index];
            let swap = swaps.iter().any(|swap| swap.node == node.name);
            let error = match registry.read(&node.kind, &node.config) {
                Ok(recipe) => {
                    node.role = recipe.role();
                    node.recipe = Some(recipe);
                    continue;
                }
                Err(error) => error,
            };
            {
                let at =
                    |option: &scenario::Argument| error.option.as_ref() == Some(&option.name.value);
                let span = match written.options.iter().find(|option| at(option)) {
                    Some(option) if !swap => option.name.span,
                    _ => written.kind.span,
                };
                let help = if swap { "put there by --swap".to_owned() } else { String::new() };
                self.faults.add(span, || (error.to_string(), help));
            }
        }
    }
}

/// For each node, the ports that links name, in order of the links.
fn linked_ports(scenario: &Scenario) -> Vec<Vec<&str>> {
    let mut named = vec![Vec::new(); scenario.nodes.len()];
    let mut known = BTreeSet::new();
    for end in scenario.links.iter().flat_map(|link| &link.ends) {
        if let Some(port) = &end.port
            && known.insert((end.index, port.value.as_str()))
        {
            named[end.index].push(port.value.as_str());
        }
    }
    named
}

/// Ports that have a link.
struct Taken {
    /// By node and port.
    ports: BTreeSet<(NodeId, PortIndex)>,
    /// For each node a port before which none is free: links come and none goes.
    free: Vec<PortIndex>,
}

impl Taken {
    fn first_free(&mut self, node: usize, ports: PortIndex) -> Option<PortIndex> {
        let free =
            (self.free[node]..ports).find(|port| !self.ports.contains(&(NodeId::at(node), *port)));
        self.free[node] = free.unwrap_or(ports);
        free
    }
}

/// Puts a node's addresses where an option has its name: the first of each family, since no packet
/// goes to another.
pub(super) fn destinations(nodes: &mut [PlanNode], registry: &Registry) {
    let named: BTreeMap<String, Datum> = nodes
        .iter()
        .map(|node| {
            let all = || node.config.ports.iter().flat_map(|port| &port.addresses);
            let first4 = all().find(|address| address.ip.is_ipv4());
            let first6 = all().find(|address| address.ip.is_ipv6());
            let both = first4.into_iter().chain(first6);
            let texts = both.map(|address| Datum::Text(address.ip.to_string())).collect();
            (node.name.clone(), Datum::List(texts))
        })
        .collect();
    for node in nodes {
        let options = registry.get(&node.kind).map_or(&[][..], |kind| kind.addresses_in);
        for option in options {
            if let Some(to) = node.config.options.get_mut(*option)
                && let Datum::Text(name) = to
                && let Some(addresses) = named.get(name.as_str())
            {
                to.clone_from(addresses);
            }
        }
    }
}

/// Sets the peer of each port, who sits at the other end of its link or behind the bridge that
/// does, and its MTU: the link's where that has one, else Ethernet's.
pub(crate) fn set_peers(nodes: &mut [PlanNode], links: &[PlanLink]) {
    let bridges = Bridges::of(nodes, links);
    for link in links {
        for (here, there) in [(0, 1), (1, 0)] {
            let (node, port) = bridges.behind(link.ends[there]);
            let other = &nodes[node.index()].config.ports[usize::from(port)];
            let peer = Peer { mac: other.mac, addresses: other.addresses.clone() };
            let (node, port) = link.ends[here];
            let port = &mut nodes[node.index()].config.ports[usize::from(port)];
            port.peer = Some(peer);
            port.mtu = Some(link.settings.mtu.flatten().unwrap_or(ETHERNET_MTU));
        }
    }
}

/// A port; what the file leaves out follows from the port's number in the run, from 1:
/// 02:00:00:00:00:01, 10.0.0.1/24 and fd00::1/64. An empty list of addresses is none left out.
pub(crate) fn config(
    name: &str,
    mac: Option<Mac>,
    given: Option<Vec<Address>>,
    number: u16,
) -> PortConfig {
    let number = number + 1;
    let [high, low] = number.to_be_bytes();
    let addresses = given.unwrap_or_else(|| {
        let ip4 = IpAddr::V4(Ipv4Addr::new(10, 0, high, low));
        let ip6 = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number));
        vec![Address::new(ip4), Address::new(ip6)]
    });
    let mac = mac.unwrap_or(Mac([0x02, 0, 0, 0, high, low]));
    PortConfig { name: name.to_owned(), mac, addresses, peer: None, mtu: None }
}

fn plain(given: &[scenario::Spanned<Address>]) -> Vec<Address> {
    given.iter().map(|address| address.value).collect()
}

/// The ports of a bridge have no addresses by default.
fn bridged(node: &scenario::Node, ports: &mut [PortConfig]) {
    for (number, port) in ports.iter_mut().enumerate() {
        let named = node.ports.get(number).is_some_and(|port| port.addresses.is_some());
        if !(named || (number == 0 && node.addresses.is_some())) {
            port.addresses.clear();
        }
    }
}

fn shown(end: &PortRef) -> String {
    match &end.port {
        Some(port) => format!("{}:{}", end.node.value, port.value),
        None => end.node.value.clone(),
    }
}

/// A scenario's value as nodes take it.
pub(crate) fn datum(value: &Scalar) -> Datum {
    match value {
        Scalar::Bool(value) => Datum::Bool(*value),
        Scalar::Num(value) => Datum::Num(*value),
        Scalar::Text(value) => Datum::Text(value.clone()),
        Scalar::List(values) => Datum::List(values.iter().map(datum).collect()),
        // A node's options have none, and steps resolve theirs before.
        Scalar::Expr(expr) => Datum::Text(expr.to_string()),
    }
}
