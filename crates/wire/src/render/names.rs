//! Names of numbers: IP protocols, Ethernet types, LLC's access points, ARP's hardware. Each is the
//! name of its registry, or the one that tcpdump and Wireshark write. Knows no frame.

/// Ethernet types: IEEE's registry and IANA's "IEEE 802 Numbers".
const ETHER_TYPES: &[(u16, &str)] = &[
    (0x0600, "XNS IDP"),
    (0x0800, "IPv4"),
    (0x0805, "X.25"),
    (0x0806, "ARP"),
    (0x0808, "Frame Relay ARP"),
    (0x0842, "Wake-on-LAN"),
    (0x0bad, "VINES"),
    (0x22ea, "SRP"),
    (0x22eb, "MSRP"),
    (0x22f0, "AVTP"),
    (0x22f3, "TRILL"),
    (0x22f4, "L2-IS-IS"),
    (0x4305, "B.A.T.M.A.N."),
    (0x6001, "DEC MOP Dump/Load"),
    (0x6002, "DEC MOP Remote Console"),
    (0x6003, "DECnet Phase IV"),
    (0x6004, "DEC LAT"),
    (0x6007, "DEC LAVC"),
    (0x6558, "Transparent Ethernet Bridging"),
    (0x6559, "Raw Frame Relay"),
    (0x8035, "RARP"),
    (0x809b, "AppleTalk"),
    (0x80f3, "AppleTalk ARP"),
    (0x8100, "802.1Q VLAN"),
    (0x8102, "SLPP"),
    (0x8103, "VLACP"),
    (0x8137, "IPX"),
    (0x814c, "SNMP"),
    (0x86dd, "IPv6"),
    (0x876b, "TCP/IP Compression"),
    (0x8808, "Ethernet Flow Control"),
    (0x8809, "Slow Protocols"),
    (0x880b, "PPP"),
    (0x880c, "GSMP"),
    (0x8819, "CobraNet"),
    (0x8847, "MPLS"),
    (0x8848, "MPLS multicast"),
    (0x885d, "NIC test"),
    (0x8863, "PPPoE Discovery"),
    (0x8864, "PPPoE Session"),
    (0x886c, "HomePNA"),
    (0x886d, "Intel ANS probe"),
    (0x886f, "MS NLB heartbeat"),
    (0x8870, "Jumbo LLC"),
    (0x887b, "HomePlug 1.0 MME"),
    (0x888e, "EAPOL"),
    (0x8892, "PROFINET"),
    (0x8899, "Realtek Remote Control"),
    (0x889a, "HyperSCSI"),
    (0x88a2, "ATA over Ethernet"),
    (0x88a4, "EtherCAT"),
    (0x88a8, "802.1ad QinQ"),
    (0x88ab, "Ethernet POWERLINK"),
    (0x88b5, "Local Experimental 1"),
    (0x88b6, "Local Experimental 2"),
    (0x88b7, "OUI Extended"),
    (0x88b8, "GOOSE"),
    (0x88b9, "GSE"),
    (0x88ba, "Sampled Values"),
    (0x88be, "ERSPAN"),
    (0x88bf, "MikroTik RoMON"),
    (0x88c7, "802.11 Preauthentication"),
    (0x88ca, "TIPC"),
    (0x88cc, "LLDP"),
    (0x88cd, "SERCOS III"),
    (0x88d9, "LLTD"),
    (0x88dc, "WSMP"),
    (0x88e1, "HomePlug AV MME"),
    (0x88e3, "Media Redundancy Protocol"),
    (0x88e5, "MACsec"),
    (0x88e7, "Provider Backbone Bridging"),
    (0x88ee, "E-LMI"),
    (0x88f5, "MVRP"),
    (0x88f6, "MMRP"),
    (0x88f7, "PTP"),
    (0x88f8, "NC-SI"),
    (0x88fb, "PRP"),
    (0x8902, "CFM"),
    (0x8906, "FCoE"),
    (0x890d, "802.11 Fast Roaming"),
    (0x8914, "FCoE Initialization"),
    (0x8915, "RoCE"),
    (0x891d, "TTEthernet"),
    (0x8929, "MIH"),
    (0x892f, "HSR"),
    (0x893f, "802.1BR E-Tag"),
    (0x8940, "ECP"),
    (0x894f, "NSH"),
    (0x9000, "Loopback"),
    (0x9100, "VLAN double tag"),
    (0x9a22, "Multi-Topology"),
    (0xa0ed, "LoWPAN"),
    (0xb7ea, "GRE control"),
    (0xc0de, "eXpress Data Path"),
    (0xcafe, "Veritas Low Latency Transport"),
    (0xffff, "Reserved"),
];

/// IP protocols of IANA's registry that have a description and no keyword there, or are newer than
/// the table of names that is used.
const MORE_PROTOCOLS: &[(u8, &str)] = &[
    (61, "any host internal protocol"),
    (63, "any local network"),
    (68, "any distributed file system"),
    (99, "any private encryption scheme"),
    (114, "any 0-hop protocol"),
    (143, "Ethernet"),
    (144, "AGGFRAG"),
    (145, "NSH"),
    (146, "Homa"),
    (147, "BIT-EMU"),
    (253, "experimental"),
    (254, "experimental"),
    (255, "Reserved"),
];

/// LLC's service access points, as tcpdump names them.
const ACCESS_POINTS: &[(u8, &str)] = &[
    (0x00, "Null"),
    (0x02, "802.1B I"),
    (0x03, "802.1B G"),
    (0x04, "SNA"),
    (0x06, "IP"),
    (0x0e, "ProWay NM"),
    (0x42, "STP"),
    (0x8e, "ProWay ASM"),
    (0x98, "ARP"),
    (0xaa, "SNAP"),
    (0xbc, "VINES"),
    (0xe0, "IPX"),
    (0xf0, "NetBeui"),
    (0xf8, "RPL"),
    (0xfe, "ISO CLNS"),
    (0xff, "Global"),
];

/// Types behind SNAP with an organization's own number.
const SNAP_TYPES: &[(u64, u64, &str)] = &[
    (0x00_000c, 0x0102, "DRiP"),
    (0x00_000c, 0x0104, "Port Aggregation"),
    (0x00_000c, 0x010b, "PVST+"),
    (0x00_000c, 0x010c, "VLAN Bridge"),
    (0x00_000c, 0x0111, "UDLD"),
    (0x00_000c, 0x2000, "CDP"),
    (0x00_000c, 0x2001, "CGMP"),
    (0x00_000c, 0x2003, "VTP"),
    (0x00_000c, 0x2004, "DTP"),
    (0x00_000c, 0x200a, "STP Uplink Fast"),
    (0x08_0007, 0x809b, "AppleTalk"),
    (0x08_0007, 0x80f3, "AppleTalk ARP"),
    (0x00_80c2, 0x0001, "Ethernet with FCS"),
    (0x00_80c2, 0x0007, "Ethernet"),
    (0x00_e02b, 0x00bb, "Extreme Discovery"),
];

/// ARP's hardware types, as tcpdump names them.
const HARDWARE: &[(u64, &str)] = &[
    (1, "Ethernet"),
    (2, "Experimental Ethernet"),
    (3, "AX.25"),
    (4, "ProNET"),
    (5, "Chaos"),
    (6, "TokenRing"),
    (7, "ArcNet"),
    (8, "Hyperchannel"),
    (15, "FrameRelay"),
    (16, "ATM"),
    (17, "HDLC"),
    (18, "FibreChannel"),
    (19, "ATM"),
    (20, "Serial Line"),
    (21, "ATM"),
    (24, "IEEE1394"),
    (27, "EUI-64"),
    (31, "IPsec tunnel"),
    (32, "Infiniband"),
    (256, "HW_EXP2"),
];

/// Protocols of PPP, IANA's "PPP Numbers".
const PPP: &[(u64, &str)] = &[
    (0x0021, "IP"),
    (0x002d, "VJC"),
    (0x002f, "VJNC"),
    (0x003d, "MLPPP"),
    (0x0053, "Encrypted"),
    (0x0057, "IP6"),
    (0x00fd, "Compressed"),
    (0x0281, "MPLS"),
    (0x8021, "IPCP"),
    (0x8053, "ECP"),
    (0x8057, "IP6CP"),
    (0x80fd, "CCP"),
    (0x8281, "MPLSCP"),
    (0xc021, "LCP"),
    (0xc023, "PAP"),
    (0xc025, "LQR"),
    (0xc029, "CBCP"),
    (0xc02b, "BACP"),
    (0xc02d, "BAP"),
    (0xc223, "CHAP"),
    (0xc227, "EAP"),
];

fn find<K: Copy + PartialEq>(table: &[(K, &'static str)], key: K) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == key).map(|(_, name)| *name)
}

/// The name of an Ethernet type.
pub(super) fn ether_type(number: u64) -> Option<&'static str> {
    find(ETHER_TYPES, u16::try_from(number).ok()?)
}

/// The keyword of IANA's registry of protocol numbers, `TCP`, `IPv6-Frag`, or its description.
pub(super) fn ip_protocol(number: u64) -> Option<&'static str> {
    let number = u8::try_from(number).ok()?;
    find(MORE_PROTOCOLS, number).or_else(|| etherparse::IpNumber(number).keyword_str())
}

/// The name of an LLC access point, whose lowest bit tells a group or a response.
pub(super) fn access_point(number: u64) -> &'static str {
    let number = number as u8;
    find(ACCESS_POINTS, number).or_else(|| find(ACCESS_POINTS, number & 0xfe)).unwrap_or("Unknown")
}

/// The name of an organization's type behind SNAP.
pub(super) fn snap_type(oui: u64, number: u64) -> Option<&'static str> {
    let known = SNAP_TYPES.iter().find(|(of, known, _)| (*of, *known) == (oui, number));
    known.map(|(.., name)| *name).or_else(|| ether_type(number).filter(|_| oui == 0))
}

/// The name of ARP's hardware type.
pub(super) fn hardware(number: u64) -> Option<&'static str> {
    find(HARDWARE, number)
}

/// The name of a PPP protocol.
pub(super) fn ppp(number: u64) -> Option<&'static str> {
    find(PPP, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_name_each_number_once() {
        assert!(ETHER_TYPES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(MORE_PROTOCOLS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ACCESS_POINTS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(HARDWARE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(PPP.is_sorted_by(|a, b| a.0 < b.0));
    }

    /// IANA's registry of 2024 assigns 0 to 147, and 253 to 255.
    #[test]
    fn every_assigned_ip_protocol_has_a_name() {
        for number in 0..=255 {
            let assigned = number <= 147 || number >= 253;
            assert_eq!(ip_protocol(number).is_some(), assigned, "{number}");
        }
    }
}
