//! What there is: lists, schema, completions, a first scenario; and who may read them.

use std::process::{Command, Stdio};

use wireproof::catalog::Root;
use wireproof::{checks, nodes};

use crate::support::{FIRST, Place, binary, page, project, told};

#[test]
fn scenarios_are_listed_with_what_they_cite() {
    let place = Place::made();
    let short = place.run(&["list"]).ends_with(0);
    let long = place.run(&["list", "-v"]).ends_with(0);
    page("list", &format!("{}\n{}", place.plain(&short), place.plain(&long)));
}

#[test]
fn every_kind_fault_and_check_is_listed() {
    let place = Place::empty();
    let kinds = place.run(&["nodes"]).ends_with(0);
    for kind in nodes::Registry::standard().kinds() {
        let line = format!("{} (", kind.name);
        assert!(kinds.out().lines().any(|found| found.starts_with(&line)), "{}", kind.name);
        for option in kind.options {
            assert!(kinds.out().contains(&format!("    {}=", option.name)), "{}", option.name);
        }
        for (what, word) in [("command", kind.commands), ("event", kind.events)]
            .iter()
            .flat_map(|(what, words)| words.iter().map(move |word| (what, word)))
        {
            let line = format!("    {what} {} ({})", word.name, word.with.join(", "));
            assert!(kinds.out().contains(&line), "{line}");
            let manual = std::fs::read_to_string(project().join("docs/scenarios.md")).unwrap();
            let row = manual.lines().find(|line| line.starts_with(&format!("| `{}`", kind.name)));
            let row =
                row.unwrap_or_else(|| panic!("docs/scenarios.md has no row of {}", kind.name));
            for name in word.with.iter().chain([&word.name]) {
                assert!(row.contains(&format!("`{name}`")), "{row} does not name {name}");
            }
        }
    }
    for fault in nodes::faulty::FAULTS {
        assert!(kinds.out().contains(&format!("    {}", fault.name)), "{}", fault.name);
    }
    let rules = place.run(&["explain"]).ends_with(0);
    for check in checks::CHECKS {
        let line = rules.out().lines().find(|line| line.split(' ').next() == Some(check.id));
        let line = line.unwrap_or_else(|| panic!("{} is not listed", check.id));
        assert!(line.contains(check.clause) && line.contains(check.requirement), "{line}");
    }
}

#[test]
fn the_schema_is_json_and_the_one_that_init_leaves() {
    let place = Place::made();
    let told = place.run(&["schema"]).ends_with(0);
    let schema: serde_json::Value = serde_json::from_str(told.out()).expect("JSON");
    assert!(schema["properties"]["steps"].is_object(), "no schema of scenarios");
    assert_eq!(place.text("scenarios/schema.json"), told.out());
}

#[test]
fn doctor_needs_nothing() {
    let place = Place::empty();
    let told = place.run(&["doctor"]).ends_with(0);
    assert!(told.out().starts_with("ok       simulated wire"), "{}", told.out());
    let mut alone = place.command(&["doctor"]);
    let without = crate::support::told(alone.env("PATH", ""), b"").ends_with(0);
    assert!(without.out().contains("missing  tshark"), "{}", without.out());
}

#[test]
fn completions_of_every_shell_name_the_commands() {
    let place = Place::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let told = place.run(&["completions", shell]).ends_with(0);
        for word in ["wireproof", "bless", "inject", "no-golden"] {
            assert!(told.out().contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn init_makes_what_runs_and_touches_nothing_that_is_there() {
    let place = Place::empty();
    let made = place.run(&["init"]).ends_with(0);
    let words = made.out().lines().last().and_then(|line| line.strip_prefix("run it: wireproof "));
    let words: Vec<&str> = words.expect("the next command").split_whitespace().collect();
    place.run(&words).ends_with(0);
    let before = place.all();
    let again = place.run(&["init"]).ends_with(2);
    assert!(before == place.all(), "init changed what was there");

    let other = place.run(&["init", "some/new folder"]).ends_with(0);
    let run = place.run(&["run", "--root", "some/new folder"]).ends_with(0);
    assert_eq!(run.out(), format!("ok   {FIRST}: identical, 2 frames\n"));
    place.write("half/golden-pcaps/kept.pcapng", "kept");
    let half = place.run(&["init", "half"]).ends_with(2);
    assert!(!place.path("half/scenarios").exists());
    place.write("file", "");
    let file = place.run(&["init", "file"]).ends_with(2);
    let all = [made, again, other, half, file].map(|told| place.plain(&told));
    page("init", &all.join("\n"));
}

#[test]
fn help_and_version_are_no_errors() {
    let place = Place::empty();
    let mut said = String::new();
    let help: [&[&str]; 5] =
        [&["--help"], &["run", "--help"], &["bless", "-h"], &["inject", "-h"], &["diff", "-h"]];
    for words in help {
        let told = place.run(words).ends_with(0);
        assert!(told.err.is_empty(), "{}", told.shown());
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("help", &said);
    let version = place.run(&["--version"]).ends_with(0);
    assert_eq!(version.out(), format!("wireproof {}\n", env!("CARGO_PKG_VERSION")));
    let nothing = place.run(&[]).ends_with(2);
    assert!(nothing.err.contains("Usage: wireproof"), "{}", nothing.shown());
}

/// What a terminal is told in colour, a file is told plain; and so is who asks for it.
#[test]
fn nobody_but_a_terminal_reads_escape_codes() {
    let place = Place::changed("\"dst\": 80", "\"dst\": 81");
    place.write("scenarios/first/odd.json", "{}");
    for words in [&["run"][..], &["run", "-v"], &["list"], &["bless", "odd"], &["run", "nothing"]] {
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm-256color")] {
            let told = told(place.command(words).env(name, value), b"");
            assert!(!told.shown().contains('\u{1b}'), "{words:?}: {}", told.shown());
        }
    }
    let forced = told(place.command(&["run"]).env("CLICOLOR_FORCE", "1"), b"");
    assert!(forced.out().contains("\u{1b}[1m\u{1b}[31mFAIL"), "{}", forced.out());
    let whole = serde_json::from_str::<serde_json::Value>;
    let mut json = place.command(&["run", "--format", "json"]);
    let json = told(json.env("CLICOLOR_FORCE", "1"), b"");
    assert!(!json.out().contains('\u{1b}') && whole(json.out()).is_ok(), "{}", json.out());
}

/// A reader that has seen enough goes away; that is no failure and no panic.
#[cfg(unix)]
#[test]
fn a_reader_may_go_away_at_any_time() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    for number in 0..300 {
        place.write(&format!("scenarios/many/{number}.json"), &text);
    }
    for words in [
        "list -v",
        "nodes",
        "explain",
        "explain rst-ack",
        "check golden-pcaps/first/fin-meets-closed-port.pcapng",
        "check golden-pcaps/first/fin-meets-closed-port.pcapng --format json",
        "schema",
        "run -v",
        "run --format json",
        "run --format junit",
        "completions bash",
        "doctor",
        "--help",
        "run --help",
        "show golden-pcaps/first/fin-meets-closed-port.pcapng -v -x",
        "inject golden-pcaps/first/fin-meets-closed-port.pcapng --to reject -w -",
    ] {
        let line =
            format!("exec 3>&1; {{ '{}' {words}; echo $? >&3; }} | true", binary().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(place.path("")).stderr(Stdio::piped());
        shell.env_remove("CI").env("COLUMNS", "100");
        let done = shell.output().expect("a shell");
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(!err.contains("panicked"), "{words}: {err}");
        let code = String::from_utf8_lossy(&done.stdout);
        assert!(["0", "1", "141"].contains(&code.trim()), "{words}: exit {code} {err}");
        assert!(!err.contains("error:"), "{words}: {err}");
    }
}

#[test]
fn the_projects_own_scenarios_are_all_listed() {
    let root = Root::at(&project()).expect("the project");
    let items = root.items().expect("scenarios");
    let place = Place::empty();
    let dir = project().display().to_string();
    let told = place.run(&["list", "--root", &dir]).ends_with(0);
    let ids: Vec<&str> = told.out().lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>());
}
