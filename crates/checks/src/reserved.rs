//! Reserved bits are zero where nobody chose otherwise.

use wire::Deliberate;

use crate::check::{Check, Finding, Level};
use crate::context::FrameContext;
use crate::layout::{Net, Upper, be16};

pub(crate) static TCP_RESERVED: Check = Check {
    id: "tcp-reserved",
    clause: "RFC 9293 3.1",
    requirement: "U9293-HDR-1",
    level: Level::Must,
    title: "the reserved bits of TCP are zero",
    about: "The bits between the data offset and the flags wait for a later use; until then they \
            are sent as zero and ignored when received. A sender that edits a received header in \
            place is apt to echo them.",
};
pub(crate) static IP4_RESERVED_BIT: Check = Check {
    id: "ip4-reserved-bit",
    clause: "RFC 791 3.1",
    requirement: "791-3.1-reserved",
    level: Level::Must,
    title: "the reserved bit of the IPv4 flags is zero",
    about: "The highest of the three flag bits is reserved and has to be zero. Middleboxes and \
            intrusion detection take a datagram that sets it for an attack.",
};
pub(crate) static IP6_FRAGMENT_RESERVED: Check = Check {
    id: "ip6-fragment-reserved",
    clause: "RFC 8200 4.5",
    requirement: "8200-4.5-reserved",
    level: Level::Must,
    title: "the reserved fields of an IPv6 fragment header are zero",
    about: "The byte after the next header and the two bits before the M flag are zero when sent \
            and ignored when received.",
};

/// Looks at every reserved bit of a frame.
#[inline]
pub(crate) fn judge(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    let (layout, bytes) = (context.layout, context.bytes);
    let flags = layout.net == Net::Ip4 && layout.net_end != 0 && bytes[layout.net_at + 6] > 0x7f;
    let tcp = if layout.upper == Upper::Tcp { bytes[layout.upper_at + 12] & 0x0e } else { 0 };
    if flags || tcp != 0 || layout.fragment_at.is_some() {
        report(context, flags, tcp >> 1, out);
    }
}

#[cold]
fn report(context: &FrameContext<'_>, flags: bool, tcp: u8, out: &mut Vec<Finding>) {
    if context.spares(Deliberate::RESERVED) {
        return;
    }
    if flags {
        out.push(context.finding(&IP4_RESERVED_BIT, "the reserved flag is set", "0", "1"));
    }
    if tcp != 0 {
        let message = "reserved bits are set beside the data offset";
        out.push(context.finding(&TCP_RESERVED, message, "0b000", format!("{tcp:#05b}")));
    }
    if let Some(at) = context.layout.fragment_at {
        let (octet, bits) = (context.bytes[at + 1], be16(context.bytes, at + 2) >> 1 & 3);
        if octet != 0 || bits != 0 {
            let actual = format!("{octet:#04x}, {bits:#04b}");
            let message = "reserved fields of the fragment header are set";
            out.push(context.finding(&IP6_FRAGMENT_RESERVED, message, "0x00, 0b00", actual));
        }
    }
}
