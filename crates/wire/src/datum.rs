//! A value without a scenario's syntax: what nodes take as options and arguments, and what their
//! applications give. Knows no option and no event.

use std::fmt;

use crate::Hex;

/// A value that a node takes (options, arguments) or gives (events).
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// True or false.
    Bool(bool),
    /// A number; scenario files know no fractions here.
    Num(u64),
    /// Text.
    Text(String),
    /// Bytes, for payloads in events; in options and arguments they come as hex text.
    Bytes(Vec<u8>),
    /// Several values.
    List(Vec<Datum>),
}

/// As a scenario file would write it, without quotes: bytes in hex, a list with commas. A text is
/// shown as it is, whatever it does to a terminal.
impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Num(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => Hex(bytes).fmt(f),
            Self::List(values) => values.iter().enumerate().try_for_each(|(at, value)| {
                let comma = if at > 0 { "," } else { "" };
                write!(f, "{comma}{value}")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_as_a_scenario_writes_it() {
        let bytes = Datum::Bytes(vec![1, 0xff]);
        let list = Datum::List(vec![Datum::Num(7), Datum::Text("a b".into()), bytes]);
        assert_eq!(list.to_string(), "7,a b,01ff");
        assert_eq!(Datum::List(vec![]).to_string(), "");
        assert_eq!(Datum::Bool(true).to_string(), "true");
    }
}
