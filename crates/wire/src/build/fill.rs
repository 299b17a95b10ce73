//! The fields of one header: what is computed first, then what was given over it. Checksums stay
//! zero here, they need all the other bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::stack::Placed;
use super::{BuildError, at};
use crate::Mac;
use crate::field::{Field, Form, Proto, Value};
use crate::fields::{arp, eth, icmp4, icmp6, ip4, ip6, udp};
use crate::packet::Defaults;

/// Writes one header of the stack into the frame.
pub(super) fn fill(
    stack: &[Placed<'_>],
    index: usize,
    defaults: &Defaults,
    frame: &mut [u8],
) -> Result<(), BuildError> {
    let (placed, inside) = (&stack[index], &stack[index + 1..]);
    let real = frame.len() - placed.start;
    let header = &mut frame[placed.start..placed.end()];
    header[placed.body_at..placed.body_at + placed.body.len()].copy_from_slice(&placed.body);
    match placed.proto {
        Proto::Eth => ethernet(placed, inside, defaults, header),
        Proto::Vlan => {
            header[1] = 1;
            header[2..4].copy_from_slice(&ether_type(inside).to_be_bytes());
        }
        Proto::Arp => request(placed, defaults, header)?,
        Proto::Ip4 => v4(placed, inside, defaults, header, real)?,
        Proto::Ip6 => v6(placed, inside, defaults, header, real)?,
        Proto::HopByHop | Proto::Routing | Proto::DestOpts => extension(placed, inside, header),
        Proto::Fragment => header[0] = next_header(inside),
        Proto::Tcp => {
            header[..4].copy_from_slice(&PORTS);
            header[12] = ((placed.len / 4) as u8) << 4;
            header[14..16].copy_from_slice(&[0xff; 2]);
        }
        Proto::Udp => {
            header[..4].copy_from_slice(&PORTS);
            header[4..6].copy_from_slice(&length(placed, &udp::LENGTH, real)?);
        }
        Proto::Icmp4 => header[0] = if quotes(placed) { 3 } else { 8 },
        Proto::Icmp6 => header[0] = if quotes(placed) { 1 } else { 128 },
        // Payload is in place, and what cannot be sent is not measured.
        _ => {}
    }
    given(placed, header)
}

/// Source 4000, destination 80.
const PORTS: [u8; 4] = [0x0f, 0xa0, 0x00, 0x50];

/// What was given, over what was computed, in the order it was given.
fn given(placed: &Placed<'_>, header: &mut [u8]) -> Result<(), BuildError> {
    let Some(layer) = placed.layer else { return Ok(()) };
    for (field, value) in &layer.set {
        // Bytes of free length are in place already.
        if field.form != Form::Bytes {
            field.write(header, value).map_err(|error| at(placed, field, error.to_string()))?;
        }
    }
    Ok(())
}

fn ethernet(placed: &Placed<'_>, inside: &[Placed<'_>], defaults: &Defaults, header: &mut [u8]) {
    let asks = inside.iter().find(|next| next.proto != Proto::Vlan).is_some_and(|next| {
        let opcode = next.layer.and_then(|layer| layer.get(&arp::OPCODE));
        next.proto == Proto::Arp && opcode.is_none_or(|value| *value == Value::Num(1))
    });
    let dst = if asks && !placed.gives(&eth::DST) { Mac::BROADCAST } else { defaults.dst_mac };
    header[..6].copy_from_slice(&dst.0);
    header[6..12].copy_from_slice(&defaults.src_mac.0);
    header[12..14].copy_from_slice(&ether_type(inside).to_be_bytes());
}

/// The type that announces what follows.
fn ether_type(inside: &[Placed<'_>]) -> u16 {
    let tagged = inside.get(1).is_some_and(|next| next.proto == Proto::Vlan);
    match inside.first().map(|next| next.proto) {
        Some(Proto::Vlan) if tagged => 0x88a8,
        Some(Proto::Vlan) => 0x8100,
        Some(Proto::Arp) => 0x0806,
        Some(Proto::Ip4) => 0x0800,
        Some(Proto::Ip6) => 0x86dd,
        // Transparent Ethernet bridging, a frame in a frame.
        Some(Proto::Eth) => 0x6558,
        _ => 0x88b5,
    }
}

fn request(placed: &Placed<'_>, defaults: &Defaults, header: &mut [u8]) -> Result<(), BuildError> {
    header[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
    header[8..14].copy_from_slice(&defaults.src_mac.0);
    let src = known4(placed, &arp::SENDER_IP, defaults.src_ip4)?;
    let dst = known4(placed, &arp::TARGET_IP, defaults.dst_ip4)?;
    header[14..18].copy_from_slice(&src);
    header[24..28].copy_from_slice(&dst);
    Ok(())
}

fn v4(
    placed: &Placed<'_>,
    inside: &[Placed<'_>],
    defaults: &Defaults,
    header: &mut [u8],
    real: usize,
) -> Result<(), BuildError> {
    header[0] = 0x40 | (placed.len / 4) as u8 & 0xf;
    header[2..4].copy_from_slice(&length(placed, &ip4::TOTAL_LENGTH, real)?);
    // Whoever gives an offset or MF writes a fragment, and DF would be a lie there.
    let fragment = placed.gives(&ip4::MF) || placed.gives(&ip4::FRAGMENT_OFFSET);
    header[6] = if fragment { 0 } else { 0x40 };
    header[8] = 64;
    header[9] = match inside.first() {
        None => EXPERIMENT,
        Some(_) => next_header(inside),
    };
    header[12..16].copy_from_slice(&known4(placed, &ip4::SRC, defaults.src_ip4)?);
    header[16..20].copy_from_slice(&known4(placed, &ip4::DST, defaults.dst_ip4)?);
    Ok(())
}

fn v6(
    placed: &Placed<'_>,
    inside: &[Placed<'_>],
    defaults: &Defaults,
    header: &mut [u8],
    real: usize,
) -> Result<(), BuildError> {
    header[0] = 0x60;
    header[4..6].copy_from_slice(&length(placed, &ip6::PAYLOAD_LENGTH, real - 40)?);
    header[6] = next_header(inside);
    header[7] = 64;
    header[8..24].copy_from_slice(&known6(placed, &ip6::SRC, defaults.src_ip6)?);
    header[24..40].copy_from_slice(&known6(placed, &ip6::DST, defaults.dst_ip6)?);
    Ok(())
}

/// An extension header that ends its options with padding of the right kind, RFC 8200 4.2.
fn extension(placed: &Placed<'_>, inside: &[Placed<'_>], header: &mut [u8]) {
    header[0] = next_header(inside);
    header[1] = (placed.len / 8 - 1) as u8;
    let free = placed.len - placed.body_at - placed.body.len();
    if placed.proto != Proto::Routing && free > 1 {
        let pad = placed.len - free;
        header[pad] = 1;
        header[pad + 1] = (free - 2) as u8;
    }
}

/// RFC 3692: for experiments, and so for payload that is no protocol's.
const EXPERIMENT: u8 = 253;

/// The protocol number of what follows; 59 where nothing does, RFC 8200 4.7.
pub(super) fn next_header(inside: &[Placed<'_>]) -> u8 {
    match inside.first().map(|next| next.proto) {
        Some(Proto::HopByHop) => 0,
        Some(Proto::Icmp4) => 1,
        Some(Proto::Ip4) => 4,
        Some(Proto::Tcp) => 6,
        Some(Proto::Udp) => 17,
        Some(Proto::Ip6) => 41,
        Some(Proto::Routing) => 43,
        Some(Proto::Fragment) => 44,
        Some(Proto::Icmp6) => 58,
        Some(Proto::DestOpts) => 60,
        // Ethernet behind IP, RFC 8986 10.1.
        Some(Proto::Eth) => 143,
        None => 59,
        Some(_) => EXPERIMENT,
    }
}

fn quotes(placed: &Placed<'_>) -> bool {
    placed.layer.is_some_and(|layer| layer.quote.is_some())
}

/// A real length in 16 bits; one that does not fit must be given.
fn length(placed: &Placed<'_>, field: &Field, real: usize) -> Result<[u8; 2], BuildError> {
    match u16::try_from(real) {
        Ok(real) => Ok(real.to_be_bytes()),
        Err(_) if placed.gives(field) => Ok([0; 2]),
        Err(_) => Err(at(placed, field, format!("{real} bytes; it tells at most 65535"))),
    }
}

fn known4(
    placed: &Placed<'_>,
    field: &Field,
    default: Option<Ipv4Addr>,
) -> Result<[u8; 4], BuildError> {
    match placed.layer.and_then(|layer| layer.get(field)) {
        Some(Value::Ip(IpAddr::V4(ip))) => Ok(ip.octets()),
        _ => default.map(|ip| ip.octets()).ok_or_else(|| unknown(placed, field, "IPv4")),
    }
}

fn known6(
    placed: &Placed<'_>,
    field: &Field,
    default: Option<Ipv6Addr>,
) -> Result<[u8; 16], BuildError> {
    match placed.layer.and_then(|layer| layer.get(field)) {
        Some(Value::Ip(IpAddr::V6(ip))) => Ok(ip.octets()),
        _ => default.map(|ip| ip.octets()).ok_or_else(|| unknown(placed, field, "IPv6")),
    }
}

fn unknown(placed: &Placed<'_>, field: &Field, family: &str) -> BuildError {
    let whose = if matches!(field.key, "src" | "sender-ip") { "node" } else { "peer" };
    let message = format!("the {whose} has no {family} address to take; give one");
    at(placed, field, message)
}

/// The checksum field of a protocol that has one.
pub(super) fn checksum_field(proto: Proto) -> Option<&'static Field> {
    match proto {
        Proto::Ip4 => Some(&ip4::CHECKSUM),
        Proto::Tcp => Some(&crate::fields::tcp::CHECKSUM),
        Proto::Udp => Some(&udp::CHECKSUM),
        Proto::Icmp4 => Some(&icmp4::CHECKSUM),
        Proto::Icmp6 => Some(&icmp6::CHECKSUM),
        _ => None,
    }
}
