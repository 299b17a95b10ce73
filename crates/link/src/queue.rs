//! The frames in flight, in a total order of (time, sequence). Ties go to what was scheduled first.
//! Knows neither links nor nodes.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use wire::{FrameId, PortId};

use crate::timer_tree::{TimerTree, Turn, rank};

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

/// The frames in flight, earliest first.
///
/// A lane hands frames over in the order of emission, so each has a queue of its own, and only the
/// fronts compete: many frames in flight cost no more than many lanes do. What is held back lets
/// others overtake; those that then arrive before the last of their lane's queue stand in a heap.
/// The earliest of all stands outside, so that a conversation with one frame in flight at a time
/// never queues.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    first: Option<Flight>,
    lanes: Vec<VecDeque<Flight>>,
    /// The first of each lane's queue.
    fronts: TimerTree,
    strays: BinaryHeap<Flight>,
    /// Frames in queues and heap.
    behind: usize,
}

impl Flights {
    /// Makes room for a lane, which has the next number.
    pub(crate) fn add_lane(&mut self) {
        self.lanes.push(VecDeque::new());
        self.fronts.grow(self.lanes.len());
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.behind + usize::from(self.first.is_some())
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Turn> {
        self.first.as_ref().map(|flight| flight.turn)
    }

    // Inlined by force, as is its caller: a flight handed over in memory is written in small pieces
    // and read in large ones, and the read waits until the writes are done.
    #[inline(always)]
    pub(crate) fn push(&mut self, flight: Flight) {
        match &mut self.first {
            None => self.first = Some(flight),
            Some(first) if rank(flight.turn) < rank(first.turn) => {
                let later = std::mem::replace(first, flight);
                self.behind += 1;
                self.strays.push(later);
            }
            Some(_) => self.push_behind(flight),
        }
    }

    fn push_behind(&mut self, flight: Flight) {
        self.behind += 1;
        let lane = &mut self.lanes[usize::from(flight.lane)];
        match lane.back() {
            None => self.fronts.set(flight.lane, Some(flight.turn)),
            Some(last) if rank(flight.turn) < rank(last.turn) => return self.strays.push(flight),
            Some(_) => {}
        }
        lane.push_back(flight);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Flight> {
        let first = self.first.take();
        if self.behind > 0 {
            self.first = self.pop_behind();
        }
        first
    }

    fn pop_behind(&mut self) -> Option<Flight> {
        self.behind -= 1;
        match (self.fronts.next(), self.strays.peek()) {
            (None, _) => self.strays.pop(),
            (Some((turn, _)), Some(stray)) if stray.turn < turn => self.strays.pop(),
            (Some((_, lane)), _) => {
                let queue = &mut self.lanes[usize::from(lane)];
                let first = queue.pop_front();
                self.fronts.set(lane, queue.front().map(|flight| flight.turn));
                first
            }
        }
    }

    /// Takes out all frames of one lane, in the order in which they would have arrived.
    pub(crate) fn cut(&mut self, lane: u16) -> Vec<Flight> {
        let mut lost: Vec<Flight> = self.lanes[usize::from(lane)].drain(..).collect();
        self.fronts.set(lane, None);
        self.strays.retain(|flight| {
            let stays = flight.lane != lane;
            if !stays {
                lost.push(*flight);
            }
            stays
        });
        self.behind -= lost.len();
        if self.first.is_some_and(|first| first.lane == lane) {
            lost.extend(self.pop());
        }
        lost.sort_unstable_by_key(|flight| flight.turn);
        lost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::Instant;

    use super::*;

    fn flights(lanes: usize) -> Flights {
        let mut flights = Flights::default();
        (0..lanes).for_each(|_| flights.add_lane());
        flights
    }

    fn flight(nanos: u64, sequence: u64, lane: u16) -> Flight {
        let turn = (Instant::from_nanos(nanos), sequence);
        Flight { turn, frame: FrameId(0), copy: AS_EMITTED, target: PortId(0), lane }
    }

    #[test]
    fn ties_go_to_the_first_scheduled() {
        let mut flights = flights(1);
        for (nanos, sequence) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            flights.push(flight(nanos, sequence, 0));
        }
        let order: Vec<u64> = std::iter::from_fn(|| flights.pop()).map(|f| f.turn.1).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn a_cut_takes_one_lane_and_leaves_the_others() {
        let mut flights = flights(2);
        for (nanos, sequence, lane) in [(9, 0, 1), (4, 1, 0), (2, 2, 1), (1, 3, 0)] {
            flights.push(flight(nanos, sequence, lane));
        }
        let lost: Vec<u64> = flights.cut(1).iter().map(|f| f.turn.1).collect();
        assert_eq!(lost, [2, 0]);
        let left: Vec<u64> = std::iter::from_fn(|| flights.pop()).map(|f| f.turn.1).collect();
        assert_eq!(left, [3, 1]);
    }

    /// A frame to push, by time and lane; a pop; or a lane to cut.
    #[derive(Clone, Debug)]
    enum Move {
        Push(u64, u16),
        Pop,
        Cut(u16),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            12 => (0_u64..20, 0_u16..5).prop_map(|(nanos, lane)| Move::Push(nanos, lane)),
            8 => Just(Move::Pop),
            1 => (0_u16..5).prop_map(Move::Cut),
        ];
        prop::collection::vec(one, 0..200)
    }

    proptest! {
        /// The lanes against the plainest thing that can be right: one list searched each time.
        #[test]
        fn flights_agree_with_a_list(moves in moves()) {
            let mut flights = flights(5);
            let mut list: Vec<Flight> = Vec::new();
            for (sequence, one) in moves.into_iter().enumerate() {
                match one {
                    Move::Push(nanos, lane) => {
                        flights.push(flight(nanos, sequence as u64, lane));
                        list.push(flight(nanos, sequence as u64, lane));
                        list.sort_by_key(|flight| flight.turn);
                    }
                    Move::Pop => {
                        let first = (!list.is_empty()).then(|| list.remove(0));
                        prop_assert_eq!(flights.pop(), first);
                    }
                    Move::Cut(lane) => {
                        let lost = flights.cut(lane);
                        prop_assert!(lost.iter().eq(list.iter().filter(|f| f.lane == lane)));
                        list.retain(|flight| flight.lane != lane);
                    }
                }
                prop_assert_eq!(flights.next(), list.first().map(|flight| flight.turn));
                prop_assert_eq!(flights.len(), list.len());
            }
        }
    }
}
