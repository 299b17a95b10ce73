//! `reject` against a running kernel: every answer byte for byte, and every silence.
//!
//! `kernel-6.18/` holds what was measured on Linux 6.18.44, as `docs/rst-rules.md` tells: an `inet`
//! table with `meta l4proto tcp reject with tcp reset` at INPUT, behind a veth pair. An answer has
//! the time of its trigger. `WIREPROOF_KERNEL_MEASUREMENTS`, a list of folders with commas, holds
//! further measurements of the same shape.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use link::Node;
use testing::{both, digits, port};
use wire::Instant;
use wireproof_nodes::NodeConfig;
use wireproof_nodes::reject::Reject;

fn frames(file: &Path) -> Vec<(Instant, Vec<u8>)> {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let file = wire::pcapng::read(&bytes).expect("a classic pcap");
    file.capture.iter().map(|(_, record, frame)| (record.time, frame.to_vec())).collect()
}

/// The host that was measured.
fn host() -> Reject {
    Reject::new(&NodeConfig { ports: vec![port(2, &both(2))], ..NodeConfig::default() })
        .expect("a host")
}

/// The triggers whose answers differ, in words; and how many triggers there were.
fn differences(folder: &Path) -> (usize, Vec<String>) {
    let mut answers: BTreeMap<Instant, Vec<Vec<u8>>> = BTreeMap::new();
    for (time, frame) in frames(&folder.join("answers.pcap")) {
        answers.entry(time).or_default().push(frame);
    }
    let triggers = frames(&folder.join("triggers.pcap"));
    let (mut node, mut differ) = (host(), Vec::new());
    for (number, (time, trigger)) in (1..).zip(&triggers) {
        node.handle_frame(*time, 0, trigger);
        let mut emitted = Vec::new();
        while let Some(transmit) = node.poll_transmit(*time) {
            emitted.push(transmit.frame.to_vec());
        }
        let expected = answers.remove(time).unwrap_or_default();
        if emitted != expected {
            let shown =
                |all: &[Vec<u8>]| all.iter().map(|f| digits(f)).collect::<Vec<_>>().join(" ");
            let (told, said) = (shown(&expected), shown(&emitted));
            let trigger = digits(trigger);
            differ.push(format!("{number}: {trigger}\n  kernel: {told}\n  reject: {said}"));
        }
    }
    assert!(answers.is_empty(), "{} answers have no trigger", answers.len());
    (triggers.len(), differ)
}

#[test]
fn it_says_what_the_kernel_said_and_nothing_where_it_was_silent() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel-6.18")];
    if let Ok(more) = std::env::var("WIREPROOF_KERNEL_MEASUREMENTS") {
        folders.extend(more.split(',').map(PathBuf::from));
    }
    for folder in folders {
        let (triggers, differ) = differences(&folder);
        let (name, count) = (folder.display(), differ.len());
        assert!(triggers > 0, "{name}: no triggers");
        let shown = differ.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert_eq!(count, 0, "{name}: {count} of {triggers} triggers differ\n{shown}");
    }
}
