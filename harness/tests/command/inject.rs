//! `inject`: each reply says which frame triggered it, whatever kind of file the frames came in.

use std::process::Command;

use wireproof::nodes::Registry;
use wireproof::wire::{self, Capture, Instant, pcap, pcapng};
use wireproof::{cli, commands};

use crate::support::{Place, page, told};
use crate::verdicts::fragile;

/// The frame that the first scenario sends.
fn trigger(place: &Place) -> Vec<u8> {
    place.run(&["run", "-w", "run.pcapng"]).ends_with(0);
    let file = pcapng::read(&place.read("run.pcapng")).expect("a capture");
    file.capture.frame(wire::FrameId(0)).to_vec()
}

/// A millisecond between frames, from one port.
fn capture(frames: &[&[u8]]) -> Capture {
    let mut capture = Capture::new();
    let port = capture.add_interface("tap:eth0");
    for (time, frame) in (0..).zip(frames) {
        capture.push(Instant::from_nanos(time * 1_000_000), port, frame);
    }
    capture
}

fn encode(capture: &Capture) -> Vec<u8> {
    let mut bytes = Vec::new();
    pcapng::write(capture, &pcapng::Comments::new(), &mut bytes).expect("a capture");
    bytes
}

fn first_comments(bytes: &[u8]) -> Vec<String> {
    let file = pcapng::read(bytes).expect("a capture");
    let first = |(id, ..): (wire::FrameId, &wire::Record, &[u8])| {
        let comment = file.comments.get(&id).and_then(|comments| comments.first());
        comment.and_then(|comment| comment.lines().next()).unwrap_or("").to_owned()
    };
    file.capture.iter().map(first).collect()
}

const TO: &str = "reject,ip=10.0.0.2,mac=02:00:00:00:00:02";

#[test]
fn every_reply_names_its_trigger() {
    let place = Place::made();
    let fin = trigger(&place);
    let mut for_nobody = fin.clone();
    for_nobody[..6].fill(0x0e);
    place.write("in.pcapng", encode(&capture(&[&fin, &for_nobody, &fin, &[], &fin[..20], &fin])));
    let done = place.run(&["inject", "in.pcapng", "--to", TO, "-w", "out.pcapng"]).ends_with(0);
    assert_eq!(first_comments(&place.read("out.pcapng")), ["trigger=1", "trigger=3", "trigger=6"]);
    let file = pcapng::read(&place.read("out.pcapng")).expect("a capture");
    let times: Vec<u64> =
        file.capture.iter().map(|(_, record, _)| record.time.as_nanos()).collect();
    assert_eq!(times, [0, 2_000_000, 5_000_000]);
    assert_eq!(file.capture.interfaces(), ["reject:eth0"]);
    page("inject", &place.plain(&done));
}

#[test]
fn a_frame_longer_than_any_packet_ends_nothing() {
    let place = Place::made();
    let fin = trigger(&place);
    let mut long = fin.clone();
    long.resize(70_000, 0);
    place.write("in.pcapng", encode(&capture(&[&fin, &long, &fin])));
    place.run(&["inject", "in.pcapng", "--to", TO, "-w", "out.pcapng"]).ends_with(0);
    // What lies behind the datagram is no part of it, however much that is.
    let triggers = ["trigger=1", "trigger=2", "trigger=3"];
    assert_eq!(first_comments(&place.read("out.pcapng")), triggers);
}

#[test]
fn a_recorded_run_gives_the_same_replies_again() {
    let place = Place::made();
    let golden = "golden-pcaps/first/fin-meets-closed-port.pcapng";
    place.run(&["inject", golden, "--to", TO, "-w", "out.pcapng"]).ends_with(0);
    let reply = pcapng::read(&place.read("out.pcapng")).expect("a capture").capture;
    let golden = pcapng::read(&place.read(golden)).expect("a capture").capture;
    assert_eq!(reply.len(), 1);
    assert_eq!(reply.frame(wire::FrameId(0)), golden.frame(wire::FrameId(1)));
}

#[test]
fn all_forms_of_capture_files_give_the_same_replies() {
    let place = Place::made();
    let fin = trigger(&place);
    let input = capture(&[&fin, &fin, &[1, 2, 3]]);
    place.write("in.pcapng", encode(&input));
    place.run(&["inject", "in.pcapng", "--to", TO, "-w", "wanted.pcapng"]).ends_with(0);
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            let mut bytes = Vec::new();
            pcap::write(&input, pcap::Format { big_endian, nanoseconds }, &mut bytes)
                .expect("pcap");
            place.write("in.pcap", &bytes);
            place.run(&["inject", "in.pcap", "--to", TO, "-w", "out.pcapng"]).ends_with(0);
            assert_eq!(place.read("out.pcapng"), place.read("wanted.pcapng"));
            let piped = place.feed(&["inject", "-", "--to", TO, "-w", "-"], &bytes).ends_with(0);
            assert_eq!(piped.out, place.read("wanted.pcapng"), "by way of pipes");
        }
    }
}

#[test]
fn runts_and_no_frames_at_all_are_fed_like_others() {
    let place = Place::made();
    let runts: Vec<Vec<u8>> = (0..60).map(|length| vec![0xff; length]).collect();
    let runts: Vec<&[u8]> = runts.iter().map(Vec::as_slice).collect();
    place.write("runts.pcapng", encode(&capture(&runts)));
    place.write("none.pcapng", encode(&Capture::new()));
    for kind in Registry::standard().kinds() {
        // A faulty node needs to be told its fault.
        let to = if kind.name == "faulty" { "faulty,fault=ack+1" } else { kind.name };
        for (input, frames) in [("runts.pcapng", 60), ("none.pcapng", 0)] {
            let told = place.run(&["inject", input, "--to", to, "-w", "out.pcapng"]).ends_with(0);
            let silent =
                if frames > 0 { format!(", {frames} not answered") } else { String::new() };
            let line = format!("{frames} frames fed to {}, 0 frames emitted{silent}", kind.name);
            assert_eq!(told.out().lines().last(), Some(line.as_str()), "{to}");
            assert!(first_comments(&place.read("out.pcapng")).is_empty());
        }
    }
}

#[test]
fn a_node_has_all_addresses_that_are_given() {
    let place = Place::made();
    let fin = trigger(&place);
    place.change("\"10.0.0.1\"", "[\"10.0.0.1\", \"fd00::1\"]");
    place.change("\"10.0.0.2\"", "[\"10.0.0.2\", \"fd00::2\"]");
    place.change("\"send\": { \"tcp\"", "\"send\": { \"ip6\": {}, \"tcp\"");
    place.run(&["run", "-w", "six.pcapng"]);
    let six = pcapng::read(&place.read("six.pcapng")).expect("a capture").capture;
    let six = six.frame(wire::FrameId(0));
    assert_eq!(six[12..14], [0x86, 0xdd], "an IPv6 frame");
    place.write("in.pcapng", encode(&capture(&[&fin, six])));
    let mac = "mac=02:00:00:00:00:02";
    for (to, replies) in [
        (format!("reject,{mac},ip=10.0.0.2,ip=fd00::2"), vec!["trigger=1", "trigger=2"]),
        (format!("reject,{mac},ip=10.0.0.2/8"), vec!["trigger=1"]),
        (format!("reject,{mac},ip=fd00::2"), vec!["trigger=2"]),
    ] {
        place.run(&["inject", "in.pcapng", "--to", &to, "-w", "out.pcapng"]).ends_with(0);
        assert_eq!(first_comments(&place.read("out.pcapng")), replies, "{to}");
    }
}

#[test]
fn words_and_files_that_mean_nothing() {
    let place = Place::made();
    let whole = encode(&capture(&[&[0; 60], &[0; 60]]));
    place.write("in.pcapng", &whole);
    place.write("cut.pcapng", &whole[..whole.len() - 7]);
    place.write("empty.pcapng", b"");
    place.write("picture.pcapng", b"GIF89a is no capture");
    place.write("packed.pcapng.gz", b"\x1f\x8b\x08\x00");
    let mut raw = Vec::new();
    pcap::write(&capture(&[&[0; 60]]), pcap::Format::default(), &mut raw).expect("pcap");
    raw[20] = 101;
    place.write("raw.pcap", &raw);
    raw[20] = 1;
    place.write("short.pcap", &raw[..17]);
    place.write("file", b"");
    let before = place.all();
    let mut said = String::new();
    for (input, to, out) in [
        ("absent.pcapng", "reject", "out.pcapng"),
        ("scenarios", "reject", "out.pcapng"),
        ("empty.pcapng", "reject", "out.pcapng"),
        ("picture.pcapng", "reject", "out.pcapng"),
        ("packed.pcapng.gz", "reject", "out.pcapng"),
        ("cut.pcapng", "reject", "out.pcapng"),
        ("raw.pcap", "reject", "out.pcapng"),
        ("short.pcap", "reject", "out.pcapng"),
        ("in.pcapng", "rejekt", "out.pcapng"),
        ("in.pcapng", "", "out.pcapng"),
        ("in.pcapng", "reject,", "out.pcapng"),
        ("in.pcapng", "reject,profile", "out.pcapng"),
        ("in.pcapng", "reject,profile=bsd", "out.pcapng"),
        ("in.pcapng", "reject,ip=fd00::2/129", "out.pcapng"),
        ("in.pcapng", "reject,mac=1,mac=2", "out.pcapng"),
        ("in.pcapng", "reject", "file/out.pcapng"),
        ("in.pcapng", "reject", "scenarios"),
    ] {
        let words = ["inject", input, "--to", to, "-w", out];
        let told = place.run(&words).ends_with(2);
        assert!(told.out.is_empty(), "{}", told.shown());
        assert_eq!(told.err.lines().count(), 1, "{}", told.shown());
        assert!(before == place.all(), "{words:?} wrote a file");
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("refused injections", &said);
}

/// Told in the environment of the second process of the test below.
const AS_COMMAND: &str = "WIREPROOF_TEST_INJECT";

/// A kind that falls over is no kind of the command's own, so this test is the command too.
#[test]
fn a_node_that_panics_is_told_with_its_trigger() {
    if let Some(dir) = std::env::var_os(AS_COMMAND) {
        let mut registry = Registry::standard();
        registry.register(fragile());
        let dir = std::path::PathBuf::from(dir);
        let words = cli::Inject {
            input: dir.join("in.pcapng"),
            to: "fragile".into(),
            role: None,
            write: Some(dir.join("out.pcapng")),
            on: wireproof::on::On::Sim,
            speed: None,
            verbose: false,
        };
        let code = commands::inject::inject(&words, &registry).expect("an exit code");
        std::process::exit(code.into());
    }
    let place = Place::empty();
    place.write("in.pcapng", encode(&capture(&[&[0; 60], &[0; 61]])));
    let name = "inject::a_node_that_panics_is_told_with_its_trigger";
    let done = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(AS_COMMAND, place.path(""))
        .output()
        .expect("this test as a command");
    assert_eq!(done.status.code(), Some(1));
    let err = String::from_utf8_lossy(&done.stderr);
    let told = err.lines().find(|line| line.starts_with("error:")).expect("an error");
    assert_eq!(
        told,
        "error: fragile panicked at trigger=1: no room for 60 bytes; what it emitted before is kept"
    );
    assert!(first_comments(&place.read("out.pcapng")).is_empty());
}

#[test]
fn a_long_capture_passes_through_pipes() {
    let place = Place::made();
    let fin = trigger(&place);
    let many: Vec<&[u8]> = vec![&fin; 5_000];
    let mut command = place.command(&["inject", "-", "--to", TO, "-w", "-"]);
    let told = told(&mut command, &encode(&capture(&many))).ends_with(0);
    assert_eq!(first_comments(&told.out).len(), 5_000);
}
