//! Holds a capture of a cable against a golden. Two emitters on a real wire are not in step: which
//! of two frames that do not wait for each other comes first is chance. So each port's frames are
//! held against that port's frames of the golden, in order; and a frame that the golden has because
//! of another one must come after that one. Ethernet's padding of short frames is no difference: a
//! cable carries none below 60 bytes.

use std::collections::BTreeMap;

use wire::{Capture, Cause, FrameId, PortId};

use super::compare::{Aligned, Comparison, Difference, align, hidden};
use crate::plan::Mask;
use crate::run::matching::LEAST_BYTES;

/// Compares. `rehearsed` is what the scenario's own nodes did on the simulated wire: from it comes
/// what was because of what. Without it the wire was no cable, where no frame is padded and where
/// another implementation keeps times and an order of its own.
#[must_use]
pub fn compare(
    golden: &Capture,
    capture: &Capture,
    masks: &[Mask],
    rehearsed: Option<&Capture>,
) -> Comparison {
    let least = if rehearsed.is_some() { LEAST_BYTES } else { 0 };
    let mut found = Comparison { frames: capture.len(), ..Comparison::default() };
    let (mut expected, mut actual) = (by_port(golden), by_port(capture));
    let mut ports: Vec<&str> = expected.keys().chain(actual.keys()).copied().collect();
    ports.sort_unstable();
    ports.dedup();
    let mut pairs = BTreeMap::new();
    for port in ports {
        let golden_ids = expected.remove(port).unwrap_or_default();
        let ids = actual.remove(port).unwrap_or_default();
        let frames = |of: &Capture, ids: &[FrameId]| -> Vec<Vec<u8>> {
            let key = |(rank, id): (usize, &FrameId)| {
                // A mask names a frame by its place in the golden.
                let place = golden_ids.get(rank).copied().unwrap_or(*id);
                let mut frame = hidden(masks, port, place, of.frame(*id)).into_owned();
                frame.resize(frame.len().max(least), 0);
                frame
            };
            ids.iter().enumerate().map(key).collect()
        };
        let keys = (frames(golden, &golden_ids), frames(capture, &ids));
        for aligned in align(&keys.0, &keys.1) {
            match aligned {
                Aligned::Same(old, new) => {
                    let (old, new) = (golden_ids[old], ids[new]);
                    note_mask(golden, capture, (old, new), least, &mut found);
                    pairs.insert(old, new);
                }
                Aligned::Missing(old) => {
                    found.differences.push(Difference::Missing { golden: golden_ids[old] });
                }
                Aligned::Extra(new) => {
                    found.differences.push(Difference::Extra { frame: ids[new] });
                }
                Aligned::Other(old, new) => {
                    let (old, new) = (golden_ids[old], ids[new]);
                    let fields = wire::diff::diff(golden.frame(old), capture.frame(new));
                    let (golden, frame) = (old, new);
                    found.differences.push(Difference::Bytes { golden, frame, fields });
                    pairs.insert(old, new);
                }
            }
        }
    }
    if let Some(rehearsed) = rehearsed {
        found.differences.extend(early(golden, rehearsed, &pairs));
    }
    found.differences.sort_by_key(place);
    found.masked.sort_by_key(|(id, _)| *id);
    found
}

/// The frames of each port, in order.
fn by_port(capture: &Capture) -> BTreeMap<&str, Vec<FrameId>> {
    let mut ports: BTreeMap<&str, Vec<FrameId>> = BTreeMap::new();
    for (id, record, _) in capture.iter() {
        ports.entry(capture.interface(record.port)).or_default().push(id);
    }
    ports
}

/// Frames that agree but for masked bits and padding.
fn note_mask(
    golden: &Capture,
    capture: &Capture,
    (old, new): (FrameId, FrameId),
    least: usize,
    found: &mut Comparison,
) {
    let (expected, actual) = (golden.frame(old), capture.frame(new));
    let shorter = expected.len().min(actual.len());
    let padded =
        |frame: &[u8]| frame.len() <= least && frame[shorter..].iter().all(|byte| *byte == 0);
    let only_padded =
        expected[..shorter] == actual[..shorter] && padded(expected) && padded(actual);
    if expected != actual && !only_padded {
        found.masked.push((new, wire::diff::diff(expected, actual)));
    }
}

/// Frames that came before what they answer.
fn early(
    golden: &Capture,
    rehearsed: &Capture,
    pairs: &BTreeMap<FrameId, FrameId>,
) -> Vec<Difference> {
    // Where the rehearsal is not the golden, it says nothing of the golden's frames.
    let frames = |of: &Capture| -> Vec<(PortId, Vec<u8>)> {
        of.iter().map(|(_, record, frame)| (record.port, frame.to_vec())).collect()
    };
    if frames(golden) != frames(rehearsed) {
        return Vec::new();
    }
    let mut early = Vec::new();
    for (old, new) in pairs {
        if let Cause::Frame(cause) = rehearsed.record(*old).cause
            && let Some(cause) = pairs.get(&cause)
            && new < cause
        {
            early.push(Difference::Early { frame: *new, cause: *cause });
        }
    }
    early
}

/// Where a difference is told: at its frame, a missing one where the golden has it.
fn place(difference: &Difference) -> FrameId {
    match difference {
        Difference::Missing { golden } => *golden,
        Difference::Extra { frame }
        | Difference::Emitter { frame, .. }
        | Difference::Bytes { frame, .. }
        | Difference::Time { frame, .. }
        | Difference::Early { frame, .. } => *frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Deliberate, Instant};

    /// Frames of `a:eth0` and `b:eth0`, each with the number of the frame that it answers.
    fn capture(frames: &[(u16, &[u8], Option<u32>)]) -> Capture {
        let mut capture = Capture::new();
        capture.add_interface("a:eth0");
        capture.add_interface("b:eth0");
        for (time, (port, frame, cause)) in (0..).zip(frames) {
            let cause = cause.map_or(Cause::Unknown, |cause| Cause::Frame(FrameId(cause)));
            let (time, nothing) = (Instant::from_nanos(time), Deliberate::NOTHING);
            capture.push_caused(time, PortId(*port), cause, nothing, frame);
        }
        capture
    }

    fn found(actual: &[(u16, &[u8], Option<u32>)]) -> Vec<Difference> {
        let golden = capture(&[
            (0, b"ask one", None),
            (0, b"ask two", None),
            (1, b"one", Some(0)),
            (1, b"two", Some(1)),
        ]);
        compare(&golden, &capture(actual), &[], Some(&golden)).differences
    }

    #[test]
    fn what_does_not_wait_for_each_other_comes_in_any_order() {
        let one = (0, &b"ask one"[..], None);
        let two = (0, &b"ask two"[..], None);
        let [first, second] = [(1, &b"one"[..], None), (1, &b"two"[..], None)];
        assert!(found(&[one, two, first, second]).is_empty());
        assert!(found(&[one, first, two, second]).is_empty());
        let swapped = found(&[one, two, second, first]);
        assert!(!swapped.is_empty(), "the frames of one port have their order");
        let early = found(&[first, one, two, second]);
        let is_early = |found: &Difference| {
            matches!(found, Difference::Early { frame: FrameId(0), cause: FrameId(1) })
        };
        assert!(early.len() == 1 && early.iter().all(is_early), "{early:?}");
        let missing = found(&[one, two, second]);
        assert!(matches!(missing[..], [Difference::Missing { golden: FrameId(2) }]), "{missing:?}");
        let extra = found(&[one, two, first, second, second]);
        assert!(matches!(extra[..], [Difference::Extra { frame: FrameId(4) }]), "{extra:?}");
        let other = found(&[one, two, first, (1, b"twe", None)]);
        assert!(matches!(other[..], [Difference::Bytes { .. }]), "{other:?}");
    }

    #[test]
    fn zeros_up_to_the_shortest_frame_are_no_difference_and_other_bytes_are() {
        let padded = |fill: u8, length: usize| {
            let mut frame = b"one".to_vec();
            frame.resize(length, fill);
            let golden = capture(&[(1, b"one", None)]);
            compare(&golden, &capture(&[(1, &frame, None)]), &[], Some(&golden))
        };
        let fine = padded(0, 60);
        assert!(fine.differences.is_empty() && fine.masked.is_empty());
        assert_eq!(padded(1, 60).differences.len(), 1);
        assert_eq!(padded(0, 61).differences.len(), 1);
    }

    #[test]
    fn a_mask_is_noted_where_more_than_padding_differs() {
        let frame = |last: u8, length: usize, fill: u8| {
            // An Ethernet frame whose destination ends in this byte, and padding.
            let mut frame = vec![2, 0, 0, 0, 0, last, 2, 0, 0, 0, 0, 1, 0x88, 0xb5];
            frame.resize(length, fill);
            frame
        };
        let masks = [Mask {
            field: &wire::fields::eth::DST,
            frames: std::collections::BTreeSet::new(),
            from: std::sync::Arc::default(),
            reason: "differs each run".into(),
        }];
        let masked = |old: &[u8], new: &[u8]| {
            let golden = capture(&[(0, b"x", None), (1, old, None)]);
            let actual = capture(&[(0, b"x", None), (1, new, None)]);
            let found = compare(&golden, &actual, &masks, Some(&golden));
            assert_eq!(found.frames, 2);
            assert!(found.differences.is_empty(), "{:?}", found.differences);
            found.masked.iter().map(|(id, _)| id.0).collect::<Vec<_>>()
        };
        let plain = frame(2, 20, 0);
        assert_eq!(masked(&plain, &plain), [0; 0]);
        assert_eq!(masked(&plain, &frame(2, 60, 0)), [0; 0]);
        assert_eq!(masked(&frame(2, 60, 0), &plain), [0; 0]);
        assert_eq!(masked(&plain, &frame(3, 20, 0)), [1]);
        assert_eq!(masked(&plain, &frame(3, 60, 0)), [1]);
        assert_eq!(masked(&frame(3, 60, 0), &plain), [1]);
        assert_eq!(masked(&frame(2, 70, 9), &frame(3, 70, 9)), [1]);
    }
}
