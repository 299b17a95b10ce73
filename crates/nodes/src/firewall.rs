//! `firewall`: a router between its ports that rejects TCP to some of them, as the kernel's FORWARD
//! path does: `firewall/tests/linux-6.18.txt` holds what a real one did. The rule that makes the
//! reset is `reject`'s. Knows no connection and keeps no neighbour cache: whoever
//! sits at the other end of a link is the next hop there.
//!
//! | a packet | is | counted as |
//! |---|---|---|
//! | for another station, of another VLAN, not IP | dropped | `other-station`, `vlan`, `not-ip` |
//! | with a version, IHL, length or IPv4 checksum that is wrong | dropped | `header` |
//! | from an address that nobody can have: its own, group, loopback, none | dropped | `source` |
//! | to a group, a broadcast, loopback, a link-local address | dropped | `destination` |
//! | to one of its own addresses | dropped | `own` |
//! | to where no port leads | dropped | `no-route` |
//! | with TTL or hop limit 0 or 1 | answered: ICMP time exceeded | `ttl` |
//! | of TCP to a port in `reject` | answered by the rule, or dropped in silence | `rejected` |
//! | else | sent on: TTL less one, Ethernet padding cut off | `forwarded` |
//!
//! The rows are tried in that order, so that a segment with TTL 1 to a rejected port is answered by
//! ICMP. Over IPv4 the port is read where the payload starts, also in a fragment that is not the
//! first, as nftables 6.18 does; such a match is dropped in silence.
//!
//! It differs from a Linux router in these: packets to its own addresses and without a route meet
//! silence, IPv4 options are carried and not acted on, no redirect is sent, no error is limited in
//! rate, and the IPv4 identification of its errors counts up from 1 where Linux hashes.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::address::{is_confined, is_group, is_host, is_loopback};
use wire::segment::{IpPacket, NotIp};
use wire::{Instant, Mac, PortSet};

use crate::config::{NodeConfig, OptionSpec, PortRule};
use crate::options::ConfigError;
use crate::recipe::in_process;
use crate::registry::Kind;
use crate::reject::{PROFILES, Profile, Rule};
use crate::role::Role;

mod errors;

static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "reject",
        takes: "ports",
        default: "none",
        about: "TCP destination ports that are answered with a reset and not passed on",
    },
    OptionSpec {
        name: "profile",
        takes: "`linux` or `linux-2.6`",
        default: "linux",
        about: "whose rule makes the reset",
    },
];

/// The kind `firewall`.
#[must_use]
pub fn kind() -> Kind {
    let about = "routes between its ports and rejects TCP to some ports with a reset";
    Kind::new("firewall", about, |config, _| {
        let settings = Settings::read(config)?;
        let reject = settings.reject.clone();
        let role = Role::Forwarder { reject, may_reject: PortSet::none() };
        Ok(in_process(role, move |site| Box::new(Firewall::at(&settings, site.ports))))
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(2))
    .imitates(&["profile"])
}

/// The options.
#[derive(Clone, Debug)]
struct Settings {
    profile: Profile,
    reject: PortSet,
}

impl Settings {
    fn read(config: &NodeConfig) -> Result<Self, ConfigError> {
        let options = config.read();
        Ok(Self {
            profile: options.one_of("profile", &PROFILES)?.unwrap_or_default(),
            reject: options.ports("reject")?.unwrap_or_default(),
        })
    }
}

/// The node.
#[derive(Debug)]
pub struct Firewall {
    ports: Vec<PortConfig>,
    reject: PortSet,
    rule: Rule,
    next_id: u16,
    scratch: Vec<u8>,
    outbox: Outbox,
    drops: [u64; DropReason::ALL.len()],
    forwarded: u64,
    expired: u64,
    rejected: u64,
}

/// Why a packet goes no further, without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DropReason {
    OtherStation,
    Vlan,
    NotIp,
    Header,
    Source,
    Destination,
    Own,
    NoRoute,
}

impl DropReason {
    const ALL: [(Self, &'static str); 8] = [
        (Self::OtherStation, "other-station"),
        (Self::Vlan, "vlan"),
        (Self::NotIp, "not-ip"),
        (Self::Header, "header"),
        (Self::Source, "source"),
        (Self::Destination, "destination"),
        (Self::Own, "own"),
        (Self::NoRoute, "no-route"),
    ];
}

/// A way out: the port and the station behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    port: PortIndex,
    station: Mac,
}

impl Firewall {
    /// A firewall with its options read.
    ///
    /// # Errors
    /// When an option is wrong.
    pub fn new(config: &NodeConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(&Settings::read(config)?, &config.ports))
    }

    fn at(settings: &Settings, ports: &[PortConfig]) -> Self {
        Self {
            ports: ports.to_vec(),
            reject: settings.reject.clone(),
            rule: Rule::new(settings.profile),
            next_id: 1,
            scratch: Vec::new(),
            outbox: Outbox::new(),
            drops: [0; DropReason::ALL.len()],
            forwarded: 0,
            expired: 0,
            rejected: 0,
        }
    }

    fn take(&mut self, port: PortIndex, frame: &[u8]) -> Result<(), DropReason> {
        let packet = self.receive(port, frame)?;
        let hop = self.route(packet.dst()).ok_or(DropReason::NoRoute)?;
        if packet.ttl() <= 1 {
            self.expired += 1;
            self.time_exceeded(port, &packet);
        } else if self.matches(&packet) {
            self.rejected += 1;
            self.reset(port, &packet);
        } else {
            self.forwarded += 1;
            self.forward(hop, &packet);
        }
        Ok(())
    }

    /// The packet of a frame that is for this station and that a router may look at.
    fn receive<'a>(&self, port: PortIndex, frame: &'a [u8]) -> Result<IpPacket<'a>, DropReason> {
        let own = self.ports.get(usize::from(port)).ok_or(DropReason::OtherStation)?;
        if frame.get(..6) != Some(&own.mac.0[..]) {
            return Err(DropReason::OtherStation);
        }
        let packet = IpPacket::parse(frame).map_err(|error| match error {
            NotIp::Short | NotIp::OtherType(_) => DropReason::NotIp,
            _ => DropReason::Header,
        })?;
        // A tag that names no VLAN, only a priority, is taken off (IEEE 802.1Q clause 9.6).
        let tags = packet.link_header()[12..].as_chunks::<4>().0;
        if tags.iter().any(|[.., high, low]| u16::from_be_bytes([*high, *low]) & 0xfff != 0) {
            return Err(DropReason::Vlan);
        }
        if packet.is_truncated() || !packet.header_checksum_ok() {
            return Err(DropReason::Header);
        }
        if self.impossible_source(packet.src()) {
            return Err(DropReason::Source);
        }
        if self.not_forwarded(packet.dst()) {
            return Err(DropReason::Destination);
        }
        if self.owns(packet.dst()) {
            return Err(DropReason::Own);
        }
        Ok(packet)
    }

    fn owns(&self, ip: IpAddr) -> bool {
        self.ports.iter().any(|port| crate::neighbour::owns(port, ip))
    }

    /// Its own IPv6 address as a source is let pass, as Linux does.
    fn impossible_source(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => {
                let v4 = v4.octets();
                v4[0] == 0 || is_loopback(&v4) || is_group(&v4) || self.owns(ip)
            }
            IpAddr::V6(v6) => !is_host(&v6.octets()) || v6.is_unicast_link_local(),
        }
    }

    fn not_forwarded(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => {
                let octets = v4.octets();
                let none = octets[0] == 0 || is_confined(&octets) || is_group(&octets);
                none || self.is_subnet_broadcast(v4)
            }
            IpAddr::V6(v6) => !is_host(&v6.octets()) || v6.is_unicast_link_local(),
        }
    }

    fn is_subnet_broadcast(&self, ip: Ipv4Addr) -> bool {
        let addresses = self.ports.iter().flat_map(|port| &port.addresses);
        addresses.into_iter().any(|address| address.broadcast() == Some(ip))
    }

    /// The port that leads to an address: its peer's own, else the longest prefix around it.
    fn route(&self, ip: IpAddr) -> Option<Hop> {
        let mut best: Option<(u8, Hop)> = None;
        for (index, port) in self.ports.iter().enumerate() {
            let Some(peer) = &port.peer else { continue };
            let hop = Hop { port: index as PortIndex, station: peer.mac };
            if peer.addresses.iter().any(|address| address.ip == ip) {
                return Some(hop);
            }
            let around = port.addresses.iter().filter(|address| address.contains(ip));
            if let Some(prefix) = around.map(|address| address.prefix).max()
                && best.is_none_or(|(longest, _)| prefix > longest)
            {
                best = Some((prefix, hop));
            }
        }
        best.map(|(_, hop)| hop)
    }

    /// The way back to who sent a packet: to the station it came from where the route says the
    /// same port, else where the route leads.
    fn way_back(&self, port: PortIndex, packet: &IpPacket<'_>) -> Option<Hop> {
        let hop = self.route(packet.src())?;
        Some(if hop.port == port { Hop { port, station: packet.eth_src() } } else { hop })
    }

    fn matches(&self, packet: &IpPacket<'_>) -> bool {
        let ported = packet.is_v4() || packet.fragment_offset() == 0;
        let port = packet.payload().first_chunk::<4>();
        port.is_some_and(|[_, _, high, low]| {
            let port = u16::from_be_bytes([*high, *low]);
            ported && packet.protocol() == 6 && self.reject.contains(port)
        })
    }

    fn reset(&mut self, port: PortIndex, packet: &IpPacket<'_>) {
        let Some(back) = self.way_back(port, packet) else { return };
        self.scratch.clear();
        if self.rule.reset_for(bytes_of(packet), &mut self.scratch).is_ok() {
            self.emit(back);
        }
    }

    fn forward(&mut self, hop: Hop, packet: &IpPacket<'_>) {
        self.scratch.clear();
        self.scratch.extend_from_slice(bytes_of(packet));
        if packet.is_v4() {
            self.scratch[8] -= 1;
            // The word of TTL and protocol went down by 0x0100, its complement goes up: RFC 1624.
            let sum = u32::from(u16::from_be_bytes([self.scratch[10], self.scratch[11]])) + 0x0100;
            let sum = (sum + u32::from(sum >= 0xffff)) as u16;
            self.scratch[10..12].copy_from_slice(&sum.to_be_bytes());
        } else {
            self.scratch[7] -= 1;
        }
        self.emit(hop);
    }

    /// Sends the IP packet in the scratch buffer.
    fn emit(&mut self, hop: Hop) {
        let Some(own) = self.ports.get(usize::from(hop.port)) else { return };
        let kind = if self.scratch.first().is_some_and(|first| first >> 4 == 6) {
            [0x86, 0xdd]
        } else {
            [0x08, 0x00]
        };
        self.outbox.push_with(hop.port, |frame| {
            frame.extend_from_slice(&hop.station.0);
            frame.extend_from_slice(&own.mac.0);
            frame.extend_from_slice(&kind);
            frame.extend_from_slice(&self.scratch);
        });
    }
}

/// The packet from its IP header to its end, without Ethernet padding.
fn bytes_of<'a>(packet: &IpPacket<'a>) -> &'a [u8] {
    let frame = packet.frame();
    &frame[packet.header_range().start..frame.len() - packet.trailer().len()]
}

impl Node for Firewall {
    fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
        if let Err(drop) = self.take(port, frame) {
            self.drops[drop as usize] += 1;
        }
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        let what = match command {
            Command::Send { .. } => "send",
            Command::Do { verb, .. } => verb,
        };
        let message = format!("a firewall does not take `{what}`: it only passes packets on");
        Err(CommandError(message))
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.outbox.pop()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        let mut all: Vec<(Cow<'static, str>, u64)> = vec![
            ("forwarded".into(), self.forwarded),
            ("rejected".into(), self.rejected),
            ("ttl".into(), self.expired),
        ];
        let dropped = DropReason::ALL
            .iter()
            .map(|(drop, name)| (format!("dropped.{name}").into(), self.drops[*drop as usize]));
        all.extend(dropped);
        all
    }
}

#[cfg(test)]
mod tests;
