//! The driver: a pair of captures a check, one in which it alone bites and one in which none does.

use crate::checks::CHECKS;
use crate::support::Run;
use crate::{fragments, frames, quotes, resets};

/// A check's id, a capture that breaks its rule, and the nearest one that does not.
pub(crate) struct Case(pub(crate) &'static str, pub(crate) fn() -> Run, pub(crate) fn() -> Run);

pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    let all = frames::CASES.iter().chain(resets::CASES);
    all.chain(quotes::CASES).chain(fragments::CASES)
}

#[test]
fn each_check_bites_alone() {
    for Case(id, wrong, _) in cases() {
        assert_eq!(wrong().bites(), [*id], "{:#?}", wrong().judge());
    }
}

#[test]
fn none_bites_on_the_other_side() {
    for Case(id, _, right) in cases() {
        assert!(right().bites().is_empty(), "{id}: {:#?}", right().judge());
    }
}

#[test]
fn each_check_has_a_case_and_each_case_a_check() {
    for check in CHECKS {
        assert!(cases().any(|Case(id, ..)| *id == check.id), "{} has no case", check.id);
    }
    for Case(id, ..) in cases() {
        assert!(CHECKS.iter().any(|check| check.id == *id), "{id} is no check");
    }
}

#[test]
fn findings_say_what_was_expected_and_where() {
    for Case(id, wrong, _) in cases() {
        for finding in wrong().judge() {
            assert!(finding.place().is_some(), "{id}: nowhere");
            let texts = [&finding.message, &finding.expected, &finding.actual];
            assert!(texts.iter().all(|text| !text.is_empty()), "{id}: {finding:?}");
            assert_ne!(finding.expected, finding.actual, "{id}");
        }
    }
}
