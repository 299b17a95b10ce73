//! The changes that are made to a capture, one at a time. Knows frames and times; no mask, no step
//! and no check.

use std::fmt;

use wire::view::LaxFrame;
use wire::{Capture, Cause, Duration, Field, FrameId, Instant, Proto, Record};

/// One change to a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A bit of a frame, counted from its first, has its other value.
    Flip {
        /// The frame.
        frame: FrameId,
        /// The bit.
        bit: usize,
        /// Where that bit stands, as a field's path.
        place: String,
    },
    /// The frame is not emitted.
    Drop(FrameId),
    /// The frame is emitted twice.
    Double(FrameId),
    /// The frame is emitted after the one behind it.
    Swap(FrameId),
    /// The frame is emitted a nanosecond earlier.
    Earlier(FrameId),
    /// The frame is emitted a nanosecond later.
    Later(FrameId),
    /// The frame has a byte more at its end.
    Longer(FrameId),
    /// The frame has a byte less at its end.
    Shorter(FrameId),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frame, what) = match self {
            Self::Flip { frame, bit, place } => {
                let (byte, mask, number) = (bit / 8, 0x80 >> (bit % 8), frame.number());
                return write!(
                    f,
                    "frame {number} with {mask:#04x} of byte {byte} ({place}) flipped"
                );
            }
            Self::Drop(frame) => (frame, "dropped"),
            Self::Double(frame) => (frame, "emitted twice"),
            Self::Swap(frame) => (frame, "after the frame behind it"),
            Self::Earlier(frame) => (frame, "a nanosecond earlier"),
            Self::Later(frame) => (frame, "a nanosecond later"),
            Self::Longer(frame) => (frame, "a byte longer"),
            Self::Shorter(frame) => (frame, "a byte shorter"),
        };
        write!(f, "frame {} {what}", frame.number())
    }
}

/// Every change of a capture: each bit of its headers, a bit of each byte of what they carry (of
/// 256 bytes where that is longer), each frame, and each time where time is `exact`.
pub fn changes(capture: &Capture, exact: bool) -> impl Iterator<Item = Change> {
    capture.iter().flat_map(move |(id, record, frame)| {
        let mut all = flips(id, frame);
        all.extend([Change::Drop(id), Change::Double(id), Change::Swap(id)]);
        all.extend([Change::Longer(id), Change::Shorter(id)]);
        if exact {
            all.push(Change::Later(id));
            if record.time > Instant::ZERO {
                all.push(Change::Earlier(id));
            }
        }
        all
    })
}

/// Bytes behind the headers that are changed, spread evenly over what there is.
const MOST_CARRIED: usize = 256;

fn flips(frame: FrameId, bytes: &[u8]) -> Vec<Change> {
    let view = LaxFrame::parse(bytes);
    let headers = view.layers().iter().filter(|layer| layer.proto != Proto::Payload);
    let headers = headers.map(|layer| layer.end).max().unwrap_or(0).max(bytes.len().min(64));
    // What the headers carry is one field: which bit of a byte differs makes no difference, and of
    // a long one every so-manyth byte and the last will do.
    let stride = (bytes.len() - headers).div_ceil(MOST_CARRIED).max(1);
    let carried = (headers..bytes.len()).step_by(stride).chain(bytes.len().checked_sub(1));
    let carried = carried.filter(|byte| *byte >= headers).map(|byte| byte * 8 + byte % 8);
    let flip = |bit| Change::Flip { frame, bit, place: place(&view, bit) };
    (0..headers * 8).chain(carried).map(flip).collect()
}

/// The innermost field that a bit stands in.
fn place(view: &LaxFrame<'_>, bit: usize) -> String {
    let holds = |start: usize, end: usize, field: &Field| {
        let first = start * 8 + usize::from(field.bit);
        let last = if field.width == 0 { end * 8 } else { first + usize::from(field.width) };
        (first..last).contains(&bit)
    };
    let layers = view.layers().iter().rev();
    let named =
        layers.filter(|layer| (layer.start * 8..layer.end * 8).contains(&bit)).find_map(|layer| {
            let fields = layer.proto.fields().iter();
            let mut fields = fields.filter(|field| !field.alias);
            fields.find(|field| holds(layer.start, layer.end, field)).map(|field| field.path())
        });
    named.unwrap_or_else(|| "trailer".to_owned())
}

/// The capture with the change; `None` where the change changes nothing.
#[must_use]
pub fn changed(capture: &Capture, change: &Change) -> Option<Capture> {
    let mut order: Vec<FrameId> = capture.iter().map(|(id, ..)| id).collect();
    let nanosecond = Duration::from_nanos(1);
    match change {
        Change::Drop(id) => {
            order.remove(id.index());
        }
        Change::Double(id) => order.insert(id.index(), *id),
        Change::Swap(id) => {
            let next = order.get(id.index() + 1).copied()?;
            let port = |id: FrameId| capture.record(id).port;
            let same = port(*id) == port(next) && capture.frame(*id) == capture.frame(next);
            if same {
                return None;
            }
            order.swap(id.index(), id.index() + 1);
        }
        _ => {}
    }
    let frame = |id: FrameId| match change {
        Change::Flip { frame, bit, .. } if *frame == id => {
            let mut bytes = capture.frame(id).to_vec();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            bytes
        }
        Change::Longer(frame) if *frame == id => [capture.frame(id), &[0xa5]].concat(),
        Change::Shorter(frame) if *frame == id => {
            let bytes = capture.frame(id);
            bytes[..bytes.len().saturating_sub(1)].to_vec()
        }
        _ => capture.frame(id).to_vec(),
    };
    // Frames that change places keep the times of the places.
    let time = |place: usize, id: FrameId| match change {
        Change::Earlier(frame) if *frame == id => {
            Instant::from_nanos(capture.record(id).time.as_nanos().saturating_sub(1))
        }
        Change::Later(frame) if *frame == id => capture.record(id).time + nanosecond,
        Change::Swap(_) => capture.record(FrameId(place as u32)).time,
        _ => capture.record(id).time,
    };
    Some(rebuilt(capture, &order, frame, time))
}

/// A capture of these frames in this order, with causes that name the frames' new places.
fn rebuilt(
    capture: &Capture,
    order: &[FrameId],
    frame: impl Fn(FrameId) -> Vec<u8>,
    time: impl Fn(usize, FrameId) -> Instant,
) -> Capture {
    let mut out = Capture::new();
    for name in capture.interfaces() {
        out.add_interface(name.as_str());
    }
    let place = |id: FrameId| order.iter().position(|other| *other == id);
    for (at, id) in order.iter().enumerate() {
        let Record { port, cause, deliberate, deliveries, altered, .. } = *capture.record(*id);
        let cause = match cause {
            Cause::Frame(trigger) => {
                place(trigger).map_or(Cause::Unknown, |place| Cause::Frame(FrameId(place as u32)))
            }
            other => other,
        };
        let new = out.push_caused(time(at, *id), port, cause, deliberate, &frame(*id));
        let record = out.record_mut(new);
        record.deliveries = deliveries;
        record.altered = altered;
    }
    out
}
