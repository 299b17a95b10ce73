//! Holds times against what a scenario says of them. Every moment has two: that on the wire, by
//! which a run is ordered, and that of the real clock. They differ by nothing but our own
//! lateness. So where both say that a frame came at the wrong time, whoever emitted it is at fault;
//! where they disagree, the machine is, and nothing can be said of the node. In virtual time both
//! are one.
//!
//! Knows times; no frame, no step and no clock.

use std::fmt;

use scenario::{Due, Tolerance};
use wire::{Duration, Instant};

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On the wire.
    pub wire: Instant,
    /// By the real clock.
    pub real: Instant,
}

/// By how much a time was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// Not at all.
    Not,
    /// So much too early.
    Early(Duration),
    /// So much too late.
    Late(Duration),
}

impl Deviation {
    /// It is within what is allowed.
    #[must_use]
    pub fn is_allowed(self, tolerance: Tolerance) -> bool {
        match self {
            Self::Not => true,
            Self::Early(time) => time <= tolerance.early,
            Self::Late(time) => time <= tolerance.late,
        }
    }

    /// `late by 3.1ms, allowed 2ms`.
    #[must_use]
    pub fn describe(self, tolerance: Tolerance) -> String {
        let allowed = match self {
            Self::Not => return self.to_string(),
            Self::Early(_) => tolerance.early,
            Self::Late(_) => tolerance.late,
        };
        format!("{self}, allowed {}", crate::text::duration(allowed))
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Not => f.write_str("in time"),
            Self::Early(time) => write!(f, "early by {}", crate::text::duration(*time)),
            Self::Late(time) => write!(f, "late by {}", crate::text::duration(*time)),
        }
    }
}

/// Who is to answer for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Nobody: it is as it should be by both clocks.
    OnTime(Deviation),
    /// Whoever emitted the frame: by both clocks it is not.
    NodeOff(Deviation),
    /// The machine: by one clock it is, and by the other it is not.
    MachineLate(Deviation),
}

/// Holds the time from a step's beginning to a frame against what is due.
#[must_use]
pub fn hold(due: Due, tolerance: Tolerance, began: Moment, came: Moment) -> Timing {
    let by_wire = off(due, began.wire, came.wire);
    let by_real = off(due, began.real, came.real);
    match (by_wire.is_allowed(tolerance), by_real.is_allowed(tolerance)) {
        (true, true) => Timing::OnTime(by_real),
        (false, false) => Timing::NodeOff(by_real),
        (true, false) => Timing::MachineLate(by_real),
        (false, true) => Timing::MachineLate(by_wire),
    }
}

/// How far a moment is from what is due. A frame may have been emitted before its step began.
fn off(due: Due, began: Instant, came: Instant) -> Deviation {
    let (least, most) = match due {
        Due::Within(time) => (None, time),
        Due::After(time) => (Some(time), time),
    };
    if came > began + most {
        return Deviation::Late(came - (began + most));
    }
    match least.map(|least| began + least) {
        Some(first) if came < first => Deviation::Early(first - came),
        _ => Deviation::Not,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn ns(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    fn moment(wire: u64, late: u64) -> Moment {
        Moment { wire: at(wire), real: at(wire + late) }
    }

    #[test]
    fn a_time_is_held_to_the_nanosecond_on_both_sides() {
        let tolerance = Tolerance { early: ns(2), late: ns(5) };
        let began = moment(100, 0);
        for (due, came, expected) in [
            (Due::After(ns(50)), 150, Timing::OnTime(Deviation::Not)),
            (Due::After(ns(50)), 148, Timing::OnTime(Deviation::Early(ns(2)))),
            (Due::After(ns(50)), 147, Timing::NodeOff(Deviation::Early(ns(3)))),
            (Due::After(ns(50)), 155, Timing::OnTime(Deviation::Late(ns(5)))),
            (Due::After(ns(50)), 156, Timing::NodeOff(Deviation::Late(ns(6)))),
            (Due::After(ns(50)), 90, Timing::NodeOff(Deviation::Early(ns(60)))),
            (Due::Within(ns(50)), 90, Timing::OnTime(Deviation::Not)),
            (Due::Within(ns(50)), 155, Timing::OnTime(Deviation::Late(ns(5)))),
            (Due::Within(ns(50)), 156, Timing::NodeOff(Deviation::Late(ns(6)))),
        ] {
            assert_eq!(hold(due, tolerance, began, moment(came, 0)), expected, "{due:?} {came}");
        }
        let text = Deviation::Late(ns(3_100_000))
            .describe(Tolerance { early: ns(0), late: ns(2_000_000) });
        assert_eq!(text, "late by 3.1ms, allowed 2ms");
    }

    #[test]
    fn a_late_machine_is_no_fault_of_the_node() {
        let tolerance = Tolerance { early: ns(5), late: ns(5) };
        let due = Due::After(ns(50));
        // The frame left when it should, and the clock was late by then.
        let late = hold(due, tolerance, moment(100, 0), moment(150, 9));
        assert_eq!(late, Timing::MachineLate(Deviation::Late(ns(9))));
        // The step began late, and a clock of the node's own counted from then.
        let late = hold(due, tolerance, moment(100, 9), moment(159, 0));
        assert_eq!(late, Timing::MachineLate(Deviation::Late(ns(9))));
        // It is late by more than the machine is.
        let late = hold(due, tolerance, moment(100, 9), moment(170, 0));
        assert_eq!(late, Timing::NodeOff(Deviation::Late(ns(11))));
    }

    fn dues() -> impl Strategy<Value = Due> {
        let time = 0..1_000_u64;
        (any::<bool>(), time).prop_map(|(after, time)| match after {
            true => Due::After(ns(time)),
            false => Due::Within(ns(time)),
        })
    }

    fn tolerances() -> impl Strategy<Value = Tolerance> {
        (0..500_u64, 0..500_u64)
            .prop_map(|(early, late)| Tolerance { early: ns(early), late: ns(late) })
    }

    proptest! {
        #[test]
        fn in_virtual_time_nothing_is_unclear(
            due in dues(), tolerance in tolerances(), began in 0..2_000_u64, came in 0..4_000_u64,
        ) {
            let held = hold(due, tolerance, moment(began, 0), moment(came, 0));
            prop_assert!(!matches!(held, Timing::MachineLate(_)));
        }

        #[test]
        fn a_clock_that_is_late_all_the_time_changes_nothing(
            due in dues(), tolerance in tolerances(), began in 0..2_000_u64, came in 0..4_000_u64,
            late in 0..10_000_u64,
        ) {
            let held = |late| hold(due, tolerance, moment(began, late), moment(came, late));
            prop_assert_eq!(held(0), held(late));
        }

        #[test]
        fn who_allows_more_finds_no_more(
            due in dues(), tolerance in tolerances(), more in tolerances(),
            began in (0..2_000_u64, 0..900_u64), came in (0..4_000_u64, 0..900_u64),
        ) {
            let (began, came) = (moment(began.0, began.1), moment(came.0, came.1));
            let wider = Tolerance {
                early: tolerance.early + more.early,
                late: tolerance.late + more.late,
            };
            let rank = |held| match held {
                Timing::OnTime(_) => 0,
                Timing::MachineLate(_) => 1,
                Timing::NodeOff(_) => 2,
            };
            prop_assert!(
                rank(hold(due, wider, began, came)) <= rank(hold(due, tolerance, began, came))
            );
        }
    }
}
