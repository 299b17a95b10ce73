//! Operations of a machine in lockstep: begin the link's time, run up to a time, receive a frame.
//! Knows no link.

use wire::{Duration, Instant};

use super::Machine;
use crate::clock::Deadline;
use crate::error::Error;
use crate::lockstep::{Lockstep, StopError};
use crate::port::MOST_BYTES;

/// The timeout, by the real clock, until a guest stops again: thousands of times what it takes.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Machine {
    /// Makes the present the link's time 0. The guest's clock jumps for that, by minutes, to where
    /// its kernel rounds timers alike each time. Frames transmitted until then are discarded.
    ///
    /// # Errors
    /// [`Error::Plan`] for a machine whose clock is free, [`Error::Late`] when the guest does not
    /// stop, and whatever ended the machine.
    pub fn begin(&mut self) -> Result<(), Error> {
        self.stepped("come to rest", |lockstep, deadline| lockstep.begin(deadline))
    }

    /// Lets so much time pass in the guest, before the link's begins. Its frames are there to
    /// [take](Machine::take).
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn rest(&mut self, time: Duration) -> Result<(), Error> {
        self.stepped("rest", |lockstep, deadline| lockstep.rest(time, deadline))
    }

    /// Gives the guest a frame; returns when it has nothing left to do about it. That takes no time
    /// of the link's. Its replies are there to [take](Machine::take).
    ///
    /// # Errors
    /// [`Error::Plan`] for a frame that no machine carries, and as [`Machine::begin`].
    pub fn hand_in(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        let bytes = frame.len();
        if !(14..=MOST_BYTES).contains(&bytes) {
            let text = format!("a guest takes frames of 14 to {MOST_BYTES} bytes, not of {bytes}");
            return Err(Error::Plan(text));
        }
        self.stepped("handle a frame", |lockstep, deadline| lockstep.hand_in(port, frame, deadline))
    }

    /// Lets the guest run until the link's time is `until`, or until it transmits an
    /// unsolicited frame; the time of that frame. It does not run again until its frames are
    /// [taken](Machine::take).
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn run_until(&mut self, until: Instant) -> Result<Option<Instant>, Error> {
        self.stepped("stop again", |lockstep, deadline| lockstep.run_until(until, deadline))
    }

    /// The next frame that a guest in lockstep emitted from a port.
    pub fn take(&mut self, port: usize) -> Option<Vec<u8>> {
        self.channel.mailbox()?.take(port)
    }

    fn stepped<T>(
        &mut self,
        what: &str,
        step: impl FnOnce(&mut Lockstep, Deadline) -> Result<T, StopError>,
    ) -> Result<T, Error> {
        self.usable()?;
        let Some(lockstep) = self.channel.mailbox() else {
            let text = "this guest's clock is free: it does not stop at a given time";
            return Err(Error::Plan(text.to_owned()));
        };
        step(lockstep, Deadline::after(TIMEOUT)).map_err(|error| match error {
            StopError::Late => self.late(TIMEOUT, what, ""),
            StopError::Gone => self.gone(),
            StopError::Failed(error) => error,
        })
    }
}
