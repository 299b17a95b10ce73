//! Answers for whoever asks which Ethernet address an IP address has: ARP (RFC 826) and IPv6
//! neighbour solicitations (RFC 4861). Keeps no cache and asks nothing itself.

use std::net::{IpAddr, Ipv6Addr};

use link::PortConfig;
use wire::segment::IpPacket;
use wire::{Mac, checksum};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Appends the ARP reply to `out` when the frame is a request for an address of the port.
/// Returns whether it was.
pub fn answer_arp(frame: &[u8], port: &PortConfig, out: &mut Vec<u8>) -> bool {
    let Some(frame) = frame.first_chunk::<42>() else { return false };
    let dst = Mac([frame[0], frame[1], frame[2], frame[3], frame[4], frame[5]]);
    // Type ARP, hardware Ethernet, protocol IPv4, sizes 6 and 4, a request.
    let request = frame[12..22] == [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1];
    if !request || !(dst == port.mac || dst == Mac::BROADCAST) {
        return false;
    }
    let target = IpAddr::from([frame[38], frame[39], frame[40], frame[41]]);
    if !owns(port, target) {
        return false;
    }
    let (asker_mac, asker) = (&frame[22..28], &frame[22..32]);
    out.extend_from_slice(asker_mac);
    out.extend_from_slice(&port.mac.0);
    out.extend_from_slice(&[0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2]);
    out.extend_from_slice(&port.mac.0);
    out.extend_from_slice(&frame[38..42]);
    out.extend_from_slice(asker);
    true
}

/// Appends the neighbour advertisement to `out` when the frame is a valid solicitation (RFC 4861
/// 7.1.1) for an address of the port. Returns whether it was.
pub fn answer_nd(frame: &[u8], port: &PortConfig, out: &mut Vec<u8>) -> bool {
    let Some((target, packet)) = solicited(frame, port) else { return false };
    // An asker without an address is probing for duplicates: all nodes get the answer then, and
    // it is no answer to a solicitation (RFC 4861 7.2.4).
    let probing = packet.src() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let (mac, dst, flags) = match packet.src() {
        IpAddr::V6(asker) if !probing => (packet.eth_src(), asker, 0x60),
        _ => (Mac([0x33, 0x33, 0, 0, 0, 1]), ALL_NODES, 0x20),
    };
    out.extend_from_slice(&mac.0);
    out.extend_from_slice(&port.mac.0);
    out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255]);
    out.extend_from_slice(&target.octets());
    out.extend_from_slice(&dst.octets());
    let start = out.len();
    out.extend_from_slice(&[136, 0, 0, 0, flags, 0, 0, 0]);
    out.extend_from_slice(&target.octets());
    out.extend_from_slice(&[2, 1]);
    out.extend_from_slice(&port.mac.0);
    let sum = checksum::transport_ip6(target.octets(), dst.octets(), 58, &out[start..]);
    out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
    true
}

/// Appends a neighbour solicitation of the port for the Ethernet address of `target` (RFC 4861
/// 7.2.2), with the port's own. False where the port has no IPv6 address to ask from.
pub fn solicit(port: &PortConfig, target: Ipv6Addr, out: &mut Vec<u8>) -> bool {
    let own = port.addresses.iter().find_map(|address| match address.ip {
        IpAddr::V6(ip) => Some(ip),
        IpAddr::V4(_) => None,
    });
    let Some(own) = own else { return false };
    let target = target.octets();
    let [a, b, c] = [target[13], target[14], target[15]];
    let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c];
    out.extend_from_slice(&[0x33, 0x33, 0xff, a, b, c]);
    out.extend_from_slice(&port.mac.0);
    out.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255]);
    out.extend_from_slice(&own.octets());
    out.extend_from_slice(&group);
    let start = out.len();
    out.extend_from_slice(&[135, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&target);
    out.extend_from_slice(&[1, 1]);
    out.extend_from_slice(&port.mac.0);
    let sum = checksum::transport_ip6(own.octets(), group, 58, &out[start..]);
    out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
    true
}

/// The frame is a neighbour advertisement of `target` (RFC 4861 7.1.2): its node has IPv6.
#[must_use]
pub fn advertises(frame: &[u8], target: Ipv6Addr) -> bool {
    let Ok(packet) = IpPacket::parse(frame) else { return false };
    let valid = !packet.is_v4()
        && !packet.is_truncated()
        && packet.protocol() == 58
        && packet.ttl() == 255
        && packet.transport_checksum_ok();
    let body = packet.payload().first_chunk::<24>();
    valid && body.is_some_and(|body| body[..2] == [136, 0] && body[8..24] == target.octets())
}

/// The port has this address.
#[must_use]
pub fn owns(port: &PortConfig, ip: IpAddr) -> bool {
    port.addresses.iter().any(|address| address.ip == ip)
}

/// The port's own address that a valid solicitation asks for.
fn solicited<'a>(frame: &'a [u8], port: &PortConfig) -> Option<(Ipv6Addr, IpPacket<'a>)> {
    let packet = IpPacket::parse(frame).ok()?;
    if packet.is_v4() || packet.is_truncated() || packet.protocol() != 58 || packet.ttl() != 255 {
        return None;
    }
    let dst = packet.eth_dst();
    if !(dst == port.mac || dst.0[..2] == [0x33, 0x33]) || !packet.transport_checksum_ok() {
        return None;
    }
    let message = packet.payload();
    let body = message.first_chunk::<24>()?;
    if body[..2] != [135, 0] {
        return None;
    }
    let target = Ipv6Addr::from(<[u8; 16]>::try_from(&body[8..24]).ok()?);
    let unspecified = packet.src() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let kinds = option_kinds(&message[24..])?;
    if unspecified && (kinds.contains(&1) || !is_solicited_node(packet.dst())) {
        return None;
    }
    owns(port, target.into()).then_some((target, packet))
}

/// The kinds of the options, or nothing when one has length 0 or runs past the end.
fn option_kinds(mut options: &[u8]) -> Option<Vec<u8>> {
    let mut kinds = Vec::new();
    while !options.is_empty() {
        let [kind, words] = *options.first_chunk::<2>()?;
        if words == 0 {
            return None;
        }
        options = options.get(usize::from(words) * 8..)?;
        kinds.push(kind);
    }
    Some(kinds)
}

/// `ff02::1:ff00:0/104`, RFC 4291 2.7.1.
fn is_solicited_node(ip: IpAddr) -> bool {
    let prefix = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
    matches!(ip, IpAddr::V6(ip) if ip.octets()[..13] == prefix)
}

#[cfg(test)]
mod tests;
