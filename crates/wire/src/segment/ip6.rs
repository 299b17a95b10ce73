//! The IPv6 half: the fixed header and the walk over the extension headers, RFC 8200 section 4.

use std::ops::Range;

use super::{IpPacket, NotIp};

impl<'a> IpPacket<'a> {
    pub(super) fn v6(frame: &'a [u8], start: usize) -> Result<Self, NotIp> {
        let bytes = frame.get(start..).unwrap_or(&[]);
        let header = bytes.first_chunk::<40>().ok_or(NotIp::Header)?;
        if header[0] >> 4 != 6 {
            return Err(NotIp::Version(header[0] >> 4));
        }
        let total = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
        Ok(Self {
            frame,
            start,
            transport: start + 40,
            end: start + total.min(bytes.len()),
            is_v4: false,
            protocol: header[6],
            truncated: total > bytes.len(),
            more_fragments: false,
            fragment_offset: 0,
        })
    }

    /// Steps over extension headers; a later fragment has none of those behind its own header.
    pub(super) fn walk(&mut self) -> Result<(), NotIp> {
        while self.fragment_offset == 0 {
            let rest = &self.frame[self.transport..self.end];
            let words = rest.get(1).copied();
            let Some(len) = extension_len(self.protocol, words.unwrap_or(0)) else { break };
            let header = rest.get(..len).ok_or(NotIp::Extension)?;
            if self.protocol == 44 {
                let word = u16::from_be_bytes([header[2], header[3]]);
                self.fragment_offset = word & 0xfff8;
                self.more_fragments = word & 1 == 1;
            }
            self.protocol = header[0];
            self.transport += len;
        }
        Ok(())
    }
}

/// Bytes of the extension header of this number whose second byte is `words`: hop-by-hop options,
/// routing, destination options, fragment, and the Authentication Header, which counts words of
/// four bytes, less 2 (RFC 4302 2.2). `None` for what is no extension header.
#[inline]
#[must_use]
pub const fn extension_len(number: u8, words: u8) -> Option<usize> {
    match number {
        0 | 43 | 60 => Some(8 + words as usize * 8),
        44 => Some(8),
        51 => Some(8 + words as usize * 4),
        _ => None,
    }
}

/// Where in this routing header the address stands at which a packet ends up, and which
/// pseudo-headers use (RFC 8200 8.1): the last one of types 0 and 2, the first one of a segment
/// routing header (type 4, RFC 8754 2). `None` when no segment is left, or the header's type or
/// length tells nothing.
#[must_use]
pub fn final_destination(routing: &[u8]) -> Option<Range<usize>> {
    let [_, words, kind, left, ..] = *routing else { return None };
    let end = 8 + usize::from(words) * 8;
    if left == 0 || words < 2 || end > routing.len() {
        return None;
    }
    match kind {
        0 | 2 => Some(end - 16..end),
        4 => Some(8..24),
        _ => None,
    }
}

/// Where in this Destination Options header the Home Address stands, RFC 6275 6.3: the address that
/// a mobile node's pseudo-headers have as their source.
#[must_use]
pub fn home_address(dest_opts: &[u8]) -> Option<Range<usize>> {
    let mut options = ip6_options(dest_opts.get(2..)?);
    let (_, data) = options.find(|(kind, data)| *kind == 0xc9 && data.len() == 16)?;
    Some(data.start + 2..data.end + 2)
}

/// The options of a Hop-by-Hop or Destination Options header in order, RFC 8200 4.2: the type of
/// each and where in the list its data stands. Pad1 has none; an option that runs over the end of
/// the list ends it.
pub fn ip6_options(list: &[u8]) -> impl Iterator<Item = (u8, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let kind = *list.get(at)?;
        let start = if kind == 0 { at + 1 } else { at + 2 };
        let length = if kind == 0 { 0 } else { usize::from(*list.get(at + 1)?) };
        at = start + length;
        (at <= list.len()).then_some((kind, start..at))
    })
}

/// What the Jumbo Payload option of a Hop-by-Hop header says, RFC 2675 section 2: the bytes behind
/// the fixed header of a packet whose payload length is 0.
#[must_use]
pub fn jumbo_length(hop_by_hop: &[u8]) -> Option<usize> {
    let list = hop_by_hop.get(2..)?;
    let (_, data) = ip6_options(list).find(|(kind, data)| *kind == 0xc2 && data.len() == 4)?;
    let length = u32::from_be_bytes(list.get(data)?.try_into().ok()?);
    usize::try_from(length).ok()
}

/// A length field of 0 before this protocol in an IP packet of so many bytes is no lie: TCP that
/// the sender's card was to cut into segments, whose lengths the card would have written (BIG TCP
/// over IPv6 and IPv4). No link has to cut what is not longer than 1280 bytes.
#[must_use]
pub const fn is_offloaded(protocol: u8, packet_len: usize) -> bool {
    protocol == 6 && packet_len > 1280
}

/// UDP datagrams to this port may have no checksum over IPv6 either: they are tunnels, RFC 8200 8.1
/// and RFC 6935.
#[must_use]
pub const fn is_tunnel_port(port: u16) -> bool {
    // L2TP, AMT, LISP (two), GRE in UDP, VXLAN, VXLAN-GPE, Geneve, MPLS in UDP.
    matches!(port, 1701 | 2268 | 4341 | 4342 | 4754 | 4789 | 4790 | 6081 | 6635)
}

/// The addresses in the pseudo-header of IPv6, RFC 8200 8.1: those of the fixed header, but for the
/// final destination of a route and for the Home Address of a mobile node (RFC 6275 6.3). Whoever
/// builds, shows or judges a checksum takes them from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PseudoAddresses {
    /// The source.
    pub src: [u8; 16],
    /// The destination.
    pub dst: [u8; 16],
}

impl PseudoAddresses {
    /// Those of the fixed header; `None` where fewer than its 40 bytes are given.
    #[must_use]
    pub fn of(fixed: &[u8]) -> Option<Self> {
        let [src, dst] = [fixed.get(8..24)?, fixed.get(24..40)?];
        Some(Self { src: src.try_into().ok()?, dst: dst.try_into().ok()? })
    }

    /// Takes an extension header of this number into account; they are given from the outside in.
    pub fn pass(&mut self, number: u8, header: &[u8]) {
        let (place, address) = match number {
            43 => (final_destination(header), &mut self.dst),
            60 => (home_address(header), &mut self.src),
            _ => return,
        };
        if let Some(bytes) = place.and_then(|place| header.get(place)) {
            address.copy_from_slice(bytes);
        }
    }

    /// Those behind the fixed header and all extension headers that follow it in these bytes.
    #[must_use]
    pub fn behind(headers: &[u8]) -> Option<Self> {
        let mut addresses = Self::of(headers)?;
        let (mut number, mut rest) = (headers[6], &headers[40..]);
        while let [next, words, ..] = *rest {
            let Some(length) = extension_len(number, words) else { break };
            let Some((header, behind)) = rest.split_at_checked(length) else { break };
            addresses.pass(number, header);
            (number, rest) = (next, behind);
        }
        Some(addresses)
    }
}
