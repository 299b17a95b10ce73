//! The kinds of node by name: what each takes, how its options are read and what holds for every
//! node of it. Knows no scenario syntax and no wire; a user's own kinds stand beside the standard
//! ones.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use link::{Datum, Node};

use crate::config::{Inner, NodeConfig, OptionSpec, PortRule, VerbSpec};
use crate::options::{ConfigError, unknown};
use crate::recipe::{Home, Made, Recipe, Site};
use crate::role::{Measure, Role};

/// The kind and configuration of the node inside one so configured.
pub type Wraps = dyn Fn(&NodeConfig) -> Option<(String, NodeConfig)> + Send + Sync;

/// Reads a node's options; the registry is for kinds that hold another.
pub type Read =
    dyn Fn(&NodeConfig, &Registry) -> Result<Arc<dyn Recipe>, ConfigError> + Send + Sync;

/// The options of a node that takes another one's place, by those it is given and those of the
/// node whose place it takes.
pub type TakesOver = dyn Fn(Options, &Replaced<'_>) -> Options + Send + Sync;

/// Values by name.
type Options = BTreeMap<String, Datum>;

/// The node whose place another one takes.
#[derive(Clone, Copy, Debug)]
pub struct Replaced<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its options.
    pub options: &'a BTreeMap<String, Datum>,
}

/// A kind of node.
#[derive(Clone)]
pub struct Kind {
    /// Its name in scenarios: `md5-receiver`.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// How many ports it has.
    pub ports: PortRule,
    /// The options it takes, in the order to show them.
    pub options: &'static [OptionSpec],
    /// Options beside those, of a kind inside it.
    pub inner: Inner,
    /// The commands that it takes beside `send`.
    pub commands: &'static [VerbSpec],
    /// The events that its application reports.
    pub events: &'static [VerbSpec],
    /// The node inside one so configured, whose commands and events are its own too.
    pub wraps: Option<Arc<Wraps>>,
    /// Reads the options of one.
    pub read: Arc<Read>,
    /// Where the implementation is.
    pub home: Home,
    /// Names that masks and `not-on` may use for one, beside the kind's: see [`Recipe::known_as`].
    pub known_as: &'static [&'static str],
    /// What one takes over from the node whose place it takes.
    pub takes_over: Option<Arc<TakesOver>>,
    /// Options in which a node's name stands for that node's addresses.
    pub addresses_in: &'static [&'static str],
    /// Whether one with these options joins its ports below IP, so that they have no addresses and
    /// whoever is behind it is the neighbour.
    pub bridges: fn(&BTreeMap<String, Datum>) -> bool,
    /// What its frames are measured by.
    pub measure: Measure,
    /// Options that choose which implementation it is like.
    pub imitates: &'static [&'static str],
}

impl Kind {
    /// An in-process kind without options, with one port. `read` makes a recipe of a node's
    /// options, once; see [`in_process`](crate::in_process).
    pub fn new(
        name: &'static str,
        about: &'static str,
        read: impl Fn(&NodeConfig, &Registry) -> Result<Arc<dyn Recipe>, ConfigError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            about,
            ports: PortRule::Exactly(1),
            options: &[],
            inner: Inner::None,
            commands: &[],
            events: &[],
            wraps: None,
            read: Arc::new(read),
            home: Home::InProcess,
            known_as: &[],
            takes_over: None,
            addresses_in: &[],
            bridges: |_| false,
            measure: Measure::Golden,
            imitates: &[],
        }
    }

    /// The same with these options.
    #[must_use]
    pub fn options(mut self, options: &'static [OptionSpec]) -> Self {
        self.options = options;
        self
    }

    /// The same with this many ports.
    #[must_use]
    pub fn ports(mut self, ports: PortRule) -> Self {
        self.ports = ports;
        self
    }

    /// The same taking the options of a kind inside it too.
    #[must_use]
    pub fn inner(mut self, inner: Inner) -> Self {
        self.inner = inner;
        self
    }

    /// The same taking these commands. A scenario that gives it another one is refused.
    #[must_use]
    pub fn commands(mut self, commands: &'static [VerbSpec]) -> Self {
        self.commands = commands;
        self
    }

    /// The same reporting these events. A scenario that expects another one is refused.
    #[must_use]
    pub fn events(mut self, events: &'static [VerbSpec]) -> Self {
        self.events = events;
        self
    }

    /// The same with another node inside it, which commands are handed to and events come from.
    #[must_use]
    pub fn wraps(
        mut self,
        inside: impl Fn(&NodeConfig) -> Option<(String, NodeConfig)> + Send + Sync + 'static,
    ) -> Self {
        self.wraps = Some(Arc::new(inside));
        self
    }

    /// The same whose implementation is elsewhere.
    #[must_use]
    pub fn home(mut self, home: Home) -> Self {
        self.home = home;
        self
    }

    /// The same whose nodes may be known by these names too.
    #[must_use]
    pub fn known_as(mut self, names: &'static [&'static str]) -> Self {
        self.known_as = names;
        self
    }

    /// The same taking something over from the node whose place it takes.
    #[must_use]
    pub fn takes_over(
        mut self,
        options: impl Fn(Options, &Replaced<'_>) -> Options + Send + Sync + 'static,
    ) -> Self {
        self.takes_over = Some(Arc::new(options));
        self
    }

    /// The same with options in which a node's name stands for that node's addresses.
    #[must_use]
    pub fn addresses_in(mut self, options: &'static [&'static str]) -> Self {
        self.addresses_in = options;
        self
    }

    /// The same that may join its ports below IP.
    #[must_use]
    pub fn bridges(mut self, bridges: fn(&BTreeMap<String, Datum>) -> bool) -> Self {
        self.bridges = bridges;
        self
    }

    /// The same measured by something else than the golden's bytes: [`Measure::Rules`] for a stack
    /// of which every version chooses other bytes, and whose goldens were taken from another one.
    #[must_use]
    pub fn measure(mut self, measure: Measure) -> Self {
        self.measure = measure;
        self
    }

    /// The same with options that choose which implementation it is like, such as a default TTL: a
    /// scenario that sets one to another value than its default is about that implementation, and
    /// is not run with another one in the node's place.
    #[must_use]
    pub fn imitates(mut self, options: &'static [&'static str]) -> Self {
        self.imitates = options;
        self
    }

    /// Ports and option names of a configuration are as the kind wants them.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self, config: &NodeConfig) -> Result<(), ConfigError> {
        let (name, has) = (self.name, config.ports.len());
        let wrong = match self.ports {
            PortRule::Exactly(count) => (has != count).then(|| format!("exactly {count}")),
            PortRule::AtLeast(count) => (has < count).then(|| format!("at least {count}")),
        };
        if let Some(wants) = wrong {
            let message = format!("ports: the kind {name} has {wants}, {has} given");
            return Err(ConfigError::new(message));
        }
        for option in config.options.keys() {
            let inner = match self.inner {
                Inner::None => false,
                Inner::Prefixed(prefix) => option.starts_with(prefix),
                Inner::Any => true,
            };
            if !inner && !self.options.iter().any(|known| known.name == option) {
                let what = format!("option of {name}");
                let allowed = self.options.iter().map(|known| known.name);
                return Err(ConfigError::at(option, unknown(&what, option, allowed)));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The kinds there are, in the order they were registered.
#[derive(Clone, Debug, Default)]
pub struct Registry(Vec<Kind>);

impl Registry {
    /// No kind at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The kinds of this crate.
    #[must_use]
    pub fn standard() -> Self {
        Self(crate::standard_kinds())
    }

    /// Adds a kind; one of the same name is replaced in its place.
    pub fn register(&mut self, kind: Kind) {
        match self.0.iter_mut().find(|known| known.name == kind.name) {
            Some(known) => *known = kind,
            None => self.0.push(kind),
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Kind> {
        self.0.iter().find(|kind| kind.name == name)
    }

    /// The kinds in their order.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = &Kind> {
        self.0.iter()
    }

    /// The kind of that name, or the sentence that lists those there are.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn find(&self, name: &str) -> Result<&Kind, ConfigError> {
        let names = self.0.iter().map(|kind| kind.name);
        self.get(name).ok_or_else(|| ConfigError::new(unknown("kind of node", name, names)))
    }

    /// Reads the options of a node of a kind.
    ///
    /// # Errors
    /// When there is no such kind, or it does not take these ports or options.
    pub fn read(&self, kind: &str, config: &NodeConfig) -> Result<Arc<dyn Recipe>, ConfigError> {
        let kind = self.find(kind)?;
        kind.check(config)?;
        (kind.read)(config, self)
    }

    /// The same of a kind whose nodes are in this process, as those inside another node are.
    ///
    /// # Errors
    /// As [`Self::read`], and for another kind.
    pub fn read_in_process(
        &self,
        kind: &str,
        config: &NodeConfig,
    ) -> Result<Arc<dyn Recipe>, ConfigError> {
        if self.find(kind)?.home != Home::InProcess {
            return Err(ConfigError::new(format!("{kind}: such a node is not in this process")));
        }
        self.read(kind, config)
    }

    /// Makes an in-process node of a kind by itself, as a test does.
    ///
    /// # Errors
    /// As [`Self::read_in_process`].
    pub fn build(&self, kind: &str, config: &NodeConfig) -> Result<Box<dyn Node>, ConfigError> {
        let site = Site { ports: &config.ports, seed: 0, is_real: false };
        let made = self.read_in_process(kind, config)?.make(&site);
        made.and_then(Made::in_process).map_err(|error| ConfigError::new(error.to_string()))
    }

    /// The option by which a node of a kind is like one implementation and no other, as
    /// `profile=linux-2.6`; `None` where any would do.
    #[must_use]
    pub fn imitation(&self, kind: &str, options: &BTreeMap<String, Datum>) -> Option<String> {
        let kind = self.get(kind)?;
        let default = |name: &str| {
            kind.options.iter().find(|spec| spec.name == name).map_or("", |spec| spec.default)
        };
        let set = |name: &&&str| {
            options.get(**name).is_some_and(|value| value.to_string() != default(name))
        };
        if let Some(name) = kind.imitates.iter().find(set) {
            return options.get(*name).map(|value| format!("{name}={value}"));
        }
        // Of a kind inside it, which the option before the dot names.
        let Inner::Prefixed(prefix) = kind.inner else { return None };
        let Datum::Text(inner) = options.get(prefix.trim_end_matches('.'))? else {
            return None;
        };
        // Each level has a name less, so that this ends.
        let inside: BTreeMap<String, Datum> = options
            .iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
            })
            .collect();
        let found = self.imitation(inner, &inside)?;
        Some(format!("{prefix}{found}"))
    }

    /// What may be expected of a node of a kind; [`Role::Other`] for one that cannot be read.
    #[must_use]
    pub fn role(&self, kind: &str, config: &NodeConfig) -> Role {
        let read = self.get(kind).map(|kind| (kind.read)(config, self));
        read.and_then(Result::ok).map_or(Role::Other, |recipe| recipe.role())
    }
}

#[cfg(test)]
mod tests;
