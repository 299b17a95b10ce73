//! Who is next among a few who each wait for at most one turn: nodes for their timers, lanes for
//! their first frame. Knows neither.

use wire::Instant;

/// When something happens: the instant, and among equals the order of scheduling.
pub(crate) type Turn = (Instant, u64);

/// At most one turn for each place. Each inner entry holds the earlier of the two below it, so the
/// earliest is on top, and a change costs one walk upward and leaves nothing stale behind.
#[derive(Debug)]
pub(crate) struct TimerTree {
    /// The winner is at 1, the leaves begin at half of the length.
    entries: Vec<Entry>,
}

/// A turn and the place that waits for it. Without an `Option`, comparing two is comparing numbers;
/// without gaps between its fields, copying one is copying three words.
#[derive(Clone, Copy, Debug)]
struct Entry {
    turn: Turn,
    place: u64,
}

/// One number in the order of turns.
#[inline(always)]
pub(crate) fn rank((time, sequence): Turn) -> u128 {
    u128::from(time.as_nanos()) << 64 | u128::from(sequence)
}

/// Nobody waits. No turn is as late: sequences are counted up from zero.
const NOBODY: Entry = Entry { turn: (Instant::MAX, u64::MAX), place: 0 };

impl Entry {
    #[inline]
    fn get(self) -> Option<(Turn, u16)> {
        (self.turn.1 != u64::MAX).then_some((self.turn, self.place as u16))
    }
}

impl Default for TimerTree {
    fn default() -> Self {
        Self { entries: vec![NOBODY; 2] }
    }
}

impl TimerTree {
    /// Makes room for so many places.
    pub(crate) fn grow(&mut self, places: usize) {
        let leaves = self.entries.len() / 2;
        if places <= leaves {
            return;
        }
        let waiting = self.entries.split_off(leaves);
        self.entries = vec![NOBODY; places.next_power_of_two() * 2];
        for (turn, place) in waiting.into_iter().filter_map(Entry::get) {
            self.set(place, Some(turn));
        }
    }

    /// Sets the turn of a place, or that it has none.
    #[inline]
    pub(crate) fn set(&mut self, place: u16, turn: Option<Turn>) {
        let mut at = self.entries.len() / 2 + usize::from(place);
        let mut winner = turn.map_or(NOBODY, |turn| Entry { turn, place: place.into() });
        self.entries[at] = winner;
        while at > 1 {
            let other = self.entries[at ^ 1];
            if rank(other.turn) < rank(winner.turn) {
                winner = other;
            }
            at /= 2;
            self.entries[at] = winner;
        }
    }

    /// The turn of a place.
    #[inline]
    pub(crate) fn get(&self, place: u16) -> Option<Turn> {
        let entry = self.entries[self.entries.len() / 2 + usize::from(place)];
        entry.get().map(|(turn, _)| turn)
    }

    /// The earliest turn, and its place.
    #[inline]
    pub(crate) fn next(&self) -> Option<(Turn, u16)> {
        self.entries[1].get()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The timer_tree against the plainest thing that can be right: a list searched each time.
        #[test]
        fn turns_agree_with_a_list(
            places in 1_u16..40,
            changes in prop::collection::vec((0_u16..40, prop::option::of(0_u64..50)), 0..200),
        ) {
            let mut timer_tree = TimerTree::default();
            let mut list = vec![None; usize::from(places)];
            for (sequence, (place, nanos)) in changes.into_iter().enumerate() {
                let place = place % places;
                timer_tree.grow(usize::from(place) + 1);
                let turn = nanos.map(|nanos| (Instant::from_nanos(nanos), sequence as u64));
                timer_tree.set(place, turn);
                list[usize::from(place)] = turn.map(|turn| (turn, place));
                prop_assert_eq!(timer_tree.next(), list.iter().flatten().min().copied());
                prop_assert_eq!(timer_tree.get(place), turn);
            }
        }

        /// The last instant that can be named is a turn like any other.
        #[test]
        fn a_turn_at_the_end_of_time_is_kept(place in 0_u16..3, sequence in 0_u64..9) {
            let mut timer_tree = TimerTree::default();
            timer_tree.grow(3);
            let turn = (Instant::MAX, sequence);
            timer_tree.set(place, Some(turn));
            prop_assert_eq!(timer_tree.next(), Some((turn, place)));
        }
    }
}
