//! A window over an input: the bytes of the block that is being read, and what came with them.
//! It holds no more than the longest block that may be asked for. Knows no block.

use std::io::{self, ErrorKind, Read};

use crate::unpack::Unpack;

/// Bytes that are asked for at a time.
const ROOM: usize = 1 << 16;

pub(super) struct Window<R> {
    input: Unpack<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the input before the window's start.
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R, unpacked: u64) -> Self {
        let input = Unpack::new(input, unpacked);
        Self { input, buffer: Vec::new(), start: 0, end: 0, offset: 0 }
    }

    /// Where the window begins in the input.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// What is in the window; as much as [`Window::fill`] has asked for, where it was there.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Sees to it that so many bytes are in the window, or all that are left; how many are there.
    /// It waits for no byte more than that, and makes room only for what has come.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        while self.end - self.start < wanted {
            if self.end == self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
                if self.buffer.len() - self.end < ROOM / 2 {
                    self.buffer.resize((self.buffer.len() * 2).max(ROOM), 0);
                }
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end - self.start)
    }

    /// Goes on behind the first bytes of the window.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Passes over bytes without holding them; how many were there.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let had = self.fill(1)? as u64;
            if had == 0 {
                break;
            }
            let step = had.min(left);
            self.consume(step as usize);
            left -= step;
        }
        Ok(count - left)
    }
}
