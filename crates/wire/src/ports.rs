//! A set of TCP or UDP ports, as options and facts about nodes name it. Knows numbers only.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Ports as inclusive ranges, in order, without overlap: `80`, `1-1024,8080`, `all`, `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<RangeInclusive<u16>>);

/// The text is no set of ports: names the part that is wrong and says what would be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no set of ports: `all`, `none`, or numbers and ranges such as `1-1024,8080`")]
pub struct PortSetError(pub String);

impl PortSet {
    /// No port at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Every port, 0 included.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![0..=u16::MAX])
    }

    /// One port.
    #[must_use]
    pub fn one(port: u16) -> Self {
        Self(vec![port..=port])
    }

    /// Sorted and joined from ranges in any order; an empty range adds nothing.
    #[must_use]
    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        sorted.sort_by_key(|range| (*range.start(), *range.end()));
        let mut joined: Vec<RangeInclusive<u16>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match joined.last_mut() {
                Some(last) if u32::from(*range.start()) <= u32::from(*last.end()) + 1 => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => joined.push(range),
            }
        }
        Self(joined)
    }

    /// The port is in it.
    #[inline]
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }

    /// No port is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every port that is not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut rest = Vec::new();
        let mut next = 0u32;
        for range in &self.0 {
            let start = u32::from(*range.start());
            if next < start {
                rest.push(next as u16..=(start - 1) as u16);
            }
            next = u32::from(*range.end()) + 1;
        }
        if next <= u32::from(u16::MAX) {
            rest.push(next as u16..=u16::MAX);
        }
        Self(rest)
    }

    /// The ports that are in it and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let outside = self.complement().0.into_iter().chain(other.0.iter().cloned());
        Self::from_ranges(outside).complement()
    }

    /// The ranges, in order, without overlap.
    #[must_use]
    pub fn ranges(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }
}

impl FromStr for PortSet {
    type Err = PortSetError;
    fn from_str(text: &str) -> Result<Self, PortSetError> {
        match text.trim() {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let wrong = || PortSetError(part.trim().to_owned());
            let (start, end) = part.split_once('-').unwrap_or((part, part));
            let number = |digits: &str| digits.trim().parse::<u16>().map_err(|_| wrong());
            let (start, end) = (number(start)?, number(end)?);
            if start > end {
                return Err(wrong());
            }
            ranges.push(start..=end);
        }
        Ok(Self::from_ranges(ranges))
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        if *self == Self::all() {
            return f.write_str("all");
        }
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_and_written() {
        for (text, written) in [
            ("80", "80"),
            ("8080, 1-1024", "1-1024,8080"),
            ("1-5,6-9,8", "1-9"),
            ("all", "all"),
            ("0-65535", "all"),
            ("none", "none"),
        ] {
            assert_eq!(text.parse::<PortSet>().unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn wrong_text_names_the_part() {
        for (text, part) in
            [("80,x", "x"), ("9-1", "9-1"), ("65536", "65536"), ("", ""), ("1,,2", "")]
        {
            assert_eq!(text.parse::<PortSet>(), Err(PortSetError(part.into())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn membership_is_that_of_the_ranges(
            pairs in prop::collection::vec((any::<u16>(), any::<u16>()), 0..6),
            others in prop::collection::vec((any::<u16>(), any::<u16>()), 0..3),
            port: u16,
        ) {
            let ranges = || pairs.iter().map(|&(a, b)| a.min(b)..=a.max(b));
            let set = PortSet::from_ranges(ranges());
            prop_assert_eq!(set.contains(port), ranges().any(|range| range.contains(&port)));
            prop_assert_eq!(set.complement().contains(port), !set.contains(port));
            prop_assert_eq!(set.complement().complement(), set.clone());
            let other = PortSet::from_ranges(others.iter().map(|&(a, b)| a.min(b)..=a.max(b)));
            let left = set.contains(port) && !other.contains(port);
            prop_assert_eq!(set.without(&other).contains(port), left);
            prop_assert_eq!(set.to_string().parse::<PortSet>().unwrap(), set);
        }
    }
}
