//! A guest's machine: booted, spoken to, emptied, ended. Where QEMU, a kernel or busybox are
//! missing, each test counts as ignored, with the reason.

mod endings;
mod kills;
mod shared;

use std::process::ExitCode;

use guest::Machine;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    if endings::victim() || kills::victim() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    // Two machines at a time are two processors' work.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let trials = [shared::trials(), endings::trials(), kills::trials()];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test that takes a machine.
fn trial(name: &str, test: impl FnOnce() -> Result<Completion, Failed> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match Machine::possible() {
        Ok(()) => test(),
        Err(missing) => Ok(Completion::ignored_with(missing.to_string())),
    })
}
