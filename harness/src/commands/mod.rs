//! One file a command: from words to an exit code. Each prints what it has to say.

pub mod bite;
pub mod bless;
pub mod captures;
pub mod check;
pub mod doctor;
pub mod explain;
pub mod fmt;
pub mod init;
pub mod inject;
pub mod lists;
pub mod modules;
pub mod run;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::catalog::Root;

/// The root that `--root` names, or the nearest parent; `None` where there is none.
pub(crate) fn root(given: Option<&Path>) -> Result<Option<Root>> {
    match given {
        Some(dir) => Root::at(dir).map(Some),
        None => {
            let here = std::env::current_dir()?;
            let found = Root::find(&here).ok();
            // Paths below the current folder are told as a user would type them.
            Ok(found.map(|root| match root.dir == here {
                true => Root { dir: PathBuf::new() },
                false => root,
            }))
        }
    }
}
