use std::process::{Command, Stdio};

use pcap_file::pcapng::{Block, PcapNgReader};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::capture::PortId;
use crate::pcap;
use crate::time::Instant;

fn sample() -> (Capture, Comments) {
    let mut capture = Capture::new();
    let a = capture.add_interface("sender:0");
    let b = capture.add_interface("rejecter:0");
    capture.push(Instant::ZERO, a, &[0xaa; 61]);
    let id = capture.push(Instant::from_nanos(1_000_001), b, &[0xbb; 60]);
    capture.push(Instant::from_nanos(u64::MAX), a, &[]);
    (capture, Comments::from([(id, vec!["first".into(), "zweite Zeile: ü\nnext".into()])]))
}

fn bytes(capture: &Capture, comments: &Comments) -> Vec<u8> {
    let mut out = Vec::new();
    write(capture, comments, &mut out).expect("memory takes everything");
    out
}

fn frames(capture: &Capture) -> Vec<(Instant, PortId, Vec<u8>)> {
    capture.iter().map(|(_, record, frame)| (record.time, record.port, frame.to_vec())).collect()
}

/// A block with its two lengths.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = word(body.len() as u32 + 12);
    [&word(kind)[..], &length, &body, &length].concat()
}

fn words(big: bool, words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() }).collect()
}

fn section(big: bool) -> Vec<u8> {
    let version = if big { [0, 1, 0, 0] } else { [1, 0, 0, 0] };
    let body = [&words(big, &[0x1a2b_3c4d])[..], &version, &[0xff; 8]].concat();
    block(big, 0x0a0d_0d0a, &body)
}

/// An interface description without a name: link type, snap length, resolution, offset in seconds.
fn interface(big: bool, link_type: u16, snap: u32, resolution: u8, offset: i64) -> Vec<u8> {
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let long = if big { offset.to_be_bytes() } else { offset.to_le_bytes() };
    let body = [
        &half(link_type)[..],
        &[0, 0],
        &words(big, &[snap]),
        &half(9),
        &half(1),
        &[resolution, 0, 0, 0],
        &half(14),
        &half(8),
        &long,
        &[0; 4],
    ];
    block(big, 1, &body.concat())
}

fn enhanced(big: bool, interface: u32, ticks: u64, frame: &[u8], original: u32) -> Vec<u8> {
    let head = [interface, (ticks >> 32) as u32, ticks as u32, frame.len() as u32, original];
    block(big, 6, &[&words(big, &head)[..], frame].concat())
}

#[test]
fn golden_bytes_are_these() {
    let mut capture = Capture::new();
    let port = capture.add_interface("a:0");
    capture.push(Instant::from_nanos(0x1_0000_0002), port, &[1, 2, 3]);
    let expected = [
        "0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000",
        "01000000 28000000 01000000 00000000 02000300 613a3000 09000100 09000000 00000000 28000000",
        "06000000 24000000 00000000 01000000 02000000 03000000 03000000 01020300 24000000",
    ];
    let expected = crate::hex::decode(&expected.concat()).expect("hex digits");
    assert_eq!(bytes(&capture, &Comments::new()), expected);
}

#[test]
fn what_is_written_is_read_again_by_us_and_by_pcap_file() {
    let (capture, comments) = sample();
    let bytes = bytes(&capture, &comments);
    let file = read(&bytes).expect("our own file");
    assert_eq!(file.capture.interfaces(), capture.interfaces());
    assert_eq!(frames(&file.capture), frames(&capture));
    assert_eq!(file.comments, comments);
    assert!(file.notes.is_empty(), "{:?}", file.notes);

    let mut reader = PcapNgReader::new(&bytes[..]).expect("a section header");
    let mut seen = Vec::new();
    while let Some(block) = reader.next_block() {
        if let (Block::EnhancedPacket(packet), _) = block.expect("a right block") {
            seen.push((packet.timestamp.as_nanos() as u64, packet.data.to_vec()));
        }
    }
    let ours: Vec<_> =
        frames(&capture).into_iter().map(|(time, _, frame)| (time.as_nanos(), frame)).collect();
    assert_eq!(seen, ours);
}

#[test]
fn a_long_comment_goes_on_in_the_next() {
    let (capture, _) = sample();
    let long = "ü".repeat(100_000);
    let comments = Comments::from([(FrameId(0), vec![long.clone(), "short".into()])]);
    let file = read(&bytes(&capture, &comments)).expect("our own file");
    let texts = &file.comments[&FrameId(0)];
    assert_eq!(texts.len(), 5);
    assert_eq!(texts[..4].concat(), long);
}

#[test]
fn foreign_files_in_both_byte_orders_and_any_resolution() {
    for big in [false, true] {
        let file = [
            section(big),
            block(big, 0x0bad, &[0; 8]),
            interface(big, 1, 4, 0x80 | 10, 0),
            interface(big, 1, 0, 12, 7),
            enhanced(big, 0, 1024 + 512, &[1, 2, 3, 4, 5], 9),
            enhanced(big, 1, 5_000, &[6], 1),
            block(big, 3, &[&words(big, &[6])[..], &[9, 8, 7, 6]].concat()),
            // The next section has the other byte order and an interface of its own.
            section(!big),
            interface(!big, 1, 0, 6, -1),
            enhanced(!big, 0, 1_000_001, &[7; 14], 14),
        ]
        .concat();
        let file = read(&file).expect("a right file");
        assert_eq!(file.capture.interfaces(), ["if0", "if1", "if2"]);
        let expected = [
            (1_500_000_000, 0, vec![1, 2, 3, 4, 5]),
            (7_000_000_005, 1, vec![6]),
            (0, 0, vec![9, 8, 7, 6]),
            (1_000, 2, vec![7; 14]),
        ];
        let expected = expected.map(|(n, port, b)| (Instant::from_nanos(n), PortId(port), b));
        assert_eq!(frames(&file.capture), expected);
        assert_eq!(file.notes.len(), 2, "{:?}", file.notes);
        assert!(file.notes[0].starts_with("2 frames were cut"), "{:?}", file.notes);
    }
}

#[test]
fn errors_say_what_is_wrong_and_keep_what_was_read() {
    let (capture, comments) = sample();
    let whole = bytes(&capture, &comments);
    let (so_far, error) = read_so_far(&whole[..whole.len() - 5]);
    let error = error.expect("a cut file").to_string();
    assert!(error.contains("ends within a block"), "{error}");
    assert_eq!(frames(&so_far.capture), frames(&capture)[..2]);
    assert_eq!(so_far.comments, comments);

    let start = || [section(false), interface(false, 1, 0, 9, 0)].concat();
    for (bytes, message) in [
        (vec![], "empty"),
        (vec![0x1f, 0x8b, 8], "unpacking gzip"),
        (b"GET / HTTP".to_vec(), "begins with 47 45 54 20"),
        (
            [section(false), interface(false, 147, 0, 9, 0), enhanced(false, 0, 0, &[1], 1)]
                .concat(),
            "frames of if0 of link type USER0 (147), which cannot",
        ),
        ([start(), enhanced(false, 1, 0, &[1], 1)].concat(), "interface 1; the section has 1"),
        ([start(), block(false, 6, &[0; 16])].concat(), "16 of 20 bytes"),
        (
            [start(), block(false, 6, &words(false, &[0, 0, 0, u32::MAX, u32::MAX]))].concat(),
            "4294967295 bytes in a block with room for 0",
        ),
        (
            [start(), words(false, &[6, u32::MAX - 3, 0])].concat(),
            "a block of 4294967292 bytes; the longest",
        ),
        ([start(), words(false, &[6, 13, 0, 0])].concat(), "a block of 13 bytes"),
        ([start(), words(false, &[6, 16, 0, 20])].concat(), "16 first, as 20 last"),
    ] {
        let error = read(&bytes).expect_err(message);
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn blocks_end_where_their_fixed_part_does_and_not_before() {
    let start = || [section(false), block(false, 1, &[1, 0, 0, 0, 0, 0, 0, 0])].concat();
    let packets = [block(false, 6, &[0; 20]), block(false, 3, &[0; 4])].concat();
    let file = read(&[start(), packets].concat()).expect("blocks without options");
    let none = (Instant::ZERO, PortId(0), vec![]);
    assert_eq!(frames(&file.capture), [none.clone(), none]);

    let magic = words(false, &[0x1a2b_3c4d, 1, 0]);
    for (kind, body, message) in [
        (0x0a0d_0d0a, &magic[..], "the section header is too short"),
        (1, &[1, 0, 0, 0], "the interface description is too short"),
        (1, &[], "the interface description is too short"),
        (6, &[0; 16], "16 of 20 bytes"),
        (3, &[], "0 of 4 bytes"),
    ] {
        let file = [start(), block(false, kind, body)].concat();
        let error = read(&file).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn classic_pcap_in_its_four_forms() {
    let (capture, _) = sample();
    let mut short = Capture::new();
    let port = short.add_interface("x");
    for (_, record, frame) in capture.iter().take(2) {
        short.push(record.time, port, frame);
    }
    for (big_endian, nanoseconds) in [(false, false), (false, true), (true, false), (true, true)] {
        let format = pcap::Format { big_endian, nanoseconds };
        let mut out = Vec::new();
        pcap::write(&short, format, &mut out).expect("memory takes everything");
        assert_eq!(pcap::detect(&out), Some(format));
        let file = read(&out).expect("our own file");
        let times: Vec<_> = file.capture.iter().map(|(_, r, _)| r.time.as_nanos()).collect();
        assert_eq!(times, [0, if nanoseconds { 1_000_001 } else { 1_000_000 }]);
        let (so_far, error) = read_so_far(&out[..out.len() - 1]);
        let error = error.expect("a cut file").to_string();
        assert!(error.contains("59 of 60 bytes"), "{error}");
        assert_eq!(so_far.capture.len(), 1);
    }
    let error = pcap::write(&capture, pcap::Format::default(), Vec::new());
    assert!(error.is_err(), "a time after 2106 does not fit");
}

#[test]
fn tshark_reads_names_times_and_comments() {
    let (capture, comments) = sample();
    let child = Command::new("tshark")
        .args(["-r", "-", "-T", "fields", "-E", "separator=|"])
        .args(["-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "frame.len"])
        .args(["-e", "frame.comment"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no tshark on PATH");
        return;
    };
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&bytes(&capture, &comments)).expect("tshark reads its input");
    drop(input);
    let output = child.wait_with_output().expect("tshark ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "sender:0|0.000000000|61|", "{text}");
    assert!(lines[1].starts_with("rejecter:0|0.001000001|60|first,"), "{text}");
}

proptest! {
    #[test]
    fn round_trip(frames_in in prop::collection::vec(
        (any::<u64>(), 0u16..3, prop::collection::vec(any::<u8>(), 0..90),
         prop::collection::vec("[^\\x00]{0,12}", 0..3)), 0..12)
    ) {
        let (mut capture, mut comments) = (Capture::new(), Comments::new());
        for name in ["a:0", "b:1", "ü"] {
            capture.add_interface(name);
        }
        for (nanos, port, frame, said) in frames_in {
            let id = capture.push(Instant::from_nanos(nanos), PortId(port), &frame);
            if !said.is_empty() {
                comments.insert(id, said);
            }
        }
        let file = read(&bytes(&capture, &comments)).expect("our own file");
        prop_assert_eq!(frames(&file.capture), frames(&capture));
        prop_assert_eq!(file.comments, comments);
    }

    #[test]
    fn no_bytes_panic(edits in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
                      cut in any::<Index>(), classic: bool) {
        let (capture, comments) = sample();
        let mut bytes = bytes(&capture, &comments);
        if classic {
            bytes = pcap_file_bytes();
        }
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes);
        let _ = read(&bytes[..cut.index(bytes.len())]);
    }
}

fn pcap_file_bytes() -> Vec<u8> {
    let mut capture = Capture::new();
    let port = capture.add_interface("x");
    capture.push(Instant::ZERO, port, &[1; 60]);
    let mut out = Vec::new();
    pcap::write(&capture, pcap::Format::default(), &mut out).expect("memory takes everything");
    out
}
