//! `wireproof bless`.

use std::path::Path;

use anyhow::{Result, bail};
use nodes::Registry;

use crate::accept::accept_all;
use crate::catalog::{self, Item};
use crate::cli::Bless;
use crate::golden::{self, Settled};
use crate::on::On;
use crate::plan::Swap;
use crate::report::EXIT_HOLDS;
use crate::report::text::Hints;
use crate::streams;
use crate::text::{count, path as line};
use crate::walk::Walk;

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
    if words.on == On::Nic {
        bail!("a golden is what the nodes of its scenario emit, not a device");
    }
    let swaps = Swap::parse_all(&words.swap)?;
    let walk = Walk { registry, swaps, on: words.on, ..Walk::standard() };
    if words.on == On::Veth {
        walk.read_ahead(&items);
        veth::enter()?;
    }
    let hints = Hints::command(root, &words.swap).on(words.on, &[]);
    let mut text = String::new();
    let code = accept_all(&walk, items, &hints, &mut text);
    // What was blessed before a golden could not be written is printed all the same.
    streams::print(&text).and(code)
}

/// Carries out what the reviewer decided, and says of what is still open how it is decided.
fn reviewed(items: &[Item]) -> Result<u8> {
    let [mut accepted, mut rejected, mut open] = [0, 0, 0];
    let mut text = String::new();
    for item in items {
        match golden::settle(item)? {
            Settled::Nothing => {}
            Settled::Open => open += 1,
            Settled::Accepted => {
                accepted += 1;
                text += &format!("accepted {}\n", line(&item.golden));
            }
            Settled::Rejected => {
                rejected += 1;
                text += &format!("rejected {}\n", line(&golden::pending_path(item)));
            }
        }
    }
    let accepted = count(accepted, "golden");
    text += &format!("{accepted} accepted in review, {rejected} rejected\n");
    if open > 0 {
        text += &format!("{open} still to be reviewed: cargo insta review\n");
    }
    streams::print(&text)?;
    Ok(EXIT_HOLDS)
}
