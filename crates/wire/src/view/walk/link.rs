//! The header that a frame begins with, by the capture's link type. What follows is told by a type
//! of Ethernet, by LLC or by PPP, and goes the common way.

use super::{Kind, Next, Walk, u16_at};
use crate::LinkType;
use crate::field::Proto;
use crate::fields::radiotap;
use crate::link_type::loopback_family;

/// Radiotap's flags: a frame check sequence stands at the end, the header is padded to 4 bytes.
const FCS_AT_END: u8 = 0x10;
const PADDED: u8 = 0x20;

impl Walk<'_> {
    /// The link's own header; `fcs_len` is what the capture says of a frame check sequence.
    pub(super) fn link(&mut self, link: LinkType, fcs_len: usize) -> Next {
        match link {
            LinkType::Ethernet => Some((Kind::Ethernet, 0)),
            LinkType::Ip4 => Some((Kind::Type(0x0800), 0)),
            LinkType::Ip6 => Some((Kind::Type(0x86dd), 0)),
            LinkType::Raw => Some((self.version(), 0)),
            LinkType::Null | LinkType::Loop => self.loopback(),
            LinkType::Sll => self.cooked(Proto::Sll, 16, 14),
            LinkType::Sll2 => self.cooked(Proto::Sll2, 20, 0),
            LinkType::Ppp | LinkType::PppHdlc => self.serial(link),
            LinkType::Ieee80211 => self.wlan(0, false),
            LinkType::Radiotap => self.radiotap(fcs_len),
            LinkType::Other(_) => Some((Kind::Payload, 0)),
        }
    }

    /// IP of either version, by its first four bits.
    fn version(&self) -> Kind {
        match self.bytes.first().map_or(0, |byte| byte >> 4) {
            4 => Kind::Type(0x0800),
            6 => Kind::Type(0x86dd),
            _ => Kind::Payload,
        }
    }

    /// The family is that of the system that captured, in its byte order; AF_INET6 has a number of
    /// its own in each BSD.
    fn loopback(&mut self) -> Next {
        let head = self.claim(Proto::Null, 0, 4)?;
        let kind = match loopback_family([head[0], head[1], head[2], head[3]]) {
            2 => Kind::Type(0x0800),
            24 | 28 | 30 => Kind::Type(0x86dd),
            _ => Kind::Payload,
        };
        self.push(Proto::Null, 0, 4);
        Some((kind, 4))
    }

    /// A cooked header of that length, with its type at that place.
    fn cooked(&mut self, proto: Proto, length: usize, type_at: usize) -> Next {
        /// The hardware whose frames have no Ethernet type here: netlink, and 802.11 as captured.
        const OTHER: [u16; 4] = [801, 802, 803, 824];
        let head = self.claim(proto, 0, length)?;
        let hardware = u16_at(head, if proto == Proto::Sll { 2 } else { 8 });
        let kind = match u16_at(head, type_at) {
            _ if OTHER.contains(&hardware) => Kind::Payload,
            4 => Kind::Llc,
            0..0x600 => Kind::Payload,
            kind => Kind::Type(kind),
        };
        self.push(proto, 0, length);
        Some((kind, length))
    }

    /// PPP on a serial line, or what Cisco's routers put there.
    fn serial(&mut self, link: LinkType) -> Next {
        let head = self.claim(Proto::Ppp, 0, 1)?;
        if matches!(head[0], 0 | 1 | 0xff) {
            self.claim(Proto::Hdlc, 0, 2)?;
        }
        let kind = match (link, &*head) {
            (LinkType::PppHdlc, [0x0f | 0x8f, ..]) => {
                let head = self.claim(Proto::Chdlc, 0, 4)?;
                self.push(Proto::Chdlc, 0, 4);
                return Some(match u16_at(head, 2) {
                    // 0x8035 is Cisco's own SLARP here, not RARP.
                    0..0x600 | 0x8035 => (Kind::Payload, 4),
                    kind => (Kind::Type(kind), 4),
                });
            }
            // In place of the address, the direction; or an address that is not the usual one.
            (LinkType::Ppp, [0 | 1, 3, ..]) => Kind::Ppp,
            (LinkType::PppHdlc, [first, _, ..]) if *first != 0xff => Kind::Ppp,
            _ => return Some((Kind::Ppp, 0)),
        };
        self.push(Proto::Hdlc, 0, 2);
        Some((kind, 2))
    }

    fn radiotap(&mut self, fcs_len: usize) -> Next {
        let head = self.claim(Proto::Radiotap, 0, 8)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let flags = radiotap_flags(&head[..length.clamp(8, head[..].len())]);
        let end = self.header(&radiotap::LENGTH, 0, 8, length)?;
        self.push(Proto::Radiotap, 0, end);
        if flags & FCS_AT_END != 0 && fcs_len == 0 {
            self.limit = self.limit.saturating_sub(4).max(end);
        }
        self.wlan(end, flags & PADDED != 0)
    }

    /// Only data frames carry more than their own; what is protected stays closed.
    fn wlan(&mut self, at: usize, padded: bool) -> Next {
        let head = self.claim(Proto::Wlan, at, 2)?;
        let (kind, subtype, flags) = (head[0] >> 2 & 3, head[0] >> 4, head[1]);
        let data = kind == 2;
        let length = match (kind, subtype) {
            (0, _) => 24,
            (1, 8..=11 | 14 | 15) => 16,
            (1, _) => 10,
            (2, _) if flags & 3 == 3 => 30,
            (2, _) => 24,
            _ => 2,
        };
        let head = self.claim(Proto::Wlan, at, length)?;
        self.push(Proto::Wlan, at, at + length);
        let mut end = at + length;
        let mut aggregated = false;
        if data && subtype & 8 != 0 {
            let length = if flags & 0x80 != 0 { 6 } else { 2 };
            let qos = self.claim(Proto::WlanQos, end, length)?;
            aggregated = qos[0] & 0x80 != 0;
            self.push(Proto::WlanQos, end, end + length);
            end += length;
        }
        let later = length >= 24 && head[22] & 0x0f != 0;
        let opaque = flags & 0x40 != 0 || aggregated || later;
        let body = if padded { at + (end - at).next_multiple_of(4) } else { end };
        if let Some(last) = self.layers.last_mut() {
            last.end = body.min(self.limit);
        }
        if body >= self.limit {
            return None;
        }
        let open = data && subtype & 4 == 0 && !opaque;
        Some((if open { Kind::Llc } else { Kind::Payload }, body))
    }
}

/// Radiotap's flags field, which stands behind the presence words and a timer; 0 without one.
fn radiotap_flags(header: &[u8]) -> u8 {
    let word = |at: usize| {
        let four = header.get(at..at + 4)?;
        Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    };
    let Some(present) = word(4) else { return 0 };
    let (mut at, mut last) = (8, present);
    while last & 0x8000_0000 != 0 {
        let Some(next) = word(at) else { return 0 };
        (at, last) = (at + 4, next);
    }
    if present & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if present & 2 == 0 { 0 } else { header.get(at).copied().unwrap_or(0) }
}
