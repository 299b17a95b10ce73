//! The command: from words to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    wireproof::main(nodes::Registry::standard())
}
