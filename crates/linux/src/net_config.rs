//! The network configuration of a kernel node: its addresses, its permanent neighbours, its default
//! route, the names of its interfaces. Computed from the ports of a plan; applied elsewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use link::{Address, PortConfig};
use wire::Mac;

/// What a kernel is configured with, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetConfig {
    /// Its own addresses, each with its port.
    pub addresses: Vec<(usize, Address)>,
    /// Its permanent neighbours.
    pub neighbours: Vec<Neighbour>,
    /// The port that leads to everybody else.
    pub default_route: Option<usize>,
    /// All these addresses. A source that is none of them becomes a neighbour with its first frame.
    pub known: BTreeSet<IpAddr>,
}

/// A permanent neighbour entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The port behind which it is.
    pub port: usize,
    /// The address.
    pub address: IpAddr,
    /// Its Ethernet address.
    pub mac: Mac,
}

impl NetConfig {
    /// The configuration for the ports that have a link, each with its number. Neighbours outside
    /// the subnets are entered where a default route leads to them.
    pub fn of<'a>(
        linked: impl Iterator<Item = (usize, &'a PortConfig)> + Clone,
        default_route: bool,
    ) -> Self {
        let mut all = Self::default();
        for (port, config) in linked.clone() {
            for own in &config.addresses {
                all.addresses.push((port, *own));
                all.known.insert(own.ip);
            }
        }
        for (port, config) in linked.clone() {
            let Some(peer) = &config.peer else { continue };
            for Address { ip: address, .. } in &peer.addresses {
                let near = config.addresses.iter().any(|own| own.contains(*address));
                if (near || default_route) && all.known.insert(*address) {
                    all.neighbours.push(Neighbour { port, address: *address, mac: peer.mac });
                }
            }
        }
        all.default_route = linked.map(|(port, _)| port).next().filter(|_| default_route);
        all
    }
}

/// The port's name where a kernel takes it for an interface, and one of ours where not.
#[must_use]
pub fn interface_name(port: &PortConfig, number: usize) -> String {
    let name = &port.name;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let taken = ["lo", "all", "default", ".", ".."].contains(&name.as_str());
    match !name.is_empty() && name.len() <= 15 && name.chars().all(good) && !taken {
        true => name.clone(),
        false => format!("port{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::Peer;

    fn own(ip: &str, prefix: u8) -> Address {
        Address { ip: ip.parse().unwrap(), prefix }
    }

    #[test]
    fn neighbours_are_entered_once_and_strangers_only_behind_a_default_route() {
        let peer = Peer {
            mac: Mac([2, 0, 0, 0, 0, 1]),
            addresses: vec![own("10.0.0.1", 24), own("192.0.2.1", 24), own("10.0.0.1", 24)],
        };
        let addresses = vec![own("10.0.0.2", 24)];
        let port = PortConfig { addresses, peer: Some(peer), ..PortConfig::default() };
        let config = |default_route| NetConfig::of([(3, &port)].into_iter(), default_route);
        let near = config(false);
        assert_eq!(near.addresses, [(3, own("10.0.0.2", 24))]);
        assert_eq!((near.neighbours.len(), near.default_route), (1, None));
        assert_eq!(near.known.len(), 2);
        let far = config(true);
        assert_eq!((far.neighbours.len(), far.default_route), (2, Some(3)));
    }
}
