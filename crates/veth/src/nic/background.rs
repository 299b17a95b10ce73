//! Classifies a received frame: from the device under test, or background traffic (ARP, ND, MLD,
//! LLDP, STP), with a name for the report. Knows addresses and kinds of frames; keeps nothing.

use wire::fields::{arp, icmp6, ip4, udp};
use wire::view::LaxFrame;
use wire::{Field, Mac, Proto, Value};

/// Multicast protocols that hosts use all the time, by UDP port.
const MULTICAST_UDP: [(u64, &str); 8] = [
    (67, "DHCP"),
    (68, "DHCP"),
    (137, "NetBIOS"),
    (546, "DHCPv6"),
    (547, "DHCPv6"),
    (1900, "SSDP"),
    (5353, "mDNS"),
    (5355, "LLMNR"),
];

/// The two ends of a cable, and what the scenario asks of the device by name.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pub(super) ours: Mac,
    pub(super) theirs: Mac,
    /// Layers that the scenario expects of the device, which are no background traffic.
    pub(super) named: Vec<Proto>,
}

impl Ends {
    /// `None` where the frame is the device's and is captured; else its kind, for the report.
    pub(super) fn ignored(&self, frame: &[u8], outgoing: bool) -> Option<String> {
        let kind = kind(frame);
        if outgoing {
            return Some(format!("{kind} that this host itself sent"));
        }
        let mac = |at: usize| frame.get(at..at + 6).and_then(|mac| mac.try_into().ok()).map(Mac);
        let (to, from) = (mac(0), mac(6));
        let is_device = from == Some(self.theirs) || to == Some(self.ours);
        if !is_device {
            let from = from.map_or_else(|| "nobody".to_owned(), |mac| mac.to_string());
            return Some(format!("{kind} of {from}"));
        }
        match background_layer(frame) {
            Some(proto) if !proto.is_some_and(|proto| self.named.contains(&proto)) => {
                Some(format!("{kind} of the device"))
            }
            _ => None,
        }
    }
}

/// The frame is background traffic, which every host and switch transmits unsolicited: requests for
/// addresses, groups, routers and neighbours. With the layer by which a scenario could ask for it.
fn background_layer(frame: &[u8]) -> Option<Option<Proto>> {
    // IEEE 802.1D: these groups never leave a link. Bridges and LLDP use them.
    if frame.starts_with(&[0x01, 0x80, 0xc2, 0, 0]) {
        return Some(None);
    }
    let view = LaxFrame::parse(frame);
    let to_group = frame.first().is_some_and(|byte| byte & 1 == 1);
    if number(&view, &arp::OPCODE) == Some(1) {
        return Some(Some(Proto::Arp));
    }
    // IGMP (RFC 9776).
    if number(&view, &ip4::PROTOCOL) == Some(2) {
        return Some(None);
    }
    // Groups, routers and neighbours asked for (RFC 2710, 3810, 4861).
    if let Some(130..=133 | 135 | 143) = number(&view, &icmp6::TYPE) {
        return Some(Some(Proto::Icmp6));
    }
    let known = |port: Option<u64>| MULTICAST_UDP.iter().any(|(number, _)| Some(*number) == port);
    (to_group && known(number(&view, &udp::DST))).then_some(Some(Proto::Udp))
}

/// The number in a field of the first layer of its protocol.
fn number(view: &LaxFrame<'_>, field: &Field) -> Option<u64> {
    match view.read(field, 0)? {
        Value::Num(number) => Some(number),
        _ => None,
    }
}

/// What kind of frame it is, in a few words.
fn kind(frame: &[u8]) -> String {
    let view = LaxFrame::parse(frame);
    match number(&view, &arp::OPCODE) {
        Some(1) => return "ARP request".into(),
        Some(2) => return "ARP reply".into(),
        Some(other) => return format!("ARP operation {other}"),
        None => {}
    }
    if let Some(icmp) = number(&view, &icmp6::TYPE) {
        return match icmp {
            130..=132 | 143 => "IPv6 group report".into(),
            133 => "IPv6 router solicitation".into(),
            134 => "IPv6 router advertisement".into(),
            135 => "IPv6 neighbour solicitation".into(),
            136 => "IPv6 neighbour advertisement".into(),
            other => format!("ICMPv6 type {other}"),
        };
    }
    if let Some(port) = number(&view, &udp::DST) {
        let name = MULTICAST_UDP.iter().find(|(number, _)| *number == port);
        return name.map_or_else(|| "UDP".into(), |(_, name)| (*name).to_owned());
    }
    if view.find(Proto::Tcp).is_some() {
        return "TCP".into();
    }
    if view.find(Proto::Icmp4).is_some() {
        return "ICMP".into();
    }
    if let Some(protocol) = number(&view, &ip4::PROTOCOL) {
        return if protocol == 2 { "IGMP".into() } else { format!("IPv4 protocol {protocol}") };
    }
    if view.find(Proto::Ip6).is_some() {
        return "IPv6".into();
    }
    match frame.get(12..14) {
        Some([0x88, 0xcc]) => "LLDP".into(),
        // Below 0x600 it is a length (IEEE 802.3 3.2.6).
        Some([0..6, _]) if frame.starts_with(&[0x01, 0x80, 0xc2, 0, 0, 0]) => "STP".into(),
        Some([0..6, _]) => "LLC".into(),
        Some([high, low]) => format!("Ethernet type 0x{high:02x}{low:02x}"),
        _ => "a frame without a type".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const THEIRS: Mac = Mac([2, 0, 0, 0, 0, 2]);
    const OTHER: Mac = Mac([2, 0, 0, 0, 0, 9]);

    fn frame(to: Mac, from: Mac, rest: &[u8]) -> Vec<u8> {
        [&to.0[..], &from.0, rest].concat()
    }

    fn ends(named: &[Proto]) -> Ends {
        Ends { ours: OURS, theirs: THEIRS, named: named.to_vec() }
    }

    /// An ARP message with this operation.
    fn arp(operation: u8) -> Vec<u8> {
        let mut rest = vec![0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation];
        rest.extend([0; 20]);
        rest
    }

    #[test]
    fn frames_of_the_device_and_frames_to_us_are_captured() {
        let data = [0x88, 0xb5, 1, 2, 3];
        for (to, from) in [(OURS, THEIRS), (OTHER, THEIRS), (OURS, OTHER), (Mac::BROADCAST, THEIRS)]
        {
            assert_eq!(ends(&[]).ignored(&frame(to, from, &data), false), None, "{to} {from}");
        }
        let kind = ends(&[]).ignored(&frame(Mac::BROADCAST, OTHER, &data), false);
        assert_eq!(kind.as_deref(), Some("Ethernet type 0x88b5 of 02:00:00:00:00:09"));
        let kind = ends(&[]).ignored(&frame(OURS, THEIRS, &data), true);
        assert_eq!(kind.as_deref(), Some("Ethernet type 0x88b5 that this host itself sent"));
    }

    #[test]
    fn a_devices_background_traffic_is_ignored_unless_the_scenario_asks_for_it() {
        let request = frame(Mac::BROADCAST, THEIRS, &arp(1));
        let kind = ends(&[Proto::Icmp6]).ignored(&request, false);
        assert_eq!(kind.as_deref(), Some("ARP request of the device"));
        assert_eq!(ends(&[Proto::Arp]).ignored(&request, false), None);
        // An answer is no background traffic: there was a request.
        assert_eq!(ends(&[]).ignored(&frame(OURS, THEIRS, &arp(2)), false), None);
        let lldp = frame(Mac([1, 0x80, 0xc2, 0, 0, 0x0e]), THEIRS, &[0x88, 0xcc, 2, 7]);
        let kind = ends(&[]).ignored(&lldp, false);
        assert_eq!(kind.as_deref(), Some("LLDP of the device"));
    }

    #[test]
    fn no_bytes_are_too_few() {
        for length in 0..60 {
            let bytes = vec![0xff; length];
            let _ = ends(&[]).ignored(&bytes, false);
        }
    }
}
