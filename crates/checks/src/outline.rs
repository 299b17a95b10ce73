//! Where the headers of one frame lie, and the first length in it that does not hold.
//!
//! One walk a frame, without allocation, that all checks share. Knows positions and claimed
//! lengths only: no checksum is verified here and no rule is applied.

use wire::segment::{is_offloaded, jumbo_length};

/// The network layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    /// None of the others, or the frame ends before it begins.
    Other,
    /// ARP.
    Arp,
    /// IPv4.
    Ip4,
    /// IPv6.
    Ip6,
}

/// What the IP layer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upper {
    /// Nothing that can be judged: another protocol, a source route, or no sound header before it.
    Other,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp4,
    /// ICMPv6.
    Icmp6,
}

/// Which part of a datagram a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The fragment at offset 0, with more to come.
    First,
    /// A fragment at another offset.
    Later,
}

/// The field whose value cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The frame ends inside its Ethernet header or VLAN tag.
    EthHeader,
    /// The frame ends inside an ARP message, or its address sizes are not those of the link.
    Arp,
    /// The frame ends inside the IPv4 header.
    Ip4Header,
    /// IPv4 version.
    Ip4Version,
    /// IPv4 IHL.
    Ip4Ihl,
    /// IPv4 total length.
    Ip4Total,
    /// The frame ends inside the IPv6 header.
    Ip6Header,
    /// IPv6 version.
    Ip6Version,
    /// IPv6 payload length.
    Ip6Payload,
    /// Length of an IPv6 extension header.
    Ip6Extension,
    /// The datagram ends inside the TCP header.
    TcpHeader,
    /// TCP data offset.
    TcpOffset,
    /// The datagram ends inside the UDP header.
    UdpHeader,
    /// UDP length.
    UdpLength,
}

/// A claim that does not hold: what the field says and what there is, in bytes (a version: as is).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) claim: Claim,
    pub(crate) claimed: u32,
    pub(crate) had: u32,
}

/// The positions in one frame, in bytes from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline {
    pub(crate) net: Net,
    pub(crate) upper: Upper,
    pub(crate) part: Part,
    /// How many VLAN tags stand before the network layer.
    pub(crate) vlans: u8,
    /// No IPv4 option and no IPv6 extension header.
    pub(crate) plain: bool,
    /// Untagged, IPv4 without options, whole, TCP, and every length, reserved bit and hop count as
    /// it has to be: most frames, for which most checks need not be asked.
    pub(crate) ordinary: bool,
    /// Where the network header begins.
    pub(crate) net_at: usize,
    /// Where an IPv4 header ends by its IHL; 0 where there is none to be believed.
    pub(crate) net_end: usize,
    /// Where what IP carries begins.
    pub(crate) upper_at: usize,
    /// Where the datagram ends by its own length field, never past the frame's end.
    pub(crate) end: usize,
    /// Where an IPv6 fragment header stands.
    pub(crate) fragment_at: Option<usize>,
    /// The first length that does not hold.
    pub(crate) fault: Option<Fault>,
}

/// The bytes at `at`; the caller has made sure that they are there. One look at the bounds for all.
#[inline]
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// The two bytes at `at` as a number; the caller has made sure that they are there.
#[inline]
pub(crate) fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(bytes, at))
}

/// The four bytes at `at` as a number; the caller has made sure that they are there.
#[inline]
pub(crate) fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

impl Outline {
    /// Walks the frame as far as its lengths hold.
    pub(crate) fn of(frame: &[u8]) -> Self {
        let mut outline = Self::blank(frame);
        outline.look(frame);
        outline
    }

    /// The outline of a frame that was not looked at yet.
    #[inline]
    pub(crate) fn blank(frame: &[u8]) -> Self {
        Self {
            net: Net::Other,
            upper: Upper::Other,
            part: Part::Whole,
            vlans: 0,
            plain: true,
            ordinary: false,
            net_at: 14,
            net_end: 0,
            upper_at: frame.len(),
            end: frame.len(),
            fragment_at: None,
            fault: None,
        }
    }

    /// Fills in a blank outline, in place: copying one costs more than an ordinary frame's walk.
    #[inline]
    pub(crate) fn look(&mut self, frame: &[u8]) {
        if is_ordinary(frame) {
            self.net = Net::Ip4;
            self.upper = Upper::Tcp;
            self.ordinary = true;
            (self.net_end, self.upper_at) = (34, 34);
        } else {
            self.walk(frame);
        }
    }

    #[inline(never)]
    fn walk(&mut self, frame: &[u8]) {
        if frame.len() < 14 {
            return self.stop(Claim::EthHeader, 14, frame.len());
        }
        let mut kind = be16(frame, 12);
        while matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
            if frame.len() < self.net_at + 4 {
                return self.stop(Claim::EthHeader, self.net_at + 4, frame.len());
            }
            kind = be16(frame, self.net_at + 2);
            self.net_at += 4;
            self.vlans = self.vlans.saturating_add(1);
        }
        match kind {
            0x0800 => self.ip4(frame),
            0x86dd => self.ip6(frame),
            0x0806 => self.arp(frame),
            _ => {}
        }
    }

    /// The walk ends here: `claimed` bytes were needed or said, and there are `had`.
    #[cold]
    fn stop(&mut self, claim: Claim, claimed: usize, had: usize) {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.fault = Some(Fault { claim, claimed: clip(claimed), had: clip(had) });
    }

    fn arp(&mut self, frame: &[u8]) {
        self.net = Net::Arp;
        let message = &frame[self.net_at..];
        if message.len() < 8 {
            return self.stop(Claim::Arp, 28, message.len());
        }
        let (hw, proto) = (usize::from(message[4]), usize::from(message[5]));
        let ethernet_ip4 = be16(message, 0) == 1 && be16(message, 2) == 0x0800;
        let claimed = 8 + 2 * (hw + proto);
        if claimed > message.len() || (ethernet_ip4 && (hw, proto) != (6, 4)) {
            return self.stop(Claim::Arp, claimed, message.len());
        }
        self.end = self.net_at + claimed;
        self.upper_at = self.end;
    }

    #[inline]
    fn ip4(&mut self, frame: &[u8]) {
        self.net = Net::Ip4;
        let header = &frame[self.net_at..];
        if header.len() < 20 {
            return self.stop(Claim::Ip4Header, 20, header.len());
        }
        if header[0] >> 4 != 4 {
            return self.stop(Claim::Ip4Version, usize::from(header[0] >> 4), 4);
        }
        let ihl = usize::from(header[0] & 15) * 4;
        if ihl < 20 || ihl > header.len() {
            return self.stop(Claim::Ip4Ihl, ihl, header.len());
        }
        self.net_end = self.net_at + ihl;
        let total = match usize::from(be16(header, 2)) {
            0 if is_offloaded(header[9], header.len()) => header.len(),
            total => total,
        };
        if total < ihl || total > header.len() {
            return self.stop(Claim::Ip4Total, total, header.len());
        }
        self.upper_at = self.net_at + ihl;
        self.end = self.net_at + total;
        let fragment = be16(header, 6);
        if fragment & 0x3fff != 0 {
            self.part = if fragment & 0x1fff == 0 { Part::First } else { Part::Later };
        }
        if ihl > 20 {
            self.plain = false;
            if source_routed(&header[20..ihl]) {
                return;
            }
        }
        self.upper(frame, header[9], Upper::Icmp4, 1);
    }

    #[inline]
    fn ip6(&mut self, frame: &[u8]) {
        self.net = Net::Ip6;
        let header = &frame[self.net_at..];
        if header.len() < 40 {
            return self.stop(Claim::Ip6Header, 40, header.len());
        }
        if header[0] >> 4 != 6 {
            return self.stop(Claim::Ip6Version, usize::from(header[0] >> 4), 6);
        }
        let next = header[6];
        let payload = match usize::from(be16(header, 4)) {
            0 if is_offloaded(next, header.len()) => header.len() - 40,
            0 if next == 0 => match self.jumbo(&header[40..]) {
                Some(length) => length,
                None => return,
            },
            payload => payload,
        };
        if payload > header.len() - 40 {
            return self.stop(Claim::Ip6Payload, payload, header.len() - 40);
        }
        self.upper_at = self.net_at + 40;
        self.end = self.upper_at + payload;
        self.extensions(frame, next);
    }

    /// The length that a jumbogram's option states, RFC 2675 2. A payload length of 0 before a
    /// Hop-by-Hop header without that option is not judged.
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
            let left = self.end - self.upper_at;
            let at = self.upper_at;
            if left < 8 {
                return self.stop(Claim::Ip6Extension, 8, left);
            }
            let length = if next == 44 { 8 } else { 8 + usize::from(frame[at + 1]) * 8 };
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
            6 => {
                if left < 20 {
                    // A first fragment may end anywhere; the rest of the header is in the next.
                    if whole {
                        self.stop(Claim::TcpHeader, 20, left);
                    }
                    return;
                }
                self.upper = Upper::Tcp;
                let offset = usize::from(frame[self.upper_at + 12] >> 4) * 4;
                if offset < 20 || (offset > left && whole) {
                    self.stop(Claim::TcpOffset, offset, left);
                }
            }
            17 => {
                if left < 8 {
                    if whole {
                        self.stop(Claim::UdpHeader, 8, left);
                    }
                    return;
                }
                self.upper = Upper::Udp;
                let length = usize::from(be16(frame, self.upper_at + 4));
                if whole && (length < 8 || length > left) {
                    self.stop(Claim::UdpLength, length, left);
                }
            }
            n if n == number && left >= 4 => self.upper = icmp,
            _ => {}
        }
    }

    /// The IP addresses, source and destination; empty where there is no IP header.
    #[inline]
    pub(crate) fn addresses<'a>(&self, frame: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let at = self.net_at;
        match self.net {
            Net::Ip4 if frame.len() >= at + 20 => {
                (&frame[at + 12..at + 16], &frame[at + 16..at + 20])
            }
            Net::Ip6 if frame.len() >= at + 40 => {
                (&frame[at + 8..at + 24], &frame[at + 24..at + 40])
            }
            _ => (&[], &[]),
        }
    }

    /// TTL or hop limit; `None` where there is no IP header.
    pub(crate) fn hops(&self, frame: &[u8]) -> Option<u8> {
        match self.net {
            Net::Ip4 => frame.get(self.net_at + 8).copied(),
            Net::Ip6 => frame.get(self.net_at + 7).copied(),
            _ => None,
        }
    }

    /// A whole TCP segment whose header can be believed.
    #[inline]
    pub(crate) fn is_sound_tcp(&self) -> bool {
        self.upper == Upper::Tcp && self.part == Part::Whole && self.fault.is_none()
    }
}

/// The frame is what [`Outline::ordinary`] says, seen with a few comparisons.
#[inline]
fn is_ordinary(frame: &[u8]) -> bool {
    let Some(head) = frame.first_chunk::<54>() else { return false };
    let offset = usize::from(head[46] >> 4) * 4;
    let kind = head[12..15] == [0x08, 0x00, 0x45] && head[23] == 6;
    let whole = head[20] & 0xbf == 0 && head[21] == 0;
    let lengths = usize::from(be16(head, 16)) + 14 == frame.len()
        && offset >= 20
        && offset + 34 <= frame.len();
    kind && whole && lengths && head[46] & 0x0e == 0 && head[22] != 0
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
