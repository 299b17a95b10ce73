//! What of a capture is not judged, and why.

use std::fmt;

use wire::FrameId;

use crate::report::Why;

/// Why a frame was not judged, or not in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// As in any capture.
    Why(Why),
    /// The capture saw the same datagram on another interface just before.
    CopyOnInterface,
    /// The capture saw the same datagram on another side of a router just before.
    CopyBehindRouter,
    /// The same reset just before: a mirror port shows it twice, or it was sent twice.
    CopyOrRepeat,
    /// Its sender is a test's own, and the frame is wrong by choice.
    Scripted,
    /// The capture has it joined from several frames, or before it is cut into several.
    Joined,
    /// Its checksum is left to the network interface.
    Unfilled,
    /// It and the frame it answers differ in their VLAN tags, at a host of which nothing is known.
    Tags,
    /// It never left its host: both addresses are loopback.
    Loopback,
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Why(why) => return why.fmt(f),
            Self::CopyOnInterface => "copies of datagrams that another interface showed",
            Self::CopyBehindRouter => "copies of datagrams, from another side of a router",
            Self::CopyOrRepeat => "repeated resets: a mirror port's copies, or sent twice",
            Self::Scripted => "wrong by a test's choice: its sender has the role `tester`",
            Self::Joined => "segmentation offload: the frame is none that crossed a wire",
            Self::Unfilled => "checksum offload: taken before the interface fills checksums in",
            Self::Tags => "a reply in another VLAN: a mirror port may show tags one way only",
            Self::Loopback => {
                "loopback addresses on a loopback interface: the source is not judged"
            }
        })
    }
}

/// What was not judged for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The reason.
    pub why: Aside,
    /// The first frame, from 0.
    pub first: FrameId,
    /// How many frames.
    pub count: u64,
    /// The host that emitted them, where the reason is the host's.
    pub host: Option<String>,
}

/// `12 frames from frame 3, of 10.0.0.1: checksum offload: …`.
impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "frame {}", self.first.number())?,
            count => write!(f, "{count} frames from frame {}", self.first.number())?,
        }
        if let Some(host) = &self.host {
            write!(f, ", of {host}")?;
        }
        write!(f, ": {}", self.why)
    }
}
