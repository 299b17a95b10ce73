//! Drives one Rust node over veth pairs. Each frame it emits or receives is sent through the kernel
//! and compared with what was sent. Knows no link: a link's model acts between two pairs.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use link::{Command, CommandError, Event, Fault, Node, PortIndex, Transmit, panic_words};
use tokio::runtime::Runtime;
use wire::{Duration, Instant};

use crate::clock::Clock;
use crate::end::{Arrived, End, PairPath};
use crate::error::Error;

/// The state that all nodes of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    clock: Mutex<Clock>,
    /// When each frame was emitted by the real clock, in order of the capture.
    emitted: Mutex<Vec<Instant>>,
}

impl Shared {
    pub(crate) fn new(runtime: Runtime) -> Self {
        let emitted = Mutex::new(Vec::new());
        Self { runtime, clock: Mutex::new(Clock::start()), emitted }
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
}

/// The paths of a port; a direct link has one pair, which its sender's side crosses.
#[derive(Debug, Default)]
pub(crate) struct PortPaths {
    pub(crate) out: Option<PairPath>,
    pub(crate) into: Option<PairPath>,
    /// The other end of a kernel's port, which has no socket of ours.
    pub(crate) kernel: Option<Arc<End>>,
}

/// The node and its pairs.
pub(crate) struct VethNode {
    node: Box<dyn Node>,
    ports: Vec<PortPaths>,
    shared: Arc<Shared>,
    crossed: Arrived,
    /// The first fault of the wire. Later ones follow from it and would hide it.
    fault: Option<Fault>,
}

impl VethNode {
    pub(crate) fn new(node: Box<dyn Node>, ports: Vec<PortPaths>, shared: Arc<Shared>) -> Self {
        Self { node, ports, shared, crossed: Arrived::new(), fault: None }
    }
}

impl Node for VethNode {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        let Some(path) = self.ports.get(usize::from(port)).and_then(|paths| paths.into.as_ref())
        else {
            return self.node.handle_frame(now, port, frame);
        };
        let Shared { runtime, .. } = &*self.shared;
        if own(&mut self.fault, || path.cross(runtime, frame, &mut self.crossed)) {
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
        let Some(path) = self.ports.get(usize::from(out.port)).and_then(|paths| paths.out.as_ref())
        else {
            return Some(out);
        };
        let Shared { runtime, .. } = &*self.shared;
        match own(&mut self.fault, || path.cross(runtime, out.frame, &mut self.crossed)) {
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

    fn is_remote(&self) -> bool {
        true
    }

    fn run_until(&mut self, horizon: Instant) -> Option<Instant> {
        self.node.run_until(horizon)
    }

    fn poll_fault(&mut self) -> Option<Fault> {
        self.fault.take().or_else(|| self.node.poll_fault())
    }

    fn finish(&mut self, now: Instant) {
        self.node.finish(now);
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        self.node.counters()
    }
}

/// Does work of the wire inside a node's call, and keeps its error; true without one. A panic in it
/// is the wire's, and not the node's as the run loop would report it.
fn own(fault: &mut Option<Fault>, work: impl FnOnce() -> Result<(), Error>) -> bool {
    let done = catch_unwind(AssertUnwindSafe(work));
    let done = done.unwrap_or_else(|panic| Err(Error::Fault(panic_words(&*panic))));
    done.map_err(|error| fault.get_or_insert_with(|| error.into())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_wire_is_its_own_fault() {
        let mut fault = None;
        assert!(own(&mut fault, || Ok(())) && fault.is_none());
        assert!(!own(&mut fault, || panic!("a bug of ours")));
        let Some(Fault::Broken(text)) = fault else { panic!("{fault:?}") };
        assert!(text.contains("the wire itself") && text.contains("a bug of ours"), "{text}");
    }
}
