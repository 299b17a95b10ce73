//! Where the headers of one frame lie, and the first length in it that does not hold.
//!
//! One walk a frame, without allocation, that all checks share. Knows positions and claimed
//! lengths only: no checksum is verified here and no rule is applied.

use wire::segment::PlainTcp4;
use wire::{Capture, Frame, FrameId, LinkType};

use crate::report::Why;

mod walk;

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
pub(crate) struct HeaderLayout {
    pub(crate) net: Net,
    pub(crate) upper: Upper,
    pub(crate) part: Part,
    /// How many VLAN tags stand before the network layer.
    pub(crate) vlans: u8,
    /// No IPv4 option and no IPv6 extension header.
    pub(crate) plain: bool,
    /// Plain TCP over IPv4 whose headers are sound, as [`PlainTcp4`] proves it: most frames, for
    /// which most checks need not be asked.
    pub(crate) plain_tcp4: bool,
    /// Where the network header begins.
    pub(crate) net_at: usize,
    /// Where an IPv4 header ends by its IHL; 0 where there is none to be believed.
    pub(crate) net_end: usize,
    /// Where what IP carries begins.
    pub(crate) upper_at: usize,
    /// Where the datagram ends by its own length field, never past the frame's end on the wire;
    /// past the bytes that there are where the capture cut them off.
    pub(crate) end: usize,
    /// How many bytes the frame had on the wire.
    pub(crate) wire_len: usize,
    /// The frame begins with an Ethernet header.
    pub(crate) ethernet: bool,
    /// The capture cut bytes of the datagram off.
    pub(crate) cut: bool,
    /// Where an IPv6 fragment header stands.
    pub(crate) fragment_at: Option<usize>,
    /// The first length that does not hold.
    pub(crate) fault: Option<Fault>,
    /// Why the walk ended before it came to a header that is judged, or inside a tunnel.
    pub(crate) unread: Option<Why>,
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

/// The bytes of a frame without its frame check sequence, and how many they were on the wire.
pub(crate) fn without_fcs(frame: Frame<'_>) -> (&[u8], usize) {
    let whole = frame.original_len.max(frame.bytes.len()).saturating_sub(frame.fcs_len);
    (&frame.bytes[..frame.bytes.len().min(whole)], whole)
}

impl HeaderLayout {
    /// Walks a frame of a capture as far as its lengths hold, and gives the bytes walked.
    pub(crate) fn of(capture: &Capture, id: FrameId) -> (Self, &[u8]) {
        let captured = capture.captured(id);
        let (bytes, wire_len) = without_fcs(captured);
        let mut layout = Self::blank(wire_len);
        layout.look(bytes, captured.link);
        (layout, bytes)
    }

    /// The layout of a frame of so many bytes that was not looked at yet.
    #[inline]
    pub(crate) fn blank(wire_len: usize) -> Self {
        Self {
            net: Net::Other,
            upper: Upper::Other,
            part: Part::Whole,
            vlans: 0,
            plain: true,
            plain_tcp4: false,
            net_at: 14,
            net_end: 0,
            upper_at: wire_len,
            end: wire_len,
            wire_len,
            ethernet: true,
            cut: false,
            fragment_at: None,
            fault: None,
            unread: None,
        }
    }

    /// Fills in a blank layout, in place: copying one costs more than the walk of plain TCP
    /// over IPv4.
    #[inline]
    pub(crate) fn look(&mut self, frame: &[u8], link: LinkType) {
        let whole = link == LinkType::Ethernet && self.wire_len == frame.len();
        if whole && PlainTcp4::sound(frame).is_some() {
            self.net = Net::Ip4;
            self.upper = Upper::Tcp;
            self.plain_tcp4 = true;
            (self.net_end, self.upper_at) = (34, 34);
        } else {
            self.walk(frame, link);
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

    /// What the datagram carries behind the IP header, without padding, as far as it was captured.
    #[inline]
    pub(crate) fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let end = self.end.min(frame.len());
        &frame[self.upper_at.min(end)..end]
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
