//! What an ICMP message says, in tcpdump's words. Reads the packet it quotes, where it quotes one.

use crate::field::{Field, Proto, Value};
use crate::fields::{icmp4, ip4, tcp, udp};
use crate::view::{LaxFrame, LayerView};

/// IANA's names of ICMP types.
const TYPES: &[(u64, &str)] = &[
    (0, "echo reply"),
    (3, "destination unreachable"),
    (4, "source quench"),
    (5, "redirect"),
    (6, "alternate host address"),
    (8, "echo request"),
    (9, "router advertisement"),
    (10, "router solicitation"),
    (11, "time exceeded"),
    (12, "parameter problem"),
    (13, "time stamp query"),
    (14, "time stamp reply"),
    (15, "information request"),
    (16, "information reply"),
    (17, "address mask request"),
    (18, "address mask reply"),
    (19, "reserved for security"),
    (30, "traceroute"),
    (31, "datagram conversion error"),
    (32, "mobile host redirect"),
    (33, "IPv6 where-are-you"),
    (34, "IPv6 I-am-here"),
    (35, "mobile registration request"),
    (36, "mobile registration reply"),
    (37, "domain name request"),
    (38, "domain name reply"),
    (39, "SKIP"),
    (40, "Photuris"),
    (41, "experimental mobility"),
    (42, "extended echo request"),
    (43, "extended echo reply"),
    (253, "experiment 1"),
    (254, "experiment 2"),
];

/// The name of a type.
pub(super) fn name(kind: u64) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// Routers of one advertisement that are told.
const MAX_ROUTERS: usize = 8;

/// An ICMP message, RFC 792 and RFC 1122 3.2.2. `named`: also in the words that goldens have not.
pub(super) fn icmp4(view: &LaxFrame<'_>, layer: &LayerView, named: bool) -> String {
    let number = |field: &Field| view.number(layer, field);
    let (kind, code) = (number(&icmp4::TYPE), number(&icmp4::CODE));
    if named && let Some(words) = more4(view, layer, kind, code) {
        return words;
    }
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

/// The words that came after the first goldens.
fn more4(view: &LaxFrame<'_>, layer: &LayerView, kind: u64, code: u64) -> Option<String> {
    let number = |field: &Field| view.number(layer, field);
    let (id, seq) = (number(&icmp4::ID), number(&icmp4::SEQ));
    let data = view.payload();
    Some(match (kind, code) {
        (3, 8) => {
            let target = quoted(view, Proto::Ip4, &ip4::DST);
            format!("{target} unreachable - source host isolated")
        }
        (4, _) => "source quench".into(),
        (5, 2..) => {
            let target = quoted(view, Proto::Ip4, &ip4::DST);
            let gateway = view.read_in(layer, &icmp4::GATEWAY)?;
            match code {
                2 => format!("redirect-tos {target} to net {gateway}"),
                3 => format!("redirect-tos {target} to host {gateway}"),
                _ => format!("redirect-#{code} {target} to {gateway}"),
            }
        }
        (9, _) => advertisement(number(&icmp4::REST), data),
        (10, _) => "router solicitation".into(),
        (11, 2..) => format!("time exceeded-#{code}"),
        (12, 1) => "parameter problem - code 1 (a required option is missing)".into(),
        (12, 2) => "parameter problem - code 2 (bad length)".into(),
        (12, 3..) => format!("parameter problem - code {code}"),
        (13, _) => format!("time stamp query id {id} seq {seq}"),
        (14, _) => {
            let words = match data.as_chunks::<4>().0 {
                [org, recv, xmit, ..] => {
                    let [org, recv, xmit] = [org, recv, xmit].map(|time| clock(*time));
                    format!(": org {org}, recv {recv}, xmit {xmit}")
                }
                _ => String::new(),
            };
            format!("time stamp reply id {id} seq {seq}{words}")
        }
        (15, _) => "information request".into(),
        (16, _) => "information reply".into(),
        (17, _) => "address mask request".into(),
        (18, _) => match data.first_chunk::<4>() {
            Some(mask) => format!("address mask is 0x{:08x}", u32::from_be_bytes(*mask)),
            None => "address mask reply".into(),
        },
        (42 | 43, _) => extended_echo(kind == 42, code, number(&icmp4::REST)),
        (0 | 3 | 5 | 8 | 11 | 12, _) => return None,
        _ => unworded(name(kind), kind, code),
    })
}

/// A type of which only the name is told.
pub(super) fn unworded(name: Option<&str>, kind: u64, code: u64) -> String {
    let name = name.unwrap_or("unassigned");
    format!("{name} (type {kind}, code {code})")
}

/// RFC 8335 2 and 3: identifier, a sequence number of one byte, and flags.
pub(super) fn extended_echo(request: bool, code: u64, rest: u64) -> String {
    let (id, seq) = (rest >> 16, rest >> 8 & 0xff);
    if request {
        return format!("extended echo request, id {id}, seq {seq}");
    }
    let why = match code {
        0 => "no error",
        1 => "malformed query",
        2 => "no such interface",
        3 => "no such table entry",
        4 => "multiple interfaces satisfy the query",
        _ => "unknown code",
    };
    format!("extended echo reply, {why}, id {id}, seq {seq}")
}

/// A router advertisement, RFC 1256 3: lifetime, then address and preference of each router.
fn advertisement(rest: u64, data: &[u8]) -> String {
    let (claimed, seconds) = ((rest >> 24) as usize, rest & 0xffff);
    let lifetime = match seconds {
        0..60 => seconds.to_string(),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    };
    let mut out = format!("router advertisement lifetime {lifetime} {claimed}:");
    let (routers, _) = data.as_chunks::<8>();
    for router in routers.iter().take(claimed.min(MAX_ROUTERS)) {
        let [a, b, c, d, preference @ ..] = *router;
        let preference = u32::from_be_bytes(preference);
        out += &format!(" {{{} {preference}}}", std::net::Ipv4Addr::new(a, b, c, d));
    }
    if claimed > MAX_ROUTERS {
        out += &super::more(claimed - MAX_ROUTERS);
    }
    out
}

/// Milliseconds since midnight, UTC.
fn clock(time: [u8; 4]) -> String {
    let time = u32::from_be_bytes(time);
    let (seconds, millis) = (time / 1000, time % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
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

/// A field of the quoted packet, `?` where the quote is too short.
pub(super) fn quoted(view: &LaxFrame<'_>, proto: Proto, field: &Field) -> String {
    let layer = view.quote().iter().find(|layer| layer.proto == proto);
    let value = layer.and_then(|layer| view.read_in(layer, field));
    value.map_or_else(|| "?".into(), |value| value.to_string())
}

/// The port that the quoted segment or datagram was for: `tcp port 80`.
pub(super) fn port(view: &LaxFrame<'_>) -> String {
    for (proto, field) in [(Proto::Tcp, &tcp::DST), (Proto::Udp, &udp::DST)] {
        if let Some(layer) = view.quote().iter().find(|layer| layer.proto == proto)
            && let Some(Value::Num(number)) = view.read_in(layer, field)
        {
            return format!("{} port {number}", proto.key());
        }
    }
    "port".into()
}
