//! What happens during a run: our nodes act, frames come, timers run out, the user ends it.

use std::future::poll_fn;
use std::task::Poll;

use link::{Command, Node, NodeId, SimError};
use wire::{Cause, Deliberate, Duration, Instant};

use super::{Arrival, Nic};
use crate::error::Error;

impl Nic {
    /// Gives one of our nodes a command, now; what came before is handled before.
    ///
    /// # Errors
    /// When the node refuses it, a limit is reached, or an interface does not take a frame.
    pub fn command(&mut self, node: NodeId, command: &Command, tag: u32) -> Result<(), Error> {
        self.gather()?;
        while let Some(arrival) = self.waiting.pop_front() {
            self.deliver(&arrival)?;
        }
        let deliberate = match command {
            Command::Send { packet, .. } => packet.deliberate(),
            Command::Do { .. } => Deliberate::NOTHING,
        };
        let handled = self.input(node, Cause::Command(tag), deliberate, |ours, now| {
            ours.handle_command(now, command)
        })?;
        handled.unwrap_or(Ok(())).map_err(|error| SimError::Command(node, error))?;
        self.now = self.now.max(self.clock.now());
        self.active = self.now;
        Ok(())
    }

    /// Lets the next thing happen that is due by `until`. Without a time: by when nothing more is
    /// to come, which is when no node of ours has a timer, and the time to settle is over since one
    /// of them last spoke, or somebody waited for a time. False: nothing more is due by then, and
    /// it is that time now.
    ///
    /// # Errors
    /// When a limit is reached, an interface fails, or the user ends the run.
    pub fn advance(&mut self, until: Option<Instant>) -> Result<bool, Error> {
        loop {
            // Read first: what came by this moment is gathered below.
            let clock = self.clock.now();
            self.gather()?;
            let timer = self.next_timer();
            let rest = self.active + self.options.settle;
            let limit = until.unwrap_or_else(|| timer.map_or(rest, |(time, _)| rest.max(time)));
            let timer = timer.filter(|(time, _)| *time <= limit);
            let arrival = self.waiting.front().map(|arrival| arrival.time);
            match (arrival.filter(|time| *time <= limit), timer) {
                (Some(came), due) if due.is_none_or(|(time, _)| came <= time) => {
                    if let Some(arrival) = self.waiting.pop_front() {
                        self.deliver(&arrival)?;
                    }
                    self.asked_for(until);
                    return Ok(true);
                }
                (_, Some((time, node))) if time <= clock => {
                    self.fire(time, node)?;
                    return Ok(true);
                }
                _ if clock >= limit => {
                    self.check_duration(limit)?;
                    self.now = self.now.max(limit);
                    self.asked_for(until);
                    return Ok(false);
                }
                (_, timer) => {
                    let time = timer.map_or(limit, |(time, _)| time);
                    self.check_duration(clock)?;
                    self.wait(time - clock)?;
                }
            }
        }
    }

    /// Whoever waits for a time has not come to an end yet: to settle begins behind that.
    fn asked_for(&mut self, until: Option<Instant>) {
        if until.is_some() {
            self.active = self.active.max(self.now);
        }
    }

    /// Checks that every frame was received.
    ///
    /// # Errors
    /// [`Error::Late`] when the machine was too busy to receive them all.
    pub fn finish(&mut self) -> Result<(), Error> {
        for cable in &self.cables {
            let (name, lost) = (&cable.port.name, cable.port.take_drops()?);
            if lost > 0 {
                let text = format!("{lost} frames came on {name} faster than they could be read");
                return Err(Error::Late(text));
            }
        }
        Ok(())
    }

    /// Receives the frames that have arrived, and sorts out background traffic.
    fn gather(&mut self) -> Result<(), Error> {
        let now = self.clock.now();
        for at in 0..self.cables.len() {
            while let Some(received) = self.cables[at].port.take(&mut self.arrived)? {
                let time = self.clock.at(received.stamp);
                self.keep(at, time, received.outgoing, received.unfinished)?;
                // A cable that is never silent does not keep the run from ending.
                if time.is_some_and(|time| time > now) {
                    break;
                }
            }
        }
        self.waiting.make_contiguous().sort_by_key(|arrival| arrival.time);
        Ok(())
    }

    /// Keeps a frame that came by a cable, or counts it.
    fn keep(
        &mut self,
        at: usize,
        time: Option<Instant>,
        outgoing: bool,
        unfinished: bool,
    ) -> Result<(), Error> {
        let (cable, frame) = (&self.cables[at], self.arrived.frame());
        let mut ignored = cable.ends.ignored(frame, outgoing);
        if let (None, None) = (&ignored, time) {
            ignored = Some("frame from before the run".to_owned());
        }
        if !outgoing && let Some(answer) = self.options.answerer {
            self.answer.clear();
            let asks = answer(frame, &cable.config, &mut self.answer);
            if asks && self.options.answer {
                self.runtime.block_on(cable.port.send(&self.answer, &self.timer))?;
                ignored = ignored.map(|kind| format!("{kind}, answered"));
            } else if asks && ignored.is_some() {
                self.unanswered += 1;
            }
        }
        let name = &cable.port.name;
        match (ignored, time) {
            (Some(kind), _) => *self.ignored.entry(kind).or_default() += 1,
            (None, _) if unfinished => {
                return Err(Error::Plan(format!(
                    "a frame came on {name} whose checksum its sender left to hardware that the \
                     other end does not have; `ethtool -K … tx off` there makes it whole"
                )));
            }
            (None, time) => {
                if self.waiting.len() >= self.limits.queue {
                    return Err(SimError::QueueLimit(self.limits.queue).into());
                }
                let time = time.unwrap_or(Instant::ZERO);
                self.waiting.push_back(Arrival { time, cable: at, frame: frame.to_vec() });
            }
        }
        Ok(())
    }

    /// Waits so long, or until a frame came.
    fn wait(&self, time: Duration) -> Result<(), Error> {
        let frame = poll_fn(|context| {
            for cable in &self.cables {
                if let Poll::Ready(ready) = cable.port.poll_frame(context) {
                    return Poll::Ready(ready);
                }
            }
            Poll::Pending
        });
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                ended = self.stop.asked() => Err(ended),
                came = frame => came,
                slept = self.timer.sleep(time) => slept,
            }
        })
    }

    /// Hands a frame of the device to our node.
    fn deliver(&mut self, arrival: &Arrival) -> Result<(), Error> {
        self.count_step()?;
        self.now = self.now.max(arrival.time);
        self.check_duration(self.now)?;
        let cable = &self.cables[arrival.cable];
        let (theirs, (node, port, _)) = (cable.theirs, cable.ours);
        let facts = (Cause::Unknown, Deliberate::NOTHING);
        let id = self.record(arrival.time, theirs, facts, &arrival.frame)?;
        self.capture.record_mut(id).deliveries = 1;
        let received = |ours: &mut dyn Node, now| ours.handle_frame(now, port, &arrival.frame);
        self.input(NodeId(node as u16), Cause::Frame(id), Deliberate::NOTHING, received).map(drop)
    }

    fn fire(&mut self, time: Instant, node: usize) -> Result<(), Error> {
        self.count_step()?;
        self.now = self.now.max(time);
        self.active = self.active.max(time);
        let cause = Cause::Timeout;
        self.input(NodeId(node as u16), cause, Deliberate::NOTHING, |ours, now| {
            ours.handle_timeout(now);
        })
        .map(drop)
    }
}
