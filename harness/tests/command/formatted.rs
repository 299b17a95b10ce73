//! `wireproof fmt`: the canonical form is written, and nothing else is touched.

use crate::support::{FIRST, Place, page, project, told};

#[test]
fn files_are_brought_into_the_canonical_form_once() {
    let place = Place::made();
    let file = format!("scenarios/{FIRST}.json");
    let canonical = place.text(&file);
    place.run(&["fmt", "--check"]).ends_with(0);
    // The same with other white space.
    let other = canonical.replace("  \"", "\"").replace("\": ", "\":");
    place.write(&file, &other);
    let before = place.all();
    let check = place.run(&["fmt", "--check"]).ends_with(1);
    assert!(before == place.all(), "--check wrote a file");
    let written = place.run(&["fmt"]).ends_with(0);
    assert_eq!(place.text(&file), canonical);
    let again = place.run(&["fmt", FIRST]).ends_with(0);
    place.run(&["run"]).ends_with(0);
    page("fmt", &[check, written, again].map(|told| place.plain(&told)).join("\n"));
}

#[test]
fn a_file_with_errors_is_shown_and_left_as_it_is() {
    let place = Place::changed(r#""delay": "1ms""#, r#""delai":   "1ms""#);
    let before = place.all();
    for words in [&["fmt"][..], &["fmt", "--check"]] {
        let told = place.run(words).ends_with(2);
        assert!(told.out().contains("unknown key `delai`"), "{}", told.shown());
        assert!(before == place.all(), "a file was written");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_not_written_through() {
    let place = Place::made();
    let file = place.path(&format!("scenarios/{FIRST}.json"));
    let text = place.text(&format!("scenarios/{FIRST}.json")).replace("\": ", "\":");
    place.write("elsewhere.json", text);
    std::fs::remove_file(&file).expect("a file");
    std::os::unix::fs::symlink(place.path("elsewhere.json"), &file).expect("a link");
    let before = place.all();
    let told = place.run(&["fmt"]).ends_with(2);
    assert!(told.out().contains("a link stands there"), "{}", told.shown());
    assert!(before == place.all(), "a file was written");
}

#[test]
fn the_projects_own_scenarios_are_in_the_canonical_form() {
    let place = Place::empty();
    let dir = project().display().to_string();
    let told = told(&mut place.command(&["fmt", "--check", "--root", &dir]), b"");
    assert!(told.code == Some(0), "run `wireproof fmt`: {}", told.shown());
}
