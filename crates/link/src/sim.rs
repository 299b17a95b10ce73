//! The simulated wire: nodes, links and one loop over what is to happen. Reads no clock, waits for
//! nothing and looks into no frame.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use wire::{Capture, Cause, Deliberate, Instant};

use crate::config::Limits;
use crate::error::{LinkNote, LossReason, NodeFault, NodeId, Seen, SimError};
use crate::fault::{Fault, panic_words};
use crate::net::{Home, Net, Port};
use crate::node::{Command, Node};
use crate::queue::Flight;
use crate::timer_tree::TimerTree;

mod remote;
mod topology;

use remote::Remotes;

/// A run on the simulated wire.
///
/// **Order.** Events (a frame arriving, a timer running out) are handled in the total order of
/// (time, sequence): ties go to what was scheduled first, so a run is a function of its seed, its
/// topology and the calls made. After each input a node is drained of frames and events, and its
/// [`Node::poll_timeout`] is read anew: a node has at most one timer, and a wish for the past is
/// granted now, after what is due already.
///
/// **Capture.** Each frame is captured as emitted, with time, port and cause, before the link sees
/// it. In flight it is an index into the capture; only a corrupted frame is copied.
///
/// **Link.** Each direction decides a frame's fate at the moment of emission, in this order: no
/// link, link down, longer than the MTU, queue full, loss, corruption, duplication, reordering,
/// then rate, delay and jitter. A frame that is lost takes no line time. Frames of a direction
/// arrive in the order of emission, whatever jitter or a changed delay would have: an arrival is
/// never before the one ahead. Only [`LinkConfig::reorder`](crate::LinkConfig::reorder) breaks
/// that. A link that goes
/// down loses at that moment what is in flight on it, as a cut cable does.
///
/// **Faults.** A panic in a node is caught and listed in [`Sim::faults`]; the node is dead from
/// then on: frames to it are lost, commands to it do nothing. The default panic hook still prints
/// to stderr, since a hook belongs to the whole process; a program that minds sets its own. What a
/// remote node reports of itself is listed there too, and ends the run with
/// [`SimError::NodeFailed`] where nothing after it means anything.
///
/// **Remote nodes.** Before [`Sim::advance`] handles an event, each node whose clock is elsewhere
/// runs up to that event's time. One that has something to emit before that is woken then.
pub struct Sim {
    nodes: Vec<Slot>,
    /// By [`NodeId`].
    timers: TimerTree,
    net: Net,
    remotes: Remotes,
    faults: Vec<NodeFault>,
}

/// What a run left behind.
#[derive(Debug, Default)]
pub struct Left {
    /// See [`Sim::capture`].
    pub capture: Capture,
    /// See [`Sim::events`].
    pub events: Vec<Seen>,
    /// See [`Sim::losses`].
    pub losses: Vec<LinkNote>,
    /// See [`Sim::faults`].
    pub faults: Vec<NodeFault>,
}

struct Slot {
    name: String,
    node: Box<dyn Node>,
    home: Home,
    dead: bool,
    remote: bool,
}

/// The earliest thing to happen.
enum Due {
    Arrival,
    Timer(u16),
}

impl Sim {
    /// A run without nodes at time zero. The seed decides all chances and jitter.
    #[must_use]
    pub fn new(seed: u64, limits: Limits) -> Self {
        let net = Net::new(seed, limits);
        let (nodes, timers) = (Vec::new(), TimerTree::default());
        Self { nodes, timers, net, remotes: Remotes::default(), faults: Vec::new() }
    }

    /// Gives a node a command, now. What it emits at once has the tag as its cause, and what a
    /// [`Command::Send`] makes wrong on purpose is noted with its frames.
    ///
    /// # Errors
    /// When the node refuses the command, or emits more than the limits allow.
    pub fn command(&mut self, node: NodeId, command: &Command, tag: u32) -> Result<(), SimError> {
        let slot = self.nodes.get(usize::from(node.0)).ok_or(SimError::UnknownNode(node))?;
        if slot.dead {
            return Ok(());
        }
        let deliberate = match command {
            Command::Send { packet, .. } => packet.deliberate(),
            Command::Do { .. } => Deliberate::NOTHING,
        };
        self.input(node, Cause::Command(tag), deliberate, |slot, net| {
            slot.node
                .handle_command(net.now, command)
                .map_err(|error| SimError::Command(node, error))
        })
    }

    /// When the next event is due; `None` when nothing is in flight and no timer is armed.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        self.due().map(|(time, _)| time)
    }

    /// Handles the earliest event; false when there is none.
    ///
    /// # Errors
    /// When a limit is reached, or a node emits from a port that it does not have.
    pub fn step(&mut self) -> Result<bool, SimError> {
        match self.due() {
            None => Ok(false),
            Some((time, due)) => self.handle(time, &due).map(|()| true),
        }
    }

    /// Handles all events up to and including `time`, after which it is `time`; a time past
    /// changes nothing.
    ///
    /// # Errors
    /// As [`Sim::step`], and when `time` is beyond the limit of duration.
    pub fn run_until(&mut self, time: Instant) -> Result<(), SimError> {
        while let Some((next, due)) = self.due()
            && next <= time
        {
            self.handle(next, &due)?;
        }
        self.check_duration(time)?;
        self.net.now = self.net.now.max(time);
        Ok(())
    }

    /// Handles events until there are none.
    ///
    /// # Errors
    /// As [`Sim::step`].
    pub fn run_until_idle(&mut self) -> Result<(), SimError> {
        while self.step()? {}
        Ok(())
    }

    /// The time of the last event, or that to which the run was brought.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.net.now
    }

    /// Every frame emitted so far.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.net.capture
    }

    /// What the nodes' applications saw, in order.
    #[must_use]
    pub fn events(&self) -> &[Seen] {
        &self.net.seen
    }

    /// What befell frames on their way, in order.
    #[must_use]
    pub fn losses(&self) -> &[LinkNote] {
        &self.net.notes
    }

    /// What was wrong with nodes themselves, in order.
    #[must_use]
    pub fn faults(&self) -> &[NodeFault] {
        &self.faults
    }

    /// Ends the run and hands over what it left behind, which may be too large to copy.
    #[must_use]
    pub fn into_left(self) -> Left {
        let Net { capture, seen: events, notes: losses, .. } = self.net;
        Left { capture, events, losses, faults: self.faults }
    }

    /// Events handled so far, as [`Limits::steps`] counts them.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.net.steps
    }

    /// What a node counted; nothing of one that is dead or not there.
    pub fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        match self.nodes.get(usize::from(node.0)) {
            Some(slot) if !slot.dead => {
                self.guarded(node, |slot, _| slot.node.counters()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Forgets frames, notes and what applications saw, and keeps their room, for the next batch
    /// of a long run. Only when nothing is in flight: false, and nothing is forgotten, otherwise.
    /// Frames count from 0 again; time, steps and the links' ordinals go on.
    pub fn clear_capture(&mut self) -> bool {
        let idle = self.net.flights.len() == 0;
        if idle {
            self.net.capture.clear();
            self.net.notes.clear();
            self.net.seen.clear();
        }
        idle
    }

    #[inline]
    fn due(&self) -> Option<(Instant, Due)> {
        match (self.net.flights.next(), self.timers.next()) {
            (None, None) => None,
            (Some(arrival), Some((timer, node))) if timer < arrival => {
                Some((timer.0, Due::Timer(node)))
            }
            (Some(arrival), _) => Some((arrival.0, Due::Arrival)),
            (None, Some((timer, node))) => Some((timer.0, Due::Timer(node))),
        }
    }

    fn check_duration(&self, time: Instant) -> Result<(), SimError> {
        if time > self.net.end {
            return Err(SimError::DurationLimit(self.net.limits.duration));
        }
        Ok(())
    }

    fn handle(&mut self, time: Instant, due: &Due) -> Result<(), SimError> {
        self.check_duration(time)?;
        self.net.count_step()?;
        self.net.now = time;
        match due {
            Due::Timer(node) => {
                self.timers.set(*node, None);
                self.input(NodeId(*node), Cause::Timeout, Deliberate::NOTHING, |slot, net| {
                    slot.node.handle_timeout(net.now);
                    Ok(())
                })
            }
            Due::Arrival => match self.net.flights.pop() {
                Some(flight) => self.arrive(&flight),
                None => Ok(()),
            },
        }
    }

    fn arrive(&mut self, flight: &Flight) -> Result<(), SimError> {
        let Port { node, index, .. } = self.net.ports[usize::from(flight.target.0)];
        if self.nodes[usize::from(node.0)].dead {
            self.net.lose(flight, LossReason::NodeDead);
            return Ok(());
        }
        self.net.count_delivery(flight);
        let cause = Cause::Frame(flight.frame);
        self.input(node, cause, Deliberate::NOTHING, |slot, net| {
            slot.node.handle_frame(net.now, index, net.bytes(flight));
            Ok(())
        })?;
        self.net.land(flight);
        Ok(())
    }

    /// Gives a node one input, drains it, and arms its timer anew.
    #[inline]
    fn input(
        &mut self,
        node: NodeId,
        cause: Cause,
        deliberate: Deliberate,
        give: impl FnOnce(&mut Slot, &Net) -> Result<(), SimError>,
    ) -> Result<(), SimError> {
        let outcome = self.guarded(node, |slot, net| {
            give(slot, net)?;
            drain(slot, net, cause, deliberate)?;
            Ok(slot.node.poll_timeout())
        });
        // What a remote node reports of itself outweighs what it made of the input.
        if self.nodes[usize::from(node.0)].remote {
            self.take_faults(node)?;
        }
        if let Some(wish) = outcome {
            self.arm(node, wish?);
        }
        Ok(())
    }

    /// Sets a node's timer to what it wishes, at the earliest now.
    #[inline(always)]
    fn arm(&mut self, node: NodeId, wish: Option<Instant>) {
        // Most nodes have no timer: nothing wished and nobody waiting changes nothing.
        if wish.is_none() && self.timers.next().is_none() {
            return;
        }
        self.rearm(node, wish);
    }

    #[inline(never)]
    fn rearm(&mut self, node: NodeId, wish: Option<Instant>) {
        let wish = wish.map(|time| time.max(self.net.now));
        if wish != self.timers.get(node.0).map(|turn| turn.0) {
            let turn = wish.map(|time| (time, self.net.next_sequence()));
            self.timers.set(node.0, turn);
        }
    }

    /// Runs a node's code; `None` when it panicked, which is noted and the node's end. A panic out
    /// of the wire's own code is a fault of the wire and goes on up.
    #[inline]
    fn guarded<T>(
        &mut self,
        node: NodeId,
        work: impl FnOnce(&mut Slot, &mut Net) -> T,
    ) -> Option<T> {
        let slot = &mut self.nodes[usize::from(node.0)];
        let net = &mut self.net;
        match catch_unwind(AssertUnwindSafe(|| work(slot, net))) {
            Ok(result) => Some(result),
            Err(payload) if self.net.working => resume_unwind(payload),
            Err(payload) => {
                let fault = Fault::Panicked(panic_words(payload.as_ref()));
                self.nodes[usize::from(node.0)].dead = true;
                self.timers.set(node.0, None);
                self.faults.push(NodeFault { time: self.net.now, node, fault });
                None
            }
        }
    }
}

/// Takes out of a node all that it has to emit and to tell.
#[inline(always)]
fn drain(
    slot: &mut Slot,
    net: &mut Net,
    cause: Cause,
    deliberate: Deliberate,
) -> Result<(), SimError> {
    loop {
        while let Some(out) = slot.node.poll_transmit(net.now) {
            net.working = true;
            let emitted = net.emit(&slot.home, (cause, deliberate), out);
            net.working = false;
            emitted?;
        }
        let Some(mut event) = slot.node.poll_event(net.now) else { return Ok(()) };
        loop {
            net.see(slot.home.node, event)?;
            let Some(next) = slot.node.poll_event(net.now) else { break };
            event = next;
        }
    }
}

#[cfg(test)]
mod tests;
