//! Goldens: read, compare with their rendering, leave pending, accept. The one place that writes
//! below `golden-pcaps/`.
//!
//! A golden is two files: `x.pcapng`, the frames, and `x.snap`, their rendering as an insta
//! snapshot, so that `cargo insta review` is the review. The rendering holds every byte, port and
//! time, so it decides: a run that differs leaves `x.pcapng.new` (and the test `x.snap.new`), and
//! once the accepted rendering is that of `x.pcapng.new`, the new frames *are* the golden.
//! [`settle`] then only carries that out by a rename. Accepting is therefore one rename of one
//! file, and a kill at any moment leaves the old golden or the new one. Whoever writes holds the
//! folder meanwhile; whoever reads while another writes reads again.

mod render;
mod same;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wire::Capture;
use wire::pcapng::ReadError;

use crate::catalog::Item;
use crate::files::{self, Disk, Operation, Real, Within};

pub use render::render;
use same::{Same, Text};

/// Longer goldens are not read: a repository may hold a file of any length.
const MOST_BYTES: u64 = 1 << 30;
/// How often a golden is read again that somebody writes meanwhile.
const TRIES: usize = 16;

/// What a golden's two files say together.
#[derive(Debug)]
pub enum State {
    /// There is no golden.
    Missing,
    /// The golden, to compare with.
    Accepted(Box<Capture>),
    /// The golden is, byte for byte, the capture that it was asked about.
    Same,
    /// The frames and their rendering disagree, or one of them is damaged; the text says how.
    Torn(String),
}

/// Nothing may be written where a machine only checks.
#[must_use]
pub fn in_ci() -> bool {
    means_ci(std::env::var_os("CI").as_deref())
}

fn means_ci(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
}

/// Reads the golden of a scenario; writes nothing. A new golden that was accepted in review and
/// not yet carried out counts as the golden.
///
/// # Errors
/// When a file is there and cannot be read, is no regular file, or leads out of the root.
pub fn read(item: &Item) -> Result<State> {
    let paths = [item.golden.clone(), snapshot_path(item), pending_path(item)];
    let marks = || paths.each_ref().map(|path| files::identity(path));
    let mut before = marks();
    for _ in 0..TRIES {
        let state = read_once(item)?;
        let after = marks();
        if after == before || !matches!(state, State::Torn(_) | State::Missing) {
            return Ok(state);
        }
        // Somebody put a file in its place between two looks: what was seen is of two goldens.
        before = after;
    }
    read_once(item)
}

fn read_once(item: &Item) -> Result<State> {
    let snapshot = snapshot_path(item);
    if let Some(capture) = pending(item)?
        && is_rendering(item, &capture)? == Some(true)
    {
        return Ok(State::Accepted(Box::new(capture)));
    }
    let Some(read) = frames(&item.golden, Within(&item.root))? else {
        return Ok(match files::open(&snapshot, Some(Within(&item.root)))? {
            None => State::Missing,
            Some(_) => State::Torn(format!(
                "{} is there and {} is not",
                snapshot.display(),
                item.golden.display()
            )),
        });
    };
    let capture = match read {
        Ok(capture) => capture,
        Err(error) => return Ok(State::Torn(format!("{}: {error}", item.golden.display()))),
    };
    Ok(match is_rendering(item, &capture)? {
        Some(false) => State::Torn(format!(
            "{} is not the rendering of {}",
            snapshot.display(),
            item.golden.display()
        )),
        None => State::Torn(format!("{} has no rendering beside it", item.golden.display())),
        Some(true) => State::Accepted(Box::new(capture)),
    })
}

/// As [`read`], by somebody who has a capture that may be the golden: then nothing of it is held
/// in memory, and nothing is read twice.
///
/// # Errors
/// As [`read`].
pub fn held(item: &Item, capture: &Capture) -> Result<State> {
    for path in [pending_path(item), item.golden.clone()] {
        if let Some(file) = files::open(&path, Some(Within(&item.root)))? {
            let mut same = Same::new(file);
            let all = wire::pcapng::write(capture, &wire::pcapng::Comments::new(), &mut same);
            if all.is_ok() && same.ends()? && is_rendering(item, capture)? == Some(true) {
                return Ok(State::Same);
            }
        }
    }
    read(item)
}

/// The frames that wait beside the golden, where there are some that can be read.
fn pending(item: &Item) -> Result<Option<Capture>> {
    Ok(frames(&pending_path(item), Within(&item.root))?.and_then(Result::ok))
}

/// The frames of a capture file; `None` where there is none. The file itself is never held whole.
fn frames(path: &Path, within: Within<'_>) -> Result<Option<Result<Capture, ReadError>>> {
    let file = files::open_short(path, Some(within), MOST_BYTES)?;
    Ok(file.map(|file| wire::pcapng::read_from(file).map(|file| file.capture)))
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
    if files::identity(&pending_path(item)).is_none() {
        return Ok(Settled::Nothing);
    }
    let _held = hold(item)?;
    match carry_out(&Real, item)? {
        Settled::Open if files::identity(&proposed_path(item)).is_none() => {}
        settled => return Ok(settled),
    }
    // The test left both; insta removes its half when the reviewer rejects.
    let pending = pending_path(item);
    fs::remove_file(&pending).with_context(|| format!("cannot remove {}", pending.display()))?;
    Ok(Settled::Rejected)
}

/// Carries out what a review accepted, and takes nothing away: frames whose rendering was accepted
/// become the golden, so that whoever gets the files next has both.
///
/// # Errors
/// When the file cannot be renamed.
pub fn follow(item: &Item) -> Result<Settled> {
    if files::identity(&pending_path(item)).is_none() {
        return Ok(Settled::Nothing);
    }
    let _held = hold(item)?;
    carry_out(&Real, item)
}

fn carry_out(disk: &impl Disk, item: &Item) -> Result<Settled> {
    let accepted = match pending(item)? {
        Some(capture) => is_rendering(item, &capture)? == Some(true),
        None => false,
    };
    if !accepted {
        return Ok(Settled::Open);
    }
    put_in_place(disk, item)?;
    Ok(Settled::Accepted)
}

/// Makes the frames that wait the golden: their rendering is accepted.
fn put_in_place(disk: &impl Disk, item: &Item) -> Result<()> {
    let pending = pending_path(item);
    disk.does(Operation::Rename, || fs::rename(&pending, &item.golden)).with_context(|| {
        format!(
            "the accepted frames are still in {}: cannot rename it to {}",
            pending.display(),
            item.golden.display()
        )
    })
}

/// Takes hold of the folder of a golden, which is made where it is not there.
fn hold(item: &Item) -> Result<files::Held> {
    Within(&item.root).holds(&item.golden)?;
    let folder = item.golden.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    files::hold(folder)
}

/// Leaves a capture beside the golden for review.
///
/// # Errors
/// When the file cannot be written.
pub fn leave_pending(item: &Item, capture: &Capture) -> Result<()> {
    write_pending(&Real, item, capture)
}

fn write_pending(disk: &impl Disk, item: &Item, capture: &Capture) -> Result<()> {
    files::write_own(disk, &pending_path(item), Within(&item.root), |file| {
        wire::pcapng::write(capture, &wire::pcapng::Comments::new(), file).context(ENCODE)
    })
}

/// Leaves a capture and its rendering for review, as a test that asserts a snapshot does.
///
/// # Errors
/// When a file cannot be written.
pub fn propose(item: &Item, capture: &Capture) -> Result<()> {
    let _held = hold(item)?;
    write_pending(&Real, item, capture)?;
    write_rendering(&Real, item, &proposed_path(item), capture)
}

/// Accepts a capture as the golden. The rename of the rendering is the one moment of change.
///
/// # Errors
/// When a file cannot be written.
pub fn bless(item: &Item, capture: &Capture) -> Result<()> {
    bless_on(&Real, item, capture)
}

fn bless_on(disk: &impl Disk, item: &Item, capture: &Capture) -> Result<()> {
    let _held = hold(item)?;
    let snapshot = snapshot_path(item);
    write_pending(disk, item, capture)?;
    if let Err(error) = write_rendering(disk, item, &snapshot, capture) {
        // The frames are not accepted, and nobody's to review; of what was to be reviewed before
        // them only the rendering is left.
        let _ = fs::remove_file(pending_path(item));
        let _ = fs::remove_file(proposed_path(item));
        return Err(error);
    }
    // Both were written from one capture just now, and nobody else writes: nothing is read again.
    put_in_place(disk, item)?;
    let proposed = proposed_path(item);
    if files::identity(&proposed).is_some() {
        disk.does(Operation::Remove, || fs::remove_file(&proposed))
            .with_context(|| format!("cannot remove {}", proposed.display()))?;
    }
    Ok(())
}

fn write_rendering(disk: &impl Disk, item: &Item, path: &Path, capture: &Capture) -> Result<()> {
    files::write_own(disk, path, Within(&item.root), |file| {
        file.write_all(b"---\nsource: harness/tests/scenarios.rs\n---\n")?;
        let mut text = Text::to(file);
        let done = render::render_to(capture, &mut text);
        match (text.failed, done) {
            (Some(error), _) => Err(error.into()),
            (None, done) => done.context("cannot render the capture"),
        }
    })
}

/// `x.snap`, beside the golden.
#[must_use]
pub fn snapshot_path(item: &Item) -> PathBuf {
    item.golden.with_extension("snap")
}

/// `x.snap.new`, beside the golden: a rendering that waits for its review.
#[must_use]
pub fn proposed_path(item: &Item) -> PathBuf {
    item.golden.with_extension("snap.new")
}

/// `x.pcapng.new`, beside the golden.
#[must_use]
pub fn pending_path(item: &Item) -> PathBuf {
    item.golden.with_extension("pcapng.new")
}

const ENCODE: &str = "cannot encode the capture";

/// The bytes of a golden file: frames, emitters and virtual time, nothing of the machine.
///
/// # Errors
/// When the capture cannot be written as pcapng.
pub fn encode(capture: &Capture) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    wire::pcapng::write(capture, &wire::pcapng::Comments::new(), &mut bytes).context(ENCODE)?;
    Ok(bytes)
}

/// The content of the snapshot, behind its head, is the rendering of this capture; `None` where
/// there is no snapshot. What has no head is no snapshot, and the rendering of nothing. Neither is
/// ever held whole.
fn is_rendering(item: &Item, capture: &Capture) -> Result<Option<bool>> {
    let path = snapshot_path(item);
    let Some(file) = files::open(&path, Some(Within(&item.root)))? else { return Ok(None) };
    let mut same = Same::new(file);
    let failed = || format!("cannot read {}", path.display());
    if !same.passes_head().with_context(failed)? {
        return Ok(Some(false));
    }
    let mut text = Text::to(&mut same);
    let rendered = render::render_to(capture, &mut text).is_ok();
    Ok(Some(rendered && same.ends_in_newlines().with_context(failed)?))
}

#[cfg(test)]
mod tests;
