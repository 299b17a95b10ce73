//! Writing files whole: beside their place first, then one rename, so that nobody ever reads half
//! of one. Knows no golden.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use super::{Disk, Operation, Real, Within, name};

/// What a new file may be used for before the user's umask is taken from it.
const NEW_MODE: u32 = 0o666;

/// A file that is being written beside its place. Dropped, it is gone; a kill leaves it behind as
/// `.….tmp`, which git ignores and nobody reads.
pub struct Whole<'a, D: Disk> {
    disk: &'a D,
    file: BufWriter<Pieces<'a, D>>,
    path: &'a Path,
}

/// The file under the buffer, asked for piece by piece.
struct Pieces<'a, D: Disk> {
    disk: &'a D,
    file: NamedTempFile,
}

impl<D: Disk> Write for Pieces<'_, D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.disk.lets(Operation::Write, bytes.len())?;
        self.file.as_file_mut().write(&bytes[..length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl<'a, D: Disk> Whole<'a, D> {
    /// Begins a file that is to stand at `path`, in a folder that is made where it is not there.
    fn begin(disk: &'a D, path: &'a Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        disk.does(Operation::Folder, || fs::create_dir_all(folder))?;
        let file = disk.does(Operation::Open, || {
            tempfile::Builder::new()
                .prefix(".")
                .suffix(".tmp")
                .permissions(Permissions::from_mode(NEW_MODE))
                .tempfile_in(folder)
                // What went wrong, without the passing name that it went wrong with.
                .map_err(|error| match error.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => io::Error::from(error.kind()),
                })
        })?;
        Ok(Self { disk, file: BufWriter::new(Pieces { disk, file }), path })
    }

    /// Puts it in its place, with the mode and the owner of the file that it replaces.
    fn end(self) -> io::Result<()> {
        let Self { disk, file, path } = self;
        let Pieces { file, .. } = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Ok(old) = fs::symlink_metadata(path) {
            let mode = Permissions::from_mode(old.mode() & 0o7777);
            disk.does(Operation::Mode, || file.as_file().set_permissions(mode.clone()))?;
            // Only root may give a file away, and only root need.
            let _ = std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        }
        disk.does(Operation::Sync, || file.as_file().sync_all())?;
        disk.does(Operation::Rename, || Ok(()))?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl<D: Disk> Write for Whole<'_, D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file of a repository. Only a regular file is replaced, and nothing is followed.
///
/// # Errors
/// When something else stands there, the path leads out, or it cannot be written.
pub fn write_own<D: Disk>(
    disk: &D,
    path: &Path,
    within: Within<'_>,
    fill: impl FnOnce(&mut Whole<'_, D>) -> Result<()>,
) -> Result<()> {
    within.holds(path.parent().unwrap_or(path))?;
    if let Ok(there) = fs::symlink_metadata(path)
        && !there.file_type().is_file()
    {
        let there = name(there.file_type());
        bail!("cannot write {}: {there} stands there; remove it first", path.display());
    }
    replace(disk, path, path, fill)
}

/// Writes a file that a user names. A regular file is replaced where it really lies; anything else
/// is written to as it stands.
///
/// # Errors
/// When it cannot be written.
pub fn write_given<D: Disk>(
    disk: &D,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let is_link = fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_symlink());
    match fs::metadata(path) {
        Ok(there) if there.is_file() => {
            let real = fs::canonicalize(path).with_context(failed)?;
            replace(disk, &real, path, |file| fill(file))
        }
        // A link to nothing is a file to be made where it leads.
        Err(_) if !is_link => replace(disk, path, path, |file| fill(file)),
        there => {
            let mut options = OpenOptions::new();
            options.write(true).create(there.is_err());
            let file: File =
                disk.does(Operation::Open, || options.open(path)).with_context(failed)?;
            let mut out = BufWriter::new(file);
            fill(&mut out).with_context(failed)?;
            disk.does(Operation::Write, || Ok(())).with_context(failed)?;
            out.flush().with_context(failed)
        }
    }
}

/// Writes these bytes to a file that a user names.
///
/// # Errors
/// As [`write_given`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_given(&Real, path, |file| Ok(file.write_all(bytes)?))
}

fn replace<D: Disk>(
    disk: &D,
    path: &Path,
    text: &Path,
    fill: impl FnOnce(&mut Whole<'_, D>) -> Result<()>,
) -> Result<()> {
    let failed = || format!("cannot write {}", text.display());
    let mut whole = Whole::begin(disk, path).with_context(failed)?;
    fill(&mut whole).with_context(failed)?;
    whole.end().with_context(failed)
}
