//! Link types: what the first byte of a captured frame belongs to. Numbers and names are those of
//! <https://www.tcpdump.org/linktypes.html>. Knows no header above the link's own.

use std::fmt;

/// How the frames of a capture's interface begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkType {
    /// Ethernet II or IEEE 802.3, 1: what every wire of wireproof carries.
    #[default]
    Ethernet,
    /// BSD loopback, 0: an address family of four bytes in the byte order of the capturing host.
    Null,
    /// PPP, 9: a protocol number, in some captures behind the address and control bytes of HDLC.
    Ppp,
    /// IPv4 or IPv6 without a header before it, 101, and the numbers 12 and 14 of older files.
    Raw,
    /// IEEE 802.11, 105.
    Ieee80211,
    /// OpenBSD loopback, 108: an address family of four bytes, big-endian.
    Loop,
    /// Linux cooked capture, 113: what `tcpdump -i any` wrote before version 2.
    Sll,
    /// IEEE 802.11 behind a radiotap header, 127.
    Radiotap,
    /// PPP in HDLC-like framing, 50: address, control and a protocol number.
    PppHdlc,
    /// IPv4, 228.
    Ip4,
    /// IPv6, 229.
    Ip6,
    /// Linux cooked capture version 2, 276: what `tcpdump -i any` writes.
    Sll2,
    /// Any other; its frames are not taken apart.
    Other(u16),
}

/// Every link type that can be read: its number, its name without `LINKTYPE_`, and the type.
const TABLE: &[(u16, &str, LinkType)] = &[
    (0, "NULL", LinkType::Null),
    (1, "ETHERNET", LinkType::Ethernet),
    (9, "PPP", LinkType::Ppp),
    (50, "PPP_HDLC", LinkType::PppHdlc),
    (101, "RAW", LinkType::Raw),
    (105, "IEEE802_11", LinkType::Ieee80211),
    (108, "LOOP", LinkType::Loop),
    (113, "LINUX_SLL", LinkType::Sll),
    (127, "IEEE802_11_RADIOTAP", LinkType::Radiotap),
    (228, "IPV4", LinkType::Ip4),
    (229, "IPV6", LinkType::Ip6),
    (276, "LINUX_SLL2", LinkType::Sll2),
];

/// Names of others, so that a refusal can say what a capture has.
const OTHERS: &[(u16, &str)] = &[
    (6, "IEEE802_5"),
    (7, "ARCNET_BSD"),
    (8, "SLIP"),
    (10, "FDDI"),
    (51, "PPP_ETHER"),
    (100, "ATM_RFC1483"),
    (104, "C_HDLC"),
    (107, "FRELAY"),
    (117, "PFLOG"),
    (119, "IEEE802_11_PRISM"),
    (122, "IP_OVER_FC"),
    (123, "SUNATM"),
    (129, "ARCNET_LINUX"),
    (143, "DOCSIS"),
    (144, "LINUX_IRDA"),
    (147, "USER0"),
    (163, "IEEE802_11_AVS"),
    (165, "BACNET_MS_TP"),
    (166, "PPP_PPPD"),
    (169, "GPRS_LLC"),
    (177, "LINUX_LAPD"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4_WITHFCS"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (204, "PPP_WITH_DIR"),
    (205, "C_HDLC_WITH_DIR"),
    (206, "FRELAY_WITH_DIR"),
    (220, "USB_LINUX_MMAPPED"),
    (227, "CAN_SOCKETCAN"),
    (230, "IEEE802_15_4_NOFCS"),
    (239, "NFLOG"),
    (240, "NETANALYZER"),
    (241, "NETANALYZER_TRANSPARENT"),
    (242, "IPOIB"),
    (247, "INFINIBAND"),
    (249, "USBPCAP"),
    (251, "BLUETOOTH_LE_LL"),
    (253, "NETLINK"),
    (254, "BLUETOOTH_LINUX_MONITOR"),
    (256, "BLUETOOTH_LE_LL_WITH_PHDR"),
    (258, "PKTAP"),
    (272, "NORDIC_BLE"),
];

impl LinkType {
    /// The link type of a number in a capture file.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        // DLT_RAW has been 12 and, on OpenBSD, 14.
        let number = if matches!(number, 12 | 14) { 101 } else { number };
        let known = TABLE.iter().find(|(known, ..)| *known == number);
        known.map_or(Self::Other(number), |(_, _, link)| *link)
    }

    /// Its number in a capture file.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Other(number) => number,
            link => {
                TABLE.iter().find(|(.., known)| *known == link).map_or(1, |(number, ..)| *number)
            }
        }
    }

    /// Its frames can be taken apart.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

/// `LINUX_SLL2 (276)`.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        let readable = TABLE.iter().find(|(.., known)| known == self).map(|(_, name, _)| name);
        let other = || OTHERS.iter().find(|(known, _)| *known == number).map(|(_, name)| name);
        match readable.or_else(other) {
            Some(name) => write!(f, "{name} ({number})"),
            None => write!(f, "{number}"),
        }
    }
}

/// The address family of a loopback header, whichever byte order it is in: no family needs more
/// than 16 bits.
pub(crate) const fn loopback_family(bytes: [u8; 4]) -> u32 {
    let family = u32::from_be_bytes(bytes);
    if family > 0xffff { family.swap_bytes() } else { family }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_types_map_both_ways() {
        for (number, name, link) in TABLE {
            assert_eq!(LinkType::from_number(*number), *link);
            assert_eq!(link.number(), *number);
            assert_eq!(link.to_string(), format!("{name} ({number})"));
        }
        assert_eq!(LinkType::from_number(12), LinkType::Raw);
        assert_eq!(LinkType::from_number(147), LinkType::Other(147));
        assert_eq!(LinkType::Other(189).to_string(), "USB_LINUX (189)");
        assert_eq!(LinkType::Other(9_999).to_string(), "9999");
    }
}
