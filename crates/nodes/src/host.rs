//! `host`: some TCP host, some ports open. A closed port answers as `reject` does. An open one
//! answers as RFC 9293 has a listener answer (3.10.7.2), and a peer that acknowledges what was
//! never sent (3.10.7.4). Keeps no connection: its initial sequence number follows from the ends of
//! a segment, so that an acknowledgment can be judged without memory.
//!
//! | a segment to an open port has | answer |
//! |---|---|
//! | RST | none |
//! | ACK, and SYN or another number than the initial one and 1 | RST, seq = SEG.ACK |
//! | ACK of the initial number and 1 | none: the connection is established |
//! | SYN | SYN,ACK with the initial number, ack = SEG.SEQ + 1, a window and an MSS |
//! | none of these | none |
//!
//! Not its work: data of a connection, whose sender is left without an acknowledgment; whether
//! SEG.SEQ is in the window; fragments to an open port; ARP and neighbour discovery.

use std::borrow::Cow;
use std::net::IpAddr;

use link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::address::is_host;
use wire::fields::tcp;
use wire::segment::{ACK, RST, SYN};
use wire::{Defaults, Instant, Layer, Packet, PortSet, Proto, TcpOption, TcpSegment};

use crate::config::{NodeConfig, OptionSpec, PortRule};
use crate::neighbour::owns;
use crate::options::ConfigError;
use crate::recipe::in_process;
use crate::registry::Kind;
use crate::reject::Reject;
use crate::role::Role;

static OPTIONS: &[OptionSpec] = &[OptionSpec {
    name: "open",
    takes: "ports",
    default: "none",
    about: "TCP ports where it listens; all others are closed",
}];

/// The kind `host`.
#[must_use]
pub fn kind() -> Kind {
    let about = "some TCP host: some ports open, all others closed";
    Kind::new("host", about, |config, _| {
        let open = open(config)?;
        let role = Role::Host { open: open.clone() };
        Ok(in_process(role, move |site| Box::new(Host::at(&open, site.ports))))
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(1))
}

fn open(config: &NodeConfig) -> Result<PortSet, ConfigError> {
    Ok(config.read().ports("open")?.unwrap_or_default())
}

/// The node.
#[derive(Clone, Debug)]
pub struct Host {
    ports: Vec<PortConfig>,
    open: PortSet,
    closed: Reject,
    outbox: Outbox,
    opened: u64,
    refused: u64,
}

impl Host {
    /// A host with its options read.
    ///
    /// # Errors
    /// When `open` is no set of ports.
    pub fn new(config: &NodeConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(&open(config)?, &config.ports))
    }

    fn at(open: &PortSet, ports: &[PortConfig]) -> Self {
        Self {
            ports: ports.to_vec(),
            closed: Reject::of_ports(&open.complement(), ports),
            open: open.clone(),
            outbox: Outbox::new(),
            opened: 0,
            refused: 0,
        }
    }

    /// What an open port says to a frame; `None` where it says nothing, or none is asked.
    fn listens(&self, port: PortIndex, frame: &[u8]) -> Option<Packet> {
        let own = self.ports.get(usize::from(port))?;
        let segment = TcpSegment::parse(frame).ok()?;
        let ip = &segment.ip;
        let untagged = ip.link_header().len() == 14;
        let whole = !ip.is_truncated() && !ip.is_fragment() && segment.data_offset_ok();
        // One host to another: the addresses of groups are nobody's, RFC 9293 3.9.2.3.
        let to_me = ip.eth_dst() == own.mac && owns(own, ip.dst()) && is_host(&octets(ip.src()));
        if !untagged || !whole || !to_me || !ip.header_checksum_ok() || !segment.checksum_ok() {
            return None;
        }
        if !self.open.contains(segment.dst_port()) || segment.has(RST) {
            return None;
        }
        let first = initial(&segment);
        if segment.has(ACK) {
            let acceptable = segment.ack() == first.wrapping_add(1) && !segment.has(SYN);
            return (!acceptable).then(|| answer(&segment, RST, segment.ack(), 0));
        }
        let room = if ip.is_v4() { 1460 } else { 1440 };
        segment.has(SYN).then(|| {
            let mut packet = answer(&segment, SYN | ACK, first, segment.seq().wrapping_add(1));
            if let Some(layer) = packet.layers.last_mut() {
                layer.tcp_options = Some(vec![TcpOption::Mss(room)]);
            }
            packet
        })
    }
}

/// The initial sequence number between these ends: FNV-1a, so that it differs from pair to pair and
/// never from run to run.
fn initial(segment: &TcpSegment<'_>) -> u32 {
    let (src, dst) = (octets(segment.ip.src()), octets(segment.ip.dst()));
    let ports = [segment.src_port().to_be_bytes(), segment.dst_port().to_be_bytes()].concat();
    src.iter()
        .chain(&dst)
        .chain(&ports)
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// A segment back between the ends of this one.
fn answer(segment: &TcpSegment<'_>, flags: u16, seq: u32, ack: u32) -> Packet {
    let window = if flags & SYN == 0 { 0 } else { 0xffff };
    let ip = if segment.ip.is_v4() { Proto::Ip4 } else { Proto::Ip6 };
    Packet::new().layer(Layer::new(ip)).layer(
        Layer::new(Proto::Tcp)
            .with(&tcp::SRC, segment.dst_port().into())
            .with(&tcp::DST, segment.src_port().into())
            .with(&tcp::FLAGS, flags.into())
            .with(&tcp::SEQ, seq.into())
            .with(&tcp::ACK, ack.into())
            .with(&tcp::WINDOW, window),
    )
}

/// The ends of an answer to this frame.
fn ends(frame: &[u8]) -> Option<Defaults> {
    let ip = TcpSegment::parse(frame).ok()?.ip;
    let mut ends = Defaults { src_mac: ip.eth_dst(), dst_mac: ip.eth_src(), ..Defaults::default() };
    match (ip.dst(), ip.src()) {
        (IpAddr::V4(own), IpAddr::V4(peer)) => {
            (ends.src_ip4, ends.dst_ip4) = (Some(own), Some(peer));
        }
        (IpAddr::V6(own), IpAddr::V6(peer)) => {
            (ends.src_ip6, ends.dst_ip6) = (Some(own), Some(peer));
        }
        _ => return None,
    }
    Some(ends)
}

impl Node for Host {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        let Some(packet) = self.listens(port, frame) else {
            self.closed.handle_frame(now, port, frame);
            return;
        };
        let frames = ends(frame).and_then(|ends| wire::build::build(&packet, &ends).ok());
        let reset = packet.layers.last().is_some_and(|layer| layer.tcp_options.is_none());
        for frame in frames.iter().flatten() {
            self.outbox.push(port, frame);
            *(if reset { &mut self.refused } else { &mut self.opened }) += 1;
        }
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        let what = match command {
            Command::Send { .. } => "send",
            Command::Do { verb, .. } => verb,
        };
        Err(CommandError(format!(
            "a host does not take `{what}`: it only answers what arrives; use `tester`"
        )))
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        if self.outbox.is_empty() { self.closed.poll_transmit(now) } else { self.outbox.pop() }
    }

    /// `opened` and `refused` at open ports; and what closed ports count.
    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        let mut all = vec![("opened".into(), self.opened), ("refused".into(), self.refused)];
        all.extend(self.closed.counters());
        all
    }
}

#[cfg(test)]
mod tests;
