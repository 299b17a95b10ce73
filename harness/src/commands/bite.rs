//! `wireproof bite`: whether each scenario's expectations object to every change of its frames.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use nodes::Registry;

use crate::bite::{self, Bitten};
use crate::catalog::{self, Item};
use crate::cli::Bite;
use crate::fleet::each;
use crate::golden::{self, State};
use crate::outcome::Walked;
use crate::report::{EXIT_CANNOT, EXIT_FINDING, EXIT_HOLDS, diagnostics};
use crate::run::{self, Transcript};
use crate::streams;
use crate::text::count;
use crate::walk::Walk;

/// How one scenario ended.
enum Ended {
    Bitten(Bitten),
    /// The reason why its changes say nothing.
    Not(String),
    Refused(String),
}

/// Bites scenarios; returns the exit code.
///
/// # Errors
/// When the words mean nothing, or standard output cannot be written.
pub fn bite(root: Option<&Path>, words: &Bite, registry: Registry) -> Result<u8> {
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    let walk = Walk { registry, guests: false, ..Walk::standard() };
    let ended = each(&items, words.jobs, |item| one(&walk, item));
    let mut out = String::new();
    let (mut changes, mut asserted, mut masked, mut code) = (0, 0, 0, EXIT_HOLDS);
    for (item, ended) in items.iter().zip(&ended) {
        match ended {
            Ended::Bitten(bitten) => {
                changes += bitten.changes;
                asserted += bitten.asserted;
                masked += bitten.masked.values().sum::<usize>();
                if !bitten.survivors.is_empty() {
                    code = code.max(EXIT_FINDING);
                }
                out += &scenario(item, bitten, words.verbose);
            }
            Ended::Not(reason) => {
                let _ = writeln!(out, "skip {}: not bitten: {reason}", item.id);
            }
            Ended::Refused(shown) => {
                code = EXIT_CANNOT;
                let _ = writeln!(out, "FAIL {}: could not be run\n{shown}", item.id);
            }
        }
    }
    let _ = writeln!(
        out,
        "{}: {changes} changes, {masked} of them under a mask; {asserted} changes to fields that \
         a step asserts",
        count(items.len(), "scenario")
    );
    streams::say(anstream::stdout().lock(), crate::text::harmless(&out).as_bytes())?;
    Ok(code)
}

fn scenario(item: &Item, bitten: &Bitten, verbose: bool) -> String {
    let mut text = String::new();
    let word = if bitten.survivors.is_empty() { "ok  " } else { "FAIL" };
    if verbose || !bitten.survivors.is_empty() {
        let changes = count(bitten.changes + bitten.asserted, "change");
        let _ = writeln!(text, "{word} {}: {changes}", item.id);
    }
    for (reason, number) in bitten.masked.iter().filter(|_| verbose) {
        let _ = writeln!(text, "  {number} under the mask: {reason}");
    }
    for survivor in &bitten.survivors {
        let _ = writeln!(text, "  {survivor}");
    }
    text
}

/// Runs one scenario and bites it. One that does not run here is bitten with its golden for a run.
fn one(walk: &Walk, item: &Item) -> Ended {
    let state = match golden::read(item) {
        Ok(State::Accepted(golden)) => golden,
        // Only who brings a capture is answered that it is the golden.
        Ok(State::Missing | State::Same) => return Ended::Not("it has no golden".to_owned()),
        Ok(State::Torn(how)) => return Ended::Refused(format!("the golden is torn: {how}")),
        Err(error) => return Ended::Refused(format!("{error:#}")),
    };
    match walk.item(item) {
        Walked::Judged(judged) if judged.judgement.verdict.holds() => {
            Ended::Bitten(bite::bite(&judged.plan, &judged.run, &state))
        }
        Walked::Judged(judged) => {
            let verdict = judged.judgement.verdict.text();
            Ended::Refused(format!("it does not hold as it is: {verdict}"))
        }
        Walked::Refused(refusal) => {
            Ended::Refused(diagnostics::refusal(&item.path, &refusal, false))
        }
        Walked::NotRun(_) => match walk.plan(item) {
            Ok(plan) => {
                let capture = (*state).clone();
                let recorded = Transcript { capture, real: true, ..Transcript::default() };
                let run = run::replay(&plan, &recorded);
                Ended::Bitten(bite::bite(&plan, &run, &state))
            }
            Err(refusal) => Ended::Refused(diagnostics::refusal(&item.path, &refusal, false)),
        },
    }
}
