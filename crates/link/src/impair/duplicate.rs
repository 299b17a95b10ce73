//! Duplication: a second copy, as emitted, arrives right behind the first. It takes no line time.

use wire::{Chance, LinkChange, LinkConfig};

use super::{ChanceState, Impairment, Kind, Passage};
use crate::error::{LinkEvent, LossReason};

pub(super) const KIND: Kind = Kind {
    streams: &[2],
    is_off: |config| config.duplicate == Chance::Never,
    make: |streams| Box::new(Duplicate(ChanceState::new(streams.random()))),
};

#[derive(Debug)]
struct Duplicate(ChanceState);

impl Impairment for Duplicate {
    fn set(&mut self, _: &LinkConfig, given: &LinkChange, offered: u64) {
        self.0.set(given.duplicate.as_ref(), offered);
    }

    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        if self.0.strikes(passage) {
            passage.crossing.duplicates += 1;
            passage.note(LinkEvent::Duplicated);
        }
        Ok(())
    }
}
