//! The real wire against the simulated one: the same nodes and links on both, frame for frame.
//! Where the machine allows no namespaces, the tests say so and count as ignored.

mod nodes;
mod rights;
mod same;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // While there is one thread; listing needs no privilege.
    let refused = if arguments.list { None } else { wireproof_veth::enter().err() };
    if let Some(refused) = &refused {
        eprintln!("not run: {refused}");
    }
    let trials = same::trials().into_iter().chain(rights::trials());
    let trials: Vec<Trial> =
        trials.map(|trial| trial.with_ignored_flag(refused.is_some())).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
