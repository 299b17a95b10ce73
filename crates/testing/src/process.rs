//! What a test does with other processes. Knows none of them.

use std::process::Output;
use std::thread;
use std::time::Duration;

/// All that a process wrote, standard output first.
#[must_use]
pub fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// Lets another process run, by a real clock.
#[expect(clippy::disallowed_methods, reason = "another process runs meanwhile, by a real clock")]
pub fn wait(time: Duration) {
    thread::sleep(time);
}
