//! Who a frame says it is from: the emitter, one station, and nobody else.

use std::net::IpAddr;

use wire::address::{from_octets, is_confined, is_group, same};
use wire::{Capture, Deliberate, Mac};

use crate::check::{Answers, Check, Finding, Level, PortFacts};
use crate::context::FrameContext;
use crate::forward::{Kin, Passed};
use crate::layout::{HeaderLayout, Net, Upper, be16};

pub(crate) static ETH_SOURCE: Check = Check {
    id: "eth-source",
    clause: "IEEE 802.3 3.2.3, 3.2.5",
    requirement: "8023-3.2.5",
    level: Level::Must,
    title: "the Ethernet source is the port's own address",
    about: "The source address names the one station that sends the frame, so its group bit is \
            never set. Switches learn from it where a station is: a foreign one breaks the path.",
};
pub(crate) static ARP_SOURCE: Check = Check {
    id: "arp-source",
    clause: "RFC 826 Packet Generation",
    requirement: "826-sender",
    level: Level::Must,
    title: "an ARP message names its sender's own addresses",
    about: "Whoever hears an ARP message notes that its sender's protocol address is reached at \
            its sender's hardware address. Both are the emitter's own, or the note is poison; a \
            probe (RFC 5227) has the protocol address zero.",
};
pub(crate) static IP_SOURCE_OWN: Check = Check {
    id: "ip-source-own",
    clause: "RFC 1122 3.2.1.3",
    requirement: "1122-3.2.1.3-a",
    level: Level::Must,
    title: "the IP source is one of the emitter's addresses",
    about: "A host that sends a datagram uses an address of its own as source. A reply made by \
            swapping the addresses of what came in breaks this whenever the other was not for it, \
            a subnet's broadcast for example.",
};
pub(crate) static IP_SOURCE_GROUP: Check = Check {
    id: "ip-source-group",
    clause: "RFC 1122 3.2.1.3; RFC 4291 2.7",
    requirement: "1122-3.2.1.3-c",
    level: Level::Must,
    title: "the IP source is never a group, the broadcast or the loopback",
    about: "A source address is that of one host. Broadcast and multicast addresses are \
            destinations only, loopback addresses never leave a host, and class E is reserved.",
};
pub(crate) static IP4_TTL_ZERO: Check = Check {
    id: "ip4-ttl-zero",
    clause: "RFC 1122 3.2.1.7",
    requirement: "1122-3.2.1.7",
    level: Level::Must,
    title: "no datagram leaves with TTL 0",
    about: "A datagram with TTL 0 cannot even reach the next hop, so a host never sends one. \
            Copying the TTL of what came in is how it happens.",
};
pub(crate) static IP6_HOP_LIMIT_ZERO: Check = Check {
    id: "ip6-hop-limit-zero",
    clause: "RFC 8200 3",
    requirement: "8200-3-hops",
    level: Level::Should,
    title: "no packet leaves with hop limit 0",
    about: "A node that forwards drops a packet whose hop limit is zero or becomes so. RFC 8200 \
            says nothing of a host that originates one, and a receiver takes it; but it cannot go \
            further than one link, which is hardly ever what was meant.",
};

/// Holds a frame's source addresses and hops against who emitted it.
#[inline]
pub(crate) fn judge(
    context: &FrameContext<'_>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) {
    if context.layout.ethernet && context.bytes.len() < 14 {
        return;
    }
    if !context.spares(Deliberate::SOURCE) {
        if context.layout.ethernet {
            ethernet(context, out);
        }
        match context.layout.net {
            Net::Ip4 | Net::Ip6 => internet(context, capture, ports, out),
            Net::Arp => arp(context, ports, out),
            Net::Other => {}
        }
    }
    if context.passed.is_none() && context.layout.hops(context.bytes) == Some(0) {
        hops(context, out);
    }
}

#[cold]
fn hops(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    if context.spares(Deliberate::HOPS) {
        return;
    }
    out.push(match context.layout.net {
        Net::Ip4 => context.finding(&IP4_TTL_ZERO, "the TTL is zero", "1 to 255", "0"),
        _ => context.finding(&IP6_HOP_LIMIT_ZERO, "the hop limit is zero", "1 to 255", "0"),
    });
}

/// The Ethernet source of a frame of 14 bytes or more.
fn source_mac(frame: &[u8]) -> Mac {
    Mac([frame[6], frame[7], frame[8], frame[9], frame[10], frame[11]])
}

#[inline]
fn ethernet(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    let source = source_mac(context.bytes);
    if source.is_group() {
        let message = "the Ethernet source is a group address";
        out.push(context.finding(
            &ETH_SOURCE,
            message,
            "one station's address",
            source.to_string(),
        ));
        return;
    }
    let Some(facts) = context.facts else { return };
    if source == facts.mac || facts.mac == Mac::default() {
        return;
    }
    // A bridge passes frames on as they are; only a router is known to put its own source.
    if context.passed.is_none() || context.by_forwarder() {
        let message = "the Ethernet source is not the port's own";
        out.push(context.finding(&ETH_SOURCE, message, facts.mac.to_string(), source.to_string()));
    }
}

#[inline]
fn internet(
    context: &FrameContext<'_>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) {
    let (source, _) = context.layout.addresses(context.bytes);
    if source.is_empty() || context.passed.is_some_and(|passed| is_before(capture, passed, source))
    {
        return;
    }
    if is_group(source) || is_confined(source) {
        group(context, source, out);
        return;
    }
    // Whose a datagram passed on is, its sender decided; a NAT puts any address of its pool.
    if context.passed.is_some() {
        return;
    }
    let Some(facts) = context.facts else { return };
    let own = facts.addresses.iter().any(|address| same(*address, source));
    if !own && !excused(context, facts, ports, source) {
        let message = "the source address is not the emitter's";
        let actual = text(source);
        out.push(context.finding(&IP_SOURCE_OWN, message, own_addresses(facts, source), actual));
    }
}

/// What a frame passes on had this source already: whoever sent it first is judged for it.
fn is_before(capture: &Capture, passed: Passed, source: &[u8]) -> bool {
    let (layout, bytes) = HeaderLayout::of(capture, passed.frame);
    passed.kin == Kin::Same || layout.addresses(bytes).0 == source
}

#[cold]
fn group(context: &FrameContext<'_>, source: &[u8], out: &mut Vec<Finding>) {
    let message = "the source address is not that of one host";
    out.push(context.finding(&IP_SOURCE_GROUP, message, "a unicast address", text(source)));
}

/// Sources that are right although the port does not list them.
#[cold]
fn excused(
    context: &FrameContext<'_>,
    facts: &PortFacts,
    ports: &[PortFacts],
    source: &[u8],
) -> bool {
    let of_family = |facts: &PortFacts| {
        facts.addresses.iter().any(|address| address.is_ipv4() == (source.len() == 4))
    };
    let node = || ports.iter().filter(|other| other.node == facts.node);
    // Nothing is known of the node's addresses in this family.
    if !node().any(of_family) {
        return true;
    }
    // DHCP, duplicate address detection: who has no address yet says so.
    if source.iter().all(|byte| *byte == 0) {
        return true;
    }
    // Every IPv6 port has a link-local address (RFC 4291 2.1), whether or not facts name it.
    if source.len() == 16 && source[0] == 0xfe && source[1] & 0xc0 == 0x80 {
        return true;
    }
    // A host may answer from the address of another of its ports.
    if node().any(|other| other.addresses.iter().any(|address| same(*address, source))) {
        return true;
    }
    // A reset that a forwarder makes speaks for the destination; its own checks look at it. So do
    // the answers of a transparent proxy, and the errors of a bridge, which has no address.
    let forwards = matches!(facts.answers, Answers::Forwards { .. });
    let unknown = context.between && facts.answers == Answers::Unknown;
    // Whose it would be cannot be read where a length lies, which is found by itself.
    if (forwards || unknown) && context.layout.fault.is_some() {
        return true;
    }
    (forwards && is_reset(context)) || context.in_name || (unknown && is_error_for(context, source))
}

/// The frame carries an ICMP error about a datagram to the address that it comes from.
fn is_error_for(context: &FrameContext<'_>, source: &[u8]) -> bool {
    let message = context.upper();
    match context.layout.upper {
        Upper::Icmp4 => matches!(message[0], 3 | 11 | 12) && message.get(24..28) == Some(source),
        Upper::Icmp6 => message[0] < 128 && message.get(32..48) == Some(source),
        _ => false,
    }
}

/// The frame carries a TCP segment with RST.
fn is_reset(context: &FrameContext<'_>) -> bool {
    context.layout.upper == Upper::Tcp && context.bytes[context.layout.upper_at + 13] & 4 != 0
}

#[cold]
fn own_addresses(facts: &PortFacts, source: &[u8]) -> String {
    let family = |address: &&IpAddr| address.is_ipv4() == (source.len() == 4);
    let own: Vec<String> = facts.addresses.iter().filter(family).map(ToString::to_string).collect();
    if own.is_empty() { "an address of its own".to_owned() } else { own.join(" or ") }
}

#[cold]
fn arp(context: &FrameContext<'_>, ports: &[PortFacts], out: &mut Vec<Finding>) {
    let Some(facts) = context.facts else { return };
    let message = &context.bytes[context.layout.net_at..];
    // Another link's sizes, or a proxy that speaks for others (RFC 1027).
    let foreign =
        context.layout.fault.is_some() || message.len() < 28 || be16(message, 4) != 0x0604;
    if foreign || context.passed.is_some() || context.by_forwarder() {
        return;
    }
    let hardware =
        Mac([message[8], message[9], message[10], message[11], message[12], message[13]]);
    if hardware != facts.mac && facts.mac != Mac::default() {
        let text = "the sender's hardware address is not the port's own";
        let (expected, actual) = (facts.mac.to_string(), hardware.to_string());
        out.push(context.finding(&ARP_SOURCE, text, expected, actual));
    }
    let source = &message[14..18];
    let own = facts.addresses.iter().any(|address| same(*address, source));
    if !own && !excused(context, facts, ports, source) {
        let message = "the sender's protocol address is not the emitter's";
        let actual = text(source);
        out.push(context.finding(&ARP_SOURCE, message, own_addresses(facts, source), actual));
    }
}

/// An address as it is written.
pub(crate) fn text(address: &[u8]) -> String {
    from_octets(address).map_or_else(|| "no address".to_owned(), |ip| ip.to_string())
}
