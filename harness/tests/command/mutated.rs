//! Scenario files with a word changed: planned and run, or refused, and never a panic of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use wireproof::catalog::Root;
use wireproof::judge::judge;
use wireproof::outcome::{Entry, Judged, Refusal, Walked};
use wireproof::report::{comments, json, junit, text};
use wireproof::walk::Walk;
use wireproof::{golden, plan, scenario};

use crate::support::project;

/// Values at the edges of what fields, times, sizes and names can be.
const EDGES: [&str; 40] = [
    "0",
    "1",
    "-1",
    "4",
    "15",
    "16",
    "255",
    "256",
    "1500",
    "65535",
    "65536",
    "262144",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "1.5",
    "1e300",
    "true",
    "null",
    "[]",
    "{}",
    "[0]",
    "\"\"",
    "\"-\"",
    "\"0s\"",
    "\"1ns\"",
    "\"9223372036s\"",
    "\"1us\"",
    "\"FSRPAU\"",
    "\"0x10\"",
    "\"$x\"",
    "\"255.255.255.255\"",
    "\"224.0.0.1\"",
    "\"::\"",
    "\"ff:ff:ff:ff:ff:ff\"",
    "\"00\"",
    "{ \"zero\": 70000 }",
    "{ \"every\": 1 }",
    "{ \"nth\": [1] }",
    "\"all\"",
];

/// All places below a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            places(value, &format!("{at}/{key}"), all);
        }),
        Value::Array(values) => values.iter().enumerate().for_each(|(index, value)| {
            places(value, &format!("{at}/{index}"), all);
        }),
        _ => {}
    }
    all.push(at.to_owned());
}

#[derive(Clone, Debug)]
enum Change {
    Edge(Index),
    Other(Index),
    Remove,
    Twice,
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let what = prop_oneof![
        4 => any::<Index>().prop_map(Change::Edge),
        3 => any::<Index>().prop_map(Change::Other),
        1 => Just(Change::Remove),
        1 => Just(Change::Twice),
    ];
    (any::<Index>(), what)
}

fn changed(scenario: &mut Value, (place, change): &(Index, Change)) {
    let mut all = Vec::new();
    places(scenario, "", &mut all);
    let at = all[place.index(all.len())].clone();
    let parent = at.rsplit_once('/').map(|(parent, last)| (parent.to_owned(), last.to_owned()));
    match change {
        Change::Edge(edge) => {
            let edge = serde_json::from_str(EDGES[edge.index(EDGES.len())]).expect("JSON");
            *scenario.pointer_mut(&at).expect("a place") = edge;
        }
        Change::Other(other) => {
            let other = scenario.pointer(&all[other.index(all.len())]).expect("a place").clone();
            *scenario.pointer_mut(&at).expect("a place") = other;
        }
        Change::Remove | Change::Twice => {
            let Some((parent, last)) = parent else { return };
            let twice = matches!(change, Change::Twice);
            match scenario.pointer_mut(&parent) {
                Some(Value::Object(map)) if !twice => drop(map.remove(&last)),
                Some(Value::Array(values)) => {
                    let at: usize = last.parse().expect("a number");
                    if twice {
                        values.insert(at, values[at].clone());
                    } else {
                        values.remove(at);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The whole walk and every form of report.
fn walk(walk: &Walk, entry: &mut Entry, text: &str) {
    let judged = scenario::parse(text.as_bytes())
        .and_then(|scenario| plan::plan(&scenario, text, &walk.registry, &[]))
        .map_err(|faults| Refusal::File { text: text.to_owned(), faults })
        .and_then(|plan| walk.run(&plan).map(|run| (plan, run)).map_err(Refusal::Other))
        .map(|(plan, run)| {
            let judgement =
                judge(&plan, &run, golden::read(&entry.item).map_err(|e| e.to_string()));
            Judged { plan, run, judgement }
        });
    entry.walked = match judged {
        Ok(judged) => {
            let faults = &judged.run.transcript.faults;
            assert!(faults.is_empty(), "a node panics: {faults:?}");
            golden::encode(&judged.run.transcript.capture).expect("a golden");
            assert!(comments::comments(&judged).len() <= judged.run.transcript.capture.len());
            Walked::Judged(Box::new(judged))
        }
        Err(refusal) => Walked::Refused(refusal),
    };
    assert!(text::entry(entry, &text::Hints::test(), true, true).contains(&entry.item.id));
    json::document(std::slice::from_ref(entry)).expect("JSON");
    junit::document(std::slice::from_ref(entry), &text::Hints::test()).expect("XML");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_scenario_is_run_or_refused(
        which: Index,
        changes in proptest::collection::vec(change(), 1..4),
    ) {
        let mut items = Root::at(&project()).and_then(|root| root.items()).expect("scenarios");
        let item = items.swap_remove(which.index(items.len()));
        let text = std::fs::read(&item.path).expect("a scenario");
        let mut scenario: Value = serde_json::from_slice(&text).expect("JSON");
        for change in &changes {
            changed(&mut scenario, change);
        }
        let text = serde_json::to_string_pretty(&scenario).expect("JSON");
        let mut entry = Entry { item, walked: Walked::NotRun(String::new()) };
        let done = catch_unwind(AssertUnwindSafe(|| walk(&Walk::standard(), &mut entry, &text)));
        prop_assert!(done.is_ok(), "{text}");
    }
}
