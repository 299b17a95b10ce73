//! The fast path for the most frequent trigger: plain TCP over IPv4 with right checksums, from the
//! peer of the port to the port's only IPv4 address, under the 6.18 rule.
//!
//! Positions are known and both checksums are verified in one pass. Whatever is not proved here
//! takes the general path, which alone gives reasons for a drop; `tests.rs` compares both.

use std::net::IpAddr;

use link::PortConfig;
use wire::checksum::Sum;
use wire::segment::PlainTcp4;

use super::ip4::{self, TCP};
use super::port::{is_broadcast, is_nobody, mask4};
use super::reset::{Profile, Rule};

#[cfg(test)]
mod tests;

/// Bytes of a reply: Ethernet, IPv4 and TCP header.
const REPLY: usize = 54;

/// A port whose triggers may take the fast path.
#[derive(Clone, Debug)]
pub(super) struct FastPath {
    mac: [u8; 6],
    ip: [u8; 4],
    peer_mac: [u8; 6],
    peer_ip: [u8; 4],
}

impl FastPath {
    /// A port with one IPv4 address and a peer of one host in the same subnet, under a rule that
    /// sends fresh bytes; `None` for all others.
    pub(super) fn of(config: &PortConfig, rule: &Rule) -> Option<Self> {
        let mut own = config.addresses.iter().filter(|address| address.ip.is_ipv4());
        let (Some(own), None) = (own.next(), own.next()) else { return None };
        let peer = config.peer.as_ref()?;
        let first = peer.addresses.iter().find_map(|address| match address.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        let (IpAddr::V4(ip), Some(peer_ip)) = (own.ip, first) else { return None };
        let (number, there, mask) = (u32::from(ip), u32::from(peer_ip), mask4(own.prefix));
        let near = (number ^ there) & mask == 0 && !is_broadcast(there, number, mask);
        let host = number != there && !is_nobody(peer_ip.octets());
        let fresh = rule.profile == Profile::Linux && rule.mtu >= REPLY - 14;
        (near && host && fresh).then(|| Self {
            mac: config.mac.0,
            ip: ip.octets(),
            peer_mac: peer.mac.0,
            peer_ip: peer_ip.octets(),
        })
    }

    /// The frame that answers, where the trigger is one of these.
    #[inline]
    pub(super) fn answer(&self, rule: &Rule, frame: &[u8]) -> Option<[u8; REPLY]> {
        let plain = PlainTcp4::parse(frame)?;
        let head = plain.headers();
        let ends = head[26..30] == self.peer_ip && head[30..34] == self.ip;
        if head[..6] != self.mac || !ends || !plain.checksums_hold() {
            return None;
        }
        let tcp = rule.header(plain.segment()).ok()?;
        let mut reply = [0; REPLY];
        reply[..6].copy_from_slice(&self.peer_mac);
        reply[6..12].copy_from_slice(&self.mac);
        reply[12..14].copy_from_slice(&[0x08, 0x00]);
        let header = ip4::fresh(rule.ttl, self.peer_ip, self.ip);
        reply[14..34].copy_from_slice(header.as_flattened());
        let pseudo = Sum::pseudo_ip4(self.ip, self.peer_ip, TCP, 20);
        reply[34..].copy_from_slice(tcp.words(pseudo).as_flattened());
        Some(reply)
    }
}
