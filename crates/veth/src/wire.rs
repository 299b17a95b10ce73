//! The run loop of the real wire. Events happen in the order of the simulated wire, each not
//! before the real clock has reached its time; the frames cross the kernel. So a machine that is
//! busy makes a run late and never another one.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use link::{Command, Direction, Fault, LinkChange, LinkId, LinkNote, NodeFault, NodeId, Seen, Sim};
use wire::{Capture, Duration, FrameId, Instant};

use crate::clock::Timer;
use crate::closing::Closing;
use crate::end::Readiness;
use crate::error::Error;
use crate::namespace::Namespace;
use crate::setup_times::SetupTimes;
use crate::veth_node::Shared;

/// A topology made of namespaces and veth pairs, and what ran on it so far.
pub struct Wire {
    pub(crate) sim: Sim,
    pub(crate) shared: Arc<Shared>,
    pub(crate) timer: Timer,
    /// Where unsolicited frames of nodes become readable, and which nodes these are.
    pub(crate) readiness: Vec<(NodeId, Readiness)>,
    /// What was set and switched to make it, for a reader who wants to know.
    pub(crate) remarks: Vec<String>,
    /// What making it took.
    pub(crate) times: SetupTimes,
    /// How late the latest thing happened.
    pub(crate) latest: Duration,
    /// They last as long as this does.
    pub(crate) _namespaces: Vec<Namespace>,
    /// Last, so that no node holds an end any more when they are closed.
    pub(crate) _ends: Closing,
}

/// What ended a wait.
enum Woken {
    /// The time came.
    Time,
    /// A node emitted an unsolicited frame.
    Node(NodeId),
}

impl Wire {
    /// The time on this wire: that of the last event, which the real clock may be past.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.sim.now()
    }

    /// How much later than its time the latest event happened.
    #[must_use]
    pub fn latest(&self) -> Duration {
        self.latest
    }

    /// How far the real clock is past the time on this wire.
    #[must_use]
    pub fn late(&self) -> Duration {
        self.shared.now() - self.sim.now()
    }

    /// What was set and switched, a line each.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// What making it took, part by part.
    #[must_use]
    pub fn setup_times(&self) -> SetupTimes {
        self.times
    }

    /// Gives a node a command, now; see [`Sim::command`].
    ///
    /// # Errors
    /// When the node refuses it, a limit is reached, or a frame does not cross.
    pub fn command(&mut self, node: NodeId, command: &Command, tag: u32) -> Result<(), Error> {
        self.sim.command(node, command, tag)?;
        self.well()
    }

    /// Changes a link from now on.
    ///
    /// # Errors
    /// When there is no such link or the rate is zero.
    pub fn change_link(
        &mut self,
        link: LinkId,
        direction: Option<Direction>,
        change: &LinkChange,
    ) -> Result<(), Error> {
        let changed = self.sim.change_link(link, direction, change);
        changed.map_err(|error| Error::Plan(error.to_string()))
    }

    /// Lets the next thing happen if it is due by `until`, or at all when that is `None`. False:
    /// nothing more is due by then, and it is `until` now, also by the real clock.
    ///
    /// # Errors
    /// When a limit is reached, a frame does not cross, or the kernel refuses something.
    pub fn advance(&mut self, until: Option<Instant>) -> Result<bool, Error> {
        let due = self.sim.next_event().filter(|due| until.is_none_or(|until| *due <= until));
        let Some(time) = due.or(until) else { return Ok(false) };
        if let Woken::Node(node) = self.wait_until(time)? {
            // What happened before by the clock of this wire has happened already.
            let now = self.shared.now().min(time);
            self.sim.run_until(now)?;
            self.sim.wake(node)?;
            self.well()?;
            return Ok(true);
        }
        self.latest = self.latest.max(self.shared.now() - time);
        let happened = match due {
            Some(_) => self.sim.step()?,
            None => {
                self.sim.run_until(time)?;
                false
            }
        };
        self.well()?;
        Ok(happened)
    }

    /// A panic in a kernel node is one of our frame I/O, and no fault of the kernel.
    fn well(&self) -> Result<(), Error> {
        let of_kernel = |fault: &NodeFault| match &fault.fault {
            Fault::Panicked(text) if self.readiness.iter().any(|(id, _)| *id == fault.node) => {
                Some(text.clone())
            }
            _ => None,
        };
        match self.sim.faults().iter().find_map(of_kernel) {
            Some(text) => Err(Error::Fault(text)),
            None => Ok(()),
        }
    }

    /// Ends the run for every node whose implementation is elsewhere; see [`Sim::finish`].
    pub fn finish(&mut self) {
        self.sim.finish();
    }

    /// Waits for a time or for an unsolicited frame of a node, whichever is first.
    fn wait_until(&self, time: Instant) -> Result<Woken, Error> {
        let left = time - self.shared.now();
        if self.readiness.is_empty() && left.is_zero() {
            return Ok(Woken::Time);
        }
        self.shared.runtime.block_on(async {
            tokio::select! {
                biased;
                node = self.unsolicited() => node.map(Woken::Node),
                slept = self.timer.sleep(left) => slept.map(|()| Woken::Time),
            }
        })
    }

    /// Returns when a node has emitted an unsolicited frame.
    async fn unsolicited(&self) -> Result<NodeId, Error> {
        poll_fn(|context| {
            for (node, socket) in &self.readiness {
                match socket.poll_frame(context) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(*node)),
                    Poll::Ready(Err(source)) => {
                        let what = format!("watch {}", socket.name());
                        return Poll::Ready(Err(Error::System { what, source }));
                    }
                }
            }
            Poll::Pending
        })
        .await
    }

    /// What was emitted so far, with the times of the wire.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        self.sim.capture()
    }

    /// The same with the times of the real clock.
    #[must_use]
    pub fn real_capture(&self) -> Capture {
        let mut real = Capture::new();
        for name in self.sim.capture().interfaces() {
            real.add_interface(name.clone());
        }
        let times = self.shared.emitted();
        for ((_, record, frame), time) in self.sim.capture().iter().zip(times) {
            let id = real.push(time, record.port, frame);
            let copy = real.record_mut(id);
            copy.cause = record.cause;
            copy.deliberate = record.deliberate;
            copy.deliveries = record.deliveries;
            copy.altered = record.altered;
        }
        real
    }

    /// When a frame was emitted by the real clock.
    #[must_use]
    pub fn emitted(&self, frame: FrameId) -> Option<Instant> {
        self.shared.emitted_at(frame.index())
    }

    /// What the nodes' applications saw.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        self.sim.events()
    }

    /// What the links did to frames.
    #[must_use]
    pub fn notes(&self) -> &[LinkNote] {
        self.sim.losses()
    }

    /// What was wrong with nodes themselves.
    #[must_use]
    pub fn faults(&self) -> &[NodeFault] {
        self.sim.faults()
    }

    /// What a node counted.
    pub fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        self.sim.counters(node)
    }
}
