//! One frame as every check sees it, and the way a finding is written down.

use wire::{Cause, Deliberate, FrameId, Record};

use crate::check::{Answers, Check, Finding, PortFacts};
use crate::forward::kin::Passed;
use crate::layout::HeaderLayout;

/// A frame with what is known of it: what each check is given.
#[derive(Clone, Copy)]
pub(crate) struct FrameContext<'a> {
    pub(crate) id: FrameId,
    pub(crate) record: &'a Record,
    pub(crate) bytes: &'a [u8],
    pub(crate) layout: &'a HeaderLayout,
    /// What the scenario made wrong on purpose, here or where a forwarder got it from.
    pub(crate) spared: Deliberate,
    /// What the emitting node was handed and here passes on.
    pub(crate) passed: Option<Passed>,
    /// It answers, at a node that passes frames on, in the name of the destination.
    pub(crate) in_name: bool,
    /// The emitter may pass frames on: it is known to, or has several ports.
    pub(crate) between: bool,
    /// What is known of the port that emitted it.
    pub(crate) facts: Option<&'a PortFacts>,
}

impl<'a> FrameContext<'a> {
    /// The scenario chose what `what` names.
    #[inline]
    pub(crate) fn spares(&self, what: Deliberate) -> bool {
        self.spared.has(what)
    }

    /// The earlier frame that was being handled when this one was emitted. A cause that is no
    /// earlier frame of the capture is none: whoever made the capture may have written anything.
    pub(crate) fn cause(&self) -> Option<FrameId> {
        match self.record.cause {
            Cause::Frame(cause) if cause < self.id => Some(cause),
            _ => None,
        }
    }

    /// The emitter is known to forward datagrams.
    pub(crate) fn by_forwarder(&self) -> bool {
        self.facts.is_some_and(|facts| matches!(facts.answers, Answers::Forwards { .. }))
    }

    /// What the datagram carries behind the IP header, without padding, as far as it was captured.
    #[inline]
    pub(crate) fn upper(&self) -> &'a [u8] {
        self.layout.payload(self.bytes)
    }

    /// A finding about this frame.
    #[cold]
    pub(crate) fn finding(
        &self,
        check: &'static Check,
        message: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Finding {
        Finding {
            check,
            frame: Some(self.id),
            trigger: None,
            message: message.into(),
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

/// The facts of the port that emitted a frame.
#[inline]
pub(crate) fn facts_of<'a>(ports: &'a [PortFacts], record: &Record) -> Option<&'a PortFacts> {
    ports.get(usize::from(record.port.0))
}

/// The port that a frame was handed to, where its link handed it over at all.
#[inline]
pub(crate) fn delivered_to(ports: &[PortFacts], record: &Record) -> Option<u16> {
    if record.deliveries == 0 {
        return None;
    }
    facts_of(ports, record)?.peer.map(|port| port.0)
}
