//! Writes the seeds of the corpora from what the tree holds: scenarios for the reader, goldens for
//! everything that takes frames. `WIREPROOF_WRITE_SEEDS=1 cargo test -p wireproof --test fuzz`.

use std::fs;
use std::path::{Path, PathBuf};

use wireproof::catalog::files_below;
use wireproof::wire::{self, Capture};

/// Seeds a target of what is many: more only make a fuzzer begin late.
const SEEDS: usize = 24;
/// A longer seed makes every execution slow.
const MOST_BYTES: usize = 2_048;

/// Writes all seeds below `fuzz/corpus`.
pub(crate) fn write(top: &Path) {
    let goldens: Vec<(String, Capture)> = spread(files_below(&top.join("golden-pcaps"), "pcapng"))
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).expect("a golden");
            let file = wire::pcapng::read(&bytes).expect("a capture");
            put(top, "capture", &name(&path), &bytes);
            (name(&path), file.capture)
        })
        .collect();
    for path in spread(files_below(&top.join("scenarios"), "json")) {
        put(top, "scenario", &name(&path), &fs::read(&path).expect("a scenario"));
    }
    for (name, capture) in &goldens {
        of_frames(top, name, capture);
    }
    for (number, text) in
        ["$isn + 1", "($a - $b) * 2", "0xffff", "1ms", "4294967295"].into_iter().enumerate()
    {
        put(top, "expression", &format!("text-{number}"), text.as_bytes());
    }
    for (number, layers) in [
        &[2u8, 3, 1, 8, 0, 64, 9, 2, 0, 15, 160, 1, 0, 80, 0][..],
        &[3, 4, 1, 7, 0, 64, 7, 0, 9, 0, 1, 0, 24],
        &[1, 2, 2, 4, 0, 1, 5, 0, 2, 2, 60],
    ]
    .into_iter()
    .enumerate()
    {
        put(top, "builder", &format!("layers-{number}"), layers);
    }
}

/// The seeds that are frames of one golden.
fn of_frames(top: &Path, name: &str, capture: &Capture) {
    let mut all = Vec::new();
    let mut about = Vec::new();
    for (_, record, frame) in capture.iter() {
        let length = u16::try_from(frame.len()).unwrap_or(u16::MAX).to_be_bytes();
        let frame = &frame[..frame.len().min(usize::from(u16::MAX))];
        all.extend([&length[..], frame].concat());
        // The port that emitted it, delivered once.
        about.extend([&length[..], frame, &[0x20 | (record.port.0 as u8 & 1)]].concat());
    }
    let Some((_, _, first)) = capture.iter().next() else { return };
    let second = capture.iter().nth(1).map_or(first, |(_, _, frame)| frame);
    let length = u16::try_from(first.len()).unwrap_or(u16::MAX).to_be_bytes();
    put(top, "view", name, &[&[0, 0], first].concat());
    put(top, "diff", name, &[&length, first, second].concat());
    put(top, "inject", name, &[&[0][..], &all].concat());
    put(top, "nodes", name, &[&[0][..], &all].concat());
    put(top, "judge", name, &[&[0b0101, 0, 0][..], &about].concat());
    let view = wire::view::lax(first);
    if let Some(tcp) = view.find(wire::Proto::Tcp)
        && tcp.end > tcp.start + 20
    {
        put(top, "options", name, &first[tcp.start + 20..tcp.end]);
    }
}

/// Some of the files, evenly from all folders.
fn spread(files: anyhow::Result<Vec<PathBuf>>) -> Vec<PathBuf> {
    let mut files = files.expect("a folder to read");
    files.sort();
    let stride = files.len().div_ceil(SEEDS).max(1);
    files.into_iter().step_by(stride).collect()
}

fn name(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default();
    format!("{}-{}", folder.to_string_lossy(), stem.to_string_lossy())
}

fn put(top: &Path, target: &str, name: &str, bytes: &[u8]) {
    if bytes.len() > MOST_BYTES {
        return;
    }
    let folder = top.join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a file");
}
