//! A folder of scenarios as a test in somebody else's repository.

use std::path::{Path, PathBuf};

use nodes::{Kind, Registry};

use crate::accept::accept_all;
use crate::catalog::{self, Item, Root};
use crate::fleet::walk_all;
use crate::golden;
use crate::judge::Against;
use crate::outcome::{Entry, Walked};
use crate::plan::Swap;
use crate::report::text::Hints;
use crate::report::{self, Totals};
use crate::walk::Walk;

/// The scenarios whose frames a suite accepts as goldens, as `wireproof bless` does: ids, folders
/// or patterns with a comma between them.
const BLESS: &str = "WIREPROOF_BLESS";

/// A folder that holds `scenarios/` and `golden-pcaps/`, and the kinds of node its files name.
#[derive(Clone, Debug)]
pub struct Suite {
    dir: PathBuf,
    registry: Registry,
    ids: Vec<String>,
    swaps: Vec<Swap>,
}

impl Suite {
    /// The folder, with the standard kinds of node.
    #[must_use]
    pub fn at(dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref().to_owned();
        let Walk { registry, .. } = Walk::standard();
        Self { dir, registry, ids: Vec::new(), swaps: Vec::new() }
    }

    /// The same with a kind of one's own.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.registry.register(kind);
        self
    }

    /// The same with only these scenarios: ids, folders or patterns.
    #[must_use]
    pub fn only(mut self, ids: &[&str]) -> Self {
        self.ids = ids.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    /// The same with another kind in a node's place, `NODE=KIND[,option=value]…`: a reference to
    /// take goldens from, or a second implementation to hold against them.
    ///
    /// # Errors
    /// When the words mean nothing.
    pub fn swap(mut self, words: &str) -> anyhow::Result<Self> {
        self.swaps.push(Swap::parse(words)?);
        Ok(self)
    }

    /// Runs them. The report is what `wireproof run` prints; true when all holds.
    ///
    /// Outside CI it also does what a test of snapshots does. What a review accepted takes its
    /// place first. Frames that differ from their golden and break no rule are left beside it with
    /// their rendering, for `cargo insta review`. With `WIREPROOF_BLESS=ID[,ID…]` in the
    /// environment it accepts what those scenarios emit, and no other's; `*` names all of them.
    ///
    /// # Errors
    /// When there is no such folder, no scenario in it, or a golden's files cannot be written.
    pub fn run(&self) -> anyhow::Result<(bool, String)> {
        let named = std::env::var_os(BLESS).filter(|words| !words.is_empty());
        let named = named.map(|words| words.to_string_lossy().into_owned());
        self.run_as(named.as_deref(), golden::in_ci())
    }

    /// The same with what the environment says: the scenarios to accept, and whether this is CI.
    fn run_as(&self, named: Option<&str>, in_ci: bool) -> anyhow::Result<(bool, String)> {
        let items = catalog::select(Some(&Root::at(&self.dir)?), &self.ids)?;
        let (registry, swaps) = (self.registry.clone(), self.swaps.clone());
        let walk = Walk { registry, swaps, ..Walk::standard() };
        let hints = Hints::test();
        let mut message = String::new();
        if let Some(named) = named {
            if in_ci {
                anyhow::bail!("CI is set: goldens are accepted by a person, not with {BLESS}");
            }
            accept_named(named, &walk, &items, &hints, &mut message)?;
        }
        if !in_ci {
            items.iter().try_for_each(|item| golden::settle(item).map(drop))?;
        }
        let entries = walk_all(&walk, items, None);
        if !in_ci && self.swaps.is_empty() {
            entries.iter().try_for_each(leave_for_review)?;
        }
        message
            .extend(entries.iter().map(|entry| report::text::entry(entry, &hints, false, false)));
        message += &report::text::summary(&entries);
        let message = anstream::adapter::strip_str(&message).to_string();
        Ok((Totals::of(&entries).exit_code() == report::EXIT_HOLDS, message))
    }

    /// Runs them as a test.
    ///
    /// # Panics
    /// With the report when something does not hold, and when nothing can be run.
    pub fn assert(&self) {
        match self.run() {
            Ok((true, _)) => {}
            Ok((false, text)) => panic!("not all scenarios hold\n{text}"),
            Err(error) => panic!("{error:#}"),
        }
    }
}

/// Accepts what the scenarios of these words emit, and says what became of each.
fn accept_named(
    words: &str,
    walk: &Walk,
    items: &[Item],
    hints: &Hints,
    message: &mut String,
) -> anyhow::Result<()> {
    // Several suites of one package are run with one environment: each takes what is its own.
    let is_named =
        |item: &&Item| words.split(',').any(|word| catalog::names(word.trim(), &item.id));
    let named: Vec<Item> = items.iter().filter(is_named).cloned().collect();
    if named.is_empty() {
        *message += &format!("{BLESS}: no scenario here is named `{}`\n", crate::text::line(words));
        return Ok(());
    }
    accept_all(walk, named, hints, message).map(drop)
}

/// Leaves what differs from its golden for a review, unless it could not be accepted.
fn leave_for_review(entry: &Entry) -> anyhow::Result<()> {
    let Walked::Judged(judged) = &entry.walked else { return Ok(()) };
    let differs = match &judged.judgement.against {
        Against::Golden(found) => !found.differences.is_empty(),
        Against::Missing | Against::Torn(_) => true,
        Against::NotCompared(_) => false,
    };
    if !differs || judged.unacceptable().is_some() {
        return Ok(());
    }
    golden::propose(&entry.item, judged.run.as_golden())
}

#[cfg(test)]
mod tests;
