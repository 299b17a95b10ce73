//! Packets longer than their length field can tell: a jumbogram, whose option tells it, and what
//! was captured before a network card wrote the lengths (BIG TCP, segmentation offload).

use super::{Fault, Walk};
use crate::fields::{hop_by_hop, ip6};
use crate::segment::ip6_options;

/// A length of 0 before TCP, with a TCP header at least behind it: the frame tells the length.
pub(super) const fn is_offloaded(protocol: u8, had: usize) -> bool {
    protocol == 6 && had >= 20
}

impl Walk<'_> {
    /// Payload length 0 before a Hop-by-Hop header: its Jumbo Payload option tells the length,
    /// RFC 2675 section 2. Without one the frame does.
    pub(super) fn jumbogram(&mut self, at: usize, payload: &[u8]) {
        let Some(length) = jumbo_length(payload) else { return };
        let had = payload.len();
        if length > had {
            self.fault(Fault::Short, &hop_by_hop::OPTIONS, at + 40, (length, had));
            self.truncated = true;
            return;
        }
        if length <= 0xffff {
            self.fault(Fault::Small, &ip6::PAYLOAD_LENGTH, at, (40 + length, 0));
        }
        self.limit = at + 40 + length;
    }
}

/// What the Jumbo Payload option (type 0xc2) of a Hop-by-Hop header says.
fn jumbo_length(hop_by_hop: &[u8]) -> Option<usize> {
    let end = 8 + usize::from(*hop_by_hop.get(1)?) * 8;
    let list = hop_by_hop.get(2..end)?;
    let (_, data) = ip6_options(list).find(|(kind, data)| *kind == 0xc2 && data.len() == 4)?;
    let length = u32::from_be_bytes(list.get(data)?.try_into().ok()?);
    usize::try_from(length).ok()
}
