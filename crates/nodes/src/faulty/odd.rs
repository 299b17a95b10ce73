//! Faults of rarer frames: ARP, ICMP errors, IPv6 fragments, and what is not to be answered at all.
//! Knows frames, not the node.

use wire::checksum::internet_checksum;
use wire::fields::{eth, ip4, ip6, tcp};
use wire::{Mac, Value};

use super::edit::Edit;

/// A UDP datagram becomes a SYN between the same ports, where it has room for one.
pub(super) fn rst_to_udp(edit: &mut Edit) -> Option<()> {
    let ip = edit.ip()?;
    if ip.protocol() != 17 || ip.is_fragment() || ip.payload().len() < 20 {
        return None;
    }
    let protocol = if ip.is_v4() { &ip4::PROTOCOL } else { &ip6::NEXT_HEADER };
    edit.change(protocol, |_| 6)?;
    edit.change(&tcp::DATA_OFFSET, |_| 5)?;
    edit.change(&tcp::FLAGS, |_| 0x02)
}

/// What is for a group is made to look as if it was for the port's own address.
pub(super) fn to_group(edit: &mut Edit) -> Option<()> {
    let own = edit.own_ip4()?;
    let dst = edit.ip()?.header().get(16..20).map(<[u8]>::to_vec)?;
    if !edit.ip()?.is_v4() || !(dst[0] & 0xf0 == 0xe0 || dst[3] == 0xff) {
        return None;
    }
    edit.write(&ip4::DST, &Value::Ip(own.into()))?;
    in_group_frame(edit);
    Some(())
}

/// A frame for a group is made to look as if it was for the port alone.
pub(super) fn in_group_frame(edit: &mut Edit) -> Option<()> {
    let dst = Mac(*edit.frame().first_chunk()?);
    if !dst.is_group() {
        return None;
    }
    let own = edit.own_mac();
    edit.write(&eth::DST, &Value::Mac(own))
}

/// Only where the header stands right behind the fixed one.
pub(super) fn fragment_reserved(edit: &mut Edit) -> Option<()> {
    if edit.number(&ip6::NEXT_HEADER)? != 44 {
        return None;
    }
    let at = edit.ip()?.link_header().len() + 40;
    let header = edit.bytes().get_mut(at..at + 8)?;
    header[1] = 0xff;
    header[3] |= 0x06;
    Some(())
}

/// The last byte of the sender's hardware address.
pub(super) fn arp_sender(edit: &mut Edit) -> Option<()> {
    if edit.frame().get(12..14)? != [0x08, 0x06] {
        return None;
    }
    *edit.bytes().get_mut(27)? ^= 0x40;
    Some(())
}

/// The message of an ICMP error: where it stands, and whether it is ICMPv6.
fn error(edit: &Edit) -> Option<(usize, bool)> {
    let ip = edit.ip()?;
    let v6 = !ip.is_v4();
    let is_error = match (v6, ip.protocol(), ip.payload().first()?) {
        (false, 1, kind) => matches!(kind, 3 | 4 | 5 | 11 | 12),
        (true, 58, kind) => *kind < 128,
        _ => false,
    };
    (is_error && !ip.is_fragment()).then_some((ip.header_range().end, v6))
}

/// Makes the checksum of the IPv4 header right that an error at `message` quotes.
fn resum_quote(edit: &mut Edit, message: usize) -> Option<()> {
    let header = edit.bytes().get_mut(message + 8..message + 28)?;
    header[10..12].fill(0);
    let sum = internet_checksum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    Some(())
}

/// The datagram that an error quotes gets the group of all hosts, or nodes, as its destination.
pub(super) fn error_about_group(edit: &mut Edit) -> Option<()> {
    let (message, v6) = error(edit)?;
    if v6 {
        let all_nodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let quoted = edit.bytes().get_mut(message + 32..message + 48)?;
        quoted.copy_from_slice(&all_nodes);
        return Some(());
    }
    edit.bytes().get_mut(message + 24..message + 28)?.copy_from_slice(&[224, 0, 0, 1]);
    resum_quote(edit, message)
}

/// As a NAT leaves it that translates the error and not what it quotes.
pub(super) fn quote_altered(edit: &mut Edit) -> Option<()> {
    let (message, v6) = error(edit)?;
    let last = message + 8 + if v6 { 23 } else { 15 };
    *edit.bytes().get_mut(last)? ^= 0x40;
    if v6 { Some(()) } else { resum_quote(edit, message) }
}

/// Cuts the quote to the fixed IP header and so many octets, and padding off.
fn quote_of(edit: &mut Edit, octets: usize) -> Option<()> {
    let (message, v6) = error(edit)?;
    let length = 8 + if v6 { 40 } else { 20 } + octets;
    let end = message + length;
    if edit.ip()?.payload().len() <= length {
        return None;
    }
    let header = edit.ip()?.header().len();
    edit.bytes().truncate(end);
    if v6 {
        edit.change(&ip6::PAYLOAD_LENGTH, |_| length as u64)
    } else {
        edit.change(&ip4::TOTAL_LENGTH, |_| (header + length) as u64)
    }
}

/// Less than every error has to quote.
pub(super) fn quote_short(edit: &mut Edit) -> Option<()> {
    quote_of(edit, 4)
}

/// As much as RFC 792 asks for, and no more.
pub(super) fn quote_cut(edit: &mut Edit) -> Option<()> {
    quote_of(edit, 8)
}

/// The checksum of UDP or TCP is that of the bytes which the first fragment carries.
pub(super) fn sum_first_fragment(edit: &mut Edit) -> Option<()> {
    let ip = edit.ip()?;
    if ip.fragment_offset() != 0 || !ip.more_fragments() {
        return None;
    }
    let place = match ip.protocol() {
        6 => 16,
        17 => 6,
        _ => return None,
    };
    let (at, message) = (ip.header_range().end + place, ip.payload());
    let before = message.get(..place)?;
    let sum = ip.pseudo_header().bytes(before).bytes(&[0, 0]).bytes(message.get(place + 2..)?);
    edit.bytes().get_mut(at..at + 2)?.copy_from_slice(&sum.checksum().to_be_bytes());
    Some(())
}

/// The node sees the frame without its VLAN tag.
pub(super) fn untag(edit: &mut Edit) -> Option<()> {
    if edit.frame().get(12..14)? != [0x81, 0] || edit.frame().len() < 18 {
        return None;
    }
    edit.bytes().drain(12..16);
    Some(())
}

/// A tag of VLAN 20 is put on.
pub(super) fn retag(edit: &mut Edit) -> Option<()> {
    if edit.frame().len() < 14 {
        return None;
    }
    edit.bytes().splice(12..12, [0x81, 0, 0, 20]);
    Some(())
}

/// The reset that answers a SYN becomes a SYN,ACK.
pub(super) fn accept(edit: &mut Edit) -> Option<()> {
    if edit.number(&tcp::FLAGS)? & 0x14 != 0x14 {
        return None;
    }
    edit.change(&tcp::FLAGS, |flags| flags ^ 0x06)
}
