//! What an ICMP message says, in tcpdump's words. Reads the packet it quotes, where it quotes one.

use crate::field::{Field, Proto, Value};
use crate::fields::{icmp4, icmp6, ip4, ip6, tcp, udp};
use crate::view::{LaxFrame, LayerView};

/// An ICMP message, RFC 792 and RFC 1122 3.2.2.
pub(super) fn icmp4(view: &LaxFrame<'_>, layer: &LayerView) -> String {
    let number = |field: &Field| view.number(layer, field);
    let (kind, code) = (number(&icmp4::TYPE), number(&icmp4::CODE));
    let target = quoted(view, Proto::Ip4, &ip4::DST);
    match (kind, code) {
        (0 | 8, _) => {
            let word = if kind == 8 { "request" } else { "reply" };
            let (id, seq) = (number(&icmp4::ID), number(&icmp4::SEQ));
            format!("echo {word}, id {id}, seq {seq}")
        }
        (3, _) => unreachable4(view, code, &target, number(&icmp4::MTU)),
        (5, _) => {
            let what = if code == 0 || code == 2 { "net" } else { "host" };
            let gateway = view.read_in(layer, &icmp4::GATEWAY).map(|to| to.to_string());
            format!("redirect {target} to {what} {}", gateway.unwrap_or_else(|| "?".into()))
        }
        (11, 0) => "time exceeded in-transit".into(),
        (11, 1) => "ip reassembly time exceeded".into(),
        (12, _) => format!("parameter problem - octet {}", number(&icmp4::POINTER)),
        _ => format!("type {kind}, code {code}"),
    }
}

fn unreachable4(view: &LaxFrame<'_>, code: u64, target: &str, mtu: u64) -> String {
    match code {
        0 => format!("net {target} unreachable"),
        1 => format!("host {target} unreachable"),
        2 => {
            let protocol = quoted(view, Proto::Ip4, &ip4::PROTOCOL);
            format!("{target} protocol {protocol} unreachable")
        }
        3 => format!("{target} {} unreachable", port(view)),
        4 => format!("{target} unreachable - need to frag (mtu {mtu})"),
        5 => format!("{target} unreachable - source route failed"),
        6 => format!("net {target} unreachable - unknown"),
        7 => format!("host {target} unreachable - unknown"),
        8 => format!("host {target} unreachable - isolated"),
        9 => format!("net {target} unreachable - admin prohibited"),
        10 => format!("host {target} unreachable - admin prohibited"),
        11 => format!("net {target} unreachable - tos prohibited"),
        12 => format!("host {target} unreachable - tos prohibited"),
        13 => format!("host {target} unreachable - admin prohibited filter"),
        14 => format!("host {target} unreachable - host precedence violation"),
        15 => format!("host {target} unreachable - precedence cutoff"),
        _ => format!("{target} unreachable - #{code}"),
    }
}

/// An ICMPv6 message, RFC 4443 and RFC 4861 section 4.
pub(super) fn icmp6(view: &LaxFrame<'_>, layer: &LayerView) -> String {
    let number = |field: &Field| view.number(layer, field);
    let (kind, code) = (number(&icmp6::TYPE), number(&icmp6::CODE));
    let target = quoted(view, Proto::Ip6, &ip6::DST);
    match (kind, code) {
        (1, _) => {
            let why = match code {
                0 => format!("unreachable route {target}"),
                1 => format!("unreachable prohibited {target}"),
                2 => format!("beyond scope {target}"),
                3 => format!("unreachable address {target}"),
                4 => format!("unreachable port, {target} {}", port(view)),
                5 => format!("failed ingress/egress policy {target}"),
                6 => format!("reject route {target}"),
                _ => format!("unknown code {code}, {target}"),
            };
            format!("destination unreachable, {why}")
        }
        (2, _) => format!("packet too big, mtu {}", number(&icmp6::MTU)),
        (3, 0) => format!("time exceeded in-transit for {target}"),
        (3, 1) => "time exceeded in-reassembly".into(),
        (4, _) => {
            let what = match code {
                0 => "erroneous header",
                1 => "next header",
                2 => "option",
                _ => "unknown code",
            };
            format!("parameter problem, {what} - octet {}", number(&icmp6::POINTER))
        }
        (128 | 129, _) => {
            let word = if kind == 128 { "request" } else { "reply" };
            let (id, seq) = (number(&icmp6::ID), number(&icmp6::SEQ));
            format!("echo {word}, id {id}, seq {seq}")
        }
        (133, _) => "router solicitation".into(),
        (134, _) => "router advertisement".into(),
        (135, _) => format!("neighbor solicitation, who has {}", neighbour(view)),
        (136, _) => format!("neighbor advertisement, tgt is {}", neighbour(view)),
        _ => format!("type {kind}, code {code}"),
    }
}

/// The target address of a neighbour message: the 16 bytes after the four that are reserved.
fn neighbour(view: &LaxFrame<'_>) -> String {
    let address = view.payload().first_chunk::<16>();
    address.map_or_else(|| "?".into(), |bytes| std::net::Ipv6Addr::from(*bytes).to_string())
}

/// A field of the quoted packet, `?` where the quote is too short.
fn quoted(view: &LaxFrame<'_>, proto: Proto, field: &Field) -> String {
    let layer = view.quote().iter().find(|layer| layer.proto == proto);
    let value = layer.and_then(|layer| view.read_in(layer, field));
    value.map_or_else(|| "?".into(), |value| value.to_string())
}

/// The port that the quoted segment or datagram was for: `tcp port 80`.
fn port(view: &LaxFrame<'_>) -> String {
    for (proto, field) in [(Proto::Tcp, &tcp::DST), (Proto::Udp, &udp::DST)] {
        if let Some(layer) = view.quote().iter().find(|layer| layer.proto == proto)
            && let Some(Value::Num(number)) = view.read_in(layer, field)
        {
            return format!("{} port {number}", proto.key());
        }
    }
    "port".into()
}
