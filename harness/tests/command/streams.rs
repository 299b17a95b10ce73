//! `show` and `diff` over captures from elsewhere: of any link type, cut, larger than memory, and
//! while they are still written.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use wireproof::wire::{Capture, Instant, pcapng};

use crate::support::{Place, page};

/// A SYN of 58 bytes on Ethernet with that IPv4 identification.
fn syn(id: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 0x2c, 0, id, 0x40, 0, 0x40, 6, 0x26, 0xca_u8.wrapping_sub(id)]);
    frame.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x0f, 0xa0, 0, 0x50, 0, 0, 0, 0x64, 0, 0, 0, 0]);
    frame.extend([0x60, 2, 0xff, 0xff, 0x73, 0xd0, 0, 0, 2, 4, 5, 0xb4]);
    frame
}

/// The same with a payload, as a resetting host would not send it.
fn data(port: u8, len: u8) -> Vec<u8> {
    let mut frame = syn(0);
    frame[17] = 0x2c + len;
    frame[37] = port;
    frame[25] = 0xca_u8.wrapping_sub(len);
    frame.extend(std::iter::repeat_n(b'x', usize::from(len)));
    frame
}

fn file(capture: &Capture) -> Vec<u8> {
    let mut bytes = Vec::new();
    pcapng::write(capture, &pcapng::Comments::new(), &mut bytes).expect("a capture");
    bytes
}

/// A capture of one interface.
fn on(interface: &str, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut capture = Capture::new();
    let port = capture.add_interface(interface);
    for frame in frames {
        capture.push(Instant::ZERO, port, frame);
    }
    file(&capture)
}

/// A classic file of frames that were cut to so many bytes.
fn cut(link: u32, frames: &[(&[u8], u32)]) -> Vec<u8> {
    let head = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0xffff, link];
    let mut file: Vec<u8> = head.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    for (bytes, original) in frames {
        let head = [0, 0, bytes.len() as u32, *original];
        file.extend(head.iter().flat_map(|word: &u32| word.to_le_bytes()));
        file.extend_from_slice(bytes);
    }
    file
}

#[test]
fn captures_from_elsewhere_are_shown() {
    let place = Place::empty();
    let cooked =
        [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &syn(0)[14..]].concat();
    place.write("any.pcap", cut(276, &[(&cooked, 64)]));
    place.write("usb.pcap", cut(189, &[(&cooked, 64)]));
    place.write("cut.pcap", cut(1, &[(&data(80, 100)[..68], 158), (&syn(0)[..56], 58)]));
    // An interface of an unknown link type beside one of Ethernet, and a name of two lines.
    let mut mixed = on("eth0\nof two lines", &[syn(0)]);
    let interface = [1u32, 20, 189, 0, 20].map(u32::to_le_bytes).concat();
    let packet = [6u32, 36, 1, 0, 0, 4, 4, 0x0102_0304, 36].map(u32::to_le_bytes).concat();
    mixed.extend(interface);
    mixed.extend(packet);
    place.write("mixed.pcapng", mixed);
    let mut said = String::new();
    for (words, code) in [
        (&["show", "any.pcap"][..], 0),
        (&["show", "any.pcap", "-v"], 0),
        (&["show", "usb.pcap"], 2),
        (&["show", "cut.pcap"], 0),
        (&["show", "cut.pcap", "-v"], 0),
        (&["show", "mixed.pcapng"], 0),
    ] {
        let told = place.run(words).ends_with(code);
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("show what comes from elsewhere", &said);
}

#[test]
fn two_implementations_are_held_side_by_side() {
    let place = Place::empty();
    place.write("eth0.pcapng", on("eth0", &[syn(0), data(80, 4), data(81, 8)]));
    place.write("wlan0.pcapng", on("wlan0", &[syn(0), data(80, 4), data(81, 8)]));
    // Another identification and so another checksum; other addresses; another order.
    let mut away = syn(9);
    away[11] = 7;
    place.write("other.pcapng", on("wlan0", &[away.clone(), data(81, 8), data(80, 4)]));
    away[25] = 0;
    place.write("wrong.pcapng", on("eth0", &[away, data(80, 4), data(81, 8)]));
    let long = data(80, 100);
    place.write("short.pcap", cut(1, &[(&long[..54], 158)]));
    place.write("whole.pcap", cut(1, &[(&long, 158)]));
    place.write("longer.pcap", cut(1, &[(&long[..54], 1500)]));
    place.write("cooked.pcap", cut(101, &[(&long[14..], 144)]));
    let mut said = String::new();
    for (words, code) in [
        ("eth0.pcapng wlan0.pcapng", 1),
        ("eth0.pcapng wlan0.pcapng --ignore interface", 0),
        ("eth0.pcapng wlan0.pcapng --pair flow", 0),
        ("eth0.pcapng other.pcapng --pair flow", 1),
        ("eth0.pcapng other.pcapng --pair flow --ignore mac,ip4.id", 0),
        ("eth0.pcapng other.pcapng --pair flow --ignore eth,ip4", 0),
        ("eth0.pcapng wrong.pcapng --ignore mac,ip4.id", 1),
        ("eth0.pcapng eth0.pcapng --ignore ip4.idd", 2),
        ("eth0.pcapng eth0.pcapng --ignore vlam", 2),
        ("short.pcap whole.pcap", 0),
        ("whole.pcap short.pcap", 0),
        ("short.pcap longer.pcap", 1),
        ("whole.pcap cooked.pcap", 1),
    ] {
        let words: Vec<&str> = std::iter::once("diff").chain(words.split(' ')).collect();
        let told = place.run(&words).ends_with(code);
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("diff of two implementations", &said);
}

/// Frames further apart than what is held at a time are told of, one by one, and the rest is
/// compared.
#[test]
fn a_long_capture_is_compared_to_its_end() {
    let place = Place::empty();
    let frames: Vec<Vec<u8>> =
        (0..20_000u32).map(|n| [&syn(0)[..], &n.to_be_bytes()].concat()).collect();
    place.write("all.pcapng", on("eth0", &frames));
    let mut less = frames.clone();
    less.remove(15_000);
    less.remove(7);
    less.push(syn(1));
    place.write("less.pcapng", on("eth0", &less));
    let told = place.run(&["diff", "all.pcapng", "less.pcapng"]).ends_with(1);
    assert!(told.out().contains("frame 8 of all.pcapng is missing"), "{}", told.shown());
    assert!(told.out().contains("frame 15001 of all.pcapng is missing"), "{}", told.shown());
    assert!(told.out().contains("frame 19999 is not in all.pcapng"), "{}", told.shown());
    assert!(told.out().ends_with("3 differences\n"), "{}", told.shown());
    // Nothing in common: pair by pair, in bounded time.
    let others: Vec<Vec<u8>> =
        (0..20_000u32).map(|n| [&syn(0)[..], &(n + 70_000).to_be_bytes()].concat()).collect();
    place.write("others.pcapng", on("eth0", &others));
    let told = place.run(&["diff", "all.pcapng", "others.pcapng"]).ends_with(1);
    assert!(told.out().ends_with("20000 differences\n"), "{}", told.shown());
}

#[test]
fn a_live_capture_is_shown_frame_by_frame() {
    let place = Place::empty();
    let mut child = place
        .command(&["show", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut input = child.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    input.write_all(&cut(1, &[])).expect("the command reads");
    for number in 1..=3 {
        // In two parts, as a pipe may have it.
        let frame = cut(1, &[(&syn(0), 58)]).split_off(24);
        let (first, rest) = frame.split_at(30);
        input.write_all(first).and_then(|()| input.flush()).expect("the command reads");
        input.write_all(rest).and_then(|()| input.flush()).expect("the command reads");
        let line = lines.next().expect("a line before the next frame").expect("text");
        assert!(line.starts_with(&format!("   {number}  ")), "{line}");
    }
    drop(input);
    assert_eq!(lines.next().expect("a last line").expect("text"), "3 frames");
    assert!(child.wait().expect("an end").success());
}

/// The most memory that a process has had, in KiB.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    peak.expect("Linux gives the most memory that a process had")
}

/// Feeds a command so many bytes of frames; the most memory that it had by then.
fn fed(mut command: Command, megabytes: usize) -> u64 {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the command runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&cut(1, &[])).expect("the command reads");
    let large = [syn(0), vec![0; 60_000 - 58]].concat();
    let frame = cut(1, &[(&large, 60_000)]).split_off(24);
    for _ in 0..megabytes * 1_000_000 / frame.len() {
        input.write_all(&frame).expect("the command reads");
    }
    // All but what the pipe holds was read, and the command waits for more.
    let peak = peak(child.id());
    drop(input);
    assert!(child.wait().expect("an end").success());
    peak
}

#[test]
fn memory_does_not_grow_with_a_capture() {
    const MOST_KIB: u64 = 48 * 1024;
    let place = Place::empty();
    let shown = fed(place.command(&["show", "-"]), 200);
    assert!(shown < MOST_KIB, "show took {shown} KiB for 200 MB");
    let large = [syn(0), vec![0; 60_000 - 58]].concat();
    let frames = vec![(&large[..], 60_000); 100 * 1_000_000 / 60_016];
    place.write("large.pcap", cut(1, &frames));
    let compared = fed(place.command(&["diff", "large.pcap", "-"]), 100);
    assert!(compared < MOST_KIB, "diff took {compared} KiB for 100 MB");
}
