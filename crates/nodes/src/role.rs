//! What may be expected of a node, and what its frames are measured by. Plain data; knows no kind.

use wire::PortSet;

/// What the frames of a node are measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// The golden, byte for byte: it was taken from this implementation, or the kind claims to be
    /// the same as the one that it was taken from.
    #[default]
    Golden,
    /// The checks and the scenario's steps: an implementation that chooses for itself whatever no
    /// clause and no step fixes. Where it is not as the golden, that is its choice and no fault.
    Rules,
}

/// What the checks may expect of a node: plain data, so that the checks need not know kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It answers nothing.
    Silent,
    /// It says what it is told to say, and answers nothing.
    Sender,
    /// It answers TCP segments to these ports as a closed port does.
    ClosedPort {
        /// The ports.
        ports: PortSet,
    },
    /// It passes packets on between its ports, and answers TCP segments to some ports with a reset.
    Forwarder {
        /// The destination ports it rejects.
        reject: PortSet,
        /// Those that it may reject or pass on, by rules that are not known here.
        may_reject: PortSet,
    },
    /// A host with a TCP: it answers as a closed port does, but at the ports where it listens.
    Host {
        /// The TCP ports where it listens.
        open: PortSet,
    },
    /// It passes frames on between its ports as they are, and answers TCP segments to some ports in
    /// the name of whom they are for.
    Bridge {
        /// The destination ports it rejects.
        reject: PortSet,
    },
    /// Nothing is known.
    Other,
}
