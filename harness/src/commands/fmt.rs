//! `wireproof fmt`: brings scenario files into the canonical form, or lists those that are not in
//! it. What a file means stays: a file is written only where the new text reads as the old one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::catalog::{self, Item};
use crate::cli::Fmt;
use crate::files::{self, Real, Within};
use crate::outcome::Refusal;
use crate::report::{EXIT_CANNOT, EXIT_FINDING, EXIT_HOLDS, diagnostics};
use crate::streams;
use crate::text::{count, path as line};
use crate::walk;

/// What a file is like.
enum Form {
    /// It is in the canonical form.
    Canonical,
    /// This is its canonical form.
    Other(String),
}

/// Writes the canonical form, or with `--check` lists files that have another one; returns the
/// exit code.
///
/// # Errors
/// When there is no root, or the words match nothing.
pub fn fmt(root: Option<&Path>, words: &Fmt) -> Result<u8> {
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    let (mut out, mut code, mut differ) = (String::new(), EXIT_HOLDS, 0);
    for item in &items {
        let before = files::identity(&item.path);
        let refusal = match form(item) {
            Ok(Form::Canonical) => continue,
            Ok(Form::Other(_)) if words.check => {
                differ += 1;
                let _ = writeln!(out, "not in the canonical form: {}", line(&item.path));
                continue;
            }
            Ok(Form::Other(text)) => match write(item, &text, before) {
                Ok(()) => {
                    differ += 1;
                    let _ = writeln!(out, "formatted {}", line(&item.path));
                    continue;
                }
                Err(error) => Refusal::Other(error),
            },
            Err(refusal) => refusal,
        };
        code = EXIT_CANNOT;
        let _ = writeln!(out, "left as it is: {}", line(&item.path));
        let _ = writeln!(out, "{}", diagnostics::refusal(&item.path, &refusal, false));
    }
    let all = count(items.len(), "scenario");
    let _ = match (words.check, differ) {
        (true, 0) => writeln!(out, "{all} checked"),
        (true, _) => writeln!(out, "{differ} of {all}; `wireproof fmt` writes them"),
        (false, _) => writeln!(out, "{differ} of {all} formatted"),
    };
    streams::print(&crate::text::harmless(&out))?;
    Ok(if words.check && differ > 0 { code.max(EXIT_FINDING) } else { code })
}

/// Reads a file and makes its canonical form.
fn form(item: &Item) -> Result<Form, Refusal> {
    let bytes = walk::read(item).map_err(Refusal::Other)?;
    // A scenario that is read is UTF-8.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let scenario = match scenario::parse(&bytes) {
        Ok(scenario) => scenario,
        Err(faults) => return Err(Refusal::File { text, faults }),
    };
    let new = scenario::write(&scenario, Some(&text));
    if new == text {
        return Ok(Form::Canonical);
    }
    let same = |again: &scenario::Scenario| {
        scenario::write(again, None) == scenario::write(&scenario, None)
    };
    if !scenario::parse(new.as_bytes()).is_ok_and(|again| same(&again)) {
        let error = anyhow::anyhow!("its canonical form reads as another scenario");
        return Err(Refusal::Other(error.context("a fault of wireproof: please report the file")));
    }
    Ok(Form::Other(new))
}

/// Puts the text in the file's place; nothing but a regular file, and none that somebody changed
/// since it was read.
fn write(item: &Item, text: &str, before: Option<files::Identity>) -> Result<()> {
    files::write_own(&Real, &item.path, Within(&item.root), |file| {
        file.write_all(text.as_bytes()).context("its canonical form")?;
        if files::identity(&item.path) != before {
            bail!("somebody else wrote it meanwhile");
        }
        Ok(())
    })
}
