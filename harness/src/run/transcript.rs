//! What a wire leaves behind of a run, and how the run ended. Knows faults and what each means for
//! the run; judges no frame.

use std::borrow::Cow;

use link::{Fault, LinkNote, NodeFault, NodeId, Seen};
use wire::{Capture, Instant};

/// Everything that crossed a wire, and what its nodes and links reported.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// Every frame emitted, in total order.
    pub capture: Capture,
    /// The same at the times of the wire, where those of `capture` are the real clock's.
    pub by_wire: Option<Capture>,
    /// What the nodes' applications reported.
    pub seen: Vec<Seen>,
    /// What the links did to frames.
    pub notes: Vec<LinkNote>,
    /// What was wrong with nodes themselves.
    pub faults: Vec<NodeFault>,
    /// What each node counted, in order of the plan's nodes.
    pub counters: Vec<Vec<(Cow<'static, str>, u64)>>,
    /// The time of the wire at the end.
    pub end: Instant,
    /// The capture's times are of the real clock, and differ from run to run.
    pub real: bool,
    /// What was set to make the wire, a line each.
    pub remarks: Vec<String>,
    /// What came to a real interface and is nobody's that the run is about, in words, and how
    /// often.
    pub ignored: Vec<(String, u64)>,
    /// What the scenario's own nodes did on the simulated wire, where a device runs in their place
    /// and the order of frames is only known from there.
    pub rehearsed: Option<Capture>,
    /// Who answered where it was no in-process node, in order of the plan's nodes.
    pub answering: Vec<Answering>,
    /// Why frames may be missing that a device would have emitted, where steps failed.
    pub unanswered: Option<String>,
}

/// Who answers for a node that is not in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    /// The node, by its place in the plan.
    pub node: usize,
    /// Who: `guest kernel 6.1.0-56-cloud-amd64 (nft at input)`.
    pub who: String,
}

/// Why a script did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A node failed; its faults have what.
    NodeFailed,
    /// The machine did not do in time what it does otherwise.
    Late(String),
    /// Anything else: a limit, a command refused.
    Refused(String),
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// All that there is to judge is there: the script came to its end, or an implementation was
    /// found at fault.
    #[default]
    Complete,
    /// A node cannot do what the scenario asks, being another kind than the scenario's: such a
    /// scenario is none for it.
    Unable(String),
    /// What crossed proves nothing: the machine was late, or a node out of step.
    Inconclusive(String),
    /// The run could not be carried out.
    Broken(String),
}

impl Ended {
    /// What a script's end and the faults of nodes come to. `name` names a node.
    pub(super) fn of(
        stop: Option<Stop>,
        faults: &[NodeFault],
        name: impl Fn(NodeId) -> String,
    ) -> Self {
        let first = |wanted: fn(&Fault) -> bool| {
            let fault = faults.iter().find(|fault| wanted(&fault.fault))?;
            Some(format!("{}: {}", name(fault.node), fault.fault))
        };
        if let Some(why) = first(|fault| matches!(fault, Fault::Unable(_))) {
            return Self::Unable(why);
        }
        // An implementation at fault is a finding, whatever the run did not come to because of it.
        if faults.iter().any(|fault| fault.fault.is_finding()) {
            return Self::Complete;
        }
        if let Some(why) = first(|fault| matches!(fault, Fault::Broken(_))) {
            return Self::Broken(why);
        }
        let late = first(|fault| matches!(fault, Fault::Late(_) | Fault::OutOfStep(_)));
        match (stop, late) {
            (Some(Stop::Refused(why)), _) => Self::Broken(why),
            (Some(Stop::Late(why)), _) | (_, Some(why)) => Self::Inconclusive(why),
            (Some(Stop::NodeFailed), None) => Self::Broken("a node failed".to_owned()),
            (None, None) => Self::Complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_of_what_went_wrong_decides() {
        let text = |word: &str| word.to_owned();
        let at_fault = || Fault::AtFault(text("oops"));
        let broken = || Fault::Broken(text("gone"));
        let late = || Fault::Late(text("slow"));
        let out = || Fault::OutOfStep(text("ticks"));
        let unable = || Fault::Unable(text("no"));
        let refused = || Some(Stop::Refused(text("limit")));
        let failed = Some(Stop::NodeFailed);
        for (stop, faults, ended) in [
            (None, vec![], Ended::Complete),
            (refused(), vec![], Ended::Broken(text("limit"))),
            (Some(Stop::Late(text("busy"))), vec![], Ended::Inconclusive(text("busy"))),
            (failed.clone(), vec![broken()], Ended::Broken(text("n: gone"))),
            (failed.clone(), vec![late()], Ended::Inconclusive(text("n: slow"))),
            (None, vec![out()], Ended::Inconclusive(text("n: ticks"))),
            (refused(), vec![out()], Ended::Broken(text("limit"))),
            (failed.clone(), vec![late(), broken()], Ended::Broken(text("n: gone"))),
            (failed.clone(), vec![broken(), at_fault()], Ended::Complete),
            (refused(), vec![Fault::Panicked(text("x"))], Ended::Complete),
            (failed, vec![at_fault(), unable()], Ended::Unable(text("n: no"))),
        ] {
            let faults: Vec<NodeFault> = faults
                .into_iter()
                .map(|fault| NodeFault { time: Instant::ZERO, node: NodeId(0), fault })
                .collect();
            assert_eq!(
                Ended::of(stop.clone(), &faults, |_| text("n")),
                ended,
                "{stop:?} {faults:?}"
            );
        }
    }
}
