//! Frame I/O with a guest: the ports of its machine, and what went wrong with it. Knows frames as
//! bytes; no barrier and no run.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use link::Fault;
use linux::FrameIo;
use wire::{Duration, Instant, Mac};

use super::Spec;
use super::setup::neighbour;
use crate::clock;
use crate::config::Clock;
use crate::error::{Error, Tried};
use crate::pool::Leased;

/// The timeout for an answer of the guest; long, since the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often QEMU is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(200);

/// The machine of a guest and its ports.
pub(super) struct GuestIo {
    /// `None` once the guest's part of the run is over.
    pub(super) machine: Option<Leased>,
    /// The first thing that went wrong.
    pub(super) error: Option<Error>,
    /// What is to be reported of the node itself.
    pub(super) faults: VecDeque<Fault>,
    /// The guest's clock and the link's are the same: the real one, or that of a guest in lockstep.
    pub(super) in_step: bool,
    /// A port accepts connections.
    pub(super) listens: bool,
    /// The link's time when the guest was last looked at.
    pub(super) looked: Instant,
    /// The interfaces' names; `None` for a port without a link.
    pub(super) interfaces: Vec<Option<String>>,
    frame: Vec<u8>,
}

impl GuestIo {
    pub(super) fn new(machine: Leased, spec: &Spec, interfaces: Vec<Option<String>>) -> Self {
        Self {
            in_step: spec.live || machine.clock() == Clock::Lockstep,
            machine: Some(machine),
            error: None,
            faults: VecDeque::new(),
            listens: !spec.kernel.listen.is_empty(),
            looked: Instant::ZERO,
            interfaces,
            frame: Vec::new(),
        }
    }

    pub(super) fn machine(&mut self) -> Result<&mut Leased, Error> {
        let gone = || Error::Died("the run of this guest has ended".to_owned());
        self.machine.as_mut().ok_or_else(gone)
    }

    /// Keeps the first thing that went wrong; what follows from it would only hide it.
    pub(super) fn fails(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// The guest's clock is the link's, and it runs only as far as it is let.
    pub(super) fn is_lockstep(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.clock() == Clock::Lockstep)
    }

    /// Begins the link's time, of a machine in lockstep.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if self.is_lockstep() { self.machine()?.begin() } else { Ok(()) }
    }

    /// Runs a script in the guest.
    pub(super) fn run(&mut self, script: &str) -> Result<String, Error> {
        self.machine()?.run(script)
    }

    /// A descriptor that is readable when a frame is there, for each port that has a link.
    pub(super) fn readiness(&mut self) -> Result<Vec<OwnedFd>, Error> {
        let linked: Vec<usize> = self.linked().collect();
        let machine = self.machine()?;
        let watch = |port: usize| machine.port(port).as_fd().try_clone_to_owned();
        linked.into_iter().map(|port| watch(port).tried("watch a guest")).collect()
    }

    /// The ports that have a link.
    pub(super) fn linked(&self) -> impl Iterator<Item = usize> + use<> {
        let linked: Vec<bool> = self.interfaces.iter().map(Option::is_some).collect();
        (0..linked.len()).filter(move |port| linked[*port])
    }
}

impl fmt::Debug for GuestIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestIo").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

impl FrameIo for GuestIo {
    type Error = Error;

    /// Each port has a queue of its own, and QEMU looks at one after the other.
    const IN_ORDER: bool = false;

    fn is_linked(&self, port: usize) -> bool {
        self.interfaces.get(port).is_some_and(Option::is_some)
    }

    fn send(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        let machine = self.machine()?;
        match machine.clock() {
            Clock::Free => machine.port(port).send(frame),
            Clock::Lockstep => machine.hand_in(port, frame),
        }
    }

    fn take(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        let gone = || Error::Died("the run of this guest has ended".to_owned());
        let machine = self.machine.as_mut().ok_or_else(gone)?;
        let came = match machine.clock() {
            Clock::Free => machine.port(port).take(&mut self.frame)?,
            Clock::Lockstep => machine.take(port).map(|frame| self.frame = frame).is_some(),
        };
        Ok(came.then_some(self.frame.as_slice()))
    }

    fn wait(&mut self, port: usize) -> Result<Option<&[u8]>, Error> {
        if self.is_lockstep() {
            // What it has to emit because of all that it received, it has emitted.
            return self.take(port);
        }
        let gone = || Error::Died("the run of this guest has ended".to_owned());
        let mut waited = Duration::ZERO;
        while waited < TIMEOUT {
            let machine = self.machine.as_mut().ok_or_else(gone)?;
            if machine.port(port).wait(&mut self.frame, LOOK)? {
                return Ok(Some(&self.frame));
            }
            match machine.health() {
                // A warning does not keep it from answering; it is reported at the end.
                Err(warning @ Error::Warning(_)) => self.fails(warning),
                other => other?,
            }
            waited += LOOK;
        }
        Ok(None)
    }

    fn pause(&mut self, time: Duration) {
        let rested = match &mut self.machine {
            Some(machine) if machine.clock() == Clock::Lockstep => machine.rest(time),
            _ => {
                clock::rest(time);
                Ok(())
            }
        };
        if let Err(error) = rested {
            self.fails(error);
        }
    }

    fn add_static_neighbour(&mut self, port: usize, address: IpAddr, mac: Mac) {
        let Some(Some(interface)) = self.interfaces.get(port) else { return };
        let line = neighbour(address, mac, interface);
        match self.run(&format!("/bin/ip {line}")) {
            // What no neighbour can have is refused.
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => self.fails(error),
        }
    }

    fn timeout_error(&self, port: usize) -> Error {
        let name = self.interfaces.get(port).and_then(Option::as_deref).unwrap_or("?");
        Error::Late(format!("the guest's kernel did not answer at {name} within {TIMEOUT:?}"))
    }
}
