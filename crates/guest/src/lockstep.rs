//! A guest whose clock is the link's. It stands still, clock and all, whenever it has nothing left
//! to do; what it hears it is given there, and how far it may run then. Its clock counts the
//! instructions that it carries out and jumps over the time in which it has nothing to do, so that
//! minutes of waiting take no time, and what it says at which moment is the same each time. Knows
//! the guest's ticks; no link and no node.

use std::collections::VecDeque;

use wire::{Duration, Instant};

use crate::clock::Deadline;
use crate::error::Error;

mod gate;
mod mailbox;

pub(crate) use gate::{Gate, Met, is_late};
pub(crate) use mailbox::{BYTES, Mailbox};
use mailbox::{Emitted, Given, Left, MOST_WORDS};

/// What a guest says of its own accord counts as said at the last whole one of these: it has taken
/// instructions, and so time of its own, since the timer ran out on which it speaks.
const GRAIN: Duration = Duration::from_millis(1);
/// A link's time 0 is a tick whose number is a multiple of this. A kernel rounds its timers up to
/// multiples of 8, 64, 512, 4096 and 32768 ticks, by how far off they are: from here on it rounds
/// alike each time.
const ALIGNMENT_TICKS: u64 = 1 << 15;
/// Ticks in which what goes on in a guest before a link's time 0 comes to rest.
const SETTLING_TICKS: u64 = 1 << 10;
/// How long a guest may run before it stands again, while somebody waits for its words.
const WORD_STEP: Duration = Duration::from_secs(1);
/// How well the beginning of a tick is known.
const EDGE_NS: u64 = 1_000;
/// How long a guest that wakes may take until it has counted the ticks that it slept over.
const WAKING_NS: u64 = 10_000;

/// A guest in lockstep.
#[derive(Debug)]
pub(crate) struct Lockstep {
    gate: Gate,
    mailbox: Mailbox,
    /// As it stood last; its words and frames lie below.
    left: Left,
    words_in: VecDeque<u8>,
    words_out: Vec<u8>,
    said: VecDeque<Emitted>,
    /// What the link calls 0, by the guest's clock.
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
            words_in: VecDeque::new(),
            words_out: Vec::new(),
            said: VecDeque::new(),
            epoch_ns: 0,
            edge: None,
        }
    }

    /// Has words for the guest, from the next time on that somebody waits for an answer.
    pub(crate) fn speak(&mut self, words: &[u8]) {
        self.words_in.extend(words);
    }

    /// Lets the guest run until it waits for words, or for a while; appends what it wrote.
    ///
    /// # Errors
    /// When QEMU or the guest do what they never do.
    pub(crate) fn listen(&mut self, to: &mut Vec<u8>, deadline: Deadline) -> Result<Met, Error> {
        // At first, it has not come to the gate yet.
        let mut met = self.arrive(deadline)?;
        let chunk = match self.left.unread {
            0 => self.words_in.len().min(MOST_WORDS),
            _ => 0,
        };
        if met == Met::Guest {
            if chunk == 0 && self.left.unread == 0 && self.left.waits {
                // Each of us would wait for the other's words.
                return Ok(Met::Late);
            }
            let words: Vec<u8> = self.words_in.drain(..chunk).collect();
            let until_ns = self.left.now_ns + WORD_STEP.as_nanos() as u64;
            let given = Given { until_ns, heed_reader: true, words: &words, frame: None };
            met = self.go(given, deadline)?;
        }
        to.append(&mut self.words_out);
        Ok(met)
    }

    /// Lets so much of the guest's time pass.
    ///
    /// # Errors
    /// When QEMU or the guest do what they never do.
    pub(crate) fn rest(&mut self, time: Duration, deadline: Deadline) -> Result<Met, Error> {
        let until_ns = self.left.now_ns + time.as_nanos() as u64;
        let mut met = Met::Guest;
        while met == Met::Guest && self.left.now_ns < until_ns {
            met = self.go(Given { until_ns, ..Given::default() }, deadline)?;
        }
        Ok(met)
    }

    /// Makes the present the link's time 0, after a jump to a tick from which on timers are
    /// rounded alike each time. What the guest said until then is forgotten.
    ///
    /// # Errors
    /// When QEMU or the guest do what they never do.
    pub(crate) fn begin(&mut self, deadline: Deadline) -> Result<Met, Error> {
        let tick_ns = self.left.tick_ns;
        let (edge_ns, edge) = match self.edge {
            Some(known) => known,
            None => match self.find_edge(tick_ns, deadline)? {
                Ok(found) => *self.edge.insert(found),
                Err(met) => return Ok(met),
            },
        };
        let present = edge + self.left.now_ns.saturating_sub(edge_ns) / tick_ns;
        let target = (present + SETTLING_TICKS).next_multiple_of(ALIGNMENT_TICKS);
        self.epoch_ns = edge_ns + (target - edge) * tick_ns;
        let met = self.pass(self.epoch_ns, deadline)?;
        if met == Met::Guest && self.left.ticks != target {
            let told = format!(
                "the guest counts {} ticks where {target} were to be, so its timers cannot be told",
                self.left.ticks
            );
            return Err(Error::Late(told));
        }
        Ok(met)
    }

    /// When a tick begins by the guest's clock, and its number: found by halves.
    fn find_edge(
        &mut self,
        tick_ns: u64,
        deadline: Deadline,
    ) -> Result<Result<(u64, u64), Met>, Error> {
        let (from_ns, from) = (self.left.now_ns, self.left.ticks);
        // A tick's length later one more has begun; how much sooner has it?
        let (mut not_yet, mut begun, mut periods) = (0, tick_ns, 1);
        while begun - not_yet > EDGE_NS {
            let middle = not_yet.midpoint(begun);
            periods += 1;
            let met = self.pass(from_ns + periods * tick_ns + middle, deadline)?;
            if met != Met::Guest {
                return Ok(Err(met));
            }
            match self.left.ticks > from + periods {
                true => begun = middle,
                false => not_yet = middle,
            }
        }
        // Where ticks begin at multiples of their length, they are met a little late or early.
        let edge_ns = from_ns + begun;
        let whole = (edge_ns + tick_ns / 2) / tick_ns * tick_ns;
        let edge_ns = if edge_ns.abs_diff(whole) < WAKING_NS { whole } else { edge_ns };
        Ok(Ok((edge_ns, from + 1)))
    }

    /// Gives the guest a frame, and lets it handle that and nothing else, in no time of the link's.
    ///
    /// # Errors
    /// When QEMU or the guest do what they never do.
    pub(crate) fn hand_in(
        &mut self,
        port: usize,
        frame: &[u8],
        deadline: Deadline,
    ) -> Result<Met, Error> {
        self.go(Given { frame: Some((port, frame)), ..Given::default() }, deadline)
    }

    /// Lets the guest run until the link's time is `until` or it speaks; when it spoke.
    ///
    /// # Errors
    /// When QEMU or the guest do what they never do.
    pub(crate) fn let_run(
        &mut self,
        until: Instant,
        deadline: Deadline,
    ) -> Result<(Met, Option<Instant>), Error> {
        let until_ns = self.epoch_ns.saturating_add(until.as_nanos());
        let mut met = Met::Guest;
        while met == Met::Guest && self.left.now_ns < until_ns && self.said.is_empty() {
            met = self.go(Given { until_ns, ..Given::default() }, deadline)?;
        }
        let grain = GRAIN.as_nanos() as u64;
        let at = self.said.front().map(|first| {
            let nanos = first.at_ns.saturating_sub(self.epoch_ns) / grain * grain;
            Instant::from_nanos(nanos).min(until)
        });
        Ok((met, at))
    }

    /// The next frame that came out of a port.
    pub(crate) fn take(&mut self, port: usize) -> Option<Vec<u8>> {
        let at = self.said.iter().position(|one| one.port == port)?;
        self.said.remove(at).map(|one| one.frame)
    }

    /// Lets the guest run until its clock is there, whatever it says on the way: that is forgotten.
    fn pass(&mut self, until_ns: u64, deadline: Deadline) -> Result<Met, Error> {
        let mut met = Met::Guest;
        while met == Met::Guest && self.left.now_ns < until_ns {
            met = self.go(Given { until_ns, ..Given::default() }, deadline)?;
            self.said.clear();
        }
        Ok(met)
    }

    /// Opens the gate and waits until the guest stands there again.
    fn go(&mut self, given: Given<'_>, deadline: Deadline) -> Result<Met, Error> {
        self.mailbox.put(given)?;
        match self.gate.open() {
            Met::Guest => self.arrive(deadline),
            other => Ok(other),
        }
    }

    /// Waits until the guest stands at the gate, and takes what it left there.
    fn arrive(&mut self, deadline: Deadline) -> Result<Met, Error> {
        if self.gate.is_shut() {
            return Ok(Met::Guest);
        }
        let met = self.gate.meet(deadline)?;
        if met == Met::Guest {
            self.left = self.mailbox.take()?;
            self.words_out.append(&mut self.left.words);
            self.said.extend(self.left.frames.drain(..));
        }
        Ok(met)
    }
}
