//! A queue of frames on their way out of a node, in one arena: pushing is a copy, never an
//! allocation once the arena has grown.

use crate::node::{PortIndex, Transmit};

/// Frames to emit, first in first out. A node pushes in `handle_*` and pops in `poll_transmit`.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    queued: Vec<(PortIndex, usize, usize)>,
    next: usize,
}

impl Outbox {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a frame at the end.
    #[inline]
    pub fn push(&mut self, port: PortIndex, frame: &[u8]) {
        self.push_with(port, |bytes| bytes.extend_from_slice(frame));
    }

    /// Puts a frame at the end that `write` appends to the arena, so that it is built in place.
    #[inline]
    pub fn push_with(&mut self, port: PortIndex, write: impl FnOnce(&mut Vec<u8>)) {
        if self.next == self.queued.len() {
            self.clear();
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.queued.push((port, start, self.bytes.len()));
    }

    /// Takes the frame at the front, lent until the next call.
    #[inline]
    pub fn pop(&mut self) -> Option<Transmit<'_>> {
        let &(port, start, end) = self.queued.get(self.next)?;
        self.next += 1;
        Some(Transmit { port, frame: &self.bytes[start..end] })
    }

    /// No frame is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == self.queued.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.queued.clear();
        self.next = 0;
    }
}
