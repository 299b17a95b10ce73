//! One pass over a capture. Owns the scratch room, so that judging again allocates nothing.

use wire::{Capture, FrameId, PortId};

use crate::check::{Finding, PortFacts};
use crate::context::{FrameContext, facts_of};
use crate::fast::{self, Station};
use crate::forward::{History, Origin};
use crate::fragments::Fragments;
use crate::layout::{self, HeaderLayout, Part};
use crate::report::{Report, Why};
use crate::reset::Segments;
use crate::{checksums, forward, icmp, lengths, options, reserved, reset, source, vlan};

mod observe;

/// Judges captures one after the other. While nothing is wrong and captures do not grow, a call
/// allocates nothing.
#[derive(Debug, Default)]
pub struct Judge {
    /// What each frame is to the reset checks, one entry a frame.
    segments: Segments,
    /// For each node, how many ports it has.
    members: Vec<u32>,
    /// How nodes translated so far what they pass on.
    history: History,
    /// The datagrams of which fragments are awaited.
    fragments: Fragments,
    /// For each port, whether its node has other ports to pass frames on from.
    joined: Vec<bool>,
    /// For each port, what the fast path compares a frame from it or to it with.
    stations: Vec<Option<Station>>,
    /// Every frame takes the general path, so that both can be compared.
    general_only: bool,
}

impl Judge {
    /// A judge without room yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same without the fast path: every frame is given to the checks. It finds the same and
    /// takes longer, and is there for the tests that compare both.
    #[must_use]
    pub fn without_fast_path(self) -> Self {
        Self { general_only: true, ..self }
    }

    /// Holds every frame of a capture against every check, and adds what it finds to `report`, in
    /// the order of the frames; what is missing comes last. `ports` is indexed by
    /// [`PortId`](wire::PortId) and may be shorter than the interface table.
    pub fn judge(&mut self, capture: &Capture, ports: &[PortFacts], report: &mut Report) {
        self.begin(capture, ports);
        if capture.has_cuts() {
            // The bytes that are left of a cut frame may look plain where the frame was not.
            for (id, ..) in capture.iter() {
                self.general(id, capture, ports, report);
            }
        } else {
            for (id, record, bytes) in capture.iter() {
                let Self { stations, segments, .. } = self;
                if !fast::passes(stations, segments, capture, record, bytes) {
                    self.general(id, capture, ports, report);
                }
            }
        }
        self.end(capture, report);
    }

    fn begin(&mut self, capture: &Capture, ports: &[PortFacts]) {
        self.segments.begin(capture.len());
        self.history.clear();
        self.fragments.begin();
        self.join(ports);
        self.stations.clear();
        self.stations.extend((0u16..).zip(ports).zip(&self.joined).map(
            |((port, facts), joined)| {
                let plain = capture.is_plain(PortId(port)) && !self.general_only;
                Station::of(facts, *joined).filter(|_| plain)
            },
        ));
    }

    /// What is missing once all frames are there.
    fn end(&mut self, capture: &Capture, report: &mut Report) {
        self.fragments.end(report);
        reset::missing(&self.segments, capture, capture.len(), &mut report.findings);
    }

    /// Judges a frame that the fast path does not prove right.
    #[inline(never)]
    fn general(
        &mut self,
        id: FrameId,
        capture: &Capture,
        ports: &[PortFacts],
        report: &mut Report,
    ) {
        let captured = capture.captured(id);
        let (bytes, wire_len) = layout::without_fcs(captured);
        let mut layout = HeaderLayout::blank(wire_len);
        layout.look(bytes, captured.link);
        let record = capture.record(id);
        let facts = facts_of(ports, record);
        let mut context = FrameContext {
            id,
            record,
            bytes,
            layout: &layout,
            spared: record.deliberate,
            passed: None,
            in_name: false,
            between: false,
            facts,
        };
        let joined = self.joined.get(usize::from(record.port.0)) == Some(&true);
        if joined || context.by_forwarder() {
            context.between = true;
            self.inherit(&mut context, capture, ports);
        }
        self.frame(&context, capture, ports, report);
    }

    /// Counts each node's ports, once over all of them.
    fn join(&mut self, ports: &[PortFacts]) {
        self.members.clear();
        for port in ports {
            let node = usize::from(port.node);
            if node >= self.members.len() {
                self.members.resize(node + 1, 0);
            }
            self.members[node] += 1;
        }
        let members = &self.members;
        self.joined.clear();
        self.joined.extend(ports.iter().map(|port| members[usize::from(port.node)] > 1));
    }

    /// Finds out what the frame passes on, and lets it inherit what was deliberate there.
    fn inherit(&mut self, context: &mut FrameContext<'_>, capture: &Capture, ports: &[PortFacts]) {
        let (layout, bytes) = (context.layout, context.bytes);
        match forward::origin(capture, ports, context.id, layout, bytes, &mut self.history) {
            Origin::Own => {}
            Origin::InName => context.in_name = true,
            Origin::Passes(passed) => {
                let there = self.segments.spared(passed.frame);
                let inherited = forward::inherited(capture.record(passed.frame), there);
                context.passed = Some(passed);
                context.spared = context.spared.with(inherited);
            }
        }
    }

    #[inline]
    fn frame(
        &mut self,
        context: &FrameContext<'_>,
        capture: &Capture,
        ports: &[PortFacts],
        report: &mut Report,
    ) {
        let mut about = None;
        if !context.layout.plain_tcp4 {
            if let Some(why) = unjudged(context.layout, context.bytes) {
                report.pass_over(why, context.id);
            }
            lengths::judge(context, &mut report.findings);
            reserved::judge(context, &mut report.findings);
            about = icmp::judge(context, capture, ports, &mut report.findings);
            if context.layout.part != Part::Whole {
                let horizon = self.segments.reach();
                self.fragments.judge(context, horizon, capture, report);
            }
        }
        let out = &mut report.findings;
        let sums = checksums::judge(context, out);
        options::judge(context, out);
        source::judge(context, capture, ports, out);
        if context.passed.is_some() {
            forward::judge(context, capture, out);
        }
        let answered = reset::judge(&mut self.segments, context, sums, capture, ports, out);
        if context.passed.is_none() {
            vlan::judge(context, about.or(answered), capture, ports, out);
        }
    }
}

/// Why a frame is not judged in full.
fn unjudged(layout: &HeaderLayout, bytes: &[u8]) -> Option<Why> {
    layout.unread.or((layout.wire_len > bytes.len()).then_some(Why::Cut))
}

/// Judges one capture. Whoever judges many keeps a [`Judge`].
#[must_use]
pub fn judge(capture: &Capture, ports: &[PortFacts]) -> Report {
    let mut report = Report::new();
    Judge::new().judge(capture, ports, &mut report);
    report
}

impl Finding {
    /// The frame to show: the one that breaks the rule, or the one left without its answer.
    #[must_use]
    pub fn place(&self) -> Option<FrameId> {
        self.frame.or(self.trigger)
    }
}
