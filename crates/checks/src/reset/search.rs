//! The frame that caused a reset. Where the wire knows it, its word counts; else the connection's
//! earlier segments are searched from the latest back.

use wire::segment::{ACK, RST, SYN};
use wire::{Capture, Cause, FrameId};

use super::segments::{Ends, Segment, Segments};
use super::values::{Values, asked};
use crate::check::{Answers, PortFacts};
use crate::context::FrameContext;
use crate::observed::EVERYBODY;

/// How many earlier segments are looked at; beyond that nothing is claimed.
pub(super) const LOOK_BACK: usize = 1024;

/// What can be asked of a reset by what is known of its emitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A stack, perhaps with a connection of its own.
    Stack,
    /// It should not have sent anything.
    Silent,
    /// This port is closed or rejected: there is no connection, so the rule of CLOSED holds.
    Closed,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// The segment that the reset answers, not answered before.
    pub(super) trigger: Option<FrameId>,
    /// A reset that came in.
    pub(super) reset: Option<FrameId>,
    /// A segment of which each copy has its answer.
    pub(super) answered: Option<FrameId>,
    /// The wire's own word: this frame was being handled, and its ends are other ones.
    pub(super) foreign: Option<FrameId>,
    /// The wire's own word says so of what is found.
    pub(super) certain: bool,
    /// The wire's own word: this frame was being handled, and what it carries cannot be read.
    pub(super) unread: bool,
    /// The emitter has opened a connection between these ends, or the look-back ended before
    /// that could be told.
    pub(super) opened: bool,
}

/// Who emitted a segment that answers, and between which ends.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) facts: &'a PortFacts,
    pub(super) ports: &'a [PortFacts],
    pub(super) port: u16,
    /// The ends of what it emitted.
    pub(super) ends: Ends,
}

impl Asker<'_> {
    /// The segment was handed to the emitter; to the very port, for a forwarder.
    #[inline]
    pub(super) fn was_handed(&self, segment: &Segment) -> bool {
        let Some(to) = segment.to() else { return false };
        let node = self.ports.get(usize::from(to)).map(|p| p.node);
        if node == Some(EVERYBODY) {
            return segment.from != self.port;
        }
        let same_node = || node == Some(self.facts.node);
        let forwards = matches!(self.facts.answers, Answers::Forwards { .. });
        to == self.port || (!forwards && same_node())
    }

    /// What is sent between these ends goes to many hosts: a group, or all of a subnet of the node.
    pub(super) fn is_to_many(&self, ends: Ends) -> bool {
        let same_node = |facts: &&PortFacts| facts.node == self.facts.node;
        let of_subnet = |facts: &PortFacts| {
            facts.broadcasts.iter().any(|all| ends.dst.0 == u128::from(all.to_ipv6_mapped()))
        };
        ends.to_group() || self.ports.iter().filter(same_node).any(of_subnet)
    }

    /// The segment was emitted by the same node.
    fn has_sent(&self, segment: &Segment) -> bool {
        let port = self.ports.get(usize::from(segment.from));
        port.map(|port| port.node) == Some(self.facts.node)
    }
}

/// What the emitter of a reset from TCP port `port` is known to be.
#[inline]
pub(super) fn role(facts: &PortFacts, port: u16) -> Role {
    match &facts.answers {
        Answers::Never => Role::Silent,
        Answers::ClosedPorts(set) if set.contains(port) => Role::Closed,
        Answers::Forwards { rejects, may_reject }
            if rejects.contains(port) || may_reject.contains(port) =>
        {
            Role::Closed
        }
        _ => Role::Stack,
    }
}

/// A reset whose cause is looked for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) segments: &'a Segments,
    pub(super) capture: &'a Capture,
    pub(super) context: &'a FrameContext<'a>,
    pub(super) reset: &'a Segment,
    pub(super) asker: &'a Asker<'a>,
    pub(super) role: Role,
}

impl<'a> Search<'a> {
    /// Finds it.
    #[inline]
    pub(super) fn find(&self) -> Found {
        let Self { segments, capture, asker, role, .. } = *self;
        let ends = asker.ends;
        let text = self.describe();
        if let Some((_, segment)) = text
            && segment.is_unread()
        {
            return Found { unread: true, ..Found::default() };
        }
        if let Some((id, segment)) = text
            && segment.ends(capture.frame(id)) == ends.swapped()
        {
            let mut found = Found { certain: true, ..Found::default() };
            found.sort(id, segment);
            if role == Role::Stack {
                found.opened = self.walk().opened;
            }
            return found;
        }
        let mut found = self.walk();
        if found.trigger.is_none() {
            found.trigger = to_many(segments, asker, capture);
        }
        if found.trigger.is_none()
            && let Some((id, segment)) = text
            && segment.flags & RST == 0
        {
            found.foreign = Some(id);
        }
        if found.trigger.is_none() && role == Role::Closed && segments.is_watched() {
            found.foreign = between_other_ports(segments, asker, capture);
        }
        found
    }

    /// The TCP segment that the emitter was handling, or what may be one, by the wire's own word.
    #[inline]
    fn describe(&self) -> Option<(FrameId, &'a Segment)> {
        let Cause::Frame(id) = self.context.record.cause else { return None };
        let segment = self.segments.get(id)?;
        ((segment.is_tcp() || segment.is_unread()) && self.asker.was_handed(segment))
            .then_some((id, segment))
    }

    /// Searches the connection's earlier segments: the latest whose answer would be this very
    /// reset, else the latest with right checksums, else the latest.
    #[inline]
    fn walk(&self) -> Found {
        let Self { segments, capture, context, reset, asker, role } = *self;
        let actual = Values::of(reset, context.bytes);
        let (ends, back) = (asker.ends, asker.ends.swapped());
        let (mut exact, mut good, mut found) = (None, None, Found::default());
        let watched = segments.is_watched() && role == Role::Stack;
        let mut steps = 0;
        for (id, segment) in segments.chain(reset.hash) {
            steps += 1;
            if steps > LOOK_BACK {
                found.opened = true;
                break;
            }
            if segment.hash != reset.hash {
                continue;
            }
            let frame = capture.frame(id);
            let its = segment.ends(frame);
            if its == ends && (watched || segment.flags & SYN != 0) && asker.has_sent(segment) {
                found.opened |= segment.flags & (SYN | RST) != RST;
            }
            if its != back || !asker.was_handed(segment) {
                continue;
            }
            // What is not seen to begin may have begun before.
            found.opened |= watched && segment.flags & (SYN | ACK) != SYN;
            found.sort(id, segment);
            if segment.flags & RST != 0 || segment.is_answered() || !segment.sums_hold() {
                continue;
            }
            good = good.or(Some(id));
            if exact.is_none() && !segment.is_opaque() && asked(segment, frame) == actual {
                exact = Some(id);
                if role == Role::Closed {
                    break;
                }
            }
        }
        found.trigger = exact.or(good).or(found.trigger);
        found
    }
}

impl Found {
    fn sort(&mut self, id: FrameId, segment: &Segment) {
        if segment.flags & RST != 0 {
            self.reset = self.reset.or(Some(id));
        } else if segment.is_answered() {
            self.answered = self.answered.or(Some(id));
        } else {
            self.trigger = self.trigger.or(Some(id));
        }
    }
}

/// Where nobody says what a reset answers: an open segment between the same hosts, of which the
/// reset has the port that it goes to, or both ports as they were.
#[cold]
fn between_other_ports(
    segments: &Segments,
    asker: &Asker<'_>,
    capture: &Capture,
) -> Option<FrameId> {
    let ends = asker.ends;
    let len = segments.len();
    (len.saturating_sub(LOOK_BACK)..len).rev().map(|index| FrameId(index as u32)).find(|id| {
        segments.get(*id).is_some_and(|segment| {
            let open = segment.is_tcp() && segment.flags & RST == 0 && !segment.is_answered();
            open && segment.sums_hold() && asker.was_handed(segment) && {
                let its = segment.ends(capture.frame(*id));
                let hosts = (its.src.0, its.dst.0) == (ends.dst.0, ends.src.0);
                let unswapped = (its.src.1, its.dst.1) == (ends.src.1, ends.dst.1);
                hosts && (its.src.1 == ends.dst.1 || unswapped)
            }
        })
    })
}

/// A segment that went to many hosts and is answered from another address.
#[cold]
fn to_many(segments: &Segments, asker: &Asker<'_>, capture: &Capture) -> Option<FrameId> {
    let ends = asker.ends;
    let len = segments.len();
    (len.saturating_sub(LOOK_BACK)..len).rev().map(|index| FrameId(index as u32)).find(|id| {
        segments.get(*id).is_some_and(|segment| {
            let open = segment.is_tcp() && segment.flags & RST == 0 && !segment.is_answered();
            open && asker.was_handed(segment) && {
                let its = segment.ends(capture.frame(*id));
                asker.is_to_many(its) && its.src == ends.dst && its.dst.1 == ends.src.1
            }
        })
    })
}
