//! Every frame that was emitted, in total order. Knows bytes, ports and times; knows no header.
//!
//! One arena holds all bytes, so that recording a frame is one copy and, once the arena has grown,
//! no allocation. Frames in flight on a link are indices into the capture, never copies of it.

use crate::packet::Deliberate;
use crate::time::Instant;
use crate::{Frame, LinkType};

/// A port of the run, and the interface of the same number in its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u16);

/// A frame of a capture by its place in the total order, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u32);

impl FrameId {
    /// The number a reader sees, from 1, as Wireshark counts.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 + 1
    }

    /// The place in the capture, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why a frame was emitted, where the wire knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Read from a file, or seen on a wire that cannot tell.
    #[default]
    Unknown,
    /// The scenario commanded it; the number is the driver's own tag (a step's index).
    Command(u32),
    /// Emitted while this frame was being handled.
    Frame(FrameId),
    /// Emitted when a timer ran out.
    Timeout,
}

/// What is known of one frame beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When the port emitted it.
    pub time: Instant,
    /// The port that emitted it.
    pub port: PortId,
    /// What made the port emit it.
    pub cause: Cause,
    /// What the step that sent it made wrong on purpose; empty for whatever a node said by itself.
    pub deliberate: Deliberate,
    /// How often the link handed it over: 0 lost or still in flight, 2 and more duplicated.
    pub deliveries: u8,
    /// The link handed over other bytes than these at least once.
    pub altered: bool,
    start: usize,
    len: u32,
}

/// What the frames of one interface have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name: `node:port` in a run, the device's name in a capture from elsewhere.
    pub name: String,
    /// What its frames begin with.
    pub link: LinkType,
    /// Bytes of a frame check sequence at the end of each frame.
    pub fcs_len: u8,
}

/// The frames of a run in order of (time, sequence), with the interface table they refer to.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    /// Names apart from the rest: most who ask want them.
    interfaces: Vec<String>,
    links: Vec<(LinkType, u8)>,
    records: Vec<Record>,
    bytes: Vec<u8>,
    /// The frames that were cut, in order, with their length on the wire. Apart from the records,
    /// so that a run, which cuts none, pays nothing for it.
    cut: Vec<(FrameId, u32)>,
}

impl Capture {
    /// An empty capture without interfaces.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an interface of Ethernet, named `node:port`; frames name it by the [`PortId`] returned.
    ///
    /// # Panics
    /// After 65,536 interfaces.
    pub fn add_interface(&mut self, name: impl Into<String>) -> PortId {
        self.add(Interface { name: name.into(), ..Interface::default() })
    }

    /// Adds an interface of any link type.
    ///
    /// # Panics
    /// After 65,536 interfaces.
    pub fn add(&mut self, interface: Interface) -> PortId {
        let id = u16::try_from(self.interfaces.len()).expect("at most 65,536 interfaces");
        self.interfaces.push(interface.name);
        self.links.push((interface.link, interface.fcs_len));
        PortId(id)
    }

    /// What the frames of an interface begin with; Ethernet for a port the capture does not know.
    #[must_use]
    pub fn link(&self, port: PortId) -> LinkType {
        self.links.get(usize::from(port.0)).map_or(LinkType::Ethernet, |(link, _)| *link)
    }

    /// The frames of an interface are whole Ethernet frames without a frame check sequence.
    #[must_use]
    pub fn is_plain(&self, port: PortId) -> bool {
        let link = self.links.get(usize::from(port.0));
        link.is_none_or(|link| *link == (LinkType::Ethernet, 0))
    }

    /// Some frame was cut.
    #[must_use]
    pub fn has_cuts(&self) -> bool {
        !self.cut.is_empty()
    }

    /// The interfaces' names, in order of their [`PortId`].
    #[must_use]
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    /// The name of one interface, `node:port`; `?` for a port the capture does not know.
    #[must_use]
    pub fn interface(&self, port: PortId) -> &str {
        self.interfaces.get(usize::from(port.0)).map_or("?", String::as_str)
    }

    /// Records a frame exactly as emitted.
    ///
    /// # Panics
    /// After 2^32 frames or with a frame of 4 GiB; the limits of a plan end a run long before.
    #[inline]
    pub fn push(&mut self, time: Instant, port: PortId, frame: &[u8]) -> FrameId {
        self.push_caused(time, port, Cause::Unknown, Deliberate::NOTHING, frame)
    }

    /// As [`Capture::push`], of a frame of which it is known why it was emitted.
    ///
    /// # Panics
    /// As [`Capture::push`].
    #[inline]
    pub fn push_caused(
        &mut self,
        time: Instant,
        port: PortId,
        cause: Cause,
        deliberate: Deliberate,
        frame: &[u8],
    ) -> FrameId {
        let id = FrameId(u32::try_from(self.records.len()).expect("fewer than 2^32 frames"));
        self.records.push(Record {
            time,
            port,
            cause,
            deliberate,
            deliveries: 0,
            altered: false,
            start: self.bytes.len(),
            len: u32::try_from(frame.len()).expect("a frame under 4 GiB"),
        });
        self.bytes.extend_from_slice(frame);
        id
    }

    /// Records the first bytes of a frame that had `original_len` bytes on the wire.
    ///
    /// # Panics
    /// As [`Capture::push`].
    pub fn push_cut(
        &mut self,
        time: Instant,
        port: PortId,
        frame: &[u8],
        original_len: u32,
    ) -> FrameId {
        let id = self.push(time, port, frame);
        if original_len as usize > frame.len() {
            self.cut.push((id, original_len));
        }
        id
    }

    /// The bytes that one frame had on the wire.
    ///
    /// # Panics
    /// When `id` is not of this capture.
    #[must_use]
    pub fn original_len(&self, id: FrameId) -> usize {
        match self.cut.binary_search_by_key(&id, |(cut, _)| *cut) {
            Ok(place) => self.cut[place].1 as usize,
            Err(_) => self.records[id.index()].len as usize,
        }
    }

    /// One frame with its link type and its length on the wire, as views and renderings take it.
    ///
    /// # Panics
    /// When `id` is not of this capture.
    #[must_use]
    pub fn captured(&self, id: FrameId) -> Frame<'_> {
        let port = usize::from(self.record(id).port.0);
        let (link, fcs_len) = self.links.get(port).copied().unwrap_or_default();
        Frame {
            bytes: self.frame(id),
            link,
            original_len: self.original_len(id),
            fcs_len: usize::from(fcs_len),
        }
    }

    /// Bytes of all frames.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// No frame was emitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The bytes of one frame.
    ///
    /// # Panics
    /// When `id` is not of this capture.
    #[inline(always)]
    #[must_use]
    pub fn frame(&self, id: FrameId) -> &[u8] {
        let record = &self.records[id.index()];
        &self.bytes[record.start..record.start + record.len as usize]
    }

    /// What is known of one frame beside its bytes.
    ///
    /// # Panics
    /// When `id` is not of this capture.
    #[inline]
    #[must_use]
    pub fn record(&self, id: FrameId) -> &Record {
        &self.records[id.index()]
    }

    /// The same, to note a delivery or a cause. Time, port and bytes are fixed once pushed.
    ///
    /// # Panics
    /// When `id` is not of this capture.
    #[inline]
    pub fn record_mut(&mut self, id: FrameId) -> &mut Record {
        &mut self.records[id.index()]
    }

    /// All frames in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (FrameId, &Record, &[u8])> {
        self.records.iter().enumerate().map(|(index, record)| {
            let bytes = &self.bytes[record.start..record.start + record.len as usize];
            (FrameId(index as u32), record, bytes)
        })
    }

    /// Forgets the frames and keeps the interfaces and the room, for the next batch of a long run.
    pub fn clear(&mut self) {
        self.records.clear();
        self.bytes.clear();
        self.cut.clear();
    }
}
