//! Checksums that a network interface was to fill in after the capture saw the frame. The kernel
//! leaves the sum over the pseudo-header there; some leave zero.

use wire::checksum::Sum;
use wire::segment::RST;

use crate::layout::{HeaderLayout, Net, Part, Upper, array, be16};

/// A frame of an interface that joins or splits segments is longer than any that was on the wire.
const LONGEST_ON_ETHERNET: usize = 1518;

/// What stands in the place of a checksum that is still to be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Zero,
    /// The sum over the pseudo-header, which no right checksum is but by chance.
    Pseudo,
}

/// The transport checksum is one that is still to be filled in.
pub(crate) fn is_unfilled(layout: &HeaderLayout, frame: &[u8]) -> bool {
    left(layout, frame).is_some()
}

/// What stands in the place of a transport checksum that is still to be filled in. A frame that the
/// capture cut shows it as well.
pub(crate) fn left(layout: &HeaderLayout, frame: &[u8]) -> Option<Left> {
    let (number, at) = match layout.upper {
        Upper::Tcp => (6, 16),
        Upper::Udp => (17, 6),
        Upper::Icmp4 | Upper::Icmp6 | Upper::Other => return None,
    };
    let message = frame.get(layout.upper_at..)?;
    let length = layout.end.checked_sub(layout.upper_at)?;
    if layout.part != Part::Whole || message.len().min(length) < at + 2 {
        return None;
    }
    let has = be16(message, at);
    let sums = |length: usize| {
        let sum = match layout.net {
            Net::Ip4 => {
                let (src, dst) =
                    (array(frame, layout.net_at + 12), array(frame, layout.net_at + 16));
                Sum::pseudo_ip4(src, dst, number, length as u16)
            }
            _ => {
                let (src, dst) =
                    (array(frame, layout.net_at + 8), array(frame, layout.net_at + 24));
                Sum::pseudo_ip6(src, dst, number, length as u32)
            }
        };
        !sum.checksum()
    };
    // Some drivers leave the length out, to be added for each of the segments that the interface
    // makes of it.
    match has {
        0 => Some(Left::Zero),
        _ if has == sums(length) || has == sums(0) => Some(Left::Pseudo),
        _ => None,
    }
}

/// The frame is a reset.
pub(crate) fn is_reset(layout: &HeaderLayout, frame: &[u8]) -> bool {
    let flags = frame.get(layout.upper_at + 13);
    layout.upper == Upper::Tcp && flags.is_some_and(|flags| u16::from(*flags) & RST != 0)
}

/// The frame was never on a wire as it is: it was put together after it came, or is cut before it
/// leaves.
pub(crate) fn is_joined(frame: &[u8]) -> bool {
    frame.len() > LONGEST_ON_ETHERNET
}

/// The header checksum of IPv4 is one that is still to be filled in.
pub(crate) fn is_header_unfilled(layout: &HeaderLayout, frame: &[u8]) -> bool {
    layout.net == Net::Ip4 && layout.net_end != 0 && be16(frame, layout.net_at + 10) == 0
}

/// The IPv4 total length is zero, in a frame too long for the field: the interface fills it in for
/// each of the segments that it makes.
pub(crate) fn is_length_left_out(layout: &HeaderLayout, frame: &[u8]) -> bool {
    let at = layout.net_at;
    layout.net == Net::Ip4
        && frame.len() >= at + 20
        && frame[at] >> 4 == 4
        && be16(frame, at + 2) == 0
        && is_joined(frame)
}
