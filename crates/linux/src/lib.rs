//! **linux**: a Linux kernel as a node, wherever it runs. What it is told before it speaks, and the
//! fence that tells when it is done with a frame. Knows the node contract; no namespace, no machine
//! and no privilege: whoever runs the kernel carries the frames and hands over the settings.

mod answering;
pub mod fence;
mod lines;
mod rules;
mod settings;
mod surroundings;

pub use answering::{Answering, Transport};
pub use lines::check_rule;
pub use rules::{Hook, Load, Reject, Rules, Unfit};
pub use settings::{Setting, check_setting};
pub use surroundings::{Neighbour, Surroundings, interface_name};

/// A kernel to be put on a wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    /// Its rules.
    pub rules: Rules,
    /// Settings beside the pinned ones, or instead: `net.ipv4.ip_default_ttl` and its value.
    pub sysctls: Vec<(String, String)>,
    /// TCP ports that accept.
    pub listen: Vec<u16>,
    /// Whoever is not on one of its links is reached over the first all the same.
    pub default_route: bool,
}
