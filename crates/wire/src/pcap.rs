//! Classic pcap, for tools that read nothing else. It has no interfaces, names or comments: what
//! wireproof keeps is written as [`crate::pcapng`], whose reader reads both.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
use pcap_file::{DataLink, Endianness};

use crate::LinkType;
use crate::capture::{Capture, Interface};
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

/// What the head of a classic file says of its packets.
#[derive(Clone, Copy)]
pub(crate) struct Classic {
    format: Format,
    /// A packet's head has eight bytes more, as a patch of libpcap wrote them in the nineties.
    modified: bool,
    /// The two lengths of a packet stand in the other order: always before version 2.3, and in 2.3
    /// where the captured one would be the greater.
    swapped: fn(u32, u32) -> bool,
}

/// A packet as its head tells it.
pub(crate) struct Packet {
    pub(crate) time: Instant,
    pub(crate) captured: usize,
    pub(crate) original: usize,
}

impl Classic {
    /// These four bytes begin a classic file.
    pub(crate) fn is(start: &[u8]) -> bool {
        Self::magic(start).is_some()
    }

    fn magic(start: &[u8]) -> Option<(Format, bool)> {
        match start.get(..4)? {
            [0xa1, 0xb2, 0xcd, 0x34] => {
                Some((Format { big_endian: true, nanoseconds: false }, true))
            }
            [0x34, 0xcd, 0xb2, 0xa1] => {
                Some((Format { big_endian: false, nanoseconds: false }, true))
            }
            start => detect(start).map(|format| (format, false)),
        }
    }

    /// The file's head, and its one interface, `if0`.
    pub(crate) fn begun(head: &[u8]) -> Result<(Self, Interface), String> {
        let short = || format!("the file ends within its head: {} of 24 bytes", head.len());
        if head.len() < 24 {
            return Err(short());
        }
        let (format, modified) = Self::magic(head).ok_or_else(short)?;
        let version = u32_at(format, head, 4).rotate_left(if format.big_endian { 0 } else { 16 });
        let swapped: fn(u32, u32) -> bool = match version {
            0x0002_0000..=0x0002_0002 => |_, _| true,
            0x0002_0003 => |captured, original| captured > original,
            _ => |_, _| false,
        };
        // Above the link type: how many pairs of bytes a frame check sequence has, where one bit
        // says that this is known.
        let network = u32_at(format, head, 20);
        let fcs_len = if network & 0x0400_0000 != 0 { (network >> 28) as u8 * 2 } else { 0 };
        let link = LinkType::from_number(network as u16);
        let interface = Interface { name: "if0".into(), link, fcs_len };
        Ok((Self { format, modified, swapped }, interface))
    }

    /// Bytes of a packet's head.
    pub(crate) const fn head(self) -> usize {
        if self.modified { 24 } else { 16 }
    }

    /// A packet from the 16 bytes that every head begins with.
    pub(crate) fn packet(self, head: &[u8]) -> Packet {
        let word = |at| u32_at(self.format, head, at);
        let unit = if self.format.nanoseconds { 1 } else { 1000 };
        let nanos = u64::from(word(0)) * 1_000_000_000 + u64::from(word(4)) * unit;
        let (mut captured, mut original) = (word(8), word(12));
        if (self.swapped)(captured, original) {
            (captured, original) = (original, captured);
        }
        Packet {
            time: Instant::from_nanos(nanos),
            captured: captured as usize,
            original: original as usize,
        }
    }
}

fn u32_at(format: Format, bytes: &[u8], at: usize) -> u32 {
    let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if format.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
}
