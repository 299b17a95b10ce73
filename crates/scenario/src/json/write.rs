//! From a [`Scenario`] to JSON in the canonical form: keys in the order of their tables, one
//! layout, and each value as it was written where it was read, or made from the value where a
//! program made it. Reading what was written gives the same scenario.

mod layout;
mod members;
mod options;
mod packet;
mod piece;
mod scenario;
mod settings;
mod steps;
mod values;
mod was;

use self::was::Was;
use super::tree;
use crate::faults::Faults;
use crate::model::Scenario;

/// The scenario as JSON in the canonical form.
///
/// `text` is the file that it was read from, if it was: a value that still is what stands there
/// keeps its spelling, such as `"0x50"` or `"1.50ms"`.
#[must_use]
pub fn write(scenario: &Scenario, text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    let read = tree::read(text, &mut Faults::new(text));
    let was = Was::of(text, read.as_ref());
    layout::file(&scenario::members(scenario, was))
}
