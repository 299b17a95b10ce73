//! The in-process nodes during a run. After each input, their frames and events are taken out,
//! recorded and sent. A node that panics is dead from then on, and the panic is a fault.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use link::{
    Fault, LinkEvent, LinkNote, LossReason, Node, NodeFault, NodeId, PortIndex, Seen, SimError,
    panic_words,
};
use wire::{Cause, Deliberate, FrameId, Instant, PortId};

use super::Nic;
use crate::error::Error;

impl Nic {
    /// What a node of ours counted; nothing of the device.
    pub fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        self.guarded(usize::from(node.0), |node, _| node.counters()).unwrap_or_default()
    }

    /// The node of ours whose timer runs out first, and when.
    pub(super) fn next_timer(&mut self) -> Option<(Instant, usize)> {
        (0..self.slots.len())
            .filter_map(|node| {
                let wish = self.guarded(node, |node, _| node.poll_timeout());
                wish.flatten().map(|time| (time, node))
            })
            .min()
    }

    /// Gives a node one input and takes out its frames and events. `None` when it is dead, or died
    /// of it.
    pub(super) fn input<T>(
        &mut self,
        node: NodeId,
        cause: Cause,
        deliberate: Deliberate,
        give: impl FnOnce(&mut dyn Node, Instant) -> T,
    ) -> Result<Option<T>, Error> {
        let at = usize::from(node.0);
        if at >= self.slots.len() {
            return Err(SimError::UnknownNode(node).into());
        }
        // Frames first, all of them: sending one takes time in which the node must not be asked.
        let mut frames: Vec<(PortIndex, Vec<u8>)> = Vec::new();
        let mut events = Vec::new();
        let (most, most_bytes) = (self.limits.most_frames() + 1, self.limits.bytes);
        let mut gathered = 0;
        let outcome = self.guarded(at, |node, now| {
            let outcome = give(node, now);
            loop {
                let before = events.len();
                while frames.len() < most
                    && gathered <= most_bytes
                    && let Some(out) = node.poll_transmit(now)
                {
                    gathered += out.frame.len() as u64;
                    frames.push((out.port, out.frame.to_vec()));
                }
                while events.len() < most
                    && let Some(event) = node.poll_event(now)
                {
                    events.push(event);
                }
                if events.len() == before || events.len() >= most {
                    break outcome;
                }
            }
        });
        for (port, frame) in frames {
            self.emit(node, port, (cause, deliberate), &frame)?;
        }
        for event in events {
            self.count_step()?;
            self.seen.push(Seen { time: self.now, node, event });
        }
        Ok(outcome)
    }

    /// Records a frame of ours and sends it.
    fn emit(
        &mut self,
        node: NodeId,
        port: PortIndex,
        facts: (Cause, Deliberate),
        frame: &[u8],
    ) -> Result<(), Error> {
        let slot = &self.slots[usize::from(node.0)];
        if port >= slot.ports {
            return Err(SimError::UnknownPort { node, port, ports: slot.ports }.into());
        }
        let from = PortId(slot.first_port + port);
        let id = self.record(self.clock.now(), from, facts, frame)?;
        match self.cables.iter().find(|cable| cable.ours.2 == from) {
            Some(cable) => {
                self.runtime.block_on(cable.port.send(frame, &self.timer))?;
                self.capture.record_mut(id).deliveries = 1;
            }
            None => {
                let what = LinkEvent::Lost(LossReason::NoLink);
                self.notes.push(LinkNote { time: self.now, frame: id, link: None, what });
            }
        }
        self.now = self.now.max(self.clock.now());
        self.active = self.now;
        Ok(())
    }

    /// Puts a frame into the capture. Its time is never before that of the frame ahead: what the
    /// kernel stamped while we were at work with another one is handled after that.
    pub(super) fn record(
        &mut self,
        time: Instant,
        port: PortId,
        (cause, deliberate): (Cause, Deliberate),
        frame: &[u8],
    ) -> Result<FrameId, Error> {
        if self.capture.len() >= self.limits.most_frames() {
            return Err(self.limits.full().into());
        }
        if (self.capture.byte_len() + frame.len()) as u64 > self.limits.bytes {
            return Err(SimError::ByteLimit(self.limits.bytes).into());
        }
        let last = self.capture.len().checked_sub(1).map(|last| FrameId(last as u32));
        let ahead = last.map_or(Instant::ZERO, |last| self.capture.record(last).time);
        Ok(self.capture.push_caused(time.max(ahead), port, cause, deliberate, frame))
    }

    pub(super) fn count_step(&mut self) -> Result<(), Error> {
        if self.steps >= self.limits.steps {
            return Err(SimError::StepLimit(self.limits.steps).into());
        }
        self.steps += 1;
        Ok(())
    }

    pub(super) fn check_duration(&self, time: Instant) -> Result<(), Error> {
        if time - Instant::ZERO > self.limits.duration {
            return Err(SimError::DurationLimit(self.limits.duration).into());
        }
        Ok(())
    }

    /// Runs a node's code; `None` when there is no node of ours, or it panicked.
    fn guarded<T>(
        &mut self,
        at: usize,
        work: impl FnOnce(&mut dyn Node, Instant) -> T,
    ) -> Option<T> {
        let slot = self.slots.get_mut(at)?;
        let (node, now) = (slot.node.as_mut()?, self.now);
        match catch_unwind(AssertUnwindSafe(|| work(node.as_mut(), now))) {
            Ok(outcome) => Some(outcome),
            Err(payload) => {
                let fault = Fault::Panicked(panic_words(payload.as_ref()));
                slot.node = None;
                self.faults.push(NodeFault { time: now, node: NodeId(at as u16), fault });
                None
            }
        }
    }
}
