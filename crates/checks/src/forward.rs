//! Datagrams that a node passes on: where they came from, and what a router owes them.
//!
//! A frame is passed on when an earlier one, handed to the same node, carried the same datagram, or
//! one that a middlebox made into this: `kin` says how far they agree. A router may also pass it
//! back to the port it came by.

use wire::{Capture, Cause, Deliberate, FrameId, Record};

use crate::check::{Answers, Check, Finding, Level, PortFacts};
use crate::context::{FrameContext, delivered_to, facts_of};
use crate::layout::HeaderLayout;

mod history;
pub(crate) mod kin;

pub(crate) use history::History;
pub(crate) use kin::{Kin, Passed};

use kin::Datagram;

pub(crate) static FORWARD_HOPS: Check = Check {
    id: "forward-hops",
    clause: "RFC 1812 5.3.1; RFC 8200 3",
    requirement: "1812-5.3.1",
    level: Level::Must,
    title: "a router lowers the TTL by one at least, and passes no zero on",
    about: "The TTL, or hop limit, is what ends a routing loop. Each router takes one away at \
            least, and drops the datagram instead of sending it with nothing left.",
};

/// How many frames before it are searched for the one that a frame passes on.
const LOOK_BACK: usize = 1024;
/// How many more are searched for a better one once a likely one is found.
const LOOK_ON: usize = 32;

/// What a frame is to those that were handed to its emitter before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is the emitter's own.
    Own,
    /// The emitter's own, in the name of the destination of a segment that it was handed.
    InName,
    /// It passes this frame on.
    Passes(Passed),
}

/// Looks for what a frame of a node that may pass frames on came from, and notes how the node
/// translates.
pub(crate) fn origin(
    capture: &Capture,
    ports: &[PortFacts],
    id: FrameId,
    layout: &HeaderLayout,
    bytes: &[u8],
    history: &mut History,
) -> Origin {
    let record = capture.record(id);
    let Some(facts) = facts_of(ports, record) else { return Origin::Own };
    // A router may send a datagram back into the link it came from; a bridge does not.
    let returns = matches!(facts.answers, Answers::Forwards { .. });
    let handed = |earlier: &Record| {
        let to = delivered_to(ports, earlier)?;
        let same_node = ports.get(usize::from(to)).is_some_and(|p| p.node == facts.node);
        same_node.then_some(returns || to != record.port.0)
    };
    let edits = matches!(facts.answers, Answers::Forwards { .. } | Answers::Unknown);
    let search = Search { capture, now: Datagram::of(layout, bytes), edits, facts, history };
    if let Cause::Frame(cause) = record.cause
        && cause < id
        && handed(capture.record(cause)) == Some(true)
        && let Some(kin) = search.kin(cause, true)
        && kin != Kin::Answer
    {
        let passed = Passed { frame: cause, kin, certain: true };
        search.learn(passed);
        return Origin::Passes(passed);
    }
    search.back(id, handed)
}

/// The search for one frame's origin.
struct Search<'a> {
    capture: &'a Capture,
    now: Datagram<'a>,
    /// The emitter may be one that changes what it passes on.
    edits: bool,
    facts: &'a PortFacts,
    history: &'a mut History,
}

impl Search<'_> {
    /// How far the frame agrees with an earlier one. `certain`: the wire says that they belong
    /// together.
    fn kin(&self, earlier: FrameId, certain: bool) -> Option<Kin> {
        let (layout, bytes) = HeaderLayout::of(self.capture, earlier);
        let before = Datagram::of(&layout, bytes);
        let altered = self.capture.record(earlier).altered;
        kin::exact(&before, &self.now, altered).or_else(|| {
            let edited = || {
                kin::edited(&before, &self.now, certain)
                    .or_else(|| self.history.translates(self.facts.node, &before, &self.now))
            };
            if self.edits { edited() } else { None }
        })
    }

    /// The latest earlier frame that agrees best. `handed` says of a frame whether the emitter was
    /// handed it, and may pass it on.
    fn back(self, id: FrameId, handed: impl Fn(&Record) -> Option<bool>) -> Origin {
        let first = id.index().saturating_sub(LOOK_BACK);
        let mut best: Option<Passed> = None;
        let (mut in_name, mut left) = (false, usize::MAX);
        for index in (first..id.index()).rev() {
            let frame = FrameId(index as u32);
            if left == 0 {
                break;
            }
            let Some(may_pass) = handed(self.capture.record(frame)) else { continue };
            left -= 1;
            match self.kin(frame, false) {
                None => {}
                Some(kin) if kin != Kin::Answer && !may_pass => {}
                Some(Kin::Answer) => in_name = true,
                Some(kin) => {
                    let passed = Passed { frame, kin, certain: false };
                    if best.is_none_or(|best| kin < best.kin) {
                        best = Some(passed);
                        left = left.min(LOOK_ON);
                    }
                    if kin == Kin::Same {
                        break;
                    }
                }
            }
        }
        match best {
            Some(passed) => {
                self.learn(passed);
                Origin::Passes(passed)
            }
            None if in_name => Origin::InName,
            None => Origin::Own,
        }
    }

    fn learn(self, passed: Passed) {
        if passed.kin == Kin::Translated {
            let (layout, bytes) = HeaderLayout::of(self.capture, passed.frame);
            self.history.learn(self.facts.node, &Datagram::of(&layout, bytes), &self.now);
        }
    }
}

/// What a frame passed on inherits: where its bytes were changed underway, no verdict at all.
pub(crate) fn inherited(origin: &Record, spared: Deliberate) -> Deliberate {
    if origin.altered { Deliberate::EVERYTHING } else { spared }
}

/// Holds what a router passes on against what it got.
#[cold]
pub(crate) fn judge(context: &FrameContext<'_>, capture: &Capture, out: &mut Vec<Finding>) {
    let Some(passed) = context.passed.filter(|_| context.by_forwarder()) else { return };
    // Which of a flow's datagrams it is decides which TTL it had.
    if passed.kin > Kin::Edited && !passed.certain {
        return;
    }
    let (layout, before) = HeaderLayout::of(capture, passed.frame);
    let (Some(was), Some(is)) = (layout.hops(before), context.layout.hops(context.bytes)) else {
        return;
    };
    if capture.record(passed.frame).altered || (is < was && is > 0) {
        return;
    }
    let expected = match was {
        0 | 1 => "no frame".to_owned(),
        2 => "1".to_owned(),
        _ => format!("1 to {}", was - 1),
    };
    let message = "the datagram is passed on without one hop less, or with none left";
    let mut finding = context.finding(&FORWARD_HOPS, message, expected, is.to_string());
    finding.trigger = Some(passed.frame);
    out.push(finding);
}
