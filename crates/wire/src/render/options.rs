//! TCP's, IPv4's and IPv6's options in words, as tcpdump writes them and beyond. Takes the bytes of
//! a list; knows no header, but for the flags that some of TCP's options are read by.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::mptcp;
use crate::Hex;
use crate::options::{decode, text};
use crate::packet::TcpOption;
use crate::segment::ip6_options;
use crate::view::raw_options;

/// Kinds of IANA's registry that `TcpOption` does not name.
const TCP_KINDS: &[(u8, &str)] = &[
    (6, "echo"),
    (7, "echoreply"),
    (9, "pocp"),
    (10, "posp"),
    (11, "cc"),
    (12, "ccnew"),
    (13, "ccecho"),
    (14, "altcksum-req"),
    (15, "altcksum-data"),
    (16, "skeeter"),
    (17, "bubba"),
    (18, "trailer-cksum"),
    (20, "scps"),
    (21, "snack"),
    (22, "record-boundary"),
    (23, "corruption"),
    (24, "snap"),
    (26, "compression"),
    (27, "quick-start"),
    (69, "eno"),
    (172, "accecn0"),
    (174, "accecn1"),
];

/// IANA's "TCP Experimental Option Experiment Identifiers", as far as they are known here: the
/// identifier, how many bytes it has, and a name.
const EXPERIMENTS: &[(u32, usize, &str)] = &[
    (0xe2d4_c3d9, 4, "smc-r"),
    (0x0348, 2, "host-id"),
    (0x0ed0, 2, "edo"),
    (0x454e, 2, "eno"),
    (0xacc0, 2, "accecn0"),
    (0xacc1, 2, "accecn1"),
    (0xacce, 2, "acce"),
    (0xf989, 2, "tfo"),
];

/// TCP options by name with their numbers. MPTCP reads some by the segment's flags.
pub(super) fn tcp(bytes: &[u8], flags: u64) -> String {
    let options = decode(bytes);
    let mut words = Vec::with_capacity(options.len());
    for (index, option) in options.iter().enumerate() {
        match option {
            TcpOption::Other { kind, data } => words.push(other(*kind, data, flags)),
            // What stands behind the end of the list is read with it.
            TcpOption::EndOfList => {
                words.push(text(&options[index..]));
                break;
            }
            option => words.push(option.to_string()),
        }
    }
    words.join(",")
}

fn other(kind: u8, data: &[u8], flags: u64) -> String {
    let own = match (kind, data) {
        (29, [key, next, mac @ ..]) => {
            let mac = if mac.is_empty() { String::new() } else { format!(" mac 0x{}", Hex(mac)) };
            Some(format!("tcp-ao keyid {key} rnextkeyid {next}{mac}"))
        }
        (30, data) => mptcp::words(data, flags),
        (172, data) => counters("accecn0", ["ee0b", "eceb", "ee1b"], data),
        (174, data) => counters("accecn1", ["ee1b", "eceb", "ee0b"], data),
        (253 | 254, data) => experiment(data),
        (6 | 7 | 11 | 12 | 13, &[a, b, c, d]) => {
            let value = u32::from_be_bytes([a, b, c, d]);
            kind_name(kind).map(|name| format!("{name} {value}"))
        }
        _ => None,
    };
    own.or_else(|| {
        let data = if data.is_empty() { String::new() } else { format!(" 0x{}", Hex(data)) };
        kind_name(kind).map(|name| format!("{name}{data}"))
    })
    .unwrap_or_else(|| TcpOption::Other { kind, data: data.to_vec() }.to_string())
}

fn kind_name(kind: u8) -> Option<&'static str> {
    TCP_KINDS.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// AccECN's byte counters of 24 bits each, of which the last may be left out.
fn counters(name: &str, names: [&str; 3], data: &[u8]) -> Option<String> {
    let (values, rest) = data.as_chunks::<3>();
    if !rest.is_empty() || values.len() > 3 {
        return None;
    }
    let mut out = name.to_owned();
    for (name, [a, b, c]) in names.iter().zip(values) {
        out += &format!(" {name} {}", u32::from_be_bytes([0, *a, *b, *c]));
    }
    Some(out)
}

/// An option for experiments by its identifier, RFC 6994.
fn experiment(data: &[u8]) -> Option<String> {
    let is = |(id, size, _): &&(u32, usize, &str)| {
        data.get(..*size).is_some_and(|head| head == &id.to_be_bytes()[4 - size..])
    };
    let (_, size, name) = EXPERIMENTS.iter().find(is)?;
    let rest = &data[*size..];
    Some(match (*name, rest) {
        ("tfo", []) => "exp-tfo cookiereq".into(),
        ("tfo", cookie) => format!("exp-tfo cookie {}", Hex(cookie)),
        (name, []) => format!("exp-{name}"),
        ("edo", [high, low, rest @ ..]) => {
            let words = u16::from_be_bytes([*high, *low]);
            let rest = if rest.is_empty() { String::new() } else { format!(" 0x{}", Hex(rest)) };
            format!("exp-edo {words}{rest}")
        }
        (name, rest) => format!("exp-{name} 0x{}", Hex(rest)),
    })
}

/// IPv4 options, RFC 791 3.1 and IANA's "IP Option Numbers".
pub(super) fn ip4(list: &[u8]) -> String {
    let mut words = Vec::new();
    for option in raw_options(list) {
        let bytes = &list[option.range];
        let data = bytes.get(2..).unwrap_or(&[]);
        let name = match option.kind {
            0 => "EOL",
            1 => "NOP",
            7 => "RR",
            10 => "ZSU",
            11 => "MTUP",
            12 => "MTUR",
            15 => "ENCODE",
            25 => "QS",
            30 | 94 | 158 | 222 => "experiment",
            68 => "timestamp",
            82 => "traceroute",
            130 => "security",
            131 => "LSRR",
            133 => "E-SEC",
            134 => "CIPSO",
            136 => "stream ID",
            137 => "SSRR",
            142 => "VISA",
            144 => "IMITD",
            145 => "EIP",
            147 => "ADDEXT",
            148 => "RA",
            149 => "SDB",
            151 => "DPS",
            152 => "UMP",
            205 => "FINN",
            _ => "unknown",
        };
        words.push(match (option.lies, option.kind) {
            (Some(_), kind) => format!("{name} {kind} 0x{}", Hex(bytes)),
            (None, 0 | 1) => name.into(),
            (None, 7 | 131 | 137) => route(name, data),
            (None, 68) => timestamps(data),
            (None, 148) if data == [0, 0] => name.into(),
            (None, kind) => {
                let number = if name == "unknown" { format!(" {kind}") } else { String::new() };
                let data =
                    if data.is_empty() { String::new() } else { format!(" 0x{}", Hex(data)) };
                format!("{name}{number}{data}")
            }
        });
    }
    words.join(",")
}

/// A route of addresses; the pointer tells which is next.
fn route(name: &str, data: &[u8]) -> String {
    let Some((pointer, list)) = data.split_first() else { return name.into() };
    let (addresses, _) = list.as_chunks::<4>();
    let mut out = name.to_owned();
    for (index, address) in addresses.iter().enumerate() {
        let next = if index * 4 + 4 == usize::from(*pointer) { "^" } else { "" };
        out += &format!(" {next}{}", Ipv4Addr::from(*address));
    }
    out
}

/// Timestamps, each with the address that it is of where the flag says so.
fn timestamps(data: &[u8]) -> String {
    let [_, flags, list @ ..] = data else { return "timestamp".into() };
    let (words, _) = list.as_chunks::<4>();
    let with_address = matches!(flags & 15, 1 | 3);
    let mut out = String::from("timestamp");
    for (index, word) in words.iter().enumerate() {
        out += &match with_address && index % 2 == 0 {
            true => format!(" {}@", Ipv4Addr::from(*word)),
            false if with_address => u32::from_be_bytes(*word).to_string(),
            false => format!(" {}", u32::from_be_bytes(*word)),
        };
    }
    match flags >> 4 {
        0 => out,
        lost => format!("{out} [{lost} hops lost]"),
    }
}

/// The options of a Hop-by-Hop or Destination Options header, RFC 8200 4.2 and IANA's list.
pub(super) fn ip6(list: &[u8]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut left_out = 0;
    for (kind, data) in ip6_options(list) {
        if words.len() == MAX_OPTIONS {
            left_out += 1;
            continue;
        }
        let data = &list[data];
        words.push(match (kind, data) {
            (0x00, _) => "Pad1".into(),
            (0x01, _) => format!("PadN {}", data.len() + 2),
            (0x05, &[high, low]) => format!("router alert {}", u16::from_be_bytes([high, low])),
            (0xc2, &[a, b, c, d]) => format!("jumbo {}", u32::from_be_bytes([a, b, c, d])),
            (0x04, [limit]) => format!("tunnel encapsulation limit {limit}"),
            (0xc9, data) if data.len() == 16 => {
                let address = <[u8; 16]>::try_from(data).map(Ipv6Addr::from);
                format!("home address {}", address.unwrap_or(Ipv6Addr::UNSPECIFIED))
            }
            _ => {
                let name = match kind {
                    0x05 => "router alert",
                    0x07 => "CALIPSO",
                    0x08 => "SMF_DPD",
                    0x0f => "PDM",
                    0x23 | 0x63 => "RPL",
                    0x26 => "quick-start",
                    0x30 => "minimum path MTU",
                    0x31 => "IOAM",
                    0x6d => "MPL",
                    0x8b => "ILNP nonce",
                    0x8c => "line identification",
                    0xc2 => "jumbo",
                    0xc9 => "home address",
                    0xee => "IP_DFF",
                    0x1e | 0x3e | 0x5e | 0x7e | 0x9e | 0xbe | 0xde | 0xfe => "experiment",
                    _ => "unknown",
                };
                format!("{name} (0x{kind:02x}) 0x{}", super::capped_hex(data))
            }
        });
    }
    let more = if left_out > 0 { super::more(left_out) } else { String::new() };
    words.join(", ") + &more
}

/// Options of one IPv6 header that are told.
const MAX_OPTIONS: usize = 16;
