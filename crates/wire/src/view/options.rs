//! The lists of kind, length and data that IPv4 and TCP share. Knows no kind but 0 and 1.

use std::ops::Range;

/// One option as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawOption {
    /// Its kind byte.
    pub kind: u8,
    /// Where it stands in the list, its kind and length bytes included; to the end of the list
    /// when its length lies.
    pub range: Range<usize>,
    /// The length that it claims when that is less than 2 or more than there is.
    pub lies: Option<usize>,
}

/// The options of a list in order. The end mark (kind 0) is the last one, what stands after it is
/// padding; so is an option whose length lies.
pub fn raw_options(list: &[u8]) -> impl Iterator<Item = RawOption> {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let start = at?;
        let kind = *list.get(start)?;
        let rest = list.len() - start;
        let (length, lies) = match (kind, list.get(start + 1)) {
            (0 | 1, _) => (1, None),
            (_, None) => (rest, Some(2)),
            (_, Some(length)) => match usize::from(*length) {
                length if length < 2 || length > rest => (rest, Some(length)),
                length => (length, None),
            },
        };
        at = (kind != 0 && lies.is_none()).then_some(start + length);
        Some(RawOption { kind, range: start..start + length, lies })
    })
}

/// The options of a list whose end was lost: those that are there as a whole.
pub(crate) fn whole_options(list: &[u8]) -> &[u8] {
    let cut = raw_options(list).find(|option| option.lies.is_some());
    &list[..cut.map_or(list.len(), |option| option.range.start)]
}
