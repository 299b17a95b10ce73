//! Holds what is written against a file, piece by piece, so that neither is ever held whole. Knows
//! bytes and the head of a snapshot; no capture.

use std::fmt;
use std::fs;
use std::io::{self, BufReader, Read, Write};

/// The head of a snapshot is a few lines.
const MOST_HEAD: u64 = 1 << 16;

/// Text that goes to a file, with what the file said when it took no more.
pub(super) struct Text<W: Write> {
    out: W,
    pub(super) failed: Option<io::Error>,
}

impl<W: Write> Text<W> {
    pub(super) fn to(out: W) -> Self {
        Self { out, failed: None }
    }
}

impl<W: Write> fmt::Write for Text<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.failed = Some(error);
            fmt::Error
        })
    }
}

/// Written to, it holds what is written against a file, and fails where they differ.
pub(super) struct Same<R: Read> {
    file: BufReader<R>,
    buffer: Vec<u8>,
    /// The file ended where the last newline was written: an editor may leave that out.
    ended: bool,
}

impl Same<fs::File> {
    pub(super) fn new(file: fs::File) -> Self {
        Self { file: BufReader::with_capacity(1 << 16, file), buffer: Vec::new(), ended: false }
    }
}

impl<R: Read> Same<R> {
    /// Passes the lines between `---` and `---`; false where there is no such head.
    pub(super) fn passes_head(&mut self) -> io::Result<bool> {
        use io::BufRead;
        let mut left = MOST_HEAD;
        for number in 0.. {
            self.buffer.clear();
            let read = (&mut self.file).take(left).read_until(b'\n', &mut self.buffer)?;
            left -= read as u64;
            let rule = self.buffer == b"---\n";
            if rule && number > 0 {
                return Ok(true);
            }
            if read == 0 || (number == 0 && !rule) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Nothing is left in the file.
    pub(super) fn ends(&mut self) -> io::Result<bool> {
        Ok(!self.ended && self.file.read(&mut [0])? == 0)
    }

    /// Nothing is left in the file but newlines.
    pub(super) fn ends_in_newlines(&mut self) -> io::Result<bool> {
        let mut piece = [0; 256];
        loop {
            match self.file.read(&mut piece)? {
                0 => return Ok(true),
                length if piece[..length].iter().all(|byte| *byte == b'\n') => {}
                _ => return Ok(false),
            }
        }
    }
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let differs = || io::Error::from(io::ErrorKind::InvalidData);
        if self.ended {
            return Err(differs());
        }
        self.buffer.clear();
        (&mut self.file).take(bytes.len() as u64).read_to_end(&mut self.buffer)?;
        if self.buffer != bytes {
            let short = bytes.strip_suffix(b"\n") == Some(&self.buffer);
            self.ended = short;
            if !short {
                return Err(differs());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
