//! Reading the options of a node and the arguments of a command: named values that come from a
//! scenario file, where they have types, or from the command line, where all is text. Knows no
//! kind of node.

use std::collections::BTreeMap;
use std::str::FromStr;

use link::{CommandError, Datum};
use wire::PortSet;

/// Why a node cannot be made as configured: a sentence in lower case that names the word that is
/// wrong and what would be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// The option that is wrong, where one is.
    pub option: Option<String>,
    /// The sentence.
    pub message: String,
}

impl ConfigError {
    /// Something is wrong that is no option's fault.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { option: None, message: message.into() }
    }

    /// An option is wrong.
    #[must_use]
    pub fn at(option: &str, message: impl Into<String>) -> Self {
        Self { option: Some(option.to_owned()), message: message.into() }
    }

    /// The same error one level up, where the option stands behind a prefix.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.option = self.option.map(|option| format!("{prefix}{option}"));
        self
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self(error.message)
    }
}

/// Named values, lent. Every accessor gives `None` for a name that was not given, and takes text
/// for any type, as the command line writes it.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a>(pub &'a BTreeMap<String, Datum>);

impl<'a> Options<'a> {
    /// A number that fits the type asked for: decimal, or `0x…` in text.
    ///
    /// # Errors
    /// When it is no number or does not fit.
    pub fn num<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>, ConfigError> {
        let max = u64::MAX >> (64 - 8 * size_of::<T>().clamp(1, 8));
        self.read(name, &format!("a number from 0 to {max}"), |datum| match datum {
            Datum::Num(number) => T::try_from(*number).ok(),
            Datum::Text(text) => T::try_from(number(text)?).ok(),
            _ => None,
        })
    }

    /// True or false.
    ///
    /// # Errors
    /// When it is neither.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, ConfigError> {
        self.read(name, "true or false", |datum| match datum {
            Datum::Bool(value) => Some(*value),
            Datum::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// Text; numbers are no text.
    ///
    /// # Errors
    /// When it is a value of another type.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, ConfigError> {
        self.read(name, "a text", |datum| match datum {
            Datum::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Bytes, written as hex digits.
    ///
    /// # Errors
    /// When a character is no hex digit, or a digit is left over.
    pub fn hex(&self, name: &str) -> Result<Option<Vec<u8>>, ConfigError> {
        let takes = "bytes in hex such as \"01 02 0a\"";
        self.read(name, takes, |datum| match datum {
            Datum::Bytes(bytes) => Some(bytes.clone()),
            Datum::Text(text) => wire::hex::decode(text).ok(),
            _ => None,
        })
    }

    /// Several values: a list, a single value, or text with commas.
    ///
    /// # Errors
    /// Never by itself: any value can be read as a list.
    pub fn list(&self, name: &str) -> Result<Option<Vec<Datum>>, ConfigError> {
        self.read(name, "a list", |datum| match datum {
            Datum::List(values) => Some(values.clone()),
            Datum::Text(text) => {
                Some(text.split(',').map(|part| Datum::Text(part.trim().to_owned())).collect())
            }
            other => Some(vec![other.clone()]),
        })
    }

    /// A set of ports: a number, a text such as `1-1024,8080`, or a list of either.
    ///
    /// # Errors
    /// When a part is no port or range of ports.
    pub fn ports(&self, name: &str) -> Result<Option<PortSet>, ConfigError> {
        let takes = "ports: `all`, `none`, or numbers and ranges such as \"1-1024,8080\"";
        self.read(name, takes, port_set)
    }

    /// What one of the words allowed stands for.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn one_of<T: Copy>(
        &self,
        name: &str,
        allowed: &[(&str, T)],
    ) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.text(name)? else { return Ok(None) };
        let words = || allowed.iter().map(|(word, _)| *word);
        match allowed.iter().find(|(word, _)| *word == given) {
            Some((_, meant)) => Ok(Some(*meant)),
            None => Err(ConfigError::at(name, unknown("value", given, words()))),
        }
    }

    /// A value that its own type reads from text.
    ///
    /// # Errors
    /// When the type refuses the text; the message is the type's own.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let context = |error| ConfigError::at(name, format!("the option `{name}`: {error}"));
        text.parse().map(Some).map_err(context)
    }

    /// The names given that are not allowed: the first as an error with what would be.
    ///
    /// # Errors
    /// When there is one.
    pub fn only(&self, what: &str, allowed: &[&str]) -> Result<(), ConfigError> {
        match self.0.keys().find(|name| !allowed.contains(&name.as_str())) {
            Some(name) => Err(ConfigError::at(name, unknown(what, name, allowed.iter().copied()))),
            None => Ok(()),
        }
    }

    fn read<T>(
        &self,
        name: &str,
        takes: &str,
        read: impl FnOnce(&'a Datum) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(datum) = self.0.get(name) else { return Ok(None) };
        let wrong = || format!("`{datum}` for `{name}`: it takes {takes}");
        read(datum).map(Some).ok_or_else(|| ConfigError::at(name, wrong()))
    }
}

/// The sentence about a word that is not allowed: what would be, and the one that was likely meant.
#[must_use]
pub fn unknown<'a>(what: &str, word: &str, allowed: impl Iterator<Item = &'a str>) -> String {
    let allowed: Vec<&str> = allowed.collect();
    if allowed.is_empty() {
        return format!("unknown {what} `{word}`: none is taken here");
    }
    let near = allowed
        .iter()
        .map(|name| (strsim::osa_distance(word, name), *name))
        .filter(|(away, name)| *away <= 2 && *away < name.chars().count())
        .min();
    let meant = near.map_or(String::new(), |(_, name)| format!("; did you mean `{name}`?"));
    format!("unknown {what} `{word}`: allowed are {}{meant}", allowed.join(", "))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn port_set(datum: &Datum) -> Option<PortSet> {
    match datum {
        Datum::Num(number) => u16::try_from(*number).ok().map(PortSet::one),
        Datum::Text(text) => text.parse().ok(),
        Datum::List(parts) => {
            let sets: Option<Vec<PortSet>> = parts.iter().map(port_set).collect();
            Some(PortSet::from_ranges(sets?.iter().flat_map(|set| set.ranges().to_vec())))
        }
        Datum::Bool(_) | Datum::Bytes(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, Datum)]) -> BTreeMap<String, Datum> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }
    fn text(text: &str) -> Datum {
        Datum::Text(text.into())
    }

    #[test]
    fn text_serves_for_every_type() {
        let given = options(&[
            ("port", text("80")),
            ("seq", text("0x10")),
            ("arp", text("true")),
            ("payload", text("01:02")),
            ("frames", text("1, 3")),
            ("reject", text("1-3,80")),
        ]);
        let read = Options(&given);
        assert_eq!(read.num::<u16>("port"), Ok(Some(80)));
        assert_eq!(read.num::<u32>("seq"), Ok(Some(16)));
        assert_eq!(read.bool("arp"), Ok(Some(true)));
        assert_eq!(read.hex("payload"), Ok(Some(vec![1, 2])));
        assert_eq!(read.list("frames"), Ok(Some(vec![text("1"), text("3")])));
        assert_eq!(read.ports("reject").unwrap().unwrap().to_string(), "1-3,80");
        assert_eq!(read.num::<u16>("absent"), Ok(None));
    }

    #[test]
    fn types_serve_as_they_are() {
        let ports = Datum::List(vec![Datum::Num(80), text("1-3")]);
        let given =
            options(&[("port", Datum::Num(80)), ("nd", Datum::Bool(false)), ("reject", ports)]);
        let read = Options(&given);
        assert_eq!(read.num::<u16>("port"), Ok(Some(80)));
        assert_eq!(read.bool("nd"), Ok(Some(false)));
        assert_eq!(read.ports("reject").unwrap().unwrap().to_string(), "1-3,80");
        assert_eq!(read.list("port"), Ok(Some(vec![Datum::Num(80)])));
    }

    #[test]
    fn an_error_names_the_option_and_what_it_takes() {
        let given = options(&[("port", Datum::Num(65_536)), ("arp", text("yes"))]);
        let error = Options(&given).num::<u16>("port").unwrap_err();
        assert_eq!(error.option.as_deref(), Some("port"));
        assert_eq!(error.message, "`65536` for `port`: it takes a number from 0 to 65535");
        let error = Options(&given).bool("arp").unwrap_err();
        assert_eq!(error.message, "`yes` for `arp`: it takes true or false");
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_is_not() {
        let allowed = || ["port", "behind"].into_iter();
        assert_eq!(
            unknown("option", "prot", allowed()),
            "unknown option `prot`: allowed are port, behind; did you mean `port`?"
        );
        assert_eq!(
            unknown("option", "window", allowed()),
            "unknown option `window`: allowed are port, behind"
        );
    }
}
