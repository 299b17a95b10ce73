//! What a node was fed and what it emitted, as one capture: judged by the node's role, with a
//! reason for each frame that it did not answer. Knows frames, ports and counters; drives no node.

use std::borrow::Cow;

use checks::{Answers, Judge, PortFacts, Report};
use link::PortConfig;
use wire::{Capture, Cause, Deliberate, FrameId, Instant, Mac, PortId};

pub mod silence;

use silence::Reason;

/// Where a frame of the exchange stands for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A frame of the capture that was fed, from 1.
    Fed(u32),
    /// A frame that the node emitted, from 1.
    Emitted(u32),
}

/// What went in and what came out, in order.
#[derive(Debug, Default)]
pub struct Exchange {
    /// All frames: those that were fed from the ports `0..ports`, the node's from those behind.
    pub all: Capture,
    /// Where each stands.
    pub places: Vec<Place>,
    ports: u16,
    fed: u32,
    emitted: u32,
}

impl Exchange {
    /// An exchange with a node of these ports.
    #[must_use]
    pub fn with(ports: &[PortConfig]) -> Self {
        let mut all = Capture::new();
        for side in ["input", "node"] {
            for port in ports {
                all.add_interface(format!("{side}:{}", port.name));
            }
        }
        Self { all, ports: ports.len() as u16, ..Self::default() }
    }

    /// A frame is handed to a port of the node.
    pub fn feed(&mut self, time: Instant, port: u16, frame: &[u8]) -> FrameId {
        let cause = Cause::Command(0);
        let id = self.all.push_caused(time, PortId(port), cause, Deliberate::SEGMENT, frame);
        self.all.record_mut(id).deliveries = 1;
        self.fed += 1;
        self.places.push(Place::Fed(self.fed));
        id
    }

    /// A port of the node emits a frame; the number that it has among those emitted.
    pub fn emit(&mut self, time: Instant, port: u16, cause: Cause, frame: &[u8]) -> u32 {
        let port = PortId(self.ports + port);
        let id = self.all.push_caused(time, port, cause, Deliberate::NOTHING, frame);
        self.all.record_mut(id).deliveries = 1;
        self.emitted += 1;
        self.places.push(Place::Emitted(self.emitted));
        self.emitted
    }

    /// Where a frame stands.
    #[must_use]
    pub fn place(&self, id: FrameId) -> Option<Place> {
        self.places.get(id.index()).copied()
    }

    /// Holds what came out against every check, by what can be expected of the node.
    #[must_use]
    pub fn judge(&self, ports: &[PortConfig], answers: &Answers) -> Report {
        let count = ports.len() as u16;
        let fed = |index: u16, port: &PortConfig| PortFacts {
            node: 1 + index,
            mac: Mac::default(),
            addresses: port
                .peer
                .iter()
                .flat_map(|peer| peer.addresses.iter().map(|address| address.ip))
                .collect(),
            broadcasts: Vec::new(),
            peer: Some(PortId(count + index)),
            answers: Answers::Unknown,
        };
        let node = |index: u16, port: &PortConfig| PortFacts {
            node: 0,
            mac: port.mac,
            addresses: port.addresses.iter().map(|address| address.ip).collect(),
            broadcasts: port.addresses.iter().filter_map(link::Address::broadcast).collect(),
            peer: Some(PortId(index)),
            answers: answers.clone(),
        };
        let facts: Vec<PortFacts> = (0..)
            .zip(ports)
            .map(|(index, port)| fed(index, port))
            .chain((0..).zip(ports).map(|(index, port)| node(index, port)))
            .collect();
        let mut report = Report::new();
        let _ = Judge::new().judge_fed(&self.all, &facts, |port| port.0 < count, &mut report);
        report
    }

    /// How many frames were fed, and how many emitted.
    #[must_use]
    pub const fn counts(&self) -> (u32, u32) {
        (self.fed, self.emitted)
    }
}

/// What a node counts, watched from one frame to the next.
#[derive(Debug, Default)]
pub struct Watched {
    before: Vec<(Cow<'static, str>, u64)>,
}

impl Watched {
    /// A node whose counters stand at this now.
    #[must_use]
    pub fn from(counters: Vec<(Cow<'static, str>, u64)>) -> Self {
        Self { before: counters }
    }

    /// The counter that grew since the last look and says why, or the first that grew.
    pub fn grown(&mut self, now: Vec<(Cow<'static, str>, u64)>) -> Option<String> {
        let before = |name: &str| {
            self.before.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count)
        };
        let grown: Vec<&str> = now
            .iter()
            .filter(|(name, count)| *count > before(name))
            .map(|(name, _)| name.as_ref())
            .collect();
        // What answered frames let grow since the last look says nothing of this one.
        let silent = |name: &&&str| name.contains("silent.") || name.contains("dropped.");
        let says = |name: &&&str| silence::words(name).is_some();
        let first = grown.iter().find(silent).or_else(|| grown.iter().find(says));
        let first = first.or(grown.first()).map(|name| (*name).to_owned());
        self.before = now;
        first
    }
}

/// A frame that was not answered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Its number among those fed, from 1.
    pub frame: u32,
    /// Why.
    pub reason: Reason,
}
