//! One port of a rejecting host: which frames are for it, which sources may be true, and where a
//! reply goes. Knows no TCP.
//!
//! A port without addresses is a bridge's: every station and every host is behind it, and a reply
//! goes back between the stations of the trigger.

use std::net::IpAddr;

use link::PortConfig;
use wire::address::{is_host, mask4, mask6};
use wire::segment::LinkHeader;

use super::rule::DropReason;

/// What a port is, in the form that each frame is held against.
#[derive(Clone, Debug)]
pub(super) struct Port {
    mac: [u8; 6],
    own4: Vec<(u32, u32)>,
    own6: Vec<(u128, u128)>,
    peer: Option<([u8; 6], Vec<IpAddr>)>,
    bridge: bool,
    /// Sources outside the port's subnets have a route back.
    anywhere: bool,
}

/// The Ethernet side of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ethernet {
    pub(super) dst: [u8; 6],
    pub(super) src: [u8; 6],
    /// What stands before the IP packet: the header of 14 bytes, and priority tags.
    pub(super) link: LinkHeader,
}

const BROADCAST: [u8; 6] = [0xff; 6];
/// The type of the outer tag before IEEE 802.1ad.
const OLDER_TAG: [u8; 2] = [0x91, 0x00];
const LINK_LOCAL: u128 = 0xfe80 << 112;
const MASK_64: u128 = u128::MAX << 64;

impl Port {
    pub(super) fn new(config: &PortConfig, anywhere: bool) -> Self {
        let (mut own4, mut own6) = (Vec::new(), Vec::new());
        for address in &config.addresses {
            match address.ip {
                IpAddr::V4(ip) => own4.push((u32::from(ip), mask4(address.prefix))),
                IpAddr::V6(ip) => own6.push((u128::from(ip), mask6(address.prefix))),
            }
        }
        // Every IPv6 interface has a link-local address, RFC 4291 2.1 and appendix A.
        if !own6.is_empty() {
            own6.push((link_local(config.mac.0), MASK_64));
        }
        let peer = config.peer.as_ref();
        Self {
            mac: config.mac.0,
            bridge: config.addresses.is_empty(),
            own4,
            own6,
            peer: peer.map(|p| (p.mac.0, p.addresses.iter().map(|a| a.ip).collect())),
            anywhere,
        }
    }

    /// Reads the Ethernet header and judges whether the frame is for this station.
    ///
    /// Priority tags (IEEE 802.1Q clause 9.6: VLAN identifier 0) are taken off; a frame of another
    /// VLAN is not this port's.
    #[inline]
    pub(super) fn ethernet(&self, frame: &[u8]) -> Result<Ethernet, DropReason> {
        let link = LinkHeader::ethernet(frame).ok_or(DropReason::Truncated)?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, tags @ ..] = &frame[..link.len] else {
            return Err(DropReason::Truncated);
        };
        let (dst, src) = ([*d0, *d1, *d2, *d3, *d4, *d5], [*s0, *s1, *s2, *s3, *s4, *s5]);
        if dst != self.mac && d0 & 1 == 0 && !self.bridge {
            return Err(DropReason::OtherStation);
        }
        // The tag of older bridges is no protocol that a host knows.
        let (tags, last) = tags.as_chunks::<4>();
        for [high, low, control, id] in tags {
            if [*high, *low] == OLDER_TAG {
                return Err(DropReason::NotIp);
            }
            if control & 0x0f != 0 || *id != 0 {
                return Err(DropReason::Vlan);
            }
        }
        match link.ends_in_tag() {
            false => Ok(Ethernet { dst, src, link }),
            true if last == OLDER_TAG => Err(DropReason::NotIp),
            true => Err(DropReason::Truncated),
        }
    }

    /// An IPv4 datagram with these ends is one to deliver here: RFC 1122 3.2.1.3.
    ///
    /// A subnet's broadcast address as source passes, as in a kernel without reverse-path filter.
    #[inline]
    pub(super) fn accepts4(&self, src: [u8; 4], dst: [u8; 4]) -> Result<(), DropReason> {
        let own = |address: u32| self.own4.iter().any(|(ip, _)| *ip == address);
        if !is_host(&src) || own(u32::from_be_bytes(src)) {
            return Err(DropReason::Source);
        }
        if own(u32::from_be_bytes(dst)) || (self.bridge && is_host(&dst)) {
            return Ok(());
        }
        Err(DropReason::Destination)
    }

    /// The address is this host's as routing sees it: its own, a broadcast, a loopback.
    pub(super) fn is_local4(&self, address: [u8; 4]) -> bool {
        let number = u32::from_be_bytes(address);
        !is_host(&address)
            || self.own4.iter().any(|(ip, mask)| *ip == number || is_broadcast(number, *ip, *mask))
    }

    /// An IPv6 packet with these ends is one to deliver here: RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7.
    #[inline]
    pub(super) fn accepts6(&self, src: [u8; 16], dst: [u8; 16]) -> Result<(), DropReason> {
        let own = |address: u128| self.own6.iter().any(|(ip, _)| *ip == address);
        let (from, to) = (u128::from_be_bytes(src), u128::from_be_bytes(dst));
        if !is_host(&src) || from >> 32 == 0xffff || own(from) {
            return Err(DropReason::Source);
        }
        if own(to) || (self.bridge && is_host(&dst)) {
            Ok(())
        } else {
            Err(DropReason::Destination)
        }
    }

    /// The Ethernet address that a reply to an IPv4 source goes to, when a route leads there.
    #[inline]
    pub(super) fn route4(&self, to: [u8; 4], trigger: &Ethernet) -> Result<[u8; 6], DropReason> {
        let number = u32::from_be_bytes(to);
        let subnet = self.own4.iter().find(|(ip, mask)| (number ^ ip) & mask == 0);
        match subnet {
            Some((ip, mask)) if is_broadcast(number, *ip, *mask) => Ok(BROADCAST),
            None if !self.anywhere && !self.bridge => Err(DropReason::NoRoute),
            _ => Ok(self.neighbour(trigger, IpAddr::from(to))),
        }
    }

    /// The Ethernet address that a reply to an IPv6 source goes to, when a route leads there.
    #[inline]
    pub(super) fn route6(&self, to: [u8; 16], trigger: &Ethernet) -> Result<[u8; 6], DropReason> {
        let number = u128::from_be_bytes(to);
        let is_near = self.own6.iter().any(|(ip, mask)| (number ^ ip) & mask == 0);
        if !is_near && !self.anywhere && !self.bridge {
            return Err(DropReason::NoRoute);
        }
        Ok(self.neighbour(trigger, IpAddr::from(to)))
    }

    /// Who the reply's frame comes from.
    #[inline]
    pub(super) fn station(&self, trigger: &Ethernet) -> [u8; 6] {
        if self.bridge { trigger.dst } else { self.mac }
    }

    /// The configured peer where the address is its own, else whoever sent the trigger.
    #[inline]
    fn neighbour(&self, trigger: &Ethernet, to: IpAddr) -> [u8; 6] {
        match &self.peer {
            Some((mac, addresses)) if addresses.contains(&to) => *mac,
            _ => trigger.src,
        }
    }
}

/// RFC 919 7: all host bits set, in a subnet that is no point-to-point link (RFC 3021).
#[inline]
fn is_broadcast(address: u32, ip: u32, mask: u32) -> bool {
    (address ^ ip) & mask == 0 && !mask > 1 && address | mask == u32::MAX
}

/// The modified EUI-64 of an Ethernet address behind `fe80::/64`, RFC 4291 appendix A.
fn link_local(mac: [u8; 6]) -> u128 {
    let [a, b, c, d, e, f] = mac;
    let id = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    LINK_LOCAL | u128::from(id)
}

#[cfg(test)]
mod tests;
