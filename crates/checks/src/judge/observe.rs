//! Judging a capture that is never there as a whole: in batches, with what later frames may answer
//! carried from one to the next. Knows batches; which frames belong to whom is told to it.

use wire::{Capture, FrameId, PortId};

use super::Judge;
use crate::check::PortFacts;
use crate::fast::{self, Station};
use crate::report::Report;
use crate::reset::{self, Watch};

impl Judge {
    /// A judge of captures from elsewhere. `whole`: nothing that matters came before them.
    pub(crate) fn observing(whole: bool) -> Self {
        let mut judge = Self::default();
        judge.segments.watch(Watch::new(whole));
        judge
    }

    /// Judges the frames of `capture` from the place `from` on, and gives those in which something
    /// is wrong by a test's choice. What was carried stands before them.
    pub(crate) fn go_on(
        &mut self,
        capture: &Capture,
        ports: &[PortFacts],
        from: usize,
        joined: impl Fn(usize) -> bool,
        scripted: impl Fn(usize) -> bool,
        report: &mut Report,
    ) -> Vec<FrameId> {
        // Ports are only added until they are told anew.
        for (index, facts) in ports.iter().enumerate().skip(self.stations.len()) {
            self.joined.push(joined(index));
            let plain = u16::try_from(index).is_ok_and(|port| capture.is_plain(PortId(port)));
            let fast = plain && !self.general_only;
            self.stations.push(Station::of(facts, joined(index)).filter(|_| fast));
        }
        self.all_from(from, capture, ports, scripted, report)
    }

    /// As [`Judge::judge`], of frames of which some were handed to a node under test as they are:
    /// what comes from the ports that are `fed` is judged as something to answer only. Gives those
    /// in which something is wrong.
    pub fn judge_fed(
        &mut self,
        capture: &Capture,
        ports: &[PortFacts],
        fed: impl Fn(PortId) -> bool,
        report: &mut Report,
    ) -> Vec<FrameId> {
        self.begin(capture, ports);
        let scripted = |port: usize| u16::try_from(port).is_ok_and(|port| fed(PortId(port)));
        let wrong = self.all_from(0, capture, ports, scripted, report);
        self.end(capture, report);
        wrong
    }

    fn all_from(
        &mut self,
        from: usize,
        capture: &Capture,
        ports: &[PortFacts],
        scripted: impl Fn(usize) -> bool,
        report: &mut Report,
    ) -> Vec<FrameId> {
        let mut chosen = Vec::new();
        let cuts = capture.has_cuts();
        for (id, record, bytes) in capture.iter().skip(from) {
            let cut = cuts && capture.original_len(id) > bytes.len();
            if !cut && fast::passes(&self.stations, &mut self.segments, capture, record, bytes) {
                continue;
            }
            let before = report.findings.len();
            self.general(id, capture, ports, report);
            if report.findings.len() > before && scripted(usize::from(record.port.0)) {
                report.findings.truncate(before);
                self.segments.spare_latest();
                chosen.push(id);
            }
        }
        chosen
    }

    /// Forgets the first frames, and tells which of them were left without their answer.
    pub(crate) fn forget(&mut self, gone: usize, capture: &Capture, report: &mut Report) {
        reset::missing(&self.segments, capture, gone, &mut report.findings);
        self.segments.forget(gone);
        self.fragments.forget(gone, report);
    }

    /// The ports were told anew: those of the frames that are left, and each port's peer.
    pub(crate) fn moved(&mut self, ports: &[u16], facts: &[PortFacts]) {
        self.joined.clear();
        self.stations.clear();
        self.segments.moved(ports, facts);
    }
}
