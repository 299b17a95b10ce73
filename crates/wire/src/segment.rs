//! A cheap look at one frame, for code that handles every frame: Ethernet, VLAN tags, IPv4 or IPv6
//! with its extension headers, TCP. Borrows, allocates nothing, and panics on no bytes.
//!
//! It tells what the bytes are and judges little: a wrong checksum or a data offset that lies is
//! shown, not refused. For every field of every layer see the views; this knows what a responder
//! or a check needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::Mac;
use crate::checksum::{self, Sum};

mod ip6;
mod link;
mod plain;
mod tcp;
#[cfg(test)]
mod tests;

pub use ip6::{
    PseudoAddresses, extension_len, final_destination, home_address, ip6_options, is_offloaded,
    is_tunnel_port, jumbo_length,
};
pub use link::LinkHeader;
pub use plain::PlainTcp4;

/// Why there is no IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotIp {
    /// The frame ends inside the Ethernet header or a VLAN tag.
    #[error("the frame ends inside its Ethernet header")]
    Short,
    /// The type announces neither IPv4 nor IPv6.
    #[error("the Ethernet type {0:#06x} is not IP")]
    OtherType(u16),
    /// The version is not the one that the type announces.
    #[error("the IP version is {0}, not that of the Ethernet type")]
    Version(u8),
    /// The frame ends inside the IP header.
    #[error("the frame ends inside its IP header")]
    Header,
    /// IHL is under 5.
    #[error("the IPv4 header length of {0} bytes is under 20")]
    HeaderLength(usize),
    /// The IPv4 total length does not even cover the header.
    #[error("the IPv4 total length {0} does not cover the header")]
    TotalLength(u16),
    /// An IPv6 extension header runs past the end of the packet.
    #[error("an IPv6 extension header runs past the end")]
    Extension,
}

/// Why there is no TCP segment in an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTcp {
    /// No IP packet either.
    #[error(transparent)]
    NotIp(#[from] NotIp),
    /// A fragment that is not the first: whatever it carries starts elsewhere.
    #[error("a fragment at offset {0} has no TCP header")]
    Fragment(u16),
    /// Another protocol, by its IP protocol number.
    #[error("the IP protocol is {0}, not TCP")]
    OtherProtocol(u8),
    /// Fewer than the 20 bytes of a TCP header were delivered.
    #[error("{0} bytes are no TCP header, which has 20")]
    Short(usize),
}

/// An IP packet in a frame: its header and what was delivered of its payload.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket<'a> {
    frame: &'a [u8],
    start: usize,
    transport: usize,
    end: usize,
    is_v4: bool,
    protocol: u8,
    truncated: bool,
    more_fragments: bool,
    fragment_offset: u16,
}

/// A TCP segment in a frame.
#[derive(Clone, Copy, Debug)]
pub struct TcpSegment<'a> {
    /// The packet that carries it.
    pub ip: IpPacket<'a>,
    header: &'a [u8; 20],
    bytes: &'a [u8],
}

/// FIN in [`TcpSegment::flags`].
pub const FIN: u16 = 0x001;
/// SYN in [`TcpSegment::flags`].
pub const SYN: u16 = 0x002;
/// RST in [`TcpSegment::flags`].
pub const RST: u16 = 0x004;
/// PSH in [`TcpSegment::flags`].
pub const PSH: u16 = 0x008;
/// ACK in [`TcpSegment::flags`].
pub const ACK: u16 = 0x010;
/// URG in [`TcpSegment::flags`].
pub const URG: u16 = 0x020;

impl<'a> IpPacket<'a> {
    /// Finds the outermost IP packet of an Ethernet frame, behind any number of VLAN tags.
    ///
    /// # Errors
    /// Says why there is none.
    // Inlined by force: handed over in memory, the result costs more than finding it.
    #[inline(always)]
    pub fn parse(frame: &'a [u8]) -> Result<Self, NotIp> {
        let link = LinkHeader::ethernet(frame).ok_or(NotIp::Short)?;
        let mut packet = Self::behind(frame, link)?;
        if !packet.is_v4 {
            packet.walk()?;
        }
        Ok(packet)
    }

    /// The packet behind a link's header, without stepping over extension headers of IPv6: the
    /// protocol is the one that the fixed header names, and the payload begins behind it.
    ///
    /// # Errors
    /// Says why there is none.
    #[inline(always)]
    pub fn behind(frame: &'a [u8], link: LinkHeader) -> Result<Self, NotIp> {
        match link.ethertype {
            _ if link.ends_in_tag() => Err(NotIp::Short),
            0x0800 => Self::v4(frame, link.len),
            0x86dd => Self::v6(frame, link.len),
            other => Err(NotIp::OtherType(other)),
        }
    }

    #[inline(always)]
    fn v4(frame: &'a [u8], start: usize) -> Result<Self, NotIp> {
        let bytes = frame.get(start..).unwrap_or(&[]);
        let header = bytes.first_chunk::<20>().ok_or(NotIp::Header)?;
        if header[0] >> 4 != 4 {
            return Err(NotIp::Version(header[0] >> 4));
        }
        let header_len = usize::from(header[0] & 0xf) * 4;
        if header_len < 20 {
            return Err(NotIp::HeaderLength(header_len));
        }
        if header_len > bytes.len() {
            return Err(NotIp::Header);
        }
        let total_length = u16::from_be_bytes([header[2], header[3]]);
        let total = usize::from(total_length);
        if total < header_len {
            return Err(NotIp::TotalLength(total_length));
        }
        let fragment = u16::from_be_bytes([header[6], header[7]]);
        Ok(Self {
            frame,
            start,
            transport: start + header_len,
            end: start + total.min(bytes.len()),
            is_v4: true,
            protocol: header[9],
            truncated: total > bytes.len(),
            more_fragments: fragment & 0x2000 != 0,
            fragment_offset: (fragment & 0x1fff) << 3,
        })
    }

    /// The whole frame.
    #[inline]
    #[must_use]
    pub fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// The Ethernet destination.
    #[inline]
    #[must_use]
    pub fn eth_dst(&self) -> Mac {
        Mac(array(self.frame, 0))
    }

    /// The Ethernet source.
    #[inline]
    #[must_use]
    pub fn eth_src(&self) -> Mac {
        Mac(array(self.frame, 6))
    }

    /// What stands before the IP header: the Ethernet header and the VLAN tags.
    #[inline]
    #[must_use]
    pub fn link_header(&self) -> &'a [u8] {
        &self.frame[..self.start]
    }

    /// The IP header with its options or extension headers.
    #[inline]
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        &self.frame[self.start..self.transport]
    }

    /// Where the IP header stands in the frame, with its options or extension headers.
    #[inline]
    #[must_use]
    pub fn header_range(&self) -> Range<usize> {
        self.start..self.transport
    }

    /// What was delivered behind the header: up to the IP length, or to the end of a frame that is
    /// too short for it. Ethernet padding is not in it.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.frame[self.transport..self.end]
    }

    /// What follows the packet in the frame: Ethernet padding, where it is right.
    #[inline]
    #[must_use]
    pub fn trailer(&self) -> &'a [u8] {
        &self.frame[self.end..]
    }

    /// The IP length promises more bytes than the frame has; a host drops such a packet.
    #[inline]
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// IPv4, else IPv6.
    #[inline]
    #[must_use]
    pub fn is_v4(&self) -> bool {
        self.is_v4
    }

    /// The source address.
    #[inline]
    #[must_use]
    pub fn src(&self) -> IpAddr {
        if self.is_v4 {
            Ipv4Addr::from(array::<4>(self.frame, self.start + 12)).into()
        } else {
            Ipv6Addr::from(array::<16>(self.frame, self.start + 8)).into()
        }
    }

    /// The destination address in the IP header: with an IPv6 routing header, the next hop of it.
    #[inline]
    #[must_use]
    pub fn dst(&self) -> IpAddr {
        if self.is_v4 {
            Ipv4Addr::from(array::<4>(self.frame, self.start + 16)).into()
        } else {
            Ipv6Addr::from(array::<16>(self.frame, self.start + 24)).into()
        }
    }

    /// The IP protocol of the payload: behind all extension headers of IPv6.
    #[inline]
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// Where the payload stood in the datagram before fragmentation, in bytes.
    #[inline]
    #[must_use]
    pub fn fragment_offset(&self) -> u16 {
        self.fragment_offset
    }

    /// More fragments follow.
    #[inline]
    #[must_use]
    pub fn more_fragments(&self) -> bool {
        self.more_fragments
    }

    /// A part of a datagram, first or later.
    #[inline]
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// TTL or hop limit.
    #[inline]
    #[must_use]
    pub fn ttl(&self) -> u8 {
        self.frame[self.start + if self.is_v4 { 8 } else { 7 }]
    }

    /// TOS or traffic class: DSCP and ECN.
    #[inline]
    #[must_use]
    pub fn tos(&self) -> u8 {
        let [first, second] = array(self.frame, self.start);
        if self.is_v4 { second } else { first << 4 | second >> 4 }
    }

    /// The IPv4 header checksum is right; always so for IPv6, which has none.
    #[inline]
    #[must_use]
    pub fn header_checksum_ok(&self) -> bool {
        !self.is_v4 || checksum::internet_checksum(self.header()) == 0
    }

    /// The pseudo-header for a payload of the delivered length, RFC 9293 3.1 and RFC 8200 8.1.
    #[inline]
    #[must_use]
    pub fn pseudo_header(&self) -> Sum {
        let length = self.end - self.transport;
        if self.is_v4 {
            let src = array(self.frame, self.start + 12);
            let dst = array(self.frame, self.start + 16);
            return Sum::pseudo_ip4(src, dst, self.protocol, length as u16);
        }
        if self.transport > self.start + 40
            && let Some(PseudoAddresses { src, dst }) = PseudoAddresses::behind(self.header())
        {
            return Sum::pseudo_ip6(src, dst, self.protocol, length as u32);
        }
        let src = array(self.frame, self.start + 8);
        let dst = array(self.frame, self.start + 24);
        Sum::pseudo_ip6(src, dst, self.protocol, length as u32)
    }

    /// The sum over pseudo-header and delivered payload is right, as TCP, UDP and ICMPv6 demand.
    #[inline]
    #[must_use]
    pub fn transport_checksum_ok(&self) -> bool {
        self.pseudo_header().bytes(self.payload()).checksum() == 0
    }

    /// The TCP segment in it; the first fragment of one has it too.
    ///
    /// # Errors
    /// Says why there is none.
    #[inline(always)]
    pub fn tcp(self) -> Result<TcpSegment<'a>, NoTcp> {
        if self.fragment_offset != 0 {
            return Err(NoTcp::Fragment(self.fragment_offset));
        }
        if self.protocol != 6 {
            return Err(NoTcp::OtherProtocol(self.protocol));
        }
        let bytes = self.payload();
        let header = bytes.first_chunk::<20>().ok_or(NoTcp::Short(bytes.len()))?;
        Ok(TcpSegment { ip: self, header, bytes })
    }
}

/// Bytes of a header whose presence the parser has checked.
#[inline(always)]
fn array<const N: usize>(frame: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&frame[at..at + N]);
    bytes
}
