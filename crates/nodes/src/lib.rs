//! **nodes**: who spoke. The implementations that run as nodes, and the registry that makes them
//! by name. Knows the node contract and the bytes of frames; no impairment, no file, no golden.

pub mod faulty;
pub mod md5_receiver;
pub mod neighbour;
pub mod options;
pub mod registry;
pub mod reject;
pub mod sink;
pub mod skb;
pub mod skb_sender;
pub mod tester;

pub use options::{ConfigError, Options};
pub use registry::{Inner, Kind, NodeConfig, OptionSpec, PortRule, Registry, Role};

/// Every kind of this crate, in the order that `wireproof nodes` lists them: one line a kind.
fn standard_kinds() -> Vec<Kind> {
    vec![
        tester::kind(),
        sink::kind(),
        skb_sender::kind(),
        md5_receiver::kind(),
        reject::kind(),
        faulty::kind(),
    ]
}
