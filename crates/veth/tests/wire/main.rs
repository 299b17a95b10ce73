//! The real wire against the simulated one: the same nodes and links on both, frame for frame.
//! Where the machine allows no namespaces, the tests say so and count as ignored.

mod nodes;
mod rights;
mod same;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use testing::{needs, trial_if};

type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // While there is one thread; listing needs no privilege.
    let refused = needs::namespaces(&arguments);
    let trial = |(name, test): &(&str, Test)| trial_if(refused.as_ref(), name, *test);
    let trials = same::TESTS.iter().chain(&rights::TESTS).map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
