//! Replays the corpora of the fuzz targets on stable, one test a target: what a fuzzer once found
//! stays found, and a target that no longer holds for its own seeds is seen without a fuzzer.

mod seeds;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use targets::{TARGETS, Target};

fn main() -> ExitCode {
    let top = testing::project();
    if std::env::var_os("WIREPROOF_WRITE_SEEDS").is_some() {
        seeds::write(&top);
    }
    let trials = TARGETS.iter().map(|target| {
        let corpus = top.join("fuzz/corpus").join(target.0);
        Trial::test(target.0, move || replay(*target, &corpus))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Runs every file of a corpus; an empty corpus shows nothing and fails.
fn replay((name, run): Target, corpus: &Path) -> Result<(), Failed> {
    let failed = |error: std::io::Error| format!("{}: {error}", corpus.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    files.sort();
    if files.is_empty() {
        return Err(format!("the target {name} has no corpus in {}", corpus.display()).into());
    }
    for file in files {
        let data = std::fs::read(&file).map_err(failed)?;
        if catch_unwind(AssertUnwindSafe(|| run(&data))).is_err() {
            return Err(format!("{} breaks the target {name}", file.display()).into());
        }
    }
    Ok(())
}
