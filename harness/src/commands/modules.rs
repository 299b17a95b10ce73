//! `wireproof modules`: builds the kernel modules for guests, and lists those that are built. The
//! one command that builds anything; the crate `guest` knows where.

use std::fmt::Write as _;

use anyhow::Result;
use guest::{Built, Headers, MODULES, Store};

use crate::cli::{Modules, ModulesCommand};
use crate::report::EXIT_HOLDS;
use crate::streams;
use crate::text::{line, path};

/// Builds or lists; returns the exit code.
///
/// # Errors
/// When there is no safe folder, when what a build takes is missing, or when it fails.
pub fn modules(words: &Modules) -> Result<u8> {
    let store = Store::of_user()?;
    match &words.what {
        ModulesCommand::Build { headers } if headers.is_empty() => {
            build(&store, &Headers::wanted()?)?;
        }
        ModulesCommand::Build { headers } => {
            // A folder that holds none is told before another one takes its time.
            let all: Result<Vec<Headers>, _> = headers.iter().map(|at| Headers::at(at)).collect();
            all?.iter().try_for_each(|headers| build(&store, headers))?;
        }
        ModulesCommand::List => list(&store.all()?)?,
    }
    Ok(EXIT_HOLDS)
}

fn build(store: &Store, headers: &Headers) -> Result<()> {
    let (built, now) = store.build(headers)?;
    let what = if now { "built  " } else { "same   " };
    streams::print(&format!("{what} {}  {}\n", line(&built.release), path(&built.folder)))
}

fn list(all: &[Built]) -> Result<()> {
    if all.is_empty() {
        return streams::print("no kernel modules are built: wireproof modules build\n");
    }
    let mut out = String::new();
    let names = MODULES.map(|(name, _)| name).join(", ");
    for Built { release, compiler, folder, is_present } in all {
        let what = if *is_present { &*names } else { "of another version of wireproof" };
        let (release, compiler) = (line(release), line(compiler));
        let _ = writeln!(out, "{release}  {}\n  {what}\n  {compiler}", path(folder));
    }
    streams::print(&out)
}
