//! What a node that was fed a capture emitted, as a capture of its own and as an exchange to judge;
//! and which frames it did not answer, and why.

use checks::Answers;
use link::{PortConfig, PortIndex};
use wire::pcapng::Comments;
use wire::{Capture, Cause, PortId};

use crate::inject::silence::reason;
use crate::inject::{Exchange, Silent};
use crate::plan::PlanNode;
use crate::run::inject::Injected;

/// How many silences before a reply its comment names.
const MOST_NAMED: usize = 20;

/// What came of feeding a node.
pub(super) struct Gathered {
    /// The frames of the node alone, its ports counted from 0.
    pub(super) emitted: Capture,
    /// `trigger=N` for the answer to frame N of what was fed.
    pub(super) comments: Comments,
    pub(super) exchange: Exchange,
    pub(super) silent: Vec<Silent>,
}

impl Gathered {
    /// `counters` has for each frame that was fed which counter it let grow, where it was not
    /// answered at once.
    pub(super) fn of(
        injected: &Injected,
        node: &PlanNode,
        answers: &Answers,
        input: &Capture,
        counters: &[Option<String>],
    ) -> Self {
        let ports = &node.config.ports;
        let mut gathered = Self {
            emitted: Capture::new(),
            comments: Comments::new(),
            exchange: Exchange::with(ports),
            silent: Vec::new(),
        };
        for port in ports {
            gathered.emitted.add_interface(format!("{}:{}", node.config.name, port.name));
        }
        let answered = gathered.take(injected, ports.len() as u16, input.len());
        for (id, record, frame) in input.iter() {
            // What was not fed any more is not silence.
            let fed = answered.get(id.index()).copied().flatten();
            if fed != Some(false) {
                continue;
            }
            let port = usize::from(port_of(ports, input.interface(record.port)));
            let counter = counters[id.index()].as_deref();
            let reason = reason(counter, frame, port, ports, answers);
            gathered.silent.push(Silent { frame: id.number(), reason });
        }
        gathered
    }

    /// Takes all that crossed; for each frame that was fed whether it was answered.
    fn take(&mut self, injected: &Injected, ports: u16, fed: usize) -> Vec<Option<bool>> {
        let all = &injected.transcript.capture;
        let mut answered = vec![None; fed];
        let mut places = vec![None; all.len()];
        for (id, record, frame) in all.iter() {
            let time = injected.began + (record.time - wire::Instant::ZERO);
            if record.port.0 < ports {
                places[id.index()] = Some(self.exchange.feed(time, record.port.0, frame));
                if let Cause::Command(number) = record.cause
                    && let Some(answered) = answered.get_mut(number as usize)
                {
                    answered.get_or_insert(false);
                }
                continue;
            }
            let port = record.port.0 - ports;
            let (cause, comment) = match record.cause {
                Cause::Frame(trigger) => {
                    let number = match all.record(trigger).cause {
                        Cause::Command(number) => Some(number),
                        _ => None,
                    };
                    if let Some(number) = number
                        && let Some(answered) = answered.get_mut(number as usize)
                    {
                        *answered = Some(true);
                    }
                    let place = places.get(trigger.index()).copied().flatten();
                    let cause = place.map_or(Cause::Unknown, Cause::Frame);
                    let number = number.map(|number| format!("trigger={}", number + 1));
                    (cause, number.unwrap_or_else(|| "trigger unknown".to_owned()))
                }
                Cause::Timeout => (Cause::Timeout, "timer".to_owned()),
                _ => (Cause::Unknown, "unsolicited".to_owned()),
            };
            self.exchange.emit(time, port, cause, frame);
            let id = self.emitted.push(time, PortId(port), frame);
            self.comments.insert(id, vec![comment]);
        }
        answered
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
