//! Segments of a capture from elsewhere: only so many are looked back on, what was before is not
//! known, and checksums may be left to an interface.

use wire::{Capture, Deliberate, Duration, FrameId};

use super::{NOBODY, Segments};
use crate::check::PortFacts;
use crate::checksums::Sums;
use crate::context::FrameContext;
use crate::observed::{HORIZON, offload};

/// What came so long before a reset is not what it answers.
const LATELY: Duration = Duration::from_secs(1);

/// How the capture is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// Nothing that matters came before the first frame.
    whole: bool,
    /// Frames were forgotten.
    slid: bool,
}

impl Watch {
    pub(crate) fn new(whole: bool) -> Self {
        Self { whole, slid: false }
    }
}

impl Segments {
    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// The capture is one from elsewhere.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// How many frames back is looked.
    pub(crate) fn reach(&self) -> usize {
        if self.is_watched() { HORIZON } else { usize::MAX }
    }

    /// The first frame that is looked back on.
    #[inline]
    pub(super) fn horizon(&self) -> usize {
        if self.is_watched() { self.entries.len().saturating_sub(HORIZON) } else { 0 }
    }

    /// What a frame answers may have come before all that is known: before the capture began, or
    /// further back than is looked.
    pub(crate) fn begins_lately(&self, capture: &Capture, now: FrameId) -> bool {
        let Some(watch) = self.watch else { return false };
        let first = self.horizon();
        if first == 0 && watch.whole && !watch.slid {
            return false;
        }
        let oldest = capture.record(FrameId(first as u32)).time;
        capture.record(now).time.since(oldest) < LATELY
    }

    /// What holds of a segment's sums when what an interface is still to fill in counts as right.
    #[inline]
    pub(crate) fn lenient(&self, context: &FrameContext<'_>, sums: Sums) -> Sums {
        if (sums.header && sums.upper)
            || self.watch.is_none()
            || context.spares(Deliberate::SEGMENT)
        {
            return sums;
        }
        filled_in(context, sums)
    }

    /// The latest frame was wrong by choice in ways that are not known: whoever passes it on is
    /// not blamed.
    pub(crate) fn spare_latest(&mut self) {
        if let Some(latest) = self.entries.last_mut() {
            latest.spared = Deliberate::EVERYTHING;
        }
    }

    /// Forgets the first frames; those that are left count from 0 again.
    pub(crate) fn forget(&mut self, gone: usize) {
        for segment in self.entries.drain(..gone) {
            if segment.is_owed() {
                let open = segment.copies.saturating_sub(segment.answered);
                self.owed -= u64::from(open);
            }
        }
        self.heads.clear();
        self.chained = 0;
        if let Some(watch) = &mut self.watch {
            watch.slid |= gone > 0;
        }
    }

    /// The frames that are left belong to these ports now.
    pub(crate) fn moved(&mut self, ports: &[u16], facts: &[PortFacts]) {
        for (segment, port) in self.entries.iter_mut().zip(ports) {
            segment.from = *port;
            let peer = facts.get(usize::from(*port)).and_then(|facts| facts.peer);
            segment.to = peer.map_or(NOBODY, |peer| peer.0);
        }
    }
}

#[cold]
fn filled_in(context: &FrameContext<'_>, sums: Sums) -> Sums {
    let layout = context.layout;
    let header = sums.header || offload::is_header_unfilled(layout, context.bytes);
    let upper = sums.upper || offload::is_unfilled(layout, context.bytes);
    Sums { header, upper }
}
