//! Tests that need something of the machine: without it they count as ignored, with the reason,
//! and never as passed. Knows no need.

use guest::Error;
use libtest_mimic::{Completion, Failed, Trial};

/// Why a test ended early.
#[derive(Debug)]
pub enum Stop {
    /// The machine lacks what it needs.
    Ignored(String),
    /// It does not hold.
    Failed(Failed),
}

// Whatever is an error of a test fails it.
impl<E: Into<Failed>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a test gives. One that gives nothing holds unless it panics.
pub trait Outcome {
    /// Whether it ended early, and why.
    ///
    /// # Errors
    /// The test is ignored or does not hold.
    fn outcome(self) -> Result<(), Stop>;
}

impl Outcome for () {
    fn outcome(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl<E: Into<Stop>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), Stop> {
        self.map_err(Into::into)
    }
}

/// The same as libtest-mimic takes it.
fn completion(outcome: impl Outcome) -> Result<Completion, Failed> {
    match outcome.outcome() {
        Ok(()) => Ok(Completion::Completed),
        Err(Stop::Ignored(reason)) => Ok(Completion::ignored_with(reason)),
        Err(Stop::Failed(failed)) => Err(failed),
    }
}

/// A test by its name, which asks by [`need`] for what it needs.
pub fn trial<T: Outcome>(name: &str, test: impl FnOnce() -> T + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || completion(test()))
}

/// A test that runs unless something is known to be missing.
pub fn trial_if<T: Outcome>(
    missing: Option<&String>,
    name: &str,
    test: impl FnOnce() -> T + Send + 'static,
) -> Trial {
    let missing = missing.cloned();
    Trial::ignorable_test(name, move || match missing {
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => completion(test()),
    })
}

/// Ends a test where something is missing: `need(needs::rules_by("nft"))?`.
///
/// # Errors
/// [`Stop::Ignored`] with the reason.
pub fn need(missing: Option<String>) -> Result<(), Stop> {
    missing.map_or(Ok(()), |reason| Err(Stop::Ignored(reason)))
}

/// What a guest gave; where it lacks something the test is ignored.
///
/// # Errors
/// [`Stop::Ignored`] for [`Error::Missing`], and [`Stop::Failed`] for any other.
pub fn found<T>(result: Result<T, Error>) -> Result<T, Stop> {
    result.map_err(|error| match error {
        Error::Missing(what) => Stop::Ignored(what),
        error => error.into(),
    })
}

#[test]
fn what_is_missing_is_ignored_and_what_is_wrong_fails() {
    let ignored =
        |outcome: Result<(), Stop>| matches!(completion(outcome), Ok(Completion::Ignored { .. }));
    assert!(ignored(need(Some("no nft".into()))) && !ignored(need(None)));
    assert!(ignored(found(Err::<(), _>(Error::Missing("no QEMU".into())))));
    assert!(completion(found(Err::<(), _>(Error::Plan("no".into())))).is_err());
    assert!(completion(Err::<(), _>(Failed::from("no"))).is_err() && completion(()).is_ok());
}
