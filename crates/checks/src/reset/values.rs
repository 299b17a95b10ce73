//! What a reset says, and what the CLOSED state has it say. Knows one segment; searches nothing.

use std::fmt;

use wire::segment::{ACK, RST, SYN};

use super::segments::Segment;

/// What a reset says. `ack` is 0 where the flags say that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) flags: u16,
    pub(super) seq: u32,
    pub(super) ack: u32,
}

impl Values {
    /// Those of a segment. Without ACK the acknowledgment number means nothing, RFC 9293 3.1.
    #[inline]
    pub(super) fn of(segment: &Segment, frame: &[u8]) -> Self {
        let (seq, ack) = segment.numbers(frame);
        let flags = segment.flags;
        Self { flags, seq, ack: if flags & ACK == 0 { 0 } else { ack } }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flags, seq, ack } = self;
        write!(f, "{}, seq {seq}", names(*flags))?;
        if flags & ACK == 0 { Ok(()) } else { write!(f, ", ack {ack}") }
    }
}

/// What the CLOSED state answers, RFC 9293 3.10.7.1.
#[inline]
pub(super) fn asked(trigger: &Segment, frame: &[u8]) -> Values {
    let (seq, ack) = trigger.numbers(frame);
    if trigger.flags & ACK == 0 {
        Values { flags: RST | ACK, seq: 0, ack: seq.wrapping_add(trigger.length()) }
    } else {
        Values { flags: RST, seq: ack, ack: 0 }
    }
}

/// The names of the flags that are set, from the lowest bit, with RST and ACK first.
pub(super) fn names(flags: u16) -> String {
    const NAMES: [(u16, &str); 9] = [
        (RST, "RST"),
        (ACK, "ACK"),
        (0x001, "FIN"),
        (SYN, "SYN"),
        (0x008, "PSH"),
        (0x020, "URG"),
        (0x040, "ECE"),
        (0x080, "CWR"),
        (0x100, "AE"),
    ];
    let set: Vec<&str> =
        NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(",") }
}
