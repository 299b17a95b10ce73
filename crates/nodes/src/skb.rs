//! A model of a kernel's socket buffer: room reserved once, headers pushed in front of what is
//! there, and a count of the buffers that nobody has freed. Knows no header.
//!
//! ```text
//! start        data              tail          end
//!   | head room |  what is in it  |  tail room  |
//! ```

/// A buffer. Made by [`Pool::alloc`] and given back to [`Pool::kfree`]; one that is simply dropped
/// stays counted, which is how a leak shows.
#[derive(Debug, Default)]
pub struct SkBuff {
    room: Vec<u8>,
    data: usize,
    tail: usize,
}

/// There is no room for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} bytes wanted, {had} bytes of {side} room left")]
pub struct NoRoom {
    /// `head` or `tail`.
    pub side: &'static str,
    /// Bytes asked for.
    pub wanted: usize,
    /// Bytes there were.
    pub had: usize,
}

/// Where buffers come from and go back to.
#[derive(Debug, Default)]
pub struct Pool {
    free: Vec<Vec<u8>>,
    live: u64,
}

impl Pool {
    /// A buffer of that size, all of it tail room.
    pub fn alloc(&mut self, size: usize) -> SkBuff {
        self.live += 1;
        let mut room = self.free.pop().unwrap_or_default();
        room.clear();
        room.resize(size, 0);
        SkBuff { room, data: 0, tail: 0 }
    }

    /// Gives a buffer back.
    pub fn kfree(&mut self, skb: SkBuff) {
        self.live -= 1;
        self.free.push(skb.room);
    }

    /// Buffers that were allocated and not given back.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live
    }
}

impl SkBuff {
    /// Makes tail room of an empty buffer into head room.
    ///
    /// # Errors
    /// When the tail room is smaller.
    pub fn reserve(&mut self, len: usize) -> Result<(), NoRoom> {
        let had = self.tailroom();
        if len > had {
            return Err(NoRoom { side: "tail", wanted: len, had });
        }
        self.data += len;
        self.tail += len;
        Ok(())
    }

    /// Extends the data to the front, and lends the bytes won, zeroed.
    ///
    /// # Errors
    /// When the head room is smaller: it is head room, not tail room, that a push needs.
    pub fn push(&mut self, len: usize) -> Result<&mut [u8], NoRoom> {
        let had = self.headroom();
        if len > had {
            return Err(NoRoom { side: "head", wanted: len, had });
        }
        self.data -= len;
        let won = &mut self.room[self.data..self.data + len];
        won.fill(0);
        Ok(won)
    }

    /// Bytes before the data.
    #[must_use]
    pub fn headroom(&self) -> usize {
        self.data
    }

    /// Bytes behind the data.
    #[must_use]
    pub fn tailroom(&self) -> usize {
        self.room.len() - self.tail
    }

    /// What is in it.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.room[self.data..self.tail]
    }

    /// What is in it, to be changed in place.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.room[self.data..self.tail]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pushed_in_front() {
        let mut pool = Pool::default();
        let mut skb = pool.alloc(8);
        assert_eq!((skb.headroom(), skb.tailroom()), (0, 8));
        assert_eq!(skb.push(1).unwrap_err(), NoRoom { side: "head", wanted: 1, had: 0 });
        skb.reserve(8).unwrap();
        assert_eq!((skb.headroom(), skb.tailroom()), (8, 0));
        skb.push(3).unwrap().copy_from_slice(&[4, 5, 6]);
        skb.push(3).unwrap().copy_from_slice(&[1, 2, 3]);
        assert_eq!(skb.data(), [1, 2, 3, 4, 5, 6]);
        let refused = skb.push(3).unwrap_err();
        assert_eq!(refused.to_string(), "3 bytes wanted, 2 bytes of head room left");
        assert_eq!(skb.data(), [1, 2, 3, 4, 5, 6], "a push refused changes nothing");
        assert_eq!(skb.reserve(1).unwrap_err().side, "tail");
        pool.kfree(skb);
    }

    #[test]
    fn a_buffer_not_given_back_stays_counted() {
        let mut pool = Pool::default();
        let first = pool.alloc(4);
        let second = pool.alloc(4);
        assert_eq!(pool.live(), 2);
        pool.kfree(second);
        drop(first);
        assert_eq!(pool.live(), 1);
    }

    #[test]
    fn a_used_buffer_shows_nothing_of_its_past() {
        let mut pool = Pool::default();
        let mut skb = pool.alloc(4);
        skb.reserve(4).unwrap();
        skb.push(4).unwrap().fill(0xff);
        pool.kfree(skb);
        let mut skb = pool.alloc(4);
        skb.reserve(4).unwrap();
        assert_eq!(skb.push(4).unwrap(), [0; 4]);
        pool.kfree(skb);
    }
}
