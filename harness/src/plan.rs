//! The plan: a scenario in which every name is a thing. Nothing downstream meets an unknown name.
//! Knows the registry and the scenario's types; runs nothing.

mod bridges;
mod faults;
mod mask;
mod names;
pub mod standing;
mod steps;
pub(crate) mod topology;
mod verbs;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use link::{Direction, Limits, LinkChange, LinkId, NodeId, PortIndex};
use nodes::{ConfigError, Home, Made, MakeError, NodeConfig, Recipe, Registry, Role, Site};
use scenario::{Diagnostic, Due, PacketTemplate, Pattern, Scenario, Tolerance};
use wire::{Duration, Field, Instant, PortId};

use self::faults::Faults;
use crate::spec::NodeSpec;

pub use mask::Mask;
pub use standing::Standing;

/// A scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What happens, in one line.
    pub title: String,
    /// The comment on the whole.
    pub note: Option<String>,
    /// Clauses and requirement ids.
    pub cites: Vec<String>,
    /// The clause that fixes all that it asks, where any host must do it.
    pub any_host: Option<String>,
    /// The seed of the wire's random choices.
    pub seed: u64,
    /// Bounds of the run.
    pub limits: Limits,
    /// When the run stops; `None`: when nothing more is under way.
    pub end: Option<Instant>,
    /// The nodes.
    pub nodes: Vec<PlanNode>,
    /// The links.
    pub links: Vec<PlanLink>,
    /// The script.
    pub steps: Vec<Step>,
    /// What may differ from the golden, each with its reason.
    pub masks: Vec<Mask>,
    /// The checks that must find something.
    pub finds: Vec<String>,
    /// Wires it does not run on, with the reason.
    pub not_on: BTreeMap<String, String>,
}

impl Plan {
    /// The name of a node of a run.
    #[must_use]
    pub fn node_name(&self, node: NodeId) -> &str {
        self.nodes.get(node.index()).map_or("?", |node| &node.name)
    }

    /// The nodes that the scenario itself wants elsewhere than in this process.
    pub fn own(&self, home: Home) -> impl Iterator<Item = &PlanNode> {
        self.nodes.iter().filter(move |node| node.home == home && !node.swapped)
    }
}

impl Plan {
    /// Nodes and links without a script, for a driver of its own.
    pub(crate) fn of_nodes(
        title: &str,
        nodes: Vec<PlanNode>,
        links: Vec<PlanLink>,
        limits: Limits,
    ) -> Self {
        Self {
            title: title.to_owned(),
            note: None,
            cites: Vec::new(),
            any_host: None,
            seed: 0,
            limits,
            end: None,
            nodes,
            links,
            steps: Vec::new(),
            masks: Vec::new(),
            finds: Vec::new(),
            not_on: BTreeMap::new(),
        }
    }
}

/// A node, configured and known to be makeable.
#[derive(Clone, Debug)]
pub struct PlanNode {
    /// Its name.
    pub name: String,
    /// Its kind, after any swap.
    pub kind: String,
    /// Where its implementation is.
    pub home: Home,
    /// Its ports, and its options as text.
    pub config: NodeConfig,
    /// What its kind made of the options; `None` only while the plan is being made.
    pub(crate) recipe: Option<Arc<dyn Recipe>>,
    /// What it draws at random comes from this alone.
    pub seed: u64,
    /// It joins its ports below IP: who is behind it is the neighbour.
    pub is_bridge: bool,
    /// What checks may expect of it.
    pub role: Role,
    /// Its ports in the capture, in order.
    pub ports: Vec<PortId>,
    /// The comment on it.
    pub note: Option<String>,
    /// `--swap` put it there.
    pub swapped: bool,
    /// Who stands there, and what that one is measured by.
    pub standing: Standing,
    /// Why what the swap put there cannot do anything in this scenario.
    pub unfit: Option<String>,
}

impl PlanNode {
    /// It is of this kind, as masks and `not-on` mean it: a guest whose own kernel answers is a
    /// `linux` too, and one whose module answers goes by the module's name as well.
    #[must_use]
    pub fn is_of(&self, kind: &str) -> bool {
        self.kind == kind || self.recipe().known_as().contains(&kind)
    }

    /// A node of no scenario, its first port of this number in the capture.
    ///
    /// # Errors
    /// When the kind does not take these options.
    pub(crate) fn alone(
        kind: &str,
        config: NodeConfig,
        registry: &Registry,
        first_port: u16,
    ) -> Result<Self, ConfigError> {
        let known = registry.find(kind)?;
        let recipe = registry.read(kind, &config)?;
        Ok(Self {
            name: config.name.clone(),
            kind: kind.to_owned(),
            home: known.home,
            is_bridge: (known.bridges)(&config.options),
            role: recipe.role(),
            recipe: Some(recipe),
            seed: link::node_seed(0, usize::from(first_port)),
            ports: (first_port..).take(config.ports.len()).map(PortId).collect(),
            note: None,
            swapped: false,
            standing: Standing::default(),
            unfit: None,
            config,
        })
    }

    /// What its kind made of its options.
    ///
    /// # Panics
    /// While the plan is being made.
    #[must_use]
    pub fn recipe(&self) -> &dyn Recipe {
        self.recipe.as_deref().expect("a plan is made of nodes whose options were read")
    }

    /// Makes the node.
    ///
    /// # Errors
    /// When its implementation cannot be started.
    pub fn make(&self, is_real: bool) -> Result<Made, MakeError> {
        self.recipe().make(&Site { ports: &self.config.ports, seed: self.seed, is_real })
    }
}

/// A link between two ports.
#[derive(Clone, Debug)]
pub struct PlanLink {
    /// Its name in reports: as given, or its ends.
    pub name: String,
    /// Node and port of its two ends.
    pub ends: [(NodeId, PortIndex); 2],
    /// How it treats frames at the start; what is not given is the link's default.
    pub settings: LinkChange,
    /// What is otherwise in one direction from the start.
    pub toward: Vec<(Direction, LinkChange)>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place, from 0.
    pub index: usize,
    /// Its line in the scenario file.
    pub line: usize,
    /// When it begins.
    pub when: When,
    /// What it does.
    pub action: Action,
    /// By how much its time may be missed, where the scenario wants it judged.
    pub tolerance: Option<Tolerance>,
    /// The comment on it.
    pub note: Option<String>,
}

/// When a step begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as the one before ended.
    Next,
    /// So long after the one before ended.
    After(Duration),
    /// At this time of the run.
    At(Instant),
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// A node sends a packet.
    Send {
        /// The node.
        node: NodeId,
        /// The port it leaves by.
        port: PortIndex,
        /// What to send; names are filled in when the step begins.
        packet: PacketTemplate,
    },
    /// A node is given a command.
    Do {
        /// The node.
        node: NodeId,
        /// What to do.
        verb: String,
        /// How; names are filled in when the step begins.
        args: Vec<(String, scenario::Scalar)>,
    },
    /// A frame must come.
    Expect(Expect),
    /// No such frame may come.
    ExpectNothing(ExpectNothing),
    /// A node's application must see something.
    ExpectEvent(ExpectEvent),
    /// A link changes.
    Link(LinkStep),
    /// Time passes; the step's own `when` says how much.
    Wait,
}

/// A link's change of settings.
#[derive(Clone, Debug)]
pub struct LinkStep {
    /// The link.
    pub link: LinkId,
    /// One direction, or both.
    pub direction: Option<Direction>,
    /// What changes.
    pub change: LinkChange,
}

/// A frame that must come.
#[derive(Clone, Debug)]
pub struct Expect {
    /// When it must come.
    pub due: Due,
    /// The emitter as written.
    pub from: String,
    /// The ports it may come from: one, or all of one node.
    pub ports: Arc<[PortId]>,
    /// What it looks like.
    pub pattern: Pattern,
    /// Names for fields of it: (name, field, which layer of that protocol).
    pub bind: Vec<(String, &'static Field, usize)>,
    /// Frames that do not match are passed over.
    pub skip_others: bool,
}

/// A frame that may not come.
#[derive(Clone, Debug)]
pub struct ExpectNothing {
    /// For how long.
    pub time: Duration,
    /// The ports it may not come from, in order of their numbers.
    pub ports: Arc<[PortId]>,
    /// Whether the step names them: then frames that the script sends count as well.
    pub named: bool,
    /// What it looks like.
    pub pattern: Pattern,
}

/// Something a node's application must see.
#[derive(Clone, Debug)]
pub struct ExpectEvent {
    /// How long to wait for it.
    pub within: Duration,
    /// The node.
    pub node: NodeId,
    /// The event's kind.
    pub kind: String,
    /// Fields it must have, with their values as text or number.
    pub fields: Vec<(String, scenario::Scalar)>,
}

/// Another kind in a node's place: `NODE=KIND[,option=value]…`.
#[derive(Clone, Debug, PartialEq)]
pub struct Swap {
    /// The node's name.
    pub node: String,
    /// What stands there instead.
    pub spec: NodeSpec,
}

impl Swap {
    /// Reads `NODE=KIND[,option=value]…`.
    ///
    /// # Errors
    /// Names the part that is wrong and what would be right.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let whole = |(node, kind): &(&str, &str)| !node.is_empty() && !kind.is_empty();
        let split = text.split_once('=').filter(whole);
        let (node, spec) = split.with_context(|| {
            format!("`{text}`: a swap is NODE=KIND[,option=value]…, such as rejecter=sink")
        })?;
        let spec = NodeSpec::parse(spec)
            .and_then(NodeSpec::on_links)
            .with_context(|| format!("`{text}`"))?;
        Ok(Self { node: node.to_owned(), spec })
    }

    /// Reads all words of `--swap`.
    ///
    /// # Errors
    /// As [`Self::parse`], and when two stand in one node's place.
    pub fn parse_all(words: &[String]) -> anyhow::Result<Vec<Self>> {
        let mut swaps: Vec<Self> = Vec::new();
        for text in words {
            let swap = Self::parse(text).context("--swap")?;
            if swaps.iter().any(|other| other.node == swap.node) {
                anyhow::bail!("--swap: `{text}`: the node `{}` is swapped already", swap.node);
            }
            swaps.push(swap);
        }
        Ok(swaps)
    }
}

/// Makes the plan, or says everything that is wrong with the scenario.
///
/// # Errors
/// One diagnostic for each name that means nothing here, each option that its kind refuses, each
/// port that is not there.
pub fn plan(
    scenario: &Scenario,
    text: &str,
    registry: &Registry,
    swaps: &[Swap],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut planner =
        Planner { scenario, faults: Faults::new(text), text, port_numbers: Vec::new() };
    if !planner.can_number(registry) {
        return Err(planner.faults.finish());
    }
    let mut nodes = planner.nodes(registry, swaps);
    let links = planner.links(&nodes);
    topology::set_peers(&mut nodes, &links);
    topology::destinations(&mut nodes, registry);
    planner.read_each(&mut nodes, registry, swaps);
    planner.unfit(&mut nodes, &links);
    let steps = planner.steps(&nodes, &links);
    let masks = planner.masks(&nodes, registry);
    planner.verbs(registry);
    planner.known_checks();
    planner.known_wires(registry);
    if !planner.faults.is_empty() {
        return Err(planner.faults.finish());
    }
    let limits = limits(scenario);
    Ok(Plan {
        title: scenario.title.value.clone(),
        note: scenario.notes(),
        cites: scenario.cites.iter().map(|cite| cite.value.clone()).collect(),
        any_host: scenario.any_host.as_ref().map(|reason| reason.value.clone()),
        seed: scenario.seed.as_ref().map_or(0, |seed| seed.value),
        limits,
        end: scenario.end.as_ref().map(|end| Instant::ZERO + end.value),
        nodes,
        links,
        steps,
        masks,
        finds: scenario.finds.iter().map(|id| id.value.clone()).collect(),
        not_on: scenario
            .not_on
            .iter()
            .map(|entry| (entry.wire.value.clone(), entry.reason.value.clone()))
            .collect(),
    })
}

/// Looks names up and gathers what is wrong.
struct Planner<'a> {
    scenario: &'a Scenario,
    text: &'a str,
    faults: Faults<'a>,
    /// For each node, its ports by name.
    port_numbers: Vec<BTreeMap<String, PortIndex>>,
}

impl Planner<'_> {
    fn fault(&mut self, span: scenario::Span, message: String, help: String) {
        self.faults.add(span, || (message, help));
    }
}

/// The scenario's limits, and defaults small enough that a node that never falls silent is told
/// of within a second.
fn limits(scenario: &Scenario) -> Limits {
    let given = &scenario.limits;
    Limits {
        frames: given.frames.as_ref().map_or(100_000, |limit| limit.value),
        bytes: given.bytes.as_ref().map_or(256 << 20, |limit| limit.value),
        steps: given.steps.as_ref().map_or(1_000_000, |limit| limit.value),
        queue: given.queue.as_ref().map_or(10_000, |limit| limit.value as usize),
        duration: given.duration.as_ref().map_or(Duration::from_secs(3600), |limit| limit.value),
    }
}

#[cfg(test)]
mod tests;
