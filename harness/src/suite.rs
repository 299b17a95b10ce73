//! A folder of scenarios as a test in somebody else's repository.

use std::path::{Path, PathBuf};

use nodes::{Kind, Registry};

use crate::catalog::{self, Root};
use crate::commands::run::walk_all;
use crate::report::{self, Totals};
use crate::walk::Walk;

/// A folder that holds `scenarios/` and `golden-pcaps/`, and the kinds of node its files name.
#[derive(Clone, Debug)]
pub struct Suite {
    dir: PathBuf,
    registry: Registry,
    ids: Vec<String>,
}

impl Suite {
    /// The folder, with the standard kinds of node.
    #[must_use]
    pub fn at(dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref().to_owned();
        Self { dir, registry: Registry::standard(), ids: Vec::new() }
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

    /// Runs them. The report is what `wireproof run` prints; true when all holds.
    ///
    /// # Errors
    /// When there is no such folder, or no scenario in it.
    pub fn run(&self) -> anyhow::Result<(bool, String)> {
        let items = catalog::select(Some(&Root::at(&self.dir)?), &self.ids)?;
        let walk = Walk { registry: self.registry.clone(), ..Walk::standard() };
        let entries = walk_all(&walk, items, None);
        let mut told: String =
            entries.iter().map(|entry| report::text::entry(entry, false, false)).collect();
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
