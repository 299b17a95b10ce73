//! The target `builder` under libFuzzer.
#![no_main]

#[path = "../../harness/tests/fuzz/targets.rs"]
#[expect(dead_code, reason = "each binary runs one target of the table")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::builder(data));
