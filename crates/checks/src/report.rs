//! What judging a capture gives: findings, and what was not judged and for which reason. Applies no
//! rule.

use std::collections::BTreeMap;
use std::fmt;

use wire::{FrameId, LinkType};

use crate::check::Finding;

/// What was found in a capture, and what was not looked at. Reports add up: one may be handed from
/// one capture to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every place where a check does not hold, in the order of the frames.
    pub findings: Vec<Finding>,
    unjudged: BTreeMap<Why, (FrameId, u64)>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, and keeps the room.
    pub fn clear(&mut self) {
        self.findings.clear();
        self.unjudged.clear();
    }

    /// What was not judged, or not in full: one entry a reason.
    pub fn unjudged(&self) -> impl Iterator<Item = Unjudged> {
        let entry = |(why, (frame, count)): (&Why, &(FrameId, u64))| Unjudged {
            why: *why,
            frame: *frame,
            count: *count,
        };
        self.unjudged.iter().map(entry)
    }

    /// Notes a frame that is not judged in full.
    #[cold]
    pub(crate) fn pass_over(&mut self, why: Why, frame: FrameId) {
        self.pass_over_some(why, frame, 1);
    }

    /// Notes so many frames, the first of which is this.
    #[cold]
    pub(crate) fn pass_over_some(&mut self, why: Why, frame: FrameId, frames: usize) {
        let (first, count) = self.unjudged.entry(why).or_insert((frame, 0));
        *first = frame.min(*first);
        *count += frames as u64;
    }
}

/// The frames that were not judged in full for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The reason.
    pub why: Why,
    /// The first of them.
    pub frame: FrameId,
    /// How many there are.
    pub count: u64,
}

/// `3 frames from frame 7: fragment of a datagram that is not complete: …`.
impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.frame.number();
        match self.count {
            1 => write!(f, "frame {number}: {}", self.why),
            count => write!(f, "{count} frames from frame {number}: {}", self.why),
        }
    }
}

/// Why a frame was not judged in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its link type is not taken apart, or what it carries is no IP and no ARP.
    Link(LinkType),
    /// The capture kept the first bytes only, and the others would be needed.
    Cut,
    /// A fragment of a datagram of which others did not come.
    Incomplete,
    /// A fragment of a datagram that has two contents, since fragments overlap.
    Overlap,
    /// A fragment for which there was no more room.
    Room,
    /// A source route: the destination that the checksum covers is not in the IP header.
    SourceRoute,
    /// A payload length of 0 without the option that states a jumbogram's (RFC 2675).
    Jumbogram,
    /// Its length was left to the interface, and its sum with it: it was captured before that.
    Offloaded,
    /// What Ethernet carries is none of the protocols known here.
    EtherType(u16),
    /// The frame is one of IEEE 802.3 with a length, behind which stands LLC.
    Llc,
    /// What IP carries is none of the protocols known here; the number is that of IANA.
    Protocol(u8),
    /// A tunnel over UDP to this port: what is inside is not looked at.
    Tunnel(u16),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Link(link) => {
                return write!(f, "over link type {link} no IP and no ARP is found");
            }
            Self::Cut => "cut by the capture, and the bytes left out would be needed",
            Self::Incomplete => "fragment of a datagram that is not complete: no sum over it",
            Self::Overlap => "fragment that overlaps another: the datagram has no one content",
            Self::Room => "fragment beyond those that there is room for: no sum over it",
            Self::SourceRoute => "a source route: what IP carries is not judged",
            Self::Jumbogram => "a jumbogram without its length: what IP carries is not judged",
            Self::Offloaded => "length and sum were left to the interface: no sum over it",
            Self::EtherType(kind) => return write!(f, "EtherType {kind:#06x} is not taken apart"),
            Self::Llc => "IEEE 802.3 with LLC is not taken apart",
            Self::Protocol(number) => {
                return write!(f, "IP protocol {number}{} is not taken apart", named(*number));
            }
            Self::Tunnel(port) => {
                return write!(f, "a tunnel over UDP port {port}: what is inside is not judged");
            }
        };
        f.write_str(text)
    }
}

/// Protocols that carry others, by IANA's names; they are what a reader would miss.
fn named(protocol: u8) -> &'static str {
    match protocol {
        2 => " (IGMP)",
        4 => " (IPv4 in IP, a tunnel)",
        41 => " (IPv6 in IP, a tunnel)",
        46 => " (RSVP)",
        47 => " (GRE, a tunnel)",
        50 => " (ESP, encrypted)",
        51 => " (AH)",
        88 => " (EIGRP)",
        89 => " (OSPF)",
        103 => " (PIM)",
        112 => " (VRRP)",
        115 => " (L2TP, a tunnel)",
        132 => " (SCTP)",
        135 => " (Mobility Header)",
        136 => " (UDP-Lite)",
        _ => "",
    }
}
