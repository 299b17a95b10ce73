//! What an ICMPv6 message says, in tcpdump's words: RFC 4443, neighbour discovery (RFC 4861), MLD
//! and IANA's names for the rest. Reads the packet it quotes, where it quotes one.

use std::net::Ipv6Addr;

use super::icmp::{extended_echo, port, quoted, unworded};
use super::{group, more};
use crate::field::{Field, Proto};
use crate::fields::{icmp6, ip6};
use crate::view::{LaxFrame, LayerView};

/// IANA's names of ICMPv6 types.
const TYPES: &[(u64, &str)] = &[
    (1, "destination unreachable"),
    (2, "packet too big"),
    (3, "time exceeded"),
    (4, "parameter problem"),
    (100, "private experimentation"),
    (101, "private experimentation"),
    (127, "reserved for expansion of error messages"),
    (128, "echo request"),
    (129, "echo reply"),
    (130, "multicast listener query"),
    (131, "multicast listener report"),
    (132, "multicast listener done"),
    (133, "router solicitation"),
    (134, "router advertisement"),
    (135, "neighbor solicitation"),
    (136, "neighbor advertisement"),
    (137, "redirect"),
    (138, "router renumbering"),
    (139, "node information query"),
    (140, "node information reply"),
    (141, "inverse neighbor solicitation"),
    (142, "inverse neighbor advertisement"),
    (143, "multicast listener report v2"),
    (144, "ha discovery request"),
    (145, "ha discovery reply"),
    (146, "mobile router solicitation"),
    (147, "mobile router advertisement"),
    (148, "certification path solicitation"),
    (149, "certification path advertisement"),
    (150, "experimental mobility"),
    (151, "multicast router advertisement"),
    (152, "multicast router solicitation"),
    (153, "multicast router termination"),
    (154, "FMIPv6"),
    (155, "RPL"),
    (156, "ILNPv6 locator update"),
    (157, "duplicate address request"),
    (158, "duplicate address confirmation"),
    (159, "MPL control"),
    (160, "extended echo request"),
    (161, "extended echo reply"),
    (200, "private experimentation"),
    (201, "private experimentation"),
    (255, "reserved for expansion of informational messages"),
];

/// The name of a type.
pub(super) fn name(kind: u64) -> Option<&'static str> {
    TYPES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// Prefixes of one advertisement that are told.
const MAX_PREFIXES: usize = 8;

/// An ICMPv6 message. `named`: also in the words that goldens have not.
pub(super) fn icmp6(view: &LaxFrame<'_>, layer: &LayerView, named: bool) -> String {
    let number = |field: &Field| view.number(layer, field);
    let (kind, code) = (number(&icmp6::TYPE), number(&icmp6::CODE));
    if named && let Some(words) = more6(view, layer, kind, code) {
        return words;
    }
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

/// The words that came after the first goldens.
fn more6(view: &LaxFrame<'_>, layer: &LayerView, kind: u64, code: u64) -> Option<String> {
    let rest = view.number(layer, &icmp6::REST);
    let end = layer.limit.min(view.bytes().len());
    let message = view.bytes().get(layer.start..end)?;
    Some(match (kind, code) {
        (1, 2) => format!(
            "destination unreachable, beyond scope {}, source address {}",
            quoted(view, Proto::Ip6, &ip6::DST),
            quoted(view, Proto::Ip6, &ip6::SRC)
        ),
        (1, 7) => format!(
            "destination unreachable, error in source routing header {}",
            quoted(view, Proto::Ip6, &ip6::DST)
        ),
        (1, 8) => format!(
            "destination unreachable, headers too long {}",
            quoted(view, Proto::Ip6, &ip6::DST)
        ),
        (3, 1) => "time exceeded in-transit (reassembly)".into(),
        (4, 0) => format!("parameter problem, erroneous - octet {rest}"),
        (3, 2..) => format!("time exceeded in-transit, unknown code ({code})"),
        (4, 3..) => format!("parameter problem, {} - octet {rest}", problem(code)),
        (130..=132 | 143, _) => group::mld(message),
        (134, _) => advertisement(rest, message),
        (136, _) => {
            let flags = flags(rest >> 24, &["router", "solicited", "override"]);
            format!("neighbor advertisement, tgt is {}, Flags [{flags}]", neighbour(view))
        }
        (137, _) => {
            let target = address(message, 8);
            format!("redirect, {} to {target}", address(message, 24))
        }
        (160 | 161, _) => extended_echo(kind == 160, code, rest),
        (1..=4 | 128 | 129 | 133 | 135, _) => return None,
        _ => unworded(name(kind), kind, code),
    })
}

/// Codes of parameter problem from 3 on: RFC 7112, RFC 8754 and RFC 8883.
fn problem(code: u64) -> String {
    let word = match code {
        3 => "incomplete header chain",
        4 => "SR upper-layer header error",
        5 => "next header unknown to a router",
        6 => "extension header too big",
        7 => "extension header chain too long",
        8 => "too many extension headers",
        9 => "too many options in an extension header",
        10 => "option too big",
        _ => return format!("code-#{code}"),
    };
    word.into()
}

/// A router advertisement, RFC 4861 4.2, with the prefixes among its options.
fn advertisement(rest: u64, message: &[u8]) -> String {
    let (hops, bits, lifetime) = (rest >> 24, rest >> 16 & 0xff, rest & 0xffff);
    let words = flags(bits, &["managed", "other stateful", "home agent"]);
    let preference = match bits >> 3 & 3 {
        0 => "medium",
        1 => "high",
        3 => "low",
        _ => "reserved",
    };
    let mut out = format!(
        "router advertisement, hop limit {hops}, Flags [{words}], pref {preference}, \
         router lifetime {lifetime}s"
    );
    let (mut at, mut text) = (16, 0);
    while let Some([kind, words, ..]) = message.get(at..)
        && *words > 0
    {
        let length = usize::from(*words) * 8;
        if *kind == 3 && message.len() >= at + 32 {
            text += 1;
            if text <= MAX_PREFIXES {
                out += &format!(", prefix {}/{}", address(message, at + 16), message[at + 2]);
            }
        }
        at += length;
    }
    if text > MAX_PREFIXES {
        out += &more(text - MAX_PREFIXES);
    }
    out
}

/// The names of the bits set, from the highest of eight down.
fn flags(bits: u64, names: &[&str]) -> String {
    let set = names.iter().enumerate().filter(|(index, _)| bits & 0x80 >> index != 0);
    let names: Vec<&str> = set.map(|(_, name)| *name).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn address(message: &[u8], at: usize) -> String {
    let bytes = message.get(at..).and_then(|bytes| bytes.first_chunk::<16>());
    bytes.map_or_else(|| "?".into(), |bytes| Ipv6Addr::from(*bytes).to_string())
}
