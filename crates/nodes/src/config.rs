//! How a node is configured and what a kind says of that: ports, options, commands and events.
//! Plain data; knows no kind.

use std::collections::BTreeMap;

use link::{Datum, PortConfig};

use crate::options::Options;

/// What a node is told when it is made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeConfig {
    /// Its name in the scenario.
    pub name: String,
    /// Its ports in order.
    pub ports: Vec<PortConfig>,
    /// Its options by name, as given.
    pub options: BTreeMap<String, Datum>,
}

impl NodeConfig {
    /// The options, to be read by type.
    #[must_use]
    pub fn read(&self) -> Options<'_> {
        Options(&self.options)
    }

    /// The same node with other options: what a wrapper hands to the kind inside it.
    #[must_use]
    pub fn with_options(&self, options: BTreeMap<String, Datum>) -> Self {
        Self { name: self.name.clone(), ports: self.ports.clone(), options }
    }
}

/// One option of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in words: `a port`, `true or false`.
    pub takes: &'static str,
    /// What stands where it is not given, as text.
    pub default: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// How many ports a kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRule {
    /// This many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
}

/// A command that a kind takes, or an event that it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerbSpec {
    /// The verb, or the event's kind.
    pub name: &'static str,
    /// The names of its arguments, or of its fields.
    pub with: &'static [&'static str],
    /// What it does, or what has happened, in a line.
    pub about: &'static str,
}

/// Options that a kind takes beside those of its table: those of a kind inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner {
    /// None.
    None,
    /// Names with this prefix, `behind.`.
    Prefixed(&'static str),
    /// Any name; the kind inside judges it.
    Any,
}
