//! gzip and zstd unpacked on the way, told by the first bytes; whatever else passes as it is.
//! What is unpacked is never held as a whole. Knows nothing of captures.

use std::io::{self, BufReader, Chain, Cursor, Error, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The input with its first bytes put back.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// A reader of what another one has, unpacked.
pub(crate) struct Unpack<R> {
    state: State<R>,
    /// Bytes unpacked so far, and the most that may be.
    unpacked: u64,
    limit: u64,
}

enum State<R> {
    /// Not yet looked at; nothing only while it is being looked at.
    Start(Option<R>),
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Zstd(Box<Zstd<BufReader<Whole<R>>>>),
}

impl<R: Read> Unpack<R> {
    /// No more than `limit` bytes come out of a packed input; one that is not packed has no limit.
    pub(crate) fn new(input: R, limit: u64) -> Self {
        Self { state: State::Start(Some(input)), unpacked: 0, limit }
    }
}

impl<R: Read> Read for Unpack<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let State::Start(input) = &mut self.state {
            let Some(input) = input.take() else { return Ok(0) };
            self.state = look(input)?;
        }
        let (read, kind) = match &mut self.state {
            State::Start(_) => return Ok(0),
            State::Plain(input) => return input.read(out),
            State::Gzip(input) => (input.read(out), "gzip"),
            State::Zstd(input) => (input.read(out), "zstd"),
        };
        let read =
            read.map_err(|error| Error::new(error.kind(), format!("unpacking {kind}: {error}")))?;
        self.unpacked += read as u64;
        if self.unpacked > self.limit {
            let limit = self.limit;
            return Err(Error::other(format!(
                "unpacking {kind}: more than {limit} bytes came out; unpack the file first"
            )));
        }
        Ok(read)
    }
}

/// What the first four bytes tell.
fn look<R: Read>(mut input: R) -> io::Result<State<R>> {
    let mut head = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut head)?;
    let (gzip, zstd) = (head.starts_with(&GZIP), head.starts_with(&ZSTD) || skippable(&head));
    let whole = Cursor::new(head).chain(input);
    Ok(match (gzip, zstd) {
        (true, _) => State::Gzip(Box::new(MultiGzDecoder::new(whole))),
        (_, true) => State::Zstd(Box::new(Zstd {
            input: BufReader::new(whole),
            frame: FrameDecoder::new(),
            within: false,
        })),
        _ => State::Plain(whole),
    })
}

/// A skippable frame may stand first, RFC 8878 section 3.1.2.
fn skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// The frames of a zstd stream one after the other; the decoder itself knows one.
struct Zstd<R> {
    input: R,
    frame: FrameDecoder,
    within: bool,
}

impl<R: io::BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.within {
                // The decoder keeps its window back until the frame is done.
                while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                    let some = BlockDecodingStrategy::UptoBlocks(1);
                    self.frame.decode_blocks(&mut self.input, some).map_err(broken)?;
                }
                let read = self.frame.read(out)?;
                if read > 0 || out.is_empty() {
                    return Ok(read);
                }
                let stored = self.frame.get_checksum_from_data();
                if stored.is_some() && stored != self.frame.get_calculated_checksum() {
                    return Err(Error::new(io::ErrorKind::InvalidData, "the checksum is wrong"));
                }
                self.within = false;
            }
            if self.input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            match self.frame.reset(&mut self.input) {
                Ok(()) => self.within = true,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.input.by_ref().take(u64::from(length));
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

/// A stream that ends early is told as such, so that a file that is still written is.
fn broken(error: FrameDecoderError) -> Error {
    Error::new(io::ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_bomb_ends_at_the_limit_and_what_is_not_packed_has_none() {
        let zeros = vec![0; 100_000];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&zeros).expect("memory");
        let gzip = gzip.finish().expect("memory");
        let zstd = ruzstd::encoding::compress_to_vec(
            &zeros[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        for (bytes, limit, whole) in [
            (&gzip, 100_000, true),
            (&gzip, 99_999, false),
            (&zstd, 100_000, true),
            (&zstd, 99_999, false),
            (&zeros, 10, true),
        ] {
            let mut out = Vec::new();
            let read = Unpack::new(&bytes[..], limit).read_to_end(&mut out);
            assert_eq!(read.is_ok(), whole, "{read:?}");
            assert!(out.len() as u64 <= limit.max(100_000));
        }
    }
}
