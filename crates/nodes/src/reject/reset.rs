//! The reset that answers a segment, as a REJECT rule builds it: from one IP packet to another, or
//! to the reason for silence. Knows no Ethernet, no addresses of its own and no route.

use wire::checksum::Sum;
use wire::segment::{IpPacket, LinkHeader};
use wire::{LinkType, PortSet};

use super::options::Options;
use super::{ip4, ip6};

/// Whose REJECT rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Linux 6.18, `reject with tcp reset` at INPUT: forty fresh bytes, sixty for IPv6.
    #[default]
    Linux,
    /// Linux 2.6: over IPv4 the trigger's own bytes, edited and cut; over IPv6 fresh ones.
    Linux26,
}

/// Why a packet is not answered. The order is the one in which the reasons are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The frame is for another station.
    OtherStation,
    /// The frame carries a VLAN tag other than a priority tag.
    Vlan,
    /// The frame carries neither IPv4 nor IPv6, or a version that its type does not announce.
    NotIp,
    /// Fewer bytes than the IP header has or its length field claims.
    Truncated,
    /// An IPv4 header length below 20 bytes, or beyond the total length.
    HeaderLength,
    /// The IPv4 header checksum is wrong.
    HeaderChecksum,
    /// A source that nobody may have: group, broadcast, unspecified, loopback, or our own.
    Source,
    /// A destination that is not ours, or not one host's.
    Destination,
    /// IP options or hop-by-hop options that the IP layer refuses.
    Options,
    /// A fragment: it waits for the others, or is not the first.
    Fragment,
    /// An extension header that ends the chain, or runs past the end.
    Chain,
    /// Another protocol than TCP.
    NotTcp,
    /// Fewer bytes than a TCP header.
    Short,
    /// A port that the rule spares.
    Port,
    /// The segment is a reset: no reset answers a reset.
    Rst,
    /// The TCP checksum is wrong, or is made so by what the IP layer wrote into the options.
    Checksum,
    /// No route leads back to the source.
    NoRoute,
    /// The reply would be larger than the MTU.
    Mtu,
}

impl DropReason {
    /// Every reason in order.
    pub const ALL: [Self; 18] = [
        Self::OtherStation,
        Self::Vlan,
        Self::NotIp,
        Self::Truncated,
        Self::HeaderLength,
        Self::HeaderChecksum,
        Self::Source,
        Self::Destination,
        Self::Options,
        Self::Fragment,
        Self::Chain,
        Self::NotTcp,
        Self::Short,
        Self::Port,
        Self::Rst,
        Self::Checksum,
        Self::NoRoute,
        Self::Mtu,
    ];

    /// Its name in counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherStation => "other-station",
            Self::Vlan => "vlan",
            Self::NotIp => "not-ip",
            Self::Truncated => "truncated",
            Self::HeaderLength => "header-length",
            Self::HeaderChecksum => "header-checksum",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Options => "options",
            Self::Fragment => "fragment",
            Self::Chain => "chain",
            Self::NotTcp => "not-tcp",
            Self::Short => "short",
            Self::Port => "port",
            Self::Rst => "rst",
            Self::Checksum => "checksum",
            Self::NoRoute => "no-route",
            Self::Mtu => "mtu",
        }
    }
}

/// A REJECT rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whose.
    pub profile: Profile,
    /// TTL and hop limit of what it sends; the 2.6 profile's IPv4 replies always have 255.
    pub ttl: u8,
    /// The largest IP packet it sends, in bytes. Not held for IPv6, as in the kernel.
    pub mtu: usize,
    /// Destination ports that the rule does not match.
    pub spared: PortSet,
}

impl Rule {
    /// The rule of a profile that spares no port: TTL 64, MTU 1500.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self { profile, ttl: 64, mtu: 1500, spared: PortSet::none() }
    }

    /// Appends the IP packet that answers `packet`, an IPv4 or IPv6 packet from the first byte of
    /// its header, with or without bytes behind its end.
    ///
    /// The packet's header, options, protocol and segment are judged here. Whether its source and
    /// destination are to be answered at all, and reassembly, are the caller's; a first fragment
    /// whose checksum happens to be right is answered, as in the kernel's FORWARD hook.
    ///
    /// # Errors
    /// The reason for silence; nothing is appended then.
    pub fn reset_for(&self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), DropReason> {
        let link = LinkHeader::of(LinkType::Raw, packet).ok_or(DropReason::NotIp)?;
        let parsed = IpPacket::behind(packet, link);
        if link.ethertype == 0x86dd {
            return ip6::reset(self, &ip6::Packet::sound(parsed)?, out);
        }
        let datagram = ip4::sound(parsed, packet)?;
        let (_, dst) = ip4::ends(&datagram);
        let options = Options::deliver(datagram.header(), |address| address == dst)?;
        ip4::reset(self, &datagram, &options, out)
    }

    /// The TCP header that answers `segment`.
    ///
    /// RFC 9293 3.10.7.1, where "ACK or not" is asked of the segment: with ACK, the reset takes its
    /// sequence number from SEG.ACK; without, it acknowledges all that the segment occupies. The
    /// data offset is taken at its word, so that one that lies moves the acknowledgment, mod 2^32.
    #[inline(always)]
    pub(super) fn header(&self, segment: &[u8]) -> Result<Header, DropReason> {
        let Some((trigger, _)) = segment.split_first_chunk::<20>() else {
            return Err(DropReason::Short);
        };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] = *trigger;
        if self.spared.contains(u16::from_be_bytes([d0, d1])) {
            return Err(DropReason::Port);
        }
        if flags & RST != 0 {
            return Err(DropReason::Rst);
        }
        let ports = u32::from_be_bytes([d0, d1, s0, s1]);
        if flags & ACK != 0 {
            let seq = u32::from_be_bytes([a0, a1, a2, a3]);
            return Ok(Header { ports, seq, ack: 0, reserved: 0, flags: RST });
        }
        let ack = u32::from_be_bytes([q0, q1, q2, q3])
            .wrapping_add(u32::from(flags & SYN != 0))
            .wrapping_add(u32::from(flags & FIN != 0))
            .wrapping_add(segment.len() as u32)
            .wrapping_sub(u32::from(offset >> 4) * 4);
        Ok(Header { ports, seq: 0, ack, reserved: 0, flags: RST | ACK })
    }
}

/// A reset's TCP header but for its checksum, in numbers: a sum over them needs no trip to memory,
/// which would wait for the narrower stores before it. Its window is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Source port in the upper half.
    ports: u32,
    seq: u32,
    ack: u32,
    /// The bits beside the data offset.
    reserved: u8,
    flags: u8,
}

impl Header {
    /// Echoes the reserved bits of the trigger's byte 12.
    pub(super) fn reserve(&mut self, byte: u8) {
        self.reserved = byte & 0x0f;
    }

    /// Appends the 20 bytes.
    #[inline]
    pub(super) fn append(&self, pseudo: Sum, out: &mut Vec<u8>) {
        out.extend_from_slice(self.words(pseudo).as_flattened());
    }

    /// The 20 bytes, with the checksum over them and the pseudo-header.
    #[inline(always)]
    pub(super) fn words(&self, pseudo: Sum) -> [[u8; 4]; 5] {
        let [ports, seq, ack] = [self.ports, self.seq, self.ack].map(u32::to_be_bytes);
        let rest = [5 << 4 | self.reserved, self.flags, 0, 0];
        let sum = pseudo.bytes(&ports).bytes(&seq).bytes(&ack).bytes(&rest);
        let [high, low] = sum.checksum().to_be_bytes();
        [ports, seq, ack, rest, [high, low, 0, 0]]
    }
}

/// The reset of a profile's rule with TTL 64, MTU 1500 and no port spared: [`Rule::reset_for`].
///
/// # Errors
/// The reason for silence; nothing is appended then.
pub fn reset_for(profile: Profile, packet: &[u8], out: &mut Vec<u8>) -> Result<(), DropReason> {
    Rule::new(profile).reset_for(packet, out)
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
