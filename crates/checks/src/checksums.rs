//! Checksums are right, unless the scenario gave them.

use wire::Deliberate;
use wire::checksum::{Sum, internet_checksum, tcp_ip4};
use wire::segment::{PseudoAddresses, is_tunnel_port};

use crate::check::{Check, Finding, Level};
use crate::context::FrameContext;
use crate::forward::Kin;
use crate::layout::{HeaderLayout, Net, Part, Upper, array, be16};
use crate::report::Why;

pub(crate) static IP4_CHECKSUM: Check = Check {
    id: "ip4-checksum",
    clause: "RFC 791 3.1",
    requirement: "791-3.1-checksum",
    level: Level::Must,
    title: "the IPv4 header checksum is right",
    about: "The ones' complement sum over the header, its checksum included, is zero. Each router \
            that lowers the TTL makes it anew, and who receives a wrong one drops the datagram.",
};
pub(crate) static TCP_CHECKSUM: Check = Check {
    id: "tcp-checksum",
    clause: "RFC 9293 3.1",
    requirement: "MUST-2",
    level: Level::Must,
    title: "the TCP checksum is right",
    about: "A sender always computes the checksum, over the pseudo-header, the header and the \
            payload. A capture taken before checksum offloading shows it wrong; then switch the \
            offload off.",
};
pub(crate) static UDP_CHECKSUM: Check = Check {
    id: "udp-checksum",
    clause: "RFC 768 Fields; RFC 8200 8.1",
    requirement: "768-checksum",
    level: Level::Must,
    title: "the UDP checksum is right",
    about: "Over IPv4 a checksum of zero means that there is none. Over IPv6, whose header has no \
            checksum of its own, there has to be one, and a computed zero is sent as 0xffff.",
};
pub(crate) static ICMP4_CHECKSUM: Check = Check {
    id: "icmp4-checksum",
    clause: "RFC 792",
    requirement: "792-checksum",
    level: Level::Must,
    title: "the ICMP checksum is right",
    about: "The sum runs over the ICMP message from its type to the end of the datagram, without \
            a pseudo-header.",
};
pub(crate) static ICMP6_CHECKSUM: Check = Check {
    id: "icmp6-checksum",
    clause: "RFC 4443 2.3",
    requirement: "4443-2.3",
    level: Level::Must,
    title: "the ICMPv6 checksum is right",
    about: "Unlike ICMP for IPv4, ICMPv6 sums the IPv6 pseudo-header too, with next header 58.",
};

/// What of a frame sums up as it should. What has no checksum is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// The IPv4 header.
    pub(crate) header: bool,
    /// TCP, UDP, ICMP.
    pub(crate) upper: bool,
}

/// Verifies a frame's checksums, and tells which hold whatever the scenario wanted of them.
#[inline]
pub(crate) fn judge(context: &FrameContext<'_>, out: &mut Vec<Finding>) -> Sums {
    if context.layout.plain_tcp4 && plain_tcp4_holds(context.bytes) {
        return Sums { header: true, upper: true };
    }
    unusual(context, out)
}

#[inline(never)]
fn unusual(context: &FrameContext<'_>, out: &mut Vec<Finding>) -> Sums {
    let header = header_holds(context);
    let upper = upper_holds(context);
    if !header && !header_spared(context) {
        let header = &context.bytes[context.layout.net_at..context.layout.net_end];
        out.push(wrong(context, &IP4_CHECKSUM, be16(header, 10), right(Sum::new(), header, 10)));
    }
    // Who sent a datagram is judged for its sum, and who passes it on as it was is not once more.
    let unchanged = context.passed.is_some_and(|passed| passed.kin == Kin::Same);
    if !upper && !unchanged && !context.spares(Deliberate::TRANSPORT_CHECKSUM) {
        report_upper(context, out);
    }
    Sums { header, upper }
}

/// Both checksums of plain TCP over IPv4 are right.
#[inline]
fn plain_tcp4_holds(frame: &[u8]) -> bool {
    let Some(head) = frame.first_chunk::<34>() else { return false };
    let (src, dst) = (array(head, 26), array(head, 30));
    internet_checksum(&head[14..]) == 0 && tcp_ip4(src, dst, &frame[34..]) == 0
}

/// Whoever lowers the TTL makes the header checksum anew: there a forwarder has no excuse.
#[cold]
fn header_spared(context: &FrameContext<'_>) -> bool {
    let inherited = context.passed.is_some() && context.by_forwarder();
    if inherited { context.record.deliberate } else { context.spared }.has(Deliberate::IP_CHECKSUM)
}

#[inline]
fn header_holds(context: &FrameContext<'_>) -> bool {
    let HeaderLayout { net_at, net_end, .. } = *context.layout;
    // Without a believable IHL it is not known what to sum.
    net_end == 0 || internet_checksum(&context.bytes[net_at..net_end]) == 0
}

#[inline]
fn upper_holds(context: &FrameContext<'_>) -> bool {
    let layout = context.layout;
    if layout.upper == Upper::Other || layout.part != Part::Whole || layout.cut {
        return true;
    }
    let message = context.upper();
    if layout.unread == Some(Why::Offloaded) {
        return true;
    }
    match layout.upper {
        Upper::Udp => {
            let length = usize::from(be16(message, 4));
            if be16(message, 6) == 0 {
                return layout.net == Net::Ip4 || is_tunnel_port(be16(message, 2));
            }
            layout.fault.is_some()
                || pseudo(context, length).bytes(&message[..length]).checksum() == 0
        }
        _ => pseudo(context, message.len()).bytes(message).checksum() == 0,
    }
}

/// What the sum over a message of this length begins with.
#[inline]
fn pseudo(context: &FrameContext<'_>, length: usize) -> Sum {
    let layout = context.layout;
    let number = match layout.upper {
        Upper::Tcp => 6,
        Upper::Udp => 17,
        Upper::Icmp6 => 58,
        Upper::Icmp4 | Upper::Other => return Sum::new(),
    };
    let frame = context.bytes;
    if layout.net == Net::Ip4 {
        let (src, dst) = (array(frame, layout.net_at + 12), array(frame, layout.net_at + 16));
        Sum::pseudo_ip4(src, dst, number, length as u16)
    } else {
        let headers = &frame[layout.net_at..layout.upper_at];
        let passed = if layout.plain { None } else { PseudoAddresses::behind(headers) };
        let (src, dst) = match passed {
            Some(addresses) => (addresses.src, addresses.dst),
            None => (array(headers, 8), array(headers, 24)),
        };
        Sum::pseudo_ip6(src, dst, number, length as u32)
    }
}

/// The checksum that would have been right in `message` at `at`.
#[cold]
fn right(sum: Sum, message: &[u8], at: usize) -> u16 {
    sum.bytes(&message[..at]).bytes(&[0, 0]).bytes(&message[at + 2..]).checksum()
}

#[cold]
fn report_upper(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    let message = context.upper();
    let (check, at, message) = match context.layout.upper {
        Upper::Tcp => (&TCP_CHECKSUM, 16, message),
        // A length that lies is found by itself.
        Upper::Udp => {
            let length = usize::from(be16(message, 4)).max(8).min(message.len());
            (&UDP_CHECKSUM, 6, &message[..length])
        }
        Upper::Icmp4 => (&ICMP4_CHECKSUM, 2, message),
        Upper::Icmp6 => (&ICMP6_CHECKSUM, 2, message),
        Upper::Other => return,
    };
    out.push(wrong_whole(context, check, pseudo(context, message.len()), message, at));
}

/// The finding about a message whose checksum, at `at`, is wrong; `sum` is the pseudo-header's.
#[cold]
pub(crate) fn wrong_whole(
    context: &FrameContext<'_>,
    check: &'static Check,
    sum: Sum,
    message: &[u8],
    at: usize,
) -> Finding {
    let expected = match right(sum, message, at) {
        // RFC 768: zero says that there is none.
        0 if check == &UDP_CHECKSUM => 0xffff,
        expected => expected,
    };
    wrong(context, check, be16(message, at), expected)
}

#[cold]
fn wrong(context: &FrameContext<'_>, check: &'static Check, actual: u16, expected: u16) -> Finding {
    let message = match actual {
        0 if check == &UDP_CHECKSUM => "there is no checksum over ipv6",
        _ => "the checksum does not fit the bytes",
    };
    context.finding(check, message, format!("{expected:#06x}"), format!("{actual:#06x}"))
}
