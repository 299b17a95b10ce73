//! Files of a repository and of a user: what is read, what is written, and what is not followed.
//! Knows paths and bytes; no golden and no scenario.
//!
//! A repository comes from anybody, so of its files only regular ones are read and written, and no
//! link leads out of its root. What a user names on the command line is the user's word: a device
//! or a pipe there is written to, a link is followed, and only a regular file is replaced, in one
//! rename and with the mode that it had.

mod disk;
mod write;

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read, Take};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::OFlags;

pub use disk::{Disk, Operation, Real};
pub use write::{Whole, write_given, write_own, write_whole};

/// A folder that nothing below it may lead out of.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a>(pub &'a Path);

impl Within<'_> {
    /// The folder itself; the empty path is the current one.
    fn folder(&self) -> &Path {
        if self.0.as_os_str().is_empty() { Path::new(".") } else { self.0 }
    }

    /// Refuses a path that links lead out of the folder. What is not there yet counts by its
    /// nearest parent that is.
    ///
    /// # Errors
    /// When it leads out, or a link leads nowhere.
    pub fn holds(&self, path: &Path) -> Result<()> {
        let there = path.ancestors().find(|path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            fs::symlink_metadata(path).is_ok()
        });
        let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let real = fs::canonicalize(there).with_context(|| unreadable(there))?;
        let folder = self.folder();
        let root = fs::canonicalize(folder).with_context(|| unreadable(folder))?;
        if real.starts_with(&root) {
            return Ok(());
        }
        bail!(
            "{}: a link leads out of {} to {}; put the file itself there",
            path.display(),
            folder.display(),
            real.display()
        )
    }
}

fn unreadable(path: &Path) -> String {
    format!("cannot read {}", path.display())
}

/// Opens a regular file to read it; `None` where there is nothing. A device or a pipe is not
/// opened at all: that alone may wait for ever, or do something.
///
/// # Errors
/// When it is no regular file, leads out, or cannot be opened.
pub fn open(path: &Path, within: Option<Within<'_>>) -> Result<Option<File>> {
    for _ in 0..TRIES {
        let before = match fs::symlink_metadata(path) {
            Err(error) if is_nothing(&error) => return Ok(None),
            found => Some(identity_of(&found.with_context(|| unreadable(path))?)),
        };
        let opened = open_there(path, within);
        // It went, or another took its place, between two looks.
        if opened.is_ok() || identity(path) == before {
            return opened.map(Some);
        }
    }
    open_there(path, within).map(Some)
}

/// How often a file is looked at again that somebody writes meanwhile.
const TRIES: usize = 16;

fn open_there(path: &Path, within: Option<Within<'_>>) -> Result<File> {
    if let Some(within) = within {
        within.holds(path)?;
    }
    let real = fs::canonicalize(path).with_context(|| unreadable(path))?;
    regular(path, fs::metadata(&real).with_context(|| unreadable(path))?.file_type())?;
    // Should something else stand there by now, opening it neither follows nor waits.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&real);
    let file = opened.with_context(|| unreadable(path))?;
    regular(path, file.metadata().with_context(|| unreadable(path))?.file_type())?;
    Ok(file)
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn regular(path: &Path, kind: FileType) -> Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    bail!("{}: {}; only a regular file is read here", path.display(), name(kind))
}

/// What stands where a regular file is wanted.
pub(crate) fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "a device"
    }
}

/// Opens a regular file of at most `most` bytes; `None` where there is nothing.
///
/// # Errors
/// As [`open`], and when it is longer.
pub fn open_short(
    path: &Path,
    within: Option<Within<'_>>,
    most: u64,
) -> Result<Option<Take<File>>> {
    let Some(file) = open(path, within)? else { return Ok(None) };
    let length = file.metadata().with_context(|| unreadable(path))?.len();
    if length > most {
        bail!("{}: {length} bytes; at most {most} are read", path.display());
    }
    // It may grow meanwhile.
    Ok(Some(file.take(most + 1)))
}

/// What a file is at this moment: device, inode, time of change and length.
pub type Identity = (u64, u64, i64, i64, u64);

/// What stands at a path at this moment, to see whether somebody puts another in its place.
#[must_use]
pub fn identity(path: &Path) -> Option<Identity> {
    fs::symlink_metadata(path).ok().map(|meta| identity_of(&meta))
}

fn identity_of(meta: &fs::Metadata) -> Identity {
    (meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len())
}

/// A folder that this process holds until the value goes. Others who want it wait.
#[derive(Debug)]
pub struct Held {
    _folder: File,
}

/// Takes hold of a folder. The lock is on the folder itself, so there is no file that a link could
/// stand in for, and nothing is left behind. Where the file system knows no locks there is none.
///
/// # Errors
/// When the folder cannot be opened.
pub fn hold(folder: &Path) -> Result<Held> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let flags = (OFlags::DIRECTORY | OFlags::NONBLOCK).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(folder);
    let opened = opened.with_context(|| unreadable(folder))?;
    // What NFS says of a lock on a folder; two who bless there at once are not kept apart.
    let _ = opened.lock();
    Ok(Held { _folder: opened })
}

/// All files below a folder with that extension, in order of their paths. A link is followed to
/// what lies below the folder too, and each folder is looked into once, under its own name: one
/// that links lead to from elsewhere has nothing new.
///
/// # Errors
/// When a folder cannot be read, or a link to a folder leads out.
pub fn below(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let (mut folders, mut links) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = folders.pop().or_else(|| links.pop()) {
        let failed = || format!("cannot read the folder {}", next.display());
        let meta = fs::metadata(&next).with_context(failed)?;
        if !seen.insert((meta.dev(), meta.ino())) {
            continue;
        }
        for entry in fs::read_dir(&next).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let (kind, path) = (entry.file_type().with_context(failed)?, entry.path());
            // The listing tells what an entry is; only where a link leads has to be asked.
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() && path.is_dir() {
                Within(folder).holds(&path)?;
                links.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
