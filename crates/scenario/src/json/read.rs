//! From JSON to a [`Scenario`]. Goes on after a fault, so that one reading shows several; the
//! result counts only when there was none.

mod decoder;
mod options;
mod packet;
mod payload;
mod scenario;
mod steps;
mod timing;
mod topology;
mod values;

pub(super) use self::decoder::{Decoder, Object};
use super::tree;
use crate::diagnostic::Diagnostic;
use crate::faults::Faults;
use crate::model::Scenario;
use crate::span::Span;

/// Larger files are refused before they are read.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// Reads a scenario file.
///
/// # Errors
/// All that is wrong with it, in order of place.
pub fn parse(file: &[u8]) -> Result<Scenario, Vec<Diagnostic>> {
    if file.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes", file.len());
        let help = format!("a scenario has at most {MAX_FILE_BYTES} bytes (16 MiB)");
        return Err(vec![Diagnostic::new("", Span::default(), message).help(help)]);
    }
    let text = std::str::from_utf8(file).map_err(|error| {
        let at = error.valid_up_to();
        let before = std::str::from_utf8(&file[..at]).unwrap_or_default();
        let message = format!("byte {at} ({:#04x}) is not UTF-8", file[at]);
        let help = "a scenario is a text in UTF-8";
        vec![Diagnostic::new(before, Span::new(at, at), message).help(help)]
    })?;
    let mut faults = Faults::new(text);
    let json = tree::read(text, &mut faults);
    let scenario = json.and_then(|json| Decoder::new(&mut faults).scenario(&json));
    match scenario {
        Some(scenario) if faults.is_empty() => Ok(scenario),
        _ => Err(faults.finish()),
    }
}
