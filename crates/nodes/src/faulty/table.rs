//! The faults that `faulty` plants, one a row: what each makes wrong and what should notice.
//! Knows frames, not the node that emitted them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::fields::{eth, icmp4, icmp6, ip4, ip6, tcp, udp};

use super::edit::Edit;
use super::odd;

/// One fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Its name, for the option `fault`.
    pub name: &'static str,
    /// What it makes wrong, in a line.
    pub about: &'static str,
    /// The id of the check that names it best, over IPv4; [`GOLDEN`] where no check does.
    pub caught_by: &'static str,
    /// What is done.
    pub act: Act,
}

/// How a fault is planted. An edit gives `None` for a frame that it does not apply to, which is
/// then emitted as it was.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Change a reset, then make its checksums right again.
    Reset(fn(&mut Edit) -> Option<()>),
    /// Change any frame, then make its checksums right again.
    Frame(fn(&mut Edit) -> Option<()>),
    /// Change any frame and leave checksums as they are.
    Bare(fn(&mut Edit) -> Option<()>),
    /// Do not emit resets.
    SwallowResets,
    /// Emit every frame twice.
    Double,
    /// Change what comes in before the node sees it, so that it answers what it should not.
    Incoming(fn(&mut Edit) -> Option<()>),
    /// The same, and change the resets that answer it.
    Exchange(fn(&mut Edit) -> Option<()>, fn(&mut Edit) -> Option<()>),
}

/// The fault breaks no rule that holds for every sender: a golden shows it.
pub const GOLDEN: &str = "golden";

/// Where a `faulty` node can be wrong, in the order to show them.
pub static FAULTS: &[Fault] = &[
    fault("tcp-checksum", "the TCP checksum is wrong", "tcp-checksum", Act::Bare(tcp_checksum)),
    fault("udp-checksum", "the UDP checksum is wrong", "udp-checksum", Act::Bare(udp_checksum)),
    fault(
        "icmp-checksum",
        "the ICMP checksum is wrong",
        "icmp4-checksum",
        Act::Bare(icmp_checksum),
    ),
    fault(
        "ip-checksum",
        "the IPv4 header checksum is wrong",
        "ip4-checksum",
        Act::Bare(ip_checksum),
    ),
    fault("seq+1", "a reset's sequence number is one too large", "rst-seq", Act::Reset(seq_up)),
    fault("seq-1", "a reset's sequence number is one too small", "rst-seq", Act::Reset(seq_down)),
    fault("ack+1", "a reset's acknowledgment is one too large", "rst-ack", Act::Reset(ack_up)),
    fault("ack-1", "a reset's acknowledgment is one too small", "rst-ack", Act::Reset(ack_down)),
    fault("no-ack-flag", "RST,ACK leaves as RST", "rst-flags", Act::Reset(no_ack_flag)),
    fault("extra-ack-flag", "RST leaves as RST,ACK", "rst-flags", Act::Reset(extra_ack_flag)),
    fault("flags-fin-too", "a reset has FIN too", "rst-flags", Act::Reset(|e| flag(e, 0x01))),
    fault("flags-syn-too", "a reset has SYN too", "rst-flags", Act::Reset(|e| flag(e, 0x02))),
    fault("missing-rst", "no reset leaves", "rst-missing", Act::SwallowResets),
    fault("rst-to-rst", "a reset is answered", "rst-to-rst", Act::Incoming(rst_to_rst)),
    fault(
        "answers-wrong-checksum",
        "a segment with a wrong checksum is answered",
        "bad-checksum-answered",
        Act::Incoming(mended),
    ),
    fault(
        "rst-to-udp",
        "a UDP datagram is answered with a reset",
        "rst-unprovoked",
        Act::Incoming(odd::rst_to_udp),
    ),
    fault(
        "answers-broadcast",
        "what is for a broadcast or multicast address is answered",
        "rst-on-broadcast",
        Act::Incoming(odd::to_group),
    ),
    fault(
        "answers-link-broadcast",
        "what comes in a frame for a group is answered",
        "rst-on-link-broadcast",
        Act::Incoming(odd::in_group_frame),
    ),
    fault(
        "syn-ack-to-broadcast",
        "a SYN to a broadcast or multicast address is accepted",
        "rst-on-broadcast",
        Act::Exchange(odd::to_group, odd::accept),
    ),
    fault("doubled", "every frame leaves twice", "rst-doubled", Act::Double),
    fault("wrong-port", "a reset's source port is another", "rst-ports", Act::Reset(wrong_port)),
    fault("swapped-ports", "a reset's ports are not swapped", "rst-ports", Act::Reset(swapped)),
    fault("payload-in-rst", "a reset carries six bytes", GOLDEN, Act::Reset(payload_in_rst)),
    fault(
        "options-in-rst",
        "a reset has four bytes of options",
        GOLDEN,
        Act::Reset(|e| with_options(e, &[1; 4])),
    ),
    fault(
        "option-length",
        "a reset has an option of length 1",
        "tcp-options",
        Act::Reset(|e| with_options(e, &[3, 1, 1, 1])),
    ),
    fault(
        "option-padding",
        "other bytes than zeros follow the end of a reset's options",
        "tcp-options-end",
        Act::Reset(|e| with_options(e, &[0, 0xaa, 0xaa, 0xaa])),
    ),
    fault(
        "mss-in-rst",
        "a reset announces a maximum segment size",
        "tcp-options-syn-only",
        Act::Reset(|e| with_options(e, &[2, 4, 0x05, 0xb4])),
    ),
    fault("window", "a reset has a window", GOLDEN, Act::Reset(window)),
    fault("urgent", "an urgent pointer without URG", GOLDEN, Act::Frame(urgent)),
    fault("reserved-bit", "a reserved bit of TCP is set", "tcp-reserved", Act::Frame(reserved)),
    fault("ip-reserved-bit", "the reserved IPv4 flag is set", "ip4-reserved-bit", Act::Frame(evil)),
    fault(
        "fragment-reserved",
        "the reserved fields of an IPv6 fragment header are set",
        "ip6-fragment-reserved",
        Act::Bare(odd::fragment_reserved),
    ),
    fault("data-offset", "the TCP data offset is 4", "tcp-data-offset", Act::Frame(data_offset)),
    fault(
        "short-length",
        "the IP length is one too small",
        "tcp-data-offset",
        Act::Bare(short_length),
    ),
    fault("long-length", "the IP length is one too large", "ip4-lengths", Act::Bare(long_length)),
    fault("trailing-byte", "one byte follows the packet", "eth-trailer", Act::Bare(trailing_byte)),
    fault("cut", "the frame's last byte is missing", "ip4-lengths", Act::Bare(cut)),
    fault(
        "wrong-source",
        "the IP source is not its own",
        "ip-source-own",
        Act::Frame(wrong_source),
    ),
    fault(
        "broadcast-source",
        "the IP source is broadcast",
        "ip-source-group",
        Act::Frame(broadcast),
    ),
    fault(
        "multicast-source",
        "the IP source is multicast",
        "ip-source-group",
        Act::Frame(multicast),
    ),
    fault("mac-source", "the Ethernet source is not its own", "eth-source", Act::Bare(mac_source)),
    fault("mac-group", "the Ethernet source is a group", "eth-source", Act::Bare(mac_group)),
    fault(
        "arp-sender",
        "an ARP message gives another hardware address",
        "arp-source",
        Act::Bare(odd::arp_sender),
    ),
    fault(
        "error-about-group",
        "an ICMP error is about a datagram to a group",
        "icmp-error-about",
        Act::Frame(odd::error_about_group),
    ),
    fault(
        "quote-altered",
        "the datagram that an ICMP error quotes has another source",
        "icmp-quote",
        Act::Frame(odd::quote_altered),
    ),
    fault(
        "quote-short",
        "an ICMP error quotes the IP header and four octets",
        "icmp-quote-length",
        Act::Frame(odd::quote_short),
    ),
    fault(
        "quote-cut",
        "an ICMP error quotes the IP header and eight octets, however much room there is",
        "icmp-quote-full",
        Act::Frame(odd::quote_cut),
    ),
    fault(
        "sum-first-fragment",
        "the checksum of a datagram in fragments covers the first one only",
        "udp-checksum",
        Act::Bare(odd::sum_first_fragment),
    ),
    fault(
        "vlan-lost",
        "what comes in a VLAN is answered outside of it",
        "vlan-reply",
        Act::Incoming(odd::untag),
    ),
    fault("vlan-other", "every frame leaves in VLAN 20", "vlan-reply", Act::Bare(odd::retag)),
    fault("ttl-zero", "the TTL or hop limit is 0", "ip4-ttl-zero", Act::Frame(|e| ttl(e, |_| 0))),
    fault("ttl", "the TTL or hop limit is one less", GOLDEN, Act::Frame(|e| ttl(e, less))),
    fault("tos", "the TOS or traffic class is 0x10", GOLDEN, Act::Frame(tos)),
    fault("df-cleared", "DF is not set", GOLDEN, Act::Frame(df_cleared)),
    fault("ip-id", "the IPv4 identification is 0x1234", GOLDEN, Act::Frame(ip_id)),
];

const fn fault(
    name: &'static str,
    about: &'static str,
    caught_by: &'static str,
    act: Act,
) -> Fault {
    Fault { name, about, caught_by, act }
}

/// Another checksum that is not the same number to ones' complement arithmetic, nor UDP's zero.
fn spoilt(sum: u64) -> u64 {
    if sum == 1 { 2 } else { sum ^ 1 }
}
fn tcp_checksum(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::CHECKSUM, spoilt)
}
fn udp_checksum(edit: &mut Edit) -> Option<()> {
    edit.change(&udp::CHECKSUM, spoilt)
}
fn icmp_checksum(edit: &mut Edit) -> Option<()> {
    edit.change(&icmp4::CHECKSUM, spoilt).or_else(|| edit.change(&icmp6::CHECKSUM, spoilt))
}
fn ip_checksum(edit: &mut Edit) -> Option<()> {
    edit.change(&ip4::CHECKSUM, spoilt)
}

fn more(number: u64) -> u64 {
    number.wrapping_add(1)
}
fn less(number: u64) -> u64 {
    number.wrapping_sub(1)
}
fn seq_up(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::SEQ, more)
}
fn seq_down(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::SEQ, less)
}
fn ack_up(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::ACK, more)
}
fn ack_down(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::ACK, less)
}

fn flag(edit: &mut Edit, bits: u64) -> Option<()> {
    edit.change(&tcp::FLAGS, |flags| flags | bits)
}
fn no_ack_flag(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::FLAGS, |flags| flags & !0x10)
}
fn extra_ack_flag(edit: &mut Edit) -> Option<()> {
    flag(edit, 0x10)
}

/// The node sees the segment without its RST, and answers that.
fn rst_to_rst(edit: &mut Edit) -> Option<()> {
    if !edit.is_reset() {
        return None;
    }
    edit.change(&tcp::FLAGS, |flags| flags & !0x04)
}
/// The checksums are made right by whoever plants this: there is nothing else to change.
fn mended(edit: &mut Edit) -> Option<()> {
    edit.ip()?.tcp().ok().map(|_| ())
}

fn wrong_port(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::SRC, |port| port ^ 1)
}
fn swapped(edit: &mut Edit) -> Option<()> {
    let (src, dst) = (edit.number(&tcp::SRC)?, edit.number(&tcp::DST)?);
    edit.change(&tcp::SRC, |_| dst)?;
    edit.change(&tcp::DST, |_| src)
}
fn payload_in_rst(edit: &mut Edit) -> Option<()> {
    let end = edit.ip()?.payload().len();
    edit.insert(end, b"closed")
}
/// One word of options.
fn with_options(edit: &mut Edit, word: &[u8; 4]) -> Option<()> {
    edit.insert(20, word)?;
    edit.change(&tcp::DATA_OFFSET, more)
}
fn window(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::WINDOW, |window| window ^ 0x6008)
}
fn urgent(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::URGENT, |_| 1)
}
fn reserved(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::RESERVED, |bits| bits | 1)
}
fn evil(edit: &mut Edit) -> Option<()> {
    edit.change(&ip4::RESERVED, |_| 1)
}

fn data_offset(edit: &mut Edit) -> Option<()> {
    edit.change(&tcp::DATA_OFFSET, |_| 4)
}
/// The IP length changes and the IPv4 checksum with it; what it covers stays as it was.
fn length(edit: &mut Edit, new: fn(u64) -> u64) -> Option<()> {
    let Some(()) = edit.change(&ip4::TOTAL_LENGTH, new) else {
        return edit.change(&ip6::PAYLOAD_LENGTH, new);
    };
    edit.change(&ip4::CHECKSUM, |_| 0)?;
    let sum = wire::checksum::internet_checksum(edit.ip()?.header());
    edit.change(&ip4::CHECKSUM, |_| sum.into())
}
fn short_length(edit: &mut Edit) -> Option<()> {
    length(edit, less)
}
fn long_length(edit: &mut Edit) -> Option<()> {
    // Padding would be read as the byte promised.
    let trailer = edit.ip()?.trailer().len();
    let end = edit.frame().len() - trailer;
    edit.bytes().truncate(end);
    length(edit, more)
}
/// Not zero, so that it is no padding either.
fn trailing_byte(edit: &mut Edit) -> Option<()> {
    edit.ip()?;
    edit.bytes().push(0xaa);
    Some(())
}
fn cut(edit: &mut Edit) -> Option<()> {
    edit.bytes().pop().map(|_| ())
}

fn wrong_source(edit: &mut Edit) -> Option<()> {
    edit.source(|source| match source {
        IpAddr::V4(ip) => Ipv4Addr::from(u32::from(ip) ^ 0x40).into(),
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) ^ 0x40).into(),
    })
}
/// IPv6 has no broadcast: all nodes are the nearest to it.
fn broadcast(edit: &mut Edit) -> Option<()> {
    edit.source(|source| match source {
        IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).into(),
    })
}
fn multicast(edit: &mut Edit) -> Option<()> {
    edit.source(|source| match source {
        IpAddr::V4(_) => Ipv4Addr::new(224, 0, 0, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 1).into(),
    })
}
fn mac(edit: &mut Edit, byte: usize, bits: u8) -> Option<()> {
    let at = usize::from(eth::SRC.bit / 8) + byte;
    *edit.bytes().get_mut(at)? ^= bits;
    Some(())
}
fn mac_source(edit: &mut Edit) -> Option<()> {
    mac(edit, 5, 0x40)
}
fn mac_group(edit: &mut Edit) -> Option<()> {
    mac(edit, 0, 0x01)
}

fn ttl(edit: &mut Edit, new: fn(u64) -> u64) -> Option<()> {
    edit.change(&ip4::TTL, new).or_else(|| edit.change(&ip6::HOP_LIMIT, new))
}
fn tos(edit: &mut Edit) -> Option<()> {
    edit.change(&ip4::TOS, |_| 0x10).or_else(|| edit.change(&ip6::TRAFFIC_CLASS, |_| 0x10))
}
fn df_cleared(edit: &mut Edit) -> Option<()> {
    edit.change(&ip4::DF, |_| 0)
}
fn ip_id(edit: &mut Edit) -> Option<()> {
    edit.change(&ip4::ID, |_| 0x1234)
}
