//! Holds what the compiler cannot: the arrows between rooms, the size and head of files, pairs of
//! files, ids and citations.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use testing::project;
use wireproof::catalog::{Root, files_below};
use wireproof::walk::Walk;

/// Longer files hold more than one idea.
const MOST_LINES: usize = 450;
/// Wider lines do not fit two panes on a screen.
const MOST_COLUMNS: usize = 100;

fn sources() -> Vec<PathBuf> {
    let folders = ["crates", "harness", "golden-pcaps"];
    let below = |folder| files_below(&project().join(folder), "rs").expect("a folder to read");
    let sources: Vec<PathBuf> = folders.into_iter().flat_map(below).collect();
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_use_only_the_rooms_that_they_may() {
    let allowed: [(&str, &[&str]); 10] = [
        ("crates/wire", &[]),
        ("crates/link", &["wire"]),
        ("crates/nodes", &["link", "linux", "wire"]),
        ("crates/scenario", &["wire"]),
        ("crates/checks", &["wire"]),
        ("crates/linux", &["link", "wire"]),
        ("crates/veth", &["link", "linux", "wire"]),
        ("crates/guest", &["link", "linux", "wire"]),
        ("crates/testing", &["guest", "link", "veth", "wire"]),
        ("harness", &["checks", "guest", "link", "linux", "nodes", "scenario", "veth", "wire"]),
    ];
    let rooms = ["wire", "link", "nodes", "scenario", "checks", "linux", "veth", "guest"];
    let mut wrong = Vec::new();
    for (room, may) in allowed {
        let manifest = read(&project().join(room).join("Cargo.toml"));
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or("");
        let in_use = dependencies.split("[dev-dependencies]").next().unwrap_or("");
        if in_use.lines().any(|line| line.starts_with("testing")) {
            wrong.push(format!("{room} uses testing, which is for tests alone"));
        }
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            if rooms.contains(&name) && !may.contains(&name) {
                wrong.push(format!("{room} uses {name}: an arrow backwards"));
            }
        }
    }
    let crates = fs::read_dir(project().join("crates")).expect("crates").count();
    if crates != allowed.len() - 1 {
        wrong.push(format!("{crates} crates, {} known here", allowed.len() - 1));
    }
    none(&wrong);
}

#[test]
fn files_are_short_narrow_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for path in sources() {
        let (name, text) = (path.display(), read(&path));
        let lines = text.lines().count();
        let tests = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_stem().is_some_and(|stem| stem == "tests");
        if lines > MOST_LINES && !tests {
            wrong.push(format!("{name}: {lines} lines; {MOST_LINES} hold one idea"));
        }
        if !tests && !text.starts_with("//!") {
            wrong.push(format!("{name}: no head that says what it is and what it does not know"));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > MOST_COLUMNS {
                wrong.push(format!("{name}:{}: wider than {MOST_COLUMNS} columns", number + 1));
            }
        }
    }
    none(&wrong);
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    // Written apart, so that this file does not find itself.
    let words = ["todo", "unimplemented"].map(|word| format!("{word}!("));
    let silenced = ["allow(", "ignore"].map(|word| format!("#[{word}"));
    let mut wrong = Vec::new();
    for path in sources() {
        let text = read(&path);
        for (number, line) in text.lines().enumerate() {
            let in_doc = line.trim_start().starts_with("//");
            let found = words.iter().chain(&silenced).find(|word| line.contains(word.as_str()));
            if let (Some(word), false) = (found, in_doc) {
                wrong.push(format!("{}:{}: `{word}`", path.display(), number + 1));
            }
        }
    }
    none(&wrong);
}

/// The files that call the kernel.
const CALLS: [&str; 3] =
    ["crates/veth/src/sys.rs", "crates/veth/src/sys/cores.rs", "crates/veth/src/rights.rs"];

#[test]
fn unsafe_code_counts_allocations_or_calls_the_kernel_and_says_why_it_is_sound() {
    let word = ["unsafe", " "].concat();
    let begins = |line: &str| {
        let code = line.trim_start();
        !code.starts_with("//") && (code.starts_with(&word) || code.contains(&format!(" {word}")))
    };
    let uses = |path: &PathBuf| read(path).lines().any(begins);
    let mut unsaid = Vec::new();
    for file in CALLS {
        let text = read(&project().join(file));
        let lines: Vec<&str> = text.lines().collect();
        let bare = |at: &usize| !lines[at.saturating_sub(4)..*at].concat().contains("// SAFETY: ");
        let wrong = (0..lines.len()).filter(|at| begins(lines[*at]) && bare(at));
        unsaid.extend(wrong.map(|at| format!("{file}:{}: no SAFETY comment", at + 1)));
    }
    none(&unsaid);
    let found: Vec<String> = sources()
        .into_iter()
        .filter(uses)
        .map(|path| path.display().to_string())
        .filter(|path| !path.ends_with("harness/benches/walk/main.rs"))
        .filter(|path| !CALLS.iter().any(|file| path.ends_with(file)))
        .collect();
    none(&found);
}

#[test]
fn every_check_is_shown_biting_alone() {
    let root = Root::at(&project()).expect("the project's own folder");
    let walk = Walk::standard();
    let mut bites = BTreeSet::new();
    let mut wrong = Vec::new();
    for item in root.items().expect("scenarios") {
        let Ok(plan) = walk.plan(&item) else { continue };
        let negative = item.id.starts_with("negative/");
        if negative && plan.finds.is_empty() {
            wrong.push(format!("{}: a file in negative/ says what it `finds`", item.id));
        }
        if let ([id], true) = (plan.finds.as_slice(), negative) {
            bites.insert(id.clone());
        }
    }
    for check in checks::CHECKS {
        if !bites.contains(check.id) {
            wrong.push(format!("no scenario in negative/ finds {} alone", check.id));
        }
    }
    none(&wrong);
}

#[test]
fn scenarios_are_named_titled_and_cite_what_exists() {
    let table = read(&project().join("docs/requirements.tsv"));
    let known: BTreeSet<&str> = table.lines().filter_map(|line| line.split('\t').next()).collect();
    let root = Root::at(&project()).expect("the project's own folder");
    let walk = Walk::standard();
    let mut wrong = Vec::new();
    let items = root.items().expect("scenarios");
    assert!(items.len() >= 80, "{} scenarios", items.len());
    for item in items {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/".contains(c);
        if !item.id.chars().all(plain) {
            wrong.push(format!("{}: an id has a-z, 0-9, - and /", item.id));
        }
        let Ok(plan) = walk.plan(&item) else {
            wrong.push(format!("{}: cannot be used", item.id));
            continue;
        };
        if plan.title.trim().is_empty() || plan.cites.is_empty() {
            wrong.push(format!("{}: no title, or cites nothing", item.id));
        }
        for cite in &plan.cites {
            let clause = ["RFC ", "IEEE ", "Linux ", "wireproof "];
            let is_clause = clause.iter().any(|start| cite.starts_with(start));
            if !is_clause && !known.contains(cite.as_str()) {
                wrong.push(format!("{}: cites {cite}, which nobody knows", item.id));
            }
        }
    }
    for check in checks::CHECKS {
        if !known.contains(check.requirement) {
            wrong.push(format!("check {}: no requirement {}", check.id, check.requirement));
        }
    }
    none(&wrong);
}

#[test]
fn the_readme_names_only_scenarios_that_are_there() {
    let root = Root::at(&project()).expect("the project's own folder");
    let ids: Vec<String> =
        root.items().expect("scenarios").into_iter().map(|item| item.id).collect();
    let readme = read(&project().join("README.md"));
    let mut wrong = Vec::new();
    for line in readme.lines() {
        let Some((_, words)) = line.split_once("-- run ") else { continue };
        let word = words.split_whitespace().next().unwrap_or("");
        let there = word.starts_with('-')
            || ids.iter().any(|id| id == word || id.rsplit('/').next() == Some(word))
            || ids.iter().any(|id| id.starts_with(&format!("{}/", word.trim_end_matches('/'))));
        if !word.is_empty() && !there {
            wrong.push(format!("README.md: `{word}` is no scenario"));
        }
    }
    none(&wrong);
}
