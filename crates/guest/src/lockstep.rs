//! A guest whose clock is the link's. The guest stops whenever it is idle. At each stop it receives
//! the frames that are due and the time up to which it may run. Its clock counts instructions and
//! skips idle time, so minutes of waiting take no time, and each run transmits the same frames at
//! the same times. Knows the guest's ticks; no link and no node.

use std::collections::VecDeque;

use wire::{Duration, Instant};

use crate::clock::Deadline;
use crate::error::Error;

mod gate;
mod mailbox;

pub(crate) use gate::{Gate, StopError, is_late, read_some};
pub(crate) use mailbox::{BYTES, Mailbox};
use mailbox::{Emitted, Given, Left, MOST_WORDS};

/// Unsolicited frames are timestamped with the last whole one of these: the instructions since the
/// timer expired have taken guest time.
const GRAIN: Duration = Duration::from_millis(1);
/// A link's time 0 is a tick whose number is a multiple of this. A kernel rounds its timers up to
/// multiples of 8, 64, 512, 4096 and 32768 ticks, by how far off they are: from here on it rounds
/// alike each time.
const ALIGNMENT_TICKS: u64 = 1 << 15;
/// Ticks for which a guest runs before a link's time 0, so that earlier timers have expired.
const SETTLING_TICKS: u64 = 1 << 10;
/// How long a guest may run before it stops again, while its output is waited for.
const OUTPUT_STEP: Duration = Duration::from_secs(1);
/// The precision to which the beginning of a tick is found.
const EDGE_NS: u64 = 1_000;
/// How long a guest may take after idle time until it has counted the ticks of that time.
const WAKING_NS: u64 = 10_000;

/// A guest in lockstep.
#[derive(Debug)]
pub(crate) struct Lockstep {
    gate: Gate,
    mailbox: Mailbox,
    /// The state at the last stop; its output and frames are moved to the queues below.
    left: Left,
    input: VecDeque<u8>,
    output: Vec<u8>,
    emitted: VecDeque<Emitted>,
    /// The link's time 0, by the guest's clock.
    epoch_ns: u64,
    /// When some tick began, by the guest's clock, and the tick's number.
    edge: Option<(u64, u64)>,
}

impl Lockstep {
    pub(crate) fn new(gate: Gate, mailbox: Mailbox) -> Self {
        Self {
            gate,
            mailbox,
            left: Left::default(),
            input: VecDeque::new(),
            output: Vec::new(),
            emitted: VecDeque::new(),
            epoch_ns: 0,
            edge: None,
        }
    }

    /// Queues input for the guest's shell. The guest gets it with the next [`Self::read`].
    pub(crate) fn write(&mut self, input: &[u8]) {
        self.input.extend(input);
    }

    /// Lets the guest run until its shell waits for input, or for a while; appends its output.
    ///
    /// # Errors
    /// [`StopError`]. Output until then is appended all the same.
    pub(crate) fn read(&mut self, to: &mut Vec<u8>, deadline: Deadline) -> Result<(), StopError> {
        let run = self.run_shell(deadline);
        to.append(&mut self.output);
        run
    }

    fn run_shell(&mut self, deadline: Deadline) -> Result<(), StopError> {
        // The first time, the guest has not come to the gate yet.
        self.arrive(deadline)?;
        let chunk = match self.left.unread {
            0 => self.input.len().min(MOST_WORDS),
            _ => 0,
        };
        if chunk == 0 && self.left.unread == 0 && self.left.waits {
            // The shell waits for input and the caller for output: a deadlock.
            return Err(StopError::Late);
        }
        let words: Vec<u8> = self.input.drain(..chunk).collect();
        let until_ns = self.left.now_ns + OUTPUT_STEP.as_nanos() as u64;
        self.go(Given { until_ns, heed_reader: true, words: &words, frame: None }, deadline)
    }

    /// Lets so much of the guest's time pass.
    ///
    /// # Errors
    /// [`StopError`].
    pub(crate) fn rest(&mut self, time: Duration, deadline: Deadline) -> Result<(), StopError> {
        let until_ns = self.left.now_ns + time.as_nanos() as u64;
        while self.left.now_ns < until_ns {
            self.go(Given { until_ns, ..Given::default() }, deadline)?;
        }
        Ok(())
    }

    /// Makes the present the link's time 0, after a jump to a tick from which on timers are
    /// rounded alike each time. Discards the frames that the guest transmitted until then.
    ///
    /// # Errors
    /// [`StopError`].
    pub(crate) fn begin(&mut self, deadline: Deadline) -> Result<(), StopError> {
        let tick_ns = self.left.tick_ns;
        let (edge_ns, edge) = match self.edge {
            Some(known) => known,
            None => {
                let found = self.find_edge(tick_ns, deadline)?;
                *self.edge.insert(found)
            }
        };
        let present = edge + self.left.now_ns.saturating_sub(edge_ns) / tick_ns;
        let target = (present + SETTLING_TICKS).next_multiple_of(ALIGNMENT_TICKS);
        self.epoch_ns = edge_ns + (target - edge) * tick_ns;
        self.skip_to(self.epoch_ns, deadline)?;
        if self.left.ticks != target {
            let text = format!(
                "the guest counts {} ticks instead of {target}, so its timers are not predictable",
                self.left.ticks
            );
            return Err(Error::Late(text).into());
        }
        Ok(())
    }

    /// When a tick begins by the guest's clock, and its number: found by bisection.
    fn find_edge(&mut self, tick_ns: u64, deadline: Deadline) -> Result<(u64, u64), StopError> {
        let (from_ns, from) = (self.left.now_ns, self.left.ticks);
        // A tick's length later one more has begun; how much sooner has it?
        let (mut not_yet, mut begun, mut periods) = (0, tick_ns, 1);
        while begun - not_yet > EDGE_NS {
            let middle = not_yet.midpoint(begun);
            periods += 1;
            self.skip_to(from_ns + periods * tick_ns + middle, deadline)?;
            match self.left.ticks > from + periods {
                true => begun = middle,
                false => not_yet = middle,
            }
        }
        // Where ticks begin at multiples of their length, they are met a little late or early.
        let edge_ns = from_ns + begun;
        let whole = (edge_ns + tick_ns / 2) / tick_ns * tick_ns;
        let edge_ns = if edge_ns.abs_diff(whole) < WAKING_NS { whole } else { edge_ns };
        Ok((edge_ns, from + 1))
    }

    /// Gives the guest a frame, and lets it handle that and nothing else, in no time of the link's.
    ///
    /// # Errors
    /// [`StopError`].
    pub(crate) fn hand_in(
        &mut self,
        port: usize,
        frame: &[u8],
        deadline: Deadline,
    ) -> Result<(), StopError> {
        self.go(Given { frame: Some((port, frame)), ..Given::default() }, deadline)
    }

    /// Lets the guest run until the link's time is `until` or until it transmits an unsolicited
    /// frame; the time of that frame.
    ///
    /// # Errors
    /// [`StopError`].
    pub(crate) fn run_until(
        &mut self,
        until: Instant,
        deadline: Deadline,
    ) -> Result<Option<Instant>, StopError> {
        let until_ns = self.epoch_ns.saturating_add(until.as_nanos());
        while self.left.now_ns < until_ns && self.emitted.is_empty() {
            self.go(Given { until_ns, ..Given::default() }, deadline)?;
        }
        let grain = GRAIN.as_nanos() as u64;
        Ok(self.emitted.front().map(|first| {
            let nanos = first.at_ns.saturating_sub(self.epoch_ns) / grain * grain;
            Instant::from_nanos(nanos).min(until)
        }))
    }

    /// The next frame that came out of a port.
    pub(crate) fn take(&mut self, port: usize) -> Option<Vec<u8>> {
        let at = self.emitted.iter().position(|one| one.port == port)?;
        self.emitted.remove(at).map(|one| one.frame)
    }

    /// Lets the guest run up to this time of its clock, and discards the frames that it transmits.
    fn skip_to(&mut self, until_ns: u64, deadline: Deadline) -> Result<(), StopError> {
        while self.left.now_ns < until_ns {
            self.go(Given { until_ns, ..Given::default() }, deadline)?;
            self.emitted.clear();
        }
        Ok(())
    }

    /// Resumes the guest and waits for its next stop.
    fn go(&mut self, given: Given<'_>, deadline: Deadline) -> Result<(), StopError> {
        self.mailbox.put(given)?;
        self.gate.resume()?;
        self.arrive(deadline)
    }

    /// Waits until the guest has stopped, and takes what it left in the mailbox.
    fn arrive(&mut self, deadline: Deadline) -> Result<(), StopError> {
        if self.gate.is_stopped() {
            return Ok(());
        }
        self.gate.wait_stopped(deadline)?;
        self.left = self.mailbox.take()?;
        self.output.append(&mut self.left.words);
        self.emitted.extend(self.left.frames.drain(..));
        Ok(())
    }
}
