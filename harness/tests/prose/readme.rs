//! The commands of `README.md`, run by the built binary in a copy of the project's scenarios and
//! goldens, so that nothing is written in the tree. A line `$ wireproof …` says what stands under
//! it; a bare line `wireproof …` ends well. Other programs' lines are passed over.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use tempfile::TempDir;
use testing::project;
use wireproof::catalog::files_below;
use wireproof::cli::Cli;

use crate::{Block, blocks, read, spans};

const README: &str = "README.md";

/// The file whose mistake the README shows.
const TYPO: &str = r#"{
  "title": "A FIN, misspelt",
  "nodes": {
    "sender":   { "kind": "tester" },
    "receiver": { "kind": "reject" }
  },
  "links": [{ "ends": ["sender", "receiver"], "delay": "1ms" }],
  "steps": [
    { "node": "sender",
      "send": { "tcp": { "flag": "F" } } }
  ]
}
"#;

/// A folder as a reader of the README has it: the project's, and the files that it speaks of.
fn place() -> TempDir {
    let place = tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder");
    for (folder, extension) in
        [("scenarios", "json"), ("golden-pcaps", "pcapng"), ("golden-pcaps", "snap")]
    {
        for path in files_below(&project().join(folder), extension).expect("a folder to read") {
            let below = path.strip_prefix(project()).expect("a file of the project");
            copy(&path, &place.path().join(below));
        }
    }
    let golden = project().join("golden-pcaps/rst/fin-then-rst.pcapng");
    for name in ["expected.pcapng", "out.pcapng", "triggers.pcap"] {
        copy(&golden, &place.path().join(name));
    }
    fs::write(place.path().join("typo.json"), TYPO).expect("a file");
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a file in a folder")).expect("a folder");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// The words of a command that is wireproof's, without a shell's comment; `None` for another's.
fn words(line: &str) -> Option<Vec<&str>> {
    let line = line.split(" #").next().unwrap_or(line);
    let line = line.strip_prefix("cargo run --release --").map_or(line, |rest| rest);
    let given: Vec<&str> = line.split_whitespace().collect();
    match given.as_slice() {
        ["wireproof", words @ ..] => Some(words.to_vec()),
        ["cargo" | "just", ..] => None,
        // What stood behind `cargo run --release --`.
        words => Some(words.to_vec()),
    }
}

/// What the command says, line by line, and whether it ended well.
fn told(place: &Path, words: &[&str]) -> (Vec<String>, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_wireproof"))
        .args(words)
        .current_dir(place)
        .env("NO_COLOR", "1")
        .output()
        .expect("the command");
    let text = [output.stdout, output.stderr].concat();
    (lines(&String::from_utf8_lossy(&text)), output.status.success())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The commands of a block with what is shown under each; `None` where nothing is.
fn shown(block: &Block) -> Vec<(&str, Option<Vec<String>>)> {
    if block.text.starts_with("$ ") {
        let sessions = block.text.split("\n$ ").map(|part| part.strip_prefix("$ ").unwrap_or(part));
        let split = |part| str::split_once(part, '\n').unwrap_or((part, ""));
        return sessions.map(split).map(|(line, under)| (line, Some(lines(under)))).collect();
    }
    let starts = |line: &&str| line.starts_with("wireproof ") || line.starts_with("cargo run ");
    block.text.lines().filter(starts).map(|line| (line, None)).collect()
}

#[test]
fn every_command_of_the_readme_says_what_is_shown() {
    let (ran, compared) = commands_of(README);
    assert!(ran >= 6 && compared >= 3, "{ran} commands ran, {compared} with what they say");
}

#[test]
fn every_command_about_judging_says_what_is_shown() {
    let (ran, compared) = commands_of("docs/judging.md");
    assert!(ran >= 7 && compared >= 6, "{ran} commands ran, {compared} with what they say");
}

#[test]
fn every_command_about_captures_says_what_is_shown() {
    let (ran, compared) = commands_of("docs/captures.md");
    assert!(ran >= 7 && compared >= 4, "{ran} commands ran, {compared} with what they say");
}

/// Runs the commands of a page; how many ran, and of how many it is shown what they say.
fn commands_of(page: &str) -> (usize, usize) {
    let place = place();
    let text = read(page);
    let (mut ran, mut compared, mut wrong) = (0, 0, Vec::new());
    for block in blocks(&text).iter().filter(|block| block.info.is_empty()) {
        for (line, shown) in shown(block) {
            let Some(words) = words(line) else { continue };
            let (told, well) = told(place.path(), &words);
            ran += 1;
            let holds = match &shown {
                Some(shown) => {
                    compared += 1;
                    told == *shown
                }
                None => well,
            };
            if !holds {
                let told = told.join("\n");
                wrong.push(format!("{page}:{}: `{line}` says\n{told}\n", block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (ran, compared)
}

/// A command within a sentence is not run, but it is one.
#[test]
fn commands_in_sentences_are_commands() {
    let mut wrong = Vec::new();
    let mut found = 0;
    let names =
        [README, "docs/scenarios.md", "docs/cables.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
    for name in names {
        let text = read(name);
        for span in spans(&text).into_iter().filter(|span| span.starts_with("wireproof ")) {
            found += 1;
            if let Err(error) = Cli::try_parse_from(span.split_whitespace()) {
                wrong.push(format!("{name}: `{span}`: {error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found >= 8, "{found} commands in sentences");
}

#[test]
fn commands_are_told_from_what_they_say() {
    let block = |text: &str| Block { line: 1, info: String::new(), text: text.into() };
    let session = block("$ wireproof run a  # why\nok\n\n  more \n$ cargo test\nx\n");
    let found = shown(&session);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].1, Some(vec!["ok".to_owned(), "more".to_owned()]));
    assert_eq!(words(found[0].0), Some(vec!["run", "a"]));
    assert_eq!(words(found[1].0), None);
    let bare = block("cargo run --release -- run a     # the main job\ncargo test\n");
    assert_eq!(
        shown(&bare).iter().filter_map(|(line, _)| words(line)).collect::<Vec<_>>(),
        [["run", "a"]]
    );
}
