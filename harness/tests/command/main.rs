//! The command from outside: the built binary in folders of its own. What it says is kept as
//! snapshots, because its words are an interface too.

mod addressless;
mod bless;
mod bombs;
mod captures;
mod determinism;
mod formatted;
mod inject;
mod judged;
mod killed;
mod lists;
mod masks;
mod mutated;
mod others;
mod output;
mod progress;
mod refused_files;
mod refused_words;
mod reports;
mod selection;
mod streams;
mod support;
mod times;
mod verdicts;
