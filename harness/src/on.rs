//! The wires by name, and how fast frames go in on a real one. Knows words; runs nothing.

use clap::ValueEnum;

/// The wires, a row each: what it is, and its name on the command line and in `not-on`.
macro_rules! wires {
    ($($(#[$about:meta])* $wire:ident = $name:literal,)*) => {
        /// A wire.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
        pub enum On {
            $($(#[$about])* $wire,)*
        }

        impl On {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$wire),*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$wire => $name,)*
                }
            }
        }
    };
}

wires! {
    /// The simulated wire, in virtual time
    #[default]
    Sim = "sim",
    /// Namespaces and veth pairs
    Veth = "veth",
    /// An interface of this host, with the device under test at the other end of its cable
    Nic = "nic",
}

/// How fast a capture is fed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times its own pace.
    Times(f64),
    /// Without waiting.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<f64>()) {
            ("max", _) => Ok(Self::Max),
            (_, Ok(times)) if times.is_finite() && times >= 0.001 => Ok(Self::Times(times)),
            _ => Err("a speed is a number from 0.001 on, or `max`".to_owned()),
        }
    }
}
