//! **nodes**: who spoke. The implementations that run as nodes, and the registry that makes them
//! by name. Knows the node contract and the bytes of frames; no impairment, no file, no golden.
//!
//! | kind | module | what it is |
//! |---|---|---|
//! | `tester` | [`tester`] | emits what it is told, right or wrong |
//! | `sink` | [`sink`] | takes everything and counts |
//! | `skb-sender` | [`skb_sender`], its buffer in [`skb`] | a packet built as a kernel does |
//! | `md5-receiver` | [`md5_receiver`] | takes that packet in before TCP sees it |
//! | `reject` | [`reject`] | a host that rejects TCP with a reset |
//! | `host` | [`host`] | some TCP host: some ports open, all others closed |
//! | `firewall` | [`firewall`] | a router that rejects TCP to some ports |
//! | `faulty` | [`faulty`] | any other kind, with one fault planted |
//!
//! Shared by them: [`options`] reads what a scenario or the command line gives, [`neighbour`] knows
//! ARP and neighbour solicitations.
//!
//! # To add a kind
//!
//! In this crate: a file of its own with the node and `pub fn kind() -> Kind`, a line in
//! `standard_kinds` below, and a row above. From outside, without touching the crate; a kind whose
//! goldens were taken from another implementation says `measure(Measure::Rules)`, and is then held
//! to checks and steps instead of the golden's bytes ([`Kind::measure`]):
//!
//! ```
//! # use wireproof_nodes as nodes;
//! use link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
//! use nodes::{Kind, NodeConfig, OptionSpec, Registry, Role, in_process};
//! use wire::Instant;
//!
//! /// Sends every frame back as it came, up to a number of them.
//! struct Mirror {
//!     left: u64,
//!     outbox: Outbox,
//! }
//!
//! impl Node for Mirror {
//!     fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
//!         if self.left > 0 {
//!             self.left -= 1;
//!             self.outbox.push(port, frame);
//!         }
//!     }
//!     fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
//!         Err(CommandError("a mirror takes no command".into()))
//!     }
//!     fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
//!         self.outbox.pop()
//!     }
//! }
//!
//! static OPTIONS: &[OptionSpec] =
//!     &[OptionSpec { name: "count", takes: "a number", default: "1", about: "how many" }];
//!
//! let mut registry = Registry::standard();
//! let kind = Kind::new("mirror", "sends frames back", |config, _| {
//!     let left = config.read().num("count")?.unwrap_or(1);
//!     Ok(in_process(Role::Other, move |_| {
//!         Box::new(Mirror { left, outbox: Outbox::new() })
//!     }))
//! });
//! registry.register(kind.options(OPTIONS));
//!
//! let config = NodeConfig { ports: vec![PortConfig::default()], ..NodeConfig::default() };
//! let mut node = registry.build("mirror", &config)?;
//! node.handle_frame(Instant::ZERO, 0, b"frame");
//! assert_eq!(node.poll_transmit(Instant::ZERO).unwrap().frame, b"frame");
//! node.handle_frame(Instant::ZERO, 0, b"another");
//! assert_eq!(node.poll_transmit(Instant::ZERO), None);
//! # Ok::<(), nodes::ConfigError>(())
//! ```

mod config;
pub mod faulty;
pub mod firewall;
pub mod host;
pub mod md5_receiver;
pub mod neighbour;
pub mod options;
pub mod recipe;
pub mod registry;
pub mod reject;
mod role;
pub mod sink;
pub mod skb;
pub mod skb_sender;
pub mod tester;
mod verbs;

pub use config::{Inner, NodeConfig, OptionSpec, PortRule, VerbSpec};
pub use options::{ConfigError, Options};
pub use recipe::{Home, Made, MakeError, Occupant, Recipe, Site, in_process};
pub use registry::{Kind, Registry, Replaced, Wraps};
pub use role::{Measure, Role};

/// Every kind of this crate, in the order that `wireproof nodes` lists them: one line a kind.
fn standard_kinds() -> Vec<Kind> {
    vec![
        tester::kind(),
        sink::kind(),
        skb_sender::kind(),
        md5_receiver::kind(),
        reject::kind(),
        host::kind(),
        firewall::kind(),
        faulty::kind(),
    ]
}
