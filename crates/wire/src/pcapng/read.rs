//! Reading pcapng: one pass over the blocks, trusting no length.

use super::{File, ReadError};
use crate::capture::{FrameId, PortId};
use crate::time::Instant;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// What a section says of one interface.
struct Interface {
    port: PortId,
    name: String,
    link_type: u16,
    snap_length: u32,
    resolution: u8,
    offset_seconds: i64,
}

/// One frame as a packet block tells it, whatever the block's kind.
struct Packet<'a> {
    interface: usize,
    ticks: u64,
    captured: usize,
    original: usize,
    /// The frame, its padding and the options.
    rest: &'a [u8],
}

struct Reader<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    section: Vec<Interface>,
    file: File,
    cut: u64,
    skipped: u64,
    odd_times: u64,
}

pub(super) fn read(bytes: &[u8]) -> Result<File, ReadError> {
    let mut reader = Reader {
        bytes,
        big_endian: false,
        section: Vec::new(),
        file: File::default(),
        cut: 0,
        skipped: 0,
        odd_times: 0,
    };
    let mut at = 0;
    while at < bytes.len() {
        match reader.block(at) {
            Ok(length) => at += length,
            Err(message) => return Err(ReadError::new(at, message, reader.finish())),
        }
    }
    Ok(reader.finish())
}

impl<'a> Reader<'a> {
    /// Takes the block at `at`; its length, or what is wrong with it.
    fn block(&mut self, at: usize) -> Result<usize, String> {
        let rest = &self.bytes[at..];
        if rest.len() < 12 {
            return Err(format!("the file ends within a block: {} of 12 bytes", rest.len()));
        }
        let kind = self.u32(rest, 0);
        if kind == SECTION {
            self.big_endian = match rest[8..12] {
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                _ => return Err("the section header has no byte-order magic".into()),
            };
        }
        let total = self.u32(rest, 4);
        let length = usize::try_from(total).map_err(|error| error.to_string())?;
        if length < 12 || !length.is_multiple_of(4) {
            return Err(format!("a block of {total} bytes: at least 12, in steps of 4, is right"));
        }
        let Some(block) = rest.get(..length) else {
            let had = rest.len();
            return Err(format!("the file ends within a block: {had} of {total} bytes"));
        };
        let again = self.u32(block, length - 4);
        if again != total {
            return Err(format!("a block gives its length as {total} first, as {again} last"));
        }
        let body = &block[8..length - 4];
        match kind {
            SECTION => self.section_header(body)?,
            INTERFACE => self.interface(body)?,
            OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET => {
                let packet = self.packet_head(kind, body)?;
                self.packet(&packet)?;
            }
            _ => self.skipped += 1,
        }
        Ok(length)
    }

    fn section_header(&mut self, body: &[u8]) -> Result<(), String> {
        if body.len() < 16 {
            return Err("the section header is too short".into());
        }
        let major = self.u16(body, 4);
        if major != 1 {
            return Err(format!("pcapng version {major}, where 1 can be read"));
        }
        self.section.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), String> {
        if body.len() < 8 {
            return Err("the interface description is too short".into());
        }
        let number = self.file.capture.interfaces().len();
        if number > usize::from(u16::MAX) {
            return Err("more than 65,536 interfaces".into());
        }
        let mut interface = Interface {
            port: PortId(0),
            name: format!("if{number}"),
            link_type: self.u16(body, 0),
            snap_length: self.u32(body, 4),
            resolution: 6,
            offset_seconds: 0,
        };
        for (code, value) in self.options(&body[8..]) {
            match (code, value) {
                (IF_NAME, name) if !name.is_empty() => {
                    interface.name = String::from_utf8_lossy(name).into_owned();
                }
                (IF_TSRESOL, [resolution, ..]) => interface.resolution = *resolution,
                (IF_TSOFFSET, value) if value.len() == 8 => {
                    let (a, b) = (self.u32(value, 0), self.u32(value, 4));
                    let (high, low) = if self.big_endian { (a, b) } else { (b, a) };
                    interface.offset_seconds = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
        }
        interface.port = self.file.capture.add_interface(interface.name.clone());
        self.file.link_types.push(interface.link_type);
        self.section.push(interface);
        Ok(())
    }

    fn packet_head(&self, kind: u32, body: &'a [u8]) -> Result<Packet<'a>, String> {
        let head = if kind == SIMPLE_PACKET { 4 } else { 20 };
        if body.len() < head {
            return Err(format!("a packet block with {} of {head} bytes", body.len()));
        }
        let rest = &body[head..];
        if kind == SIMPLE_PACKET {
            // Its frame is cut at the snap length of the section's first interface.
            let original = self.u32(body, 0);
            let limit = self.section.first().map_or(0, |interface| interface.snap_length);
            let captured = if limit == 0 { original } else { original.min(limit) } as usize;
            let original = original as usize;
            return Ok(Packet { interface: 0, ticks: 0, captured, original, rest });
        }
        let interface = match kind {
            OLD_PACKET => usize::from(self.u16(body, 0)),
            _ => self.u32(body, 0) as usize,
        };
        Ok(Packet {
            interface,
            ticks: u64::from(self.u32(body, 4)) << 32 | u64::from(self.u32(body, 8)),
            captured: self.u32(body, 12) as usize,
            original: self.u32(body, 16) as usize,
            rest,
        })
    }

    fn packet(&mut self, packet: &Packet<'a>) -> Result<(), String> {
        let Packet { interface, captured, original, rest, .. } = *packet;
        let Some(interface) = self.section.get(interface) else {
            let known = self.section.len();
            return Err(format!("a frame of interface {interface}; the section has {known}"));
        };
        if interface.link_type != 1 {
            return Err(format!(
                "a frame of link type {} (interface {}); only Ethernet, 1, can be read",
                interface.link_type, interface.name
            ));
        }
        let Some(frame) = rest.get(..captured) else {
            let had = rest.len();
            return Err(format!("a frame of {captured} bytes in a block with room for {had}"));
        };
        let (time, exact) = instant(packet.ticks, interface);
        let port = interface.port;
        self.odd_times += u64::from(!exact);
        self.cut += u64::from(captured < original);
        let id = self.file.capture.push(time, port, frame);
        let after = rest.get(captured.next_multiple_of(4)..).unwrap_or(&[]);
        self.comments(id, after);
        Ok(())
    }

    fn comments(&mut self, id: FrameId, options: &[u8]) {
        if options.is_empty() {
            return;
        }
        let texts: Vec<String> = self
            .options(options)
            .filter(|(code, _)| *code == COMMENT)
            .map(|(_, text)| String::from_utf8_lossy(text).into_owned())
            .collect();
        if !texts.is_empty() {
            self.file.comments.insert(id, texts);
        }
    }

    /// Options up to their end mark, or up to the first that claims more than there is.
    fn options<'b>(&self, mut rest: &'b [u8]) -> impl Iterator<Item = (u16, &'b [u8])> + use<'b> {
        let big_endian = self.big_endian;
        std::iter::from_fn(move || {
            let head = rest.get(..4)?;
            let code = u16_at(big_endian, head, 0);
            let length = usize::from(u16_at(big_endian, head, 2));
            let value = rest.get(4..4 + length).filter(|_| code != 0)?;
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
            Some((code, value))
        })
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        u16_at(self.big_endian, bytes, at)
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    fn finish(self) -> File {
        let mut file = self.file;
        for (count, what) in [
            (self.cut, "frames were cut by the capture that took them"),
            (self.skipped, "blocks of other kinds were passed over"),
            (self.odd_times, "frames have times that do not fit 64 bits of nanoseconds"),
        ] {
            if count > 0 {
                file.notes.push(format!("{count} {what}"));
            }
        }
        file
    }
}

fn u16_at(big_endian: bool, bytes: &[u8], at: usize) -> u16 {
    let two = [bytes[at], bytes[at + 1]];
    if big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
}

/// Nanoseconds of a time in the interface's ticks; false when it had to be held within range.
fn instant(ticks: u64, interface: &Interface) -> (Instant, bool) {
    const SECOND: u128 = 1_000_000_000;
    let power = u32::from(interface.resolution & 0x7f);
    let nanos = if interface.resolution & 0x80 != 0 {
        (u128::from(ticks) * SECOND) >> power
    } else {
        match 10u128.checked_pow(power) {
            Some(per_second) => u128::from(ticks) * SECOND / per_second,
            None => 0,
        }
    };
    let nanos = nanos as i128 + i128::from(interface.offset_seconds) * SECOND as i128;
    let held = nanos.clamp(0, i128::from(u64::MAX));
    (Instant::from_nanos(held as u64), held == nanos)
}
