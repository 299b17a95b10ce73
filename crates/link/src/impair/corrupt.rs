//! Corruption: one bit of what arrives is flipped. Does not look at what the bit means.

use wire::{Chance, LinkChange, LinkConfig};

use super::{ChanceState, Impairment, Kind, Passage};
use crate::error::{LinkEvent, LossReason};
use crate::random::Random;

pub(super) const KIND: Kind = Kind {
    streams: &[1, 5],
    is_off: |config| config.corrupt == Chance::Never,
    make: |streams| {
        Box::new(Corrupt { chance: ChanceState::new(streams.random()), which: streams.random() })
    },
};

#[derive(Debug)]
struct Corrupt {
    chance: ChanceState,
    which: Random,
}

impl Impairment for Corrupt {
    fn set(&mut self, _: &LinkConfig, given: &LinkChange, offered: u64) {
        self.chance.set(given.corrupt.as_ref(), offered);
    }

    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        if self.chance.strikes(passage) && passage.len() > 0 {
            let at = self.which.up_to(passage.len() as u64 * 8 - 1);
            let (offset, bit) = ((at / 8) as u32, (at % 8) as u8);
            passage.bytes()[offset as usize] ^= 1 << bit;
            passage.note(LinkEvent::Corrupted { offset, bit });
        }
        Ok(())
    }
}
