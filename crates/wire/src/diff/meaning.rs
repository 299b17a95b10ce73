//! What a wrong number may mean: the reading that a reviewer would look for first.

use crate::field::{Field, Form, Proto, TCP_FLAG_LETTERS, Value};
use crate::options;
use crate::render::count;
use crate::view::{LaxFrame, LayerView};

/// The same layer of both frames and the field's two values.
pub(super) struct Pair<'a> {
    pub(super) ours: &'a LayerView,
    pub(super) theirs: &'a LayerView,
    pub(super) expected: &'a Value,
    pub(super) actual: &'a Value,
}

/// The most likely reading of a difference, or none.
pub(super) fn of(
    expected: &LaxFrame<'_>,
    actual: &LaxFrame<'_>,
    field: &Field,
    pair: &Pair<'_>,
) -> Option<String> {
    if let (Value::Bytes(a), Value::Bytes(b)) = (pair.expected, pair.actual) {
        return Some(bytes(field, a, b));
    }
    if field.key == "checksum"
        && let Some(text) = checksum(expected, actual, pair)
    {
        return Some(text);
    }
    let (&Value::Num(a), &Value::Num(b)) = (pair.expected, pair.actual) else {
        return elsewhere(expected, field, pair);
    };
    match (field.proto, field.key) {
        (Proto::Tcp, "flags") => Some(flags(a, b)),
        (_, "ttl" | "hop-limit") => Some(hops(a, b)),
        _ if field.form == Form::Bit || field.width < 8 => None,
        _ => swapped(field, a, b)
            .or_else(|| near(field, a, b, 16))
            .or_else(|| elsewhere(expected, field, pair))
            .or_else(|| shifted(field, a, b))
            .or_else(|| near(field, a, b, 65_535)),
    }
}

fn checksum(expected: &LaxFrame<'_>, actual: &LaxFrame<'_>, pair: &Pair<'_>) -> Option<String> {
    let theirs = actual.checksum(pair.theirs)?;
    if !theirs.ok {
        let swap = theirs.stored == theirs.right.swap_bytes();
        let swap = if swap { ", the same bytes in the other order" } else { "" };
        return Some(format!("wrong over these bytes: should be 0x{:04x}{swap}", theirs.right));
    }
    Some(
        match expected.checksum(pair.ours) {
            Some(ours) if !ours.ok => {
                "right over these bytes; the expected one is wrong over its own"
            }
            _ => "right over these bytes: it follows from the other differences",
        }
        .into(),
    )
}

fn flags(a: u64, b: u64) -> String {
    const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
    let names = |bits: u64| -> Vec<&str> {
        (0..TCP_FLAG_LETTERS.len())
            .filter(|bit| bits & 1 << bit != 0)
            .map(|bit| NAMES[bit])
            .collect()
    };
    let (missing, extra) = (names(a & !b), names(b & !a));
    match (missing.is_empty(), extra.is_empty()) {
        (false, true) => format!("missing {}", missing.join(" ")),
        (true, _) => format!("extra {}", extra.join(" ")),
        _ => format!("missing {}, extra {}", missing.join(" "), extra.join(" ")),
    }
}

/// Senders start at 32, 64, 128 or 255, and each router takes one.
fn hops(a: u64, b: u64) -> String {
    let whose = match b {
        255 => " (routers, firewalls, Solaris)",
        128 => " (Windows)",
        64 => " (Linux, BSD, macOS)",
        32 => " (old or embedded stacks)",
        _ if b + 1 == a => return "one hop less: forwarded once".into(),
        _ if b < a => return format!("{} hops less than expected", a - b),
        _ => return format!("{} more than expected", b - a),
    };
    format!("initial TTL {b}{whose}")
}

fn swapped(field: &Field, a: u64, b: u64) -> Option<String> {
    let swap = match field.width {
        16 => u64::from((a as u16).swap_bytes()),
        32 => u64::from((a as u32).swap_bytes()),
        _ => return None,
    };
    (swap == b).then(|| "the expected bytes in the other order".into())
}

/// The distance around the circle of the field's numbers, where it is at most `limit`.
fn near(field: &Field, a: u64, b: u64, limit: i64) -> Option<String> {
    let modulus = 1i64.checked_shl(field.width.into()).filter(|_| field.width < 48)?;
    let ahead = (b as i64 - a as i64).rem_euclid(modulus);
    let distance = if ahead > modulus / 2 { ahead - modulus } else { ahead };
    (distance.abs() <= limit && field.form == Form::Dec).then(|| format!("off by {distance:+}"))
}

/// Another field of the layer of which this value was expected: two of them exchanged, mostly.
fn elsewhere(expected: &LaxFrame<'_>, field: &Field, pair: &Pair<'_>) -> Option<String> {
    let value = pair.actual;
    if *value == Value::Num(0) {
        return Some("zero".into());
    }
    let other = pair.ours.proto.fields().iter().find(|other| {
        other.key != field.key
            && (other.form, other.width) == (field.form, field.width)
            && field.width >= 16
            && expected.read_in(pair.ours, other).as_ref() == Some(value)
    })?;
    Some(format!("the value expected of {}", other.path()))
}

fn shifted(field: &Field, a: u64, b: u64) -> Option<String> {
    if field.key != "window" {
        return None;
    }
    (1..15).find_map(|by| match () {
        () if a >> by == b && b > 0 => Some(format!("the expected value shifted right by {by}")),
        () if a << by == b => Some(format!("the expected value shifted left by {by}")),
        () => None,
    })
}

fn bytes(field: &Field, a: &[u8], b: &[u8]) -> String {
    if field.proto == Proto::Tcp {
        let sorted = |bytes| {
            let mut names: Vec<String> =
                options::decode(bytes).iter().map(ToString::to_string).collect();
            names.sort();
            names
        };
        if sorted(a) == sorted(b) {
            return "the same options in another order".into();
        }
    }
    match b.len() as i64 - a.len() as i64 {
        0 => {
            let differ = a.iter().zip(b).filter(|(a, b)| a != b).count();
            let verb = if differ == 1 { "differs" } else { "differ" };
            format!("{differ} of {} {verb}", count(a.len(), "byte"))
        }
        more @ 1.. => format!("{} longer", count(more as usize, "byte")),
        less => format!("{} shorter", count(less.unsigned_abs() as usize, "byte")),
    }
}
