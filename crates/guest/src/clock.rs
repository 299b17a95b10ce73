//! How long the machine may take: the one place of the crate that reads the real clock. Nothing
//! that a guest transmits depends on it; it only separates slow from never.

use std::time::Instant;

use wire::Duration;

/// A moment after which nobody waits any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a guest's machine runs by the real clock")]
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    /// The time until then, if there is any.
    #[expect(clippy::disallowed_methods, reason = "a guest's machine runs by the real clock")]
    pub(crate) fn left(self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Lets some time pass, but none beyond the deadline.
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells of the end of a process but asking"
    )]
    pub(crate) fn rest(self, pause: Duration) {
        std::thread::sleep(pause.min(self.left().unwrap_or_default()));
    }
}

/// Lets some time pass.
#[expect(clippy::disallowed_methods, reason = "a guest's machine runs by the real clock")]
pub(crate) fn rest(time: Duration) {
    std::thread::sleep(time);
}
