//! Loss: the frame does not arrive. Reads no byte of it.

use wire::{Chance, LinkChange, LinkConfig};

use super::{ChanceState, Impairment, Kind, Passage};
use crate::error::LossReason;

pub(super) const KIND: Kind = Kind {
    streams: &[0],
    is_off: |config| config.loss == Chance::Never,
    make: |streams| Box::new(Loss(ChanceState::new(streams.random()))),
};

#[derive(Debug)]
struct Loss(ChanceState);

impl Impairment for Loss {
    fn set(&mut self, _: &LinkConfig, given: &LinkChange, offered: u64) {
        self.0.set(given.loss.as_ref(), offered);
    }

    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        if self.0.strikes(passage) { Err(LossReason::Impairment("loss")) } else { Ok(()) }
    }
}
