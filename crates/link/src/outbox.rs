//! A queue of frames on their way out of a node, in one arena: pushing is a copy, never an
//! allocation once the arena has grown.

use std::convert::Infallible;

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
        let Ok(()) = self.try_push_with(port, |bytes| {
            write(bytes);
            Ok::<(), Infallible>(())
        });
    }

    /// As [`Outbox::push_with`], for a frame of which it shows while it is built whether there is
    /// one at all.
    ///
    /// # Errors
    /// As `write`; what it appended is taken back and no frame is queued.
    #[inline]
    pub fn try_push_with<E>(
        &mut self,
        port: PortIndex,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.next == self.queued.len() {
            self.clear();
        }
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        match written {
            Ok(()) => self.queued.push((port, start, self.bytes.len())),
            Err(_) => self.bytes.truncate(start),
        }
        written
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn popped(outbox: &mut Outbox) -> Option<(PortIndex, Vec<u8>)> {
        outbox.pop().map(|out| (out.port, out.frame.to_vec()))
    }

    #[test]
    fn a_frame_can_be_built_in_place_also_an_empty_one() {
        let mut outbox = Outbox::new();
        outbox.push(1, &[9]);
        outbox.push_with(2, |bytes| bytes.extend([1, 2]));
        outbox.push_with(3, |_| {});
        assert_eq!(popped(&mut outbox), Some((1, vec![9])));
        assert_eq!(popped(&mut outbox), Some((2, vec![1, 2])));
        assert_eq!(popped(&mut outbox), Some((3, vec![])));
        assert_eq!(popped(&mut outbox), None);
    }

    #[test]
    fn a_frame_that_fails_while_it_is_built_leaves_nothing() {
        let mut outbox = Outbox::new();
        outbox.push(1, &[9]);
        let failed = outbox.try_push_with(2, |bytes| {
            bytes.extend([1, 2]);
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        outbox.push(3, &[8]);
        assert_eq!(popped(&mut outbox), Some((1, vec![9])));
        assert_eq!(popped(&mut outbox), Some((3, vec![8])));
        assert_eq!(popped(&mut outbox), None);
    }

    #[test]
    fn an_emptied_arena_is_used_from_its_beginning() {
        let mut outbox = Outbox::new();
        for _ in 0..100 {
            outbox.push(0, &[0; 100]);
            outbox.push(0, &[1; 100]);
            while outbox.pop().is_some() {}
        }
        assert_eq!((outbox.bytes.len(), outbox.queued.len()), (200, 2));
    }

    proptest! {
        #[test]
        fn first_in_is_first_out(
            moves in prop::collection::vec(
                prop::option::of((0_u16..3, prop::collection::vec(any::<u8>(), 0..5))), 0..80),
        ) {
            let mut outbox = Outbox::new();
            let mut list = std::collections::VecDeque::new();
            for step in moves {
                match step {
                    Some((port, frame)) => {
                        outbox.push(port, &frame);
                        list.push_back((port, frame));
                    }
                    None => prop_assert_eq!(popped(&mut outbox), list.pop_front()),
                }
                prop_assert_eq!(outbox.is_empty(), list.is_empty());
            }
        }
    }
}
