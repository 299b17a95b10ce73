//! What tests share: the project's folder, ports and their options, what a test needs of the
//! machine, and trials that count as ignored without it. Every package has it as a dependency for
//! its tests alone; it knows no scenario and no check.

mod folder;
pub mod needs;
mod ports;
mod process;
mod trials;

pub use folder::project;
pub use ports::{NO_ADDRESS, address, both, digits, hex, mac, peer, port, texts};
pub use process::{told, wait};
pub use trials::{Outcome, Stop, found, need, trial, trial_if};
