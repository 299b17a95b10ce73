//! The barrier: an ARP probe (RFC 5227) for an address that only a kernel node has, from an
//! Ethernet address that no node has. The kernel handles the frames of an interface in order. It
//! answers a probe at once and adds no neighbour for it. So when the reply arrives, the kernel has
//! handled every frame before the probe.

use wire::Mac;

/// An address of the loopback interface of every kernel node; link-local, so no scenario's.
pub const ADDRESS: [u8; 4] = [169, 254, 77, 77];
/// Senders of probes: locally administered, the last four bytes count.
const PREFIX: [u8; 2] = [0x02, 0xfe];

/// The probe with this number.
pub(crate) fn probe(to: Mac, number: u32) -> Vec<u8> {
    let mut frame = Vec::with_capacity(42);
    let sender = sender(number);
    frame.extend(to.0);
    frame.extend(sender);
    // ARP over Ethernet for IPv4, a request (RFC 826); the sender's address is 0.0.0.0.
    frame.extend([0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01]);
    frame.extend(sender);
    frame.extend([0; 4]);
    frame.extend([0; 6]);
    frame.extend(ADDRESS);
    frame
}

fn sender(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [PREFIX[0], PREFIX[1], a, b, c, d]
}

/// The frame answers the probe with this number.
pub(crate) fn is_answer(frame: &[u8], number: u32) -> bool {
    is_any_answer(frame) && frame[..6] == sender(number)
}

/// The frame answers a probe.
pub(crate) fn is_any_answer(frame: &[u8]) -> bool {
    frame.len() >= 42
        && frame[..2] == PREFIX
        && frame[12..14] == [0x08, 0x06]
        && frame[20..22] == [0x00, 0x02]
        && frame[28..32] == ADDRESS
}

/// A frame that is not captured: an unsolicited one that a kernel transmits whenever an interface
/// comes up, or a late answer to a probe.
#[must_use]
pub fn is_ignored(frame: &[u8]) -> bool {
    is_any_answer(frame) || is_group_report(frame)
}

/// An unsolicited MLD report (RFC 3810) or IGMP report, which a kernel transmits for each group
/// that an interface joins when it comes up.
fn is_group_report(frame: &[u8]) -> bool {
    let mld = frame.get(12..14) == Some(&[0x86, 0xdd])
        && frame.get(20) == Some(&0)
        && frame.get(54) == Some(&58)
        && matches!(frame.get(62), Some(131 | 132 | 143));
    let igmp = frame.get(12..14) == Some(&[0x08, 0x00]) && frame.get(23) == Some(&2);
    // Reports that answer a scenario's frames go to other groups than these two.
    let all_routers = matches!(frame.get(..6), Some([0x33, 0x33, 0, 0, 0, 0x16]));
    let igmp_routers = matches!(frame.get(..6), Some([0x01, 0x00, 0x5e, 0, 0, 0x16]));
    (mld && all_routers) || (igmp && igmp_routers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_neither_another_probe_nor_another_frame() {
        let mut answer = probe(Mac([2, 0, 0, 0, 0, 2]), 7);
        answer[..6].copy_from_slice(&sender(7));
        answer[21] = 2;
        answer[28..32].copy_from_slice(&ADDRESS);
        assert!(is_answer(&answer, 7) && !is_answer(&answer, 8));
        assert!(!is_any_answer(&probe(Mac([2, 0xfe, 0, 0, 0, 7]), 7)));
        assert!(!is_any_answer(&answer[..41]));
        assert!(!is_group_report(&answer));
    }

    #[test]
    fn a_listener_report_is_ignored_and_an_echo_to_a_group_is_not() {
        let mut report = vec![0; 90];
        report[..6].copy_from_slice(&[0x33, 0x33, 0, 0, 0, 0x16]);
        report[12..14].copy_from_slice(&[0x86, 0xdd]);
        report[54] = 58;
        report[62] = 143;
        assert!(is_group_report(&report));
        report[62] = 128;
        assert!(!is_group_report(&report));
    }
}
