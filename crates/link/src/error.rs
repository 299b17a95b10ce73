//! What can end a run, what can be wrong with a topology, and what is noted along the way.

use std::fmt;
use std::time::Duration;

use wire::{FrameId, Instant};

use crate::fault::Fault;
use crate::node::{CommandError, Event, PortIndex};

/// A node of a run, in the order in which nodes were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The node at this place of a list of all of them.
    ///
    /// # Panics
    /// Beyond 65,535, which no run has.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u16::try_from(index).expect("a run has at most 65,536 of them"))
    }

    /// Its place in a list of all of them.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A link of a run, in the order in which links were connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u16);

impl LinkId {
    /// The link at this place of a list of all of them.
    ///
    /// # Panics
    /// Beyond 65,535, which no run has.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u16::try_from(index).expect("a run has at most 65,536 of them"))
    }

    /// Its place in a list of all of them.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Why a run ended before its time. Nodes are named by number; the driver knows their names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// A frame more than [`Limits::frames`](crate::Limits::frames) was emitted.
    #[error("one frame more was emitted than this run's limit of {0}")]
    FrameLimit(u32),
    /// The frames emitted have more bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the frames emitted have more bytes than this run's limit of {0}")]
    ByteLimit(u64),
    /// A step more than [`Limits::steps`](crate::Limits::steps) was due.
    #[error("one step more was due than this run's limit of {0}")]
    StepLimit(u64),
    /// A frame more than [`Limits::queue`](crate::Limits::queue) was to be in flight.
    #[error("one frame more was to be in flight than this run's limit of {0}")]
    QueueLimit(usize),
    /// Something was due after [`Limits::duration`](crate::Limits::duration).
    #[error("something was due after this run's limit of {0:?} of virtual time")]
    DurationLimit(Duration),
    /// A node could not do as it was told.
    #[error("node {0}: {1}")]
    Command(NodeId, #[source] CommandError),
    /// Something is wrong with a node itself; [`Sim::faults`](crate::Sim::faults) has what.
    #[error("node {0} failed")]
    NodeFailed(NodeId),
    /// There is no node of this number.
    #[error("no node {0}")]
    UnknownNode(NodeId),
    /// A node emitted from a port that it does not have.
    #[error("node {node} emitted a frame from port {port}, but has {ports} ports")]
    UnknownPort {
        /// The node.
        node: NodeId,
        /// The port that it named.
        port: PortIndex,
        /// How many it has.
        ports: u16,
    },
}

/// What is wrong with a topology, or with a change to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// There is no node of this number.
    #[error("no node {0}")]
    UnknownNode(NodeId),
    /// A node has no port of this number.
    #[error("node {0} has no port {1}")]
    UnknownPort(NodeId, PortIndex),
    /// A port has a link already.
    #[error("port {1} of node {0} has a link already; a port takes one")]
    PortTaken(NodeId, PortIndex),
    /// Both ends of a link are the same port.
    #[error("port {1} of node {0} cannot be both ends of a link")]
    SamePort(NodeId, PortIndex),
    /// There is no link of this number.
    #[error("no link {0}")]
    UnknownLink(LinkId),
    /// A rate of no bits a second.
    #[error("a rate of 0 bits per second lets nothing pass; take the link down instead")]
    ZeroRate,
    /// More links than can be numbered.
    #[error("more than 32,767 links")]
    TooManyLinks,
}

/// Something a node's application saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// When.
    pub time: Instant,
    /// At which node.
    pub node: NodeId,
    /// What.
    pub event: Event,
}

/// A fault of a node of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFault {
    /// When.
    pub time: Instant,
    /// Which node.
    pub node: NodeId,
    /// What.
    pub fault: Fault,
}

/// Something befell a frame between its emission and the port it was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkNote {
    /// When: of emission, but of the cut and of the arrival for what is lost there.
    pub time: Instant,
    /// The frame.
    pub frame: FrameId,
    /// The link; `None` when the port has none.
    pub link: Option<LinkId>,
    /// What befell it.
    pub what: LinkEvent,
}

/// What can befall a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// It does not arrive.
    Lost(LossReason),
    /// A second copy arrives.
    Duplicated,
    /// It is held back by so much.
    Reordered(Duration),
    /// One bit of the delivered bytes is not as emitted.
    Corrupted {
        /// The byte, from 0 at the Ethernet destination.
        offset: u32,
        /// The bit: 0 is the least significant.
        bit: u8,
    },
    /// The delivered bytes are not as emitted, in another way.
    Altered {
        /// The key of the setting that did it.
        by: &'static str,
        /// How many bytes arrive.
        length: u32,
    },
}

/// Why a frame did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossReason {
    /// The port has no link.
    NoLink,
    /// The link is down, or was cut with the frame on it.
    LinkDown,
    /// Longer than the link takes.
    Mtu {
        /// Bytes of its Ethernet payload.
        length: u32,
        /// Bytes that the link takes.
        mtu: u32,
    },
    /// As many frames as may wait were waiting.
    QueueFull,
    /// An impairment of the link took it: the key of its setting.
    Impairment(&'static str),
    /// The node at the other end had panicked.
    NodeDead,
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLink => f.write_str("the port has no link"),
            Self::LinkDown => f.write_str("the link is down"),
            Self::Mtu { length, mtu } => write!(f, "{length} bytes on a link of MTU {mtu}"),
            Self::QueueFull => f.write_str("the link's queue is full"),
            Self::Impairment(key) => write!(f, "the link's {key}"),
            Self::NodeDead => f.write_str("the receiving node had panicked"),
        }
    }
}

impl fmt::Display for LinkEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(reason) => write!(f, "lost: {reason}"),
            Self::Duplicated => f.write_str("duplicated"),
            Self::Reordered(by) => write!(f, "held back by {by:?}"),
            Self::Corrupted { offset, bit } => {
                write!(f, "corrupted: bit {bit} of byte {offset} flipped")
            }
            Self::Altered { by, length } => {
                write!(f, "altered by the link's {by}: {length} bytes arrive")
            }
        }
    }
}
