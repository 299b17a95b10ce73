//! What can go wrong with a guest, in the words that a user reads.

use std::fmt;
use std::io;

/// Why a machine could not be booted, did not carry out a request, or has ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program, a kernel or a file of it is not on this machine. Names what provides it.
    #[error("{0}")]
    Missing(String),
    /// What was asked for does not go together.
    #[error("{0}")]
    Plan(String),
    /// The host refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The host's error.
        source: io::Error,
    },
    /// A script in the guest ended with a status other than 0.
    #[error("the guest refuses (status {status}): {}", output.trim())]
    Refused {
        /// What the script's last command returned.
        status: u8,
        /// All that the script wrote.
        output: String,
    },
    /// The guest did not do in time what it does otherwise; the machine is of no more use.
    #[error("{0}")]
    Late(String),
    /// QEMU ended.
    #[error("{0}")]
    Died(String),
    /// The guest's kernel panicked: that line of its console, and the console's path.
    #[error("{0}")]
    Panic(String),
    /// A fault in the guest's kernel: the line of its console, and the console's path.
    #[error("{0}")]
    Oops(String),
    /// A warning of the guest's kernel: the line of its console, and the console's path.
    #[error("{0}")]
    Warning(String),
}

impl From<Error> for link::Fault {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Panic(_) | Error::Oops(_) | Error::Warning(_) => Self::AtFault(text),
            Error::Late(_) => Self::Late(text),
            _ => Self::Broken(text),
        }
    }
}

/// Names what was tried when the host refuses it.
pub(crate) trait Tried<T> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|source| Error::System { what: what.to_string(), source })
    }
}

impl<T> Tried<T> for Result<T, rustix::io::Errno> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error> {
        self.map_err(io::Error::from).tried(what)
    }
}
