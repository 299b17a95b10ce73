//! The real clock, as an offset from the beginning of a run, and waiting for it. The only place
//! of the project that reads a clock.

use std::os::fd::{AsFd, OwnedFd};

use tokio::io::unix::AsyncFd;
use wire::{Duration, Instant};

use crate::error::{Error, Tried};
use crate::sys;

/// A clock that began when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a real wire runs by the real clock")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since then.
    pub(crate) fn now(self) -> Instant {
        Instant::ZERO + self.0.elapsed()
    }

    /// The time of a stamp that the kernel gave by the system's clock, never later than now;
    /// `None` before the clock began. Both clocks are read anew each time, so that a system clock
    /// that is set moves no stamp but those that wait to be read.
    #[expect(clippy::disallowed_methods, reason = "the kernel stamps frames by the system's clock")]
    pub(crate) fn at(self, stamp: Option<Duration>) -> Option<Instant> {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let age = match (since_1970, stamp) {
            (Ok(now), Some(stamp)) => now.saturating_sub(stamp),
            _ => Duration::ZERO,
        };
        self.0.elapsed().checked_sub(age).map(|since| Instant::ZERO + since)
    }
}

/// A timer that counts nanoseconds, where tokio's counts milliseconds.
#[derive(Debug)]
pub(crate) struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    /// To be called in the context of a runtime.
    pub(crate) fn new() -> Result<Self, Error> {
        let fd = sys::timer().tried("make a timer")?;
        Ok(Self(sys::watch(fd).tried("watch a timer")?))
    }

    /// Returns after so long; at once for zero.
    pub(crate) async fn sleep(&self, after: Duration) -> Result<(), Error> {
        if after.is_zero() {
            return Ok(());
        }
        sys::set_timer(self.0.as_fd(), after).tried("set a timer")?;
        let mut guard = self.0.readable().await.tried("wait for a timer")?;
        guard.clear_ready();
        Ok(())
    }
}

/// How long a part of a topology may take until it works; a machine that is busy elsewhere brings
/// links up late.
const SETTLING: Duration = Duration::from_secs(10);

/// Pauses between looks at something that the kernel finishes behind the back: short at first.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
    waited: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { next: Duration::from_micros(50), waited: Duration::ZERO }
    }

    /// Waits for the next look; false when there were enough. A sleep looks for its runtime when it
    /// is made, so it is made in here and not by the caller.
    pub(crate) async fn pause(&mut self) -> bool {
        if self.waited > SETTLING {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.waited += self.next;
        self.next = (self.next * 2).min(Duration::from_millis(20));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_need_no_runtime_around_them_and_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut pauses = Pauses::new();
        assert!(runtime.block_on(pauses.pause()));
        assert!(pauses.next > Duration::from_micros(50) && !pauses.waited.is_zero());
        pauses.waited = SETTLING * 2;
        assert!(!runtime.block_on(pauses.pause()));
    }

    #[test]
    fn it_sleeps_as_long_as_asked_and_no_millisecond_more_by_design() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _guard = runtime.enter();
        let timer = Timer::new().unwrap();
        let clock = Clock::start();
        for micros in [0, 1, 300, 900] {
            let before = clock.now();
            runtime.block_on(timer.sleep(Duration::from_micros(micros))).unwrap();
            assert!(clock.now() - before >= Duration::from_micros(micros));
        }
    }
}
