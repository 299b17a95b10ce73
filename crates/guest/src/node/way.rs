//! The way to a guest's kernel: its ports as a transport, and what became of the machine, shared
//! with whoever drives the node. Knows frames as bytes and fences not at all.

use std::fmt;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linux::Transport;
use wire::{Duration, Instant, Mac};

use super::Spec;
use super::setup::neighbour;
use crate::clock;
use crate::error::{Error, Tried};
use crate::machine::Clock;
use crate::pool::Leased;

/// How long a guest may owe an answer; a busy machine lets it wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is asked meanwhile whether it is still there.
const LOOK: Duration = Duration::from_millis(200);

/// A machine that a node and its watch hold together.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Held>>);

/// What they share.
#[derive(Debug)]
pub(super) struct Held {
    /// `None` once it is done with.
    pub(super) machine: Option<Leased>,
    /// The first thing that went wrong.
    pub(super) trouble: Option<Error>,
    /// What the guest did that its clock and not the link's had it do.
    pub(super) out_of_turn: Option<String>,
    /// The first packet that its module cannot build.
    pub(super) unable: Option<String>,
    /// The guest's clock and the link's are the same: the real one, or that of a guest in lockstep.
    pub(super) in_step: bool,
    /// A port accepts connections.
    pub(super) listens: bool,
    /// The ports that have a link.
    pub(super) linked: Vec<usize>,
    /// The link's time when it was last looked at.
    pub(super) heard: Instant,
}

impl Shared {
    pub(super) fn new(machine: Leased, spec: &Spec) -> Self {
        let in_step = spec.live || machine.clock() == Clock::Lockstep;
        Self(Arc::new(Mutex::new(Held {
            machine: Some(machine),
            trouble: None,
            out_of_turn: None,
            unable: None,
            in_step,
            listens: !spec.kernel.listen.is_empty(),
            linked: (0..spec.ports.len()).filter(|at| spec.ports[*at].mtu.is_some()).collect(),
            heard: Instant::ZERO,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the link's time, of a machine in lockstep.
    pub(super) fn begin(&self) -> Result<(), Error> {
        let mut held = self.lock();
        let machine = held.machine()?;
        match machine.clock() {
            Clock::Free => Ok(()),
            Clock::Lockstep => machine.begin(),
        }
    }

    /// Runs a script in the guest.
    pub(super) fn run(&self, script: &str) -> Result<String, Error> {
        self.lock().machine()?.run(script)
    }
}

impl Held {
    pub(super) fn machine(&mut self) -> Result<&mut Leased, Error> {
        let gone = || Error::Died("the run of this guest has ended".to_owned());
        self.machine.as_mut().ok_or_else(gone)
    }

    /// Keeps the first thing that went wrong; what follows from it would only hide it.
    pub(super) fn trouble(&mut self, error: Error) {
        self.trouble.get_or_insert(error);
    }
}

/// The ports of a guest.
pub(super) struct Way {
    pub(super) shared: Shared,
    /// The interfaces' names; `None` for a port without a link.
    pub(super) interfaces: Vec<Option<String>>,
    frame: Vec<u8>,
}

impl Way {
    pub(super) fn new(shared: Shared, interfaces: Vec<Option<String>>) -> Self {
        Self { shared, interfaces, frame: Vec::new() }
    }

    /// A descriptor that is readable when a frame is there, for each port that has a link.
    pub(super) fn readiness(&self) -> Result<Vec<OwnedFd>, Error> {
        let mut held = self.shared.lock();
        let machine = held.machine()?;
        let linked = (0..self.interfaces.len()).filter(|port| self.is_linked(*port));
        linked
            .map(|port| machine.port(port).as_fd().try_clone_to_owned().tried("watch a guest"))
            .collect()
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

impl Transport for Way {
    type Error = Error;

    /// Each port has a queue of its own, and QEMU looks at one after the other.
    const IN_ORDER: bool = false;

    fn is_linked(&self, port: usize) -> bool {
        self.interfaces.get(port).is_some_and(Option::is_some)
    }

    fn send(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        let mut held = self.shared.lock();
        let machine = held.machine()?;
        match machine.clock() {
            Clock::Free => machine.port(port).send(frame),
            Clock::Lockstep => machine.hand_in(port, frame),
        }
    }

    fn take(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        let mut held = self.shared.lock();
        let machine = held.machine()?;
        let came = match machine.clock() {
            Clock::Free => machine.port(port).take(&mut self.frame)?,
            Clock::Lockstep => machine.take(port).map(|frame| self.frame = frame).is_some(),
        };
        Ok(came.then_some(self.frame.as_slice()))
    }

    fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        if self.shared.lock().machine()?.clock() == Clock::Lockstep {
            // What it has to say to all that it heard, it has said.
            return self.take(port);
        }
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            let mut held = self.shared.lock();
            let machine = held.machine()?;
            if machine.port(port).wait(&mut self.frame, LOOK)? {
                drop(held);
                return Ok(Some(&self.frame));
            }
            match machine.health() {
                // A warning does not keep it from answering; it is told at the end.
                Err(warning @ Error::Warning(_)) => held.trouble(warning),
                other => other?,
            }
            waited += LOOK;
        }
        Ok(None)
    }

    fn pause(&mut self, time: Duration) {
        let mut held = self.shared.lock();
        let machine = held.machine();
        let rested = match machine {
            Ok(machine) if machine.clock() == Clock::Lockstep => machine.rest(time),
            _ => {
                clock::rest(time);
                Ok(())
            }
        };
        if let Err(error) = rested {
            held.trouble(error);
        }
    }

    fn introduce(&mut self, port: usize, address: IpAddr, mac: Mac) {
        let Some(Some(interface)) = self.interfaces.get(port) else { return };
        let line = neighbour(address, mac, interface);
        match self.shared.run(&format!("/bin/ip {line}")) {
            // What no neighbour can have is refused.
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => self.trouble(error),
        }
    }

    fn silent(&self, port: usize) -> Error {
        let name = self.interfaces.get(port).and_then(Option::as_deref).unwrap_or("?");
        Error::Late(format!("the guest's kernel did not answer at {name} within {PATIENCE:?}"))
    }

    fn trouble(&mut self, error: Error) {
        self.shared.lock().trouble(error);
    }
}
