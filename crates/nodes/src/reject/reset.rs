//! The reset that answers a segment, as a REJECT rule builds it: from one IP packet to another, or
//! to the reason for silence. Knows no Ethernet, no addresses of its own and no route.

use wire::LinkType;
use wire::checksum::Sum;
use wire::segment::{IpPacket, LinkHeader};

use super::options::Options;
use super::rule::{DropReason, Profile, Rule};
use super::{ip4, ip6};

impl Rule {
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
