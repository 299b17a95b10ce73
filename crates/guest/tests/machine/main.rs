//! A guest's machine: booted, spoken to, emptied, ended. Where QEMU, a kernel or busybox are
//! missing, each test counts as ignored, with the reason.

mod endings;
mod kills;
mod shared;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use testing::{Outcome, need, needs};

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
fn trial<T: Outcome>(name: &str, test: impl FnOnce() -> T + Send + 'static) -> Trial {
    testing::trial(name, move || {
        need(needs::machine())?;
        test().outcome()
    })
}
