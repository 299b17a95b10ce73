//! Packets longer than their length field can tell: a jumbogram, whose option tells it, and what
//! was captured before a network card wrote the lengths (BIG TCP, segmentation offload).

use super::{Fault, Walk};
use crate::fields::{hop_by_hop, ip6};
use crate::segment::jumbo_length;

impl Walk<'_> {
    /// Payload length 0 before a Hop-by-Hop header: its Jumbo Payload option tells the length,
    /// RFC 2675 section 2. Without one the frame does.
    pub(super) fn jumbogram(&mut self, at: usize, payload: &[u8], had: usize) {
        let end = payload.get(1).map_or(0, |words| 8 + usize::from(*words) * 8);
        let Some(length) = payload.get(..end).and_then(jumbo_length) else { return };
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
