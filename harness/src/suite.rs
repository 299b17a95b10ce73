//! A folder of scenarios as a test in somebody else's repository.

use std::path::{Path, PathBuf};

use nodes::{Kind, Registry};

use crate::catalog::{self, Root};
use crate::commands::bless::accept_all;
use crate::commands::run::walk_all;
use crate::golden;
use crate::plan::Swap;
use crate::report::text::Hints;
use crate::report::{self, Totals};
use crate::walk::Walk;

/// Set to `1`, a suite accepts what it emits as goldens, as `wireproof bless` does.
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

    /// Runs them. The report is what `wireproof run` prints; true when all holds. With the
    /// environment's `WIREPROOF_BLESS=1` it accepts what they emit, but for what breaks a rule.
    ///
    /// # Errors
    /// When there is no such folder, or no scenario in it.
    pub fn run(&self) -> anyhow::Result<(bool, String)> {
        let items = catalog::select(Some(&Root::at(&self.dir)?), &self.ids)?;
        let (registry, swaps) = (self.registry.clone(), self.swaps.clone());
        let walk = Walk { registry, swaps, ..Walk::standard() };
        let hints = Hints::test();
        if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
            if golden::in_ci() {
                anyhow::bail!("CI is set: goldens are accepted by a person, not with {BLESS}");
            }
            let mut told = String::new();
            let code = accept_all(&walk, items, &hints, &mut told)?;
            return Ok((code == report::EXIT_HOLDS, told));
        }
        let entries = walk_all(&walk, items, None);
        let mut told: String =
            entries.iter().map(|entry| report::text::entry(entry, &hints, false, false)).collect();
        told += &report::text::summary(&entries);
        let told = anstream::adapter::strip_str(&told).to_string();
        Ok((Totals::of(&entries).exit_code() == report::EXIT_HOLDS, told))
    }

    /// Runs them as a test.
    ///
    /// # Panics
    /// With the report when something does not hold, and when nothing can be run.
    pub fn assert(&self) {
        match self.run() {
            Ok((true, _)) => {}
            Ok((false, told)) => panic!("not all scenarios hold\n{told}"),
            Err(error) => panic!("{error:#}"),
        }
    }
}
