//! The reports that machines read: JSON and JUnit.

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::Value;

use crate::support::{FIRST, Place, Told, page};

/// One that holds, one that differs, one that breaks a rule, one that cannot be read.
fn mixed() -> Place {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/first/differs.json", &text);
    place.write("scenarios/rules/broken.json", &text);
    place.run(&["bless", "--all"]).ends_with(0);
    place.write("scenarios/first/differs.json", text.replace("80", "81"));
    let faulty = "\"kind\": \"faulty\", \"fault\": \"tcp-checksum\"";
    place.write("scenarios/rules/broken.json", text.replace("\"kind\": \"reject\"", faulty));
    place.write("scenarios/rules/odd.json", "{ \"title\": 1 }");
    place
}

fn json(told: &Told) -> Value {
    serde_json::from_str(told.out()).unwrap_or_else(|error| panic!("{error}: {}", told.out()))
}

#[test]
fn json_has_the_keys_that_scripts_read() {
    let place = mixed();
    let told = place.run(&["run", "--format", "json"]).ends_with(2);
    let report = json(&told);
    assert_eq!(report["wireproof"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        report["summary"],
        serde_json::json!({ "hold": 1, "fail": 2, "refused": 1, "not_run": 0, "exit_code": 2 })
    );
    let scenarios = report["scenarios"].as_array().expect("scenarios");
    let of = |key: &str| scenarios.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("id"), ["first/differs", FIRST, "rules/broken", "rules/odd"]);
    assert_eq!(of("outcome"), ["fail", "hold", "fail", "refused"]);
    assert_eq!(of("verdict")[..3], ["differs", "identical", "violates MUST"]);
    let field = &scenarios[0]["differences"][0]["fields"][0];
    assert_eq!((&field["field"], &field["expected"]), (&"tcp.dst".into(), &"80".into()));
    assert_eq!((&field["offset"], &field["actual"]), (&36.into(), &"81".into()));
    let frame = &scenarios[1]["frames"][1];
    assert_eq!(frame["emitter"], "receiver:eth0");
    assert_eq!((&frame["number"], &frame["time_ns"]), (&2.into(), &1_000_000.into()));
    assert_eq!(frame["bytes"].as_str().map(str::len), Some(108));
    assert_eq!(scenarios[2]["findings"][0]["check"], "tcp-checksum");
    assert_eq!(scenarios[2]["findings"][0]["frame"], 2);
    assert!(scenarios[3]["reason"].as_str().is_some_and(|why| why.contains("odd.json:1:")));
}

/// The whole form of it: a key that goes or changes its name is seen here.
#[test]
fn json_keeps_its_form() {
    let place = mixed();
    let told = place.run(&["run", "--format", "json", "first", "rules/broken"]).ends_with(1);
    page("report json", told.out());
    let failed = Place::changed("\"ack\": 124", "\"ack\": 125");
    let told = failed.run(&["run", "--format", "json"]).ends_with(1);
    let report = json(&told);
    let failure = &report["scenarios"][0]["failures"][0];
    assert_eq!((&failure["step"], &failure["line"]), (&2.into(), &14.into()));
}

#[test]
fn junit_counts_what_failed_and_what_could_not_be_run() {
    let place = mixed();
    let told = place.run(&["run", "--format", "junit"]).ends_with(2);
    let report = Report::deserialize_from_str(told.out()).expect("JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (4, 2, 1));
    let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["first", "rules"]);
    let failed = |status: &TestCaseStatus| match status {
        TestCaseStatus::NonSuccess { kind, message, description, .. } => {
            let told = description.as_ref().map_or("", |text| text.as_str());
            let message = message.as_ref().map_or("", |text| text.as_str()).to_owned();
            assert!(told.contains("repeat: ") || told.contains("odd.json:1:"), "{told}");
            Some((*kind == NonSuccessKind::Error, message))
        }
        _ => None,
    };
    let cases: Vec<(String, Option<(bool, String)>)> = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| (case.name.as_str().to_owned(), failed(&case.status)))
        .collect();
    let case = |name: &str, error, message: &str| (name.into(), Some((error, message.into())));
    assert_eq!(
        cases,
        [
            case("differs", false, "differs"),
            ("fin-meets-closed-port".into(), None),
            case("broken", false, "violates MUST"),
            case("odd", true, "could not be run"),
        ]
    );
    assert!(!told.out().contains('\u{1b}'));
}

#[test]
fn the_text_of_several_ends_with_a_sum() {
    let place = mixed();
    let told = place.run(&["run"]).ends_with(2);
    let last = told.out().lines().last();
    assert_eq!(last, Some("4 scenarios: 1 holds, 2 do not hold, 1 could not be run"));
}

#[test]
fn what_is_not_run_is_told_with_the_reason() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/first/other.json", text.replace("receiver", "taker"));
    place.run(&["bless", "--all"]).ends_with(0);
    let swap = "taker=reject,ip=10.0.0.2,mac=02:00:00:00:00:02";
    let told = place.run(&["run", "--swap", swap]).ends_with(0);
    page("report not run", &place.plain(&told));
    let report = json(&place.run(&["run", "--swap", swap, "--format", "json"]).ends_with(0));
    assert_eq!(report["summary"]["not_run"], 1);
    let junit = place.run(&["run", "--swap", swap, "--format", "junit"]).ends_with(0);
    let junit = Report::deserialize_from_str(junit.out()).expect("JUnit");
    assert_eq!((junit.tests, junit.failures, junit.errors), (2, 0, 0));
    assert!(
        junit.test_suites[0]
            .test_cases
            .iter()
            .any(|case| matches!(case.status, TestCaseStatus::Skipped { .. }))
    );
}

#[test]
fn junit_repeats_the_whole_command() {
    let place = Place::made();
    let root = place.path("").display().to_string();
    let root = root.trim_end_matches('/');
    let swap = "receiver=sink";
    let words = ["--root", root, "run", "--swap", swap, "--format", "junit"];
    for more in [None, Some("--no-golden")] {
        let words: Vec<&str> = words.into_iter().chain(more).collect();
        let told = place.run(&words).ends_with(1);
        let more = more.map_or_else(String::new, |flag| format!(" {flag}"));
        let repeat = format!("repeat: wireproof --root {root} run {FIRST}{more} --swap {swap} -v");
        assert!(told.out().contains(&repeat), "{}", told.shown());
    }
}
