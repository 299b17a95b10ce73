//! Accepting what runs emit as goldens. Knows walks and reports; a command and a suite stand on
//! it.

use anyhow::Result;

use crate::catalog::Item;
use crate::golden;
use crate::judge::{Against, Verdict};
use crate::outcome::{Entry, Judged, Walked};
use crate::report::text::Hints;
use crate::report::{self, EXIT_CANNOT, EXIT_FINDING, EXIT_HOLDS};
use crate::text::{self, count, path as line};
use crate::walk::Walk;

/// Walks each scenario and accepts what it emits where nothing speaks against it; says of each
/// what became of it. Returns the exit code.
///
/// # Errors
/// When a golden cannot be written.
pub(crate) fn accept_all(
    walk: &Walk,
    items: Vec<Item>,
    hints: &Hints,
    message: &mut String,
) -> Result<u8> {
    let mut code = EXIT_HOLDS;
    let several = items.len() > 1;
    let mut judged_any = false;
    for item in items {
        let walked = walk.item(&item);
        let entry = Entry { item, walked };
        if let (Walked::NotRun(_), true) = (&entry.walked, several) {
            *message += &report::text::entry(&entry, hints, false, false);
            continue;
        }
        let Walked::Judged(judged) = &entry.walked else {
            *message += &report::text::entry(&entry, hints, false, false);
            code = EXIT_CANNOT;
            continue;
        };
        judged_any = true;
        if let Some(reason) = judged.unacceptable() {
            *message += &report::text::entry(&entry, hints, false, false);
            *message += &format!("  not blessed: {reason}\n");
            let cut_short = judged.judgement.verdict == Verdict::HarnessError;
            code = code.max(if cut_short { EXIT_CANNOT } else { EXIT_FINDING });
            continue;
        }
        *message += &accept(&entry.item, judged)?;
    }
    Ok(if judged_any { code } else { EXIT_CANNOT })
}

/// Writes the golden, unless it is there already.
fn accept(item: &Item, judged: &Judged) -> Result<String> {
    golden::settle(item)?;
    // What a kernel draws at random is new each time, and no news.
    let same = matches!(&judged.judgement.against, Against::Golden(found)
        if found.differences.is_empty() && (found.masked.is_empty() || judged.run.transcript.real));
    if same {
        return Ok(format!("same     {}\n", text::line(&item.id)));
    }
    golden::bless(item, judged.run.as_golden())?;
    let frames = count(judged.run.transcript.capture.len(), "frame");
    Ok(format!("blessed  {} ({frames}) → {}\n", text::line(&item.id), line(&item.golden)))
}
