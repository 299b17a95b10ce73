//! What a machine is booted with. Plain data; boots nothing.

use std::path::PathBuf;

use crate::image::Image;

/// By which clock a guest runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// Its own, which goes on by itself.
    #[default]
    Free,
    /// The link's.
    Lockstep,
}

/// A machine to be booted.
#[derive(Clone, Debug)]
pub struct Config {
    /// The kernel.
    pub image: Image,
    /// Network interfaces.
    pub ports: usize,
    /// By which clock it runs.
    pub clock: Clock,
    /// Modules (`.ko`) that are put into `/modules` of the guest and not loaded.
    pub modules: Vec<PathBuf>,
    /// The file that takes the console output of the guest's kernel; it is overwritten.
    pub console: PathBuf,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// More words for the kernel's command line.
    pub command_line: String,
    /// More words for QEMU.
    pub extra: Vec<String>,
    /// Names of streams between us and QEMU: each is a `-chardev` of that name, and
    /// [`Machine::stream`](crate::Machine::stream) gives our end.
    pub streams: Vec<String>,
}

impl Config {
    /// A machine with so many ports and nothing special.
    #[must_use]
    pub fn new(image: Image, ports: usize, console: PathBuf) -> Self {
        Self {
            image,
            ports,
            clock: Clock::Free,
            modules: Vec::new(),
            console,
            memory_mib: 128,
            command_line: String::new(),
            extra: Vec::new(),
            streams: Vec::new(),
        }
    }
}
