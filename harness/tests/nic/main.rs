//! `wireproof run --on nic` with a veth end as the interface and a device behind it that is a
//! process of its own. It takes namespaces, `ip`, `ethtool` and `nft`; where the machine has not,
//! the tests say so and count as ignored.

mod device;
mod faults;
mod judged;
mod refused;
mod silent;
mod stack;
mod strangers;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};

/// Programs that lay cables and make devices, each with the argument that only shows its version.
const PROGRAMS: [(&str, &str); 5] = [
    ("ip", "-V"),
    ("ethtool", "--version"),
    ("nft", "--version"),
    ("nsenter", "--version"),
    ("setpriv", "--version"),
];

fn main() -> ExitCode {
    if let Some(code) = device::as_one() {
        return code;
    }
    let arguments = Arguments::from_args();
    // While there is one thread; listing needs no privilege.
    let refused = if arguments.list { None } else { missing() };
    if let Some(refused) = &refused {
        eprintln!("not run: {refused}");
    }
    let all = [judged::trials(), refused::trials(), silent::trials(), strangers::trials()];
    let ignored = |trial: Trial| trial.with_ignored_flag(refused.is_some());
    let trials: Vec<Trial> = all.into_iter().flatten().map(ignored).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Why nothing can run here.
fn missing() -> Option<String> {
    let lacks =
        |(name, argument): &&(&str, &str)| Command::new(name).arg(argument).output().is_err();
    if let Some((name, _)) = PROGRAMS.iter().find(lacks) {
        return Some(format!("{name} is not installed here"));
    }
    veth::enter().err().map(|error| error.to_string())
}

/// A test by its name: it holds unless it panics.
fn trial(name: &'static str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
