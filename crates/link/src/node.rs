//! The node contract: what every implementation on a wire is to whoever drives it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use wire::{Address, Datum, Instant, Mac, Packet};

use crate::fault::Fault;

/// A port of one node, counted from 0 in the order of its configuration.
pub type PortIndex = u16;

/// One implementation with one or more ports. An in-process node is sans-IO: it never waits, reads
/// no clock and opens nothing, so the same node runs on the simulated wire, on a real one and in a
/// unit test. One that [is remote](Node::is_remote) stands for an implementation in a kernel, a
/// machine or a process: it may wait inside a call, and it may fail.
///
/// `handle_*` puts something in, `poll_*` takes something out. After each `handle_*` the driver
/// calls [`Node::poll_transmit`] and then [`Node::poll_event`] until both give `None`, before the
/// next input; a remote node is then asked for its [faults](Node::poll_fault). `now` never goes
/// back. A panic is caught by the driver and is a finding about the node.
pub trait Node: Send {
    /// A frame arrived at a port: the bytes as they came off the link.
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]);

    /// The clock reached what [`Node::poll_timeout`] asked for.
    fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// The scenario tells it to act.
    ///
    /// # Errors
    /// When it cannot: an unknown verb, an argument missing, a packet that it cannot build. The
    /// run ends there as a harness error that names the step.
    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError>;

    /// The next frame to emit, lent until the next call; `None` when there is none for now.
    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>>;

    /// The next thing its application saw.
    fn poll_event(&mut self, now: Instant) -> Option<Event> {
        let _ = now;
        None
    }

    /// When it wants [`Node::handle_timeout`]; `None` means never.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The implementation is not in this process: it has a clock of its own, or can fail.
    fn is_remote(&self) -> bool {
        false
    }

    /// Runs by itself as far as `horizon`, for a node whose clock is elsewhere. The time at which
    /// it has something to emit before that, where it has: it is then given
    /// [`Node::handle_timeout`] at that time, and runs no further before. A node without such a
    /// clock returns when its timer is due.
    fn run_until(&mut self, horizon: Instant) -> Option<Instant> {
        self.poll_timeout().filter(|due| *due <= horizon)
    }

    /// What went wrong with the node itself, each once. Only a remote node is asked.
    fn poll_fault(&mut self) -> Option<Fault> {
        None
    }

    /// The run is over. What a remote node finds wrong with its implementation at a last look, it
    /// returns by [`Node::poll_fault`].
    fn finish(&mut self, now: Instant) {
        let _ = now;
    }

    /// What it counted, by name, for the report: frames dropped by reason and the like.
    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        Vec::new()
    }
}

/// A frame on its way out of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// The port it leaves by.
    pub port: PortIndex,
    /// The bytes, from the Ethernet destination to the last byte before the FCS.
    pub frame: &'a [u8],
}

/// What a scenario can tell a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Build this packet, with the node's own defaults, and emit it from a port.
    Send {
        /// The port it leaves by.
        port: PortIndex,
        /// What to build.
        packet: Packet,
    },
    /// Anything else by name, with arguments: `listen`, `connect`, `write`, `close`, `fail` …
    Do {
        /// The verb.
        verb: String,
        /// Its arguments by name.
        args: BTreeMap<String, Datum>,
    },
}

/// What a node's application saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The kind: `payload`, `drop`, `accepted`, `data`, `reset`, `error` …
    pub kind: Cow<'static, str>,
    /// What belongs to it, by name, in the order to show it.
    pub fields: Vec<(Cow<'static, str>, Datum)>,
}

/// Why a node could not do as it was told: a sentence in lower case that names the word and what
/// would be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(pub String);

/// What a node is told about one of its ports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortConfig {
    /// Its name: `eth0`, `left`.
    pub name: String,
    /// Its Ethernet address.
    pub mac: Mac,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Who sits at the other end of its link, where there is one.
    pub peer: Option<Peer>,
    /// What its interface takes for the MTU, where the node has interfaces; `None` without a link.
    pub mtu: Option<u32>,
}

/// The port at the other end of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peer {
    /// Its Ethernet address.
    pub mac: Mac,
    /// Its addresses, the first of each family being the default destination.
    pub addresses: Vec<Address>,
}

impl PortConfig {
    /// What a packet sent from this port takes where it leaves an address out.
    #[must_use]
    pub fn defaults(&self) -> wire::Defaults {
        let ip4 = |all: &[Address]| {
            all.iter().find_map(|a| if let IpAddr::V4(ip) = a.ip { Some(ip) } else { None })
        };
        let ip6 = |all: &[Address]| {
            all.iter().find_map(|a| if let IpAddr::V6(ip) = a.ip { Some(ip) } else { None })
        };
        let peer: &[Address] = self.peer.as_ref().map_or(&[], |peer| &peer.addresses);
        wire::Defaults {
            src_mac: self.mac,
            dst_mac: self.peer.as_ref().map_or(Mac::BROADCAST, |peer| peer.mac),
            src_ip4: ip4(&self.addresses),
            dst_ip4: ip4(peer),
            src_ip6: ip6(&self.addresses),
            dst_ip6: ip6(peer),
        }
    }
}

impl Event {
    /// An event of a kind, without fields.
    #[must_use]
    pub fn new(kind: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), fields: Vec::new() }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: Datum) -> Self {
        self.fields.push((name.into(), value));
        self
    }
}
