//! Checksums are right, unless the scenario gave them.

use wire::Deliberate;
use wire::checksum::{Sum, internet_checksum, tcp_ip4};
use wire::segment::{PseudoAddresses, is_tunnel_port};

use crate::check::{Check, Finding, Level};
use crate::forward::Kin;
use crate::outline::{Net, Outline, Part, Upper, array, be16};
use crate::report::Why;
use crate::shot::Shot;

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
pub(crate) fn judge(shot: &Shot<'_>, out: &mut Vec<Finding>) -> Sums {
    if shot.outline.ordinary && ordinary_holds(shot.bytes) {
        return Sums { header: true, upper: true };
    }
    unusual(shot, out)
}

#[inline(never)]
fn unusual(shot: &Shot<'_>, out: &mut Vec<Finding>) -> Sums {
    let header = header_holds(shot);
    let upper = upper_holds(shot);
    if !header && !header_spared(shot) {
        let header = &shot.bytes[shot.outline.net_at..shot.outline.net_end];
        out.push(wrong(shot, &IP4_CHECKSUM, be16(header, 10), right(Sum::new(), header, 10)));
    }
    // Who sent a datagram is judged for its sum, and who passes it on as it was is not once more.
    let unchanged = shot.passed.is_some_and(|passed| passed.kin == Kin::Same);
    if !upper && !unchanged && !shot.spares(Deliberate::TRANSPORT_CHECKSUM) {
        report_upper(shot, out);
    }
    Sums { header, upper }
}

/// Both checksums of an ordinary frame are right.
#[inline]
fn ordinary_holds(frame: &[u8]) -> bool {
    let Some(head) = frame.first_chunk::<34>() else { return false };
    let (src, dst) = (array(head, 26), array(head, 30));
    internet_checksum(&head[14..]) == 0 && tcp_ip4(src, dst, &frame[34..]) == 0
}

/// Whoever lowers the TTL makes the header checksum anew: there a forwarder has no excuse.
#[cold]
fn header_spared(shot: &Shot<'_>) -> bool {
    let inherited = shot.passed.is_some() && shot.by_forwarder();
    if inherited { shot.record.deliberate } else { shot.spared }.has(Deliberate::IP_CHECKSUM)
}

#[inline]
fn header_holds(shot: &Shot<'_>) -> bool {
    let Outline { net_at, net_end, .. } = *shot.outline;
    // Without a believable IHL it is not known what to sum.
    net_end == 0 || internet_checksum(&shot.bytes[net_at..net_end]) == 0
}

#[inline]
fn upper_holds(shot: &Shot<'_>) -> bool {
    let outline = shot.outline;
    if outline.upper == Upper::Other || outline.part != Part::Whole || outline.cut {
        return true;
    }
    let message = shot.upper();
    if outline.unread == Some(Why::Offloaded) {
        return true;
    }
    match outline.upper {
        Upper::Udp => {
            let length = usize::from(be16(message, 4));
            if be16(message, 6) == 0 {
                return outline.net == Net::Ip4 || is_tunnel_port(be16(message, 2));
            }
            outline.fault.is_some()
                || pseudo(shot, length).bytes(&message[..length]).checksum() == 0
        }
        _ => pseudo(shot, message.len()).bytes(message).checksum() == 0,
    }
}

/// What the sum over a message of this length begins with.
#[inline]
fn pseudo(shot: &Shot<'_>, length: usize) -> Sum {
    let outline = shot.outline;
    let number = match outline.upper {
        Upper::Tcp => 6,
        Upper::Udp => 17,
        Upper::Icmp6 => 58,
        Upper::Icmp4 | Upper::Other => return Sum::new(),
    };
    let frame = shot.bytes;
    if outline.net == Net::Ip4 {
        let (src, dst) = (array(frame, outline.net_at + 12), array(frame, outline.net_at + 16));
        Sum::pseudo_ip4(src, dst, number, length as u16)
    } else {
        let headers = &frame[outline.net_at..outline.upper_at];
        let passed = if outline.plain { None } else { PseudoAddresses::behind(headers) };
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
fn report_upper(shot: &Shot<'_>, out: &mut Vec<Finding>) {
    let message = shot.upper();
    let (check, at, message) = match shot.outline.upper {
        Upper::Tcp => (&TCP_CHECKSUM, 16, message),
        Upper::Udp => (&UDP_CHECKSUM, 6, &message[..usize::from(be16(message, 4)).max(8)]),
        Upper::Icmp4 => (&ICMP4_CHECKSUM, 2, message),
        Upper::Icmp6 => (&ICMP6_CHECKSUM, 2, message),
        Upper::Other => return,
    };
    out.push(wrong_whole(shot, check, pseudo(shot, message.len()), message, at));
}

/// The finding about a message whose checksum, at `at`, is wrong; `sum` is the pseudo-header's.
#[cold]
pub(crate) fn wrong_whole(
    shot: &Shot<'_>,
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
    wrong(shot, check, be16(message, at), expected)
}

#[cold]
fn wrong(shot: &Shot<'_>, check: &'static Check, actual: u16, expected: u16) -> Finding {
    let message = match actual {
        0 if check == &UDP_CHECKSUM => "there is no checksum over ipv6",
        _ => "the checksum does not fit the bytes",
    };
    shot.finding(check, message, format!("{expected:#06x}"), format!("{actual:#06x}"))
}
