//! The IPv6 half: the fixed header and the walk over the extension headers, RFC 8200 section 4.

use std::ops::Range;

use super::{IpPacket, NotIp};

impl<'a> IpPacket<'a> {
    pub(super) fn v6(frame: &'a [u8], start: usize) -> Result<Self, NotIp> {
        let bytes = &frame[start..];
        let header = bytes.first_chunk::<40>().ok_or(NotIp::Header)?;
        if header[0] >> 4 != 6 {
            return Err(NotIp::Version(header[0] >> 4));
        }
        let total = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut packet = Self {
            frame,
            start,
            transport: start + 40,
            end: start + total.min(bytes.len()),
            is_v4: false,
            protocol: header[6],
            truncated: total > bytes.len(),
            more_fragments: false,
            fragment_offset: 0,
            final_dst: start + 24,
        };
        packet.walk()?;
        Ok(packet)
    }

    /// Steps over extension headers; a later fragment has none of those behind its own header.
    fn walk(&mut self) -> Result<(), NotIp> {
        while self.fragment_offset == 0 {
            let rest = &self.frame[self.transport..self.end];
            let len = match self.protocol {
                0 | 43 | 60 => 8 + usize::from(*rest.get(1).ok_or(NotIp::Extension)?) * 8,
                44 => 8,
                // The Authentication Header counts words of four bytes, less 2 (RFC 4302 2.2).
                51 => 8 + usize::from(*rest.get(1).ok_or(NotIp::Extension)?) * 4,
                _ => break,
            };
            let header = rest.get(..len).ok_or(NotIp::Extension)?;
            match self.protocol {
                43 => {
                    if let Some(range) = final_destination(header) {
                        self.final_dst = self.transport + range.start;
                    }
                }
                44 => {
                    let word = u16::from_be_bytes([header[2], header[3]]);
                    self.fragment_offset = word & 0xfff8;
                    self.more_fragments = word & 1 == 1;
                }
                _ => {}
            }
            self.protocol = header[0];
            self.transport += len;
        }
        Ok(())
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
