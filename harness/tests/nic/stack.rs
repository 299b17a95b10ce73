//! A minimal stack as a device: IPv4 alone, TTL 255, identifications that count up, DF clear, short
//! frames padded as hardware does. All of that is its own choice and breaks no rule. It answers
//! ARP, echo requests, segments to its ports, and datagrams for which it has no use.
//!
//! [`FAULTS`](crate::faults::FAULTS) are what can be made wrong in it.

use std::net::{IpAddr, Ipv4Addr};

use wireproof::link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
use wireproof::nodes::{Kind, NodeConfig, OptionSpec, Role, in_process, neighbour};
use wireproof::wire::fields::{icmp4, ip4, tcp, udp, vlan};
use wireproof::wire::segment::{ACK, IpPacket, RST, SYN, TcpSegment};
use wireproof::wire::{self, Defaults, Instant, Layer, Mac, Packet, PortSet, Proto, checksum};

use crate::faults::{Act, Discarded, FAULTS};

static OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "open", takes: "ports", default: "none", about: "where it listens" },
    OptionSpec {
        name: "mirror",
        takes: "true or false",
        default: "false",
        about: "UDP datagrams are sent back, in fragments of 16 bytes",
    },
    OptionSpec { name: "fault", takes: "a name", default: "none", about: "what it gets wrong" },
    OptionSpec { name: "arp", takes: "true or false", default: "false", about: "for the wire" },
];

/// The kind `minimal`.
pub(crate) fn kind() -> Kind {
    Kind::new("minimal", "a minimal stack", |config: &NodeConfig, _| {
        let fault = config.read().text("fault")?;
        let open = config.read().ports("open")?.unwrap_or_default();
        let mirror = config.read().bool("mirror")?.unwrap_or_default();
        let fault = FAULTS.iter().find(|row| Some(row.name) == fault).map(|row| row.act);
        Ok(in_process(Role::Other, move |site| {
            Box::new(Stack {
                own: site.ports.first().cloned().unwrap_or_default(),
                open: open.clone(),
                mirror,
                fault,
                next_id: 0x4d00,
                out: Outbox::new(),
            })
        }))
    })
    .options(OPTIONS)
}

struct Stack {
    own: PortConfig,
    open: PortSet,
    mirror: bool,
    fault: Option<Act>,
    next_id: u16,
    out: Outbox,
}

impl Stack {
    /// It would discard this; whether it does.
    fn discards(&self, why: Discarded) -> bool {
        !matches!(self.fault, Some(Act::Take(takes)) if takes(why))
    }

    fn own_ip(&self) -> Ipv4Addr {
        let ip4 = |ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None };
        let found = self.own.addresses.iter().find_map(|address| ip4(address.ip));
        found.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// A datagram for it that is sound.
    fn takes<'a>(&self, frame: &'a [u8]) -> Option<IpPacket<'a>> {
        let ip = IpPacket::parse(frame).ok()?;
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (ip.src(), ip.dst()) else { return None };
        let sound = ip.header_checksum_ok() && !ip.is_truncated() && !ip.is_fragment();
        let [a, b, c, _] = self.own_ip().octets();
        let many = [Ipv4Addr::BROADCAST, Ipv4Addr::new(a, b, c, 255)];
        let to_many = many.contains(&dst) || dst.is_multicast() || ip.eth_dst().0[0] & 1 == 1;
        let to_me = ip.eth_dst() == self.own.mac && dst == self.own_ip();
        let wrong_source = src.is_multicast()
            || src.is_loopback()
            || src.is_unspecified()
            || many.contains(&src)
            || src == self.own_ip();
        let for_me = to_me || (to_many && !self.discards(Discarded::ToMany));
        (sound && for_me && !wrong_source).then_some(ip)
    }

    fn answer(&self, ip: &IpPacket<'_>) -> Option<Packet> {
        match ip.protocol() {
            6 => self.segment(ip.tcp().ok()?),
            1 => echo(ip),
            17 if !ip.transport_checksum_ok() => None,
            17 if self.mirror => Some(mirrored(ip)),
            17 => Some(unreachable(ip, 3)),
            _ => Some(unreachable(ip, 2)),
        }
    }

    fn segment(&self, segment: TcpSegment<'_>) -> Option<Packet> {
        if !segment.checksum_ok() && self.discards(Discarded::Checksum) {
            return None;
        }
        if segment.has(RST) && self.discards(Discarded::Reset) || !segment.data_offset_ok() {
            return None;
        }
        let open = self.open.contains(segment.dst_port());
        let next = segment.seq().wrapping_add(segment.segment_len());
        let (flags, seq, ack) = match (segment.has(ACK), open) {
            (true, true) if segment.ack() == 0x5eed_0001 => return None,
            (true, _) => (RST, segment.ack(), 0),
            (false, true) if segment.has(SYN) => (SYN | ACK, 0x5eed_0000, next),
            (false, true) => return None,
            (false, false) => (RST | ACK, 0, next),
        };
        let reply = Layer::new(Proto::Tcp)
            .with(&tcp::SRC, segment.dst_port().into())
            .with(&tcp::DST, segment.src_port().into())
            .with(&tcp::FLAGS, flags.into())
            .with(&tcp::SEQ, seq.into())
            .with(&tcp::ACK, ack.into())
            .with(&tcp::WINDOW, if flags & SYN == 0 { 0 } else { 536 });
        Some(Packet::new().layer(reply))
    }

    /// Puts tag and IPv4 in front, and sends.
    fn send(&mut self, trigger: &IpPacket<'_>, answer: Packet) {
        let (IpAddr::V4(peer), mac) = (trigger.src(), self.own.mac) else { return };
        self.next_id = self.next_id.wrapping_add(1);
        let header = Layer::new(Proto::Ip4)
            .with(&ip4::TTL, 255)
            .with(&ip4::ID, self.next_id.into())
            .with(&ip4::DF, 0);
        let mut packet = Packet::new();
        // An answer leaves in the VLANs that its trigger came in, the outermost first.
        for tag in trigger.link_header()[14..].chunks_exact(4) {
            let id = u64::from(u16::from_be_bytes([tag[0], tag[1]]) & 0xfff);
            packet = packet.layer(Layer::new(Proto::Vlan).with(&vlan::ID, id));
        }
        packet.fragment = answer.fragment;
        packet = answer.layers.into_iter().fold(packet.layer(header), Packet::layer);
        packet.pad = Some(60);
        if let Some(Act::Say(say)) = self.fault {
            say(&mut packet);
        }
        let ends = Defaults {
            src_mac: mac,
            dst_mac: Mac(trigger.eth_src().0),
            src_ip4: Some(self.own_ip()),
            dst_ip4: Some(peer),
            ..Defaults::default()
        };
        let mut frames = wire::build::build(&packet, &ends).expect("an answer");
        for frame in &mut frames {
            if let Some(Act::Bytes(change)) = self.fault {
                change(frame);
            }
            self.out.push(0, frame);
        }
    }
}

fn echo(ip: &IpPacket<'_>) -> Option<Packet> {
    let message = ip.payload();
    if message.len() < 8 || message[0] != 8 || checksum::internet_checksum(message) != 0 {
        return None;
    }
    let rest = u32::from_be_bytes([message[4], message[5], message[6], message[7]]);
    let reply = Layer::new(Proto::Icmp4).with(&icmp4::TYPE, 0).with(&icmp4::REST, rest.into());
    Some(Packet::new().layer(reply).payload(&message[8..]))
}

/// The datagram goes back as it came, between its ports.
fn mirrored(ip: &IpPacket<'_>) -> Packet {
    let datagram = ip.payload();
    let port = |at: usize| u64::from(u16::from_be_bytes([datagram[at], datagram[at + 1]]));
    let reply = Layer::new(Proto::Udp).with(&udp::SRC, port(2)).with(&udp::DST, port(0));
    let mut packet = Packet::new().layer(reply).payload(&datagram[8..]);
    packet.fragment = Some(16);
    packet
}

/// Destination unreachable, with the header and 8 octets (RFC 1122 3.2.2).
fn unreachable(ip: &IpPacket<'_>, code: u64) -> Packet {
    let quoted = &ip.payload()[..ip.payload().len().min(8)];
    let quote = [ip.header(), quoted].concat();
    let error = Layer::new(Proto::Icmp4).with(&icmp4::TYPE, 3).with(&icmp4::CODE, code);
    Packet::new().layer(error).payload(quote)
}

impl Node for Stack {
    fn handle_frame(&mut self, _now: Instant, _port: PortIndex, frame: &[u8]) {
        let mut reply = Vec::new();
        if neighbour::answer_arp(frame, &self.own, &mut reply) {
            reply.resize(60, 0);
            self.out.push(0, &reply);
            return;
        }
        let Some(ip) = self.takes(frame) else { return };
        if let Some(answer) = self.answer(&ip) {
            self.send(&ip, answer);
        }
    }

    fn handle_command(&mut self, _now: Instant, _command: &Command) -> Result<(), CommandError> {
        Err(CommandError("a minimal stack takes no command".into()))
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }
}
