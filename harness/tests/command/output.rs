//! Where a command prints to may be full, or gone: it ends with a line and its code, never with a
//! panic. And whatever a file's words are, they forge no line of a report.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::support::{FIRST, Place, Told};

/// Every subcommand in words that print something.
const COMMANDS: [&[&str]; 22] = [
    &["run"],
    &["run", "-v"],
    &["run", "--format", "json"],
    &["run", "--format", "junit"],
    &["run", FIRST, "-w", "-"],
    &["bless", "--all"],
    &["bless", "--reviewed"],
    &["inject", "in.pcapng", "--to", "reject", "-w", "-"],
    &["show", "in.pcapng"],
    &["diff", "in.pcapng", "in.pcapng"],
    &["list"],
    &["nodes"],
    &["explain"],
    &["explain", "rst-ack"],
    &["check", "in.pcapng"],
    &["bite", FIRST],
    &["modules", "list"],
    &["schema"],
    &["doctor"],
    &["init", "new"],
    &["completions", "bash"],
    &["--help"],
];

fn place() -> Place {
    let place = Place::made();
    place.write("in.pcapng", place.read(&format!("golden-pcaps/{FIRST}.pcapng")));
    place
}

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("/dev/full")
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error_with_a_line() {
    let place = place();
    for words in COMMANDS {
        let mut child = place
            .command(words)
            .stdin(Stdio::null())
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut err = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().expect("a pipe"), &mut err)
            .expect("text");
        let code = child.wait().expect("it ends").code();
        assert_eq!(code, Some(2), "{words:?}: {err}");
        assert!(err.contains("No space left on device"), "{words:?}: {err}");
        assert!(!err.contains("panicked"), "{words:?}: {err}");
    }
}

#[test]
fn a_full_disk_behind_both_streams_is_code_2_all_the_same() {
    let place = place();
    for words in COMMANDS.iter().copied().chain([&["run", "nothing-of-this-name"][..], &["nix"]]) {
        let done = place.command(words).stdin(Stdio::null()).stdout(full()).stderr(full()).status();
        assert_eq!(done.expect("it starts").code(), Some(2), "{words:?}");
    }
}

#[test]
fn a_reader_that_went_away_has_seen_enough() {
    let place = place();
    for words in COMMANDS {
        let mut command = place.command(words);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&done.stderr);
        if words != ["init", "new"] || !err.contains("is there already") {
            assert_eq!(done.status.code(), Some(0), "{words:?}: {err}");
        }
    }
}

#[test]
fn what_is_no_regular_file_is_written_to_and_stays() {
    let place = place();
    for words in [&["run", FIRST, "-w"][..], &["inject", "in.pcapng", "--to", "reject", "-w"]] {
        let to = |target: &str| place.run(&[words, &[target]].concat());
        to("/dev/null").ends_with(0);
        assert!(!fs::metadata("/dev/null").expect("a device").is_file(), "the device is gone");
        let told = to("/dev/full").ends_with(2);
        assert!(told.err.contains("cannot write /dev/full"), "{}", told.shown());
        place.write("real.pcapng", "old");
        let _ = fs::remove_file(place.path("link.pcapng"));
        symlink("real.pcapng", place.path("link.pcapng")).expect("a link");
        to("link.pcapng").ends_with(0);
        let link = fs::symlink_metadata(place.path("link.pcapng")).expect("a link");
        assert!(link.file_type().is_symlink(), "the link is gone");
        assert_ne!(place.read("real.pcapng"), b"old");
    }
}

#[test]
fn below_a_folder_of_captures_no_link_is_followed() {
    let place = place();
    place.write("stranger", "theirs");
    fs::create_dir(place.path("out")).expect("a folder");
    let target = format!("out/{FIRST}.pcapng");
    place.run(&["run", "-w", "out"]).ends_with(0);
    let written = place.read(&target);
    place.write(&target, "old");
    place.run(&["run", "-w", "out"]).ends_with(0);
    assert!(place.read(&target) == written, "a regular file is replaced");
    // The repository may have brought the folder along, and links in it.
    fs::remove_file(place.path(&target)).expect("a file");
    symlink(place.path("stranger"), place.path(&target)).expect("a link");
    let told = place.run(&["run", "-w", "out"]).ends_with(2);
    assert!(told.err.contains("a link stands there; remove it first"), "{}", told.shown());
    fs::remove_dir_all(place.path("out/first")).expect("a folder");
    fs::create_dir(place.path("elsewhere")).expect("a folder");
    symlink(place.path("elsewhere"), place.path("out/first")).expect("a link");
    let told = place.run(&["run", "-w", "out"]).ends_with(2);
    assert!(told.err.contains("a link leads out of out"), "{}", told.shown());
    assert_eq!(place.read("stranger"), b"theirs");
    assert!(fs::read_dir(place.path("elsewhere")).expect("a folder").next().is_none());
    // The folder itself is the user's word, wherever it lies.
    symlink("elsewhere", place.path("by-a-link")).expect("a link");
    place.run(&["run", "-w", "by-a-link"]).ends_with(0);
    assert!(place.read(&format!("elsewhere/{FIRST}.pcapng")) == written);
}

/// Lines that the report itself would begin with, from a file's own words.
fn forged(told: &Told) -> Vec<String> {
    let both = format!("{}{}", String::from_utf8_lossy(&told.out), told.err);
    let begins = |line: &&str| {
        let line = line.trim_start_matches([' ', '#']);
        line.starts_with("FORGED") || line.starts_with("<FORGED")
    };
    let mut wrong: Vec<String> = both.lines().filter(begins).map(str::to_owned).collect();
    wrong.extend(both.contains('\u{1b}').then(|| format!("an escape in {both:?}")));
    // A document for machines has the words as they are.
    let turned = both.contains('\u{202e}') && !both.starts_with('{');
    wrong.extend(turned.then(|| format!("a turn in {both:?}")));
    wrong
}

#[test]
fn no_word_of_a_file_forges_a_line() {
    let evil = r"x\nFORGED ok\r\u001b[2J\u202e\u2028";
    let first = Place::made().text(&format!("scenarios/{FIRST}.json"));
    let wait = r#"{ "wait": "1ms", "note": "EVIL" }"#.replace("EVIL", evil);
    let changes = [
        ("\"title\": \"A bare FIN meets a closed port\"", format!("\"title\": \"{evil}\"")),
        ("\"cites\": [\"RFC 9293 3.10.7.1\"]", format!("\"cites\": [\"{evil}\"]")),
        ("\"steps\": [", format!("\"finds\": [\"{evil}\"], \"steps\": [{wait},")),
        ("\"sender\":   {", format!("\"{evil}\": {{ \"kind\": \"sink\" }}, \"sender\":   {{")),
        ("\"kind\": \"reject\"", format!("\"kind\": \"{evil}\"")),
        ("\"kind\": \"reject\"", format!("\"kind\": \"reject\", \"profile\": \"{evil}\"")),
        ("\"kind\": \"reject\"", format!("\"kind\": \"reject\", \"{evil}\": 1")),
        ("\"receiver\"], \"delay\"", format!("\"receiver:{evil}\"], \"delay\"")),
        ("\"delay\": \"1ms\"", format!("\"delay\": \"{evil}\"")),
        ("\"flags\": \"F\"", format!("\"{evil}\": \"F\"")),
        ("\"flags\": \"F\"", format!("\"flags\": \"{evil}\"")),
        ("\"steps\": [", format!("\"not-on\": {{ \"sim\": \"{evil}\" }}, \"steps\": [")),
        ("\"note\": \"Change", format!("\"note\": \"{evil}Change")),
        ("\"note\": \"123", format!("\"note\": \"{evil}123")),
        ("\"ack\": 124", "\"ack\": 125".to_owned()),
    ];
    for (number, (from, to)) in changes.iter().enumerate() {
        let mut text = first.replacen(from, to, 1);
        assert_ne!(text, first, "{from}");
        if number > 11 {
            text = text.replacen("\"note\": \"123", &format!("\"note\": \"{evil}123"), 1);
        }
        let place = Place::made();
        place.write("scenarios/evil\nFORGED name\u{1b}[2J.json", &text);
        place.write("golden-pcaps/evil\nFORGED name\u{1b}[2J.pcapng", "none");
        for words in [
            &["run", "-v"][..],
            &["run", "--format", "json"],
            &["run", "--format", "junit"],
            &["list", "-v"],
            &["bless", "--all"],
            &["run", "evil*", "-v", "--no-golden"],
        ] {
            let told = place.run(words);
            // A note of several lines keeps them, deeper than any line of the report's own.
            let deep = |line: &String| line.starts_with("        ") || line.contains('│');
            let wrong: Vec<String> = forged(&told).into_iter().filter(|line| !deep(line)).collect();
            assert!(wrong.is_empty(), "{words:?} of {to}:\n{wrong:#?}\n{}", told.shown());
        }
    }
}

#[test]
fn no_interface_of_a_capture_forges_a_line_and_a_long_one_is_not_copied_for_each_frame() {
    let place = Place::made();
    let mut capture = wireproof::wire::Capture::new();
    let evil = capture.add_interface("a\nFORGED\u{1b}[2J");
    let long = capture.add_interface("n".repeat(60_000));
    for _ in 0..2000 {
        for port in [evil, long] {
            capture.push(wireproof::wire::Instant::ZERO, port, &[0; 60]);
        }
    }
    let bytes = wireproof::golden::encode(&capture).expect("a capture");
    place.write("in.pcapng", &bytes);
    let told = place.run(&["show", "in.pcapng"]).ends_with(0);
    assert_eq!(forged(&told), Vec::<String>::new());
    assert!(told.out.len() < 4_000_000, "{} bytes for 4000 frames", told.out.len());
    let rendered = wireproof::golden::render(&capture);
    // Each of its own frames has the long name; those of others are not padded to it.
    assert!(rendered.len() < 2000 * 61_000 + 4_000_000, "{} bytes", rendered.len());
    place.write("other.pcapng", place.read(&format!("golden-pcaps/{FIRST}.pcapng")));
    assert_eq!(forged(&place.run(&["diff", "in.pcapng", "other.pcapng"])), Vec::<String>::new());
    let fed = place.feed(&["show", "-"], &bytes[..bytes.len() - 7]);
    assert_eq!(forged(&fed), Vec::<String>::new());
}
