//! A scenario as written: names are still names, but every value has been read and every name
//! that the file itself defines has been looked up. Knows no node kind, check or wire.

use std::fmt;
use std::net::IpAddr;

use wire::{Duration, Field, LinkChange, Mac};

use crate::{Expr, PacketTemplate, Pattern, Span, Spanned};

/// A scenario file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
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
    pub limits: Limits,
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

/// An address with its subnet's prefix: 24 (IPv4) or 64 (IPv6) where none was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Bits of the subnet's prefix.
    pub prefix: u8,
}

/// A named value: a node's option, a command's argument, an event's field.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: Spanned<String>,
    /// Its value.
    pub value: Spanned<Scalar>,
}

/// The value of an [`Argument`].
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number.
    Num(u64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Scalar>),
    /// A number computed from bound names; never in a node's option. See [`Scalar::resolve`].
    Expr(Expr),
}

/// A node of the file, and one of its ports where it was written: `middle:left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRef {
    /// The node's name.
    pub node: Spanned<String>,
    /// Its place in [`Scenario::nodes`].
    pub index: usize,
    /// The port's name; one of the node's `ports` where it has them.
    pub port: Option<Spanned<String>>,
}

/// As the file writes it: `node` or `node:port`.
impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}:{}", self.node.value, port.value),
            None => f.write_str(&self.node.value),
        }
    }
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
    pub toward: Vec<(PortRef, LinkChange)>,
    /// A comment.
    pub note: Option<String>,
    /// The whole object.
    pub span: Span,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub action: Action,
    /// By how much its time may be missed; where it is left out, the real clock judges nothing.
    pub tolerance: Option<Tolerance>,
    /// A comment; it travels to the report and the capture.
    pub note: Option<String>,
    /// The whole object.
    pub span: Span,
}

/// By how much a time may be missed, to either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// By how much too early.
    pub early: Duration,
    /// By how much too late.
    pub late: Duration,
}

/// When a frame must be emitted, counted from the end of the step before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At the latest then.
    Within(Duration),
    /// Just then, but for the step's tolerance.
    After(Duration),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A node sends a packet.
    Send {
        /// When.
        when: When,
        /// Who, and by which port.
        from: PortRef,
        /// What.
        packet: Spanned<PacketTemplate>,
    },
    /// A node is given a command.
    Do {
        /// When.
        when: When,
        /// Who.
        node: PortRef,
        /// The command.
        verb: Spanned<String>,
        /// Its arguments.
        args: Vec<Argument>,
    },
    /// A frame must be emitted.
    Expect {
        /// When.
        due: Due,
        /// By whom.
        from: PortRef,
        /// What it must look like.
        pattern: Spanned<Pattern>,
        /// Names to give to values of its fields.
        bind: Vec<Bind>,
        /// Frames that do not match may come before it.
        skip_others: bool,
    },
    /// No such frame may be emitted.
    ExpectNothing {
        /// For how long.
        during: Spanned<Duration>,
        /// By whom; by anybody where it is left out.
        from: Option<PortRef>,
        /// What it would look like; empty: any frame.
        pattern: Spanned<Pattern>,
    },
    /// A node's application must see something.
    ExpectEvent {
        /// How soon.
        within: Spanned<Duration>,
        /// Whose.
        from: PortRef,
        /// The kind of event.
        kind: Spanned<String>,
        /// Fields it must have.
        fields: Vec<Argument>,
    },
    /// A link changes from then on.
    SetLink {
        /// When.
        when: When,
        /// Which, by name or by its ends (`a-b`).
        link: Spanned<String>,
        /// Its place in [`Scenario::links`].
        index: usize,
        /// Only frames that travel toward this end; both directions where it is left out.
        toward: Option<PortRef>,
        /// What changes; the rest stays.
        set: Box<LinkChange>,
    },
    /// Time passes.
    Wait(Spanned<Duration>),
}

/// When a step begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// As soon as the step before is done.
    #[default]
    Now,
    /// At this virtual time since the run began.
    At(Spanned<Duration>),
    /// This long after the step before was done.
    After(Spanned<Duration>),
}

/// A name given to a field's value in the frame that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The name, without `$`.
    pub name: Spanned<String>,
    /// The field; its value is a number.
    pub field: Spanned<FieldPath>,
}

/// A field of one of a frame's layers: `tcp.seq`, or `vlan#2.id` for the second of that protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The field.
    pub field: &'static Field,
    /// Which layer of its protocol, from 0.
    pub occurrence: usize,
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
}
