//! `kill -9` at any moment of a `bless`: the golden is the old one or the new one.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use wireproof::catalog::{Item, Root};
use wireproof::golden::{self, State};

use crate::support::{FIRST, Place};

/// Kills of a `bless`, each a little later than the one before.
const KILLS: u64 = 64;
/// Rounds of such kills, at the most: in the last one a bless has half a minute.
const ROUNDS: u32 = 12;

fn golden_of(item: &Item) -> String {
    match golden::read(item).expect("a golden to read") {
        State::Accepted(capture) => golden::render(&capture),
        other => panic!("neither the old golden nor the new one: {other:?}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "another process runs meanwhile, by a real clock")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn a_killed_bless_leaves_the_old_golden_or_the_new_one() {
    let place = Place::made();
    let item = Root::at(&place.path("")).expect("a root").items().expect("items").remove(0);
    let ports = [("\"dst\": 80", "\"dst\": 81"), ("\"dst\": 81", "\"dst\": 80")];
    let mut known = BTreeSet::from([golden_of(&item)]);
    place.change(ports[0].0, ports[0].1);
    place.run(&["bless", FIRST]).ends_with(0);
    known.insert(golden_of(&item));
    assert_eq!(known.len(), 2, "the golden changes");

    let mut now = 1;
    let mut changed = 0;
    // How long a bless takes is the machine's to say: a busy one gets the same kills once more at
    // twice the distance, until some came before it was through and some after.
    let moments = (0..ROUNDS)
        .map(|round| 250 << round)
        .flat_map(|step| (0..KILLS).map(move |kill| (kill, step * kill)));
    for (kill, moment) in moments {
        if kill == 0 && changed > 0 {
            break;
        }
        let before = golden_of(&item);
        // The last one may have come through or not: the scenario is to be other than the golden.
        if now == usize::from(before.contains(".81:")) {
            place.change(ports[now].0, ports[now].1);
            now = 1 - now;
        }
        let mut bless = place
            .command(&["bless", FIRST])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        wait(Duration::from_micros(moment));
        // It may have ended by itself by now.
        let _ = bless.kill();
        bless.wait().expect("it ends");
        let after = golden_of(&item);
        assert!(known.contains(&after), "after {moment} µs:\n{after}");
        changed += u64::from(after != before);
    }
    assert!(changed > 0, "no bless came through: the test looks at nothing");

    // Whatever lies about now, the next commands work, and proposals are cleared away. A file that
    // was half written stays under its passing name, which git and every command pass over.
    place.run(&["run"]);
    place.run(&["list"]).ends_with(0);
    place.run(&["bless", FIRST]).ends_with(0);
    place.run(&["bless", "--reviewed"]).ends_with(0);
    place.run(&["run"]).ends_with(0);
    let left: Vec<String> = place
        .all()
        .into_keys()
        .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .filter(|name| name.ends_with(".new"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "litter");
}
