//! The fast path for the most frequent trigger: plain TCP over IPv4 with right checksums, from the
//! peer of the port to the port's only IPv4 address, under the 6.18 rule.
//!
//! Positions are known and both checksums are verified in one pass. Whatever is not proved here
//! takes the general path, which alone gives reasons for a drop; `tests.rs` compares both.

use std::net::IpAddr;

use link::PortConfig;
use wire::address::is_host;
use wire::checksum::Sum;
use wire::segment::PlainTcp4;

use super::ip4::{self, TCP};
use super::rule::{Profile, Rule};

#[cfg(test)]
mod tests;

/// Bytes of a reply: Ethernet, IPv4 and TCP header.
const REPLY: usize = 54;

/// A port whose triggers may take the fast path.
#[derive(Clone, Debug)]
pub(super) struct FastPath {
    /// The port's Ethernet address, as [`station`] reads it.
    station: u64,
    /// The peer's address and the port's, as they follow each other in a trigger.
    ends: [u8; 8],
    /// The Ethernet and IPv4 headers of every reply.
    headers: [u8; 34],
    /// What the sum over a reply's TCP header begins with.
    pseudo: Sum,
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
        let near = own.contains(peer_ip.into()) && own.broadcast() != Some(peer_ip);
        let host = ip != peer_ip && is_host(&peer_ip.octets());
        let fresh = rule.profile == Profile::Linux && rule.mtu >= REPLY - 14;
        if !(near && host && fresh) {
            return None;
        }
        let (ip, peer_ip) = (ip.octets(), peer_ip.octets());
        let mut headers = [0; 34];
        headers[..6].copy_from_slice(&peer.mac.0);
        headers[6..12].copy_from_slice(&config.mac.0);
        headers[12..14].copy_from_slice(&[0x08, 0x00]);
        headers[14..].copy_from_slice(ip4::fresh(rule.ttl, peer_ip, ip).as_flattened());
        let mut ends = [0; 8];
        ends[..4].copy_from_slice(&peer_ip);
        ends[4..].copy_from_slice(&ip);
        let [a, b, c, d, e, f] = config.mac.0;
        let station = station([a, b, c, d, e, f, 0, 0]);
        Some(Self { station, ends, headers, pseudo: Sum::pseudo_ip4(ip, peer_ip, TCP, 20) })
    }

    /// The frame that answers, where the trigger is one of these.
    #[inline]
    pub(super) fn answer(&self, rule: &Rule, frame: &[u8]) -> Option<[u8; REPLY]> {
        let plain = PlainTcp4::parse(frame)?;
        let head = plain.headers();
        let [a, b, c, d, e, f, g, h, ..] = *head;
        let here = station([a, b, c, d, e, f, g, h]) == self.station;
        if !here || head[26..34] != self.ends || !plain.checksums_hold() {
            return None;
        }
        let tcp = rule.header(plain.segment()).ok()?;
        let mut reply = [0; REPLY];
        reply[..34].copy_from_slice(&self.headers);
        reply[34..].copy_from_slice(tcp.words(self.pseudo).as_flattened());
        Some(reply)
    }
}

/// The first six bytes of a frame, its destination, as one number.
#[inline(always)]
fn station(first: [u8; 8]) -> u64 {
    u64::from_le_bytes(first) << 16
}
