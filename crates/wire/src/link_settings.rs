//! The settings of a link, once: one row each, from which the two structs, the reader of scenario
//! files, their JSON Schema, the manual's table and a report's words are made. Plain values: knows
//! neither how a link treats a frame nor how a file is written.

use crate::time::Duration;

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

impl Chance {
    /// So many frames in a million; none and all need no draw.
    #[must_use]
    pub fn per_million(rate: u32) -> Self {
        match rate {
            0 => Self::Never,
            1_000_000.. => Self::Always,
            _ => Self::Rate(rate),
        }
    }
}

/// The value of a setting, whichever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// A time.
    Time(Duration),
    /// Bits a second, or no limit.
    Rate(Option<u64>),
    /// A number, or no limit.
    Count(Option<u32>),
    /// Which frames something befalls.
    Chance(Chance),
    /// Yes or no.
    Flag(bool),
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingShape {
    /// [`SettingValue::Time`].
    Time,
    /// [`SettingValue::Rate`], never 0.
    Rate,
    /// [`SettingValue::Count`] from the first to the second.
    Count(u32, u32),
    /// [`SettingValue::Chance`].
    Chance,
    /// [`SettingValue::Flag`].
    Flag,
}

/// What a setting does to frames where it is not its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingEffect {
    /// A frame takes time, and nothing else happens to it.
    Time,
    /// A frame may not arrive, or not as or when it was emitted.
    Fate,
    /// Nothing by itself: it says more of another setting.
    Detail,
}

/// One setting of a link: a row of [`LINK_SETTINGS`].
#[derive(Clone, Copy, Debug)]
pub struct LinkSetting {
    /// Its key in a scenario file.
    pub key: &'static str,
    /// What it takes.
    pub shape: SettingShape,
    /// What it does to frames.
    pub effect: SettingEffect,
    /// What holds where it is left out, as a scenario would write it.
    pub left_out: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its value in a change, where it is given.
    pub get: fn(&LinkChange) -> Option<SettingValue>,
    /// Gives it a value; false, and nothing is changed, where the value has another shape.
    pub set: fn(&mut LinkChange, SettingValue) -> bool,
    /// Takes it out of a change.
    pub clear: fn(&mut LinkChange),
    /// It is what holds where it is left out.
    pub is_default: fn(&LinkConfig) -> bool,
}

/// A type that holds a setting.
trait Held: Sized {
    fn value(&self) -> Option<SettingValue>;
    fn from_value(value: SettingValue) -> Option<Self>;
}

macro_rules! held {
    ($($type:ty: $variant:ident;)*) => { $(
        impl Held for $type {
            fn value(&self) -> Option<SettingValue> {
                Some(SettingValue::$variant(self.clone()))
            }
            fn from_value(value: SettingValue) -> Option<Self> {
                match value {
                    SettingValue::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )* };
}

held! {
    Duration: Time;
    Option<u64>: Rate;
    Option<u32>: Count;
    Chance: Chance;
    bool: Flag;
}

/// A time that is computed where it is left out.
impl Held for Option<Duration> {
    fn value(&self) -> Option<SettingValue> {
        self.map(SettingValue::Time)
    }

    fn from_value(value: SettingValue) -> Option<Self> {
        Duration::from_value(value).map(Some)
    }
}

macro_rules! link_settings {
    ($(
        $(#[$doc:meta])*
        $field:ident: $type:ty = $default:expr, $key:literal, $shape:expr, $effect:ident,
        $left_out:literal, $about:literal;
    )*) => {
        /// How one direction of a link treats frames. What becomes of a frame is decided once,
        /// when it is emitted.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct LinkConfig {
            $( $(#[$doc])* pub $field: $type, )*
        }

        impl Default for LinkConfig {
            /// Up, without delay, limits or impairments.
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        /// Settings that are given, for a link as it is laid or from now on. `None` leaves a
        /// setting as it is; where the setting itself may be absent, `Some(None)` takes it away.
        /// To give a chance starts its ordinals at 1 again.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct LinkChange {
            $( #[doc = concat!("See [`LinkConfig::", stringify!($field), "`].")]
               pub $field: Option<$type>, )*
        }

        /// All settings given.
        impl From<&LinkConfig> for LinkChange {
            fn from(config: &LinkConfig) -> Self {
                Self { $( $field: Some(config.$field.clone()), )* }
            }
        }

        impl LinkConfig {
            /// Takes over what is given.
            pub fn apply(&mut self, change: &LinkChange) {
                $( if let Some(value) = &change.$field {
                    self.$field.clone_from(value);
                } )*
            }
        }

        /// Every setting of a link, in the order of the manual.
        pub const LINK_SETTINGS: &[LinkSetting] = &[ $( LinkSetting {
            key: $key,
            shape: $shape,
            effect: SettingEffect::$effect,
            left_out: $left_out,
            about: $about,
            get: |change| change.$field.as_ref()?.value(),
            set: |change, value| {
                let value = <$type>::from_value(value);
                let fits = value.is_some();
                if fits {
                    change.$field = value;
                }
                fits
            },
            clear: |change| change.$field = None,
            is_default: |config| config.$field == $default,
        }, )* ];
    };
}

/// No frame that a scenario writes is longer, and no MTU: four times what IPv4 can say.
pub const MAX_FRAME: u32 = 1 << 18;

link_settings! {
    /// From the last bit leaving to the frame arriving. A shorter delay lets no frame overtake one
    /// already in flight.
    delay: Duration = Duration::ZERO, "delay", SettingShape::Time, Time, "0",
        "From the frame's last bit leaving to its arrival.";
    /// At most so much more delay, drawn for each frame, both ends included. Never reorders.
    jitter: Duration = Duration::ZERO, "jitter", SettingShape::Time, Time, "0",
        "More delay, drawn for each frame from 0 to this.";
    /// Bits a second; `None` sends in no time. Counts the frame's own bytes: no preamble, no FCS,
    /// no gap. Parts of a nanosecond are rounded up. A change holds for frames emitted from then
    /// on, not for those waiting.
    rate_bps: Option<u64> = None, "rate", SettingShape::Rate, Time, "\"unlimited\"",
        "How fast bits leave; counts the frame's own bytes, without preamble, FCS and gap.";
    /// Bytes of an Ethernet payload: a frame's length less 14 and 4 for each VLAN tag, padding
    /// counted. Longer frames are lost.
    mtu: Option<u32> = None, "mtu", SettingShape::Count(1, MAX_FRAME), Fate, "\"unlimited\"",
        "A longer frame is lost. It counts the bytes behind the Ethernet header and its VLAN tags: \
         the IP datagram, and padding.";
    /// Frames that may wait for the one being sent; `None` is no limit. A frame that would be one
    /// more is lost. Without a rate no frame ever waits.
    queue: Option<u32> = None, "queue", SettingShape::Count(0, u32::MAX), Detail,
        "\"unlimited\"",
        "How many frames may wait for the one that is leaving; one more is lost. Without a `rate` \
         none waits.";
    /// The frame does not arrive.
    loss: Chance = Chance::Never, "loss", SettingShape::Chance, Fate, "0",
        "The frame does not arrive.";
    /// A second copy, as emitted, arrives right behind at the same time; it takes no line time.
    duplicate: Chance = Chance::Never, "duplicate", SettingShape::Chance, Fate, "0",
        "A second copy, as emitted, arrives right behind.";
    /// The frame is held back by `reorder_delay`, so that frames behind overtake it.
    reorder: Chance = Chance::Never, "reorder", SettingShape::Chance, Fate, "0",
        "The frame is held back by `reorder-delay`, and frames behind overtake it.";
    /// How long a reordered frame is held back; `None` is once more the delay and the jitter, and
    /// a millisecond, so that a frame emitted within delay and a millisecond does overtake it.
    reorder_delay: Option<Duration> = None, "reorder-delay", SettingShape::Time, Detail,
        "delay + jitter + 1ms",
        "How long it is held back.";
    /// One bit of the delivered copy is flipped; the capture keeps the frame as emitted.
    corrupt: Chance = Chance::Never, "corrupt", SettingShape::Chance, Fate, "0",
        "One bit of what arrives is flipped.";
    /// Whether frames pass. Going down is a cut: what is in flight is lost at that moment.
    up: bool = true, "up", SettingShape::Flag, Fate, "true",
        "Whether it carries anything.";
}

impl LinkConfig {
    /// Nothing is lost, altered, late or out of order.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = |row: &LinkSetting| match row.effect {
            SettingEffect::Time | SettingEffect::Fate => (row.is_default)(self),
            SettingEffect::Detail => true,
        };
        LINK_SETTINGS.iter().all(plain)
    }

    /// How long a reordered frame is held back.
    #[must_use]
    pub fn held_back(&self) -> Duration {
        self.reorder_delay.unwrap_or_else(|| {
            self.delay.saturating_add(self.jitter).saturating_add(Duration::from_millis(1))
        })
    }
}

impl LinkChange {
    /// A link that is laid with these settings does nothing to frames.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let mut config = LinkConfig::default();
        config.apply(self);
        config.is_plain()
    }

    /// The settings that are given, each with its value.
    pub fn given(&self) -> impl Iterator<Item = (&'static LinkSetting, SettingValue)> + '_ {
        LINK_SETTINGS.iter().filter_map(|row| Some((row, (row.get)(self)?)))
    }

    /// A link with these settings takes no time for a frame: its other settings stay.
    pub fn without_time(&mut self) {
        let timed = |row: &&LinkSetting| row.effect == SettingEffect::Time;
        LINK_SETTINGS.iter().filter(timed).for_each(|row| (row.clear)(self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of a shape that is no setting's default.
    fn some(shape: SettingShape) -> SettingValue {
        match shape {
            SettingShape::Time => SettingValue::Time(Duration::from_nanos(7)),
            SettingShape::Rate => SettingValue::Rate(Some(7)),
            SettingShape::Count(least, most) => SettingValue::Count(Some(7.clamp(least, most))),
            SettingShape::Chance => SettingValue::Chance(Chance::Every(7)),
            SettingShape::Flag => SettingValue::Flag(false),
        }
    }

    #[test]
    fn a_value_that_is_set_is_got_back_and_one_of_another_shape_is_refused() {
        for row in LINK_SETTINGS {
            let mut change = LinkChange::default();
            assert_eq!((row.get)(&change), None, "{}", row.key);
            for other in LINK_SETTINGS {
                let (value, before) = (some(other.shape), change.clone());
                let takes = std::mem::discriminant(&some(row.shape));
                if std::mem::discriminant(&value) != takes {
                    assert!(!(row.set)(&mut change, value), "{} {}", row.key, other.key);
                    assert_eq!(change, before);
                }
            }
            assert!((row.set)(&mut change, some(row.shape)), "{}", row.key);
            assert_eq!((row.get)(&change), Some(some(row.shape)), "{}", row.key);
            let given: Vec<&str> = change.given().map(|(row, _)| row.key).collect();
            assert_eq!(given, [row.key]);
            let detail = row.effect == SettingEffect::Detail;
            assert_eq!(change.is_plain(), detail, "{}", row.key);
            let mut config = LinkConfig::default();
            assert!((row.is_default)(&config), "{}", row.key);
            config.apply(&change);
            assert!(!(row.is_default)(&config), "{}", row.key);
            (row.clear)(&mut change);
            assert_eq!(change, LinkChange::default());
        }
    }

    #[test]
    fn keys_are_there_once() {
        for (at, row) in LINK_SETTINGS.iter().enumerate() {
            assert!(LINK_SETTINGS[..at].iter().all(|other| other.key != row.key), "{}", row.key);
        }
    }

    #[test]
    fn only_times_are_taken_out() {
        let mut change = LinkChange {
            delay: Some(Duration::from_nanos(1)),
            jitter: Some(Duration::from_nanos(1)),
            rate_bps: Some(Some(1)),
            loss: Some(Chance::Always),
            ..LinkChange::default()
        };
        change.without_time();
        assert_eq!(change, LinkChange { loss: Some(Chance::Always), ..LinkChange::default() });
    }

    #[test]
    fn a_chance_of_none_or_of_all_needs_no_draw() {
        assert_eq!(Chance::per_million(0), Chance::Never);
        assert_eq!(Chance::per_million(1), Chance::Rate(1));
        assert_eq!(Chance::per_million(999_999), Chance::Rate(999_999));
        assert_eq!(Chance::per_million(1_000_000), Chance::Always);
    }
}
