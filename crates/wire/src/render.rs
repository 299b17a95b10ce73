//! Frames in words: one line in tcpdump's manner, a tree of every field, a hex dump.
//!
//! The same bytes give the same text on every machine and day; no time, no name, no relative
//! number stands in it. What a header claims wrongly is shown as it is, with a note.

mod arp;
mod carriers;
mod group;
mod icmp;
mod icmp6;
mod line;
mod link;
mod mptcp;
mod names;
mod options;
#[cfg(test)]
mod tests;
mod tree;

use crate::Hex;
use std::fmt::Write;

pub use line::{accepted_line, line};
pub(crate) use tree::meaning;
pub use tree::tree;

/// Bytes as Wireshark shows them: offset, sixteen bytes in hex, and as ASCII.
#[must_use]
pub fn hexdump(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(16) * 73);
    for (row, chunk) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "{:04x} ", row * 16);
        for column in 0..16 {
            let gap = if column == 8 { " " } else { "" };
            let _ = match chunk.get(column) {
                Some(byte) => write!(out, "{gap} {byte:02x}"),
                None => write!(out, "{gap}   "),
            };
        }
        let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
        let text: String = chunk.iter().map(shown).collect();
        let _ = writeln!(out, "  {text}");
    }
    out
}

/// Bytes of a list of free length that are told in one line.
const MAX_BYTES: usize = 64;

/// Bytes in hex, as far as a line takes them.
fn capped_hex(bytes: &[u8]) -> String {
    let mut out = Hex(&bytes[..bytes.len().min(MAX_BYTES)]).to_string();
    if bytes.len() > MAX_BYTES {
        out += &more(bytes.len() - MAX_BYTES);
    }
    out
}

/// Text that a frame carries: whatever is no plain character of ASCII is a point.
fn printable(bytes: &[u8]) -> String {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    let mut out: String = bytes.iter().take(MAX_BYTES).map(shown).collect();
    if bytes.len() > MAX_BYTES {
        out += &more(bytes.len() - MAX_BYTES);
    }
    out
}

/// What a line leaves out.
fn more(number: usize) -> String {
    format!(" … and {number} more")
}

/// `1 source`, `2 sources`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A link address: `02:00:00:00:00:01`.
fn colons(address: &[u8]) -> String {
    let bytes: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
