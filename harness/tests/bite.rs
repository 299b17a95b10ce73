//! Every scenario's expectations object to every change of its frames, but where a mask with a
//! reason covers the change.

use std::process::Command;

#[test]
fn every_expectation_bites() {
    let out = Command::new(env!("CARGO_BIN_EXE_wireproof"))
        .current_dir(testing::project())
        .arg("bite")
        .output()
        .expect("the command");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    let last = text.lines().last().unwrap_or("");
    let changes: usize = last
        .split(": ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    assert!(changes > 100_000, "so few changes show little: {last}");
}
