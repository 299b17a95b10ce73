//! Capture files: pcapng out, pcapng and classic pcap in, packed or not.
//!
//! What is written is the same bytes on every machine: little-endian, nanoseconds, one interface a
//! port, nothing about the host. Writing goes through `pcap-file`; reading is our own, because a
//! capture from elsewhere must be read also where its names, comments or times are odd. Nothing
//! here knows a header above the block.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::{DataLink, Endianness};

use crate::capture::{Capture, FrameId};

mod blocks;
mod reader;
mod tally;
#[cfg(test)]
mod tests;
mod window;
mod writer;

pub use reader::{LONGEST_BLOCK, Reader, Taken};
pub use writer::Writer;

/// Comments by frame, in the order in which they are shown.
pub type Comments = BTreeMap<FrameId, Vec<String>>;

/// A capture file's contents.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Its frames in the order of the file. Times are nanoseconds as the file counts them, from
    /// 1970 for a real capture; interfaces without a name are `if0`, `if1`, ….
    pub capture: Capture,
    /// Its packet comments.
    pub comments: Comments,
    /// Each frame's number as Wireshark counts, which counts also frames that were passed over.
    pub numbers: Vec<u64>,
    /// What was odd and passed over: frames cut by the capture, frames of other link types, blocks
    /// of other kinds.
    pub notes: Vec<String>,
}

/// Why a file could not be read to its end.
#[derive(Clone, Debug, thiserror::Error)]
#[error("at byte {offset}: {message}")]
pub struct ReadError {
    /// Where the block or packet begins that is wrong, in the unpacked file.
    pub offset: u64,
    /// What is wrong with it.
    pub message: String,
}

/// The most bytes of one comment: an option's length has 16 bits.
const COMMENT_BYTES: usize = 65_532;

/// Writes a capture as pcapng; with no comments this is the golden form, the same bytes always.
/// A comment longer than 65,532 bytes goes on in the next one.
///
/// # Errors
/// What the writer says, or a frame or name that pcapng cannot hold.
pub fn write(capture: &Capture, comments: &Comments, writer: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, writer);
    let mut blocks =
        PcapNgWriter::with_endianness(&mut out, Endianness::Little).map_err(io::Error::other)?;
    for name in capture.interfaces() {
        let mut block = InterfaceDescriptionBlock::new(DataLink::ETHERNET, 0);
        block.options = vec![
            InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ];
        blocks.write_pcapng_block(block).map_err(io::Error::other)?;
    }
    for (id, record, bytes) in capture.iter() {
        let said = comments.get(&id).map_or(&[][..], Vec::as_slice);
        let block = EnhancedPacketBlock {
            interface_id: u32::from(record.port.0),
            timestamp: Duration::from_nanos(record.time.as_nanos()),
            original_len: u32::try_from(bytes.len()).map_err(io::Error::other)?,
            data: Cow::Borrowed(bytes),
            options: said.iter().flat_map(|text| parts(text)).map(comment).collect(),
        };
        blocks.write_pcapng_block(block).map_err(io::Error::other)?;
    }
    out.flush()
}

/// Reads a capture file into memory: pcapng or classic pcap, also packed with gzip or zstd. For a
/// capture of any size there is [`Reader`].
///
/// # Errors
/// As [`Reader::next_frame`], and where a packed file is larger than 256 MiB.
pub fn read(bytes: &[u8]) -> Result<File, ReadError> {
    read_from(bytes)
}

/// As [`read`], from a file that is not held in memory itself.
///
/// # Errors
/// As [`read`].
pub fn read_from(input: impl Read) -> Result<File, ReadError> {
    match reader::whole(input) {
        (file, None) => Ok(file),
        (_, Some(error)) => Err(error),
    }
}

/// As [`read`]: the frames before the error too.
#[must_use]
pub fn read_so_far(bytes: &[u8]) -> (File, Option<ReadError>) {
    reader::whole(bytes)
}

/// A comment in parts that an option can hold.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, after) = text.split_at(text.floor_char_boundary(COMMENT_BYTES));
        rest = (!after.is_empty()).then_some(after);
        Some(part)
    })
}

fn comment(text: &str) -> EnhancedPacketOption<'_> {
    EnhancedPacketOption::Common(CommonOption::Comment(Cow::Borrowed(text)))
}
