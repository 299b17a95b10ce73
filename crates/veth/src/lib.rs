//! **veth**: the real wire. Each node in a network namespace of its own, veth pairs between them,
//! packet sockets on the pairs, and the real clock. Knows the node contract and the link's model;
//! no scenario, no golden, no TCP.
//!
//! It is the only crate with `unsafe` code and the only one that uses a privilege, and that one
//! reaches no further than the namespaces it makes: see [`enter`]. But for [`Nic`], which sends and
//! hears on an interface that is there already, and changes nothing of it.

mod behind;
mod clock;
mod end;
mod error;
mod kernel;
mod namespace;
mod nic;
mod pairs;
mod parts;
mod program;
mod rights;
mod stay;
mod sys;
mod topology;
mod wire;

pub use end::{LEAST_BYTES, MOST_BYTES};
pub use error::Error;
pub use namespace::enter;
pub use nic::{
    Answerer, Asked, Cable, Interface, Manner, Member, Nic, Sight, ask, interfaces, look,
    may_listen,
};
pub use parts::Parts;
pub use program::{can_load, program, runs};
pub use topology::{LinkSpec, NodeSpec, Occupant, lay};
pub use wire::Wire;
