//! Why a node did not answer a frame: what its counters say, in words, and else what the frame's
//! own addresses show. Knows the names of counters; judges nothing.

use std::fmt;
use std::net::IpAddr;

use checks::Answers;
use link::PortConfig;
use wire::Mac;
use wire::segment::{IpPacket, RST};

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a counter that grew says of the frame before it.
const WORDS: &[(&str, &str)] = &[
    ("silent.other-station", "its destination MAC is not the node's"),
    ("silent.vlan", "it is in a VLAN, which the node is not"),
    ("silent.not-ip", "it is neither IPv4 nor IPv6"),
    ("silent.truncated", "its IP packet is cut short"),
    ("silent.header-length", "its IPv4 header length or total length is wrong"),
    ("silent.header-checksum", "its IPv4 header checksum is wrong"),
    ("silent.source", "its source is an address that nobody may have, or the node's own"),
    ("silent.destination", "its destination address is not the node's"),
    ("silent.options", "the IP layer refuses its options"),
    ("silent.fragment", "it is a fragment: it waits for the others, or is not the first"),
    ("silent.chain", "its extension headers lead to no TCP"),
    ("silent.not-tcp", "it is no TCP"),
    ("silent.short", "it ends inside its TCP header"),
    ("silent.port", "its destination port is not one that the node answers for"),
    ("silent.rst", "it is a reset, and a reset is never answered"),
    ("silent.checksum", "its TCP checksum is wrong"),
    ("silent.no-route", "no route of the node leads back to its source"),
    ("silent.mtu", "the answer would be larger than the MTU"),
    ("dropped.other-station", "its destination MAC is not that of the port"),
    ("dropped.vlan", "it is in a VLAN, which the node is not"),
    ("dropped.not-ip", "it is neither IPv4 nor IPv6"),
    ("dropped.header", "its IP header, a length in it or its checksum is wrong"),
    ("dropped.source", "its source is an address that nobody may have, or the node's own"),
    ("dropped.destination", "its destination is a group, a broadcast or one that stays local"),
    ("dropped.own", "it is for the node itself, which only passes packets on"),
    ("dropped.no-route", "no port of the node leads to its destination"),
    ("dropped.truncated", "it is cut short"),
    ("dropped.ip-checksum", "its IPv4 header checksum is wrong"),
    ("dropped.tcp-checksum", "its TCP checksum is wrong"),
    ("consumed", "it is what the node waits for, and is never answered"),
    ("rejected", "it is rejected in silence: the rule makes no reset for it, or none gets back"),
    ("resets", "its reset did not leave the node"),
    ("frames", "the node takes every frame and answers none"),
    ("seen", "the node only sends what it is told to send"),
];

/// What a counter's growth says; a node behind another counts under a prefix.
#[must_use]
pub fn words(counter: &str) -> Option<&'static str> {
    let name = counter.strip_prefix("behind.").unwrap_or(counter);
    WORDS.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
}

/// Why a frame that went in at a port was not answered: by the counter that grew, else by what it
/// says of itself.
#[must_use]
pub fn reason(
    counter: Option<&str>,
    frame: &[u8],
    port: usize,
    ports: &[PortConfig],
    answers: &Answers,
) -> Reason {
    let said = counter.and_then(words);
    let text = match (counter, said) {
        (_, Some(words)) => words.to_owned() + &detail(counter, frame, port, ports),
        (Some(name), None) => format!("the node counted `{name}`"),
        (None, None) => by_frame(frame, port, ports, answers),
    };
    Reason(text)
}

/// The two values that are not the same, where a word in `--to` makes them so.
fn detail(counter: Option<&str>, frame: &[u8], port: usize, ports: &[PortConfig]) -> String {
    let Some(own) = ports.get(port) else { return String::new() };
    let name = counter.map(|name| name.strip_prefix("behind.").unwrap_or(name));
    match name {
        Some("silent.other-station" | "dropped.other-station") => match station(frame) {
            Some(to) => format!(": {to}, not {}", own.mac),
            None => ": it ends before it".to_owned(),
        },
        Some("silent.destination") => match IpPacket::parse(frame) {
            Ok(packet) => format!(": {}, not {}", packet.dst(), addresses(own)),
            Err(_) => String::new(),
        },
        Some("silent.no-route" | "dropped.no-route") => no_route(ports),
        _ => String::new(),
    }
}

/// A node that passes packets on sends them to the neighbour at the other end of a link.
fn no_route(ports: &[PortConfig]) -> String {
    let alone: Vec<&str> =
        ports.iter().filter(|port| port.peer.is_none()).map(|port| port.name.as_str()).collect();
    match alone.first() {
        Some(first) if ports.len() > 1 => format!(
            " (no neighbour is known on {}; {first}.neighbour=IP/MAC names one)",
            alone.join(", ")
        ),
        _ => String::new(),
    }
}

fn station(frame: &[u8]) -> Option<Mac> {
    frame.first_chunk::<6>().map(|bytes| Mac(*bytes))
}

fn addresses(port: &PortConfig) -> String {
    let all: Vec<String> = port.addresses.iter().map(|address| address.ip.to_string()).collect();
    if all.is_empty() { "one of a port without addresses".to_owned() } else { all.join(" or ") }
}

/// What can be seen without the node's word: a kernel does not say why it is silent.
fn by_frame(frame: &[u8], port: usize, ports: &[PortConfig], answers: &Answers) -> String {
    let Some(own) = ports.get(port) else { return "the node has no such port".to_owned() };
    if let Some(to) = station(frame)
        && !to.is_group()
        && to != own.mac
    {
        return format!("its destination MAC is not the node's: {to}, not {}", own.mac);
    }
    if in_vlan(frame) {
        return "it is in a VLAN, which the node is not".to_owned();
    }
    let forwards = matches!(answers, Answers::Forwards { .. });
    let packet = match IpPacket::parse(frame) {
        Ok(packet) => packet,
        Err(error) => return error.to_string(),
    };
    let is_own = |ip: IpAddr| own.addresses.iter().any(|address| address.ip == ip);
    if !forwards && !is_own(packet.dst()) {
        let (to, own) = (packet.dst(), addresses(own));
        return format!("its destination address is not the node's: {to}, not {own}");
    }
    if !packet.header_checksum_ok() {
        return "its IPv4 header checksum is wrong".to_owned();
    }
    match packet.tcp() {
        Ok(segment) if !segment.checksum_ok() => "its TCP checksum is wrong".to_owned(),
        Ok(segment) if segment.has(RST) => {
            "it is a reset, and a reset is never answered".to_owned()
        }
        _ if *answers == Answers::Never => "the node answers nothing".to_owned(),
        _ => "the node does not say why".to_owned(),
    }
}

/// The frame has a tag of a VLAN. A tag with number 0 has a priority alone, which a host takes.
fn in_vlan(frame: &[u8]) -> bool {
    let tag = frame.get(12..16).unwrap_or(&[]);
    matches!(tag, [0x81, 0, high, low] | [0x88, 0xa8, high, low] if high & 15 != 0 || *low != 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nodes::{NodeConfig, PortRule, Registry};

    use super::*;

    fn port() -> PortConfig {
        PortConfig { name: "eth0".into(), mac: Mac([2, 0, 0, 0, 0, 2]), ..PortConfig::default() }
    }

    #[test]
    fn every_reason_that_a_node_counts_has_words() {
        for reason in nodes::reject::DropReason::ALL {
            let name = format!("silent.{}", reason.name());
            assert!(words(&name).is_some(), "{name}");
        }
        for kind in ["firewall", "md5-receiver"] {
            let needs = Registry::standard().find(kind).expect(kind).ports;
            let two = needs == PortRule::AtLeast(2);
            let ports = if two { vec![port(), port()] } else { vec![port()] };
            let config = NodeConfig { name: kind.into(), ports, options: BTreeMap::new() };
            let mut node = Registry::standard().build(kind, &config).expect(kind);
            for (name, _) in node.counters() {
                let dropped = name.starts_with("dropped.");
                assert!(!dropped || words(&name).is_some(), "{kind}: {name}");
            }
        }
    }

    #[test]
    fn a_kernels_silence_is_read_from_the_frame() {
        let ports = [port()];
        let of = |frame: &[u8]| reason(None, frame, 0, &ports, &Answers::Unknown).to_string();
        let text = of(&[2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0]);
        assert_eq!(
            text,
            "its destination MAC is not the node's: 02:00:00:00:00:09, not 02:00:00:00:00:02"
        );
        let tagged = |id: u8| of(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x20, id, 8, 0]);
        assert_eq!(tagged(5), "it is in a VLAN, which the node is not");
        assert_ne!(tagged(0), tagged(5), "a priority alone is no VLAN");
        assert!(of(&[]).contains("ends inside its Ethernet header"), "{}", of(&[]));
    }
}
