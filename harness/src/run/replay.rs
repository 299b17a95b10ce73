//! A recorded run as a wire: the frames and events that were recorded come again at their times,
//! whatever the script sends. So a script judges a capture that was changed after the fact. Knows
//! no node, no link and no golden.

use std::borrow::Cow;

use link::{Command, NodeFault, NodeId, Seen};
use wire::{Capture, Cause, FrameId, Instant, Record};

use super::{Backend, Run, Stop, Transcript, carry_out};
use crate::plan::{LinkStep, Plan};

/// Puts a recorded run before the script of its plan again. What it comes to is a run with the
/// recorded frames and events, and with the steps that hold and fail on them.
#[must_use]
pub fn replay(plan: &Plan, recorded: &Transcript) -> Run {
    carry_out(plan, Box::new(Recording::new(recorded)))
}

struct Recording<'a> {
    recorded: &'a Transcript,
    now: Instant,
    /// The frames that have come so far.
    capture: Capture,
    /// How many of the recorded events have come.
    events: usize,
    /// The step whose command was the last.
    commanded: Option<u32>,
}

impl<'a> Recording<'a> {
    fn new(recorded: &'a Transcript) -> Self {
        let mut capture = Capture::new();
        for name in recorded.capture.interfaces() {
            capture.add_interface(name.as_str());
        }
        Self { recorded, now: Instant::ZERO, capture, events: 0, commanded: None }
    }

    /// The next recorded frame, if there is one.
    fn next(&self) -> Option<(Record, &'a [u8])> {
        let recorded = &self.recorded.capture;
        let id = FrameId(u32::try_from(self.capture.len()).ok()?);
        (id.index() < recorded.len()).then(|| (*recorded.record(id), recorded.frame(id)))
    }

    /// The time of the next recorded frame; `None` at the end, and before a frame of a step that
    /// was not commanded yet.
    fn next_frame(&self) -> Option<Instant> {
        let (record, _) = self.next()?;
        match record.cause {
            Cause::Command(step) if self.commanded.is_none_or(|last| step > last) => None,
            _ => Some(record.time),
        }
    }

    fn take_frame(&mut self) {
        if let Some((Record { time, port, cause, deliberate, .. }, frame)) = self.next() {
            self.capture.push_caused(time, port, cause, deliberate, frame);
        }
    }
}

impl Backend for Recording<'_> {
    fn now(&self) -> Instant {
        self.now
    }

    fn command(&mut self, _: NodeId, _: &Command, step: u32) -> Result<(), Stop> {
        self.commanded = Some(step);
        while self.next().is_some_and(|(record, _)| record.cause == Cause::Command(step)) {
            self.take_frame();
        }
        Ok(())
    }

    fn change_link(&mut self, _: &LinkStep) -> Result<(), Stop> {
        Ok(())
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, Stop> {
        let frame = self.next_frame();
        let event = self.recorded.seen.get(self.events).map(|seen| seen.time);
        let due = [frame, event].into_iter().flatten().min();
        match due.filter(|due| until.is_none_or(|until| *due <= until)) {
            Some(due) => {
                self.now = self.now.max(due);
                if event == Some(due) {
                    self.events += 1;
                } else {
                    self.take_frame();
                }
                Ok(true)
            }
            None => {
                self.now = until.map_or(self.now, |until| self.now.max(until));
                Ok(false)
            }
        }
    }

    fn capture(&self) -> &Capture {
        &self.capture
    }

    fn seen(&self) -> &[Seen] {
        &self.recorded.seen[..self.events]
    }

    fn faults(&self) -> &[NodeFault] {
        &self.recorded.faults
    }

    fn counters(&mut self, _: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        Vec::new()
    }

    fn is_exact(&self) -> bool {
        !self.recorded.real
    }

    fn close(self: Box<Self>) -> (Transcript, Option<Stop>) {
        let transcript = Transcript {
            capture: self.recorded.capture.clone(),
            seen: self.recorded.seen.clone(),
            faults: self.recorded.faults.clone(),
            end: self.now,
            real: self.recorded.real,
            ..Transcript::default()
        };
        (transcript, None)
    }
}
