//! What a run comes to: the exit code, and a report that names the field and the next command.

use std::fs;

use wireproof::Suite;
use wireproof::link::{Command, CommandError, Node, PortIndex, Transmit};
use wireproof::nodes::{Kind, NodeConfig, PortRule, Registry, Role, in_process};
use wireproof::wire::Instant;

use crate::support::{FIRST, Place, page};

fn golden() -> String {
    format!("golden-pcaps/{FIRST}.pcapng")
}

fn snapshot() -> String {
    format!("golden-pcaps/{FIRST}.snap")
}

#[test]
fn all_holds() {
    let place = Place::made();
    let before = place.all();
    let short = place.run(&["run"]).ends_with(0);
    let long = place.run(&["run", "-v"]).ends_with(0);
    assert!(before == place.all(), "a run wrote a file");
    page("verdict holds", &format!("{}\n{}", place.plain(&short), place.plain(&long)));
}

#[test]
fn a_value_that_differs_from_the_golden() {
    let place = Place::changed("\"dst\": 80", "\"dst\": 81");
    let before = place.all();
    let told = place.run(&["run"]).ends_with(1);
    assert!(before == place.all(), "a run wrote a file");
    page("verdict differs", &place.plain(&told));
    place.run(&["bless", FIRST]).ends_with(0);
    place.run(&["run"]).ends_with(0);
}

#[test]
fn a_frame_more_and_a_frame_less() {
    let send = "{ \"at\": \"0ms\", \"node\": \"sender\",";
    let more = "{ \"after\": \"1ms\", \"node\": \"sender\", \"send\": { \"tcp\": { \"dst\": 7, \
                \"flags\": \"S\" } } },\n    { \"node\": \"sender\",";
    let place = Place::changed(send, more);
    let told = place.run(&["run"]).ends_with(1);
    place.run(&["bless", FIRST]).ends_with(1);
    page("verdict more frames", &place.plain(&told));

    let place = Place::changed("\"delay\": \"1ms\"", "\"delay\": \"1ms\", \"loss\": 1");
    let told = place.run(&["run", "-v"]).ends_with(1);
    page("verdict fewer frames", &place.plain(&told));
}

#[test]
fn another_time() {
    let place = Place::changed("\"delay\": \"1ms\"", "\"delay\": \"2ms\"");
    let told = place.run(&["run"]).ends_with(1);
    page("verdict other time", &place.plain(&told));
}

#[test]
fn a_rule_that_is_broken() {
    let kind = "\"kind\": \"faulty\", \"of\": \"reject\", \"fault\"";
    let mut said = String::new();
    for fault in ["tcp-checksum", "missing-rst", "window", "doubled"] {
        let place = Place::changed("\"kind\": \"reject\"", &format!("{kind}: \"{fault}\""));
        let told = place.run(&["run"]).ends_with(1);
        said += &format!("# {fault}\n{}\n", place.plain(&told));
    }
    page("verdict violates", &said);
}

#[test]
fn a_swap_is_repeated_by_the_command_that_repeats() {
    let place = Place::made();
    let swap = "receiver=faulty,of=reject,fault=ack+1,ip=10.0.0.2,mac=02:00:00:00:00:02";
    let told = place.run(&["run", "--swap", swap]).ends_with(1);
    assert!(told.out().contains(&format!("--swap {swap}")), "{}", told.out());
    assert!(!told.out().contains("accept:"), "{}", told.out());
    page("verdict swapped", &place.plain(&told));
}

#[test]
fn an_expectation_that_fails() {
    let mut said = String::new();
    for (name, from, to) in [
        ("another value", "\"ack\": 124", "\"ack\": 125"),
        ("nothing in time", "\"within\": \"5ms\"", "\"within\": \"1500us\""),
        ("too soon", "{ \"within\": \"5ms\"", "{ \"within\": \"999us\""),
        ("another emitter", "\"from\": \"receiver\"", "\"from\": \"sender\""),
    ] {
        let place = Place::changed(from, to);
        let told = place.run(&["run"]);
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    page("verdict expectation", &said);
}

#[test]
fn a_check_that_was_to_bite_and_did_not() {
    let place = Place::changed("\"links\"", "\"finds\": [\"tcp-checksum\"],\n  \"links\"");
    let told = place.run(&["run"]).ends_with(1);
    page("verdict toothless", &place.plain(&told));
}

#[test]
fn no_golden_and_half_a_golden() {
    let place = Place::made();
    let whole = place.read(&golden());
    fs::remove_file(place.path(&snapshot())).expect("a file");
    let no_rendering = place.run(&["run"]).ends_with(1);
    fs::remove_file(place.path(&golden())).expect("a file");
    let missing = place.run(&["run"]).ends_with(1);
    let aside = place.run(&["run", "--no-golden"]).ends_with(0);

    let other = Place::changed("\"dst\": 80", "\"dst\": 81");
    other.run(&["bless", FIRST]).ends_with(0);
    other.write(&golden(), &whole);
    let disagree = other.run(&["run"]).ends_with(1);
    fs::remove_file(other.path(&golden())).expect("a file");
    let no_frames = other.run(&["run"]).ends_with(1);
    other.write(&golden(), &whole[..whole.len() - 9]);
    let cut = other.run(&["run"]).ends_with(1);
    other.write(&golden(), &whole);
    other.write(&snapshot(), "no head");
    let no_snapshot = other.run(&["run"]).ends_with(1);

    let said: String = [
        ("no rendering", no_rendering),
        ("no golden at all", missing),
        ("no golden asked for", aside),
        ("frames and rendering disagree", disagree),
        ("no frames", no_frames),
        ("frames cut", cut),
        ("no snapshot", no_snapshot),
    ]
    .into_iter()
    .map(|(name, told)| format!("# {name}\n{}\n", place.plain(&told)))
    .collect();
    page("verdict goldens", &said);
}

#[test]
fn whatever_became_of_a_golden_bless_makes_it_whole() {
    let place = Place::made();
    let whole = place.read(&golden());
    for (file, bytes) in [
        (golden(), &whole[..whole.len() - 9]),
        (golden(), &whole[..0]),
        (golden(), &b"GIF89a"[..]),
        (snapshot(), &b"no head"[..]),
        (snapshot(), &b"---\nsource: x\n---\nother frames\n"[..]),
    ] {
        place.write(&file, bytes);
        let told = place.run(&["bless", FIRST]).ends_with(0);
        assert!(told.out().starts_with("blessed"), "{}", told.shown());
        place.run(&["run"]).ends_with(0);
        assert_eq!(place.read(&golden()), whole);
    }
}

#[test]
fn a_run_that_cannot_be_carried_out() {
    let mut said = String::new();
    for (name, from, to) in [
        ("too many frames", "\"links\"", "\"limits\": { \"frames\": 1 },\n  \"links\""),
        ("too many events", "\"links\"", "\"limits\": { \"steps\": 1 },\n  \"links\""),
        ("too long", "\"links\"", "\"limits\": { \"duration\": \"1us\" },\n  \"links\""),
        ("a command refused", "\"kind\": \"tester\"", "\"kind\": \"sink\""),
    ] {
        let place = Place::changed(from, to);
        let told = place.run(&["run"]).ends_with(2);
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    page("verdict not carried out", &said);
}

/// Falls over at the first frame.
struct Fragile;

impl Node for Fragile {
    fn handle_frame(&mut self, _now: Instant, _port: PortIndex, frame: &[u8]) {
        panic!("no room for {} bytes", frame.len());
    }

    fn handle_command(&mut self, _now: Instant, _command: &Command) -> Result<(), CommandError> {
        Ok(())
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        None
    }
}

pub(crate) fn fragile() -> Kind {
    let read = |_: &NodeConfig, _: &Registry| Ok(in_process(Role::Other, |_| Box::new(Fragile)));
    Kind::new("fragile", "falls over", read).ports(PortRule::AtLeast(1))
}

#[test]
fn a_panic_of_a_node_is_a_finding_about_it() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    let text = text.replace("\"kind\": \"reject\"", "\"kind\": \"fragile\"");
    place.write("scenarios/first/a-fragile-one.json", text);
    let suite = Suite::at(place.path("")).kind(fragile());
    let (holds, told) = suite.run().expect("a run");
    assert!(!holds);
    let dir = place.path("").display().to_string();
    page("verdict panic", &told.replace(&dir, "DIR/"));
}

/// What is no node's fault is wireproof's own: it names itself, and the other scenarios are run.
#[test]
fn a_panic_outside_nodes_is_the_outcome_of_one_scenario() {
    let place = Place::made();
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/first/boom.json", text.replace("reject", "boom"));
    let boom = Kind::new("boom", "is never made", |_, _| panic!("no such luck"));
    let suite = Suite::at(place.path("")).kind(boom);
    let (holds, told) = suite.run().expect("scenarios");
    let own = "a fault of wireproof itself, which panicked: no such luck";
    assert!(!holds && told.contains(own), "{told}");
    assert!(told.contains(&format!("ok   {FIRST}: identical")), "{told}");
}
