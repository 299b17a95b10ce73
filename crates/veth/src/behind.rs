//! A node of ours behind veth pairs: whatever it emits and whatever reaches it crosses the kernel
//! on the way, frame by frame, and arrives as the bytes that were sent or not at all. Knows no
//! link: what a link does to frames happens between two pairs.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use link::{Command, CommandError, Event, Node, NodePanic, PortIndex, Transmit};
use tokio::runtime::Runtime;
use wire::{Duration, Instant};

use crate::clock::Clock;
use crate::end::{Arrived, End, Leg};
use crate::error::Error;

/// What all nodes of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    clock: Mutex<Clock>,
    /// When each frame was emitted by the real clock, in order of the capture.
    emitted: Mutex<Vec<Instant>>,
    trouble: Mutex<Option<Error>>,
}

impl Shared {
    pub(crate) fn new(runtime: Runtime) -> Self {
        let (emitted, trouble) = (Mutex::new(Vec::new()), Mutex::new(None));
        Self { runtime, clock: Mutex::new(Clock::start()), emitted, trouble }
    }

    /// Starts the clock.
    pub(crate) fn begin(&self) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Clock::start();
    }

    /// The real clock's time since the run began.
    pub(crate) fn now(&self) -> Instant {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// The time of a stamp of the kernel's; now where there is none, zero before the run.
    pub(crate) fn at(&self, stamp: Option<Duration>) -> Instant {
        let clock = *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.at(stamp).unwrap_or(Instant::ZERO)
    }

    /// Notes that a frame is being emitted now.
    pub(crate) fn emits(&self) {
        self.emits_at(self.now());
    }

    /// Notes that a frame is being emitted that left its kernel at this time, though we read it
    /// later. Times of a capture go one way.
    pub(crate) fn emits_at(&self, time: Instant) {
        let mut emitted = self.emitted.lock().unwrap_or_else(PoisonError::into_inner);
        let last = emitted.last().copied().unwrap_or(Instant::ZERO);
        emitted.push(time.max(last));
    }

    /// When each frame was emitted.
    pub(crate) fn emitted(&self) -> Vec<Instant> {
        self.emitted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the frame at this place of the capture was emitted.
    pub(crate) fn emitted_at(&self, index: usize) -> Option<Instant> {
        self.emitted.lock().unwrap_or_else(PoisonError::into_inner).get(index).copied()
    }

    /// Keeps the first thing that went wrong; what follows from it would only hide it.
    pub(crate) fn trouble(&self, error: Error) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Does what is the wire's own inside a node's call, and keeps what went wrong; true when
    /// nothing did. A panic in it is no node's, for which the run loop would take it.
    pub(crate) fn own(&self, work: impl FnOnce() -> Result<(), Error>) -> bool {
        let done = catch_unwind(AssertUnwindSafe(work));
        let done = done.unwrap_or_else(|panic| Err(Error::Fault(NodePanic::words(&*panic))));
        done.map_err(|error| self.trouble(error)).is_ok()
    }

    /// Takes what went wrong since the last time.
    pub(crate) fn take_trouble(&self) -> Result<(), Error> {
        match self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The ways of one port; a direct link has one pair, which its sender's side crosses.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    pub(crate) out: Option<Leg>,
    pub(crate) into: Option<Leg>,
    /// The other end of a kernel's port, which has no socket of ours.
    pub(crate) kernel: Option<Arc<End>>,
}

/// The node and its pairs.
pub(crate) struct Behind {
    node: Box<dyn Node>,
    ports: Vec<Ways>,
    shared: Arc<Shared>,
    crossed: Arrived,
}

impl Behind {
    pub(crate) fn new(node: Box<dyn Node>, ports: Vec<Ways>, shared: Arc<Shared>) -> Self {
        Self { node, ports, shared, crossed: Arrived::new() }
    }
}

impl Node for Behind {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        let Some(leg) = self.ports.get(usize::from(port)).and_then(|ways| ways.into.as_ref())
        else {
            return self.node.handle_frame(now, port, frame);
        };
        let Shared { runtime, .. } = &*self.shared;
        if self.shared.own(|| leg.cross(runtime, frame, &mut self.crossed)) {
            self.node.handle_frame(now, port, self.crossed.frame());
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        self.node.handle_command(now, command)
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        let out = self.node.poll_transmit(now)?;
        self.shared.emits();
        let Some(leg) = self.ports.get(usize::from(out.port)).and_then(|ways| ways.out.as_ref())
        else {
            return Some(out);
        };
        let Shared { runtime, .. } = &*self.shared;
        match self.shared.own(|| leg.cross(runtime, out.frame, &mut self.crossed)) {
            true => Some(Transmit { port: out.port, frame: self.crossed.frame() }),
            false => Some(out),
        }
    }

    fn poll_event(&mut self, now: Instant) -> Option<Event> {
        self.node.poll_event(now)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
    }

    fn counters(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.node.counters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_wire_is_its_own_trouble() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let shared = Shared::new(runtime);
        assert!(shared.own(|| Ok(())) && shared.take_trouble().is_ok());
        assert!(!shared.own(|| panic!("a bug of ours")));
        let told = shared.take_trouble().unwrap_err().to_string();
        assert!(told.contains("the wire itself") && told.contains("a bug of ours"), "{told}");
    }
}
