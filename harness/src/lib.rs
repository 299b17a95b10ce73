//! **wireproof**: write the packets, run any TCP/IP implementation on a wire, prove every frame it
//! emits byte for byte.
//!
//! The command is a thin skin over this library. A Rust user puts a node of their own beside the
//! standard ones and runs a folder of scenarios from a test:
//!
//! ```no_run
//! # use wireproof::nodes::Kind;
//! # fn my_kind() -> Kind {
//! #     Kind::new("mine", "takes every frame", |config, kinds| kinds.read("sink", config))
//! # }
//! #[test]
//! fn my_stack_keeps_the_rules() {
//!     wireproof::Suite::at("tests/wire").kind(my_kind()).assert();
//! }
//! ```

mod accept;
pub mod bite;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod commands;
pub mod files;
mod fleet;
pub mod golden;
pub mod inject;
pub mod judge;
pub mod kinds;
pub mod on;
pub mod outcome;
pub mod panics;
pub mod plan;
pub mod report;
pub mod run;
pub mod spec;
pub mod streams;
mod suite;
pub mod text;
pub mod walk;

use std::process::ExitCode;

use clap::Parser;
use nodes::Registry;

pub use suite::Suite;
/// The crates that a node of one's own needs.
pub use {checks, link, nodes, scenario, wire};

/// The whole command with these kinds of node, for a binary of one's own as for `wireproof`.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    panics::note_places();
    let registry = kinds::complete(registry);
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { report::EXIT_CANNOT } else { report::EXIT_HOLDS };
            let text = error.render();
            if error.use_stderr() {
                streams::warn(text.ansi().to_string().trim_end());
                return ExitCode::from(code);
            }
            // Help that nobody reads any more is no failure; help that cannot be written is one.
            return ExitCode::from(match streams::print(&text.ansi().to_string()) {
                Ok(()) => code,
                Err(error) => cannot(&error),
            });
        }
    };
    ExitCode::from(dispatch(&cli, registry).unwrap_or_else(|error| cannot(&error)))
}

/// Says why the job could not be done; returns the exit code.
fn cannot(error: &anyhow::Error) -> u8 {
    streams::warn(&format!("error: {}", text::block(&format!("{error:#}"), "  ")));
    report::EXIT_CANNOT
}

fn dispatch(cli: &cli::Cli, registry: Registry) -> anyhow::Result<u8> {
    use cli::Command;
    use commands::{
        bite, bless, captures, check, doctor, explain, fmt, init, inject, lists, modules, run,
    };
    let root = cli.root.as_deref();
    match &cli.command {
        Command::Run(words) => run::run(root, words, registry),
        Command::Bless(words) => bless::bless(root, words, registry),
        Command::Bite(words) => bite::bite(root, words, registry),
        Command::Inject(words) => inject::inject(words, &registry),
        Command::Check(words) => check::check(words),
        Command::Show(words) => captures::show(words),
        Command::Diff(words) => captures::diff(words),
        Command::Fmt(words) => fmt::fmt(root, words),
        Command::List(words) => lists::list(root, words, registry),
        Command::Nodes => lists::nodes(&registry),
        Command::Explain(words) => explain::explain(root, words, registry),
        Command::Checks => {
            anyhow::bail!("`wireproof checks` is called `wireproof explain` now")
        }
        Command::Schema => lists::schema(),
        Command::Doctor => doctor::doctor(),
        Command::Modules(words) => modules::modules(words),
        Command::Init(words) => init::init(words, registry),
        Command::Completions(words) => lists::completions(words),
    }
}
