//! The script: a plan's steps in order, each beginning when the one before it ended.

use std::collections::BTreeMap;

use link::{Datum, LinkId};
use scenario::{Bindings, Due, ExprError, Scalar, Tolerance};
use wire::{Duration, FrameId, Instant};

use super::timing::{self, Deviation, Moment, Timing};
use super::unexpected::Unexpected;
use super::{Backend, Stop, matching};
use crate::plan::{Action, Expect, ExpectEvent, ExpectNothing, LinkStep, Plan, Step, When};

/// A step that did not hold.
#[derive(Clone, Debug)]
pub struct StepFailure {
    /// Which, from 0.
    pub step: usize,
    /// What was expected and what was there, the most important line first.
    pub lines: Vec<String>,
    /// The frame that was looked at, if it was one.
    pub frame: Option<FrameId>,
}

/// When a step began.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// Which, from 0.
    pub step: usize,
    /// When.
    pub time: Instant,
    /// How many frames had been emitted by then.
    pub frames: usize,
    /// By how much the real clock was past that time; zero in virtual time.
    pub late: Duration,
}

/// A time that the scenario wants judged, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Which step, from 0.
    pub step: usize,
    /// The frame that it is about; `None`: the step's own beginning.
    pub frame: Option<FrameId>,
    /// What became of it.
    pub held: Timing,
    /// What was allowed.
    pub allowed: Tolerance,
}

/// Where the script is.
pub(super) struct Script<'a> {
    plan: &'a Plan,
    pub(super) backend: Box<dyn Backend + 'a>,
    bindings: Bindings,
    unexpected: Unexpected,
    /// Frames of the capture when the step before this one began.
    mark: usize,
    pub(super) begun: Vec<Begun>,
    pub(super) failures: Vec<StepFailure>,
    pub(super) expected: Vec<(FrameId, usize)>,
    pub(super) timed: Vec<Timed>,
}

/// How a step ended.
enum Done {
    Held,
    Failed(StepFailure),
}

impl Timed {
    /// By how much it was missed, and what was allowed: `late by 3.1ms, allowed 2ms`.
    #[must_use]
    pub fn describe(&self) -> String {
        let (Timing::OnTime(off) | Timing::NodeOff(off) | Timing::MachineLate(off)) = self.held;
        off.describe(self.allowed)
    }
}

impl<'a> Script<'a> {
    pub(super) fn new(plan: &'a Plan, backend: Box<dyn Backend + 'a>) -> Self {
        Self {
            plan,
            bindings: Bindings::new(),
            unexpected: Unexpected::new(plan, backend.capture().interfaces().len()),
            mark: 0,
            begun: Vec::new(),
            failures: Vec::new(),
            expected: Vec::new(),
            timed: Vec::new(),
            backend,
        }
    }

    /// All steps, then the rest of what is under way. The first step that fails ends the script,
    /// because later ones stand on it; the wire still runs to its end so that all is seen.
    pub(super) fn run(&mut self) -> Result<(), Stop> {
        let plan = self.plan;
        for (link, planned) in plan.links.iter().enumerate() {
            let link = LinkId::at(link);
            for (direction, change) in &planned.toward {
                let (direction, change) = (Some(*direction), change.clone());
                self.backend.change_link(&LinkStep { link, direction, change })?;
            }
        }
        for step in &plan.steps {
            let began = self.backend.capture().len();
            match self.step(step)? {
                Done::Held => self.mark = began,
                Done::Failed(failure) => {
                    self.failures.push(failure);
                    break;
                }
            }
        }
        while self.backend.advance(plan.end)? {}
        self.overdue();
        Ok(())
    }

    /// Says of a frame that was given up whether it came after all, and how late.
    fn overdue(&mut self) {
        let (Some(failure), Some(&begun)) = (self.failures.last(), self.begun.last()) else {
            return;
        };
        let step = &self.plan.steps[failure.step];
        let (Action::Expect(wanted), None) = (&step.action, failure.frame) else { return };
        let Ok(pattern) = wanted.pattern.resolve(&self.bindings) else { return };
        let pads = self.backend.pads();
        while let Some(id) = self.next_frame(&wanted.ports) {
            self.take(id);
            if !matching::mismatches(&pattern, self.backend.capture().frame(id), pads).is_empty() {
                continue;
            }
            if let Done::Failed(late) = self.in_time(step, wanted, begun, id) {
                self.failures.pop();
                self.failures.push(late);
            }
            return;
        }
    }

    fn step(&mut self, step: &Step) -> Result<Done, Stop> {
        let due = match step.when {
            When::Next => self.backend.now(),
            When::After(time) => self.backend.now() + time,
            When::At(time) if time < self.backend.now() && self.backend.is_exact() => {
                let now = self.backend.now();
                return Ok(failed(step, format!("it was to begin at {time} and it is {now} now")));
            }
            When::At(time) => time.max(self.backend.now()),
        };
        // A step with a time of its own begins after all else that is due by then.
        while step.when != When::Next && self.backend.advance(Some(due))? {}
        let (time, frames) = (self.backend.now(), self.backend.capture().len());
        let late = self.backend.late();
        let begun = Begun { step: step.index, time, frames, late };
        self.begun.push(begun);
        self.beginning(step, late);
        let unbound = |error: ExprError| Ok(failed(step, error.to_string()));
        let tag = u32::try_from(step.index).unwrap_or(u32::MAX);
        match &step.action {
            Action::Wait => {}
            Action::Do { node, verb, args } => match self.arguments(args) {
                Ok(args) => {
                    let command = link::Command::Do { verb: verb.clone(), args };
                    self.backend.command(*node, &command, tag)?;
                }
                Err(error) => return unbound(error),
            },
            Action::Send { node, port, packet } => match packet.resolve(&self.bindings) {
                Ok(packet) => {
                    let command = link::Command::Send { port: *port, packet };
                    self.backend.command(*node, &command, tag)?;
                }
                Err(error) => return unbound(error),
            },
            Action::Link(change) => self.backend.change_link(change)?,
            Action::Expect(expect) => return self.expect(step, expect, begun),
            Action::ExpectNothing(nothing) => return self.expect_nothing(step, nothing),
            Action::ExpectEvent(event) => return self.expect_event(step, event),
        }
        Ok(Done::Held)
    }

    /// A command's arguments, with the names in them filled in.
    fn arguments(&self, args: &[(String, Scalar)]) -> Result<BTreeMap<String, Datum>, ExprError> {
        let named = |(name, value): &(String, Scalar)| {
            Ok((name.clone(), crate::plan::topology::datum(&value.resolve(&self.bindings)?)))
        };
        args.iter().map(named).collect()
    }

    /// Whether a step of our own began in time, where that is to be judged. By the wire it did:
    /// whatever is late is the machine.
    fn beginning(&mut self, step: &Step, late: Duration) {
        if let (Some(allowed), false) = (step.tolerance, matches!(step.action, Action::Expect(_))) {
            let off = if late.is_zero() { Deviation::Not } else { Deviation::Late(late) };
            let held = if off.is_allowed(allowed) {
                Timing::OnTime(off)
            } else {
                Timing::MachineLate(off)
            };
            self.timed.push(Timed { step: step.index, frame: None, held, allowed });
        }
    }

    fn expect(&mut self, step: &Step, wanted: &Expect, begun: Begun) -> Result<Done, Stop> {
        let (Due::Within(due) | Due::After(due)) = wanted.due;
        // A clock of the node's own counts from when the step really began.
        let slack = step.tolerance.map_or(Duration::ZERO, |allowed| allowed.late + begun.late);
        let deadline = begun.time + (due + slack).max(self.backend.least_wait());
        let pattern = match wanted.pattern.resolve(&self.bindings) {
            Ok(pattern) => pattern,
            Err(error) => return Ok(failed(step, error.to_string())),
        };
        let mut passed_over = 0;
        loop {
            while let Some(id) = self.next_frame(&wanted.ports) {
                self.take(id);
                let frame = self.backend.capture().frame(id);
                let wrong = matching::mismatches(&pattern, frame, self.backend.pads());
                if wrong.is_empty() {
                    self.expected.push((id, step.index));
                    return Ok(match self.in_time(step, wanted, begun, id) {
                        Done::Held => self.bind(step, wanted, id),
                        failed => failed,
                    });
                }
                if !wanted.skip_others {
                    let shown = wire::render::line(frame);
                    let mut lines =
                        vec![format!("the next frame of {} is another one", wanted.from)];
                    lines.extend(wrong);
                    lines.push(format!("frame {}: {shown}", id.number()));
                    let frame = Some(id);
                    return Ok(Done::Failed(StepFailure { step: step.index, lines, frame }));
                }
                passed_over += 1;
            }
            if !self.backend.advance(Some(deadline))? {
                let from = &wanted.from;
                let allowed = due + step.tolerance.map_or(Duration::ZERO, |t| t.late);
                let after = crate::text::duration(allowed.max(self.backend.least_wait()));
                let mut line = format!("no such frame of {from} within {after}");
                if passed_over > 0 {
                    line += &format!(" ({passed_over} others ignored)");
                }
                return Ok(failed(step, line));
            }
        }
    }

    /// Whether the frame came when it was due, where that is to be judged.
    fn in_time(&mut self, step: &Step, wanted: &Expect, begun: Begun, id: FrameId) -> Done {
        let Some(allowed) = step.tolerance else { return Done::Held };
        let began = Moment { wire: begun.time, real: begun.time + begun.late };
        let record = self.backend.capture().record(id);
        let came = Moment { wire: record.time, real: self.backend.emitted(id) };
        let held = timing::hold(wanted.due, allowed, began, came);
        self.timed.push(Timed { step: step.index, frame: Some(id), held, allowed });
        let Timing::NodeOff(off) = held else { return Done::Held };
        let shown = wire::render::line(self.backend.capture().frame(id));
        let lines = vec![
            format!("the frame of {} is {}", wanted.from, off.describe(allowed)),
            format!("frame {}: {shown}", id.number()),
        ];
        Done::Failed(StepFailure { step: step.index, lines, frame: Some(id) })
    }

    fn bind(&mut self, step: &Step, wanted: &Expect, id: FrameId) -> Done {
        let frame = self.backend.capture().frame(id);
        for (name, field, occurrence) in &wanted.bind {
            match wire::view::LaxFrame::as_sent(frame).read(field, *occurrence) {
                Some(wire::Value::Num(number)) => {
                    self.bindings.insert(name.clone(), number);
                }
                _ => {
                    let path = field.path();
                    return failed(
                        step,
                        format!("the frame has no number {path} to bind `{name}`"),
                    );
                }
            }
        }
        Done::Held
    }

    /// The earliest frame of these ports that no step has expected yet.
    fn next_frame(&mut self, ports: &[wire::PortId]) -> Option<FrameId> {
        self.unexpected.frame(self.backend.capture(), ports)
    }

    fn take(&mut self, id: FrameId) {
        self.unexpected.take(self.backend.capture(), id);
    }

    fn expect_nothing(&mut self, step: &Step, nothing: &ExpectNothing) -> Result<Done, Stop> {
        let deadline = self.backend.now() + nothing.time;
        while self.backend.advance(Some(deadline))? {}
        let pattern = match nothing.pattern.resolve(&self.bindings) {
            Ok(pattern) => pattern,
            Err(error) => return Ok(failed(step, error.to_string())),
        };
        // What the step before this one caused counts too: on a fast link it is already there.
        for (id, record, frame) in self.backend.capture().iter().skip(self.mark) {
            let taken = self.unexpected.is_taken(record.port, id);
            // Nobody in particular is to be silent: then what the script itself sends is no answer.
            let scripted = !nothing.named && matches!(record.cause, wire::Cause::Command(_));
            let meant = !nothing.named || nothing.ports.binary_search(&record.port).is_ok();
            if taken || !meant || scripted {
                continue;
            }
            if matching::mismatches(&pattern, frame, self.backend.pads()).is_empty() {
                let who = self.backend.capture().interface(record.port);
                let lines = vec![
                    format!("{who} emitted a frame that was not to be"),
                    format!("frame {}: {}", id.number(), wire::render::line(frame)),
                ];
                let frame = Some(id);
                return Ok(Done::Failed(StepFailure { step: step.index, lines, frame }));
            }
        }
        Ok(Done::Held)
    }

    fn expect_event(&mut self, step: &Step, wanted: &ExpectEvent) -> Result<Done, Stop> {
        let deadline = self.backend.now() + wanted.within;
        loop {
            let next = self.unexpected.event(self.backend.seen(), wanted.node);
            if let Some(seen) = next.and_then(|place| self.backend.seen().get(place)) {
                let wrong = match matching::event_mismatches(wanted, &self.bindings, &seen.event) {
                    Ok(wrong) => wrong,
                    Err(error) => return Ok(failed(step, error.to_string())),
                };
                if wrong.is_empty() {
                    return Ok(Done::Held);
                }
                let name = &self.plan.nodes[wanted.node.index()].name;
                let mut lines = vec![format!("the next event of {name} is another one")];
                lines.extend(wrong);
                lines.push(format!("seen at {}: {}", seen.time, crate::text::event(&seen.event)));
                return Ok(Done::Failed(StepFailure { step: step.index, lines, frame: None }));
            }
            if !self.backend.advance(Some(deadline))? {
                let name = &self.plan.nodes[wanted.node.index()].name;
                let after = crate::text::duration(wanted.within);
                return Ok(failed(step, format!("{name} reported no event within {after}")));
            }
        }
    }
}

fn failed(step: &Step, line: String) -> Done {
    Done::Failed(StepFailure { step: step.index, lines: vec![line], frame: None })
}
