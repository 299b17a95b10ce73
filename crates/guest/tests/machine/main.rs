//! A guest's machine: booted, spoken to, emptied, ended. Where QEMU, a kernel or busybox are
//! missing, the tests say so and count as ignored.

mod endings;
mod shared;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if endings::victim() {
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    // Two machines at a time are two processors' work.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let missing = if arguments.list { None } else { guest::Machine::possible().err() };
    if let Some(missing) = &missing {
        eprintln!("not run: guests: {missing}");
    }
    let trials = shared::trials().into_iter().chain(endings::trials());
    let trials: Vec<Trial> =
        trials.map(|trial| trial.with_ignored_flag(missing.is_some())).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
