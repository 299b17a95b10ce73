//! One frame as a capture has it: its bytes, what they begin with, and how long it was on the wire.
//! Knows no header.

use crate::LinkType;

/// A frame, as the views, the renderings and the diff take it. A slice of bytes is a whole frame of
/// Ethernet, which is what every wire of wireproof carries; a capture from elsewhere may hold other
/// frames, and only their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The bytes that were captured.
    pub bytes: &'a [u8],
    /// What they begin with.
    pub link: LinkType,
    /// Bytes of the frame on the wire; more than `bytes` has where the capture cut it.
    pub original_len: usize,
    /// Bytes of a frame check sequence at the end of the frame on the wire.
    pub fcs_len: usize,
}

impl Frame<'_> {
    /// The capture kept the first bytes only.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.original_len > self.bytes.len()
    }
}

impl<'a> From<&'a [u8]> for Frame<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, link: LinkType::Ethernet, original_len: bytes.len(), fcs_len: 0 }
    }
}

impl<'a> From<&'a Vec<u8>> for Frame<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Frame<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        bytes.as_slice().into()
    }
}
