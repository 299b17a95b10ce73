//! Holds one frame against a pattern, and one event against an expected one.

use link::{Datum, Event};
use scenario::{Bindings, ExprError, ResolvedLayer, ResolvedPattern, Scalar};
use wire::TcpOption;
use wire::segment::IpPacket;
use wire::view::LaxFrame;

use crate::plan::ExpectEvent;

/// The shortest frame on a cable, without the FCS (IEEE 802.3 4.2.3.3).
pub(crate) const LEAST_BYTES: usize = 60;

/// What of the pattern the frame does not show, a line each; none when it matches. On a wire that
/// pads, the zeros that make a frame long enough for Ethernet may be there or not.
#[must_use]
pub fn mismatches(pattern: &ResolvedPattern, frame: &[u8], pads: bool) -> Vec<String> {
    let wrong = of_whole(pattern, frame);
    match unpadded(frame).filter(|_| pads && !wrong.is_empty()) {
        Some(short) if of_whole(pattern, short).is_empty() => Vec::new(),
        _ => wrong,
    }
}

/// The frame without the zeros behind what it carries, where those only make it long enough.
fn unpadded(frame: &[u8]) -> Option<&[u8]> {
    if frame.len() > LEAST_BYTES {
        return None;
    }
    let length = match frame.get(12..14)? {
        [0x08, 0x06] => 42,
        _ => frame.len() - IpPacket::parse(frame).ok()?.trailer().len(),
    };
    let padding = frame.get(length..)?;
    padding.iter().all(|byte| *byte == 0).then(|| &frame[..length])
}

fn of_whole(pattern: &ResolvedPattern, frame: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(raw) = &pattern.raw
        && raw != frame
    {
        wrong.extend(wire::diff::diff(raw, frame).iter().map(ToString::to_string));
    }
    length_mismatch(pattern, frame, &mut wrong);
    inside(pattern, frame, &mut wrong);
    wrong
}

fn length_mismatch(pattern: &ResolvedPattern, bytes: &[u8], wrong: &mut Vec<String>) {
    if let Some(length) = pattern.length
        && length != bytes.len()
    {
        wrong.push(format!("length: expected {length} bytes, got {}", bytes.len()));
    }
}

/// Layers and payload.
fn inside(pattern: &ResolvedPattern, frame: &[u8], wrong: &mut Vec<String>) {
    let view = LaxFrame::as_sent(frame);
    for layer in &pattern.layers {
        layer_mismatches(layer, &view, frame, wrong);
    }
    for proto in &pattern.absent {
        if view.find(*proto).is_some() {
            wrong.push(format!("{}: expected no such layer, got one", proto.key()));
        }
    }
    if let Some(expected) = &pattern.payload {
        let actual = view.payload();
        if actual != expected.as_slice() {
            wrong.push(format!("payload: expected {}, got {}", hex(expected), hex(actual)));
        }
    }
}

fn layer_mismatches(
    layer: &ResolvedLayer,
    view: &LaxFrame<'_>,
    frame: &[u8],
    wrong: &mut Vec<String>,
) {
    let name = match layer.occurrence {
        0 => layer.proto.key().to_owned(),
        more => format!("{}#{}", layer.proto.key(), more + 1),
    };
    let Some(found) = view.layer(layer.proto, layer.occurrence) else {
        wrong.push(format!("{name}: expected such a layer, got none"));
        return;
    };
    for (field, expected) in &layer.fields {
        let actual = view.read(field, layer.occurrence);
        if actual.as_ref() != Some(expected) {
            let actual = actual.map_or_else(|| "none".to_owned(), |value| field.text(&value));
            let (key, expected) = (field.key, field.text(expected));
            wrong.push(format!("{name}.{key}: expected {expected}, got {actual}"));
        }
    }
    if let Some(expected) = &layer.tcp_options {
        let bytes = frame.get(found.start + 20..found.end).unwrap_or(&[]);
        let mut actual = wire::options::decode(bytes);
        if !expected.contains(&TcpOption::EndOfList) {
            actual.truncate(actual.len() - padding(&actual));
        }
        let (expected, actual) = (wire::options::text(expected), wire::options::text(&actual));
        if expected != actual {
            wrong.push(format!("{name}.options: expected [{expected}], got [{actual}]"));
        }
    }
    if let Some(quote) = &layer.quote {
        let quoted = frame.get(found.end..found.limit).unwrap_or(&[]);
        let mut lines = Vec::new();
        if let Some(raw) = &quote.raw
            && raw != quoted
        {
            lines.push(format!("expected {}, got {}", hex(raw), hex(quoted)));
        }
        length_mismatch(quote, quoted, &mut lines);
        // A quote begins with an IP header; the views begin with Ethernet.
        let kind: [u8; 2] = if quoted.first().is_some_and(|byte| byte >> 4 == 6) {
            [0x86, 0xdd]
        } else {
            [0x08, 0x00]
        };
        let mut inner = vec![0; 12];
        inner.extend_from_slice(&kind);
        inner.extend_from_slice(quoted);
        inside(quote, &inner, &mut lines);
        wrong.extend(lines.into_iter().map(|line| format!("{name}.quote: {line}")));
    }
}

/// How many of the last options are padding to a whole word: an end of list and zeros behind it,
/// three bytes at most.
fn padding(options: &[TcpOption]) -> usize {
    match options {
        [.., TcpOption::EndOfList] => 1,
        [.., TcpOption::EndOfList, TcpOption::Raw(rest)]
            if rest.len() <= 2 && rest.iter().all(|byte| *byte == 0) =>
        {
            2
        }
        _ => 0,
    }
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".into();
    }
    wire::Hex(bytes).to_string()
}

/// What of the expected event the event does not show, a line each.
///
/// # Errors
/// When a name is not bound.
pub fn event_mismatches(
    wanted: &ExpectEvent,
    bindings: &Bindings,
    event: &Event,
) -> Result<Vec<String>, ExprError> {
    let mut wrong = Vec::new();
    if wanted.kind != event.kind {
        wrong.push(format!("kind: expected {}, got {}", wanted.kind, event.kind));
    }
    for (name, expected) in &wanted.fields {
        let expected = &expected.resolve(bindings)?;
        let actual = event.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if !actual.is_some_and(|actual| same(expected, actual)) {
            let actual = actual
                .map_or_else(|| "none".to_owned(), |value| crate::text::line(&value.to_string()));
            let expected = crate::text::line(&crate::plan::topology::datum(expected).to_string());
            wrong.push(format!("{name}: expected {expected}, got {actual}"));
        }
    }
    Ok(wrong)
}

/// A scenario writes bytes as hex text and addresses as text; numbers and truths are themselves.
fn same(expected: &Scalar, actual: &Datum) -> bool {
    match (expected, actual) {
        (Scalar::Text(text), Datum::Bytes(bytes)) => {
            wire::hex::decode(text).is_ok_and(|expected| expected == *bytes)
        }
        (Scalar::List(expected), Datum::List(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| same(expected, actual))
        }
        _ => crate::plan::topology::datum(expected) == *actual,
    }
}

#[cfg(test)]
mod tests;
