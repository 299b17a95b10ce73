//! What a link does to frames beside carrying them: one file an impairment, and the order in which
//! they are asked. Knows no node, no clock and no queue.
//!
//! An impairment is a row of [`wire::LINK_SETTINGS`], a file here and its line in [`KINDS`]: the
//! reader of scenarios, the schema, the manual and the reports follow from the row.

use std::fmt;

use wire::{Chance, Duration, LinkChange, LinkConfig};

use crate::error::{LinkEvent, LossReason};
use crate::random::Random;

mod corrupt;
mod duplicate;
mod jitter;
mod loss;
mod reorder;

/// Every impairment, in the order in which they decide.
const KINDS: &[Kind] = &[loss::KIND, corrupt::KIND, duplicate::KIND, reorder::KIND, jitter::KIND];

/// One impairment of one direction of a link, with what it remembers.
pub(crate) trait Impairment: fmt::Debug + Send {
    /// Takes the settings of the link: all of them, and those that were given just now, behind so
    /// many frames.
    fn set(&mut self, config: &LinkConfig, given: &LinkChange, offered: u64);

    /// Decides what becomes of a frame.
    ///
    /// # Errors
    /// When the frame does not arrive; no impairment behind is asked.
    fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason>;
}

/// How an impairment is made.
pub(crate) struct Kind {
    /// The numbers of its random streams, used by no other: goldens hang on them.
    streams: &'static [u8],
    /// These settings never ask for it.
    is_off: fn(&LinkConfig) -> bool,
    make: fn(&mut Streams) -> Box<dyn Impairment>,
}

/// The random streams of one impairment, in the order of [`Kind::streams`].
pub(crate) struct Streams {
    seed: u64,
    lane: u16,
    left: std::slice::Iter<'static, u8>,
}

impl Streams {
    /// The next of its streams.
    fn random(&mut self) -> Random {
        let number = self.left.next().expect("as many streams as the kind lists");
        Random::new(self.seed, self.lane, *number)
    }
}

/// A frame on its way through a link: what was emitted, and what impairments make of it.
pub(crate) struct Passage<'a> {
    /// The frame as emitted.
    pub(crate) emitted: &'a [u8],
    /// Which of the frames emitted into this direction it is, from 1.
    pub(crate) ordinal: u64,
    pub(crate) crossing: &'a mut Crossing,
}

/// How a frame crosses that is not lost.
#[derive(Debug, Default)]
pub(crate) struct Crossing {
    /// The bytes that arrive, where they are not those emitted.
    pub(crate) altered: bool,
    pub(crate) bytes: Vec<u8>,
    /// How many more copies arrive, as emitted.
    pub(crate) duplicates: u32,
    /// Arrives so much later than in its turn, and frames behind it in theirs.
    pub(crate) held_back: Option<Duration>,
    /// Takes so much longer, and frames behind it wait.
    pub(crate) late: Duration,
    /// What is worth a note.
    pub(crate) mishaps: Vec<LinkEvent>,
}

impl Crossing {
    /// As of a frame that nothing has befallen.
    pub(crate) fn clear(&mut self) {
        self.altered = false;
        self.duplicates = 0;
        self.held_back = None;
        self.late = Duration::ZERO;
        self.mishaps.clear();
    }
}

impl Passage<'_> {
    /// The bytes that will arrive, to be altered.
    fn bytes(&mut self) -> &mut Vec<u8> {
        let crossing = &mut *self.crossing;
        if !crossing.altered {
            crossing.altered = true;
            crossing.bytes.clear();
            crossing.bytes.extend_from_slice(self.emitted);
        }
        &mut crossing.bytes
    }

    /// How many bytes will arrive.
    fn len(&self) -> usize {
        if self.crossing.altered { self.crossing.bytes.len() } else { self.emitted.len() }
    }

    /// Notes what befell the frame.
    fn note(&mut self, mishap: LinkEvent) {
        self.crossing.mishaps.push(mishap);
    }
}

/// The state of one [`Chance`].
#[derive(Debug)]
pub(crate) struct ChanceState {
    chance: Chance,
    /// Frames emitted before the chance was set.
    since: u64,
    random: Random,
}

impl ChanceState {
    fn new(random: Random) -> Self {
        Self { chance: Chance::Never, since: 0, random }
    }

    /// Takes a chance that is given behind so many frames.
    fn set(&mut self, given: Option<&Chance>, offered: u64) {
        if let Some(chance) = given {
            self.chance.clone_from(chance);
            self.since = offered;
        }
    }

    /// The chance strikes this frame. It is asked once for each that comes so far.
    fn strikes(&mut self, passage: &Passage<'_>) -> bool {
        let ordinal = passage.ordinal - self.since;
        match &self.chance {
            Chance::Never => false,
            Chance::Always => true,
            Chance::Rate(per_million) => self.random.falls(*per_million),
            Chance::Nth(ordinals) => ordinals.contains(&ordinal),
            Chance::Every(n) => *n != 0 && ordinal.is_multiple_of(*n),
        }
    }
}

/// The impairments of one direction of a link. One that was never asked for is not made.
#[derive(Debug)]
pub(crate) struct Impairments {
    seed: u64,
    lane: u16,
    made: [Option<Box<dyn Impairment>>; KINDS.len()],
}

impl Impairments {
    pub(crate) fn new(seed: u64, lane: u16) -> Self {
        Self { seed, lane, made: [const { None }; KINDS.len()] }
    }

    /// Takes the settings of the link, and which of them were given behind so many frames.
    pub(crate) fn set(&mut self, config: &LinkConfig, given: &LinkChange, offered: u64) {
        for (kind, place) in KINDS.iter().zip(&mut self.made) {
            if place.is_none() && (kind.is_off)(config) {
                continue;
            }
            let mut streams =
                Streams { seed: self.seed, lane: self.lane, left: kind.streams.iter() };
            place.get_or_insert_with(|| (kind.make)(&mut streams)).set(config, given, offered);
        }
    }

    /// Decides what becomes of a frame.
    pub(crate) fn fate(&mut self, passage: &mut Passage<'_>) -> Result<(), LossReason> {
        self.made.iter_mut().flatten().try_for_each(|impairment| impairment.fate(passage))
    }
}

#[cfg(test)]
mod tests {
    use wire::LINK_SETTINGS;
    use wire::link_settings::SettingEffect;

    use super::*;

    #[test]
    fn no_two_impairments_share_a_random_stream_and_each_has_what_it_lists() {
        let mut all: Vec<u8> = KINDS.iter().flat_map(|kind| kind.streams).copied().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "{all:?}");
        for kind in KINDS {
            let mut streams = Streams { seed: 1, lane: 0, left: kind.streams.iter() };
            (kind.make)(&mut streams);
            assert_eq!(streams.left.len(), 0, "a stream of {:?} is not used", kind.streams);
        }
    }

    /// A setting that says what becomes of a frame is an impairment's, or one of the line's own.
    #[test]
    fn every_setting_that_decides_a_fate_has_somebody_that_heeds_it() {
        for row in LINK_SETTINGS.iter().filter(|row| row.effect == SettingEffect::Fate) {
            let mut change = LinkChange::default();
            if !(row.set)(&mut change, wire::link_settings::SettingValue::Chance(Chance::Always)) {
                assert!(["mtu", "up"].contains(&row.key), "{}", row.key);
                continue;
            }
            let mut config = LinkConfig::default();
            config.apply(&change);
            let mut impairments = Impairments::new(1, 0);
            impairments.set(&config, &change, 0);
            let mut crossing = Crossing::default();
            let emitted = &[0; 60];
            let mut passage = Passage { emitted, ordinal: 1, crossing: &mut crossing };
            let fate = impairments.fate(&mut passage);
            assert!(fate.is_err() || !crossing.mishaps.is_empty(), "{}", row.key);
        }
    }
}
