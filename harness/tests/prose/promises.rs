//! `docs/reliability.md` says which tests a promise rests on: each of them is there.

use std::collections::BTreeSet;

use testing::project;
use wireproof::catalog::files_below;

use crate::{read, spans};

/// A test's name: words of small letters, at least four of them.
fn is_test(span: &str) -> bool {
    let small = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    span.split('_').count() >= 4 && span.split('_').all(small)
}

#[test]
fn every_test_that_a_promise_rests_on_is_there() {
    let page = read("docs/reliability.md");
    let mut missing: BTreeSet<&str> = spans(&page).into_iter().filter(|it| is_test(it)).collect();
    assert!(missing.len() > 10, "the page names its tests: {missing:?}");
    for folder in ["harness/src", "harness/tests", "crates"] {
        for file in files_below(&project().join(folder), "rs").expect("sources") {
            let text = std::fs::read_to_string(&file).expect("a source");
            missing.retain(|name| {
                !text.contains(&format!("fn {name}(")) && !text.contains(&format!("\"{name}\""))
            });
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
