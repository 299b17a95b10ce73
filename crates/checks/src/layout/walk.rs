//! The walk from the link's header to what IP carries. A header past the end of the datagram is a
//! fault of the sender; one past the end of what was captured is nobody's. Applies no rule.

use wire::segment::{LinkHeader, extension_len, is_offloaded, jumbo_length};
use wire::view::lax;
use wire::{Frame, LinkType, Proto};

use super::{Claim, Fault, HeaderLayout, Net, Part, Upper, be16};
use crate::report::Why;

/// Nothing follows, RFC 8200 4.7.
const NO_NEXT_HEADER: u8 = 59;

/// UDP ports of tunnels: GTP-U, ESP behind a NAT, VXLAN, Geneve.
const TUNNELS: [u16; 4] = [2152, 4500, 4789, 6081];

impl HeaderLayout {
    #[inline(never)]
    pub(super) fn walk(&mut self, frame: &[u8], link: LinkType) {
        self.ethernet = link == LinkType::Ethernet;
        let kind = if self.ethernet { self.tags(frame) } else { self.behind(frame, link) };
        let Some(kind) = kind else { return };
        match kind {
            0x0800 => self.ip4(frame),
            0x86dd => self.ip6(frame),
            0x0806 => self.arp(frame),
            0..0x0600 => self.unread = Some(Why::Llc),
            _ => self.unread = Some(Why::EtherType(kind)),
        }
        self.cut |= self.end > frame.len();
    }

    /// What stands behind the header of another link.
    fn behind(&mut self, frame: &[u8], link: LinkType) -> Option<u16> {
        match LinkHeader::of(link, frame) {
            Some(header) if is_told(header, frame, link) => {
                self.net_at = header.len;
                Some(header.ethertype)
            }
            _ => self.viewed(frame, link),
        }
    }

    /// The same, where the place varies and the views find it.
    #[cold]
    fn viewed(&mut self, frame: &[u8], link: LinkType) -> Option<u16> {
        self.net_at = 0;
        let captured = Frame { bytes: frame, link, original_len: self.wire_len, fcs_len: 0 };
        let view = lax(captured);
        let known = view.layers().first().is_some_and(|layer| layer.proto != Proto::Eth);
        let net = view.layers().iter().find_map(|layer| match layer.proto {
            Proto::Ip4 => Some((0x0800, layer.start)),
            Proto::Ip6 => Some((0x86dd, layer.start)),
            Proto::Arp => Some((0x0806, layer.start)),
            _ => None,
        });
        match net.filter(|_| known) {
            Some((kind, start)) => {
                self.net_at = start;
                Some(kind)
            }
            None => {
                self.unread = Some(Why::Link(link));
                None
            }
        }
    }

    /// The type behind the Ethernet header and its VLAN tags.
    fn tags(&mut self, frame: &[u8]) -> Option<u16> {
        if !self.has(frame, 0, 14, self.wire_len, Claim::EthHeader) {
            return None;
        }
        let header = LinkHeader::ethernet(frame)?;
        self.net_at = header.len;
        self.vlans = u8::try_from((header.len - 14) / 4).unwrap_or(u8::MAX);
        if header.ends_in_tag() {
            let needed = header.len + 4;
            match self.wire_len < needed {
                true => self.stop(Claim::EthHeader, needed, self.wire_len),
                false => self.cut = true,
            }
            return None;
        }
        Some(header.ethertype)
    }

    /// `len` bytes stand at `at`, before `limit`. Where they do not, the walk has to end.
    #[inline]
    fn has(&mut self, frame: &[u8], at: usize, len: usize, limit: usize, claim: Claim) -> bool {
        if at + len > limit {
            self.stop(claim, len, limit.saturating_sub(at));
            return false;
        }
        if at + len > frame.len() {
            self.cut = true;
            return false;
        }
        true
    }

    /// The walk ends here: `claimed` bytes were needed or said, and there are `had`.
    #[cold]
    fn stop(&mut self, claim: Claim, claimed: usize, had: usize) {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.fault = Some(Fault { claim, claimed: clip(claimed), had: clip(had) });
    }

    fn arp(&mut self, frame: &[u8]) {
        self.net = Net::Arp;
        let left = self.wire_len - self.net_at;
        if left < 8 {
            return self.stop(Claim::Arp, 28, left);
        }
        if !self.has(frame, self.net_at, 8, self.wire_len, Claim::Arp) {
            return;
        }
        let message = &frame[self.net_at..];
        let (hw, proto) = (usize::from(message[4]), usize::from(message[5]));
        let ethernet_ip4 = be16(message, 0) == 1 && be16(message, 2) == 0x0800;
        let claimed = 8 + 2 * (hw + proto);
        if claimed > left || (ethernet_ip4 && (hw, proto) != (6, 4)) {
            return self.stop(Claim::Arp, claimed, left);
        }
        self.end = self.net_at + claimed;
        self.upper_at = self.end;
    }

    #[inline]
    fn ip4(&mut self, frame: &[u8]) {
        self.net = Net::Ip4;
        if !self.has(frame, self.net_at, 20, self.wire_len, Claim::Ip4Header) {
            return;
        }
        let (header, left) = (&frame[self.net_at..], self.wire_len - self.net_at);
        if header[0] >> 4 != 4 {
            return self.stop(Claim::Ip4Version, usize::from(header[0] >> 4), 4);
        }
        let ihl = usize::from(header[0] & 15) * 4;
        if ihl < 20 || ihl > left {
            return self.stop(Claim::Ip4Ihl, ihl, left);
        }
        let total = match usize::from(be16(header, 2)) {
            0 if is_offloaded(header[9], left) => {
                self.unread = Some(Why::Offloaded);
                left
            }
            total => total,
        };
        if total < ihl || total > left {
            if header.len() >= ihl {
                self.net_end = self.net_at + ihl;
            }
            return self.stop(Claim::Ip4Total, total, left);
        }
        self.upper_at = self.net_at + ihl;
        self.end = self.net_at + total;
        let fragment = be16(header, 6);
        if fragment & 0x3fff != 0 {
            self.part = if fragment & 0x1fff == 0 { Part::First } else { Part::Later };
        }
        self.plain = ihl == 20;
        if header.len() < ihl {
            self.cut = true;
            return;
        }
        self.net_end = self.net_at + ihl;
        if ihl > 20 && source_routed(&header[20..ihl]) {
            self.unread = Some(Why::SourceRoute);
            return;
        }
        self.upper(frame, header[9], Upper::Icmp4, 1);
    }

    #[inline]
    fn ip6(&mut self, frame: &[u8]) {
        self.net = Net::Ip6;
        if !self.has(frame, self.net_at, 40, self.wire_len, Claim::Ip6Header) {
            return;
        }
        let (header, left) = (&frame[self.net_at..], self.wire_len - self.net_at - 40);
        if header[0] >> 4 != 6 {
            return self.stop(Claim::Ip6Version, usize::from(header[0] >> 4), 6);
        }
        let next = header[6];
        let payload = match usize::from(be16(header, 4)) {
            0 if next == 0 => match self.jumbo(&header[40..]) {
                Some(length) => length,
                None => {
                    self.unread = Some(Why::Jumbogram);
                    return;
                }
            },
            0 if is_offloaded(next, left + 40) => {
                self.unread = Some(Why::Offloaded);
                left
            }
            payload => payload,
        };
        if payload > left {
            return self.stop(Claim::Ip6Payload, payload, left);
        }
        self.upper_at = self.net_at + 40;
        self.end = self.upper_at + payload;
        self.extensions(frame, next);
    }

    /// The length that a jumbogram's option states, RFC 2675 2.
    #[cold]
    fn jumbo(&mut self, payload: &[u8]) -> Option<usize> {
        self.plain = false;
        let end = 8 + usize::from(*payload.get(1)?) * 8;
        jumbo_length(payload.get(..end)?)
    }

    /// Steps over extension headers, RFC 8200 4.
    #[inline]
    fn extensions(&mut self, frame: &[u8], mut next: u8) {
        while matches!(next, 0 | 43 | 44 | 60) {
            self.plain = false;
            let at = self.upper_at;
            if !self.has(frame, at, 8, self.end, Claim::Ip6Extension) {
                return;
            }
            let left = self.end - at;
            let length = extension_len(next, frame[at + 1]).unwrap_or(8);
            if length > left {
                return self.stop(Claim::Ip6Extension, length, left);
            }
            self.upper_at += length;
            if next == 44 {
                self.fragment_at = Some(at);
                let word = be16(frame, at + 2);
                if word & 0xfff8 != 0 {
                    self.part = Part::Later;
                    return;
                }
                if word & 1 != 0 {
                    self.part = Part::First;
                }
            }
            if next == 43 && frame[at + 3] != 0 {
                // Segments are left: the final destination stands in the header, not in `dst`.
                self.unread = Some(Why::SourceRoute);
                return;
            }
            next = frame[at];
        }
        self.upper(frame, next, Upper::Icmp6, 58);
    }

    /// Looks at what IP carries: `icmp` is the family's own ICMP under protocol number `number`.
    #[inline]
    fn upper(&mut self, frame: &[u8], protocol: u8, icmp: Upper, number: u8) {
        if self.part == Part::Later {
            return;
        }
        let left = self.end - self.upper_at;
        let whole = self.part == Part::Whole;
        match protocol {
            6 | 17 => {
                let (length, claim) =
                    if protocol == 6 { (20, Claim::TcpHeader) } else { (8, Claim::UdpHeader) };
                // A first fragment may end anywhere; the rest of the header is in the next.
                if left < length && !whole {
                    return;
                }
                if !self.has(frame, self.upper_at, length, self.end, claim) {
                    return;
                }
                if protocol == 6 { self.tcp(frame, left) } else { self.udp(frame, left) }
            }
            n if n == number => {
                if left >= 4 && frame.len() >= self.upper_at + 4 {
                    self.upper = icmp;
                }
            }
            NO_NEXT_HEADER => {}
            n => self.unread = Some(Why::Protocol(n)),
        }
    }

    #[inline]
    fn tcp(&mut self, frame: &[u8], left: usize) {
        self.upper = Upper::Tcp;
        let offset = usize::from(frame[self.upper_at + 12] >> 4) * 4;
        if offset < 20 || (offset > left && self.part == Part::Whole) {
            self.stop(Claim::TcpOffset, offset, left);
        }
    }

    fn udp(&mut self, frame: &[u8], left: usize) {
        self.upper = Upper::Udp;
        let length = usize::from(be16(frame, self.upper_at + 4));
        if self.part == Part::Whole && (length < 8 || length > left) {
            self.stop(Claim::UdpLength, length, left);
        }
        let to = be16(frame, self.upper_at + 2);
        if TUNNELS.contains(&to) {
            self.unread = Some(Why::Tunnel(to));
        }
    }
}

/// The header tells by itself what follows: IP without a link's header, or IP or ARP that begins.
fn is_told(header: LinkHeader, frame: &[u8], link: LinkType) -> bool {
    let bare = matches!(link, LinkType::Raw | LinkType::Ip4 | LinkType::Ip6);
    let begins = frame.len() > header.len;
    bare || (begins && matches!(header.ethertype, 0x0800 | 0x86dd | 0x0806))
}

/// A loose or strict source route is among these IPv4 options: the pseudo-header's destination is
/// then the route's last hop, RFC 9293 3.9.2.1.
fn source_routed(options: &[u8]) -> bool {
    let mut rest = options;
    while let [kind, tail @ ..] = rest {
        match kind {
            0 => return false,
            1 => rest = tail,
            131 | 137 => return true,
            _ => match tail.first() {
                Some(&length) if length >= 2 && usize::from(length) <= rest.len() => {
                    rest = &rest[usize::from(length)..];
                }
                _ => return false,
            },
        }
    }
    false
}
