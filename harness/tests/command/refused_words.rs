//! Command lines that mean nothing: one sentence on standard error, exit code 2, nothing written.

use std::fs;

use crate::support::{FIRST, Place, page};

fn page_of(place: &Place, name: &str, lines: &[&[&str]]) {
    let mut said = String::new();
    let before = place.all();
    for words in lines {
        let told = place.run(words).ends_with(2);
        assert!(told.out.is_empty(), "{words:?}: {}", told.shown());
        assert!(before == place.all(), "{words:?} wrote a file");
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page(name, &said);
}

#[test]
fn words_that_no_option_takes() {
    let place = Place::made();
    page_of(
        &place,
        "refused options",
        &[
            &["rum"],
            &["run", "--formt", "json"],
            &["run", "--format", "yaml"],
            &["run", "--on", "wifi"],
            &["run", "--jobs", "0"],
            &["run", "--jobs", "many"],
            &["bless"],
            &["bless", "--all", FIRST],
            &["inject"],
            &["completions", "tcsh"],
        ],
    );
}

#[test]
fn ids_that_name_nothing_or_too_much() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/other/fin-meets-closed-port.json", text);
    page_of(
        &place,
        "refused ids",
        &[
            &["run", "first/fin-meets-closed-prt"],
            &["run", "frist/"],
            &["run", "something-else"],
            &["run", "fin-meets-closed-port"],
            &["run", "*nothing*"],
            &["run", ""],
            &["run", "absent.json"],
            &["bless", "something-else"],
            &["list", "something-else"],
        ],
    );
}

#[test]
fn a_root_that_is_none() {
    let place = Place::empty();
    fs::create_dir_all(place.path("half/scenarios")).expect("a folder");
    page_of(
        &place,
        "refused roots",
        &[
            &["run"],
            &["run", FIRST],
            &["list"],
            &["bless", "--all"],
            &["run", "--root", "nowhere"],
            &["run", "--root", "half"],
        ],
    );
}

#[test]
fn swaps_that_mean_nothing() {
    let place = Place::made();
    page_of(
        &place,
        "refused swaps",
        &[
            &["run", "--swap", "receiver"],
            &["run", "--swap", "receiver="],
            &["run", "--swap", "=sink"],
            &["run", "--swap", "nobody=sink"],
            &["run", "--swap", "receiver=sink,profile"],
            &["run", "--swap", "receiver=sink,mac=02"],
            &["run", "--swap", "receiver=sink,ip=10.0.0.1/40"],
            &["run", "--swap", "receiver=sink", "--swap", "receiver=reject"],
        ],
    );
}

/// What a swap puts in a node's place is told in the report, where the node stands.
#[test]
fn a_swap_that_no_node_can_follow() {
    let place = Place::made();
    let mut said = String::new();
    for swap in ["receiver=rejekt", "receiver=reject,profle=linux", "receiver=firewall,reject=x"] {
        let told = place.run(&["run", "--swap", swap]).ends_with(2);
        said += &format!("$ wireproof run --swap {swap}\n{}\n", place.plain(&told));
    }
    page("refused swaps of a node", &said);
}

#[test]
fn a_wire_that_needs_an_interface() {
    let place = Place::made();
    place.run(&["run", "-w", "some.pcapng"]).ends_with(0);
    let inject = ["inject", "some.pcapng", "--to", "reject", "-w", "out", "--on", "nic"];
    for (words, line) in [
        (&["run", "--on", "nic"][..], "error: --on nic takes --iface NAME, the interface with"),
        (&["run", "--iface", "eth0"], "error: --iface eth0 goes with --on nic\n"),
        (&["run", "--settle", "5"], "invalid value '5' for '--settle <TIME>': `5` has no unit"),
        (
            &inject,
            "error: inject feeds a node of ours; to a device, `wireproof run --on nic` sends",
        ),
    ] {
        let told = place.run(words).ends_with(2);
        assert!(told.out().is_empty() && told.err.contains(line), "{words:?}: {}", told.err);
    }
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/other/second.json", text);
    place.write("file", "no folder");
    page_of(
        &place,
        "refused places to write",
        &[
            &["run", "-w", "both.pcapng"],
            &["run", "-w", "-"],
            &["run", "first", "-w", "file/x.pcapng"],
            &["run", "first", "-w", "no/such/folder.pcapng"],
            &["run", "first", "-w", ""],
        ],
    );
}

/// Not even for root is there a way to write a file there.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_file() {
    let place = Place::made();
    let told = place.run(&["run", "-w", "/proc/x.pcapng"]).ends_with(2);
    assert!(told.err.starts_with("error: cannot write /proc/x.pcapng: "), "{}", told.err);
    assert!(!told.err.contains(".tmp"), "a name nobody knows: {}", told.err);
    assert_eq!(told.err.lines().count(), 1);
}
