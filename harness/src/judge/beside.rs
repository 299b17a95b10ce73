//! Two captures of any size beside each other: frames are paired by place or by flow, and held only
//! until their like has come. Knows no golden, no check and no file.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, bail};
use wire::diff::FieldDiff;
use wire::{Frame, Instant, LinkType};

use super::compare::{Aligned, align};
use super::ignored::Ignored;

/// Frames of either side that are aligned at a time: one that is further from its like is told as
/// missing here and extra there.
const WINDOW: usize = 4096;
/// The most frames, and bytes of them, that wait for their like.
const MOST_WAITING: usize = 1 << 20;
const MOST_BYTES: usize = 1 << 28;

/// A frame with what is compared of it.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number as Wireshark counts.
    pub number: u64,
    /// When it was captured.
    pub time: Instant,
    /// The name of its interface.
    pub interface: String,
    bytes: Vec<u8>,
    hidden: Option<Vec<u8>>,
    link: LinkType,
    original_len: usize,
    fcs_len: usize,
}

/// Where the captures are not the same. Both frames are there but in the first two.
#[derive(Clone, Debug)]
pub enum Unlike {
    /// Only what is expected has the frame.
    Missing(Held),
    /// Only what came has it.
    Extra(Held),
    /// Another interface had it.
    Interface(Held, Held),
    /// Its bytes differ, or its length on the wire.
    Bytes(Held, Held, Vec<FieldDiff>),
    /// The bytes agree and the time does not.
    Time(Held, Held),
}

/// Frames that wait for their like, in order.
#[derive(Default)]
struct Lane {
    expected: VecDeque<Held>,
    actual: VecDeque<Held>,
}

/// How frames are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// In the order of the captures.
    Place,
    /// Each flow on its own, in its order; interfaces are left aside.
    Flow,
}

/// A comparison that goes on while frames come.
pub struct Beside<F> {
    ignored: Ignored,
    times: bool,
    pairing: Pairing,
    lanes: BTreeMap<Vec<u8>, Lane>,
    waiting: usize,
    bytes: usize,
    /// Pairs of which only the first bytes could be compared.
    pub partial: u64,
    /// Told of each place where the captures are not the same.
    text: F,
}

impl Held {
    /// A frame to be compared, but for what is ignored.
    #[must_use]
    pub fn new(
        number: u64,
        time: Instant,
        interface: String,
        frame: Frame<'_>,
        ignored: &Ignored,
    ) -> Self {
        Self {
            number,
            time,
            interface,
            bytes: frame.bytes.to_vec(),
            hidden: ignored.hidden(frame),
            link: frame.link,
            original_len: frame.original_len,
            fcs_len: frame.fcs_len,
        }
    }

    /// The frame as it was captured.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        let Self { link, original_len, fcs_len, .. } = *self;
        Frame { bytes: &self.bytes, link, original_len, fcs_len }
    }

    /// The frame as it is compared.
    fn compared(&self) -> Frame<'_> {
        Frame { bytes: self.hidden.as_ref().unwrap_or(&self.bytes), ..self.frame() }
    }
}

impl<F: FnMut(Unlike)> Beside<F> {
    /// Nothing compared yet.
    pub fn new(ignored: Ignored, times: bool, pairing: Pairing, text: F) -> Self {
        let lanes = BTreeMap::new();
        Self { ignored, times, pairing, lanes, waiting: 0, bytes: 0, partial: 0, text }
    }

    /// The next frame of what is expected.
    ///
    /// # Errors
    /// When too many frames wait for their like.
    pub fn expected(&mut self, held: Held) -> Result<()> {
        self.push(held, |lane| &mut lane.expected)
    }

    /// The next frame of what came.
    ///
    /// # Errors
    /// When too many frames wait for their like.
    pub fn actual(&mut self, held: Held) -> Result<()> {
        self.push(held, |lane| &mut lane.actual)
    }

    fn push(&mut self, held: Held, side: fn(&mut Lane) -> &mut VecDeque<Held>) -> Result<()> {
        let key = match self.pairing {
            Pairing::Place => Vec::new(),
            Pairing::Flow => super::flow::key(held.frame()),
        };
        self.waiting += 1;
        self.bytes += held.bytes.len();
        let mut lane = self.lanes.remove(&key).unwrap_or_default();
        side(&mut lane).push_back(held);
        self.settle(&mut lane);
        while lane.expected.len() >= WINDOW && lane.actual.len() >= WINDOW {
            self.window(&mut lane, false);
            self.settle(&mut lane);
        }
        if !(lane.expected.is_empty() && lane.actual.is_empty()) {
            self.lanes.insert(key, lane);
        }
        if self.waiting > MOST_WAITING || self.bytes > MOST_BYTES {
            bail!(
                "more than {MOST_WAITING} frames, or {} MiB of them, wait for their like in the \
                 other capture; compare parts of the captures (editcap -r)",
                MOST_BYTES >> 20
            );
        }
        Ok(())
    }

    /// All frames have come.
    pub fn finish(&mut self) {
        let mut lanes: Vec<Lane> = std::mem::take(&mut self.lanes).into_values().collect();
        let first = |lane: &Lane| {
            let fronts = [lane.expected.front(), lane.actual.front()];
            fronts.into_iter().flatten().map(|held| held.number).min()
        };
        lanes.sort_by_key(first);
        for lane in &mut lanes {
            while !(lane.expected.is_empty() && lane.actual.is_empty()) {
                self.window(lane, true);
            }
        }
    }

    /// Lets go of the frames that have found their like.
    fn settle(&mut self, lane: &mut Lane) {
        while let (Some(expected), Some(actual)) = (lane.expected.front(), lane.actual.front()) {
            if !self.same(expected, actual) {
                return;
            }
            if let (Some(expected), Some(actual)) =
                (lane.expected.pop_front(), lane.actual.pop_front())
            {
                self.pair(expected, actual);
            }
        }
    }

    /// Aligns the first frames of both sides, and tells of them as far as the last pair that is the
    /// same: what follows may still find its like.
    fn window(&mut self, lane: &mut Lane, all: bool) {
        let expected = lane.expected.make_contiguous();
        let expected = &expected[..expected.len().min(WINDOW)];
        let actual = lane.actual.make_contiguous();
        let actual = &actual[..actual.len().min(WINDOW)];
        // Of frames that were cut, the bytes that all of them have.
        let captured = |held: &Held| held.frame().is_cut().then_some(held.bytes.len());
        let shortest = expected.iter().chain(actual).filter_map(captured).min();
        let key = |held: &Held| {
            let seen = held.compared();
            let bytes = &seen.bytes[..seen.bytes.len().min(shortest.unwrap_or(usize::MAX))];
            let interface = if self.names() { held.interface.clone() } else { String::new() };
            (interface, held.link, held.original_len, bytes.to_vec())
        };
        let keys = |side: &[Held]| side.iter().map(key).collect::<Vec<_>>();
        let mut aligned = align(&keys(expected), &keys(actual));
        let whole =
            all && expected.len() == lane.expected.len() && actual.len() == lane.actual.len();
        if !whole {
            let same = |step: &Aligned| matches!(step, Aligned::Same(..));
            // Nothing in common: these are told by place.
            let last = aligned.iter().rposition(same).map_or(aligned.len(), |last| last + 1);
            aligned.truncate(last);
        }
        for step in aligned {
            match step {
                Aligned::Same(..) | Aligned::Other(..) => {
                    if let (Some(expected), Some(actual)) =
                        (lane.expected.pop_front(), lane.actual.pop_front())
                    {
                        self.pair(expected, actual);
                    }
                }
                Aligned::Missing(_) => {
                    if let Some(held) = lane.expected.pop_front() {
                        self.let_go(&held);
                        (self.text)(Unlike::Missing(held));
                    }
                }
                Aligned::Extra(_) => {
                    if let Some(held) = lane.actual.pop_front() {
                        self.let_go(&held);
                        (self.text)(Unlike::Extra(held));
                    }
                }
            }
        }
    }

    fn let_go(&mut self, held: &Held) {
        self.waiting -= 1;
        self.bytes -= held.bytes.len();
    }

    /// Names of interfaces are compared.
    fn names(&self) -> bool {
        !self.ignored.interface && self.pairing == Pairing::Place
    }

    fn same(&self, expected: &Held, actual: &Held) -> bool {
        let (ours, theirs) = wire::diff::common(expected.compared(), actual.compared());
        (!self.names() || expected.interface == actual.interface)
            && (expected.link, expected.original_len) == (actual.link, actual.original_len)
            && ours == theirs
    }

    /// Tells of two frames that stand beside each other.
    fn pair(&mut self, expected: Held, actual: Held) {
        self.let_go(&expected);
        self.let_go(&actual);
        self.partial += u64::from(expected.frame().is_cut() || actual.frame().is_cut());
        if self.same(&expected, &actual) {
            if self.times && !self.ignored.time && expected.time != actual.time {
                (self.text)(Unlike::Time(expected, actual));
            }
            return;
        }
        let unlike = if self.names() && expected.interface != actual.interface {
            Unlike::Interface(expected, actual)
        } else {
            let (ours, theirs) = (expected.frame(), actual.frame());
            let fields = self.ignored.left(wire::diff::diff(ours, theirs), ours, theirs);
            Unlike::Bytes(expected, actual, fields)
        };
        (self.text)(unlike);
    }
}

#[cfg(test)]
mod tests;
