//! **guest**: a Linux kernel of its own in QEMU, without any privilege. Boots a stock kernel image
//! with a root file system made at run time, runs shell scripts in it, carries its Ethernet
//! frames, and ends with the process whatever ends that. Knows no scenario, no node and no TCP.

mod channel;
mod clock;
mod console;
mod cpio;
mod error;
mod image;
mod kbuild;
mod lockstep;
mod machine;
mod modules;
mod nics;
mod port;
mod process;
mod qemu;
mod root;
mod tools;

pub use error::Error;
pub use image::Image;
pub use kbuild::{Headers, MODULES, build_modules};
pub use machine::{Clock, Config, Machine};
pub use nics::Nic;
pub use port::{MOST_BYTES, Port};
