//! The JSON Schema (draft 2020-12) of a scenario file, written from the tables that the reader
//! reads by, so that an editor completes what the reader takes. It is structural: names, bound
//! values and sums are the reader's to judge.

mod defs;
mod parts;

use serde_json::{Map, Value, json};
use wire::Proto;

use self::parts::{described, layer_def, reference, whole};
use crate::json::keys::{Key, Others, SCENARIO, STEPS, Shape, TABLES, Table};

/// The schema of a scenario file.
#[must_use]
pub fn schema() -> Value {
    let mut all = Map::new();
    for table in TABLES.into_iter().chain(STEPS) {
        all.insert(table.def.into(), object(table));
    }
    for proto in Proto::SENDABLE {
        let (layer, pattern) = defs::layer(proto);
        all.extend([(layer_def(proto, ""), layer), (layer_def(proto, "-pattern"), pattern)]);
    }
    all.extend(defs::small().into_iter().map(|(name, def)| (name.to_owned(), def)));
    let mut root = match all.remove(SCENARIO.def) {
        Some(Value::Object(root)) => root,
        _ => Map::new(),
    };
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("A wireproof scenario"));
    root.insert("$defs".into(), Value::Object(all));
    Value::Object(root)
}

/// An object with the keys of a table.
fn object(table: &Table) -> Value {
    let mut properties = Map::new();
    if table.others == Others::Layers {
        let suffix = if table.def == "pattern" { "-pattern" } else { "" };
        for proto in Proto::SENDABLE {
            properties.insert(proto.key().into(), layer_in_packet(proto, suffix));
        }
    }
    for key in table.keys {
        properties.insert(key.name.into(), described(shape(key), key.about));
    }
    let required: Vec<&str> = table.keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    let others = if table.others == Others::Scalars { reference("scalar") } else { json!(false) };
    let mut schema = json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "additionalProperties": others,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if table.def == "packet" || table.def == "link-settings" {
        schema["minProperties"] = json!(1);
    }
    if table.def == "expect-step" {
        let within = json!({ "required": ["within"] });
        let just_then = json!({ "required": ["after", "tolerance"] });
        schema["oneOf"] = json!([within, just_then]);
        schema["not"] = json!({ "required": ["within", "after"] });
    }
    if let Some(choice) = choice(table) {
        schema["oneOf"] = choice;
    }
    if table.key("at").is_some() && table.key("after").is_some() {
        schema["not"] = json!({ "required": ["at", "after"] });
    }
    schema
}

/// Of these tables exactly one key is given, but for a companion that needs its own.
fn choice(table: &Table) -> Option<Value> {
    let companions: &[&str] = match table.def {
        "payload-object" => &["from"],
        "tcp-option-object" => &["data"],
        "user-timeout" => &[],
        _ => return None,
    };
    let one = table.keys.iter().filter(|key| !companions.contains(&key.name));
    Some(one.map(|key| json!({ "required": [key.name] })).collect())
}

fn layer_in_packet(proto: Proto, suffix: &str) -> Value {
    let layer = reference(&layer_def(proto, suffix));
    match proto {
        Proto::Vlan => {
            let about = "One tag, or a list of them from the outside in.";
            let list = json!({ "type": "array", "items": layer });
            json!({ "anyOf": [layer, list], "description": about })
        }
        _ => described(layer, proto.title()),
    }
}

fn shape(key: &Key) -> Value {
    let least = u8::from(key.required);
    match key.shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Whole(least, most) => whole(least, most),
        Shape::Unlimited(least, most) => {
            json!({ "anyOf": [whole(least, most), { "const": "unlimited" }] })
        }
        Shape::Def(def) => reference(def),
        Shape::List(def) => {
            json!({ "type": "array", "items": reference(def), "minItems": least })
        }
        Shape::Map(def) => map(def, least),
        Shape::MapOrScalar(def) => json!({ "anyOf": [map(def, least), reference("scalar")] }),
    }
}

fn map(def: &str, least: u8) -> Value {
    json!({
        "type": "object", "additionalProperties": reference(def), "minProperties": least
    })
}
