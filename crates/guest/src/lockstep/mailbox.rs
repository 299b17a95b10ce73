//! What lies in the memory that a lockstep guest and we both have, while it stands at the gate.
//! The other reader is `modules/lockstep/lockstep.c`, which has the same table as `struct box`.
//! Knows places and sizes; nothing of time.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::error::{Error, Tried};
use crate::unnamed;

/// Bytes of it all.
pub(crate) const BYTES: u64 = 1 << 20;
/// In the first eight bytes once the module is loaded.
const MAGIC: u64 = 0x7065_7473_006b_636c;
/// Of the table.
const VERSION: u64 = 1;

/// Areas: the first byte and how many there are.
const WORDS_IN: (u64, usize) = (0x1000, 0xf000);
const WORDS_OUT: (u64, usize) = (0x10000, 0x10000);
const FRAMES_IN: (u64, usize) = (0x20000, 0x60000);
const FRAMES_OUT: (u64, usize) = (0x80000, 0x80000);

/// Numbers that the guest writes: twelve of 64 bits, little-endian, from the first byte on.
const GUEST_NUMBERS: usize = 12;
/// The first of the four that we write.
const HOST_NUMBERS: u64 = 128;
/// Bytes before those of a frame: time, port, size.
const FRAME_HEAD: usize = 16;

/// What the guest left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Its monotonic clock.
    pub(crate) now_ns: u64,
    /// Its ticks since boot, from wherever it counts.
    pub(crate) ticks: u64,
    /// How long a tick is.
    pub(crate) tick_ns: u64,
    /// Somebody in it waits for words.
    pub(crate) waits: bool,
    /// Bytes of words that nobody has read yet.
    pub(crate) unread: usize,
    /// What it wrote.
    pub(crate) words: Vec<u8>,
    /// What it emitted, in order.
    pub(crate) frames: Vec<Emitted>,
}

/// A frame that came out of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emitted {
    /// By the guest's clock.
    pub(crate) at_ns: u64,
    /// Out of which port.
    pub(crate) port: usize,
    /// Its bytes.
    pub(crate) frame: Vec<u8>,
}

/// What the guest is given on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given<'a> {
    /// It is to stand again at this time of its clock, if it has nothing to say before.
    pub(crate) until_ns: u64,
    /// It is to stand again as soon as somebody waits for words.
    pub(crate) heed_reader: bool,
    /// Words to be read; only when none are left unread, and no more than [`MOST_WORDS`].
    pub(crate) words: &'a [u8],
    /// A frame and the port at which it arrives.
    pub(crate) frame: Option<(usize, &'a [u8])>,
}

/// The most words that go in at a time, in bytes.
pub(crate) const MOST_WORDS: usize = WORDS_IN.1;

/// The memory.
#[derive(Debug)]
pub(crate) struct Mailbox {
    file: File,
}

impl Mailbox {
    /// An empty one, in a file without a name.
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { file: unnamed::empty(BYTES).tried("make a mailbox for a guest")? })
    }

    /// The file, for QEMU to hold too.
    pub(crate) fn shared(&self) -> Result<File, Error> {
        self.file.try_clone().tried("share a guest's mailbox")
    }

    /// Puts in what the guest is to find.
    pub(crate) fn put(&self, given: Given<'_>) -> Result<(), Error> {
        let mut numbers = [given.until_ns, u64::from(given.heed_reader), 0, 0];
        let write = |numbers: &mut [u64; 4]| {
            if !given.words.is_empty() {
                numbers[2] = given.words.len() as u64;
                self.file.write_all_at(given.words, WORDS_IN.0)?;
            }
            if let Some((port, frame)) = given.frame {
                numbers[3] = 1;
                let mut head = [0; FRAME_HEAD];
                head[8..12].copy_from_slice(&(port as u32).to_le_bytes());
                head[12..].copy_from_slice(&(frame.len() as u32).to_le_bytes());
                self.file.write_all_at(&head, FRAMES_IN.0)?;
                self.file.write_all_at(frame, FRAMES_IN.0 + FRAME_HEAD as u64)?;
            }
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            self.file.write_all_at(&bytes, HOST_NUMBERS)
        };
        write(&mut numbers).tried("write into a guest's mailbox")
    }

    /// Takes out what the guest left.
    ///
    /// # Errors
    /// [`Error::Died`] when that makes no sense, [`Error::Late`] when it emitted more than the
    /// mailbox holds.
    pub(crate) fn take(&self) -> Result<Left, Error> {
        let area = |(at, size): (u64, usize)| {
            let mut bytes = vec![0; size];
            self.file.read_exact_at(&mut bytes, at).tried("read a guest's mailbox")?;
            Ok::<_, Error>(bytes)
        };
        let head = area((0, GUEST_NUMBERS * 8))?;
        let number = |at: usize| le64(&head, at * 8).unwrap_or_default();
        if number(0) != MAGIC || number(1) != VERSION || number(2) == 0 || number(4) == 0 {
            let text = "a guest's mailbox holds no table of the module lockstep that is known \
                        here: wireproof modules build makes the one that fits";
            return Err(Error::Died(text.to_owned()));
        }
        if number(10) != 0 {
            let text = "a guest emitted more at once than its mailbox holds";
            return Err(Error::Late(text.to_owned()));
        }
        let words = area((WORDS_OUT.0, WORDS_OUT.1.min(number(8) as usize)))?;
        let frames = area((FRAMES_OUT.0, FRAMES_OUT.1.min(number(11) as usize)))?;
        let frames = emitted(&frames, number(9))?;
        Ok(Left {
            now_ns: number(2),
            ticks: number(3),
            tick_ns: number(4),
            waits: number(6) != 0,
            unread: number(7) as usize,
            words,
            frames,
        })
    }
}

/// The frames in their area.
fn emitted(area: &[u8], count: u64) -> Result<Vec<Emitted>, Error> {
    let mut frames = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let read = || {
            let at_ns = le64(area, at)?;
            let size = le64(area, at + 8)?;
            let (port, size) = (size as u32 as usize, (size >> 32) as usize);
            let begin = at + FRAME_HEAD;
            Some(Emitted { at_ns, port, frame: area.get(begin..begin + size)?.to_vec() })
        };
        let Some(one) = read() else {
            let text = "a frame in a guest's mailbox goes beyond its end";
            return Err(Error::Died(text.to_owned()));
        };
        at += (FRAME_HEAD + one.frame.len()).next_multiple_of(8);
        frames.push(one);
    }
    Ok(frames)
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a module would have written.
    fn guest(mailbox: &Mailbox, numbers: [u64; GUEST_NUMBERS]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        mailbox.file.write_all_at(&bytes, 0).unwrap();
    }

    fn head(at_ns: u64, port: u32, size: u32) -> Vec<u8> {
        [&at_ns.to_le_bytes()[..], &port.to_le_bytes(), &size.to_le_bytes()].concat()
    }

    const NOTHING: [u64; GUEST_NUMBERS] = [MAGIC, VERSION, 7, 8, 9, 2, 0, 0, 0, 0, 0, 0];

    #[test]
    fn what_a_guest_left_is_taken_out() {
        let mailbox = Mailbox::new().unwrap();
        let mut numbers = NOTHING;
        (numbers[6], numbers[7], numbers[8], numbers[9], numbers[11]) = (1, 5, 2, 2, 24 + 18);
        guest(&mailbox, numbers);
        mailbox.file.write_all_at(b"hi", WORDS_OUT.0).unwrap();
        let frames = [head(100, 1, 3), vec![1, 2, 3, 0, 0, 0, 0, 0], head(200, 0, 2), vec![4, 5]];
        mailbox.file.write_all_at(&frames.concat(), FRAMES_OUT.0).unwrap();
        let left = mailbox.take().unwrap();
        let one = Emitted { at_ns: 100, port: 1, frame: vec![1, 2, 3] };
        let other = Emitted { at_ns: 200, port: 0, frame: vec![4, 5] };
        let (waits, words) = (true, b"hi".to_vec());
        let frames = vec![one, other];
        let is = Left { now_ns: 7, ticks: 8, tick_ns: 9, waits, unread: 5, words, frames };
        assert_eq!(left, is);
    }

    #[test]
    fn what_a_guest_is_given_lies_where_the_module_looks() {
        let mailbox = Mailbox::new().unwrap();
        let frame = Some((3, &[0xab; 20][..]));
        mailbox.put(Given { until_ns: 5, heed_reader: true, words: b"ls\n", frame }).unwrap();
        let read = |at: u64, size: usize| {
            let mut bytes = vec![0; size];
            mailbox.file.read_exact_at(&mut bytes, at).unwrap();
            bytes
        };
        assert_eq!(read(128, 32), [5_u64, 1, 3, 1].map(u64::to_le_bytes).concat());
        assert_eq!(read(0x1000, 3), b"ls\n");
        assert_eq!(read(0x20000, 36), [head(0, 3, 20), vec![0xab; 20]].concat());
    }

    #[test]
    fn a_mailbox_that_makes_no_sense_is_told() {
        let mailbox = Mailbox::new().unwrap();
        assert!(mailbox.take().unwrap_err().to_string().contains("wireproof modules build"));
        for (at, value, sign) in [
            (1, 2, "no table"),
            (4, 0, "no table"),
            (10, 1, "more at once"),
            (9, 1, "beyond its end"),
            (9, u64::MAX, "beyond its end"),
        ] {
            let mut numbers = NOTHING;
            numbers[at] = value;
            guest(&mailbox, numbers);
            let error = mailbox.take().unwrap_err().to_string();
            assert!(error.contains(sign), "{at}: {error}");
        }
        let mut numbers = NOTHING;
        (numbers[9], numbers[11]) = (1, 16);
        guest(&mailbox, numbers);
        mailbox.file.write_all_at(&head(0, 0, u32::MAX), FRAMES_OUT.0).unwrap();
        assert!(mailbox.take().unwrap_err().to_string().contains("beyond its end"));
    }
}
