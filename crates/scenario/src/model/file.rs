//! The scenario as a whole: its nodes, links, limits and masks.

use wire::{Address, Duration, LinkChange, Mac};

use super::noted::Noted;
use super::refs::{FieldPath, PortRef};
use super::steps::Step;
use super::value::Argument;
use crate::span::{Span, Spanned};

/// A scenario file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// Where the JSON Schema is, for editors.
    pub schema: Option<String>,
    /// What happens, in one line.
    pub title: Spanned<String>,
    /// A comment on the whole.
    pub note: Option<String>,
    /// Clauses and requirement ids that it is about.
    pub cites: Vec<Spanned<String>>,
    /// The clause that fixes all that it asks, where any host must do it.
    pub any_host: Option<Spanned<String>>,
    /// The seed of the wire's random choices.
    pub seed: Option<Spanned<u64>>,
    /// Limits of the run.
    pub limits: Noted<Limits>,
    /// When the run stops; it runs until idle where this is left out.
    pub end: Option<Spanned<Duration>>,
    /// The nodes, in the order of the file.
    pub nodes: Vec<Node>,
    /// The links, in the order of the file.
    pub links: Vec<Link>,
    /// The steps, in the order of the file; at least one.
    pub steps: Vec<Step>,
    /// What may differ from the golden.
    pub masks: Vec<Mask>,
    /// The checks that must find something; every other finding is a failure.
    pub finds: Vec<Spanned<String>>,
    /// Wires on which it cannot run, each with its reason.
    pub not_on: Vec<Reason>,
}

/// Limits of a run; what is left out takes the runner's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Frames captured.
    pub frames: Option<Spanned<u32>>,
    /// Bytes of the frames captured.
    pub bytes: Option<Spanned<u64>>,
    /// Events handled.
    pub steps: Option<Spanned<u64>>,
    /// Frames in flight at once.
    pub queue: Option<Spanned<u32>>,
    /// Virtual time.
    pub duration: Option<Spanned<Duration>>,
}

/// A wire on which a scenario cannot run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The wire's name.
    pub wire: Spanned<String>,
    /// Why, not empty.
    pub reason: Spanned<String>,
}

/// A node: one implementation.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: Spanned<String>,
    /// Its kind.
    pub kind: Spanned<String>,
    /// The Ethernet address of its first port.
    pub mac: Option<Spanned<Mac>>,
    /// The addresses of its first port; `None` where the file leaves them out.
    pub addresses: Option<Vec<Spanned<Address>>>,
    /// Its ports where the file names them, in order; empty where the kind decides.
    pub ports: Vec<Port>,
    /// All other keys: options of its kind.
    pub options: Vec<Argument>,
    /// A comment.
    pub note: Option<String>,
}

/// A port that the file names.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: Spanned<String>,
    /// Its Ethernet address.
    pub mac: Option<Spanned<Mac>>,
    /// Its addresses; `None` where the file leaves them out.
    pub addresses: Option<Vec<Spanned<Address>>>,
    /// A comment.
    pub note: Option<String>,
}

/// A link between two ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// The ports it joins.
    pub ends: [PortRef; 2],
    /// How it treats frames; what is left out takes the default.
    pub settings: LinkChange,
    /// What is otherwise for frames that travel toward one of its ends.
    pub toward: Vec<(PortRef, Noted<LinkChange>)>,
    /// A comment.
    pub note: Option<String>,
    /// The whole object.
    pub span: Span,
}

/// A field that may differ from the golden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The field.
    pub field: Spanned<FieldPath>,
    /// Frames by number, from 1; all where it is left out.
    pub frames: Option<Vec<Spanned<u32>>>,
    /// Only what this port emits.
    pub from: Option<PortRef>,
    /// Only what a node of this kind emits.
    pub kind: Option<Spanned<String>>,
    /// Why, not empty.
    pub reason: Spanned<String>,
    /// A comment.
    pub note: Option<String>,
}

impl Mask {
    /// One entry of the file may name several fields, and each has its mask: whether this one is
    /// of the same entry as another.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        let rest = |mask: &Self| (mask.frames.clone(), mask.from.clone(), mask.kind.clone());
        self.reason == other.reason && self.note == other.note && rest(self) == rest(other)
    }
}
