//! **link**: how it crossed. The node contract, the virtual clock, links with impairments and the
//! run loop of the simulated wire. Knows frames as bytes: no TCP, no file format, no scenario.

mod config;
mod error;
mod fault;
mod impair;
mod lane;
mod net;
mod node;
mod outbox;
mod queue;
mod random;
pub mod sim;
mod timer_tree;

pub use config::{Direction, LEAST_COUNTED, Limits};
pub use error::{
    LinkEvent, LinkId, LinkNote, LossReason, NodeFault, NodeId, Seen, SimError, TopologyError,
};
pub use fault::{Fault, panic_words};
pub use node::{Command, CommandError, Event, Node, Peer, PortConfig, PortIndex, Transmit};
pub use outbox::Outbox;
pub use random::node_seed;
pub use sim::{Left, Sim};
pub use wire::{Address, Chance, Datum, LinkChange, LinkConfig};
