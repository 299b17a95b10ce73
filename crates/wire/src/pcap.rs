//! Classic pcap, for tools that read nothing else. It has no interfaces, names or comments: what
//! wireproof keeps is written as [`crate::pcapng`].

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
use pcap_file::{DataLink, Endianness};

use crate::capture::Capture;
use crate::pcapng::{File, ReadError};
use crate::time::Instant;

/// The two choices that a classic file's magic number tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Numbers in the file's own heads are big-endian.
    pub big_endian: bool,
    /// Times count nanoseconds within the second, not microseconds.
    pub nanoseconds: bool,
}

impl Default for Format {
    /// Little-endian, nanoseconds.
    fn default() -> Self {
        Self { big_endian: false, nanoseconds: true }
    }
}

/// The format that the first four bytes tell.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let (big_endian, nanoseconds) = match bytes.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
        [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
        [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
        [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
        _ => return None,
    };
    Some(Format { big_endian, nanoseconds })
}

/// Writes the frames and their times; the interfaces are lost.
///
/// # Errors
/// What the writer says, or a time after the year 2106, which the format cannot hold.
pub fn write(capture: &Capture, format: Format, writer: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, writer);
    let longest = capture.iter().map(|(_, _, bytes)| bytes.len()).max().unwrap_or(0);
    let header = PcapHeader {
        snaplen: u32::try_from(longest).map_err(io::Error::other)?.max(262_144),
        datalink: DataLink::ETHERNET,
        ts_resolution: match format.nanoseconds {
            true => PcapTsResolution::NanoSecond,
            false => PcapTsResolution::MicroSecond,
        },
        endianness: if format.big_endian { Endianness::Big } else { Endianness::Little },
        ..PcapHeader::default()
    };
    let mut packets = PcapWriter::with_header(&mut out, header).map_err(io::Error::other)?;
    for (_, record, bytes) in capture.iter() {
        let time = Duration::from_nanos(record.time.as_nanos());
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let packet = PcapPacket::new(time, length, bytes).map_err(io::Error::other)?;
        packets.write_packet(&packet).map_err(io::Error::other)?;
    }
    out.flush()
}

/// Reads a classic pcap; its one interface is `if0`.
///
/// # Errors
/// Where the file is no pcap, is cut, lies about a length or is not of Ethernet; the error carries
/// the frames before.
pub fn read(bytes: &[u8]) -> Result<File, ReadError> {
    let mut file = File::default();
    let Some(format) = detect(bytes) else {
        return Err(ReadError::new(0, "no pcap: the magic number is not known", file));
    };
    let word = |at: usize| {
        let four = <[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?;
        Some(if format.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let Some(link_type) = word(20) else {
        let message = format!("the file ends within its head: {} of 24 bytes", bytes.len());
        return Err(ReadError::new(0, message, file));
    };
    // The bits above the link type tell of a frame check sequence.
    let link_type = link_type as u16;
    file.link_types.push(link_type);
    let port = file.capture.add_interface("if0");
    if link_type != 1 {
        let message = format!("link type {link_type}; only Ethernet, 1, can be read");
        return Err(ReadError::new(20, message, file));
    }
    let (unit, mut at, mut cut) = (if format.nanoseconds { 1 } else { 1000 }, 24, 0);
    while at < bytes.len() {
        let head = (word(at), word(at + 4), word(at + 8), word(at + 12));
        let (Some(seconds), Some(part), Some(captured), Some(original)) = head else {
            let had = bytes.len() - at;
            let message = format!("the file ends within a packet's head: {had} of 16 bytes");
            return Err(ReadError::new(at, message, file));
        };
        let rest = &bytes[at + 16..];
        let Some(frame) = rest.get(..captured as usize) else {
            let had = rest.len();
            let message = format!("the file ends within a frame: {had} of {captured} bytes");
            return Err(ReadError::new(at, message, file));
        };
        let nanos = u64::from(seconds) * 1_000_000_000 + u64::from(part) * unit;
        file.capture.push(Instant::from_nanos(nanos), port, frame);
        cut += u64::from(captured < original);
        at += 16 + frame.len();
    }
    if cut > 0 {
        file.notes.push(format!("{cut} frames were cut by the capture that took them"));
    }
    Ok(file)
}
