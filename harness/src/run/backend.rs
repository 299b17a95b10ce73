//! What a script needs of a wire. Knows plans' links and nodes by number; each wire is a file
//! beside this one.

use std::borrow::Cow;

use link::{Command, NodeFault, NodeId, Seen};
use wire::{Capture, Duration, FrameId, Instant};

use super::transcript::{Stop, Transcript};
use crate::plan::LinkStep;

/// A wire with nodes and links on it.
pub trait Backend {
    /// The time on this wire.
    fn now(&self) -> Instant;

    /// Gives a node a command; what it emits while it carries that out is tagged with the step.
    ///
    /// # Errors
    /// When the node refuses it, or the run cannot go on.
    fn command(&mut self, node: NodeId, command: &Command, step: u32) -> Result<(), Stop>;

    /// Changes a link from now on, in both directions or towards one node.
    ///
    /// # Errors
    /// When the wire cannot.
    fn change_link(&mut self, change: &LinkStep) -> Result<(), Stop>;

    /// Lets the next thing happen if it is due by `until`, or at all when that is `None`. False:
    /// nothing more is due by then, and it is `until` now.
    ///
    /// # Errors
    /// When the run cannot go on.
    fn advance(&mut self, until: Option<Instant>) -> Result<bool, Stop>;

    /// What was emitted so far.
    fn capture(&self) -> &Capture;

    /// What the nodes' applications reported so far.
    fn seen(&self) -> &[Seen];

    /// What was wrong with nodes themselves so far.
    fn faults(&self) -> &[NodeFault];

    /// What a node has counted so far.
    fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)>;

    /// When a frame was emitted by the real clock; virtual time is its own.
    fn emitted(&self, frame: FrameId) -> Instant {
        self.capture().record(frame).time
    }

    /// By how much the clock is past the time on this wire; virtual time is never late.
    fn late(&self) -> Duration {
        Duration::ZERO
    }

    /// How long to wait at least for a frame that a step expects.
    fn least_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// What is shorter than Ethernet carries comes padded with zeros.
    fn pads(&self) -> bool {
        false
    }

    /// It is the time that steps have it to be, whatever the machine does meanwhile. Where it is
    /// not, a step whose time has passed begins late instead of failing.
    fn is_exact(&self) -> bool {
        true
    }

    /// Ends the run: what crossed, and what went wrong while it ended.
    fn close(self: Box<Self>) -> (Transcript, Option<Stop>);
}
