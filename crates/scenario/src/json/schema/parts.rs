//! The smallest parts of the schema.

use serde_json::{Value, json};
use wire::Proto;

/// `layer-tcp`, `layer-tcp-pattern`.
pub(super) fn layer_def(proto: Proto, suffix: &str) -> String {
    format!("layer-{}{suffix}", proto.key())
}

pub(super) fn reference(def: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{def}") })
}

/// The same with a description beside it, which draft 2020-12 allows.
pub(super) fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = json!(about);
    schema
}

pub(super) fn whole(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}
