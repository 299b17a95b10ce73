//! Holds a capture against its golden: frame by frame in order, emitter, bytes and, where the
//! wire is exact, time. Frames are aligned first, so that one missing frame is one difference.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};
use wire::diff::FieldDiff;
use wire::{Capture, FrameId, Instant};

use crate::plan::Mask;

/// One place where a capture is not its golden.
#[derive(Clone, Debug)]
pub enum Difference {
    /// The golden has a frame that was not emitted.
    Missing {
        /// Its place in the golden.
        golden: FrameId,
    },
    /// A frame was emitted that the golden does not have.
    Extra {
        /// Its place in the capture.
        frame: FrameId,
    },
    /// Another port emitted it.
    Emitter {
        /// Its place in the golden.
        golden: FrameId,
        /// Its place in the capture.
        frame: FrameId,
    },
    /// The bytes differ.
    Bytes {
        /// Its place in the golden.
        golden: FrameId,
        /// Its place in the capture.
        frame: FrameId,
        /// Field by field.
        fields: Vec<FieldDiff>,
    },
    /// The bytes agree and the time does not.
    Time {
        /// Its place in the capture.
        frame: FrameId,
        /// When the golden has it.
        expected: Instant,
        /// When it was emitted.
        actual: Instant,
    },
    /// It came before the frame that it answers, where the order of all frames is not compared.
    Early {
        /// Its place in the capture.
        frame: FrameId,
        /// That of the frame it answers.
        cause: FrameId,
    },
}

/// What the comparison found.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Frames compared.
    pub frames: usize,
    /// The differences, in order of the capture.
    pub differences: Vec<Difference>,
    /// The masks that were needed: without them these would be differences.
    pub masked: Vec<(FrameId, Vec<FieldDiff>)>,
}

/// Compares; `exact_time` where the wire has virtual time.
///
/// What is alike at the beginning and at the end is passed over as it stands; of what lies between,
/// frames that are alike get one number. So what is held beside the two captures is as large as
/// what differs.
#[must_use]
pub fn compare(
    golden: &Capture,
    capture: &Capture,
    masks: &[Mask],
    exact_time: bool,
) -> Comparison {
    let (old, new) = (golden.len(), capture.len());
    let mut found = Comparison { frames: new, ..Comparison::default() };
    let alike = |old: usize, new: usize| {
        Key::of(golden, masks, id(old)) == Key::of(capture, masks, id(new))
    };
    let ahead = (0..old.min(new)).take_while(|at| alike(*at, *at)).count();
    let behind =
        (0..old.min(new) - ahead).take_while(|at| alike(old - 1 - at, new - 1 - at)).count();
    let note = |old: usize, new: usize, found: &mut Comparison| {
        equal_frames(golden, capture, id(old), id(new), exact_time, found);
    };
    (0..ahead).for_each(|at| note(at, at, &mut found));
    let mut numbers = BTreeMap::new();
    let expected = numbered(golden, masks, ahead..old - behind, &mut numbers);
    let actual = numbered(capture, masks, ahead..new - behind, &mut numbers);
    drop(numbers);
    for aligned in align(&expected, &actual) {
        match aligned {
            Aligned::Same(old, new) => note(ahead + old, ahead + new, &mut found),
            Aligned::Missing(old) => {
                found.differences.push(Difference::Missing { golden: id(ahead + old) });
            }
            Aligned::Extra(new) => {
                found.differences.push(Difference::Extra { frame: id(ahead + new) });
            }
            Aligned::Other(old, new) => {
                let (old, new) = (id(ahead + old), id(ahead + new));
                found.differences.push(replaced(golden, capture, old, new));
            }
        }
    }
    (0..behind).rev().for_each(|at| note(old - 1 - at, new - 1 - at, &mut found));
    found
}

/// What makes two frames alike: the emitter, and the bytes without what masks hide.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    frame: Cow<'a, [u8]>,
    emitter: &'a str,
}

impl<'a> Key<'a> {
    fn of(capture: &'a Capture, masks: &[Mask], id: FrameId) -> Self {
        let emitter = capture.interface(capture.record(id).port);
        Self { frame: hidden(masks, emitter, id, capture.frame(id)), emitter }
    }
}

/// A number for each frame of a part of a capture, the same for those that are alike.
fn numbered<'a>(
    capture: &'a Capture,
    masks: &[Mask],
    part: Range<usize>,
    numbers: &mut BTreeMap<Key<'a>, u32>,
) -> Vec<u32> {
    let number = |at| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(Key::of(capture, masks, id(at))).or_insert(next)
    };
    part.map(number).collect()
}

/// What stands beside what, by place in the golden and in the capture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aligned {
    Same(usize, usize),
    Other(usize, usize),
    Missing(usize),
    Extra(usize),
}

/// Puts two lists beside each other, so that one missing item is one difference.
pub(super) fn align<T: Eq + Ord + std::hash::Hash>(expected: &[T], actual: &[T]) -> Vec<Aligned> {
    let mut all = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, expected, actual) {
        let (old, new) = (op.old_range(), op.new_range());
        let same = matches!(op, DiffOp::Equal { .. });
        let pairs = old.len().min(new.len());
        for (old, new) in old.clone().zip(new.clone()) {
            all.push(if same { Aligned::Same(old, new) } else { Aligned::Other(old, new) });
        }
        all.extend(old.skip(pairs).map(Aligned::Missing));
        all.extend(new.skip(pairs).map(Aligned::Extra));
    }
    all
}

fn id(index: usize) -> FrameId {
    FrameId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// Frames that agree but for masked bits: they may still differ under the mask, or in time.
fn equal_frames(
    golden: &Capture,
    capture: &Capture,
    old: FrameId,
    new: FrameId,
    exact_time: bool,
    found: &mut Comparison,
) {
    let (expected, actual) = (golden.frame(old), capture.frame(new));
    if expected != actual {
        found.masked.push((new, wire::diff::diff(expected, actual)));
    }
    let (expected, actual) = (golden.record(old).time, capture.record(new).time);
    if exact_time && expected != actual {
        found.differences.push(Difference::Time { frame: new, expected, actual });
    }
}

fn replaced(golden: &Capture, capture: &Capture, old: FrameId, new: FrameId) -> Difference {
    let (expected, actual) = (golden.frame(old), capture.frame(new));
    let emitter = |of: &Capture, id| of.interface(of.record(id).port).to_owned();
    if emitter(golden, old) != emitter(capture, new) {
        return Difference::Emitter { golden: old, frame: new };
    }
    Difference::Bytes { golden: old, frame: new, fields: wire::diff::diff(expected, actual) }
}

/// The frame with the bits that masks hide set to zero.
pub(super) fn hidden<'a>(
    masks: &[Mask],
    emitter: &str,
    id: FrameId,
    frame: &'a [u8],
) -> Cow<'a, [u8]> {
    match hidden_bits(masks, emitter, id, frame).as_slice() {
        [] => Cow::Borrowed(frame),
        bits => Cow::Owned(hide(frame, bits)),
    }
}

/// The bit ranges, from the frame's start, that masks hide in this frame.
fn hidden_bits(masks: &[Mask], emitter: &str, id: FrameId, frame: &[u8]) -> Vec<Range<usize>> {
    let node = emitter.split(':').next().unwrap_or(emitter);
    let applies = |mask: &&Mask| {
        (mask.frames.is_empty() || mask.frames.contains(&id))
            && (mask.from.is_empty() || mask.from.contains(emitter) || mask.from.contains(node))
    };
    let mut hidden = Vec::new();
    let mut view = None;
    for mask in masks.iter().filter(applies) {
        let view = view.get_or_insert_with(|| wire::view::LaxFrame::as_sent(frame));
        for layer in view.layers().iter().filter(|layer| layer.proto == mask.field.proto) {
            let start = layer.start * 8 + usize::from(mask.field.bit);
            let end = match mask.field.width {
                0 => layer.end * 8,
                width => start + usize::from(width),
            };
            hidden.push(start.min(frame.len() * 8)..end.min(frame.len() * 8));
        }
    }
    hidden
}

/// The frame with those bits set to zero.
fn hide(frame: &[u8], bits: &[Range<usize>]) -> Vec<u8> {
    let mut hidden = frame.to_vec();
    for bit in bits.iter().cloned().flatten() {
        hidden[bit / 8] &= !(0x80 >> (bit % 8));
    }
    hidden
}

#[cfg(test)]
mod tests;
