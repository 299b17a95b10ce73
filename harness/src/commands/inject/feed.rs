//! A node on the simulated wire's time, fed frame by frame, and what it did with each.

use anyhow::{Result, anyhow, bail};
use checks::Answers;
use link::{Node, PortConfig, PortIndex};
use nodes::NodeConfig;
use wire::pcapng::Comments;
use wire::{Capture, Cause, Instant, PortId};

use crate::inject::silence::reason;
use crate::inject::{Exchange, Silent, Watched};
use crate::panics;
use crate::run::fed::Fed;
use crate::run::guest::Standing;

/// Timers that may run out after the last frame; a node that never rests is left there.
const MOST_TIMEOUTS: usize = 1_000;

/// A node that emits more is left there: it might never end.
const MOST_FRAMES: usize = 1 << 24;

/// How many silences before a reply its comment names.
const MOST_NAMED: usize = 20;

/// A node, and what it emitted so far.
pub(super) struct Feed {
    kind: String,
    node: Box<dyn Node>,
    /// Of a node that is a guest.
    pub(super) standing: Option<Standing>,
    ports: Vec<PortConfig>,
    answers: Answers,
    /// When the capture begins; a guest's time begins there.
    began: Instant,
    pub(super) now: Instant,
    pub(super) emitted: Capture,
    pub(super) comments: Comments,
    pub(super) exchange: Exchange,
    pub(super) silent: Vec<Silent>,
    watched: Watched,
}

impl Feed {
    pub(super) fn new(
        node: Box<dyn Node>,
        standing: Option<Standing>,
        config: &NodeConfig,
        answers: Answers,
    ) -> Self {
        let mut emitted = Capture::new();
        for port in &config.ports {
            emitted.add_interface(format!("{}:{}", config.name, port.name));
        }
        Self {
            kind: config.name.clone(),
            watched: Watched::from(node.counters()),
            node,
            standing,
            ports: config.ports.clone(),
            answers,
            began: Instant::ZERO,
            now: Instant::ZERO,
            emitted,
            comments: Comments::new(),
            exchange: Exchange::with(&config.ports),
            silent: Vec::new(),
        }
    }

    /// Takes over what a node on another wire did.
    pub(super) fn take(&mut self, fed: Fed, input: &Capture) {
        let ports = self.ports.len() as u16;
        let mut places = vec![None; fed.all.len()];
        let mut answered = vec![false; input.len()];
        for (id, record, frame) in fed.all.iter() {
            let cause = match record.cause {
                Cause::Frame(trigger) => places.get(trigger.index()).copied().flatten(),
                _ => None,
            };
            if record.port.0 < ports {
                places[id.index()] = Some(self.exchange.feed(record.time, record.port.0, frame));
                continue;
            }
            if let (Cause::Frame(trigger), Some(_)) = (record.cause, cause)
                && let Cause::Command(number) = fed.all.record(trigger).cause
                && let Some(answered) = answered.get_mut(number as usize)
            {
                *answered = true;
            }
            let cause = cause.map_or(Cause::Unknown, Cause::Frame);
            self.exchange.emit(record.time, record.port.0 - ports, cause, frame);
        }
        for (id, record, frame) in input.iter().filter(|(id, ..)| !answered[id.index()]) {
            let port = self.port(input.interface(record.port));
            let (ports, answers) = (&self.ports, &self.answers);
            let reason = reason(None, frame, usize::from(port), ports, answers);
            self.silent.push(Silent { frame: id.number(), reason });
        }
        (self.emitted, self.comments) = (fed.emitted, fed.comments);
    }

    /// Every frame at its own time, the timers between, and those that are left at the end.
    pub(super) fn all(&mut self, capture: &Capture, mut done: impl FnMut()) -> Result<()> {
        self.began = capture.iter().next().map_or(Instant::ZERO, |(_, record, _)| record.time);
        for (id, record, frame) in capture.iter() {
            self.timers(record.time)?;
            self.now = self.now.max(record.time);
            let port = self.port(capture.interface(record.port));
            let trigger = format!("trigger={}", id.number());
            let before = self.emitted.len();
            let fed = self.exchange.feed(self.now, port, frame);
            let cause = Cause::Frame(fed);
            self.input(&trigger, cause, |node, now| node.handle_frame(now, port, frame))?;
            if self.emitted.len() == before {
                self.silence(id.number(), port, frame);
            }
            done();
        }
        for _ in 0..MOST_TIMEOUTS {
            let Some(due) = self.node.poll_timeout() else { break };
            self.timeout(due)?;
        }
        Ok(())
    }

    /// Notes that a frame got no answer, and why.
    fn silence(&mut self, number: u32, port: PortIndex, frame: &[u8]) {
        let counter = self.watched.grown(self.node.counters());
        let (counter, port) = (counter.as_deref(), usize::from(port));
        let reason = reason(counter, frame, port, &self.ports, &self.answers);
        self.silent.push(Silent { frame: number, reason });
    }

    fn timers(&mut self, until: Instant) -> Result<()> {
        let mut left = MOST_TIMEOUTS;
        while left > 0
            && let Some(standing) = &self.standing
            && let Some(at) = standing.let_run(Instant::ZERO + (until - self.began))
        {
            left -= 1;
            self.timeout(self.began + (at - Instant::ZERO))?;
        }
        while let Some(due) = self.node.poll_timeout().filter(|due| *due <= until && left > 0) {
            left -= 1;
            self.timeout(due)?;
        }
        Ok(())
    }

    fn timeout(&mut self, due: Instant) -> Result<()> {
        self.now = self.now.max(due);
        self.input("timer", Cause::Timeout, |node, now| node.handle_timeout(now))
    }

    /// The port that a frame goes to: the one its interface is called after, or the first.
    pub(super) fn port(&self, interface: &str) -> PortIndex {
        port_of(&self.ports, interface)
    }

    fn input(
        &mut self,
        comment: &str,
        cause: Cause,
        give: impl FnOnce(&mut dyn Node, Instant),
    ) -> Result<()> {
        let Self { kind, node, now, emitted, comments, exchange, .. } = self;
        let caught = panics::caught(|| {
            give(node.as_mut(), *now);
            while emitted.len() < MOST_FRAMES
                && let Some(out) = node.poll_transmit(*now)
            {
                let id = emitted.push(*now, PortId(out.port), out.frame);
                exchange.emit(*now, out.port, cause, out.frame);
                comments.insert(id, vec![comment.to_owned()]);
            }
            while node.poll_event(*now).is_some() {}
        });
        caught.map_err(|words| {
            anyhow!("{kind} panicked at {comment}: {words}; what it emitted before is kept")
        })?;
        if emitted.len() >= MOST_FRAMES {
            bail!("{kind} emitted more than {MOST_FRAMES} frames; it was left at {comment}");
        }
        Ok(())
    }

    /// Puts into the comments of the replies what was found of them, and which frames before each
    /// had no answer; those behind the last reply are named there.
    pub(super) fn comment(&mut self, report: &checks::Report) {
        for finding in &report.findings {
            let place = finding.frame.and_then(|frame| self.exchange.place(frame));
            if let Some(crate::inject::Place::Emitted(number)) = place
                && let (_, text) = crate::check::comment(finding)
            {
                self.comments.entry(wire::FrameId(number - 1)).or_default().push(text);
            }
        }
        let triggers: Vec<(wire::FrameId, u32)> = self
            .comments
            .iter()
            .filter_map(|(id, said)| {
                let number = said.first()?.strip_prefix("trigger=")?.parse().ok()?;
                Some((*id, number))
            })
            .collect();
        let mut silent = self.silent.iter().peekable();
        for (place, (id, trigger)) in triggers.iter().enumerate() {
            let last = place + 1 == triggers.len();
            let mut named = 0;
            let mut more = 0;
            while let Some(one) = silent.next_if(|one| last || one.frame < *trigger) {
                if named == MOST_NAMED {
                    more += 1;
                    continue;
                }
                named += 1;
                let text = format!("frame {}: no answer: {}", one.frame, one.reason);
                self.comments.entry(*id).or_default().push(text);
            }
            if more > 0 {
                let text = format!("{more} more frames without an answer");
                self.comments.entry(*id).or_default().push(text);
            }
        }
    }
}

/// The port that a frame of this interface goes to.
pub(super) fn port_of(ports: &[PortConfig], interface: &str) -> PortIndex {
    let wanted = interface.rsplit(':').next().unwrap_or(interface);
    ports.iter().position(|port| port.name == wanted).unwrap_or(0) as PortIndex
}
