//! One pass over a capture. Owns the scratch room, so that judging again allocates nothing.

use wire::{Capture, FrameId};

use crate::check::{Finding, PortFacts};
use crate::ordinary::{self, Station};
use crate::outline::Outline;
use crate::reset::Segments;
use crate::shot::{Shot, facts_of};
use crate::{checksums, forward, icmp, lengths, options, reserved, reset, source};

/// Judges captures one after the other. While nothing is wrong and captures do not grow, a call
/// allocates nothing.
#[derive(Debug, Default)]
pub struct Judge {
    /// What each frame is to the reset checks, one entry a frame.
    segments: Segments,
    /// For each node, how many ports it has.
    members: Vec<u32>,
    /// For each port, whether its node has other ports to pass frames on from.
    joined: Vec<bool>,
    /// For each port, what an ordinary frame of it or to it is held against.
    stations: Vec<Option<Station>>,
    /// Ordinary frames go the general way too, so that both ways can be compared.
    #[cfg(test)]
    pub(crate) general_only: bool,
}

impl Judge {
    /// A judge without room yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds every frame of a capture against every check, and adds what it finds to `out`, in
    /// the order of the frames; what is missing comes last. `ports` is indexed by
    /// [`PortId`](wire::PortId) and may be shorter than the interface table.
    pub fn judge(&mut self, capture: &Capture, ports: &[PortFacts], out: &mut Vec<Finding>) {
        self.segments.begin(capture.len());
        self.join(ports);
        self.stations.clear();
        self.stations.extend(
            ports.iter().zip(&self.joined).map(|(facts, joined)| Station::of(facts, *joined)),
        );
        #[cfg(test)]
        if self.general_only {
            self.stations.clear();
        }
        for (id, record, bytes) in capture.iter() {
            if ordinary::passes(&self.stations, &mut self.segments, capture, record, bytes) {
                continue;
            }
            let mut outline = Outline::blank(bytes);
            outline.look(bytes);
            let mut shot = Shot {
                id,
                record,
                bytes,
                outline: &outline,
                spared: record.deliberate,
                passed: None,
                facts: facts_of(ports, record),
            };
            if self.joined.get(usize::from(record.port.0)) == Some(&true) {
                self.inherit(&mut shot, capture, ports);
            }
            self.frame(&shot, capture, ports, out);
        }
        reset::missing(&self.segments, capture, out);
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
    fn inherit(&self, shot: &mut Shot<'_>, capture: &Capture, ports: &[PortFacts]) {
        let Some(origin) = forward::origin(capture, ports, shot.id, shot.outline) else { return };
        let there = self.segments.spared(origin);
        shot.passed = Some(origin);
        shot.spared = shot.spared.with(forward::inherited(capture.record(origin), there));
    }

    #[inline]
    fn frame(
        &mut self,
        shot: &Shot<'_>,
        capture: &Capture,
        ports: &[PortFacts],
        out: &mut Vec<Finding>,
    ) {
        if !shot.outline.ordinary {
            lengths::judge(shot, out);
            reserved::judge(shot, out);
            icmp::judge(shot, capture, out);
        }
        let sums = checksums::judge(shot, out);
        options::judge(shot, out);
        source::judge(shot, ports, out);
        if shot.passed.is_some() {
            forward::judge(shot, capture, out);
        }
        reset::judge(&mut self.segments, shot, sums, capture, ports, out);
    }
}

/// Judges one capture. Whoever judges many keeps a [`Judge`].
#[must_use]
pub fn judge(capture: &Capture, ports: &[PortFacts]) -> Vec<Finding> {
    let mut out = Vec::new();
    Judge::new().judge(capture, ports, &mut out);
    out
}

impl Finding {
    /// The frame to show: the one that breaks the rule, or the one left without its answer.
    #[must_use]
    pub fn place(&self) -> Option<FrameId> {
        self.frame.or(self.trigger)
    }
}
