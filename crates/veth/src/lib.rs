//! **veth**: the real wire. Each node in a network namespace of its own, veth pairs between them,
//! packet sockets on the pairs, and the real clock. Knows the node contract and the link's model;
//! no scenario, no golden, no TCP.
//!
//! It is the only crate with `unsafe` code and the only one that uses a privilege, and that one
//! reaches no further than the namespaces it makes: see [`enter`]. But for [`Nic`], which sends and
//! receives on an existing interface, and changes nothing of it.

mod clock;
mod closing;
mod cpu_pin;
mod end;
mod error;
mod kernel;
mod namespace;
mod nic;
mod pairs;
mod program;
mod rights;
mod setup_times;
mod sys;
mod topology;
mod veth_node;
mod wire;

pub use end::{LEAST_BYTES, MOST_BYTES};
pub use error::Error;
pub use namespace::enter;
pub use nic::{
    Answerer, Asked, Cable, HostState, Interface, Nic, NicOptions, NodeSlot, ask, inspect,
    interfaces, may_listen,
};
pub use program::{can_load, program, runs};
pub use setup_times::SetupTimes;
pub use topology::{LinkSpec, NodeSpec, Occupant, lay};
pub use wire::Wire;
