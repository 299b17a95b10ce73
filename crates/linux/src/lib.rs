//! **linux**: a Linux kernel as a node, wherever it runs. Holds its settings, its rules, its
//! network configuration, and the barrier that proves that a frame is handled. Knows the node
//! contract; no namespace, no machine and no privilege. The caller that runs the kernel applies the
//! settings and carries the frames.

pub mod barrier;
mod net_config;
mod nft_rule;
mod node;
mod rules;
mod settings;

pub use net_config::{Neighbour, NetConfig, interface_name};
pub use nft_rule::check_rule;
pub use node::{FrameIo, KernelNode};
pub use rules::{Hook, Load, Reject, Rules, Unfit};
pub use settings::{Setting, check_setting};

/// The configuration of a kernel node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    /// Its rules.
    pub rules: Rules,
    /// Settings beside the pinned ones, or instead: `net.ipv4.ip_default_ttl` and its value.
    pub sysctls: Vec<(String, String)>,
    /// TCP ports that accept.
    pub listen: Vec<u16>,
    /// The first link is the default route.
    pub default_route: bool,
}
