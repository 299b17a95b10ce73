//! ICMP errors are sent about datagrams that may be answered, and about no others.

use wire::address::{is_confined, is_group};
use wire::{Capture, Deliberate, FrameId, LinkType};

use crate::check::{Check, Finding, Level, PortFacts};
use crate::context::FrameContext;
use crate::layout::{Net, Part, Upper, be16};
use crate::quote;
use crate::source::text;

pub(crate) static ICMP_ERROR_ABOUT: Check = Check {
    id: "icmp-error-about",
    clause: "RFC 1122 3.2.2; RFC 4443 2.4(e)",
    requirement: "1122-3.2.2",
    level: Level::Must,
    title: "no ICMP error about an ICMP error, a group, a fragment or nobody",
    about: "An error that answers an error, or one datagram that a whole link received, would \
            multiply without end. So there is none about ICMP errors, about what was sent to a \
            broadcast or multicast address, about fragments but the first, or to a source that \
            is not one host. IPv6 excepts two errors that path MTU discovery and options need.",
};

/// Looks at the datagram that an ICMP error quotes.
#[inline]
pub(crate) fn judge(
    context: &FrameContext<'_>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    match context.layout.upper {
        Upper::Icmp4 | Upper::Icmp6 => errors(context, capture, ports, out),
        _ => None,
    }
}

/// Judges an error, and gives the frame that it is about where that is known.
#[inline(never)]
fn errors(
    context: &FrameContext<'_>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    let message = context.upper();
    let whole = context.layout.part == Part::Whole && !context.layout.cut;
    // A quote that a NAT passes on is its own work, whoever wrote the error.
    let scripted = match context.passed {
        Some(_) => context.record.deliberate.has(Deliberate::SEGMENT),
        None => context.spares(Deliberate::SEGMENT),
    };
    if !whole || scripted || message.len() < 8 {
        return None;
    }
    let fault = match context.layout.net {
        Net::Ip4 if is_error4(message[0]) => about4(&message[8..]),
        Net::Ip6 if message[0] < 128 => about6(message, &message[8..]),
        _ => return None,
    };
    if context.passed.is_some() {
        return quote::judge(context, capture, ports, out);
    }
    if let Some(actual) = fault.or_else(|| link_broadcast(context, capture, message)) {
        let text = "an icmp error about what must not be answered with one";
        let mut finding = context.finding(&ICMP_ERROR_ABOUT, text, "no frame", actual);
        finding.trigger = context.cause();
        out.push(finding);
        return None;
    }
    quote::judge(context, capture, ports, out)
}

/// Destination unreachable, source quench, redirect, time exceeded, parameter problem.
fn is_error4(kind: u8) -> bool {
    matches!(kind, 3 | 4 | 5 | 11 | 12)
}

fn about4(quote: &[u8]) -> Option<String> {
    if quote.len() < 20 || quote[0] >> 4 != 4 {
        return None;
    }
    let header = usize::from(quote[0] & 15) * 4;
    if be16(quote, 6) & 0x1fff != 0 {
        return Some("about a fragment that is not the first".to_owned());
    }
    if quote[9] == 1 && quote.get(header).is_some_and(|kind| is_error4(*kind)) {
        return Some("about an icmp error".to_owned());
    }
    endpoints(&quote[12..16], &quote[16..20], false)
}

fn about6(message: &[u8], quote: &[u8]) -> Option<String> {
    if quote.len() < 40 || quote[0] >> 4 != 6 {
        return None;
    }
    let kind = quote.get(40).copied();
    // 137 is Redirect, the one informational message that is not to be answered either.
    if quote[6] == 58 && kind.is_some_and(|kind| kind < 128 || kind == 137) {
        return Some("about an icmpv6 error or redirect".to_owned());
    }
    endpoints(&quote[8..24], &quote[24..40], is_excepted6(message))
}

/// Packet Too Big, and Parameter Problem with code 2, may answer a multicast.
fn is_excepted6(message: &[u8]) -> bool {
    message[0] == 2 || (message[0] == 4 && message[1] == 2)
}

fn endpoints(src: &[u8], dst: &[u8], group_allowed: bool) -> Option<String> {
    let nobody = src.iter().all(|byte| *byte == 0);
    if nobody || is_group(src) || is_confined(src) {
        return Some(format!("about a datagram from {}", text(src)));
    }
    (is_group(dst) && !group_allowed).then(|| format!("about a datagram to {}", text(dst)))
}

/// The datagram came in a broadcast or multicast frame, where the wire knows what caused this.
fn link_broadcast(context: &FrameContext<'_>, capture: &Capture, message: &[u8]) -> Option<String> {
    let cause = context.cause()?;
    if capture.record(cause).altered || (context.layout.net == Net::Ip6 && is_excepted6(message)) {
        return None;
    }
    let ethernet = capture.link(capture.record(cause).port) == LinkType::Ethernet;
    let group = ethernet && capture.frame(cause).first().is_some_and(|byte| byte & 1 == 1);
    group.then(|| "about a datagram in a group-addressed frame".to_owned())
}
