use std::fs;
use std::path::PathBuf;

use super::*;
use crate::catalog::GOLDENS;

/// Two scenarios without goldens, one of which sends to port 80.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["a/one", "b/two"] {
        let path = place.path().join("scenarios").join(name).with_extension("json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let send = r#"{ "node": "s", "send": { "tcp": { "dst": 80, "flags": "S" } } }"#;
        let text = format!(
            r#"{{ "title": "t",
                 "nodes": {{ "s": {{ "kind": "tester" }}, "r": {{ "kind": "reject" }} }},
                 "links": [{{ "ends": ["s", "r"] }}], "steps": [{send}] }}"#
        );
        fs::write(path, text).unwrap();
    }
    place
}

fn golden(place: &tempfile::TempDir, name: &str) -> PathBuf {
    place.path().join(GOLDENS).join(name)
}

#[test]
fn only_what_is_named_is_accepted_and_the_rest_is_left_for_review() {
    let place = place();
    let suite = Suite::at(place.path());
    let (holds, text) = suite.run_as(Some("a/one"), false).unwrap();
    assert!(
        !holds && text.contains("blessed  a/one") && !text.contains("blessed  b/two"),
        "{text}"
    );
    assert!(text.contains("  accept: WIREPROOF_BLESS=b/two cargo test\n"), "{text}");
    assert!(golden(&place, "a/one.pcapng").exists() && !golden(&place, "b/two.pcapng").exists());
    // As insta accepts: one rename, and the frames follow.
    fs::rename(golden(&place, "b/two.snap.new"), golden(&place, "b/two.snap")).unwrap();
    let (holds, text) = suite.run_as(None, false).unwrap();
    assert!(holds, "{text}");
    assert!(
        golden(&place, "b/two.pcapng").exists() && !golden(&place, "b/two.pcapng.new").exists()
    );
    assert!(suite.run_as(None, true).unwrap().0);
}

#[test]
fn in_ci_nothing_is_accepted_and_nothing_is_left() {
    let place = place();
    let suite = Suite::at(place.path());
    assert!(suite.run_as(Some("*"), true).is_err());
    assert!(!suite.run_as(None, true).unwrap().0);
    assert!(!place.path().join(GOLDENS).exists());
    let (_, text) = suite.run_as(Some("1"), false).unwrap();
    assert!(text.contains("no scenario here is named `1`"), "{text}");
    assert!(!golden(&place, "a/one.pcapng").exists());
    assert!(suite.run_as(Some("*"), false).unwrap().0);
}
