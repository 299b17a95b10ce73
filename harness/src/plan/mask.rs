//! A mask: which bits of which frames may differ from the golden, and why. Knows fields and
//! frames by their numbers; compares nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use wire::FrameId;

/// A written permission for some bits of some frames to differ from the golden.
#[derive(Clone, Debug)]
pub struct Mask {
    /// The field whose bits may differ, in every layer of its protocol.
    pub field: &'static wire::Field,
    /// The frames of the golden it holds for; empty: all.
    pub frames: BTreeSet<FrameId>,
    /// Only frames of these emitters, each a node's name or `node:port`; empty: all.
    pub from: Arc<BTreeSet<String>>,
    /// Why.
    pub reason: String,
}
