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

/// The datagram that an error quotes gets the group of all hosts, or nodes, as its destination.
pub(super) fn error_about_group(edit: &mut Edit) -> Option<()> {
    let ip = edit.ip()?;
    let (v4, protocol, start) = (ip.is_v4(), ip.protocol(), ip.header_range().end);
    let message = edit.bytes().get_mut(start..)?;
    match (v4, protocol, message.first()?) {
        (true, 1, 3 | 4 | 5 | 11 | 12) => {
            let header = message.get_mut(8..28)?;
            header[16..20].copy_from_slice(&[224, 0, 0, 1]);
            header[10..12].fill(0);
            let sum = internet_checksum(header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (false, 58, ..128) => {
            let all_nodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            message.get_mut(32..48)?.copy_from_slice(&all_nodes);
        }
        _ => return None,
    }
    Some(())
}
