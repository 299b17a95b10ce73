//! TCP option lists are legal. What an option means to a connection is not known here.

use wire::Deliberate;
use wire::segment::SYN;

use crate::check::{Check, Finding, Level};
use crate::context::FrameContext;
use crate::layout::be16;

pub(crate) static TCP_OPTIONS: Check = Check {
    id: "tcp-options",
    clause: "RFC 9293 3.1",
    requirement: "MUST-68",
    level: Level::Must,
    title: "every TCP option has a length, and it fits",
    about: "All options but end-of-list and no-operation carry a length byte that counts kind, \
            length and data. It is two at least, ends inside the header, and is the one that the \
            option's own RFC gives it.",
};
pub(crate) static TCP_OPTIONS_END: Check = Check {
    id: "tcp-options-end",
    clause: "RFC 9293 3.1",
    requirement: "MUST-69",
    level: Level::Must,
    title: "zeros follow the end of the TCP option list",
    about: "After the end-of-list option the header is filled up with zeros. Other bytes there are \
            old memory, or options that no receiver will read.",
};
pub(crate) static TCP_OPTIONS_SYN: Check = Check {
    id: "tcp-options-syn-only",
    clause: "RFC 9293 3.2; RFC 7323 2.2; RFC 2018 2",
    requirement: "MUST-65",
    level: Level::Must,
    title: "options that open a connection stand in SYN segments only",
    about: "Maximum segment size, window scale and SACK-permitted are agreed on while a connection \
            opens. A segment without SYN does not carry them.",
};

/// The first thing wrong with an option list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// The kind, and its length where there is one.
    Length(u8, Option<u8>),
    /// This byte follows the end of the list.
    AfterEnd(u8),
    /// This kind stands in a segment without SYN.
    NotSyn(u8),
}

/// Walks the options of a sound TCP header.
#[inline]
pub(crate) fn judge(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    let layout = context.layout;
    if layout.is_sound_tcp() && context.bytes[layout.upper_at + 12] >= 0x60 && !layout.cut {
        walk(context, out);
    }
}

/// The option list is legal, or there is none.
#[inline]
pub(crate) fn legal(context: &FrameContext<'_>) -> bool {
    context.bytes[context.layout.upper_at + 12] < 0x60 || !broken(context)
}

#[inline(never)]
fn broken(context: &FrameContext<'_>) -> bool {
    matches!(flaw(context), Some(Flaw::Length(..) | Flaw::AfterEnd(_)))
}

#[inline(never)]
fn walk(context: &FrameContext<'_>, out: &mut Vec<Finding>) {
    if context.spares(Deliberate::LENGTHS) || context.spares(Deliberate::SEGMENT) {
        return;
    }
    out.extend(flaw(context).map(|flaw| report(context, flaw)));
}

#[cold]
fn report(context: &FrameContext<'_>, flaw: Flaw) -> Finding {
    match flaw {
        Flaw::Length(kind, length) => {
            let expected = lengths_of(kind).0;
            let actual = length.map_or("no length byte".to_owned(), |length| length.to_string());
            let message = format!("the length of option kind {kind} cannot be");
            context.finding(&TCP_OPTIONS, message, expected, actual)
        }
        Flaw::AfterEnd(byte) => {
            let message = "a byte other than zero follows the end of the option list";
            context.finding(&TCP_OPTIONS_END, message, "0x00", format!("{byte:#04x}"))
        }
        Flaw::NotSyn(kind) => {
            let message = format!("option kind {kind} stands in a segment without SYN");
            context.finding(&TCP_OPTIONS_SYN, message, "only in SYN segments", "SYN is not set")
        }
    }
}

/// In words, and as a rule, which lengths a kind can have: RFC 9293 3.1, 7323, 2018.
fn lengths_of(kind: u8) -> (&'static str, fn(u8) -> bool) {
    match kind {
        2 => ("4, inside the header", |length| length == 4),
        3 => ("3, inside the header", |length| length == 3),
        4 => ("2, inside the header", |length| length == 2),
        5 => ("8n + 2, inside the header", |length| length > 2 && length % 8 == 2),
        8 => ("10, inside the header", |length| length == 10),
        _ => ("2 or more, inside the header", |length| length >= 2),
    }
}

fn flaw(context: &FrameContext<'_>) -> Option<Flaw> {
    let header = context.upper();
    let end = usize::from(header[12] >> 4) * 4;
    let syn = be16(header, 12) & SYN != 0;
    let mut rest = &header[20..end];
    let mut late = None;
    while let [kind, tail @ ..] = rest {
        match kind {
            0 => {
                let byte = tail.iter().find(|byte| **byte != 0);
                return byte.map(|byte| Flaw::AfterEnd(*byte)).or(late);
            }
            1 => rest = tail,
            _ => {
                let Some(&length) = tail.first() else {
                    return Some(Flaw::Length(*kind, None));
                };
                let (_, fits) = lengths_of(*kind);
                if usize::from(length) > rest.len() || !fits(length) {
                    return Some(Flaw::Length(*kind, Some(length)));
                }
                if matches!(kind, 2..=4) && !syn {
                    late = late.or(Some(Flaw::NotSyn(*kind)));
                }
                rest = &rest[usize::from(length)..];
            }
        }
    }
    late
}
