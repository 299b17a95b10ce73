//! Runs a plan on a wire: the script's steps are put in, what crossed comes out. Knows the plan
//! and a `Wire`; compares nothing with a golden and holds no rule.

pub mod fed;
pub mod guest;
pub mod linux;
pub mod matching;
pub mod nic;
mod replay;
mod script;
mod sim;
pub mod timing;
mod unexpected;
mod veth;

use std::borrow::Cow;

use link::{Command, LinkNote, NodePanic, Seen};
use wire::{Capture, Duration, FrameId, Instant};

use crate::on::On;
use crate::plan::{LinkStep, Plan};
use timing::Timing;

pub use replay::replay;
pub use script::{Begun, StepFailure, Timed};

/// What a script needs of a wire. [`sim`] is one; a real wire is another.
trait Wire {
    /// The time on this wire.
    fn now(&self) -> Instant;
    /// Tells a node to act; what it emits while it does is tagged with the step.
    fn command(&mut self, node: usize, command: &Command, step: u32) -> Result<(), String>;
    /// Changes a link from now on, in both directions or towards one node.
    fn change_link(&mut self, change: &LinkStep) -> Result<(), String>;
    /// Lets the next thing happen if it is due by `until`, or at all when that is `None`. False:
    /// nothing more is due by then, and it is `until` now.
    fn advance(&mut self, until: Option<Instant>) -> Result<bool, String>;
    /// What was emitted so far.
    fn capture(&self) -> &Capture;
    /// What the nodes' applications saw so far.
    fn seen(&self) -> &[Seen];
    /// When a frame was emitted by the real clock; virtual time is its own.
    fn emitted(&self, frame: FrameId) -> Instant {
        self.capture().record(frame).time
    }
    /// By how much the clock is past the time on this wire; virtual time is never late.
    fn late(&self) -> Duration {
        Duration::ZERO
    }
    /// How long to wait at least for a frame that a step expects.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
    /// What is shorter than Ethernet carries comes padded with zeros.
    fn pads(&self) -> bool {
        false
    }
    /// It is the time that steps have it to be, whatever the machine does meanwhile. Where it is
    /// not, a step whose time has passed begins late instead of failing.
    fn is_exact(&self) -> bool {
        true
    }
}

/// Everything a run left behind.
#[derive(Debug, Default)]
pub struct Run {
    /// Every frame emitted, in total order.
    pub capture: Capture,
    /// The same at the times of the wire, where those of `capture` are the real clock's.
    pub by_wire: Option<Capture>,
    /// What the nodes' applications saw.
    pub seen: Vec<Seen>,
    /// What the links did to frames.
    pub notes: Vec<LinkNote>,
    /// The nodes that panicked.
    pub panics: Vec<NodePanic>,
    /// What each node counted, in order of the plan's nodes.
    pub counters: Vec<Vec<(Cow<'static, str>, u64)>>,
    /// When each step began, in order.
    pub begun: Vec<Begun>,
    /// The steps that did not hold.
    pub failures: Vec<StepFailure>,
    /// The frames that steps expected and found: (frame, step).
    pub expected: Vec<(FrameId, usize)>,
    /// What became of the times that the scenario wants judged.
    pub timed: Vec<Timed>,
    /// Why the run could not be carried out to its end: a limit, a command refused.
    pub broken: Option<String>,
    /// The virtual time at the end.
    pub end: Instant,
    /// What a node was to send and could not build, being another kind than the scenario's: such a
    /// scenario is none for it.
    pub unable: Option<String>,
    /// Why the wire could not tell what there was to tell.
    pub inconclusive: Option<String>,
    /// The capture's times are of the real clock, and differ from run to run.
    pub real: bool,
    /// What was set to make the wire, a line each.
    pub remarks: Vec<String>,
    /// What came to a real interface and is nobody's that the run is about, in words, and how
    /// often.
    pub passed_over: Vec<(String, u64)>,
    /// What the scenario's own nodes did on the simulated wire, where a device runs in their place
    /// and the order of frames is only known from there.
    pub rehearsed: Option<Capture>,
    /// Who spoke where it was no node of Rust, in order of the plan's nodes.
    pub speakers: Vec<Speaker>,
}

/// Who spoke for a node that is none of Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// The node, by its place in the plan.
    pub node: usize,
    /// Who: `guest kernel 6.1.0-56-cloud-amd64 (nft at input)`.
    pub who: String,
}

impl Run {
    /// The frames as a golden keeps them: at the times of the wire, which a busy machine does not
    /// change.
    #[must_use]
    pub fn as_golden(&self) -> &Capture {
        self.by_wire.as_ref().unwrap_or(&self.capture)
    }

    /// The times that nobody can judge, because the machine was late.
    pub fn untimely(&self) -> impl Iterator<Item = &Timed> {
        self.timed.iter().filter(|timed| matches!(timed.held, Timing::MachineLate(_)))
    }
}

/// Runs the plan on a wire.
///
/// # Errors
/// When the topology or a node cannot be made; what goes wrong later is in [`Run::broken`].
pub fn run(
    on: On,
    plan: &Plan,
    registry: &nodes::Registry,
    machines: &::guest::Pool,
) -> anyhow::Result<Run> {
    match on {
        On::Sim => sim::run(plan, registry, machines),
        On::Veth => veth::run(plan, registry, machines),
        On::Nic => anyhow::bail!("the wire `nic` takes interfaces, see run::nic"),
    }
}

/// Runs the plan as it stands on the simulated wire, whatever the wire it is for.
///
/// # Errors
/// As [`run`].
pub fn rehearse(plan: &Plan, registry: &nodes::Registry) -> anyhow::Result<Run> {
    if let Some(node) = plan.nodes.iter().find(|node| node.kind == guest::KIND) {
        anyhow::bail!("{}: a guest stands on the wires `sim` and `veth` only", node.name);
    }
    sim::run(plan, registry, &::guest::Pool::default())
}
