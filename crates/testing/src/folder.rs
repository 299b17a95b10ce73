//! Where the project lies. Knows nothing of what lies in it but one name.

use std::env;
use std::path::{Path, PathBuf};

/// The folder that holds scenarios and goldens: at run time, so that tests run from an archive
/// elsewhere too.
///
/// # Panics
/// When the test runs outside of the project.
#[must_use]
pub fn project() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| env::current_dir().expect("a folder to run in"));
    let is_project = |folder: &&Path| folder.join("golden-pcaps").is_dir();
    let found = package.ancestors().find(is_project);
    found.unwrap_or_else(|| panic!("{} lies in no project", package.display())).to_owned()
}

#[test]
fn the_project_is_above_each_package() {
    assert!(project().join("crates/testing/src/folder.rs").is_file());
}
