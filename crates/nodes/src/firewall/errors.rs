//! The ICMP errors of a firewall, as Linux 6.18 builds them. Knows which packets must not be
//! answered with one (RFC 1122 3.2.2, RFC 4443 2.4); knows no route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use link::{PortConfig, PortIndex};
use wire::checksum;
use wire::segment::IpPacket;

use super::{Firewall, bytes_of};

/// The longest IPv4 error, RFC 1812 4.3.2.3.
const LONGEST_V4: usize = 576;
/// The longest IPv6 error: the least MTU of any link, RFC 4443 2.4 (c).
const LONGEST_V6: usize = 1280;

impl Firewall {
    /// Says time exceeded in transit to who sent the packet, unless an error must not be answered
    /// with an error, or no port leads back.
    pub(super) fn time_exceeded(&mut self, port: PortIndex, packet: &IpPacket<'_>) {
        if is_unanswerable(packet) {
            return;
        }
        let Some(back) = self.way_back(port, packet) else { return };
        let Some(own) = self.ports.get(usize::from(back.port)) else { return };
        let Some(source) = source(own, packet.src()) else { return };
        self.scratch.clear();
        match (source, packet.src()) {
            (IpAddr::V4(source), IpAddr::V4(dst)) => {
                write_v4(&mut self.scratch, source, dst, self.next_id, packet);
                self.next_id = self.next_id.wrapping_add(1);
            }
            (IpAddr::V6(source), IpAddr::V6(dst)) => {
                write_v6(&mut self.scratch, source, dst, packet);
            }
            _ => return,
        }
        self.emit(back);
    }
}

/// The packet is itself an ICMP error or of an unknown ICMP type, or over IPv4 a later fragment.
fn is_unanswerable(packet: &IpPacket<'_>) -> bool {
    let kind = packet.payload().first().copied();
    if packet.is_v4() {
        let icmp_error = matches!(kind, None | Some(3..=5 | 11 | 12 | 19..));
        return packet.fragment_offset() != 0 || packet.protocol() == 1 && icmp_error;
    }
    let error = kind.is_none_or(|kind| kind < 128);
    packet.fragment_offset() == 0 && packet.protocol() == 58 && error
}

/// The port's address to speak from: in the subnet of who is spoken to, else the first.
fn source(port: &PortConfig, to: IpAddr) -> Option<IpAddr> {
    let family = || port.addresses.iter().filter(|own| own.ip.is_ipv4() == to.is_ipv4());
    let near = family().find(|own| own.contains(to)).or_else(|| family().next());
    near.map(|own| own.ip)
}

fn write_v4(out: &mut Vec<u8>, src: Ipv4Addr, dst: Ipv4Addr, id: u16, packet: &IpPacket<'_>) {
    let quote = bytes_of(packet);
    let quote = &quote[..quote.len().min(LONGEST_V4 - 28)];
    // Precedence "internetwork control" over what the trigger asked for, less its lowest bit.
    let tos = packet.tos() & 0x1e | 0xc0;
    let length = (28 + quote.len()) as u16;
    out.extend_from_slice(&[0x45, tos]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&[0, 0, 64, 1, 0, 0]);
    out.extend_from_slice(&src.octets());
    out.extend_from_slice(&dst.octets());
    let sum = checksum::internet_checksum(out);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(&[11, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(quote);
    let sum = checksum::internet_checksum(&out[20..]);
    out[22..24].copy_from_slice(&sum.to_be_bytes());
}

fn write_v6(out: &mut Vec<u8>, src: Ipv6Addr, dst: Ipv6Addr, packet: &IpPacket<'_>) {
    let quote = bytes_of(packet);
    let quote = &quote[..quote.len().min(LONGEST_V6 - 48)];
    let length = (8 + quote.len()) as u16;
    out.extend_from_slice(&[0x60, 0, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[58, 64]);
    out.extend_from_slice(&src.octets());
    out.extend_from_slice(&dst.octets());
    out.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(quote);
    let sum = checksum::transport_ip6(src.octets(), dst.octets(), 58, &out[40..]);
    out[42..44].copy_from_slice(&sum.to_be_bytes());
}
