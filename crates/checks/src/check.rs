//! What a check is, what it finds, and what it may know of a port. Plain data, no rule.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use wire::{FrameId, Mac, PortId, PortSet};

/// How binding a clause is, by the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// An absolute requirement, or a format that leaves no choice.
    Must,
    /// A recommendation from which a good reason may depart.
    Should,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        })
    }
}

/// A rule over a capture.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name, in kebab-case.
    pub id: &'static str,
    /// The clause it holds a capture against: `RFC 9293 3.10.7.1`.
    pub clause: &'static str,
    /// The row of `docs/requirements.tsv` that it tests.
    pub requirement: &'static str,
    /// How binding the clause is.
    pub level: Level,
    /// The rule in a few words.
    pub title: &'static str,
    /// The rule in two or three sentences, for who meets it for the first time.
    pub about: &'static str,
}

/// A place in a capture where a check does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// The frame that breaks the rule; `None` where a frame is missing.
    pub frame: Option<FrameId>,
    /// The frame that it answers, or that was left without an answer.
    pub trigger: Option<FrameId>,
    /// What is wrong, in a sentence in lower case.
    pub message: String,
    /// What the clause asks for.
    pub expected: String,
    /// What the capture shows.
    pub actual: String,
}

/// What is known of a port beside its frames. The facts of port `PortId(n)` stand at index `n`; a
/// port without facts is judged only by what its frames say themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct PortFacts {
    /// The node it belongs to; ports with the same number share one node.
    pub node: u16,
    /// Its Ethernet address; all zero where it is not known.
    pub mac: Mac,
    /// Its IP addresses.
    pub addresses: Vec<IpAddr>,
    /// The broadcast addresses of its subnets, RFC 1122 3.2.1.3 (d).
    pub broadcasts: Vec<Ipv4Addr>,
    /// The port at the other end of its link.
    pub peer: Option<PortId>,
    /// What can be expected of the node behind it.
    pub answers: Answers,
}

/// What can be expected of a node that is handed a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Answers {
    /// Anything: a stack with connections of its own, or a middlebox.
    #[default]
    Unknown,
    /// Nothing, ever.
    Never,
    /// The reset of a closed port, on these TCP ports.
    ClosedPorts(PortSet),
    /// It passes datagrams on, lowering their TTL, and resets segments to the ports rejected.
    Forwards {
        /// The TCP destination ports that it resets instead of passing on.
        rejects: PortSet,
        /// The ports that it may reset, or not: by rules that are not known here.
        may_reject: PortSet,
    },
}
