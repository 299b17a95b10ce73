//! Wrong files, one a way to be wrong, and every word that is said about them.

use proptest::prelude::*;
use wireproof_scenario::{MAX_FILE_BYTES, parse};

const EVERYTHING: &str = include_str!("good/everything.json");

/// The faults, a line each. Every one points into the file.
fn faults(name: &str, file: &[u8]) -> String {
    let faults = parse(file).expect_err(name);
    assert!(!faults.is_empty(), "{name}");
    for fault in &faults {
        assert!(fault.span.start <= fault.span.end && fault.span.end <= file.len(), "{fault:?}");
        assert!(fault.line >= 1 && fault.column >= 1, "{fault:?}");
    }
    assert!(faults.is_sorted_by_key(|fault| fault.span.start), "{name}");
    faults.iter().map(|fault| fault.in_file(name) + "\n").collect()
}

#[test]
fn every_wrong_file_is_told_why() {
    let mut names: Vec<_> =
        std::fs::read_dir("tests/bad").unwrap().map(|f| f.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 50);
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let said = faults(&format!("{name}.json"), &std::fs::read(&path).unwrap());
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_path("snapshots/bad");
        settings.bind(|| insta::assert_snapshot!(name, said));
    }
}

#[test]
fn bytes_that_are_no_utf8_are_counted() {
    let said = faults("f", b"{\n  \"title\": \"\xff\" }");
    assert_eq!(said, "f:2:13: byte 14 (0xff) is not UTF-8 (a scenario is a text in UTF-8)\n");
}

#[test]
fn a_huge_file_is_refused_unread() {
    let file = vec![b'['; MAX_FILE_BYTES + 1];
    let said = faults("f", &file);
    assert!(said.contains("16777217 bytes") && said.contains("16 MiB"), "{said}");
}

#[test]
fn deep_nesting_ends_in_a_fault() {
    let deep = ["[", "{\"a\":"].map(|open| open.repeat(100_000));
    for file in deep {
        let said = faults("f", file.as_bytes());
        assert!(said.contains("more than 64 brackets"), "{said}");
    }
    let quotes = "{\"icmp4\":{\"quote\":".repeat(20) + "{}" + &"}}".repeat(20);
    let said = faults("f", quotes.as_bytes());
    assert!(said.contains("unknown key `icmp4`"), "{said}");
}

#[test]
fn many_faults_are_counted_and_not_shown() {
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    let said = faults("f", format!("{{{}}}", keys.join(",")).as_bytes());
    assert_eq!(said.lines().count(), 51);
    assert!(said.contains("more faults are not shown"), "{said}");
}

#[test]
fn many_values_and_much_filling_are_refused() {
    let list = format!("[{}0]", "0,".repeat(1_000_000));
    assert!(faults("f", list.as_bytes()).contains("more than 1000000 values"));
    let step = r#"{"node":"a","send":{"payload":{"zero":262144}}}"#;
    let steps = vec![step; 300].join(",");
    let file = format!(r#"{{"title":"t","nodes":{{"a":{{"kind":"x"}}}},"steps":[{steps}]}}"#);
    assert!(faults("f", file.as_bytes()).contains("payloads of more than"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(text in r#"[\[\]{}:,"\\u0-9a-f.eE$ \n-]{0,80}"#) {
        let _ = parse(text.as_bytes());
    }

    /// Cuts, doubles or overwrites a piece of a right file: never a panic, and a fault has a place.
    #[test]
    fn a_mutated_file_is_read_or_refused(
        at in 0..EVERYTHING.len(),
        length in 0usize..40,
        put in r#"[\[\]{}:,"\\0-9a-z.$ -]{0,8}|é"#,
    ) {
        let mut file = EVERYTHING.as_bytes().to_vec();
        let end = file.len().min(at + length);
        file.splice(at..end, put.bytes());
        if parse(&file).is_err() {
            faults("mutated", &file);
        }
    }
}
