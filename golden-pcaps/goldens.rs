//! Every golden belongs to a scenario, is whole, and is what its rendering says.
//!
//! This file lies here, not in the harness, because `cargo insta review` looks for pending
//! snapshots only in folders that hold the source of some target.

use testing::project;
use wireproof::catalog::{GOLDENS, Root, files_below};
use wireproof::golden::{self, State};

fn root() -> Root {
    Root::at(&project()).expect("the project's own folder")
}

#[test]
fn every_scenario_has_a_whole_golden() {
    let mut wrong = Vec::new();
    for item in root().items().expect("scenarios") {
        match golden::read(&item) {
            Ok(State::Accepted(_) | State::Same) => {}
            Ok(State::Missing) => wrong.push(format!("{}: no golden", item.id)),
            Ok(State::Torn(how)) => wrong.push(format!("{}: {how}", item.id)),
            Err(error) => wrong.push(format!("{}: {error:#}", item.id)),
        }
        if golden::pending_path(&item).exists() {
            wrong.push(format!("{}: a review is pending; `just review` ends it", item.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_golden_file_belongs_to_a_scenario() {
    let root = root();
    let folder = root.dir.join(GOLDENS);
    let items = root.items().expect("scenarios");
    let mut orphans = Vec::new();
    for extension in ["pcapng", "snap"] {
        for path in files_below(&folder, extension).expect("a folder to read") {
            let belongs =
                items.iter().any(|item| item.golden == path || golden::snapshot_path(item) == path);
            if !belongs {
                orphans.push(format!("{} belongs to no scenario; remove it", path.display()));
            }
        }
    }
    assert!(orphans.is_empty(), "{}", orphans.join("\n"));
}

#[test]
fn a_golden_is_written_the_same_way_again() {
    for item in root().items().expect("scenarios") {
        let Ok(State::Accepted(capture)) = golden::read(&item) else { continue };
        let bytes = std::fs::read(&item.golden).expect("a golden to read");
        let again = golden::encode(&capture).expect("a capture to write");
        assert!(bytes == again, "{}: not the bytes that wireproof writes", item.golden.display());
    }
}
