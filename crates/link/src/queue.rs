//! What is to happen, in a total order of (time, sequence): frames in flight and armed timers.
//! Ties go to what was scheduled first. Knows neither links nor nodes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use wire::{FrameId, Instant, PortId};

/// When something happens: the instant, and among equals the order of scheduling.
pub(crate) type Turn = (Instant, u64);

/// In [`Flight::copy`]: the bytes are the capture's.
pub(crate) const AS_EMITTED: u32 = u32::MAX;

/// A frame between two ports. Its bytes stay in the capture, or in the arena of altered copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) turn: Turn,
    pub(crate) frame: FrameId,
    pub(crate) copy: u32,
    pub(crate) target: PortId,
    pub(crate) lane: u16,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.turn == other.turn
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    /// Reversed, since the heap's greatest is to be the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.turn.cmp(&self.turn)
    }
}

/// The frames in flight, earliest first. The earliest stands outside of the heap, so that a
/// conversation with one frame in flight at a time never sifts.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    first: Option<Flight>,
    rest: BinaryHeap<Flight>,
}

impl Flights {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.rest.len() + usize::from(self.first.is_some())
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, flight: Flight) {
        if self.first.is_none() {
            self.first = Some(flight);
        } else {
            self.push_behind(flight);
        }
    }

    fn push_behind(&mut self, flight: Flight) {
        match &mut self.first {
            Some(first) if flight.turn < first.turn => {
                self.rest.push(std::mem::replace(first, flight));
            }
            _ => self.rest.push(flight),
        }
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Turn> {
        self.first.as_ref().map(|flight| flight.turn)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Flight> {
        let first = self.first.take()?;
        if !self.rest.is_empty() {
            self.first = self.rest.pop();
        }
        Some(first)
    }

    /// Takes out all frames of one lane, in the order in which they would have arrived.
    pub(crate) fn cut(&mut self, lane: u16) -> Vec<Flight> {
        let mut lost = Vec::new();
        self.rest.extend(self.first.take());
        self.rest.retain(|flight| {
            let stays = flight.lane != lane;
            if !stays {
                lost.push(*flight);
            }
            stays
        });
        self.first = self.rest.pop();
        lost.sort_unstable_by_key(|flight| flight.turn);
        lost
    }
}

/// At most one timer for each node, as a tournament: each inner place holds the earlier of the two
/// below it, so the earliest is on top, and re-arming costs one walk upward and leaves nothing
/// stale behind.
#[derive(Debug)]
pub(crate) struct Timers {
    /// The winner is at 1, the leaves begin at half of the length.
    places: Vec<Option<(Turn, u16)>>,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { places: vec![None; 2] }
    }

    /// Makes room for a node.
    pub(crate) fn grow(&mut self, nodes: usize) {
        let leaves = self.places.len() / 2;
        if nodes <= leaves {
            return;
        }
        let armed: Vec<(Turn, u16)> = self.places[leaves..].iter().flatten().copied().collect();
        self.places = vec![None; nodes.next_power_of_two() * 2];
        for (turn, node) in armed {
            self.set(node, Some(turn));
        }
    }

    /// Arms the timer of a node, or disarms it.
    pub(crate) fn set(&mut self, node: u16, turn: Option<Turn>) {
        let mut place = self.places.len() / 2 + usize::from(node);
        self.places[place] = turn.map(|turn| (turn, node));
        while place > 1 {
            let winner = match (self.places[place], self.places[place ^ 1]) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            place /= 2;
            self.places[place] = winner;
        }
    }

    /// When a node's timer is to fire.
    pub(crate) fn get(&self, node: u16) -> Option<Turn> {
        self.places[self.places.len() / 2 + usize::from(node)].map(|(turn, _)| turn)
    }

    /// The timer that fires first, and its node.
    pub(crate) fn next(&self) -> Option<(Turn, u16)> {
        self.places[1]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flight(nanos: u64, sequence: u64, lane: u16) -> Flight {
        let turn = (Instant::from_nanos(nanos), sequence);
        Flight { turn, frame: FrameId(0), copy: AS_EMITTED, target: PortId(0), lane }
    }

    #[test]
    fn ties_go_to_the_first_scheduled() {
        let mut flights = Flights::default();
        for (nanos, sequence) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            flights.push(flight(nanos, sequence, 0));
        }
        let order: Vec<u64> = std::iter::from_fn(|| flights.pop()).map(|f| f.turn.1).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn a_cut_takes_one_lane_and_leaves_the_others() {
        let mut flights = Flights::default();
        for (nanos, sequence, lane) in [(9, 0, 1), (4, 1, 0), (2, 2, 1), (1, 3, 0)] {
            flights.push(flight(nanos, sequence, lane));
        }
        let lost: Vec<u64> = flights.cut(1).iter().map(|f| f.turn.1).collect();
        assert_eq!(lost, [2, 0]);
        let left: Vec<u64> = std::iter::from_fn(|| flights.pop()).map(|f| f.turn.1).collect();
        assert_eq!(left, [3, 1]);
    }

    proptest! {
        /// The tournament against the plainest thing that can be right: a list searched each time.
        #[test]
        fn timers_agree_with_a_list(
            nodes in 1_u16..40,
            changes in prop::collection::vec((0_u16..40, prop::option::of(0_u64..50)), 0..200),
        ) {
            let mut timers = Timers::new();
            let mut list = vec![None; usize::from(nodes)];
            for (sequence, (node, nanos)) in changes.into_iter().enumerate() {
                let node = node % nodes;
                timers.grow(usize::from(node) + 1);
                let turn = nanos.map(|nanos| (Instant::from_nanos(nanos), sequence as u64));
                timers.set(node, turn);
                list[usize::from(node)] = turn.map(|turn| (turn, node));
                prop_assert_eq!(timers.next(), list.iter().flatten().min().copied());
                prop_assert_eq!(timers.get(node), turn);
            }
        }
    }
}
