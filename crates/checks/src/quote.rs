//! What an ICMP error quotes: the datagram that it is about, as it came, and enough of it.

use std::ops::Range;

use wire::{Capture, FrameId};

use crate::check::{Check, Finding, Level, PortFacts};
use crate::context::{FrameContext, delivered_to};
use crate::forward::{Kin, Passed};
use crate::layout::{HeaderLayout, Net, Part, be16};
use crate::source::text;

pub(crate) static ICMP_QUOTE: Check = Check {
    id: "icmp-quote",
    clause: "RFC 1122 3.2.2; RFC 4443 2.4(c)",
    requirement: "1122-3.2.2-quote",
    level: Level::Must,
    title: "an ICMP error quotes the datagram that it is about, unchanged",
    about: "Who gets an error finds by its quote which of its connections is meant. So the quote \
            is what the receiver of the error sent, byte for byte but for what changed on the \
            way (TTL, IPv4 checksum, traffic class); a NAT undoes its work in the quote.",
};
pub(crate) static ICMP_QUOTE_LENGTH: Check = Check {
    id: "icmp-quote-length",
    clause: "RFC 1122 3.2.2; RFC 4443 2.4(c); RFC 4884 4",
    requirement: "1122-3.2.2-quote-length",
    level: Level::Must,
    title: "an ICMP error quotes the IP header and eight octets at least",
    about: "The first eight octets behind the IP header have the ports. ICMPv6 quotes as much as \
            fits into 1280 bytes. With extensions the quote has a length of its own, and is filled \
            up to 128 octets (RFC 4884).",
};
pub(crate) static ICMP_QUOTE_FULL: Check = Check {
    id: "icmp-quote-full",
    clause: "RFC 1812 4.3.2.3",
    requirement: "1812-4.3.2.3",
    level: Level::Should,
    title: "a router quotes as much as fits into 576 bytes",
    about: "Eight octets do not show what stands in a tunnel, or behind options. A router's ICMP \
            error has as much of the datagram as it can without being longer than 576 bytes.",
};

/// How many frames before it are searched for the one that an error is about.
const LOOK_BACK: usize = 1024;

/// The quote of an error, cut out of its message.
struct Quote<'a> {
    bytes: &'a [u8],
    /// The length that RFC 4884 gives it, where it does.
    attribute: Option<usize>,
}

/// Judges the quote of a whole ICMP error, and gives the frame that it is about where it is known.
pub(crate) fn judge(
    context: &FrameContext<'_>,
    capture: &Capture,
    ports: &[PortFacts],
    out: &mut Vec<Finding>,
) -> Option<FrameId> {
    let message = context.upper();
    if context.layout.net == Net::Ip6 && !(1..=4).contains(&message[0]) {
        return None;
    }
    // An error that is passed on as it came is its sender's, and so is one that was wrong before.
    if context.passed.is_some_and(|passed| passed.kin <= Kin::Part || !was_right(capture, passed)) {
        return None;
    }
    let quote = match quote(context, message) {
        Ok(quote) => quote,
        Err(actual) => {
            let text = "the length of the quote does not fit the message";
            let expected = format!("128 to {} bytes", message.len() - 8);
            out.push(context.finding(&ICMP_QUOTE_LENGTH, text, expected, actual));
            return None;
        }
    };
    if let Some(finding) = too_short(context, &quote) {
        out.push(finding);
        return None;
    }
    let own = context.passed.is_none();
    let about = about(context, &quote, capture, ports);
    if let Some(mut finding) = altered(context, &quote, about, capture) {
        finding.trigger = about;
        out.push(finding);
    } else if let Some(finding) = room_left(context, &quote).filter(|_| own) {
        out.push(finding);
    }
    about
}

/// The error that is passed on went to the sender of the datagram that it quotes.
fn was_right(capture: &Capture, passed: Passed) -> bool {
    let (layout, bytes) = HeaderLayout::of(capture, passed.frame);
    let (_, receiver) = layout.addresses(bytes);
    let quote = layout.payload(bytes).get(8..).unwrap_or_default();
    !capture.record(passed.frame).altered
        && addresses(quote, layout.net).is_some_and(|(src, _)| src == receiver)
}

/// Takes the quote out, RFC 4884 4 and 5.
fn quote<'a>(context: &FrameContext<'_>, message: &'a [u8]) -> Result<Quote<'a>, String> {
    let words = match (context.layout.net, message[0]) {
        (Net::Ip4, 3 | 11 | 12) => usize::from(message[5]) * 4,
        (Net::Ip6, 1 | 3) => usize::from(message[4]) * 8,
        _ => 0,
    };
    let rest = &message[8..];
    match words {
        0 => Ok(Quote { bytes: rest, attribute: None }),
        length if length < 128 || length > rest.len() => Err(format!("{length} bytes")),
        length => Ok(Quote { bytes: &rest[..length], attribute: Some(length) }),
    }
}

/// The header length and the length of the datagram quoted, by its own header.
fn lengths(quote: &[u8], net: Net) -> Option<(usize, usize)> {
    match net {
        Net::Ip4 if quote.len() >= 20 && quote[0] >> 4 == 4 => {
            Some((usize::from(quote[0] & 15) * 4, usize::from(be16(quote, 2))))
        }
        Net::Ip6 if quote.len() >= 40 && quote[0] >> 4 == 6 => {
            Some((40, 40 + usize::from(be16(quote, 4))))
        }
        _ => None,
    }
}

/// Less is quoted than every error has to.
fn too_short(context: &FrameContext<'_>, quote: &Quote<'_>) -> Option<Finding> {
    let least = match (context.layout.net, lengths(quote.bytes, context.layout.net)) {
        (Net::Ip4, None) if quote.bytes.first().is_none_or(|byte| byte >> 4 == 4) => 28,
        (Net::Ip4, Some((header, total))) => total.min(header + 8),
        (Net::Ip6, None) if quote.bytes.first().is_none_or(|byte| byte >> 4 == 6) => 48,
        (Net::Ip6, Some((_, total))) => {
            let headers = context.layout.upper_at - context.layout.net_at + 8;
            // Extensions take room of what is behind them, and say how long the quote is.
            let room = quote.attribute.unwrap_or(1280usize.saturating_sub(headers));
            total.min(room)
        }
        _ => return None,
    };
    if quote.bytes.len() >= least {
        return None;
    }
    let text = "the error quotes too little of the datagram that it is about";
    let (expected, actual) =
        (format!("{least} bytes or more"), format!("{} bytes", quote.bytes.len()));
    Some(context.finding(&ICMP_QUOTE_LENGTH, text, expected, actual))
}

/// A router left room in its error for more of the datagram.
fn room_left(context: &FrameContext<'_>, quote: &Quote<'_>) -> Option<Finding> {
    if context.layout.net != Net::Ip4 || !context.by_forwarder() || quote.attribute.is_some() {
        return None;
    }
    let (_, total) = lengths(quote.bytes, Net::Ip4)?;
    let most = total.min(576 - (context.layout.upper_at - context.layout.net_at) - 8);
    if quote.bytes.len() >= most {
        return None;
    }
    let text = "the error has room for more of the datagram that it is about";
    let (expected, actual) = (format!("{most} bytes"), format!("{} bytes", quote.bytes.len()));
    Some(context.finding(&ICMP_QUOTE_FULL, text, expected, actual))
}

/// The quote is not of a datagram that the receiver of the error sent, or not as it was delivered.
fn altered(
    context: &FrameContext<'_>,
    quote: &Quote<'_>,
    about: Option<FrameId>,
    capture: &Capture,
) -> Option<Finding> {
    let net = context.layout.net;
    let (src, _) = addresses(quote.bytes, net)?;
    let (_, receiver) = context.layout.addresses(context.bytes);
    if src != receiver {
        let what = "the quote is of a datagram that the receiver of the error did not send";
        let expected = format!("a datagram from {}", text(receiver));
        let actual = format!("one from {}", text(src));
        return Some(context.finding(&ICMP_QUOTE, what, expected, actual));
    }
    let (layout, frame) = HeaderLayout::of(capture, about?);
    if capture.record(about?).altered {
        return None;
    }
    let sent = &frame[layout.net_at..layout.end.min(frame.len())];
    let at = differs(quote.bytes, sent, net)?;
    // A NAT sees to addresses and ports; how much else it undoes no rule says.
    if context.passed.is_some() && !is_of_ends(at, quote.bytes, net) {
        return None;
    }
    let what = format!("byte {at} of the quote is not that of the datagram");
    let byte = |bytes: &[u8]| format!("{:#04x}", bytes[at]);
    Some(context.finding(&ICMP_QUOTE, what, byte(sent), byte(quote.bytes)))
}

/// The byte of the quote is one of its addresses or ports.
fn is_of_ends(at: usize, quote: &[u8], net: Net) -> bool {
    let header = lengths(quote, net).map_or(0, |(header, _)| header);
    let of_addresses = if net == Net::Ip4 { 12..20 } else { 8..40 };
    of_addresses.contains(&at) || (header..header + 4).contains(&at)
}

fn addresses(quote: &[u8], net: Net) -> Option<(&[u8], &[u8])> {
    lengths(quote, net)?;
    Some(match net {
        Net::Ip4 => (&quote[12..16], &quote[16..20]),
        _ => (&quote[8..24], &quote[24..40]),
    })
}

/// The first byte of a quote that is not the datagram's, but for what may change before an error is
/// made: TTL and IPv4 checksum, the traffic class, IPv4 options that each router fills in.
fn differs(quote: &[u8], sent: &[u8], net: Net) -> Option<usize> {
    let header = usize::from(quote[0] & 15) * 4;
    let changes = |at: usize| match net {
        Net::Ip4 => matches!(at, 1 | 8 | 10 | 11) || (20..header).contains(&at),
        _ => matches!(at, 0 | 1 | 7),
    };
    let both = quote.iter().zip(sent).enumerate();
    both.filter(|(at, (quoted, was))| quoted != was && !changes(*at)).map(|(at, _)| at).next()
}

/// The frame that an error is about: what was being handled, by the wire's own word, or the latest
/// frame handed to the emitter that the quote fits best.
fn about(
    context: &FrameContext<'_>,
    quote: &Quote<'_>,
    capture: &Capture,
    ports: &[PortFacts],
) -> Option<FrameId> {
    let node = context.facts?.node;
    let handed = |id: FrameId| {
        let to = delivered_to(ports, capture.record(id));
        to.and_then(|to| ports.get(usize::from(to))).is_some_and(|port| port.node == node)
    };
    let translated = context.passed.is_some();
    let fits = |id: FrameId| fit(quote.bytes, capture, id, context.layout.net, translated);
    let text = context.cause().filter(|cause| handed(*cause)).map(|cause| (cause, fits(cause)));
    if let Some((cause, Fit::Near | Fit::Exact)) = text {
        return Some(cause);
    }
    let first = context.id.index().saturating_sub(LOOK_BACK);
    let mut near = None;
    for id in (first..context.id.index()).rev().map(|index| FrameId(index as u32)) {
        if !handed(id) {
            continue;
        }
        match fits(id) {
            Fit::Exact => return Some(id),
            Fit::Near => near = near.or(Some(id)),
            Fit::Family | Fit::Other => {}
        }
    }
    let text = text.filter(|(_, fit)| *fit == Fit::Family && context.passed.is_none());
    near.or(text.map(|(cause, _)| cause))
}

/// How well a quote fits a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Not at all: it is of another IP version.
    Other,
    /// Both are of one IP version.
    Family,
    /// It can hardly be about another datagram, and yet a byte differs.
    Near,
    /// Every byte is the same that may not differ.
    Exact,
}

/// `translated`: the error passed a node that may translate addresses and ports.
fn fit(quote: &[u8], capture: &Capture, id: FrameId, net: Net, translated: bool) -> Fit {
    let (layout, frame) = HeaderLayout::of(capture, id);
    if layout.net != net || frame.len() <= layout.net_at {
        return Fit::Other;
    }
    let sent = &frame[layout.net_at..layout.end.min(frame.len())];
    let (Some((header, total)), Some((was_header, was_total))) =
        (lengths(quote, net), lengths(sent, net))
    else {
        return Fit::Other;
    };
    if differs(quote, sent, net).is_none() {
        return Fit::Exact;
    }
    // What is put together from fragments is quoted with another length.
    if layout.part != Part::Whole {
        return Fit::Other;
    }
    // A NAT makes the sum anew, and the ports.
    let first = if translated { 4..6 } else { 0..8 };
    let part = |bytes: &'_ [u8], header: usize| {
        bytes.get(header + first.start..header + first.end).map(<[u8]>::to_vec)
    };
    let transport = part(quote, header).is_some_and(|bytes| Some(bytes) == part(sent, was_header));
    let ends = addresses(quote, net) == addresses(sent, net);
    let (mark, protocol) = if net == Net::Ip4 { (4..6, 9) } else { (2..4, 6) };
    let named = quote[mark.clone()] == sent[mark.clone()]
        && quote[mark.clone()].iter().any(|byte| *byte != 0)
        && quote[protocol] == sent[protocol]
        && total == was_total;
    // The same sent again, with an identification of its own.
    let again = net == Net::Ip4 && quote[4..6] != sent[4..6];
    let near = [transport, ends, named].iter().filter(|is| **is).count() >= 2
        || (!translated && header == was_header && one_edit(quote, sent, net, header));
    if near && !again { Fit::Near } else { Fit::Family }
}

/// All that tells one datagram of TCP or UDP from another is the same, but for one address, one
/// port or one length. A sequence number or a checksum that differs makes it another datagram.
fn one_edit(quote: &[u8], sent: &[u8], net: Net, header: usize) -> bool {
    let (protocol, length, src, dst) = match net {
        Net::Ip4 => (9, 2..4, 12..16, 16..20),
        _ => (6, 4..6, 8..24, 24..40),
    };
    let end = header + 8;
    let marked = match (quote[protocol], quote.get(header + 6..end)) {
        (6, Some(_)) => header + 4..end,
        (17, Some(sum)) if sum != [0, 0] => header + 6..end,
        _ => return false,
    };
    let between = header + 4..marked.start;
    let same = |at: &Range<usize>| Some(&quote[at.clone()]) == sent.get(at.clone());
    let parts = [length, src, dst, header..header + 2, header + 2..header + 4, between];
    quote[protocol] == sent[protocol]
        && same(&marked)
        && parts.iter().filter(|part| !same(part)).count() == 1
}
