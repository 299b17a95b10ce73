//! The time that making a topology took, by part. Knows durations.

use wire::{Duration, Instant};

use crate::clock::Clock;

/// The times of making a topology, by the real clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetupTimes {
    /// Namespaces, with their settings pinned and their sockets open.
    pub namespaces: Duration,
    /// Veth pairs, asked for over netlink.
    pub pairs: Duration,
    /// Ends of pairs: offloads off, bound to their sockets, up.
    pub ends: Duration,
    /// Addresses and neighbours of kernel nodes, until they take the addresses for their own.
    pub addresses: Duration,
    /// Rules of kernel nodes, loaded by programs of their own, and ports that listen.
    pub rules: Duration,
    /// Until frames proved that every link carries them and every kernel node answers.
    pub proof: Duration,
}

impl SetupTimes {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Duration {
        self.namespaces + self.pairs + self.ends + self.addresses + self.rules + self.proof
    }
}

/// Does some work and adds what it took to a part.
pub(crate) fn timed<T>(part: &mut Duration, work: impl FnOnce() -> T) -> T {
    let clock = Clock::start();
    let done = work();
    *part += clock.now() - Instant::ZERO;
    done
}
