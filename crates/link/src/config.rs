//! What a link and a run are told: settings and limits, as plain data. Knows no scenario syntax.

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

/// How often something befalls the frames of one direction of a link.
///
/// Ordinals count the frames emitted into that direction, from 1, since the chance was last set,
/// whatever became of them; a duplicate's second copy is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chance {
    /// It does not happen.
    #[default]
    Never,
    /// It happens to every frame.
    Always,
    /// It happens to so many frames in a million, drawn from the run's seed.
    Rate(u32),
    /// It happens to the frames of these ordinals, in any order; 0 names none.
    Nth(Vec<u64>),
    /// It happens to every frame whose ordinal is a multiple of this; 0 is never.
    Every(u64),
}

/// How one direction of a link treats frames. What becomes of a frame is decided once, when it is
/// emitted; [`Sim`](crate::Sim) says in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// From the last bit leaving to the frame arriving.
    pub delay: Duration,
    /// At most so much more delay, drawn for each frame, both ends included. Never reorders.
    pub jitter: Duration,
    /// Bits a second; `None` sends in no time. Counts the frame's own bytes: no preamble, no FCS,
    /// no gap. Parts of a nanosecond are rounded up.
    pub rate_bps: Option<u64>,
    /// Bytes of an Ethernet payload: a frame's length less 14 and 4 for each VLAN tag, padding
    /// counted. Longer frames are lost.
    pub mtu: Option<u32>,
    /// Frames that may wait for the one being sent; `None` is no limit. A frame that would be one
    /// more is lost. Without a rate no frame ever waits.
    pub queue: Option<u32>,
    /// The frame does not arrive.
    pub loss: Chance,
    /// A second copy, as emitted, arrives right behind at the same time; it takes no line time.
    pub duplicate: Chance,
    /// The frame is held back by `reorder_delay`, so that frames behind overtake it.
    pub reorder: Chance,
    /// One bit of the delivered copy is flipped; the capture keeps the frame as emitted.
    pub corrupt: Chance,
    /// How long a reordered frame is held back; `None` is once more the delay and the jitter, and
    /// a millisecond, so that a frame emitted within delay and a millisecond does overtake it.
    pub reorder_delay: Option<Duration>,
    /// Whether frames pass. Going down is a cut: what is in flight is lost at that moment.
    pub up: bool,
}

impl Default for LinkConfig {
    /// Up, without delay, limits or impairments.
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate_bps: None,
            mtu: None,
            queue: None,
            loss: Chance::Never,
            duplicate: Chance::Never,
            reorder: Chance::Never,
            corrupt: Chance::Never,
            reorder_delay: None,
            up: true,
        }
    }
}

impl LinkConfig {
    /// How long a reordered frame is held back.
    #[must_use]
    pub fn held_back(&self) -> Duration {
        self.reorder_delay.unwrap_or_else(|| {
            self.delay.saturating_add(self.jitter).saturating_add(Duration::from_millis(1))
        })
    }
}

/// New settings for a link from now on. `None` leaves a setting as it is; where the setting itself
/// may be absent, `Some(None)` takes it away. Giving a chance starts its ordinals at 1 again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// See [`LinkConfig::delay`]. A shorter delay lets no frame overtake one already in flight.
    pub delay: Option<Duration>,
    /// See [`LinkConfig::jitter`].
    pub jitter: Option<Duration>,
    /// See [`LinkConfig::rate_bps`]. Holds for frames emitted from now on, not for those waiting.
    pub rate_bps: Option<Option<u64>>,
    /// See [`LinkConfig::mtu`].
    pub mtu: Option<Option<u32>>,
    /// See [`LinkConfig::queue`].
    pub queue: Option<Option<u32>>,
    /// See [`LinkConfig::loss`].
    pub loss: Option<Chance>,
    /// See [`LinkConfig::duplicate`].
    pub duplicate: Option<Chance>,
    /// See [`LinkConfig::reorder`].
    pub reorder: Option<Chance>,
    /// See [`LinkConfig::corrupt`].
    pub corrupt: Option<Chance>,
    /// See [`LinkConfig::reorder_delay`].
    pub reorder_delay: Option<Option<Duration>>,
    /// See [`LinkConfig::up`].
    pub up: Option<bool>,
}

/// One direction of a link, by the order in which its ends were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the first end to the second.
    AToB,
    /// From the second end to the first.
    BToA,
}
