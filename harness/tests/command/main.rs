//! The command from outside: the built binary in folders of its own. What it says is kept as
//! snapshots, because its words are an interface too.

mod refused_files;
mod refused_words;
mod support;
