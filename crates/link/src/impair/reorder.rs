//! Reordering: the frame is held back, so that frames behind overtake it. Does not look for one
//! that does.

use wire::{Chance, Duration, LinkChange, LinkConfig};

use super::{ChanceState, Impairment, Kind, Passage};
use crate::error::{LinkEvent, LossReason};

pub(super) const KIND: Kind = Kind {
    streams: &[3],
    is_off: |config| config.reorder == Chance::Never,
    make: |streams| {
        Box::new(Reorder { chance: ChanceState::new(streams.random()), by: Duration::ZERO })
    },
};

#[derive(Debug)]
struct Reorder {
    chance: ChanceState,
    by: Duration,
}

impl Impairment for Reorder {
    fn set(&mut self, config: &LinkConfig, given: &LinkChange, offered: u64) {
        self.chance.set(given.reorder.as_ref(), offered);
        self.by = config.held_back();
    }

    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        if self.chance.strikes(passage) {
            let before = passage.crossing.held_back.unwrap_or_default();
            passage.crossing.held_back = Some(before.saturating_add(self.by));
            passage.note(LinkEvent::Reordered(self.by));
        }
        Ok(())
    }
}
