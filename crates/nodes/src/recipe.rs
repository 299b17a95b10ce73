//! What a kind makes of a node's options: one value, read once, from which the node is made as
//! often as it is run. Knows ports, clocks and what may be expected of a node; no file and no
//! wire.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use link::{Node, PortConfig};

use crate::options::ConfigError;
use crate::role::Role;

/// Where an implementation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// In this process: it stands on every wire.
    #[default]
    InProcess,
    /// In a network namespace, as its kernel: it stands on a wire that has namespaces.
    Namespace,
    /// In a machine or a process of its own: it stands on the simulated and on the veth wire.
    Remote,
}

/// Where a node is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its ports, with their peers and MTU.
    pub ports: &'a [PortConfig],
    /// What it draws at random comes from this alone.
    pub seed: u64,
    /// The link's clock is the real one.
    pub is_real: bool,
}

/// A node that was made.
pub struct Made {
    /// What stands on the wire.
    pub occupant: Occupant,
    /// Who answers, for the report, where it is no in-process node: `guest kernel 6.1.0 (nft at
    /// input)`.
    pub who: Option<String>,
    /// What was set to make it, a line each.
    pub remarks: Vec<String>,
}

impl Made {
    /// An in-process node.
    #[must_use]
    pub fn in_this_process(node: Box<dyn Node>) -> Self {
        Self { occupant: Occupant::InProcess(node), who: None, remarks: Vec::new() }
    }

    /// The in-process node that it is.
    ///
    /// # Errors
    /// When the implementation is elsewhere.
    pub fn in_process(self) -> Result<Box<dyn Node>, MakeError> {
        match self.occupant {
            Occupant::InProcess(node) => Ok(node),
            _ => Err(MakeError::new("the implementation is not in this process")),
        }
    }
}

/// What stands on the wire for a node.
pub enum Occupant {
    /// An in-process node.
    InProcess(Box<dyn Node>),
    /// A node with a way of its own to its implementation.
    Remote {
        /// The node.
        node: Box<dyn Node>,
        /// Readable when it has a frame that nobody asked it for.
        readiness: Vec<OwnedFd>,
    },
    /// The kernel of a namespace, which the wire makes.
    Kernel(Box<linux::Kernel>),
}

/// Why a node cannot be made: what is missing on this machine, or what its implementation refuses.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MakeError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl MakeError {
    /// Any error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// A node as configured.
pub trait Recipe: fmt::Debug + Send + Sync {
    /// What checks may expect of it.
    fn role(&self) -> Role;

    /// Names beside its kind's under which masks and `not-on` mean it.
    fn known_as(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What this machine lacks for it, and what gives that. Asking builds nothing.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Why it can never do what its options ask where these of its ports have links.
    fn unfit(&self, ports: &[PortConfig], linked: &[&PortConfig]) -> Option<ConfigError> {
        let _ = (ports, linked);
        None
    }

    /// Makes the node.
    ///
    /// # Errors
    /// When its implementation cannot be started.
    fn make(&self, site: &Site<'_>) -> Result<Made, MakeError>;
}

/// The recipe of an in-process node: what may be expected of it, and what makes one at its ports.
#[must_use]
pub fn in_process(
    role: Role,
    make: impl Fn(&Site<'_>) -> Box<dyn Node> + Send + Sync + 'static,
) -> Arc<dyn Recipe> {
    Arc::new(InProcess { role, make })
}

struct InProcess<F> {
    role: Role,
    make: F,
}

impl<F> fmt::Debug for InProcess<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("role", &self.role).finish_non_exhaustive()
    }
}

impl<F: Fn(&Site<'_>) -> Box<dyn Node> + Send + Sync> Recipe for InProcess<F> {
    fn role(&self) -> Role {
        self.role.clone()
    }

    fn make(&self, site: &Site<'_>) -> Result<Made, MakeError> {
        Ok(Made::in_this_process((self.make)(site)))
    }
}
