//! **checks**: what must hold. Rules over a capture, each with its clause, and what they find.
//!
//! A capture, and what is known of its ports, go in; findings come out, and what was
//! not judged. Nothing here knows who
//! produced the capture, or on which wire. What a scenario made wrong on purpose
//! ([`wire::Deliberate`]) is passed over, in just that frame and just that respect.
//!
//! ```
//! # use wireproof_checks as checks;
//! let mut capture = wire::Capture::new();
//! let port = capture.add_interface("faulty:eth0");
//! capture.push(wire::Instant::ZERO, port, &[0xff; 9]);
//! let report = checks::judge(&capture, &[]);
//! assert_eq!(report.findings[0].check.id, "eth-header");
//! ```
//!
//! # What is not checked
//!
//! The window, the urgent pointer and a payload of a reset: no clause binds them (a payload is
//! even foreseen, SHLD-2), so a golden decides. Resets of a connection that a stack opened: the
//! state that decides them is not in the capture. Of datagrams in fragments, all but the checksum.
//!
//! # How to add a check
//!
//! 1. Find the clause, and its row in `docs/requirements.tsv`; write the row if there is none.
//! 2. Write a `static` [`Check`] in the file of its clause group, with an id of its own, and name
//!    it in [`CHECKS`].
//! 3. Apply the rule in that file's `judge`, which gets a frame with its header layout (positions,
//!    claimed lengths) and what the scenario made wrong on purpose. Look first at whether the
//!    scenario chose it (`FrameContext::spares`). Allocate only when something is wrong.
//! 4. If the check can bite on a frame that takes the fast path (below), have `fast.rs` prove that
//!    it does not, or leave such a frame to the general path.
//! 5. In `tests/`, plant a capture in which only this check bites and one on the right side of
//!    the threshold; the table test fails until both are there.
//!
//! # The fast path
//!
//! Most frames are never given to the checks: `fast.rs` proves in one pass that none can bite. It
//! takes a frame that is all of this:
//!
//! - plain TCP over IPv4: untagged Ethernet II, an IPv4 header without options, no fragment, no
//!   padding, a TCP header without options, reserved bits zero, a TTL above zero, both checksums
//!   right, and no copy of it altered by its link;
//! - from a port with one IPv4 address, of a node with no other port that does not forward, with
//!   that port's Ethernet and IPv4 addresses as its sources;
//! - no answer to a frame that took the general path, no SYN,ACK unless a test chose it, and, if
//!   it is a reset, the one that RFC 9293 3.10.7.1 asks for after its cause.
//!
//! Frames that the capture cut off take the general path. On it, `judge.rs` gives plain TCP over
//! IPv4 (`HeaderLayout::plain_tcp4`) to none of `lengths`, `reserved`, `icmp` and `fragments`,
//! which have nothing to find in it. A negative scenario, and the test that judges the whole folder
//! with and without the fast path, fail for a check that was forgotten in either place.

mod check;
mod checksums;
mod context;
mod fast;
mod forward;
mod fragments;
mod icmp;
mod judge;
mod layout;
mod lengths;
pub mod observed;
mod options;
mod quote;
mod report;
mod reserved;
mod reset;
mod source;
mod vlan;

pub use check::{Answers, Check, Finding, Level, PortFacts};
pub use judge::{Judge, judge};
pub use report::{Report, Unjudged, Why};

use reset::rules;

/// Every check, by clause group.
pub static CHECKS: &[&Check] = &[
    &lengths::ETH_HEADER,
    &lengths::ETH_TRAILER,
    &lengths::ARP_LENGTHS,
    &lengths::IP4_LENGTHS,
    &lengths::IP6_LENGTHS,
    &lengths::TCP_DATA_OFFSET,
    &lengths::UDP_LENGTH,
    &options::TCP_OPTIONS,
    &options::TCP_OPTIONS_END,
    &options::TCP_OPTIONS_SYN,
    &checksums::IP4_CHECKSUM,
    &checksums::TCP_CHECKSUM,
    &checksums::UDP_CHECKSUM,
    &checksums::ICMP4_CHECKSUM,
    &checksums::ICMP6_CHECKSUM,
    &reserved::TCP_RESERVED,
    &reserved::IP4_RESERVED_BIT,
    &reserved::IP6_FRAGMENT_RESERVED,
    &source::ETH_SOURCE,
    &source::ARP_SOURCE,
    &source::IP_SOURCE_OWN,
    &source::IP_SOURCE_GROUP,
    &source::IP4_TTL_ZERO,
    &source::IP6_HOP_LIMIT_ZERO,
    &forward::FORWARD_HOPS,
    &icmp::ICMP_ERROR_ABOUT,
    &quote::ICMP_QUOTE,
    &quote::ICMP_QUOTE_LENGTH,
    &quote::ICMP_QUOTE_FULL,
    &vlan::VLAN_REPLY,
    &rules::RST_TO_RST,
    &rules::RST_UNPROVOKED,
    &rules::RST_FLAGS,
    &rules::RST_SEQ,
    &rules::RST_ACK,
    &rules::RST_DOUBLED,
    &rules::RST_MISSING,
    &rules::RST_PORTS,
    &rules::RST_ON_BROADCAST,
    &rules::RST_ON_LINK_BROADCAST,
    &rules::BAD_CHECKSUM_ANSWERED,
];
