mod bounds;
mod frames;
mod words;

use std::process::{Command, Stdio};

use super::*;
use crate::pcapng::{self, File};
use crate::view::lax;

/// One frame of every kind and many that lie, each named by its comment.
const FRAMES: &[u8] = include_bytes!("../../tests/frames.pcapng");

fn frames() -> File {
    pcapng::read(FRAMES).expect("the tree's own capture")
}

#[test]
fn a_line_for_every_kind_of_frame() {
    let file = frames();
    let mut text = String::new();
    for (id, _, frame) in file.capture.iter() {
        let _ = writeln!(text, "{}. {}\n   {}", id.number(), file.comments[&id][0], line(frame));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_frames_are_written_back_as_they_stand() {
    let file = frames();
    let mut out = Vec::new();
    pcapng::write(&file.capture, &file.comments, &mut out).expect("memory takes everything");
    assert_eq!(out, FRAMES);
}

#[test]
fn every_cut_of_every_frame_has_its_one_line() {
    for (_, _, frame) in frames().capture.iter() {
        for cut in 0..=frame.len() {
            let line = line(&frame[..cut]);
            assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            assert_eq!(line.ends_with(')'), !lax(&frame[..cut]).faults().is_empty(), "{line}");
        }
    }
}

#[test]
fn a_hex_dump_has_offset_bytes_and_text() {
    let bytes: Vec<u8> = (0x38..0x4a).collect();
    assert_eq!(
        hexdump(&bytes),
        "0000  38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  89:;<=>?@ABCDEFG\n\
         0010  48 49                                             HI\n"
    );
    assert_eq!(hexdump(&[]), "");
}

#[test]
fn a_tree_names_every_field() {
    let file = frames();
    let mut text = String::new();
    for number in [3, 7, 13, 23, 25, 37, 41, 46, 51, 52] {
        let id = crate::FrameId(number - 1);
        let comment = &file.comments[&id][0];
        let _ = writeln!(text, "== {number}. {comment}\n{}", tree(file.capture.frame(id)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_cut_of_every_frame_has_a_tree() {
    for (_, _, frame) in frames().capture.iter() {
        for cut in 0..=frame.len() {
            let text = tree(&frame[..cut]);
            assert!(cut == 0 || text.contains(&format!("..{cut}")), "{cut} is not told: {text}");
        }
    }
}

/// Frames whose line is tcpdump's, word for word; the others differ on purpose, by a bad checksum,
/// a note, a fragment's numbers or ports that stand in front.
#[test]
fn tcpdump_says_the_same() {
    let file = frames();
    let mut bytes = Vec::new();
    crate::pcap::write(&file.capture, crate::pcap::Format::default(), &mut bytes)
        .expect("memory takes everything");
    let Some(theirs) = tcpdump(&bytes) else { return };
    assert_eq!(theirs.len(), file.capture.len());
    for number in (2..=4).chain([6, 8]).chain(10..=18).chain([26, 27]).chain(29..=34).chain([51]) {
        let ours = line(file.capture.frame(crate::FrameId(number - 1)));
        assert_eq!(ours, theirs[number as usize - 1], "frame {number}");
    }
}

/// What tcpdump writes of each frame of a capture file; `None` where there is no tcpdump.
fn tcpdump(capture: &[u8]) -> Option<Vec<String>> {
    let child = Command::new("tcpdump")
        .args(["-r", "-", "-n", "-S", "-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no tcpdump on PATH");
        return None;
    };
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, capture).expect("tcpdump reads its input");
    drop(input);
    let output = child.wait_with_output().expect("tcpdump ends");
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().filter(|line| !line.starts_with('\t')).map(Into::into).collect())
}
