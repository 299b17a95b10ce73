//! Small files that ask for much: each runs, or is refused, within bounds of memory and of the
//! processor's time. A child has the bounds from its shell, so a busy machine changes nothing.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{FIRST, Place, Told, binary, told};

/// Runs the command in so many MiB of address space and so many seconds of the processor.
fn bounded(place: &Place, words: &[&str], mib: u32, seconds: u32) -> Told {
    let mut command = Command::new("sh");
    let limits = format!("ulimit -v {} && ulimit -t {seconds} && exec \"$0\" \"$@\"", mib * 1024);
    command.arg("-c").arg(limits).arg(binary()).args(words).current_dir(place.path(""));
    command.env_remove("CI").env("COLUMNS", "100").env("MALLOC_ARENA_MAX", "1");
    told(&mut command, b"")
}

fn list(count: usize, one: impl Fn(usize) -> String) -> String {
    let mut all = String::new();
    for number in 0..count {
        let _ = write!(all, "{}{}", if number > 0 { "," } else { "" }, one(number));
    }
    all
}

/// A scenario on one line.
fn scenario(nodes: &str, rest: &str) -> Place {
    let place = Place::empty();
    place.write("x.json", format!(r#"{{"title":"t","nodes":{{{nodes}}},{rest}}}"#));
    place
}

const WAIT: &str = r#""steps":[{"wait":"1ms"}]"#;

fn run(place: &Place, mib: u32, seconds: u32) -> Told {
    bounded(place, &["run", "x.json", "--no-golden", "-j", "1"], mib, seconds)
}

#[test]
fn many_waits_on_one_line_take_time_of_their_number() {
    let steps = list(60_000, |_| r#"{"wait":"1ns"}"#.to_owned());
    let place = scenario(r#""a":{"kind":"sink"}"#, &format!(r#""steps":[{steps}]"#));
    run(&place, 400, 20).ends_with(0);
}

#[test]
fn a_hub_takes_time_of_its_links() {
    let spokes = list(14_000, |at| format!(r#""n{at}":{{"kind":"sink"}}"#));
    let named = list(14_000, |at| format!(r#"{{"ends":["hub:p{at}","n{at}"]}}"#));
    let nodes = format!(r#""hub":{{"kind":"tester"}},{spokes}"#);
    let place = scenario(&nodes, &format!(r#""links":[{named}],{WAIT}"#));
    run(&place, 600, 30).ends_with(0);
    // Steps that name its ports, and one that is not there.
    let steps =
        list(14_000, |at| format!(r#"{{"for":"0ns","from":"hub:q{at}","expect-nothing":{{}}}}"#));
    let place = scenario(&nodes, &format!(r#""links":[{named}],"steps":[{steps}]"#));
    let told = run(&place, 600, 30).ends_with(2);
    assert!(told.out().contains("13950 more faults are not shown"), "{} bytes", told.out.len());
}

#[test]
fn as_many_nodes_as_can_be_take_time_of_their_number() {
    let nodes = list(64_900, |at| format!(r#""n{at}":{{"kind":"sink"}}"#));
    run(&scenario(&nodes, WAIT), 800, 30).ends_with(0);
}

#[test]
fn steps_about_everybody_share_the_list_of_everybody() {
    let nodes = list(20_000, |at| format!(r#""n{at}":{{"kind":"sink"}}"#));
    let steps = list(20_000, |_| r#"{"for":"0ns","expect-nothing":{}}"#.to_owned());
    run(&scenario(&nodes, &format!(r#""steps":[{steps}]"#)), 500, 30).ends_with(0);
}

#[test]
fn faults_without_end_are_counted_and_fifty_are_shown() {
    let kinds = list(30_000, |at| format!(r#""n{at}":{{"kind":"rejekt"}}"#));
    let finds = list(100_000, |_| r#""rst-akc""#.to_owned());
    for (nodes, rest) in [
        (kinds.as_str(), WAIT.to_owned()),
        (r#""a":{"kind":"sink"}"#, format!(r#""finds":[{finds}],{WAIT}"#)),
    ] {
        let told = run(&scenario(nodes, &rest), 600, 30).ends_with(2);
        assert!(told.out().contains("more faults are not shown"), "{} bytes", told.out.len());
        assert!(told.out().matches("did you mean").count() == 50);
    }
}

#[test]
fn a_node_with_many_addresses_is_not_copied_to_all_who_send_there() {
    let addresses = list(3000, |at| format!(r#""10.0.{}.{}""#, at / 256, at % 256));
    let senders = list(3000, |at| format!(r#""n{at}":{{"kind":"tester","to":"z"}}"#));
    let nodes = format!(r#""z":{{"kind":"tester","ip":[{addresses}]}},{senders}"#);
    run(&scenario(&nodes, WAIT), 300, 20).ends_with(0);
}

/// Two routers that pass each other long datagrams until their hops are used up.
fn routers(rest: &str) -> Place {
    let nodes = r#""a":{"kind":"tester","ip":"10.9.0.1/24","to":["10.200.0.9"]},
        "f":{"kind":"firewall","ports":{"x":{"ip":"10.9.0.2/24"},"l":{"ip":"10.1.0.1/24"},
            "r":{"ip":"10.200.0.1/24"}}},
        "g":{"kind":"firewall","ports":{"l":{"ip":"10.200.0.3/25"},"r":{"ip":"10.9.0.3/16"}}}"#;
    let links = r#"{"ends":["a","f:x"]},{"ends":["f:r","g:l"]},{"ends":["f:l","g:r"]}"#;
    let send = r#"{"node":"a","send":{"ip4":{"dst":"10.200.0.9","ttl":255},"udp":{},
        "payload":{"zero":65000}}}"#;
    let steps = list(60, |_| send.to_owned());
    scenario(nodes, &format!(r#""links":[{links}],{rest}"steps":[{steps}]"#))
}

#[test]
fn a_run_ends_at_its_limit_of_bytes_whatever_the_file_says_of_frames() {
    let most = r#""limits":{"frames":4294967295,"queue":4294967295,"steps":18446744073709551615},"#;
    for limits in ["", most] {
        let told = run(&routers(limits), 900, 60).ends_with(2);
        let wanted = "the frames emitted have more bytes than this run's limit of 268435456";
        assert!(told.out().contains(wanted), "{}", told.shown());
    }
    let told = run(&routers(r#""limits":{"bytes":1000000},"#), 200, 20).ends_with(2);
    assert!(told.out().contains("this run's limit of 1000000"), "{}", told.shown());
    let told = run(&routers(r#""limits":{"bytes":1073741825},"#), 200, 20).ends_with(2);
    assert!(told.out().contains("1073741825 is out of range"), "{}", told.shown());
}

#[test]
fn names_and_masks_of_any_size_are_refused() {
    let long = "n".repeat(500_000);
    let named = format!(r#""a":{{"kind":"sink","ports":{{"{long}":{{}}}}}}"#);
    let told = run(&scenario(&named, WAIT), 300, 20).ends_with(2);
    assert!(told.out().contains("a port's name has 500000 bytes"), "{} bytes", told.out.len());
    let fields = list(900, |_| r#""ip4.id""#.to_owned());
    let frames = list(100_000, |at| (at + 1).to_string());
    let masks = format!(r#"{{"field":[{fields}],"frames":[{frames}],"reason":"x"}}"#);
    let place = scenario(r#""a":{"kind":"sink"}"#, &format!(r#""masks":[{masks}],{WAIT}"#));
    let told = run(&place, 300, 20).ends_with(2);
    assert!(told.out().contains("too many masks"), "{} bytes", told.out.len());
}

#[test]
fn folders_that_link_to_themselves_and_files_that_are_none_hang_nothing() {
    let place = Place::made();
    symlink("..", place.path("scenarios/first/up")).expect("a link");
    symlink(".", place.path("scenarios/self")).expect("a link");
    let told = bounded(&place, &["list"], 400, 10).ends_with(0);
    assert_eq!(told.out().lines().count(), 1, "{}", told.out());
    let golden = place.path(&format!("golden-pcaps/{FIRST}.pcapng"));
    let snapshot = golden.with_extension("snap");
    let scenario = place.path("scenarios/first/pipe.json");
    assert!(Command::new("mkfifo").arg(&scenario).status().expect("mkfifo").success());
    let told = bounded(&place, &["run", "pipe"], 400, 10).ends_with(2);
    assert!(told.out().contains("a pipe; only a regular file is read"), "{}", told.shown());
    std::fs::remove_file(&scenario).expect("a pipe");
    for path in [&golden, &snapshot] {
        let kept = std::fs::read(path).expect("a file");
        for (what, code) in [("pipe", 2), ("/dev/zero", 2), ("/etc/passwd", 2)] {
            std::fs::remove_file(path).expect("a file");
            if what == "pipe" {
                assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
            } else {
                symlink(what, path).expect("a link");
            }
            for words in [&["run"][..], &["bless", "--all"]] {
                let told = bounded(&place, words, 400, 10).ends_with(code);
                let names =
                    told.out().contains("only a regular") || told.shown().contains("leads out");
                assert!(names && !told.shown().contains("root:x"), "{}", told.shown());
            }
        }
        std::fs::remove_file(path).expect("what stands there");
        std::fs::write(path, kept).expect("a file");
    }
    place.run(&["run"]).ends_with(0);
    std::fs::remove_dir_all(place.path("scenarios")).expect("a folder");
    symlink("/etc", place.path("scenarios")).expect("a link");
    let told = bounded(&place, &["list"], 400, 10).ends_with(2);
    assert!(told.err.contains("a link leads out of"), "{}", told.shown());
}

#[test]
fn a_golden_is_written_and_compared_without_being_held_beside_its_frames() {
    // 52 MB of frames: room for them once is not room for their file as well.
    let send = r#"{"node":"a","send":{"ip4":{},"udp":{"dst":80},"payload":{"zero":65000}}}"#;
    let steps = list(800, |_| send.to_owned());
    let nodes = r#""a":{"kind":"tester"},"b":{"kind":"sink"}"#;
    let place = scenario(nodes, &format!(r#""links":[{{"ends":["a","b"]}}],"steps":[{steps}]"#));
    place.write("scenarios/x.json", place.read("x.json"));
    place.write("golden-pcaps/.gitignore", "");
    bounded(&place, &["bless", "x"], 240, 60).ends_with(0);
    bounded(&place, &["run", "x"], 240, 60).ends_with(0);
}
