//! Differences between two captures in words, frame by frame. Knows frames; no scenario.

use std::fmt::Write as _;

use wire::Capture;

use crate::judge::compare::{Comparison, Difference};
use crate::text::{count, line};

/// How many differing frames are told in full; a run that went wrong early differs everywhere.
pub(crate) const MOST_DIFFERENCES: usize = 5;

/// The differences in words, frame by frame; `name` is what the capture was held against.
#[must_use]
pub fn differences(
    found: &Comparison,
    name: &str,
    golden: Option<&Capture>,
    capture: &Capture,
) -> String {
    let mut text = String::new();
    for difference in found.differences.iter().take(MOST_DIFFERENCES) {
        text += &differing(difference, name, golden, capture);
    }
    let more = found.differences.len().saturating_sub(MOST_DIFFERENCES);
    if more > 0 {
        let _ = writeln!(text, "  … and {} more", count(more, "difference"));
    }
    text
}

fn differing(
    difference: &Difference,
    name: &str,
    golden: Option<&Capture>,
    capture: &Capture,
) -> String {
    let of = |id, capture: &Capture| {
        let (who, shown) = (
            line(capture.interface(capture.record(id).port)),
            wire::render::line(capture.frame(id)),
        );
        format!("{who}  {shown}")
    };
    let before = |id| golden.map_or_else(String::new, |golden| of(id, golden));
    match difference {
        Difference::Missing { golden } => {
            let number = golden.number();
            format!("  frame {number} of {name} is missing: {}\n", before(*golden))
        }
        Difference::Extra { frame } => {
            format!("  frame {} is not in {name}: {}\n", frame.number(), of(*frame, capture))
        }
        Difference::Emitter { golden, frame } => format!(
            "  frame {} has another emitter:\n    expected {}\n    got      {}\n",
            frame.number(),
            before(*golden),
            of(*frame, capture)
        ),
        Difference::Bytes { frame, fields, .. } => {
            let mut text = format!("  frame {} differs: {}\n", frame.number(), of(*frame, capture));
            for field in fields {
                let _ = writeln!(text, "    {field}");
            }
            text
        }
        Difference::Early { frame, cause } => format!(
            "  frame {} came before frame {}, which it answers in {name}: {}\n",
            frame.number(),
            cause.number(),
            of(*frame, capture)
        ),
        Difference::Time { frame, expected, actual } => format!(
            "  frame {} has another time: expected {expected}, got {actual}\n",
            frame.number()
        ),
    }
}
