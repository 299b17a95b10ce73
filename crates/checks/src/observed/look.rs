//! The first look at a frame of a capture from elsewhere: between whom it goes, and what it is to a
//! connection. Knows where addresses and flags lie behind the link's header; applies no rule.

use std::net::{IpAddr, Ipv6Addr};

use wire::segment::{ACK, LinkHeader, RST, SYN};
use wire::{Frame, LinkType, Mac};

use crate::layout::{be16, be32};

/// What is behind the link's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Net {
    /// Nothing with addresses that are known here.
    #[default]
    Other,
    /// ARP over Ethernet for IPv4.
    Arp,
    /// IPv4.
    Ip4,
    /// IPv6.
    Ip6,
}

/// Between whom a frame goes, by all that it says of that. An IPv4 address is mapped as RFC 4291
/// 2.5.5.2 maps it; what is not there is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    pub(super) net: Net,
    pub(super) link: LinkType,
    pub(super) fcs_len: u8,
    pub(super) from: (Mac, u128),
    pub(super) to: (Mac, u128),
}

/// What a frame is to the summary of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// No TCP and no UDP.
    Other,
    /// UDP.
    Udp,
    /// SYN without ACK.
    Syn,
    /// SYN and ACK.
    SynAck,
    /// RST.
    Reset,
    /// Any other TCP segment.
    Segment,
}

/// How many classes there are.
pub(super) const CLASSES: usize = 6;

/// What the first look gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) ends: Ends,
    pub(super) class: Class,
    /// The datagram is no fragment.
    pub(super) whole: bool,
    /// The IP datagram, where there is one whose header is there.
    pub(super) datagram: Option<(usize, usize)>,
}

impl Ends {
    /// The ends of a frame that goes the other way.
    pub(super) fn swapped(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }
}

/// The address that a number stands for.
pub(super) fn address(number: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(number)).to_canonical()
}

/// The number that stands for an address.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

fn mapped(bytes: &[u8], at: usize) -> u128 {
    0xffff_0000_0000 | u128::from(be32(bytes, at))
}

fn wide(bytes: &[u8], at: usize) -> u128 {
    bytes[at..].first_chunk().map_or(0, |address| u128::from_be_bytes(*address))
}

fn mac(bytes: &[u8], at: usize) -> Mac {
    Mac([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4], bytes[at + 5]])
}

/// Looks at a frame.
#[inline]
pub(super) fn look(frame: Frame<'_>) -> Look {
    let bytes = frame.bytes;
    let mut look = Look {
        ends: Ends { link: frame.link, fcs_len: frame.fcs_len as u8, ..Ends::default() },
        class: Class::Other,
        whole: true,
        datagram: None,
    };
    if frame.link == LinkType::Ethernet && bytes.len() >= 14 {
        look.ends.from.0 = mac(bytes, 6);
        look.ends.to.0 = mac(bytes, 0);
    }
    let Some(header) = LinkHeader::of(frame.link, bytes) else { return look };
    let at = header.len;
    match header.ethertype {
        0x0800 if bytes.len() >= at + 20 && bytes[at] >> 4 == 4 => ip4(bytes, at, &mut look),
        0x86dd if bytes.len() >= at + 40 && bytes[at] >> 4 == 6 => ip6(bytes, at, &mut look),
        0x0806 if bytes.len() >= at + 28 && be16(bytes, at + 4) == 0x0604 => {
            look.ends.net = Net::Arp;
            look.ends.from.1 = mapped(bytes, at + 14);
            look.ends.to.1 = mapped(bytes, at + 24);
        }
        _ => {}
    }
    look
}

fn ip4(bytes: &[u8], at: usize, look: &mut Look) {
    look.ends.net = Net::Ip4;
    look.ends.from.1 = mapped(bytes, at + 12);
    look.ends.to.1 = mapped(bytes, at + 16);
    let end = (at + usize::from(be16(bytes, at + 2))).clamp(at + 20, bytes.len().max(at + 20));
    look.datagram = Some((at, end));
    let part = be16(bytes, at + 6);
    look.whole = part & 0x3fff == 0;
    if part & 0x1fff == 0 {
        look.class = class(bytes, at + usize::from(bytes[at] & 15) * 4, bytes[at + 9]);
    }
}

fn ip6(bytes: &[u8], at: usize, look: &mut Look) {
    look.ends.net = Net::Ip6;
    look.ends.from.1 = wide(bytes, at + 8);
    look.ends.to.1 = wide(bytes, at + 24);
    let end = (at + 40 + usize::from(be16(bytes, at + 4))).min(bytes.len());
    look.datagram = Some((at, end));
    look.class = class(bytes, at + 40, bytes[at + 6]);
}

fn class(bytes: &[u8], at: usize, protocol: u8) -> Class {
    match protocol {
        17 => Class::Udp,
        6 => bytes.get(at + 13).map_or(Class::Other, |flags| {
            let flags = u16::from(*flags);
            match (flags & RST != 0, flags & SYN != 0, flags & ACK != 0) {
                (true, ..) => Class::Reset,
                (_, true, true) => Class::SynAck,
                (_, true, false) => Class::Syn,
                _ => Class::Segment,
            }
        }),
        _ => Class::Other,
    }
}
