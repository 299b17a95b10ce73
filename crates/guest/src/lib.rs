//! **guest**: a Linux kernel of its own in QEMU, without any privilege. Boots a stock kernel image
//! with a root file system made at run time, runs shell scripts in it, carries its Ethernet
//! frames, and ends with the process whatever ends that. On top of it, such a machine as a node,
//! and machines that are kept between runs. Knows no scenario, no wire and no TCP.
//!
//! ```no_run
//! use guest::{Config, Image, Machine, Nic};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut machine = Machine::boot(&Config::new(Image::find()?, 1, "console.txt".into()))?;
//! machine.fresh()?;
//! let mac = "02:00:00:00:00:01".parse()?;
//! machine.plug(&[Nic { port: 0, name: "eth0".into(), mac, mtu: 1500 }])?;
//! machine.run("ip addr add 10.0.0.2/24 dev eth0")?;
//! # let frame = [0; 60];
//! machine.port(0).send(&frame)?;
//! let mut answer = Vec::new();
//! let answered = machine.port(0).wait(&mut answer, wire::Duration::from_secs(1))?;
//! machine.health()?;
//! # Ok(())
//! # }
//! ```

mod channel;
mod clock;
mod config;
mod console;
mod cpio;
mod error;
mod image;
mod kbuild;
mod lockstep;
mod machine;
mod modules;
mod needs;
mod nics;
mod node;
mod pool;
mod port;
mod privileges;
mod process;
mod qemu;
mod root;
mod store;
mod tools;
mod unnamed;

pub use config::{Clock, Config};
pub use error::Error;
pub use image::Image;
pub use kbuild::{Headers, MODULES};
pub use machine::Machine;
pub use needs::{Need, needs};
pub use nics::Nic;
pub use node::{Guest, Module, SkbSender, Spec};
pub use pool::{Kind, Leased, Pool};
pub use port::{MOST_BYTES, Port};
pub use store::{Built, Store};
