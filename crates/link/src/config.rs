//! The bounds of a run, and the two directions of a link. The settings of a link are `wire`'s.

use std::time::Duration;

use crate::error::SimError;

/// What a frame counts with at least against [`Limits::bytes`].
pub const LEAST_COUNTED: u64 = 64;

/// The bounds of one run. Each ends the run with its own [`SimError`](crate::SimError); there is
/// no run without them, so that a node that never falls silent costs a known amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Frames captured, since the run began or the capture was last cleared.
    pub frames: u32,
    /// Their bytes. A frame counts with [`LEAST_COUNTED`] bytes at least, since it takes room
    /// however short it is.
    pub bytes: u64,
    /// Deliveries and timeouts handled. What the nodes' applications tell counts too, so that a
    /// node that never stops telling is stopped as well.
    pub steps: u64,
    /// Frames in flight at once, over all links.
    pub queue: usize,
    /// Virtual time since the run began.
    pub duration: Duration,
}

impl Default for Limits {
    /// A million frames, 256 MiB of them, ten million steps, 100,000 frames in flight, one hour.
    fn default() -> Self {
        Self {
            frames: 1_000_000,
            bytes: 256 << 20,
            steps: 10_000_000,
            queue: 100_000,
            duration: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    /// How many frames may be captured, were each as short as counts.
    #[must_use]
    pub fn most_frames(&self) -> usize {
        let by_bytes = usize::try_from(self.bytes / LEAST_COUNTED).unwrap_or(usize::MAX);
        by_bytes.min(self.frames as usize)
    }

    /// Why no frame more than [`Self::most_frames`] may be captured.
    #[must_use]
    pub fn full(&self) -> SimError {
        if self.most_frames() == self.frames as usize {
            SimError::FrameLimit(self.frames)
        } else {
            SimError::ByteLimit(self.bytes)
        }
    }
}

/// One direction of a link, by the order in which its ends were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the first end to the second.
    AToB,
    /// From the second end to the first.
    BToA,
}
