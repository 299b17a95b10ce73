//! The rendering of a capture that a reviewer reads and that decides what a golden is. Knows
//! frames; no file.

use std::fmt::{self, Write};

use wire::Capture;

/// Names are padded to the longest, and to this width at the most: a name is written by anybody.
const WIDEST: usize = 128;

/// A capture in words, with every byte: what a reviewer reads. A line in tcpdump's words, a line
/// a layer with its fields as scenario files call them, then the bytes, which decide.
#[must_use]
pub fn render(capture: &Capture) -> String {
    let mut text = String::new();
    let _ = render_to(capture, &mut text);
    text
}

/// The same frame by frame, for a rendering that is too long to hold.
///
/// # Errors
/// What the writer says.
pub(super) fn render_to(capture: &Capture, out: &mut impl Write) -> fmt::Result {
    let longest = capture.interfaces().iter().map(String::len).max().unwrap_or(0);
    let width = longest.min(WIDEST);
    let mut text = String::new();
    for (id, record, frame) in capture.iter() {
        text.clear();
        let _ = writeln!(
            text,
            "{:>4}  {}  {:width$}  {}",
            id.number(),
            record.time,
            capture.interface(record.port),
            wire::render::accepted_line(frame)
        );
        fields(&mut text, frame);
        rows(frame, &mut text);
        out.write_str(&text)?;
    }
    if capture.is_empty() {
        out.write_str("(no frame)\n")?;
    }
    Ok(())
}

/// A line a layer, so that a review shows which field changed. Payloads are told by their bytes.
fn fields(text: &mut String, frame: &[u8]) {
    let view = wire::view::LaxFrame::as_sent(frame);
    for layer in view.layers().iter().filter(|layer| layer.proto != wire::Proto::Payload) {
        let _ = write!(text, "        {}:", layer.proto.key());
        for field in layer.proto.fields().iter().filter(|field| !field.alias) {
            match view.read_in(layer, field) {
                Some(wire::Value::Bytes(bytes)) if bytes.is_empty() => {}
                Some(value) => {
                    let _ = write!(text, " {} {}", field.key, field.text(&value));
                }
                None => {}
            }
        }
        text.push('\n');
    }
}

/// The bytes in hex, sixteen a row. Of rows that are the same the first and the last stand, and one
/// `*` for those between: the offsets tell how many, so every frame still has a text of its own.
pub(super) fn rows(frame: &[u8], text: &mut String) {
    let row = |number: usize| frame.chunks(16).nth(number);
    let mut starred = false;
    for (number, bytes) in frame.chunks(16).enumerate() {
        let same = |other: Option<usize>| other.and_then(row) == Some(bytes);
        if same(number.checked_sub(1)) && same(Some(number + 1)) {
            if !starred {
                text.push_str("        *\n");
            }
            starred = true;
            continue;
        }
        starred = false;
        let _ = write!(text, "        {:04x} ", number * 16);
        bytes.iter().for_each(|byte| {
            let _ = write!(text, " {byte:02x}");
        });
        text.push('\n');
    }
}
