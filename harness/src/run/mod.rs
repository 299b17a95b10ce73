//! Runs a plan on a wire: the script's steps are put in, what crossed comes out. Knows the plan
//! and a `Backend`; compares nothing with a golden and holds no rule.
//!
//! A wire is a file here that gives a [`Backend`], and its line in [`open`].

mod backend;
pub mod inject;
pub mod matching;
pub mod nic;
mod replay;
mod script;
mod sim;
pub mod timing;
mod transcript;
mod unexpected;
mod veth;

use anyhow::bail;
use link::NodeFault;
use nodes::Home;
use wire::{Capture, FrameId};

use crate::on::On;
use crate::plan::Plan;
use script::Script;
use timing::Timing;

pub use backend::Backend;
pub use replay::replay;
pub use script::{Begun, StepFailure, Timed};
pub use transcript::{Answering, Ended, Stop, Transcript};

/// Everything a run left behind.
#[derive(Debug, Default)]
pub struct Run {
    /// What crossed the wire.
    pub transcript: Transcript,
    /// How it ended.
    pub ended: Ended,
    /// When each step began, in order.
    pub begun: Vec<Begun>,
    /// The steps that did not hold.
    pub failures: Vec<StepFailure>,
    /// The frames that steps expected and found: (frame, step).
    pub expected: Vec<(FrameId, usize)>,
    /// What became of the times that the scenario wants judged.
    pub timed: Vec<Timed>,
}

impl Run {
    /// The frames as a golden keeps them: at the times of the wire, which a busy machine does not
    /// change.
    #[must_use]
    pub fn as_golden(&self) -> &Capture {
        self.transcript.by_wire.as_ref().unwrap_or(&self.transcript.capture)
    }

    /// The nodes that are found at fault themselves.
    pub fn at_fault(&self) -> impl Iterator<Item = &NodeFault> {
        self.transcript.faults.iter().filter(|fault| fault.fault.is_finding())
    }

    /// The times that nobody can judge, because the machine was late.
    pub fn untimely(&self) -> impl Iterator<Item = &Timed> {
        self.timed.iter().filter(|timed| matches!(timed.held, Timing::MachineLate(_)))
    }

    /// A wire that the machine did not make in time.
    fn late(why: String) -> Self {
        let transcript = Transcript { real: true, ..Transcript::default() };
        Self { transcript, ended: Ended::Inconclusive(why), ..Self::default() }
    }
}

/// A wire with the plan's nodes and links, nothing emitted yet; or why the machine was too late.
pub type Opened<'a> = anyhow::Result<Result<Box<dyn Backend + 'a>, String>>;

/// Makes the wire of a plan. A cable takes more than a plan: see [`nic`].
///
/// # Errors
/// When the topology or a node cannot be made.
pub fn open(on: On, plan: &Plan) -> Opened<'_> {
    match on {
        On::Sim => sim::open(plan),
        On::Veth => veth::open(plan),
        On::Nic => bail!("the wire `nic` takes interfaces, see run::nic"),
    }
}

/// Runs the plan on a wire.
///
/// # Errors
/// As [`open`]; what goes wrong later is in [`Run::ended`].
pub fn run(on: On, plan: &Plan) -> anyhow::Result<Run> {
    Ok(match open(on, plan)? {
        Ok(backend) => carry_out(plan, backend),
        Err(late) => Run::late(late),
    })
}

/// Runs the script of a plan to its end.
fn carry_out<'a>(plan: &'a Plan, backend: Box<dyn Backend + 'a>) -> Run {
    let mut script = Script::new(plan, backend);
    let stop = script.run().err();
    let Script { backend, begun, failures, expected, timed, .. } = script;
    let (mut transcript, late) = backend.close();
    let stop = stop.or(late);
    let ended = Ended::of(stop, &transcript.faults, |node| plan.node_name(node).to_owned());
    // Frames that a device had no way to send are no failure of its.
    let unanswered = transcript.unanswered.take().filter(|_| !failures.is_empty());
    let ended = match unanswered {
        Some(why) if ended == Ended::Complete => Ended::Inconclusive(why),
        _ => ended,
    };
    Run { transcript, ended, begun, failures, expected, timed }
}

/// Runs the plan as it stands on the simulated wire, whatever the wire it is for.
///
/// # Errors
/// As [`run`], and for a node that is not in this process.
pub fn rehearse(plan: &Plan) -> anyhow::Result<Run> {
    if let Some(node) = plan.nodes.iter().find(|node| node.home != Home::InProcess) {
        bail!(
            "{}: a node of the kind `{}` takes no cable: it is in no device",
            node.name,
            node.kind
        );
    }
    run(On::Sim, plan)
}
