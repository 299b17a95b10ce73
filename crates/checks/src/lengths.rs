//! Lengths agree: every length that a header claims is there, and nothing follows the datagram but
//! the padding of a short frame.

use wire::Deliberate;

use crate::check::{Check, Finding, Level};
use crate::context::FrameContext;
use crate::layout::{Claim, Fault, Net};

pub(crate) static ETH_HEADER: Check = Check {
    id: "eth-header",
    clause: "IEEE 802.3 3.1.1",
    requirement: "8023-3.1.1",
    level: Level::Must,
    title: "a frame has a whole Ethernet header",
    about: "An Ethernet frame begins with two addresses and a type, 14 bytes, and each VLAN tag \
            adds four. A frame that ends before them carries nothing that a receiver could use.",
};
pub(crate) static ARP_LENGTHS: Check = Check {
    id: "arp-lengths",
    clause: "RFC 826 Packet format",
    requirement: "826-format",
    level: Level::Must,
    title: "an ARP message is as long as its address sizes say",
    about: "ARP states the size of its hardware and protocol addresses, and four addresses of \
            those sizes follow. On Ethernet with IPv4 the sizes are 6 and 4, the message 28 bytes.",
};
pub(crate) static IP4_LENGTHS: Check = Check {
    id: "ip4-lengths",
    clause: "RFC 791 3.1",
    requirement: "791-3.1-lengths",
    level: Level::Must,
    title: "IPv4 version, IHL and total length hold",
    about: "The version is 4, the IHL counts at least five words, and the total length covers the \
            header and no more than the frame carries. Receivers drop anything else in silence.",
};
pub(crate) static IP6_LENGTHS: Check = Check {
    id: "ip6-lengths",
    clause: "RFC 8200 3, 4",
    requirement: "8200-3-lengths",
    level: Level::Must,
    title: "IPv6 version, payload length and extension headers hold",
    about: "The version is 6, the payload length counts what follows the 40-byte header, and each \
            extension header ends inside it. What comes after the payload length is not IPv6's.",
};
pub(crate) static TCP_DATA_OFFSET: Check = Check {
    id: "tcp-data-offset",
    clause: "RFC 9293 3.1",
    requirement: "U9293-HDR-2",
    level: Level::Must,
    title: "the TCP data offset lies between the header and the end",
    about: "The data offset says in words where the payload begins: five at least, for the header \
            without options, and never past the end of the segment. A receiver that believes a \
            wrong one counts option bytes as data, or data that is not there.",
};
pub(crate) static UDP_LENGTH: Check = Check {
    id: "udp-length",
    clause: "RFC 768 Fields",
    requirement: "768-length",
    level: Level::Must,
    title: "the UDP length covers its header and fits its datagram",
    about: "The UDP length counts header and data, so it is eight at least and no more than what \
            IP carries. It may be less: RFC 9868 puts options into what is left.",
};
pub(crate) static ETH_TRAILER: Check = Check {
    id: "eth-trailer",
    clause: "RFC 894 Frame Format",
    requirement: "894-padding",
    level: Level::Should,
    title: "nothing but zero padding to the minimum follows the datagram",
    about: "A frame shorter than 60 bytes (before the FCS) is padded with zeros up to that. Other \
            bytes there leak the sender's memory, and bytes beyond it show a length that is wrong.",
};

/// The shortest Ethernet frame without its FCS.
const MINIMUM: usize = 60;

/// Holds a frame's lengths against each other.
#[inline]
pub(crate) fn judge(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    if let Some(fault) = context.layout.fault {
        if !context.spares(Deliberate::LENGTHS) {
            out.push(lie(context, fault));
        }
    } else if context.layout.end < context.bytes.len()
        && context.layout.wire_len == context.bytes.len()
    {
        trailer(context, out);
    }
}

#[cold]
fn lie(context: &FrameContext<'_>, fault: Fault) -> Finding {
    let Fault { claimed, had, .. } = fault;
    let bytes = |n: u32| format!("{n} bytes");
    let (check, what, expected, actual) = match fault.claim {
        Claim::EthHeader => (&ETH_HEADER, "the Ethernet header", bytes(claimed), bytes(had)),
        Claim::Arp => (&ARP_LENGTHS, "the ARP message", bytes(had.min(28)), bytes(claimed)),
        Claim::Ip4Header => (&IP4_LENGTHS, "the IPv4 header", bytes(claimed), bytes(had)),
        Claim::Ip4Version => {
            (&IP4_LENGTHS, "the IPv4 version", had.to_string(), claimed.to_string())
        }
        Claim::Ip4Ihl => {
            (&IP4_LENGTHS, "the IPv4 IHL", format!("20 to {had} bytes"), bytes(claimed))
        }
        Claim::Ip4Total => {
            let header = u32::from(context.bytes[context.layout.net_at] & 15) * 4;
            let range = format!("{header} to {had} bytes");
            (&IP4_LENGTHS, "the IPv4 total length", range, bytes(claimed))
        }
        Claim::Ip6Header => (&IP6_LENGTHS, "the IPv6 header", bytes(claimed), bytes(had)),
        Claim::Ip6Version => {
            (&IP6_LENGTHS, "the IPv6 version", had.to_string(), claimed.to_string())
        }
        Claim::Ip6Payload => {
            let range = format!("at most {had} bytes");
            (&IP6_LENGTHS, "the IPv6 payload length", range, bytes(claimed))
        }
        Claim::Ip6Extension => {
            let range = format!("at most {had} bytes");
            (&IP6_LENGTHS, "the length of an IPv6 extension header", range, bytes(claimed))
        }
        Claim::TcpHeader => (&TCP_DATA_OFFSET, "the TCP header", bytes(claimed), bytes(had)),
        Claim::TcpOffset => {
            let range = format!("20 to {had} bytes");
            (&TCP_DATA_OFFSET, "the TCP data offset", range, bytes(claimed))
        }
        Claim::UdpHeader => (&UDP_LENGTH, "the UDP header", bytes(claimed), bytes(had)),
        Claim::UdpLength => {
            (&UDP_LENGTH, "the UDP length", format!("8 to {had} bytes"), bytes(claimed))
        }
    };
    context.finding(check, format!("{what} does not fit the frame"), expected, actual)
}

#[inline(never)]
fn trailer(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    let known = context.layout.ethernet
        && context.layout.net != Net::Other
        && context.layout.end > context.layout.net_at;
    if !known || context.spares(Deliberate::TRAILER) || context.spares(Deliberate::LENGTHS) {
        return;
    }
    let rest = &context.bytes[context.layout.end..];
    // A bridge that takes a tag off or puts one on leaves the padding as it was.
    let minimum = MINIMUM + 4 * usize::from(context.layout.vlans);
    if context.bytes.len() > minimum {
        let (message, actual) = ("bytes follow the datagram", format!("{} bytes", rest.len()));
        out.push(context.finding(&ETH_TRAILER, message, "no byte after the datagram", actual));
    } else if rest.iter().any(|byte| *byte != 0) {
        let shown = wire::Hex(rest).to_string();
        out.push(context.finding(&ETH_TRAILER, "the padding is not zero", "zeros", shown));
    }
}
