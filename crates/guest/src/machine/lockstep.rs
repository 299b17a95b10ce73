//! What a machine in lockstep is told beside scripts: when the link's time begins, how far it may
//! run, what it hears. Knows no link.

use wire::{Duration, Instant};

use super::Machine;
use crate::channel::Answer;
use crate::clock::Deadline;
use crate::error::Error;
use crate::lockstep::{Lockstep, Met};
use crate::port::MOST_BYTES;

/// How long a guest may take, by the real clock, until it stands again: thousands of times as long
/// as it takes.
const PATIENCE: Duration = Duration::from_secs(60);

impl Machine {
    /// Makes the present the link's time 0. The guest's clock jumps for that, by minutes, to where
    /// its kernel rounds timers alike each time; what it said until then is forgotten.
    ///
    /// # Errors
    /// [`Error::Plan`] for a machine whose clock is free, [`Error::Late`] when the guest does not
    /// come to rest, and whatever ended the machine.
    pub fn begin(&mut self) -> Result<(), Error> {
        self.stepped("come to rest", |lockstep, deadline| {
            lockstep.begin(deadline).map(|met| (met, ()))
        })
    }

    /// Lets so much time pass in the guest, before the link's begins. What it says is there to
    /// [take](Machine::take).
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn rest(&mut self, time: Duration) -> Result<(), Error> {
        self.stepped("rest", |lockstep, deadline| {
            lockstep.rest(time, deadline).map(|met| (met, ()))
        })
    }

    /// Gives the guest a frame; returns when it has nothing left to do about it. That takes no time
    /// of the link's. What it answered is there to [take](Machine::take).
    ///
    /// # Errors
    /// [`Error::Plan`] for a frame that no machine carries, and as [`Machine::begin`].
    pub fn hand_in(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        let bytes = frame.len();
        if !(14..=MOST_BYTES).contains(&bytes) {
            let told = format!("a guest takes frames of 14 to {MOST_BYTES} bytes, not of {bytes}");
            return Err(Error::Plan(told));
        }
        self.stepped("handle a frame", |lockstep, deadline| {
            lockstep.hand_in(port, frame, deadline).map(|met| (met, ()))
        })
    }

    /// Lets the guest run until the link's time is `until`, or until it speaks of its own accord:
    /// then, when. What it said is there to [take](Machine::take); until that is done, it does not
    /// run.
    ///
    /// # Errors
    /// As [`Machine::begin`].
    pub fn let_run(&mut self, until: Instant) -> Result<Option<Instant>, Error> {
        self.stepped("stand again", |lockstep, deadline| lockstep.let_run(until, deadline))
    }

    /// The next frame that a guest in lockstep emitted from a port.
    pub fn take(&mut self, port: usize) -> Option<Vec<u8>> {
        self.channel.mailbox()?.take(port)
    }

    fn stepped<T>(
        &mut self,
        what: &str,
        step: impl FnOnce(&mut Lockstep, Deadline) -> Result<(Met, T), Error>,
    ) -> Result<T, Error> {
        self.usable()?;
        let Some(lockstep) = self.channel.mailbox() else {
            let told = "this guest's clock is free: nobody but itself says how far it runs";
            return Err(Error::Plan(told.to_owned()));
        };
        match step(lockstep, Deadline::after(PATIENCE))? {
            (Met::Guest, done) => Ok(done),
            (Met::Late, _) => {
                let late = Answer::Late(String::new());
                Err(self.judge(late, PATIENCE, what).err().unwrap_or_else(|| self.gone()))
            }
            (Met::Gone, _) => Err(self.gone()),
        }
    }
}
