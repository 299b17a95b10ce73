//! Accepting: what `bless` refuses, what it writes, and how a review is carried out.

use std::fs;
use std::path::PathBuf;

use wireproof::catalog::{Item, Root};
use wireproof::golden;
use wireproof::outcome::Walked;
use wireproof::walk::Walk;

use crate::support::{FIRST, Place, Told, page, told};

fn item(place: &Place) -> Item {
    let root = Root::at(&place.path("")).expect("a root");
    root.items().expect("scenarios").into_iter().find(|item| item.id == FIRST).expect("the first")
}

fn in_ci(place: &Place, words: &[&str], ci: &str) -> Told {
    told(place.command(words).env("CI", ci), b"")
}

#[test]
fn nothing_is_accepted_in_ci() {
    let place = Place::changed("\"dst\": 80", "\"dst\": 81");
    propose(&place);
    let before = place.all();
    let mut said = String::new();
    for words in [&["bless", FIRST], &["bless", "--all"], &["bless", "--reviewed"]] {
        for ci in ["1", "true", "woodpecker"] {
            let told = in_ci(&place, words, ci).ends_with(2);
            assert!(before == place.all(), "{words:?} wrote a file");
            said = place.plain(&told);
        }
    }
    page("bless in CI", &said);
    in_ci(&place, &["bless", FIRST], "false").ends_with(0);
}

#[test]
fn what_breaks_a_rule_or_a_step_is_not_accepted() {
    let faulty = "\"kind\": \"faulty\", \"of\": \"reject\", \"fault\": \"tcp-checksum\"";
    let mut said = String::new();
    for (name, from, to) in [
        ("a broken rule", "\"kind\": \"reject\"", faulty),
        ("a step that fails", "\"ack\": 124", "\"ack\": 125"),
        ("a check without teeth", "\"links\"", "\"finds\": [\"tcp-checksum\"],\n  \"links\""),
    ] {
        let place = Place::changed(from, to);
        let before = place.all();
        let told = place.run(&["bless", FIRST]).ends_with(1);
        assert!(before == place.all(), "{name}: a file was written");
        assert!(!told.out().contains("accept:"), "{name}: it offers what it refuses");
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    let place = Place::changed("\"links\"", "\"limits\": { \"frames\": 1 },\n  \"links\"");
    let before = place.all();
    let told = place.run(&["bless", FIRST]).ends_with(2);
    assert!(before == place.all(), "a file was written");
    said += &format!("# a run that was not carried out\n{}\n", place.plain(&told));
    page("bless refused", &said);
}

#[test]
fn a_golden_that_holds_is_not_touched() {
    let place = Place::made();
    let before = place.all();
    let times = |place: &Place| {
        let files = before.keys().map(|path| fs::metadata(path).and_then(|meta| meta.modified()));
        assert_eq!(place.all().len(), before.len());
        files.map(|time| time.expect("a time")).collect::<Vec<_>>()
    };
    let earlier = times(&place);
    let told = place.run(&["bless", "--all"]).ends_with(0);
    assert_eq!(told.out(), format!("same     {FIRST}\n"));
    assert_eq!(times(&place), earlier);
    assert!(before == place.all());
}

#[test]
fn what_was_accepted_holds_and_nothing_else_is_left() {
    let place = Place::made();
    let names = |place: &Place| place.all().into_keys().collect::<Vec<PathBuf>>();
    let before = names(&place);
    place.change("\"dst\": 80", "\"dst\": 81");
    let told = place.run(&["bless", "fin-meets-closed-port"]).ends_with(0);
    page("bless", &place.plain(&told));
    place.run(&["run"]).ends_with(0);
    assert_eq!(names(&place), before);
}

#[test]
fn one_that_is_refused_does_not_keep_the_others_from_it() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/a/wrong.json", text.replace("\"ack\": 124", "\"ack\": 125"));
    place.write("scenarios/a/odd.json", "{}");
    place.write("scenarios/z/last.json", text.replace("80", "81"));
    let told = place.run(&["bless", "--all"]).ends_with(2);
    assert!(told.out().contains("blessed  z/last"), "{}", told.shown());
    assert!(place.path("golden-pcaps/z/last.pcapng").exists());
    assert!(!place.path("golden-pcaps/a").exists());
}

/// Leaves what a test run leaves: frames beside the golden, and their rendering as insta does.
fn propose(place: &Place) {
    let item = item(place);
    let Walked::Judged(judged) = Walk::standard().item(&item) else { panic!("it runs") };
    golden::leave_pending(&item, &judged.run.transcript.capture).expect("a proposal");
    let rendering = golden::render(&judged.run.transcript.capture);
    let head = "---\nsource: harness/tests/scenarios.rs\nassertion_line: 96\n---\n";
    fs::write(proposed(&item), format!("{head}{rendering}")).expect("a proposal");
}

fn proposed(item: &Item) -> PathBuf {
    golden::snapshot_path(item).with_extension("snap.new")
}

fn reviewed(place: &Place) -> String {
    let told = place.run(&["bless", "--reviewed"]).ends_with(0);
    assert!(!golden::pending_path(&item(place)).exists(), "frames are left");
    assert!(!proposed(&item(place)).exists(), "a rendering is left");
    place.plain(&told)
}

#[test]
fn a_review_that_accepts_and_one_that_rejects() {
    let place = Place::changed("\"dst\": 80", "\"dst\": 81");
    propose(&place);
    let before = place.all();
    let told = place.run(&["bless", "--reviewed"]).ends_with(0);
    assert!(before == place.all(), "an open proposal was decided");
    let mut said = format!("# not reviewed yet\n{}\n", place.plain(&told));
    place.run(&["run"]).ends_with(1);

    fs::remove_file(proposed(&item(&place))).expect("insta rejects");
    said += &format!("# rejected\n{}\n", reviewed(&place));
    place.run(&["run"]).ends_with(1);

    propose(&place);
    let snapshot = golden::snapshot_path(&item(&place));
    fs::rename(proposed(&item(&place)), &snapshot).expect("insta accepts");
    said += &format!("# accepted\n{}\n", reviewed(&place));
    place.run(&["run"]).ends_with(0);
    said += &format!("# once more\n{}\n", reviewed(&place));
    page("bless reviewed", &said);
}

/// The frames of an accepted golden lie in a file that git ignores, until something moves them.
#[test]
fn what_was_accepted_follows_at_the_next_run_and_in_ci_nothing_is_moved() {
    let place = Place::changed("\"dst\": 80", "\"dst\": 81");
    propose(&place);
    let item = item(&place);
    place.run(&["run"]).ends_with(1);
    assert!(golden::pending_path(&item).exists(), "nothing is decided yet");
    fs::rename(proposed(&item), golden::snapshot_path(&item)).expect("insta accepts");
    let before = place.all();
    in_ci(&place, &["run"], "1").ends_with(0);
    assert!(before == place.all(), "CI writes nothing");
    let told = place.run(&["run"]).ends_with(0);
    assert_eq!(told.err, format!("accepted in review: golden-pcaps/{FIRST}.pcapng\n"));
    assert!(!golden::pending_path(&item).exists());
    in_ci(&place, &["run"], "1").ends_with(0);
    assert_eq!(place.run(&["run"]).ends_with(0).err, "");
}

fn git(folder: &std::path::Path, words: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(["-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"])
        .args(words)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git");
    assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The steps of the README: change, test, review, run, commit. Whoever clones has all of it.
#[test]
fn a_fresh_clone_after_a_review_holds() {
    let place = Place::made();
    git(&place.path(""), &["init", "-q"]);
    git(&place.path(""), &["add", "-A"]);
    git(&place.path(""), &["commit", "-qm", "before"]);
    place.change("\"dst\": 80", "\"dst\": 81");
    // `cargo test` leaves both files, and `cargo insta accept` renames its own.
    propose(&place);
    let item = item(&place);
    fs::rename(proposed(&item), golden::snapshot_path(&item)).expect("insta accepts");
    place.run(&["run"]).ends_with(0);
    git(&place.path(""), &["add", "-A"]);
    git(&place.path(""), &["commit", "-qm", "after"]);
    let clone = Place::empty();
    let from = place.path("");
    git(&clone.path(""), &["clone", "-q", from.to_str().expect("a plain path"), "clone"]);
    let told = told(clone.command(&["run"]).current_dir(clone.path("clone")).env("CI", "1"), b"");
    told.ends_with(0);
}

#[test]
fn a_first_golden_is_reviewed_like_any_other() {
    let place = Place::made();
    fs::remove_dir_all(place.path("golden-pcaps/first")).expect("a folder");
    propose(&place);
    place.run(&["run"]).ends_with(1);
    fs::rename(proposed(&item(&place)), golden::snapshot_path(&item(&place))).expect("accepted");
    reviewed(&place);
    place.run(&["run"]).ends_with(0);
}
