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

use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};
use testing::{needs, trial_if};

/// Programs that lay cables and make devices.
const PROGRAMS: [&str; 6] = ["ip", "ethtool", "nft", "nsenter", "setpriv", "unshare"];
/// What is missing here.
static MISSING: OnceLock<Option<String>> = OnceLock::new();

fn main() -> ExitCode {
    if let Some(code) = device::as_one() {
        return code;
    }
    let arguments = Arguments::from_args();
    // While there is one thread; listing needs no privilege.
    let program = PROGRAMS.into_iter().find_map(needs::program);
    MISSING.get_or_init(|| program.or_else(|| needs::namespaces(&arguments)));
    let all = [judged::trials(), refused::trials(), silent::trials(), strangers::trials()];
    libtest_mimic::run(&arguments, all.into_iter().flatten().collect()).exit_code()
}

/// A test by its name: it holds unless it panics.
fn trial(name: &'static str, test: fn()) -> Trial {
    trial_if(MISSING.get().and_then(Option::as_ref), name, test)
}
