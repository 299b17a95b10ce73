//! Steps: what happens, when, and by how much its time may be missed.

use wire::{Duration, LinkChange};

use super::noted::Noted;
use super::packet::PacketTemplate;
use super::pattern::Pattern;
use super::refs::{FieldPath, PortRef};
use super::value::Argument;
use crate::span::{Span, Spanned};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub action: Action,
    /// By how much its time may be missed; where it is left out, the real clock judges nothing.
    pub tolerance: Option<Tolerance>,
    /// A comment on the whole step; [`Step::notes`] has those inside it as well.
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
        /// Its place in [`Scenario::links`](crate::Scenario::links).
        index: usize,
        /// Only frames that travel toward this end; both directions where it is left out.
        toward: Option<PortRef>,
        /// What changes; the rest stays.
        set: Box<Noted<LinkChange>>,
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
