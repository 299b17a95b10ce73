//! What there is: `wireproof list`, `nodes`, `schema`, `completions`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use clap::CommandFactory;
use nodes::{PortRule, Registry};

use crate::catalog;
use crate::cli::{Cli, Completions, List};
use crate::report::{EXIT_CANNOT, EXIT_HOLDS, diagnostics};
use crate::streams;
use crate::text::line;
use crate::walk::Walk;

/// Lists scenarios; returns the exit code.
///
/// # Errors
/// When there is no root, or the words match nothing.
pub fn list(root: Option<&Path>, words: &List, registry: Registry) -> Result<u8> {
    let items = catalog::select(super::root(root)?.as_ref(), &words.ids)?;
    let walk = Walk { registry, ..Walk::standard() };
    let ids: Vec<String> = items.iter().map(|item| line(&item.id)).collect();
    let width = ids.iter().map(String::len).max().unwrap_or(0);
    let mut code = EXIT_HOLDS;
    let mut out = String::new();
    for (item, id) in items.iter().zip(&ids) {
        match walk.plan(item) {
            Ok(plan) => {
                let _ = writeln!(out, "{id:width$}  {}", line(&plan.title));
                for cite in plan.cites.iter().filter(|_| words.verbose) {
                    let _ = writeln!(out, "{:width$}    {}", "", line(cite));
                }
            }
            Err(refusal) => {
                code = EXIT_CANNOT;
                let shown = diagnostics::refusal(&item.path, &refusal, false);
                let _ = writeln!(out, "{id:width$}  cannot be used\n{shown}");
            }
        }
    }
    streams::print(&crate::text::harmless(&out))?;
    Ok(code)
}

/// Lists the kinds of nodes with their options, and the faults of `faulty`.
///
/// # Errors
/// When standard output cannot be written.
pub fn nodes(registry: &Registry) -> Result<u8> {
    let mut out = String::new();
    for kind in registry.kinds() {
        let ports = match kind.ports {
            PortRule::Exactly(1) => "1 port".to_owned(),
            PortRule::Exactly(count) => format!("{count} ports"),
            PortRule::AtLeast(1) => "1 port or more".to_owned(),
            PortRule::AtLeast(count) => format!("{count} ports or more"),
        };
        let _ = writeln!(out, "{} ({ports})\n    {}", kind.name, kind.about);
        for option in kind.options {
            let _ = writeln!(
                out,
                "    {}={} [{}]: {}",
                option.name, option.takes, option.default, option.about
            );
        }
        for (what, words) in [("command", kind.commands), ("event", kind.events)] {
            for word in words {
                let (name, with) = (word.name, word.with.join(", "));
                let _ = writeln!(out, "    {what} {name} ({with}): {}", word.about);
            }
        }
    }
    let _ = writeln!(out, "\nfaults that `faulty` plants (fault=NAME):");
    for fault in nodes::faulty::FAULTS {
        let _ = writeln!(out, "    {:20} {}", fault.name, fault.about);
    }
    streams::print(&out)?;
    Ok(EXIT_HOLDS)
}

/// The JSON Schema of scenario files, as it is committed.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn schema_text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&scenario::schema())? + "\n")
}

/// Prints the schema.
///
/// # Errors
/// When standard output cannot be written.
pub fn schema() -> Result<u8> {
    streams::print(&schema_text()?)?;
    Ok(EXIT_HOLDS)
}

/// Prints the completions of a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(words: &Completions) -> Result<u8> {
    let mut out = Vec::new();
    clap_complete::generate(words.shell, &mut Cli::command(), "wireproof", &mut out);
    streams::say(std::io::stdout().lock(), &out)?;
    Ok(EXIT_HOLDS)
}
