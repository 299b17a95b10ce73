//! `faulty`: another kind of node with one fault planted in what it emits, so that every check can
//! be shown biting. Checksums are made right again around a change: the fault planted is the only
//! one there is, and the same frames come out of every run. Knows no check.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use link::{Command, CommandError, Event, Node, PortConfig, PortIndex, Transmit};
use wire::Instant;

use crate::config::{Inner, NodeConfig, OptionSpec, PortRule};
use crate::options::{ConfigError, unknown};
use crate::recipe::{Made, MakeError, Recipe, Site};
use crate::registry::{Kind, Registry};
use crate::role::Role;

mod edit;
mod odd;
mod table;

pub use edit::Edit;
pub use table::{Act, FAULTS, Fault, GOLDEN};

/// What stands where `of` is not given.
const OF: &str = "reject";

static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "of",
        takes: "a kind of node",
        default: OF,
        about: "which node is faulty; all other options are its own",
    },
    OptionSpec {
        name: "fault",
        takes: "the name of a fault",
        default: "none: it must be given",
        about: "what it gets wrong",
    },
    OptionSpec {
        name: "frames",
        takes: "numbers from 1, by the order of frames",
        default: "all",
        about: "which frames are faulty: of those it emits, or receives where the fault is there",
    },
];

/// The kind `faulty`.
#[must_use]
pub fn kind() -> Kind {
    let about = "another kind of node with a fault planted in what it emits";
    let read = |config: &NodeConfig, all: &Registry| {
        let settings = Settings::read(config, all)?;
        let recipe: Arc<dyn Recipe> = Arc::new(settings);
        Ok(recipe)
    };
    Kind::new("faulty", about, read)
        .options(OPTIONS)
        .inner(Inner::Any)
        .ports(PortRule::AtLeast(1))
        .wraps(|config| of(config).ok().map(|(kind, inner)| (kind.to_owned(), inner)))
        .addresses_in(&["to"])
}

/// The options, and the recipe of the node that the fault is planted in.
#[derive(Debug)]
struct Settings {
    inside: Arc<dyn Recipe>,
    fault: &'static Fault,
    frames: Option<Vec<u64>>,
}

impl Settings {
    fn read(config: &NodeConfig, registry: &Registry) -> Result<Self, ConfigError> {
        let names = || FAULTS.iter().map(|fault| fault.name);
        let Some(name) = config.read().text("fault")? else {
            let all: Vec<_> = names().collect();
            let message = format!("faulty needs `fault`: one of {}", all.join(", "));
            return Err(ConfigError::at("fault", message));
        };
        let Some(fault) = FAULTS.iter().find(|fault| fault.name == name) else {
            return Err(ConfigError::at("fault", unknown("fault", name, names())));
        };
        let (kind, inner) = of(config)?;
        Ok(Self { inside: registry.read_in_process(kind, &inner)?, fault, frames: frames(config)? })
    }

    fn at(&self, site: &Site<'_>) -> Result<Faulty, MakeError> {
        Ok(Faulty {
            node: self.inside.make(site)?.in_process()?,
            act: self.fault.act,
            frames: self.frames.clone(),
            ports: site.ports.to_vec(),
            edit: Edit::default(),
            again: None,
            received: 0,
            emitted: 0,
            planted: 0,
            exchanging: false,
        })
    }
}

impl Recipe for Settings {
    fn role(&self) -> Role {
        self.inside.role()
    }

    fn make(&self, site: &Site<'_>) -> Result<Made, MakeError> {
        Ok(Made::in_this_process(Box::new(self.at(site)?)))
    }
}

/// The node.
pub struct Faulty {
    node: Box<dyn Node>,
    act: Act,
    frames: Option<Vec<u64>>,
    ports: Vec<PortConfig>,
    edit: Edit,
    /// A frame that is emitted once more before the node is asked again.
    again: Option<PortIndex>,
    received: u64,
    emitted: u64,
    planted: u64,
    /// What came in last was changed, so that its answer is changed too.
    exchanging: bool,
}

impl Faulty {
    /// The node of the kind `of`, and the fault to plant in it.
    ///
    /// # Errors
    /// When there is no such fault or kind, or an option is wrong.
    pub fn new(config: &NodeConfig, registry: &Registry) -> Result<Self, ConfigError> {
        let settings = Settings::read(config, registry)?;
        let site = Site { ports: &config.ports, seed: 0, is_real: false };
        settings.at(&site).map_err(|error| ConfigError::new(error.to_string()))
    }

    fn chosen(&self, ordinal: u64) -> bool {
        self.frames.as_ref().is_none_or(|frames| frames.contains(&ordinal))
    }

    /// Plants the fault in the frame loaded, the `ordinal`th that the node emitted. `false` when
    /// the frame is not to be emitted at all.
    fn plant(&mut self, port: PortIndex) -> bool {
        if !self.chosen(self.emitted) {
            return true;
        }
        let reset = self.edit.is_reset();
        let planted = match self.act {
            Act::SwallowResets if reset => {
                self.planted += 1;
                return false;
            }
            Act::Double => {
                self.again = Some(port);
                true
            }
            Act::Reset(change) if reset => change_and_remake(&mut self.edit, change),
            Act::Frame(change) => change_and_remake(&mut self.edit, change),
            Act::Bare(change) => change(&mut self.edit).is_some(),
            Act::Exchange(_, change) if reset && self.exchanging => {
                change_and_remake(&mut self.edit, change)
            }
            Act::Reset(_) | Act::SwallowResets | Act::Incoming(_) | Act::Exchange(..) => false,
        };
        self.planted += u64::from(planted);
        true
    }
}

fn change_and_remake(edit: &mut Edit, change: fn(&mut Edit) -> Option<()>) -> bool {
    let changed = change(edit).is_some();
    if changed {
        edit.remake_checksums();
    }
    changed
}

/// The kind of the faulty node, and its own configuration.
fn of(config: &NodeConfig) -> Result<(&str, NodeConfig), ConfigError> {
    let kind = config.read().text("of")?.unwrap_or(OF);
    let own = |name: &str| OPTIONS.iter().any(|option| option.name == name);
    let inner: BTreeMap<_, _> = config
        .options
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok((kind, config.with_options(inner)))
}

fn frames(config: &NodeConfig) -> Result<Option<Vec<u64>>, ConfigError> {
    let Some(values) = config.read().list("frames")? else { return Ok(None) };
    if matches!(&values[..], [link::Datum::Text(word)] if word == "all") {
        return Ok(None);
    }
    let mut frames = Vec::with_capacity(values.len());
    for value in &values {
        let number = value.to_string().parse().ok().filter(|number| *number > 0);
        let wrong = || format!("`{value}` for `frames`: it takes numbers from 1, or `all`");
        frames.push(number.ok_or_else(|| ConfigError::at("frames", wrong()))?);
    }
    Ok(Some(frames))
}

impl Node for Faulty {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        self.received += 1;
        self.exchanging = false;
        if let Act::Incoming(change) | Act::Exchange(change, _) = self.act
            && self.chosen(self.received)
        {
            self.edit.load(frame);
            if let Some(own) = self.ports.get(usize::from(port)) {
                self.edit.owner(own);
            }
            if change_and_remake(&mut self.edit, change) && self.edit.frame() != frame {
                self.planted += 1;
                self.exchanging = true;
                return self.node.handle_frame(now, port, self.edit.frame());
            }
        }
        self.node.handle_frame(now, port, frame);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.node.handle_timeout(now);
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        self.node.handle_command(now, command)
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        if let Some(port) = self.again.take() {
            return Some(Transmit { port, frame: self.edit.frame() });
        }
        loop {
            let Transmit { port, frame } = self.node.poll_transmit(now)?;
            self.edit.load(frame);
            self.emitted += 1;
            if self.plant(port) {
                return Some(Transmit { port, frame: self.edit.frame() });
            }
        }
    }

    fn poll_event(&mut self, now: Instant) -> Option<Event> {
        self.node.poll_event(now)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        let mut all = self.node.counters();
        all.push(("faults".into(), self.planted));
        all
    }
}

#[cfg(test)]
mod tests;
