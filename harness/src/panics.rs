//! Panics: what was said, and where. Knows no scenario.
//!
//! A panic of a node is a finding about the node, and the wire sees to it. Any other is a fault of
//! wireproof: it becomes the outcome of the one scenario it happened in, with its words and its
//! place, and the other scenarios are run.

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, PoisonError};

use link::panic_words;

/// The latest panics of all threads, words and place.
static LATEST: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
/// How many of them are kept: more than threads can panic at a time.
const KEPT: usize = 64;

/// Notes the place of each panic from now on, beside what is done with panics already. For a
/// process of our own: the hook is the process's.
pub fn note_places() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        note(info);
        before(info);
    }));
}

fn note(info: &PanicHookInfo<'_>) {
    let Some(place) = info.location() else { return };
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    if latest.len() == KEPT {
        latest.remove(0);
    }
    latest.push((panic_words(info.payload()), format!("{}:{}", place.file(), place.line())));
}

/// Does some work; when it panics, what was said and, where it was noted, the place.
///
/// # Errors
/// When it panics.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let words = panic_words(payload.as_ref());
        let latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        match latest.iter().rev().find(|(said, _)| *said == words) {
            Some((_, place)) => format!("{words} (at {place})"),
            None => words,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_once_places_are_noted() {
        let fails = || {
            caught(|| {
                if KEPT > 0 {
                    panic!("the {}th", 7)
                }
            })
        };
        assert_eq!(fails(), Err("the 7th".to_owned()));
        note_places();
        let text = fails().unwrap_err();
        assert!(text.starts_with("the 7th (at harness/src/panics.rs:"), "{text}");
        assert_eq!(caught(|| 1), Ok(1));
        let silent = caught(|| std::panic::resume_unwind(Box::new(3)));
        assert_eq!(silent, Err::<(), _>("a panic without words".to_owned()));
    }
}
