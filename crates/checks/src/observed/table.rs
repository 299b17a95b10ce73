//! The hosts of a shared medium as ports: one for each pair of hosts and direction, whose peer is
//! the port of the other direction. So a frame on it is handed to the host that it is addressed to,
//! and every rule holds as on a link between two ports.

use std::collections::BTreeMap;
use std::net::IpAddr;

use wire::address::is_group;
use wire::{Mac, PortId};

use super::look::{CLASSES, Class, Ends, Net, address, number};
use super::{Given, Part};
use crate::check::{Answers, PortFacts};

/// The node that stands for all hosts of the medium, to whom a broadcast is handed.
pub(crate) const EVERYBODY: u16 = u16::MAX;

/// More ports at a time end a batch.
pub(super) const MOST_PORTS: usize = 50_000;

/// How many pairs are found without a search. A power of two.
const NEAR: usize = 1 << 12;

/// Who a host is: by an address of its own or, without one, by its station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Given(u16),
    Ip(u128),
    Station(Mac),
}

/// What is known of a port beside its facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) ends: Ends,
    pub(super) who: Who,
    /// Its host was given by its Ethernet address.
    pub(super) firm: bool,
    /// What it emits is a test's choice.
    pub(super) scripted: bool,
    /// Its host passes datagrams on between ports of its own.
    pub(super) joined: bool,
    /// How many frames of each class it emitted.
    pub(super) tally: [u32; CLASSES],
    /// How many of them, copies left out, show a checksum: of segments and datagrams, of resets.
    pub(super) summed: [u32; 2],
}

/// The ports there are.
#[derive(Debug)]
pub(super) struct Table {
    given: Vec<Given>,
    pub(super) facts: Vec<PortFacts>,
    pub(super) entries: Vec<Entry>,
    by_ends: BTreeMap<Ends, u16>,
    nodes: BTreeMap<Who, u16>,
    near: Vec<u16>,
}

impl Table {
    pub(super) fn new(given: Vec<Given>) -> Self {
        let mut table = Self {
            given,
            facts: Vec::new(),
            entries: Vec::new(),
            by_ends: BTreeMap::new(),
            nodes: BTreeMap::new(),
            near: Vec::new(),
        };
        table.clear();
        table
    }

    /// Forgets every port; the hosts that were given stay.
    pub(super) fn clear(&mut self) {
        self.facts.clear();
        self.entries.clear();
        self.by_ends.clear();
        self.nodes.clear();
        self.nodes.extend((0..self.given.len() as u16).map(|index| (Who::Given(index), index)));
        self.near.clear();
        self.near.resize(NEAR, u16::MAX);
    }

    /// The port that emits between these ends.
    #[inline]
    pub(super) fn port(&mut self, ends: &Ends) -> u16 {
        let place = hash(ends) & (NEAR - 1);
        let near = self.near[place];
        if self.entries.get(usize::from(near)).is_some_and(|entry| entry.ends == *ends) {
            return near;
        }
        let port = match self.by_ends.get(ends) {
            Some(port) => *port,
            None => self.add(ends),
        };
        self.near[place] = port;
        port
    }

    #[inline]
    pub(super) fn count(&mut self, port: u16, class: Class) {
        self.entries[usize::from(port)].tally[class as usize] += 1;
    }

    #[inline]
    pub(super) fn count_sum(&mut self, port: u16, class: Class) {
        self.entries[usize::from(port)].summed[usize::from(class == Class::Reset)] += 1;
    }

    #[cold]
    fn add(&mut self, ends: &Ends) -> u16 {
        let (from, to) = (self.emitter(ends), self.receiver(ends));
        let port = self.facts.len() as u16;
        let back = if *ends == ends.swapped() { port } else { port + 1 };
        self.push(*ends, Some(from), back);
        if back != port {
            // The port of the other direction is the one that a frame on this one is handed to; it
            // emits by what its own frames say, which for most is the same.
            self.push(ends.swapped(), to, port);
        }
        port
    }

    fn push(&mut self, ends: Ends, who: Option<Who>, peer: u16) {
        let port = self.facts.len() as u16;
        let node = who.map_or(EVERYBODY, |who| self.node(who));
        let station = ends.from.0;
        let mut facts = PortFacts {
            node,
            mac: Mac::default(),
            addresses: Vec::new(),
            broadcasts: Vec::new(),
            peer: Some(PortId(peer)),
            answers: Answers::Unknown,
        };
        let ip = matches!(ends.net, Net::Ip4 | Net::Ip6);
        let who = who.unwrap_or(Who::Station(station));
        let mut entry = Entry {
            ends,
            who,
            firm: false,
            scripted: false,
            joined: false,
            tally: [0; CLASSES],
            summed: [0; 2],
        };
        match who {
            Who::Given(index) => {
                let given = &self.given[usize::from(index)];
                let own = given.stations.contains(&station);
                facts.mac = match given.stations.first() {
                    Some(first) if !own => *first,
                    _ => station,
                };
                facts.addresses.clone_from(&given.addresses);
                facts.broadcasts.clone_from(&given.broadcasts);
                if let Part::Judged(answers) = &given.part {
                    facts.answers = answers.clone();
                }
                entry.firm = own;
                entry.scripted = given.part == Part::Scripted;
                entry.joined = own
                    && (given.stations.len() > 1
                        || matches!(facts.answers, Answers::Forwards { .. }));
            }
            Who::Ip(host) if ip => {
                facts.mac = if station.is_group() { Mac::default() } else { station };
                facts.addresses.push(address(host));
            }
            Who::Ip(_) | Who::Station(_) => {}
        }
        self.facts.push(facts);
        self.entries.push(entry);
        self.by_ends.entry(ends).or_insert(port);
    }

    fn node(&mut self, who: Who) -> u16 {
        let next = self.nodes.len() as u16;
        *self.nodes.entry(who).or_insert(next)
    }

    fn emitter(&self, ends: &Ends) -> Who {
        self.of(ends.from, ends.net).unwrap_or(Who::Station(ends.from.0))
    }

    /// The host that a frame is handed to; `None` for all of them.
    fn receiver(&self, ends: &Ends) -> Option<Who> {
        let (station, ip) = ends.to;
        let broadcast = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => self.given.iter().any(|given| given.broadcasts.contains(&ip)),
            IpAddr::V6(_) => false,
        };
        let group = match address(ip) {
            IpAddr::V4(ip) => is_group(&ip.octets()),
            IpAddr::V6(ip) => is_group(&ip.octets()),
        };
        let no_ip = !matches!(ends.net, Net::Ip4 | Net::Ip6);
        if station.is_group() && (no_ip || group || broadcast(address(ip))) {
            return None;
        }
        if let Some(given) = self.with_station(station) {
            return Some(given);
        }
        if group || broadcast(address(ip)) {
            return None;
        }
        Some(self.of(ends.to, ends.net).unwrap_or(Who::Station(station)))
    }

    fn with_station(&self, station: Mac) -> Option<Who> {
        let index = self.given.iter().position(|given| given.stations.contains(&station))?;
        Some(Who::Given(index as u16))
    }

    fn of(&self, (station, ip): (Mac, u128), net: Net) -> Option<Who> {
        if let Some(given) = self.with_station(station) {
            return Some(given);
        }
        if net == Net::Other || ip == 0 || ip == number(IpAddr::from([0, 0, 0, 0])) {
            return None;
        }
        let has = |given: &Given| given.addresses.iter().any(|own| number(*own) == ip);
        match self.given.iter().position(has) {
            Some(index) => Some(Who::Given(index as u16)),
            None => Some(Who::Ip(ip)),
        }
    }
}

#[inline]
fn hash(ends: &Ends) -> usize {
    let side = |(Mac([a, b, c, d, e, f]), ip): (Mac, u128)| {
        let station = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        (ip as u64 ^ (ip >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ station
    };
    let sum = side(ends.from).rotate_left(17) ^ side(ends.to);
    ((sum ^ sum >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 40) as usize
}
