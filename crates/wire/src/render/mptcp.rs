//! The options of Multipath TCP by subtype, RFC 8684 section 3, in tcpdump's words. Both versions:
//! what a key or a hash is, only the length and the segment's flags tell.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Hex;
use crate::segment::{ACK, SYN};

/// An option's words, from the byte behind its length on. One that is not of its RFC's form is told
/// by its subtype and its bytes.
pub(super) fn words(data: &[u8], flags: u64) -> Option<String> {
    let first = *data.first()?;
    let (kind, low) = (first >> 4, first & 15);
    let name = NAMES.get(usize::from(kind)).copied().unwrap_or("unknown");
    let words = match kind {
        0 => capable(data, low),
        1 => join(data, low, flags),
        2 => sequence(data),
        3 => add_address(data, low),
        4 => remove(data),
        5 => priority(data, low),
        6 => data.get(2..10).map(|seq| format!("seq {}", number(seq))),
        7 => data.get(2..10).map(|key| format!("key 0x{:x}", number(key))),
        8 => Some(reset(data, low)),
        _ => None,
    };
    let words = words.unwrap_or_else(|| {
        let bytes = Hex(data);
        format!("0x{bytes}")
    });
    Some(format!("mptcp {} {name} {words}", data.len() + 2).trim_end().into())
}

/// The subtypes, IANA's "MPTCP Option Subtypes".
const NAMES: [&str; 16] = [
    "capable",
    "join",
    "dss",
    "add-addr",
    "rem-addr",
    "prio",
    "fail",
    "fast-close",
    "tcprst",
    "unknown-9",
    "unknown-10",
    "unknown-11",
    "unknown-12",
    "unknown-13",
    "unknown-14",
    "experiment",
];

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn capable(data: &[u8], version: u8) -> Option<String> {
    let csum = if data.get(1)? & 0x80 != 0 { " csum" } else { "" };
    let keys = match data.len() {
        2 => String::new(),
        10 => format!(" {{0x{:x}}}", number(&data[2..10])),
        18 | 20 | 22 => format!(" {{0x{:x},0x{:x}}}", number(&data[2..10]), number(&data[10..18])),
        _ => return None,
    };
    let length = data.get(18..20).map(|length| format!(" data-len {}", number(length)));
    Some(format!("v{version}{csum}{keys}{}", length.unwrap_or_default()))
}

fn join(data: &[u8], low: u8, flags: u64) -> Option<String> {
    let backup = if low & 1 != 0 { "backup " } else { "" };
    let id = data.get(1)?;
    Some(match data.len() {
        10 => format!(
            "{backup}id {id} token 0x{:x} nonce 0x{:x}",
            number(&data[2..6]),
            number(&data[6..10])
        ),
        14 if flags & u64::from(SYN | ACK) == u64::from(SYN | ACK) => format!(
            "{backup}id {id} hmac 0x{:x} nonce 0x{:x}",
            number(&data[2..10]),
            number(&data[10..14])
        ),
        22 => {
            let hash = Hex(&data[2..]);
            format!("hmac 0x{hash}")
        }
        _ => return None,
    })
}

/// Data sequence signal: acknowledgment, then the mapping, each in four or eight bytes.
fn sequence(data: &[u8]) -> Option<String> {
    let flags = *data.get(1)?;
    let mut rest = data.get(2..)?;
    let mut take = |length: usize| {
        let (part, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(number(part))
    };
    let mut out = String::new();
    if flags & 0x10 != 0 {
        out += "fin ";
    }
    if flags & 0x01 != 0 {
        out += &format!("ack {} ", take(if flags & 0x02 != 0 { 8 } else { 4 })?);
    }
    if flags & 0x04 != 0 {
        let seq = take(if flags & 0x08 != 0 { 8 } else { 4 })?;
        let (subseq, length) = (take(4)?, take(2)?);
        out += &format!("seq {seq} subseq {subseq} len {length} ");
        if let Some(csum) = take(2) {
            out += &format!("csum 0x{csum:x}");
        }
    }
    rest.is_empty().then_some(out)
}

fn add_address(data: &[u8], low: u8) -> Option<String> {
    let (id, rest) = (data.get(1)?, data.get(2..)?);
    // Version 0 had the IP version there, version 1 has the echo bit.
    let six = low == 6 || (low < 2 && rest.len() >= 16);
    let (address, rest) = if six {
        let (address, rest) = rest.split_first_chunk::<16>()?;
        (Ipv6Addr::from(*address).to_string(), rest)
    } else {
        let (address, rest) = rest.split_first_chunk::<4>()?;
        (Ipv4Addr::from(*address).to_string(), rest)
    };
    let (port, rest) = match rest.len() {
        2 | 10 => (format!(":{}", number(&rest[..2])), &rest[2..]),
        _ => (String::new(), rest),
    };
    let address = if six && !port.is_empty() { format!("[{address}]") } else { address };
    let hash = match rest.len() {
        0 => String::new(),
        8 => format!(" hmac 0x{:x}", number(rest)),
        _ => return None,
    };
    let version = match low {
        1 => "v1-echo",
        0 => "v1",
        4 => "v0-ip4",
        6 => "v0-ip6",
        _ => return None,
    };
    Some(format!("{version} id {id} {address}{port}{hash}"))
}

fn remove(data: &[u8]) -> Option<String> {
    let ids: Vec<String> = data.get(1..)?.iter().map(ToString::to_string).collect();
    Some(format!("id {}", ids.join(" ")))
}

fn priority(data: &[u8], low: u8) -> Option<String> {
    let word = if low & 1 != 0 { "backup" } else { "non-backup" };
    match data {
        [_] => Some(word.into()),
        [_, id] => Some(format!("{word} id {id}")),
        _ => None,
    }
}

/// RFC 8684 3.6: why a subflow is reset.
fn reset(data: &[u8], low: u8) -> String {
    let why = match data.get(1) {
        Some(0) => "unspecified",
        Some(1) => "MPTCP-specific error",
        Some(2) => "lack of resources",
        Some(3) => "administratively prohibited",
        Some(4) => "too much outstanding data",
        Some(5) => "unacceptable performance",
        Some(6) => "middlebox interference",
        _ => "unknown reason",
    };
    let transient = if low & 1 != 0 { "transient " } else { "" };
    format!("{transient}{why}")
}
