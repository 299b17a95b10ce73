//! The schema's small parts: texts with a form, and the layers from the tables of `wire`.

use serde_json::{Map, Value, json};
use wire::{Field, Form, Proto};

use super::parts::{described, layer_def, reference, whole};
use crate::json::keys::{STEPS, TCP_OPTION_WORDS, layer_extras};
use crate::quantity;

/// A decimal or `0x…` number, or an expression.
const NUMBER: &str = r"^([0-9]+|0x[0-9a-fA-F]+|.*\$.*)$";
const HEX: &str = r"^([0-9a-fA-F]|[\s:-])*$";
const MAC: &str = "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$";
const NAME: &str = r"[^\s:]+";

fn text(pattern: &str, about: &str) -> Value {
    json!({ "type": "string", "pattern": pattern, "description": about })
}

/// All definitions that are no table's and no layer's.
pub(super) fn small() -> Vec<(&'static str, Value)> {
    let mut all = scalars();
    all.extend(names());
    all.extend(packets());
    all
}

fn scalars() -> Vec<(&'static str, Value)> {
    let ordinals = json!({ "type": "array", "items": whole(1, u64::MAX) });
    let form = |key: &str, value: Value| {
        json!({ "type": "object", "properties": { key: value }, "required": [key],
            "additionalProperties": false })
    };
    let nth = form("nth", described(ordinals, "The frames with these ordinals, from 1."));
    let every = form("every", described(whole(1, u64::MAX), "Each n-th frame."));
    let rate = text(quantity::RATE_PATTERN, "A number and a unit, or \"unlimited\".");
    vec![
        ("text", json!({ "type": "string", "minLength": 1 })),
        ("reason", json!({ "type": "string", "minLength": 1, "description": "Why." })),
        ("duration", text(quantity::DURATION_PATTERN, quantity::DURATION)),
        ("rate", json!({ "anyOf": [whole(1, u64::MAX), rate], "description": quantity::RATE })),
        ("tolerance", json!({ "anyOf": [reference("duration"), reference("tolerance-object")] })),
        (
            "chance",
            json!({
                "description": "A chance from 0 to 1 in steps of a millionth, or frames by count.",
                "anyOf": [{ "type": "number", "minimum": 0, "maximum": 1 }, nth, every]
            }),
        ),
        ("mac", text(MAC, "An Ethernet address such as 02:00:00:00:00:01.")),
        ("hex", text(HEX, "Bytes in hex; white space, `:` and `-` are passed over.")),
        ("address", text(r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", "An address: 10.0.0.1/24, fd00::1.")),
        (
            "addresses",
            json!({ "anyOf": [
                reference("address"), { "type": "array", "items": reference("address") }
            ] }),
        ),
        (
            "scalar",
            json!({
                "description": "A text, a number, true, false or a list of them.",
                "anyOf": [
                    { "type": "string" },
                    whole(0, u64::MAX),
                    { "type": "boolean" },
                    { "type": "array", "items": reference("scalar") }
                ]
            }),
        ),
        ("frame-number", described(whole(1, 0xffff_ffff), "A frame's number, from 1.")),
    ]
}

fn names() -> Vec<(&'static str, Value)> {
    let paths: Vec<String> = Proto::SENDABLE
        .into_iter()
        .flat_map(|proto| proto.fields().iter().map(|field| field.path()))
        .collect();
    let later = text(r"^[a-z0-9-]+#[1-9][0-9]*\.[a-z-]+$", "The second layer: vlan#2.id.");
    let args = json!({ "type": "object", "additionalProperties": reference("scalar") });
    vec![
        ("port-ref", text(&format!("^{NAME}(:{NAME})?$"), "`node`, or `node:port`.")),
        (
            "ends",
            json!({
                "type": "array", "items": reference("port-ref"), "minItems": 2, "maxItems": 2
            }),
        ),
        (
            "field-path",
            json!({ "anyOf": [{ "enum": paths }, later], "description": "LAYER.FIELD" }),
        ),
        (
            "field-paths",
            json!({ "anyOf": [
                reference("field-path"),
                { "type": "array", "items": reference("field-path"), "minItems": 1 }
            ] }),
        ),
        (
            "command",
            json!({ "anyOf": [
                { "type": "string", "minLength": 1, "description": "The verb." },
                { "type": "object", "additionalProperties": args, "minProperties": 1,
                    "maxProperties": 1, "description": "{verb: {argument: value}}" }
            ] }),
        ),
        (
            "event",
            json!({ "type": "object", "properties": {
                "kind": { "type": "string", "description": "What was seen: payload, reset …" }
            }, "required": ["kind"], "additionalProperties": reference("scalar") }),
        ),
        (
            "step",
            json!({
                "description": "One thing that happens; its kind is told by which key it has.",
                "anyOf": STEPS.map(|table| reference(table.def))
            }),
        ),
    ]
}

fn packets() -> Vec<(&'static str, Value)> {
    let stacked = |suffix: &str| {
        let layers = Proto::SENDABLE
            .map(|proto| (proto.key().to_owned(), reference(&layer_def(proto, suffix))));
        json!({
            "type": "object", "properties": Map::from_iter(layers),
            "additionalProperties": false, "minProperties": 1, "maxProperties": 1
        })
    };
    let number = text(NUMBER, "A number, or an expression over bound names.");
    let pair = json!({
        "type": "array", "items": reference("number"), "minItems": 2, "maxItems": 2
    });
    let words =
        TCP_OPTION_WORDS.map(|(word, about)| json!({ "const": word, "description": about }));
    let mut options = words.to_vec();
    options.push(reference("tcp-option-object"));
    vec![
        ("layer", stacked("")),
        ("layer-pattern", stacked("-pattern")),
        ("number", json!({ "anyOf": [whole(0, 0xffff_ffff), number] })),
        ("number-pair", described(pair.clone(), "Two numbers: TSval and TSecr.")),
        ("sack-block", described(pair, "Left and right edge.")),
        ("tcp-option", json!({ "anyOf": options })),
    ]
}

/// A layer as it is sent, and as it is expected.
pub(super) fn layer(proto: Proto) -> (Value, Value) {
    if proto == Proto::Payload {
        let forms = [reference("hex"), reference("payload-object")];
        let sent = json!({ "anyOf": forms, "description": "Bytes that no header claims." });
        let expected = json!({
            "anyOf": [reference("hex"), reference("payload-object"), presence()],
            "description": "All of the payload's bytes; {} for any, false for none."
        });
        return (sent, expected);
    }
    let expected = json!({
        "anyOf": [layer_object(proto, "pattern"), presence()],
        "description": proto.title()
    });
    (layer_object(proto, "packet"), expected)
}

/// A layer that must be there, whatever is in it, or must not.
fn presence() -> Value {
    json!({ "anyOf": [
        { "type": "boolean", "description": "true: it must be there; false: it must not." },
        { "type": "null", "description": "It must be there." },
        { "type": "object", "maxProperties": 0, "description": "It must be there." }
    ] })
}

fn layer_object(proto: Proto, quoted: &str) -> Value {
    let mut properties = Map::new();
    for field in proto.fields() {
        properties.insert(field.key.into(), field_value(field));
    }
    for extra in layer_extras(proto) {
        let value = match *extra {
            "quote" => described(reference(quoted), "The packet that an ICMP error quotes."),
            _ => json!({ "type": "string", "description": "A comment." }),
        };
        properties.insert((*extra).into(), value);
    }
    json!({
        "type": "object", "description": proto.title(),
        "properties": properties, "additionalProperties": false
    })
}

fn field_value(field: &Field) -> Value {
    let about = format!("{} ({}): {}.", field.title, field.abbrev, field.wants());
    let number = || whole(0, field.max().unwrap_or(0));
    let numeric = json!({ "type": "string", "pattern": NUMBER });
    let value = match field.form {
        Form::Dec | Form::Hex | Form::Little => json!({ "anyOf": [number(), numeric] }),
        Form::Bit => json!({ "anyOf": [{ "enum": [0, 1] }, { "type": "boolean" }, numeric] }),
        Form::TcpFlags => json!({
            "anyOf": [
                { "type": "string", "pattern": r"^(-|[FSRPAUEWN.]{1,9}|[0-9].*|.*\$.*)$" },
                number()
            ],
            "examples": ["S", "SA", "A", "FA", "R", "RA", "PA", "-"]
        }),
        Form::Mac => reference("mac"),
        Form::Ip4 => json!({ "type": "string", "format": "ipv4" }),
        Form::Ip6 => json!({ "type": "string", "format": "ipv6" }),
        Form::Bytes if field.proto == Proto::Tcp => json!({ "anyOf": [
            { "type": "array", "items": reference("tcp-option") }, reference("hex")
        ] }),
        Form::Bytes => reference("hex"),
    };
    described(value, &about)
}
