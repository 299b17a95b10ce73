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

#[cfg(test)]
mod tests {
    use super::*;

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
