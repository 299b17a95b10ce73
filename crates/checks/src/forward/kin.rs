//! How far two datagrams agree, of which a middlebox may have made the one into the other. A NAT
//! changes addresses and ports, a router the TTL, a firewall an option: what they leave alone, they
//! are recognised by. Knows two datagrams, not the node between them.

use wire::FrameId;
use wire::segment::{ACK, RST};

use crate::layout::{HeaderLayout, Net, Part, Upper, be16, be32};

/// What a frame passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The frame that the emitter was handed.
    pub(crate) frame: FrameId,
    /// How far they agree.
    pub(crate) kin: Kin,
    /// The wire's own word: this frame was being handled.
    pub(crate) certain: bool,
}

/// How far a datagram agrees with an earlier one, from all of it to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kin {
    /// The same addresses, and the same bytes behind the IP header.
    Same,
    /// A part of it, the whole of which it is a part, or what became of it underway.
    Part,
    /// Between the same ends, and the same in all that no middlebox edits.
    Edited,
    /// The same content, between other ends.
    Translated,
    /// It belongs to the same flow, and no more agrees.
    Flow,
    /// It goes back between its ends: an answer.
    Answer,
}

/// A datagram as it is compared.
#[derive(Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) layout: &'a HeaderLayout,
    pub(crate) bytes: &'a [u8],
    pub(crate) src: &'a [u8],
    pub(crate) dst: &'a [u8],
    /// Source port in the upper half, where there are ports.
    pub(crate) ports: Option<u32>,
}

/// What no middlebox edits.
#[derive(PartialEq, Eq)]
enum Content<'a> {
    /// Numbers, flags but those of ECN, payload.
    Tcp(u32, u32, u16, &'a [u8]),
    Udp(&'a [u8]),
    /// Reply or request, sequence number, data.
    Echo(bool, u16, &'a [u8]),
    /// Protocol and first bytes of the transport header that an ICMP error quotes.
    Error(u8, u16),
}

impl<'a> Datagram<'a> {
    pub(crate) fn of(layout: &'a HeaderLayout, bytes: &'a [u8]) -> Self {
        let (src, dst) = layout.addresses(bytes);
        let known = matches!(layout.upper, Upper::Tcp | Upper::Udp);
        let ports = known.then(|| be32(bytes, layout.upper_at));
        Self { layout, bytes, src, dst, ports }
    }

    fn upper(&self) -> &'a [u8] {
        self.layout.payload(self.bytes)
    }

    /// The number of what IP carries; 0 where it stands behind headers that are not read here.
    pub(crate) fn protocol(&self) -> u8 {
        match (self.layout.upper, self.layout.net) {
            (Upper::Tcp, _) => 6,
            (Upper::Udp, _) => 17,
            // NAT64 makes the one into the other.
            (Upper::Icmp4 | Upper::Icmp6, _) => 1,
            (Upper::Other, Net::Ip4) => {
                self.bytes.get(self.layout.net_at + 9).copied().unwrap_or(0)
            }
            (Upper::Other, _) => match self.bytes.get(self.layout.net_at + 6).copied() {
                Some(58) => 1,
                Some(number) if !matches!(number, 0 | 43 | 44 | 60) => number,
                _ => 0,
            },
        }
    }

    /// A reset or an ICMP error: what a middlebox itself makes of a datagram.
    pub(crate) fn is_verdict(&self) -> bool {
        match self.layout.upper {
            Upper::Tcp => be16(self.bytes, self.layout.upper_at + 12) & RST != 0,
            Upper::Icmp4 | Upper::Icmp6 => matches!(self.content(), Some(Content::Error(..))),
            _ => false,
        }
    }

    fn content(&self) -> Option<Content<'a>> {
        let upper = self.upper();
        if self.layout.part != Part::Whole {
            return None;
        }
        match self.layout.upper {
            Upper::Tcp => {
                let word = be16(upper, 12);
                let flags = word & 0x3f;
                let payload = upper.get(usize::from(word >> 12) * 4..)?;
                let ack = if flags & ACK == 0 { 0 } else { be32(upper, 8) };
                Some(Content::Tcp(be32(upper, 4), ack, flags, payload))
            }
            Upper::Udp => Some(Content::Udp(&upper[8..])),
            Upper::Icmp4 | Upper::Icmp6 if upper.len() >= 8 => {
                let v6 = self.layout.upper == Upper::Icmp6;
                match (upper[0], v6) {
                    (8, false) | (128, true) => {
                        Some(Content::Echo(false, be16(upper, 6), &upper[8..]))
                    }
                    (0, false) | (129, true) => {
                        Some(Content::Echo(true, be16(upper, 6), &upper[8..]))
                    }
                    (3 | 4 | 5 | 11 | 12, false) | (0..128, true) => quoted(&upper[8..]),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The protocol of a quoted datagram and the bytes at 4 of its transport header, which are the high
/// half of a sequence number, or a length.
fn quoted<'a>(quote: &[u8]) -> Option<Content<'a>> {
    let (protocol, at) = match quote.first()? >> 4 {
        4 => (*quote.get(9)?, usize::from(quote[0] & 15) * 4),
        6 => (*quote.get(6)?, 40),
        _ => return None,
    };
    let protocol = if protocol == 58 { 1 } else { protocol };
    let bytes = quote.get(at + 4..at + 6).map_or(0, |bytes| be16(bytes, 0));
    Some(Content::Error(protocol, bytes))
}

/// Both carry one datagram, or a part and its whole. `altered`: the earlier one was changed on its
/// way, so that its bytes say less.
pub(crate) fn exact(before: &Datagram<'_>, now: &Datagram<'_>, altered: bool) -> Option<Kin> {
    let (was, is) = (before.layout, now.layout);
    if was.net != is.net {
        return None;
    }
    if matches!(is.net, Net::Other | Net::Arp) {
        // Only a bridge passes these on, and it changes nothing.
        return (before.bytes == now.bytes).then_some(Kin::Same);
    }
    if (before.src, before.dst) != (now.src, now.dst) || now.src.is_empty() {
        return None;
    }
    if before.upper() == now.upper() {
        return Some(Kin::Same);
    }
    let same_id = || is.net == Net::Ip6 || identification(before) == identification(now);
    ((in_parts(before, now) || altered) && same_id()).then_some(Kin::Part)
}

/// One became the other by what middleboxes edit: addresses, ports, options, marks; or, with less
/// to go by, both are of one flow. `certain`: the wire says that they belong together.
pub(crate) fn edited(before: &Datagram<'_>, now: &Datagram<'_>, certain: bool) -> Option<Kin> {
    if before.src.is_empty() || now.src.is_empty() || before.protocol() != now.protocol() {
        return None;
    }
    let same_src = before.src == now.src;
    let same_dst = before.dst == now.dst;
    let same_ports = match (before.ports, now.ports) {
        (Some(before), Some(now)) => before == now,
        _ => true,
    };
    if now.ports.is_some() && goes_back(before, now) {
        return Some(Kin::Answer);
    }
    if in_parts(before, now) {
        let same_id = before.layout.net == now.layout.net
            && identification(before).is_some()
            && identification(before) == identification(now);
        return (same_id && (same_src || same_dst || certain)).then_some(Kin::Flow);
    }
    let content = now.content();
    if content.is_some() && content == before.content() {
        let telling = match content {
            Some(Content::Udp(payload)) => !payload.is_empty(),
            _ => true,
        };
        if same_src && same_dst && same_ports {
            return Some(Kin::Edited);
        }
        if telling || same_src || same_dst {
            return Some(Kin::Translated);
        }
    }
    if now.is_verdict() {
        return None;
    }
    let one_end = certain && (same_src || same_dst) && before.src != before.dst;
    ((same_src && same_dst && same_ports) || one_end).then_some(Kin::Flow)
}

/// The later one goes between the same ends the other way.
fn goes_back(before: &Datagram<'_>, now: &Datagram<'_>) -> bool {
    let ports = match (before.ports, now.ports) {
        (Some(before), Some(now)) => before.rotate_left(16) == now,
        _ => true,
    };
    before.src == now.dst && before.dst == now.src && before.src != before.dst && ports
}

fn in_parts(before: &Datagram<'_>, now: &Datagram<'_>) -> bool {
    before.layout.part != Part::Whole || now.layout.part != Part::Whole
}

/// The identification of an IPv4 datagram, or of an IPv6 fragment.
fn identification(datagram: &Datagram<'_>) -> Option<u32> {
    let Datagram { layout, bytes, .. } = datagram;
    match layout.net {
        Net::Ip4 => Some(u32::from(be16(bytes, layout.net_at + 4))),
        _ => layout.fragment_at.map(|at| be32(bytes, at + 4)),
    }
}

#[cfg(test)]
mod tests;
