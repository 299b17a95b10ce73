//! Times that a scenario wants judged, in virtual time: what holds to the nanosecond, what is told
//! of what does not, and that nothing of it is ever the machine's fault there.

use crate::support::{FIRST, Place, page};

const WITHIN: &str = "{ \"within\": \"5ms\"";

/// The reset leaves 1 ms after the segment.
fn expecting(time: &str) -> Place {
    Place::changed(WITHIN, &format!("{{ {time}"))
}

#[test]
fn a_time_holds_up_to_its_tolerance() {
    for (time, code) in [
        (r#""after": "1ms", "tolerance": "0s""#, 0),
        (r#""after": "900us", "tolerance": "100us""#, 0),
        (r#""after": "900us", "tolerance": "99999ns""#, 1),
        (r#""after": "900us", "tolerance": { "early": "1s" }"#, 1),
        (r#""after": "1100us", "tolerance": { "early": "100us" }"#, 0),
        (r#""after": "1100us", "tolerance": { "late": "1s", "early": "99us" }"#, 1),
        (r#""within": "900us", "tolerance": "100us""#, 0),
        (r#""within": "900us", "tolerance": "99us""#, 1),
        (r#""within": "2ms", "tolerance": "0s""#, 0),
    ] {
        let place = expecting(time);
        let told = place.run(&["run", FIRST]);
        assert_eq!(told.code, Some(code), "{time}: {}", told.shown());
        assert!(!told.out().contains("inconclusive"), "{time}: {}", told.shown());
    }
}

#[test]
fn a_frame_at_the_wrong_time_is_told_by_how_much() {
    let mut said = String::new();
    for (name, time) in [
        ("late", r#""after": "500us", "tolerance": "200us""#),
        ("early", r#""after": "4ms", "tolerance": { "early": "500us", "late": "1s" }"#),
        ("late and never", r#""skip-others": true, "after": "5ms", "tolerance": "1ms""#),
    ] {
        let mut place = expecting(time);
        if name.ends_with("never") {
            place = expecting(&format!("{time}, \"from\": \"sender\""));
            place.change(", \"from\": \"receiver\"", "");
        }
        let told = place.run(&["run"]).ends_with(1);
        place.run(&["bless", FIRST]).ends_with(1);
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    page("times missed", &said);
}

#[test]
fn times_that_are_kept_are_shown_in_full_reports() {
    let place = expecting(r#""after": "900us", "tolerance": "1ms""#);
    let shown = place.plain(&place.run(&["run", "-v"]).ends_with(0));
    assert!(shown.contains("step 2: late by 100us, allowed 1ms"), "{shown}");
    let json = place.run(&["run", "--format", "json"]).ends_with(0);
    let report: serde_json::Value = serde_json::from_str(json.out()).expect("JSON");
    let scenario = &report["scenarios"][0];
    assert_eq!(scenario["times"][0]["outcome"], "kept");
    assert_eq!(scenario["times"][0]["frame"], 2);
    assert_eq!(scenario["steps"][1]["late_ns"], 0);
}
