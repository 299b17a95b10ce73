//! The schema against files that the decoder takes and refuses, by a small validator of the
//! keywords that the schema uses; an unknown keyword panics, so that none goes unchecked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wireproof_scenario::{parse, schema};

/// Keywords that say nothing of right or wrong here; patterns are the decoder's tests' matter.
const PASSED_OVER: [&str; 8] =
    ["$schema", "$defs", "title", "description", "examples", "pattern", "format", "minLength"];

fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(always) = schema.as_bool() {
        return always;
    }
    let schema_object = schema.as_object().unwrap();
    schema_object.iter().all(|(keyword, rule)| holds(root, schema, keyword, rule, value))
}

fn holds(root: &Value, schema: &Value, keyword: &str, rule: &Value, value: &Value) -> bool {
    let size = |object: &Value| object.as_object().map_or(0, |object| object.len() as u64);
    let rules = || rule.as_array().unwrap().iter();
    match keyword {
        "$ref" => valid(root, target(root, rule.as_str().unwrap()), value),
        "type" => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "integer" => value.is_u64(),
            "number" => value.is_number(),
            other => panic!("{other}"),
        },
        "anyOf" => rules().any(|rule| valid(root, rule, value)),
        "oneOf" => rules().filter(|rule| valid(root, rule, value)).count() == 1,
        "not" => !valid(root, rule, value),
        "const" => rule == value,
        "enum" => rules().any(|allowed| allowed == value),
        "required" => rules().all(|key| value.get(key.as_str().unwrap()).is_some()),
        "properties" => value.as_object().is_none_or(|object| {
            object
                .iter()
                .all(|(key, value)| rule.get(key).is_none_or(|rule| valid(root, rule, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let known = |key: &str| schema.get("properties").is_some_and(|p| p.get(key).is_some());
            object.iter().all(|(key, value)| known(key) || valid(root, rule, value))
        }),
        "items" => {
            value.as_array().is_none_or(|items| items.iter().all(|item| valid(root, rule, item)))
        }
        "minItems" => value.as_array().is_none_or(|all| all.len() as u64 >= rule.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|all| all.len() as u64 <= rule.as_u64().unwrap()),
        "minProperties" => !value.is_object() || size(value) >= rule.as_u64().unwrap(),
        "maxProperties" => !value.is_object() || size(value) <= rule.as_u64().unwrap(),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        other => PASSED_OVER.contains(&other) || panic!("unknown keyword {other}"),
    }
}

fn target<'a>(root: &'a Value, reference: &str) -> &'a Value {
    let name = reference.strip_prefix("#/$defs/").unwrap();
    root["$defs"].get(name).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(name)) = object.get("$ref") {
                into.insert(name.trim_start_matches("#/$defs/").to_owned());
            }
            object.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

#[test]
fn good_files_are_valid() {
    let schema = schema();
    for file in std::fs::read_dir("tests/good").unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(parse(text.as_bytes()).is_ok(), "{}", path.display());
        let value = serde_json::from_str(&text).unwrap();
        assert!(valid(&schema, &schema, &value), "{}", path.display());
    }
}

#[test]
fn every_definition_is_used_and_every_reference_leads_somewhere() {
    let schema = schema();
    let mut used = BTreeSet::new();
    references(&schema, &mut used);
    let defined: BTreeSet<String> = schema["$defs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, defined);
}

/// Adds an unknown key to every object of a good file in turn: decoder and schema agree on whether
/// it is allowed there.
#[test]
fn schema_and_decoder_refuse_the_same_unknown_keys() {
    let schema = schema();
    let good: Value = serde_json::from_str(include_str!("good/everything.json")).unwrap();
    let mut refused = 0;
    for pointer in objects(&good, String::new()) {
        let mut changed = good.clone();
        let object = changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        object.insert("zzz".into(), json!({ "zzz": 1 }));
        let decoder = parse(changed.to_string().as_bytes()).is_ok();
        assert_eq!(valid(&schema, &schema, &changed), decoder, "{pointer}");
        refused += usize::from(!decoder);
    }
    assert!(refused > 60, "{refused}");
}

/// Takes every key away in turn: decoder and schema agree on whether it was required. Keys that
/// other parts of the file refer to, and values that are one of several forms, are left alone.
#[test]
fn schema_and_decoder_require_the_same_keys() {
    let schema = schema();
    let good: Value = serde_json::from_str(include_str!("good/everything.json")).unwrap();
    let named = ["a", "b", "middle", "left", "right", "isn", "tag", "name", "links", "bind"];
    for pointer in objects(&good, String::new()) {
        let keys = good.pointer(&pointer).unwrap().as_object().unwrap().keys();
        for key in keys.filter(|key| !named.contains(&key.as_str())) {
            let mut changed = good.clone();
            changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(key);
            let faults = parse(changed.to_string().as_bytes()).err();
            let by_schema = valid(&schema, &schema, &changed);
            assert_eq!(by_schema, faults.is_none(), "{pointer} {key}: {faults:?}");
        }
    }
}

/// Puts wrong values in every place in turn: what the schema refuses, the decoder refuses too. (The
/// reverse does not hold: names and the forms of texts are the decoder's to judge.)
#[test]
fn the_decoder_takes_nothing_that_the_schema_refuses() {
    let schema = schema();
    let good: Value = serde_json::from_str(include_str!("good/everything.json")).unwrap();
    let probes =
        [json!(null), json!(-1), json!(1e300), json!("zzz"), json!([]), json!({}), json!(true)];
    let mut refused = 0;
    for pointer in values(&good, String::new()) {
        for probe in &probes {
            let mut changed = good.clone();
            *changed.pointer_mut(&pointer).unwrap() = probe.clone();
            if !valid(&schema, &schema, &changed) {
                refused += 1;
                let faults = parse(changed.to_string().as_bytes()).err();
                assert!(faults.is_some_and(|all| !all.is_empty()), "{pointer} = {probe}");
            }
        }
    }
    assert!(refused > 700, "{refused}");
}

fn values(value: &Value, at: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(all) => all.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    let inner = children.into_iter().flat_map(|(key, value)| {
        values(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")))
    });
    std::iter::once(at.clone()).chain(inner).collect()
}

fn objects(value: &Value, at: String) -> Vec<String> {
    let mut all = Vec::new();
    match value {
        Value::Object(object) => {
            all.push(at.clone());
            for (key, value) in object {
                all.extend(objects(value, format!("{at}/{key}")));
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                all.extend(objects(value, format!("{at}/{index}")));
            }
        }
        _ => {}
    }
    all
}
