//! `wireproof bless`.

use std::path::Path;

use anyhow::{Result, bail};
use nodes::Registry;

use crate::catalog::{self, Item};
use crate::cli::{Bless, Wire};
use crate::golden::{self, Settled};
use crate::judge::Against;
use crate::plan::Swap;
use crate::report::text::Hints;
use crate::report::{self, EXIT_CANNOT, EXIT_FINDING, EXIT_HOLDS, Entry};
use crate::text::{self, count, path as line};
use crate::walk::{Judged, Walk, Walked};

/// Accepts what runs emit; returns the exit code. Refuses where a run breaks a rule.
///
/// # Errors
/// In CI, when the words mean nothing, or a golden cannot be written.
pub fn bless(root: Option<&Path>, words: &Bless, registry: Registry) -> Result<u8> {
    if golden::in_ci() {
        bail!("CI is set: goldens are accepted by a person, on a machine of theirs");
    }
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    if words.reviewed {
        return reviewed(&items);
    }
    if words.on == Wire::Nic {
        bail!("a golden is what the nodes of its scenario emit, not a device");
    }
    let swaps = Swap::parse_all(&words.swap)?;
    let walk = Walk { registry, swaps, on: words.on, ..Walk::standard() };
    if words.on == Wire::Veth {
        walk.read_ahead(&items);
        veth::enter()?;
    }
    let hints = Hints::command(root, &words.swap).on(words.on, &[]);
    let mut told = String::new();
    let code = accept_all(&walk, items, &hints, &mut told);
    // What was blessed before a golden could not be written is printed all the same.
    super::print(&told).and(code)
}

/// Carries out what the reviewer decided, and says of what is still open how it is decided.
fn reviewed(items: &[Item]) -> Result<u8> {
    let [mut accepted, mut rejected, mut open] = [0, 0, 0];
    let mut told = String::new();
    for item in items {
        match golden::settle(item)? {
            Settled::Nothing => {}
            Settled::Open => open += 1,
            Settled::Accepted => {
                accepted += 1;
                told += &format!("accepted {}\n", line(&item.golden));
            }
            Settled::Rejected => {
                rejected += 1;
                told += &format!("rejected {}\n", line(&golden::pending_path(item)));
            }
        }
    }
    let accepted = count(accepted, "golden");
    told += &format!("{accepted} accepted in review, {rejected} rejected\n");
    if open > 0 {
        told += &format!("{open} still to be reviewed: cargo insta review\n");
    }
    super::print(&told)?;
    Ok(EXIT_HOLDS)
}

/// Walks each scenario and accepts what it emits where nothing speaks against it; says of each
/// what became of it. Returns the exit code.
///
/// # Errors
/// When a golden cannot be written.
pub(crate) fn accept_all(
    walk: &Walk,
    items: Vec<Item>,
    hints: &Hints,
    told: &mut String,
) -> Result<u8> {
    let mut code = EXIT_HOLDS;
    let several = items.len() > 1;
    let mut judged_any = false;
    for item in items {
        let walked = walk.item(&item);
        let entry = Entry { item, walked };
        if let (Walked::NotRun(_), true) = (&entry.walked, several) {
            *told += &report::text::entry(&entry, hints, false, false);
            continue;
        }
        let Walked::Judged(judged) = &entry.walked else {
            *told += &report::text::entry(&entry, hints, false, false);
            code = EXIT_CANNOT;
            continue;
        };
        judged_any = true;
        if let Some(reason) = judged.unacceptable() {
            *told += &report::text::entry(&entry, hints, false, false);
            *told += &format!("  not blessed: {reason}\n");
            let cut_short = judged.run.broken.is_some();
            code = code.max(if cut_short { EXIT_CANNOT } else { EXIT_FINDING });
            continue;
        }
        *told += &accept(&entry.item, judged)?;
    }
    Ok(if judged_any { code } else { EXIT_CANNOT })
}

/// Writes the golden, unless it is there already.
fn accept(item: &Item, judged: &Judged) -> Result<String> {
    golden::settle(item)?;
    // What a kernel draws at random is new each time, and no news.
    let same = matches!(&judged.judgement.against, Against::Golden(found)
        if found.differences.is_empty() && (found.masked.is_empty() || judged.run.real));
    if same {
        return Ok(format!("same     {}\n", text::line(&item.id)));
    }
    golden::bless(item, judged.run.as_golden())?;
    let frames = count(judged.run.capture.len(), "frame");
    Ok(format!("blessed  {} ({frames}) → {}\n", text::line(&item.id), line(&item.golden)))
}
