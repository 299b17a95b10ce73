//! Frames in words: one line in tcpdump's manner, a tree of every field, a hex dump.
//!
//! The same bytes give the same text on every machine and day; no time, no name, no relative
//! number stands in it. What a header claims wrongly is shown as it is, with a note.

mod icmp;
mod line;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt::Write;

pub use line::line;
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
