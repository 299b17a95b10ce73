//! What can go wrong on the real wire, in the words that a user reads.

use std::fmt;
use std::io;

use link::{Fault, SimError};

/// Why a wire could not be made, or a run on it not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine does not let this user make namespaces.
    #[error("{0}")]
    Forbidden(String),
    /// The kernel refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The kernel's error.
        source: io::Error,
    },
    /// The kernel refused a netlink request.
    #[error("{what}: {source}")]
    Netlink {
        /// What was tried.
        what: String,
        /// The kernel's error.
        source: Box<rtnetlink::Error>,
    },
    /// A program that a kernel node needs failed or is not there.
    #[error("{0}")]
    Tool(String),
    /// A frame that no veth can carry, or that the kernel changed on its way.
    #[error("{0}")]
    Frame(String),
    /// The run reached a limit, or a node refused a command.
    #[error(transparent)]
    Run(#[from] SimError),
    /// What was asked for does not go together.
    #[error("{0}")]
    Plan(String),
    /// The wire's own code panicked: no node's fault.
    #[error("a fault of the wire itself, which panicked: {0}")]
    Fault(String),
    /// The user ended the run.
    #[error("ended by {0}")]
    Ended(&'static str),
    /// The machine did not do in time what it does otherwise: the wire cannot tell.
    #[error("{0}")]
    Late(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Late(text) => Self::Late(text),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// Names what was tried when the kernel refuses it.
pub(crate) trait Tried<T> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|source| Error::System { what: what.to_string(), source })
    }
}

impl<T> Tried<T> for Result<T, rtnetlink::Error> {
    fn tried(self, what: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|source| Error::Netlink { what: what.to_string(), source: Box::new(source) })
    }
}
