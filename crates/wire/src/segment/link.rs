//! Where the network layer of a frame begins: behind an Ethernet header and its VLAN tags, or
//! behind the header of another link that has its protocol at a fixed place. Knows no header above
//! the link's own. Links whose headers vary, such as IEEE 802.11, are for the views.

use crate::LinkType;
use crate::link_type::loopback_family;

/// Hardware of Linux cooked captures whose frames have no Ethernet type: netlink, and 802.11.
const UNTYPED: [u16; 4] = [801, 802, 803, 824];

/// The header of a link and the VLAN tags behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkHeader {
    /// The Ethernet type of what follows. That of a VLAN tag where the bytes end inside the tag.
    pub ethertype: u16,
    /// Bytes of the link's header and of the tags that are whole.
    pub len: usize,
}

impl LinkHeader {
    /// That of an Ethernet frame; `None` where it ends inside the 14 bytes.
    #[inline(always)]
    #[must_use]
    pub fn ethernet(frame: &[u8]) -> Option<Self> {
        frame.first_chunk::<14>()?;
        Some(Self { ethertype: number(frame, 12), len: 14 }.behind_tags(frame))
    }

    /// That of a frame of any link type; `None` where the type is not at a place that is fixed, or
    /// the frame ends before it.
    #[inline]
    #[must_use]
    pub fn of(link: LinkType, frame: &[u8]) -> Option<Self> {
        let header = |ethertype: u16, len: usize| Some(Self { ethertype, len });
        match link {
            LinkType::Ethernet => Self::ethernet(frame),
            LinkType::Ip4 => header(0x0800, 0),
            LinkType::Ip6 => header(0x86dd, 0),
            LinkType::Raw => match frame.first()? >> 4 {
                4 => header(0x0800, 0),
                6 => header(0x86dd, 0),
                _ => None,
            },
            LinkType::Null | LinkType::Loop => match loopback_family(*frame.first_chunk()?) {
                2 => header(0x0800, 4),
                24 | 28 | 30 => header(0x86dd, 4),
                _ => None,
            },
            LinkType::Sll => Self::cooked(frame, 16, (2, 14)),
            LinkType::Sll2 => Self::cooked(frame, 20, (8, 0)),
            LinkType::Ppp | LinkType::PppHdlc => {
                let framed = frame.starts_with(&[0xff, 0x03]);
                if link == LinkType::PppHdlc && !framed {
                    return None;
                }
                let at = if framed { 2 } else { 0 };
                match frame.get(at..at + 2)? {
                    [0x00, 0x21] => header(0x0800, at + 2),
                    [0x00, 0x57] => header(0x86dd, at + 2),
                    _ => None,
                }
            }
            LinkType::Ieee80211 | LinkType::Radiotap | LinkType::Other(_) => None,
        }
    }

    /// A cooked header of that length, with hardware and Ethernet type at these places.
    fn cooked(frame: &[u8], len: usize, (hardware, kind): (usize, usize)) -> Option<Self> {
        let header = frame.get(..len)?;
        if UNTYPED.contains(&number(header, hardware)) || number(header, kind) < 0x600 {
            return None;
        }
        Some(Self { ethertype: number(header, kind), len }.behind_tags(frame))
    }

    /// 802.1Q, 802.1ad, and the number that older bridges used for the outer tag.
    #[inline(always)]
    fn behind_tags(mut self, frame: &[u8]) -> Self {
        while self.ends_in_tag()
            && let Some(tag) = frame.get(self.len..self.len + 4)
        {
            self.ethertype = number(tag, 2);
            self.len += 4;
        }
        self
    }

    /// The frame ends inside a VLAN tag.
    #[inline]
    #[must_use]
    pub const fn ends_in_tag(&self) -> bool {
        matches!(self.ethertype, 0x8100 | 0x88a8 | 0x9100)
    }
}

/// The caller has made sure that the bytes are there.
#[inline(always)]
fn number(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Frame, Proto, view};

    const LINKS: [LinkType; 10] = [
        LinkType::Ethernet,
        LinkType::Ip4,
        LinkType::Ip6,
        LinkType::Raw,
        LinkType::Null,
        LinkType::Loop,
        LinkType::Sll,
        LinkType::Sll2,
        LinkType::Ppp,
        LinkType::PppHdlc,
    ];

    /// Headers of which each is read under each link type.
    const HEADERS: [&[u8]; 12] = [
        &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00],
        &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 0x86, 0xdd],
        &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 7, 0x91, 0, 0, 8, 0x08, 0x06],
        &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00],
        &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0, 0, 7, 0x86, 0xdd],
        &[0, 0, 3, 0x38, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00],
        &[0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        &[2, 0, 0, 0],
        &[0, 0, 0, 30],
        &[0xff, 3, 0, 0x21],
        &[0, 0x57],
        &[],
    ];

    fn packet(version: u8) -> Vec<u8> {
        let mut packet = vec![0; 60];
        packet[0] = if version == 4 { 0x45 } else { 0x60 };
        if version == 4 {
            packet[3] = 60;
        } else {
            packet[5] = 20;
        }
        packet
    }

    /// What is found here, the view finds at the same place.
    fn agrees_with_the_view(link: LinkType, bytes: &[u8]) {
        let Some(header) = LinkHeader::of(link, bytes) else { return };
        let frame = Frame { bytes, link, original_len: bytes.len(), fcs_len: 0 };
        let lax = view::lax(frame);
        let proto = match header.ethertype {
            0x0800 => Proto::Ip4,
            0x86dd => Proto::Ip6,
            0x0806 => Proto::Arp,
            _ => return,
        };
        if bytes.len() > header.len {
            let at = lax.find(proto).map(|layer| layer.start);
            let stop = lax.stop().map(|error| error.offset);
            assert!(at.or(stop) == Some(header.len), "{link}: {bytes:02x?}, {header:?}, {lax:?}");
        }
    }

    #[test]
    fn each_link_type_has_its_own_places() {
        let of = |link, header: &[u8], version| {
            LinkHeader::of(link, &[header, &packet(version)].concat())
                .map(|header| (header.ethertype, header.len))
        };
        assert_eq!(of(LinkType::Ethernet, HEADERS[0], 4), Some((0x0800, 14)));
        assert_eq!(of(LinkType::Ethernet, HEADERS[1], 6), Some((0x86dd, 18)));
        assert_eq!(of(LinkType::Ethernet, HEADERS[2], 4), Some((0x0806, 22)));
        assert_eq!(of(LinkType::Sll, HEADERS[3], 4), Some((0x0800, 16)));
        assert_eq!(of(LinkType::Sll, HEADERS[4], 6), Some((0x86dd, 20)));
        assert_eq!(of(LinkType::Sll, HEADERS[5], 4), None, "netlink");
        assert_eq!(of(LinkType::Sll2, HEADERS[6], 6), Some((0x86dd, 20)));
        assert_eq!(of(LinkType::Null, HEADERS[7], 4), Some((0x0800, 4)));
        assert_eq!(of(LinkType::Loop, HEADERS[8], 6), Some((0x86dd, 4)));
        assert_eq!(of(LinkType::PppHdlc, HEADERS[9], 4), Some((0x0800, 4)));
        assert_eq!(of(LinkType::PppHdlc, HEADERS[10], 6), None, "no address before it");
        assert_eq!(of(LinkType::Ppp, HEADERS[10], 6), Some((0x86dd, 2)));
        assert_eq!(of(LinkType::Raw, &[], 4), Some((0x0800, 0)));
        assert_eq!(of(LinkType::Raw, &[], 6), Some((0x86dd, 0)));
        assert_eq!(of(LinkType::Ieee80211, &[], 4), None);
    }

    #[test]
    fn a_frame_that_ends_inside_a_tag_has_the_tags_type() {
        let whole = HEADERS[1];
        for len in 14..18 {
            let header = LinkHeader::ethernet(&whole[..len]).unwrap();
            assert_eq!((header.ethertype, header.len), (0x8100, 14), "{len} bytes");
            assert!(header.ends_in_tag());
        }
        assert!(!LinkHeader::ethernet(whole).unwrap().ends_in_tag());
        assert_eq!(LinkHeader::ethernet(&whole[..13]), None);
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_view(
            link in prop::sample::select(&LINKS[..]),
            header in prop::sample::select(&HEADERS[..]),
            (version, cut) in (prop_oneof![Just(4u8), Just(6)], 0usize..90),
            change in prop::option::of((0usize..30, any::<u8>())),
        ) {
            let mut bytes = [header, &packet(version)].concat();
            if let Some((at, byte)) = change && at < bytes.len() {
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(20)));
            agrees_with_the_view(link, &bytes);
        }
    }
}
