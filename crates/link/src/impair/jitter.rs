//! Jitter: the frame takes longer by a time that is drawn for it. The frames behind it wait: jitter
//! alone changes no order.

use wire::{Duration, LinkChange, LinkConfig};

use super::{Impairment, Kind, Passage};
use crate::error::LossReason;
use crate::random::Random;

pub(super) const KIND: Kind = Kind {
    streams: &[4],
    is_off: |config| config.jitter.is_zero(),
    make: |streams| Box::new(Jitter { random: streams.random(), most: 0 }),
};

#[derive(Debug)]
struct Jitter {
    random: Random,
    /// Nanoseconds; none is drawn while it is 0.
    most: u64,
}

impl Impairment for Jitter {
    fn set(&mut self, config: &LinkConfig, _: &LinkChange, _: u64) {
        self.most = u64::try_from(config.jitter.as_nanos()).unwrap_or(u64::MAX);
    }

    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        if self.most > 0 {
            passage.crossing.late += Duration::from_nanos(self.random.up_to(self.most));
        }
        Ok(())
    }
}
