//! Files without a name, that end with those who hold them. Knows nothing of what is in them.

use std::fs::{File, Permissions};
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

use crate::error::{Error, Tried};

/// A file of so many bytes, all of them 0.
pub(crate) fn empty(bytes: u64) -> io::Result<File> {
    let file = tempfile::tempfile()?;
    file.set_len(bytes)?;
    shared(&file)?;
    Ok(file)
}

/// A file with these bytes.
pub(crate) fn unnamed(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let write = || {
        let mut file = tempfile::tempfile()?;
        shared(&file)?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok::<OwnedFd, io::Error>(file.into())
    };
    write().tried("write a file for QEMU")
}

/// Whoever holds the descriptor may open the file anew, as QEMU does: it may run as another user.
/// Nobody else can, since there is no name.
fn shared(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o666))
}
