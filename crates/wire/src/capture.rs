//! Every frame that was emitted, in total order. Knows bytes, ports and times; knows no header.
//!
//! One arena holds all bytes, so that recording a frame is one copy and, once the arena has grown,
//! no allocation. Frames in flight on a link are indices into the capture, never copies of it.

use crate::packet::Deliberate;
use crate::time::Instant;

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

/// The frames of a run in order of (time, sequence), with the interface table they refer to.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    interfaces: Vec<String>,
    records: Vec<Record>,
    bytes: Vec<u8>,
}

impl Capture {
    /// An empty capture without interfaces.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an interface, named `node:port`; frames name it by the [`PortId`] returned.
    ///
    /// # Panics
    /// After 65,536 interfaces.
    pub fn add_interface(&mut self, name: impl Into<String>) -> PortId {
        let id = u16::try_from(self.interfaces.len()).expect("at most 65,536 interfaces");
        self.interfaces.push(name.into());
        PortId(id)
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
    #[inline]
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
    }
}
