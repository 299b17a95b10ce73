//! Nodes whose implementation is elsewhere: how far their clocks run, when they emit something that
//! no frame asked them for, and what went wrong with them. Knows the node contract alone.

use wire::{Cause, Deliberate, Duration, Instant};

use super::Sim;
use crate::error::{NodeFault, NodeId, SimError};

/// Where no link delays frames, several remote nodes run in turn, each so far at most: a tick of
/// most kernels. A frame that one sends to another may find the other's clock so much ahead of the
/// link's.
const QUANTUM: Duration = Duration::from_millis(4);

/// The remote nodes of a run.
#[derive(Debug, Default)]
pub(super) struct Remotes {
    all: Vec<NodeId>,
    /// Those that have something to emit and have not been woken for it, and when.
    ready: Vec<(Instant, NodeId)>,
}

impl Remotes {
    pub(super) fn add(&mut self, node: NodeId) {
        self.all.push(node);
    }
}

impl Sim {
    /// Lets the next thing happen if it is due by `until`, or at all when that is `None`. False:
    /// nothing more is due by then, and it is `until` now.
    ///
    /// # Errors
    /// As [`Sim::step`].
    pub fn advance(&mut self, until: Option<Instant>) -> Result<bool, SimError> {
        let due = self.next_event();
        let bound = match (due, until) {
            (Some(due), Some(until)) => Some(due.min(until)),
            (due, until) => due.or(until),
        };
        // Without an end a remote node would have to be waited for for ever.
        if let Some(bound) = bound.filter(|_| !self.remotes.all.is_empty())
            && let Some((at, node)) = self.run_remotes(bound)?
        {
            self.run_until(at)?;
            return self.wake(node).map(|()| true);
        }
        match (due, until) {
            (Some(due), until) if until.is_none_or(|until| due <= until) => self.step(),
            (_, Some(until)) => self.run_until(until).map(|()| false),
            _ => Ok(false),
        }
    }

    /// Lets a remote node emit, now, what no frame asked it for. Its cause is not known.
    ///
    /// # Errors
    /// As [`Sim::step`].
    pub fn wake(&mut self, node: NodeId) -> Result<(), SimError> {
        let slot = self.nodes.get(usize::from(node.0)).ok_or(SimError::UnknownNode(node))?;
        if slot.dead {
            return Ok(());
        }
        self.net.count_step()?;
        self.input(node, Cause::Unknown, Deliberate::NOTHING, |slot, net| {
            slot.node.handle_timeout(net.now);
            Ok(())
        })
    }

    /// Ends the run for every remote node. What they find wrong at a last look is in
    /// [`Sim::faults`].
    pub fn finish(&mut self) {
        for at in 0..self.remotes.all.len() {
            let node = self.remotes.all[at];
            if !self.nodes[usize::from(node.0)].dead {
                self.guarded(node, |slot, net| slot.node.finish(net.now));
                // Nothing is left that a fault could end.
                let _ = self.take_faults(node);
            }
        }
    }

    /// Lets the remote nodes run until it is `until`, or until the first of them has something to
    /// emit: then, when and which.
    fn run_remotes(&mut self, until: Instant) -> Result<Option<(Instant, NodeId)>, SimError> {
        let quantum = self.net.least_delay().max(QUANTUM);
        let alone = self.remotes.all.len() < 2;
        let mut now = self.net.now;
        loop {
            let next = if alone { until } else { until.min(now + quantum) };
            for at in 0..self.remotes.all.len() {
                let node = self.remotes.all[at];
                let waits = self.remotes.ready.iter().any(|(_, ready)| *ready == node);
                if waits || self.nodes[usize::from(node.0)].dead {
                    continue;
                }
                let ready = self.guarded(node, |slot, _| slot.node.run_until(next)).flatten();
                self.remotes.ready.extend(ready.map(|at| (at, node)));
                self.take_faults(node)?;
            }
            let ready = &mut self.remotes.ready;
            if let Some(first) = (0..ready.len()).min_by_key(|at| ready[*at]) {
                return Ok(Some(ready.swap_remove(first)));
            }
            if next >= until {
                return Ok(None);
            }
            now = next;
        }
    }

    /// Notes what a remote node reports of itself.
    pub(super) fn take_faults(&mut self, node: NodeId) -> Result<(), SimError> {
        let mut ends = false;
        while let Some(fault) = self.guarded(node, |slot, _| slot.node.poll_fault()).flatten() {
            ends |= fault.ends_the_run();
            self.faults.push(NodeFault { time: self.net.now, node, fault });
        }
        if ends { Err(SimError::NodeFailed(node)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
