//! Goldens: read, compare with their rendering, leave pending, accept. The one place that writes
//! below `golden-pcaps/`.
//!
//! A golden is two files: `x.pcapng`, the frames, and `x.snap`, their rendering as an insta
//! snapshot, so that `cargo insta review` is the review. The rendering holds every byte, port and
//! time, so it decides: a run that differs leaves `x.pcapng.new` (and the test `x.snap.new`), and
//! once the accepted rendering is that of `x.pcapng.new`, the new frames *are* the golden.
//! [`settle`] then only carries that out by a rename. Accepting is therefore one rename of one
//! file, and a kill at any moment leaves the old golden or the new one.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wire::Capture;

use crate::catalog::Item;

/// What a golden's two files say together.
#[derive(Debug)]
pub enum State {
    /// There is no golden.
    Missing,
    /// The golden, to compare with.
    Accepted(Box<Capture>),
    /// The frames and their rendering disagree, or one of them is damaged; the text says how.
    Torn(String),
}

/// Nothing may be written where a machine only checks.
#[must_use]
pub fn in_ci() -> bool {
    std::env::var_os("CI")
        .is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
}

/// Reads the golden of a scenario; writes nothing. A new golden that was accepted in review and
/// not yet carried out counts as the golden.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(item: &Item) -> Result<State> {
    let accepted = read_text(&snapshot_path(item))?;
    let pending = pending_path(item);
    if let Some(text) = &accepted
        && pending.exists()
        && let Ok(capture) = read_capture(&pending)
        && render(&capture) == *text
    {
        return Ok(State::Accepted(Box::new(capture)));
    }
    if !item.golden.exists() {
        return Ok(match accepted {
            None => State::Missing,
            Some(_) => State::Torn(format!(
                "{} is there and {} is not",
                snapshot_path(item).display(),
                item.golden.display()
            )),
        });
    }
    let bytes =
        fs::read(&item.golden).with_context(|| format!("cannot read {}", item.golden.display()))?;
    let capture = match wire::pcapng::read(&bytes) {
        Ok(file) => file.capture,
        Err(error) => return Ok(State::Torn(format!("{}: {error}", item.golden.display()))),
    };
    Ok(match accepted {
        Some(text) if text != render(&capture) => State::Torn(format!(
            "{} is not the rendering of {}",
            snapshot_path(item).display(),
            item.golden.display()
        )),
        None => State::Torn(format!("{} has no rendering beside it", item.golden.display())),
        Some(_) => State::Accepted(Box::new(capture)),
    })
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// There was none.
    Nothing,
    /// It waits for its review.
    Open,
    /// It is the golden now.
    Accepted,
    /// It is gone.
    Rejected,
}

/// Carries out what a review decided: an accepted golden takes its place, a rejected one goes.
///
/// # Errors
/// When a file cannot be renamed or removed.
pub fn settle(item: &Item) -> Result<Settled> {
    let pending = pending_path(item);
    if !pending.exists() {
        return Ok(Settled::Nothing);
    }
    let accepted = read_text(&snapshot_path(item))?;
    if accepted.is_some_and(|text| read_capture(&pending).is_ok_and(|new| render(&new) == text)) {
        fs::rename(&pending, &item.golden)
            .with_context(|| format!("cannot rename {}", pending.display()))?;
        return Ok(Settled::Accepted);
    }
    // The test left both; insta removes its half when the reviewer rejects.
    if snapshot_path(item).with_extension("snap.new").exists() {
        return Ok(Settled::Open);
    }
    fs::remove_file(&pending).with_context(|| format!("cannot remove {}", pending.display()))?;
    Ok(Settled::Rejected)
}

/// Leaves a capture beside the golden for review.
///
/// # Errors
/// When the file cannot be written.
pub fn leave_pending(item: &Item, capture: &Capture) -> Result<()> {
    write_whole(&pending_path(item), &encode(capture)?)
}

/// Accepts a capture as the golden. The rename of the rendering is the one moment of change.
///
/// # Errors
/// When a file cannot be written.
pub fn bless(item: &Item, capture: &Capture) -> Result<()> {
    leave_pending(item, capture)?;
    let snapshot = snapshot_path(item);
    let text = format!("---\nsource: harness/tests/scenarios.rs\n---\n{}", render(capture));
    write_whole(&snapshot, text.as_bytes())?;
    settle(item)?;
    let proposed = snapshot.with_extension("snap.new");
    if proposed.exists() {
        fs::remove_file(&proposed)
            .with_context(|| format!("cannot remove {}", proposed.display()))?;
    }
    Ok(())
}

/// `x.snap`, beside the golden.
#[must_use]
pub fn snapshot_path(item: &Item) -> PathBuf {
    item.golden.with_extension("snap")
}

/// `x.pcapng.new`, beside the golden.
#[must_use]
pub fn pending_path(item: &Item) -> PathBuf {
    item.golden.with_extension("pcapng.new")
}

/// A capture in words, with every byte: what a reviewer reads. A line in tcpdump's words, a line
/// a layer with its fields as scenario files call them, then the bytes, which decide.
#[must_use]
pub fn render(capture: &Capture) -> String {
    let width = capture.interfaces().iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (id, record, frame) in capture.iter() {
        let _ = writeln!(
            text,
            "{:>4}  {}  {:width$}  {}",
            id.number(),
            record.time,
            capture.interface(record.port),
            wire::render::line(frame)
        );
        fields(&mut text, frame);
        rows(frame, &mut text);
    }
    if capture.is_empty() {
        text.push_str("(no frame)\n");
    }
    text
}

/// A line a layer, so that a review shows which field changed. Payloads are told by their bytes.
fn fields(text: &mut String, frame: &[u8]) {
    let view = wire::view::lax(frame);
    for layer in view.layers().iter().filter(|layer| layer.proto != wire::Proto::Payload) {
        let _ = write!(text, "        {}:", layer.proto.key());
        for field in layer.proto.fields().iter().filter(|field| !field.alias) {
            match view.read_in(layer, field) {
                Some(wire::Value::Bytes(bytes)) if bytes.is_empty() => {}
                Some(value) => {
                    let _ = write!(text, " {} {}", field.key, field.text(&value));
                }
                None => {}
            }
        }
        text.push('\n');
    }
}

/// The bytes in hex, sixteen a row. Of rows that are the same the first and the last stand, and one
/// `*` for those between: the offsets tell how many, so every frame still has a text of its own.
fn rows(frame: &[u8], text: &mut String) {
    let row = |number: usize| frame.chunks(16).nth(number);
    let mut starred = false;
    for (number, bytes) in frame.chunks(16).enumerate() {
        let same = |other: Option<usize>| other.and_then(row) == Some(bytes);
        if same(number.checked_sub(1)) && same(Some(number + 1)) {
            if !starred {
                text.push_str("        *\n");
            }
            starred = true;
            continue;
        }
        starred = false;
        let _ = write!(text, "        {:04x} ", number * 16);
        bytes.iter().for_each(|byte| {
            let _ = write!(text, " {byte:02x}");
        });
        text.push('\n');
    }
}

/// The bytes of a golden file: frames, emitters and virtual time, nothing of the machine.
///
/// # Errors
/// When the capture cannot be written as pcapng.
pub fn encode(capture: &Capture) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    wire::pcapng::write(capture, &wire::pcapng::Comments::new(), &mut bytes)
        .context("cannot encode the capture")?;
    Ok(bytes)
}

/// Reads a capture file.
///
/// # Errors
/// When it cannot be read, or is no capture of Ethernet frames.
pub fn read_capture(path: &Path) -> Result<Capture> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match wire::pcapng::read(&bytes) {
        Ok(file) => Ok(file.capture),
        Err(error) => bail!("{}: {error}", path.display()),
    }
}

/// Writes a file beside its place and renames it, so that nobody ever reads half of it. A kill
/// leaves the half behind as `.….tmp`, which git ignores and nobody reads.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = || format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .tempfile_in(folder)
        // What went wrong, without the passing name that it went wrong with.
        .map_err(|error| std::io::Error::from(error.kind()))
        .with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    // A file of one's own is private by default; a golden is for everybody who reads the folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).with_context(failed)?;
    }
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}

/// The content of an insta snapshot, without its head; `None` where there is no file. What has no
/// head is no snapshot, and the rendering of nothing.
fn read_text(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let body = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    Ok(Some(
        body.map_or_else(String::new, |(_, body)| format!("{}\n", body.trim_end_matches('\n'))),
    ))
}

#[cfg(test)]
mod tests;
