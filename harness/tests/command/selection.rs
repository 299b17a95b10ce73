//! Which scenarios a word names, and where the command finds them.

use std::fs;

use crate::support::{FIRST, Place, page};

/// Three scenarios in two folders, with their goldens.
fn several() -> Place {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/first/second.json", &text);
    place.write("scenarios/other/deep/third.json", &text);
    place.run(&["bless", "--all"]).ends_with(0);
    place
}

/// The ids that a run reports.
fn ran(place: &Place, words: &[&str]) -> Vec<String> {
    let told = place.run(&[&["run"], words].concat()).ends_with(0);
    let id = |line: &str| Some(line.strip_prefix("ok   ")?.split_once(':')?.0.to_owned());
    told.out().lines().filter_map(id).collect()
}

#[test]
fn words_select_by_id_last_part_folder_pattern_and_path() {
    let place = several();
    let (first, second, third) = (FIRST, "first/second", "other/deep/third");
    let cases: [(&[&str], &[&str]); 14] = [
        (&[], &[first, second, third]),
        (&[first], &[first]),
        (&["fin-meets-closed-port"], &[first]),
        (&["third"], &[third]),
        (&["first"], &[first, second]),
        (&["first/"], &[first, second]),
        (&["other"], &[third]),
        (&["other/deep"], &[third]),
        (&["*"], &[first, second, third]),
        (&["*second"], &[second]),
        (&["*e*p*"], &[first, third]),
        (&["second", "first"], &[second, first]),
        (&["third", "third", "other"], &[third]),
        (&["scenarios/first/second.json"], &[second]),
    ];
    for (words, ids) in cases {
        assert_eq!(ran(&place, words), ids, "{words:?}");
    }
}

#[test]
fn the_root_is_found_from_below_and_named_from_elsewhere() {
    let place = several();
    for folder in ["scenarios", "scenarios/first", "golden-pcaps/first"] {
        let told = place.run_in(folder, &["run", "second"]).ends_with(0);
        assert_eq!(told.out(), "ok   first/second: identical, 2 frames\n", "{folder}");
        let told = place.run_in(folder, &["list", "second"]).ends_with(0);
        assert_eq!(told.out(), "first/second  A bare FIN meets a closed port\n", "{folder}");
    }
    place.run_in("scenarios/first", &["run", "second.json"]).ends_with(0);

    let elsewhere = Place::empty();
    let root = place.path("").display().to_string();
    for words in [&["--root", &root, "run", "second"], &["run", "second", "--root", &root]] {
        let told = elsewhere.run(words).ends_with(0);
        assert_eq!(told.out(), "ok   first/second: identical, 2 frames\n");
    }
    place.write(
        "scenarios/first/second.json",
        place.text("scenarios/first/second.json").replace("80", "81"),
    );
    let told = elsewhere.run(&["run", "second", "--root", &root]).ends_with(1);
    let repeat = told.out().lines().last().and_then(|line| line.split_once("wireproof "));
    let repeat = repeat.expect("a command that repeats").1.to_owned();
    let words: Vec<&str> = repeat.split_whitespace().collect();
    assert_eq!(elsewhere.run(&words).ends_with(1).out().lines().last(), told.out().lines().last());
}

#[test]
fn a_file_by_its_path_keeps_its_golden_beside_it() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    fs::remove_dir_all(place.path("scenarios")).expect("a folder");
    fs::remove_dir_all(place.path("golden-pcaps")).expect("a folder");
    place.write("some/where/one.json", text);
    let before = place.run(&["run", "some/where/one.json"]).ends_with(1);
    let blessed = place.run(&["bless", "some/where/one.json"]).ends_with(0);
    let after = place.run(&["run", "some/where/one.json"]).ends_with(0);
    place.run_in("some/where", &["run", "one.json"]).ends_with(0);
    assert!(
        place.path("some/where/one.pcapng").exists() && place.path("some/where/one.snap").exists()
    );
    let said = [before, blessed, after].map(|told| place.plain(&told)).join("\n");
    page("a file by its path", &said);
}

#[test]
fn captures_of_several_go_into_a_folder() {
    let place = several();
    fs::create_dir(place.path("out")).expect("a folder");
    place.run(&["run", "-w", "out"]).ends_with(0);
    for id in [FIRST, "first/second", "other/deep/third"] {
        let shown = place.run(&["show", &format!("out/{id}.pcapng")]).ends_with(0);
        assert!(shown.out().contains("# as step 2 (line 14): 123 and 1"), "{}", shown.out());
    }
    // One beside the root, too, lands in the folder and nowhere above it.
    fs::create_dir(place.path("scenarios/out")).expect("a folder");
    place.write("lone.json", place.text(&format!("scenarios/{FIRST}.json")));
    place.run_in("scenarios", &["run", "../lone.json", "-w", "out"]).ends_with(1);
    assert!(place.path("scenarios/out/lone.pcapng").exists());
}

#[test]
fn a_capture_on_standard_output_moves_the_report_aside() {
    let place = Place::made();
    let told = place.run(&["run", "-w", "-"]).ends_with(0);
    assert_eq!(told.err, format!("ok   {FIRST}: identical, 2 frames\n"));
    place.run(&["run", "-w", "file.pcapng"]).ends_with(0);
    assert_eq!(told.out, place.read("file.pcapng"));
}
