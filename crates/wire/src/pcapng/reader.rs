//! Reading a capture frame by frame, in memory that does not grow with it: pcapng or pcap, as it is
//! or packed with gzip or zstd, from a file or from a pipe that is still written to. Knows blocks
//! and no header of a frame.

use std::io::Read;
use std::ops::Range;

use super::blocks::{self, Section, is_numbered, is_packet, u32_at};
use super::tally::{Passed, Tally};
use super::window::Window;
use super::{File, ReadError};
use crate::capture::{Interface, PortId};
use crate::pcap::Classic;
use crate::time::Instant;
use crate::{Frame, LinkType};

/// The longest block or frame that is read; Wireshark takes no longer block either.
pub const LONGEST_BLOCK: usize = 1 << 24;
/// The most bytes of all interfaces' names together.
const NAMES: usize = 1 << 20;
/// The most bytes that come out of a packed file which is read as a whole.
const UNPACKED: u64 = 1 << 28;

/// One frame of a capture file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<'a> {
    /// Its number as Wireshark counts: from 1, and frames that are passed over count too.
    pub number: u64,
    /// Nanoseconds as the file counts them, from 1970 for a real capture.
    pub time: Instant,
    /// The interface, a place in [`Reader::interfaces`].
    pub interface: PortId,
    /// Its bytes, link type and length on the wire.
    pub frame: Frame<'a>,
    /// Its comments.
    pub comments: Vec<String>,
}

/// Reads frames one by one. Frames of a link type that cannot be taken apart are passed over and
/// counted in the notes; a file that has no others is an error at its end.
///
/// It asks the input for no more than the next frame needs, so that a live capture is read as it
/// is written.
pub struct Reader<R> {
    window: Window<R>,
    form: Form,
    interfaces: Vec<Interface>,
    tally: Tally,
    number: u64,
    /// Bytes of the window that belong to the frame that was handed out last.
    taken: usize,
}

enum Form {
    Unknown,
    Classic(Classic),
    Blocks(Section),
}

/// A frame found: all of it but its bytes, which stay in the window.
struct Found {
    time: Instant,
    port: PortId,
    link: LinkType,
    fcs_len: usize,
    original_len: usize,
    bytes: Range<usize>,
    comments: Vec<String>,
}

impl<R: Read> Reader<R> {
    /// A reader from the input's first byte on. Nothing is read before a frame is asked for.
    pub fn new(input: R) -> Self {
        Self::limited(input, u64::MAX)
    }

    fn limited(input: R, unpacked: u64) -> Self {
        Self {
            window: Window::new(input, unpacked),
            form: Form::Unknown,
            interfaces: Vec::new(),
            tally: Tally::default(),
            number: 0,
            taken: 0,
        }
    }

    /// The interfaces named so far; those without a name are `if0`, `if1`, …. A capture may name
    /// more of them between two frames.
    #[must_use]
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// What was odd so far and passed over: frames cut by the capture, of other link types, blocks
    /// of other kinds. Complete once there is no next frame.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.tally.notes()
    }

    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// Where the file is none, ends within a block, lies about a length, is wrongly packed, or has
    /// only frames that cannot be taken apart. Another call after an error goes on nowhere.
    pub fn next_frame(&mut self) -> Result<Option<Taken<'_>>, ReadError> {
        self.window.consume(std::mem::take(&mut self.taken));
        let found = loop {
            let found = match self.form {
                Form::Unknown => {
                    self.begin()?;
                    continue;
                }
                Form::Classic(classic) => self.packet(classic)?,
                Form::Blocks(_) => self.block()?,
            };
            match found {
                Next::Frame(found) => break found,
                Next::Nothing => {}
                Next::End => return self.end(),
            }
        };
        self.tally.shown += 1;
        self.tally.cut += u64::from(found.original_len > found.bytes.len());
        Ok(Some(Taken {
            number: self.number,
            time: found.time,
            interface: found.port,
            frame: Frame {
                bytes: &self.window.bytes()[found.bytes],
                link: found.link,
                original_len: found.original_len,
                fcs_len: found.fcs_len,
            },
            comments: found.comments,
        }))
    }

    fn end(&self) -> Result<Option<Taken<'_>>, ReadError> {
        match self.tally.refusal() {
            Some(message) => Err(self.wrong(message)),
            None => Ok(None),
        }
    }

    fn wrong(&self, message: impl Into<String>) -> ReadError {
        ReadError { offset: self.window.offset(), message: message.into() }
    }

    /// Has so many bytes in the window, or all that are left; how many there are.
    fn fill(&mut self, wanted: usize) -> Result<usize, ReadError> {
        self.window.fill(wanted).map_err(|error| self.wrong(error.to_string()))
    }

    /// Tells the file's form by its first bytes.
    fn begin(&mut self) -> Result<(), ReadError> {
        let had = self.fill(4)?;
        let start = &self.window.bytes()[..had.min(4)];
        if start.is_empty() {
            return Err(self.wrong("the file is empty"));
        }
        if start == [0x0a, 0x0d, 0x0d, 0x0a] {
            self.form = Form::Blocks(Section::default());
            return Ok(());
        }
        if Classic::is(start) {
            let had = self.fill(24)?;
            let head = &self.window.bytes()[..had.min(24)];
            let (classic, interface) = Classic::begun(head).map_err(|said| self.wrong(said))?;
            if !interface.link.is_readable() {
                let passed = Passed { link: interface.link, interface: String::new() };
                return Err(ReadError { offset: 20, message: passed.refused() });
            }
            self.window.consume(24);
            self.interfaces.push(interface);
            self.form = Form::Classic(classic);
            return Ok(());
        }
        let start: String = start.iter().map(|byte| format!(" {byte:02x}")).collect();
        Err(self.wrong(format!(
            "no capture: it begins with{start}, where pcapng begins with 0a 0d 0d 0a and pcap \
             with a1 b2 c3 d4, a1 b2 3c 4d or a1 b2 cd 34 in either byte order"
        )))
    }

    /// The next packet of a classic file.
    fn packet(&mut self, classic: Classic) -> Result<Next, ReadError> {
        let head = classic.head();
        let had = self.fill(head)?;
        if had == 0 {
            return Ok(Next::End);
        }
        if had < head {
            let message = format!("the file ends within a packet's head: {had} of {head} bytes");
            return Err(self.wrong(message));
        }
        let packet = classic.packet(self.window.bytes());
        let captured = packet.captured;
        if captured > LONGEST_BLOCK {
            let message =
                format!("a frame of {captured} bytes; the longest read is {LONGEST_BLOCK}");
            return Err(self.wrong(message));
        }
        let had = self.fill(head + captured)? - head;
        if had < captured {
            let message = format!("the file ends within a frame: {had} of {captured} bytes");
            return Err(self.wrong(message));
        }
        (self.number, self.taken) = (self.number + 1, head + captured);
        let interface = &self.interfaces[0];
        Ok(Next::Frame(Found {
            time: packet.time,
            port: PortId(0),
            link: interface.link,
            fcs_len: usize::from(interface.fcs_len),
            original_len: packet.original.max(captured),
            bytes: head..head + captured,
            comments: Vec::new(),
        }))
    }

    /// The next block of pcapng; the window goes on behind it, but for a frame's own.
    fn block(&mut self) -> Result<Next, ReadError> {
        let had = self.fill(12)?;
        if had == 0 {
            return Ok(Next::End);
        }
        if had < 12 {
            return Err(self.wrong(format!("the file ends within a block: {had} of 12 bytes")));
        }
        let Form::Blocks(section) = &self.form else { return Ok(Next::End) };
        let head = self.window.bytes();
        let mut big_endian = section.big_endian;
        let kind = u32_at(big_endian, head, 0);
        if kind == blocks::SECTION {
            big_endian = match head[8..12] {
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                _ => return Err(self.wrong("the section header has no byte-order magic")),
            };
        }
        let total = u32_at(big_endian, head, 4);
        let length = total as usize;
        if length < 12 || !length.is_multiple_of(4) {
            let message = format!("a block of {total} bytes: at least 12, in steps of 4, is right");
            return Err(self.wrong(message));
        }
        let read = kind == blocks::SECTION || kind == blocks::INTERFACE || is_packet(kind);
        if !read {
            self.number += u64::from(is_numbered(kind));
            return self.pass_over(big_endian, length);
        }
        if length > LONGEST_BLOCK {
            let message = format!("a block of {total} bytes; the longest read is {LONGEST_BLOCK}");
            return Err(self.wrong(message));
        }
        let had = self.fill(length)?;
        if had < length {
            let message = format!("the file ends within a block: {had} of {total} bytes");
            return Err(self.wrong(message));
        }
        let again = u32_at(big_endian, self.window.bytes(), length - 4);
        self.same(total, again)?;
        match kind {
            blocks::SECTION => {
                let begun = Section::begun(&self.window.bytes()[8..length - 4]);
                self.form = Form::Blocks(begun.map_err(|said| self.wrong(said))?);
            }
            blocks::INTERFACE => self.interface(length).map_err(|said| self.wrong(said))?,
            _ => return self.enhanced(kind, length).map_err(|said| self.wrong(said)),
        }
        self.window.consume(length);
        Ok(Next::Nothing)
    }

    fn same(&self, first: u32, last: u32) -> Result<(), ReadError> {
        if first == last {
            return Ok(());
        }
        Err(self.wrong(format!("a block gives its length as {first} first, as {last} last")))
    }

    /// A block of another kind, of any length.
    fn pass_over(&mut self, big_endian: bool, length: usize) -> Result<Next, ReadError> {
        self.tally.blocks += 1;
        let skipped = self.window.skip(length as u64 - 4);
        let skipped = skipped.map_err(|error| self.wrong(error.to_string()))?;
        let had = self.fill(4)?.min(4);
        if had < 4 {
            let had = skipped + had as u64;
            let message = format!("the file ends within a block: {had} of {length} bytes");
            return Err(self.wrong(message));
        }
        self.same(length as u32, u32_at(big_endian, self.window.bytes(), 0))?;
        self.window.consume(4);
        Ok(Next::Nothing)
    }

    fn interface(&mut self, length: usize) -> Result<(), String> {
        let Form::Blocks(section) = &mut self.form else { return Ok(()) };
        let number = u16::try_from(self.interfaces.len());
        let number = number.map_err(|_| "more than 65,536 interfaces")?;
        let body = &self.window.bytes()[8..length - 4];
        let name = section.describe(body, PortId(number))?;
        let name = name.unwrap_or_else(|| format!("if{number}"));
        self.tally.names += name.len();
        if self.tally.names > NAMES {
            return Err(format!("names of interfaces with more than {NAMES} bytes"));
        }
        if let Some(described) = section.interfaces.last() {
            let (link, fcs_len) = (described.link, described.fcs_len);
            self.interfaces.push(Interface { name, link, fcs_len });
        }
        Ok(())
    }

    /// The frame of a packet block.
    fn enhanced(&mut self, kind: u32, length: usize) -> Result<Next, String> {
        let Form::Blocks(section) = &self.form else { return Ok(Next::End) };
        let body = &self.window.bytes()[8..length - 4];
        let packet = section.packet(kind, body)?;
        let Some(interface) = section.interfaces.get(packet.interface) else {
            let (asked, known) = (packet.interface, section.interfaces.len());
            return Err(format!("a frame of interface {asked}; the section has {known}"));
        };
        self.number += 1;
        if !interface.link.is_readable() {
            let name = &self.interfaces[usize::from(interface.port.0)].name;
            self.tally.pass(interface.link, name);
            self.window.consume(length);
            return Ok(Next::Nothing);
        }
        let (time, exact) = packet.instant(interface);
        self.tally.odd_times += u64::from(!exact);
        let (comments, fcs_len) = section.said(body, &packet);
        self.taken = length;
        let start = 8 + packet.start;
        Ok(Next::Frame(Found {
            time,
            port: interface.port,
            link: interface.link,
            fcs_len: fcs_len.unwrap_or(usize::from(interface.fcs_len)),
            original_len: packet.original,
            bytes: start..start + packet.captured,
            comments,
        }))
    }
}

/// What a step through the file gave.
enum Next {
    Frame(Found),
    Nothing,
    End,
}

/// The whole of a capture in memory, with the error that ended it early.
pub(super) fn whole(input: impl Read) -> (File, Option<ReadError>) {
    let mut reader = Reader::limited(input, UNPACKED);
    let mut file = File::default();
    let error = loop {
        let taken = match reader.next_frame() {
            Ok(None) => break None,
            Ok(Some(taken)) => taken,
            Err(error) => break Some(error),
        };
        let Taken { number, time, interface, frame, comments } = taken;
        let original = u32::try_from(frame.original_len).unwrap_or(u32::MAX);
        let id = file.capture.push_cut(time, interface, frame.bytes, original);
        if !comments.is_empty() {
            file.comments.insert(id, comments);
        }
        file.numbers.push(number);
    };
    for interface in reader.interfaces() {
        file.capture.add(interface.clone());
    }
    file.notes = reader.notes();
    (file, error)
}
