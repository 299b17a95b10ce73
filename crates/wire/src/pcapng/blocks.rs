//! The blocks of pcapng, told from their bytes: what a section says of its interfaces, and where a
//! packet block has its frame. Trusts no length; knows no file and no header of a frame.

use crate::LinkType;
use crate::capture::PortId;
use crate::time::Instant;

pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;
const EPB_FLAGS: u16 = 2;

/// A block of this kind holds a frame.
pub(super) const fn is_packet(kind: u32) -> bool {
    matches!(kind, OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

/// A block of this kind has a number in Wireshark as a frame has: journals, custom blocks, and the
/// events of system calls.
pub(super) const fn is_numbered(kind: u32) -> bool {
    const EVENTS: [u32; 6] = [0x204, 0x208, 0x216, 0x217, 0x221, 0x222];
    let mut at = 0;
    while at < EVENTS.len() {
        if kind == EVENTS[at] {
            return true;
        }
        at += 1;
    }
    matches!(kind, 9 | 0x0bad | 0x4000_0bad)
}

/// What a section says of one interface.
pub(super) struct Described {
    pub(super) port: PortId,
    pub(super) link: LinkType,
    pub(super) fcs_len: u8,
    snap_length: u32,
    resolution: u8,
    offset_seconds: i64,
}

/// What is known of a section.
#[derive(Default)]
pub(super) struct Section {
    pub(super) big_endian: bool,
    pub(super) interfaces: Vec<Described>,
}

/// One frame as a packet block tells it, whatever the block's kind. Places count from the body.
pub(super) struct Packet {
    pub(super) interface: usize,
    ticks: u64,
    pub(super) start: usize,
    pub(super) captured: usize,
    pub(super) original: usize,
}

impl Section {
    /// The section that a section header begins.
    pub(super) fn begun(body: &[u8]) -> Result<Self, String> {
        if body.len() < 16 {
            return Err("the section header is too short".into());
        }
        let section = Self { big_endian: body[0] == 0x1a, interfaces: Vec::new() };
        match section.u16(body, 4) {
            1 => Ok(section),
            major => Err(format!("pcapng version {major}, where 1 can be read")),
        }
    }

    /// Adds the interface that a block describes; its name, where it has one.
    pub(super) fn describe(&mut self, body: &[u8], port: PortId) -> Result<Option<String>, String> {
        if body.len() < 8 {
            return Err("the interface description is too short".into());
        }
        let mut described = Described {
            port,
            link: LinkType::from_number(self.u16(body, 0)),
            fcs_len: 0,
            snap_length: self.u32(body, 4),
            resolution: 6,
            offset_seconds: 0,
        };
        let mut name = None;
        for (code, value) in self.options(&body[8..]) {
            match (code, value) {
                (IF_NAME, text) if !text.is_empty() => {
                    name = Some(String::from_utf8_lossy(text).into_owned());
                }
                (IF_TSRESOL, [resolution, ..]) => described.resolution = *resolution,
                (IF_FCSLEN, [length, ..]) => described.fcs_len = *length,
                (IF_TSOFFSET, value) if value.len() == 8 => {
                    let (a, b) = (self.u32(value, 0), self.u32(value, 4));
                    let (high, low) = if self.big_endian { (a, b) } else { (b, a) };
                    described.offset_seconds = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
        }
        self.interfaces.push(described);
        Ok(name)
    }

    /// Where a packet block has its frame.
    pub(super) fn packet(&self, kind: u32, body: &[u8]) -> Result<Packet, String> {
        let start = if kind == SIMPLE_PACKET { 4 } else { 20 };
        if body.len() < start {
            return Err(format!("a packet block with {} of {start} bytes", body.len()));
        }
        let mut packet = match kind {
            SIMPLE_PACKET => {
                // Its frame is cut at the snap length of the section's first interface.
                let original = self.u32(body, 0);
                let limit = self.interfaces.first().map_or(0, |first| first.snap_length);
                let captured = if limit == 0 { original } else { original.min(limit) } as usize;
                Packet { interface: 0, ticks: 0, start, captured, original: original as usize }
            }
            _ => Packet {
                interface: match kind {
                    OLD_PACKET => usize::from(self.u16(body, 0)),
                    _ => self.u32(body, 0) as usize,
                },
                ticks: u64::from(self.u32(body, 4)) << 32 | u64::from(self.u32(body, 8)),
                start,
                captured: self.u32(body, 12) as usize,
                original: self.u32(body, 16) as usize,
            },
        };
        let room = body.len() - start;
        if packet.captured > room {
            let captured = packet.captured;
            return Err(format!("a frame of {captured} bytes in a block with room for {room}"));
        }
        packet.original = packet.original.max(packet.captured);
        Ok(packet)
    }

    /// The comments of a packet block, and the length of the frame check sequence that it tells.
    pub(super) fn said(&self, body: &[u8], packet: &Packet) -> (Vec<String>, Option<usize>) {
        let (mut comments, mut fcs_len) = (Vec::new(), None);
        let options = packet.start + packet.captured.next_multiple_of(4);
        for (code, value) in self.options(body.get(options..).unwrap_or(&[])) {
            match code {
                COMMENT => comments.push(String::from_utf8_lossy(value).into_owned()),
                EPB_FLAGS if value.len() == 4 => {
                    let text = (self.u32(value, 0) >> 5 & 15) as usize;
                    fcs_len = (text > 0).then_some(text);
                }
                _ => {}
            }
        }
        (comments, fcs_len)
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

    pub(super) fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        u32_at(self.big_endian, bytes, at)
    }
}

fn u16_at(big_endian: bool, bytes: &[u8], at: usize) -> u16 {
    let two = [bytes[at], bytes[at + 1]];
    if big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
}

pub(super) fn u32_at(big_endian: bool, bytes: &[u8], at: usize) -> u32 {
    let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
}

impl Packet {
    /// Nanoseconds of its time; false when it had to be held within range.
    pub(super) fn instant(&self, interface: &Described) -> (Instant, bool) {
        const SECOND: u128 = 1_000_000_000;
        // Most files count in one of these; a division of 128 bits costs as much as all the rest.
        let quick = match (interface.resolution, interface.offset_seconds) {
            (9, 0) => Some(self.ticks),
            (6, 0) => self.ticks.checked_mul(1_000),
            _ => None,
        };
        if let Some(nanos) = quick {
            return (Instant::from_nanos(nanos), true);
        }
        let power = u32::from(interface.resolution & 0x7f);
        let ticks = u128::from(self.ticks);
        let nanos = if interface.resolution & 0x80 != 0 {
            (ticks * SECOND) >> power
        } else {
            10u128.checked_pow(power).map_or(0, |per_second| ticks * SECOND / per_second)
        };
        let nanos = nanos as i128 + i128::from(interface.offset_seconds) * SECOND as i128;
        let held = nanos.clamp(0, i128::from(u64::MAX));
        (Instant::from_nanos(held as u64), held == nanos)
    }
}
