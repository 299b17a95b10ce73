//! The headers that carry other packets and are not IP's: LLC, AH, GRE, VXLAN, PPPoE and PPP.

use super::{Fault, Kind, Next, Walk, u16_at};
use crate::field::Proto;
use crate::fields::{ah, gre, pppoe};

/// IANA's port of VXLAN.
const VXLAN_PORT: u16 = 4789;

impl Walk<'_> {
    /// A frame of IEEE 802.3, whose type field is a length. Behind it follows LLC, or what Novell
    /// put there before LLC was.
    pub(super) fn ieee(&mut self, length: usize, at: usize) -> Kind {
        let had = self.limit - at;
        if (1..had).contains(&length) {
            self.limit = at + length;
        }
        let novell = self.bytes.get(at..).is_some_and(|rest| rest.starts_with(&[0xff, 0xff]));
        let short = self.limit - at < 3;
        if novell || short { Kind::Payload } else { Kind::Llc }
    }

    pub(super) fn llc(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Llc, at, 3)?;
        // Frames that are numbered have a control field of two bytes.
        let length = if head[2] & 3 == 3 { 3 } else { 4 };
        self.claim(Proto::Llc, at, length)?;
        self.push(Proto::Llc, at, at + length);
        let at = at + length;
        match *head {
            [0xaa, 0xaa, 3, a, b, c, high, low, ..] => {
                self.push(Proto::Snap, at, at + 5);
                let kind = u16::from_be_bytes([high, low]);
                // RFC 1042, and the number of bridges that tunnelled Ethernet II (802.1H).
                let ethernet = matches!([a, b, c], [0, 0, 0 | 0xf8]) && kind >= 0x600;
                Some((if ethernet { Kind::Type(kind) } else { Kind::Payload }, at + 5))
            }
            [6, 6, 3, ..] => Some((Kind::Type(0x0800), at)),
            _ => Some((Kind::Payload, at)),
        }
    }

    /// The datagram is for VXLAN's port and begins as RFC 7348 5 demands, with the I flag and a
    /// frame behind the header; else it is payload that happens to go there.
    pub(super) fn is_vxlan(&self, datagram: &[u8]) -> bool {
        let valid = matches!(datagram.get(8), Some(flags) if flags & 0x08 != 0);
        valid && datagram.len() >= 30 && u16_at(datagram, 2) == VXLAN_PORT && !self.fragment
    }

    pub(super) fn vxlan(&mut self, at: usize) -> Next {
        self.claim(Proto::Vxlan, at, 8)?;
        self.push(Proto::Vxlan, at, at + 8);
        Some((Kind::Ethernet, at + 8))
    }

    pub(super) fn ah(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Ah, at, 12)?;
        let next = head[0];
        // Words of four bytes, less 2 (RFC 4302 2.2).
        let end = self.header(&ah::LENGTH, at, 12, (usize::from(head[1]) + 2) * 4)?;
        self.push(Proto::Ah, at, end);
        Some((Kind::Protocol(next), end))
    }

    pub(super) fn gre(&mut self, at: usize) -> Next {
        let head = self.claim(Proto::Gre, at, 4)?;
        let (flags, kind) = (u16_at(head, 0), u16_at(head, 2));
        let version = flags & 7;
        // Checksum, key, sequence number; version 1 has an acknowledgment number too.
        let parts = [flags & 0xc000, flags & 0x2000, flags & 0x1000, flags & (0x0080 * version)];
        let length = if version > 1 { 4 } else { 4 + 4 * count(parts) };
        let end = self.header(&gre::HAS_CHECKSUM, at, 4, length)?;
        self.push(Proto::Gre, at, end);
        if end == self.limit {
            return None;
        }
        let opaque = version > 1 || flags & 0x4000 != 0 || self.fragment;
        let kind = match kind {
            _ if opaque => Kind::Payload,
            0x880b => Kind::Ppp,
            0..0x600 => Kind::Payload,
            kind => Kind::Type(kind),
        };
        Some((kind, end))
    }

    /// Of discovery, with the tags as part of the header, or of a session.
    pub(super) fn pppoe(&mut self, at: usize, discovery: bool) -> Next {
        let head = self.claim(Proto::Pppoe, at, 6)?;
        let (length, had) = (usize::from(u16_at(head, 4)), head.len() - 6);
        self.must_be(&pppoe::VERSION, at, 1, head[0] >> 4);
        if length > had {
            self.fault(Fault::Short, &pppoe::LENGTH, at, (6 + length, 6 + had));
            self.truncated = true;
        } else {
            self.limit = at + 6 + length;
        }
        let end = if discovery { self.limit } else { at + 6 };
        self.push(Proto::Pppoe, at, end);
        (!discovery).then_some((Kind::Ppp, end))
    }

    /// The protocol number of PPP; one whose first byte is odd is compressed to it, RFC 1661 6.5.
    pub(super) fn ppp(&mut self, at: usize) -> Next {
        let mut head = self.claim(Proto::Ppp, at, 1)?;
        let mut at = at;
        if head.starts_with(&[0xff, 0x03]) {
            self.push(Proto::Hdlc, at, at + 2);
            at += 2;
            head = self.claim(Proto::Ppp, at, 1)?;
        }
        let (number, end) = match &*head {
            [first, ..] if first & 1 == 1 => (u16::from(*first), at + 1),
            [_, _, ..] => (u16_at(head, 0), at + 2),
            _ => {
                self.claim(Proto::Ppp, at, 2)?;
                return None;
            }
        };
        self.push(Proto::Ppp, at, end);
        let kind = match number {
            0x0021 => Kind::Type(0x0800),
            0x0057 => Kind::Type(0x86dd),
            _ => Kind::Payload,
        };
        Some((kind, end))
    }
}

fn count(parts: [u16; 4]) -> usize {
    parts.iter().filter(|part| **part != 0).count()
}
