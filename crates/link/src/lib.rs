//! **link**: how it crossed. The node contract, the virtual clock, links with impairments and the
//! run loop of the simulated wire. Knows frames as bytes: no TCP, no file format, no scenario.

mod node;
mod outbox;

pub use node::{
    Address, Command, CommandError, Datum, Event, Node, Peer, PortConfig, PortIndex, Transmit,
};
pub use outbox::Outbox;
