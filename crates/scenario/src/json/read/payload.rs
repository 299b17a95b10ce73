//! Payloads: bytes in one of four forms.

use super::decoder::{Decoder, Object};
use crate::json::keys::PAYLOAD;
use crate::json::tree::{Json, Kind};

/// 64 MiB, four times the largest file.
const MAX_FILLED: usize = 64 << 20;

impl Decoder<'_, '_> {
    /// The bytes of a payload, in one of its forms.
    pub(in crate::json) fn payload(&mut self, json: &Json) -> Option<Vec<u8>> {
        if let Kind::Text(_) = json.kind {
            return self.hex(json, "a payload");
        }
        let object = self.object(json, &PAYLOAD)?;
        let forms: Vec<&str> = object.members.iter().map(|member| member.key.as_str()).collect();
        match forms.as_slice() {
            ["hex"] => self.hex(object.get("hex")?, "`hex`"),
            ["text"] => Some(self.text(&object, "text")?.value.into_bytes()),
            ["zero"] => Some(vec![0; self.filler(&object, "zero")?]),
            ["count"] | ["count", "from"] | ["from", "count"] => {
                let count = self.filler(&object, "count")?;
                let from = match object.get("from") {
                    Some(_) => self.whole::<u8>(&object, "from")?.value,
                    None => 0,
                };
                Some((0..count).map(|at| from.wrapping_add(at as u8)).collect())
            }
            _ => {
                let help = "a text in hex, or one of `hex`, `text`, `zero`, `count` (with `from`)";
                self.fault(json.span, "a payload of no form or of several", help);
                None
            }
        }
    }

    /// A count of bytes that the file does not hold itself: their sum has a limit, so that a small
    /// file cannot ask for all memory.
    fn filler(&mut self, object: &Object<'_>, name: &str) -> Option<usize> {
        let count = self.whole::<usize>(object, name)?;
        self.filled += count.value;
        if self.filled > MAX_FILLED {
            let message = format!("payloads of more than {MAX_FILLED} bytes by `zero` and `count`");
            self.fault(count.span, message, "that is the limit of one file");
            return None;
        }
        Some(count.value)
    }
}
