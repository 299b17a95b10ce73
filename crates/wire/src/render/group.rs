//! Messages of group membership in tcpdump's words: IGMP, RFC 2236 and RFC 9776, and MLD, RFC 2710
//! and RFC 9777. Each takes the message's bytes from its type on.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{count, more};

/// Records of one report, and sources of one record, that are told.
const MAX_TOLD: usize = 8;

/// What a record of a report says of its sources, RFC 9776 4.2.13.
const RECORDS: [&str; 6] = ["is_in", "is_ex", "to_in", "to_ex", "allow", "block"];

/// A message of IGMP.
pub(super) fn igmp(message: &[u8]) -> String {
    let group = || address::<4>(message, 4).map_or_else(|| "?".into(), |a| ip4(&a));
    match message {
        [0x11, 0, ..] if message.len() == 8 => "query v1".into(),
        [0x11, _, ..] if message.len() < 12 => match group().as_str() {
            "0.0.0.0" => "query v2".into(),
            group => format!("query v2 [gaddr {group}]"),
        },
        [0x11, ..] => {
            let sources = message.get(10..12).map_or(0, be16);
            let sources = if sources > 0 {
                ", ".to_owned() + &count(sources, "source")
            } else {
                String::new()
            };
            format!("query v3 [gaddr {}{sources}]", group())
        }
        [0x12, ..] => format!("v1 report {}", group()),
        [0x16, ..] => format!("v2 report {}", group()),
        [0x17, ..] => format!("leave {}", group()),
        [0x22, ..] => format!("v3 report, {}", records::<4>(message, ip4)),
        [0x13, ..] => "dvmrp".into(),
        [0x14, ..] => "pimv1".into(),
        [0x1e, ..] => "mtrace response".into(),
        [0x1f, ..] => "mtrace".into(),
        [0x30, ..] => "multicast router advertisement".into(),
        [0x31, ..] => "multicast router solicitation".into(),
        [0x32, ..] => "multicast router termination".into(),
        [kind, ..] => format!("unknown type 0x{kind:02x}"),
        [] => "?".into(),
    }
}

/// A query, report or done of MLD, in either version.
pub(super) fn mld(message: &[u8]) -> String {
    let group = address::<16>(message, 8).map_or_else(|| "?".into(), |a| ip6(&a));
    let delay = message.get(4..6).map_or(0, be16);
    match message {
        [130, ..] if message.len() >= 28 => {
            let sources = message.get(26..28).map_or(0, be16);
            let sources = if sources > 0 {
                ", ".to_owned() + &count(sources, "source")
            } else {
                String::new()
            };
            format!("multicast listener query v2 [gaddr {group}{sources}]")
        }
        [143, ..] => format!("multicast listener report v2, {}", records::<16>(message, ip6)),
        [kind, ..] => {
            let word = match kind {
                130 => "query",
                131 => "report",
                _ => "done",
            };
            format!("multicast listener {word} max resp delay: {delay} addr: {group}")
        }
        [] => "?".into(),
    }
}

/// The group records of a report of either family: type, auxiliary words, sources, group.
fn records<const N: usize>(message: &[u8], text: fn(&[u8; N]) -> String) -> String {
    let claimed = message.get(6..8).map_or(0, be16);
    let mut out = count(claimed, "group record");
    let mut at = 8;
    for words in 0..claimed {
        if words == MAX_TOLD {
            return out + &more(claimed - MAX_TOLD);
        }
        let (Some(head), Some(group)) = (message.get(at..at + 4), address::<N>(message, at + 4))
        else {
            return out + " [|record]";
        };
        let sources = be16(&head[2..]);
        let start = at + 4 + N;
        let word = usize::from(head[0]).checked_sub(1).and_then(|kind| RECORDS.get(kind));
        let word = word.map_or_else(|| format!("unknown-{}", head[0]), ToString::to_string);
        let _ = write!(out, " [gaddr {} {word} {{ ", text(&group));
        for source in 0..sources.min(MAX_TOLD) {
            let shown = address::<N>(message, start + source * N);
            let _ = write!(out, "{} ", shown.map_or_else(|| "?".into(), |a| text(&a)));
        }
        if sources > MAX_TOLD {
            let _ = write!(out, "{} ", more(sources - MAX_TOLD).trim_start());
        }
        out += "}]";
        at = start + sources * N + usize::from(head[1]) * 4;
    }
    out
}

fn address<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn ip4(address: &[u8; 4]) -> String {
    Ipv4Addr::from(*address).to_string()
}

fn ip6(address: &[u8; 16]) -> String {
    Ipv6Addr::from(*address).to_string()
}

fn be16(bytes: &[u8]) -> usize {
    bytes.first_chunk::<2>().map_or(0, |bytes| u16::from_be_bytes(*bytes).into())
}
