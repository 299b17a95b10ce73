//! The seam between a file that is written and the disk under it: each operation is asked for
//! first, so that a test can let any one of them fail. Knows no path.

use std::io;

/// What is about to be done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A folder is made.
    Folder,
    /// A file is made or opened.
    Open,
    /// Bytes are written.
    Write,
    /// A file's mode is set.
    Mode,
    /// What was written is brought to the disk.
    Sync,
    /// A file takes its place.
    Rename,
    /// A file goes.
    Remove,
}

/// Who is asked.
pub trait Disk {
    /// Lets an operation on so many bytes happen, or fails in its place. Gives how many of the
    /// bytes may be written in one piece.
    ///
    /// # Errors
    /// With what the operation is to fail with.
    fn lets(&self, operation: Operation, bytes: usize) -> io::Result<usize>;

    /// Does an operation that is not on bytes. One that a signal cut short is done again.
    ///
    /// # Errors
    /// When it fails.
    fn does<T>(&self, operation: Operation, work: impl Fn() -> io::Result<T>) -> io::Result<T>
    where
        Self: Sized,
    {
        loop {
            match self.lets(operation, 0).and_then(|_| work()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

/// The disk as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl Disk for Real {
    fn lets(&self, _: Operation, bytes: usize) -> io::Result<usize> {
        Ok(bytes)
    }
}
