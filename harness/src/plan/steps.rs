//! The script of a plan: each step's names become nodes, ports, links and fields.

use std::sync::Arc;

use link::{Direction, LinkId, NodeId, PortIndex};
use scenario::{PortRef, Spanned};
use wire::{Duration, Instant, PortId};

use super::{
    Action, Expect, ExpectEvent, ExpectNothing, LinkStep, PlanLink, PlanNode, Planner, Step, When,
};

/// The ports of each node and of all, shared by the steps that name them.
struct Emitters {
    of_node: Vec<Arc<[PortId]>>,
    all: Arc<[PortId]>,
}

/// Where the lines of a text begin, found once.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of an offset, from 1.
    fn at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|newline| *newline < offset)
    }
}

impl Planner<'_> {
    pub(super) fn steps(&mut self, nodes: &[PlanNode], links: &[PlanLink]) -> Vec<Step> {
        let scenario = self.scenario;
        let mut steps = Vec::new();
        let lines = Lines::of(self.text);
        let emitters: Vec<Arc<[PortId]>> =
            nodes.iter().map(|node| node.ports.as_slice().into()).collect();
        let all: Arc<[PortId]> = nodes.iter().flat_map(|node| node.ports.iter().copied()).collect();
        let emitters = Emitters { of_node: emitters, all };
        for (index, step) in scenario.steps.iter().enumerate() {
            let Some((when, action)) = self.action(&step.action, nodes, &emitters, links) else {
                continue;
            };
            let line = lines.at(step.span.start);
            let (tolerance, note) = (step.tolerance, step.notes());
            steps.push(Step { index, line, when, action, tolerance, note });
        }
        steps
    }

    fn action(
        &mut self,
        action: &scenario::Action,
        nodes: &[PlanNode],
        emitters: &Emitters,
        links: &[PlanLink],
    ) -> Option<(When, Action)> {
        use scenario::Action as Asked;
        Some(match action {
            Asked::Send { when: at, from, packet } => {
                let (node, port) = (NodeId::at(from.index), self.port(nodes, from)?.unwrap_or(0));
                (when(*at), Action::Send { node, port, packet: packet.value.clone() })
            }
            Asked::Do { when: at, node, verb, args } => {
                let named =
                    |arg: &scenario::Argument| (arg.name.value.clone(), arg.value.value.clone());
                let (verb, args) = (verb.value.clone(), args.iter().map(named).collect());
                (when(*at), Action::Do { node: NodeId::at(node.index), verb, args })
            }
            Asked::Expect { due, from, pattern, bind, skip_others } => {
                let named = |bind: &scenario::Bind| {
                    let field = bind.field.value;
                    (bind.name.value.clone(), field.field, field.occurrence)
                };
                let expect = Expect {
                    due: *due,
                    from: name(from),
                    ports: self.emitters(nodes, emitters, Some(from))?,
                    pattern: pattern.value.clone(),
                    bind: bind.iter().map(named).collect(),
                    skip_others: *skip_others,
                };
                (When::Next, Action::Expect(expect))
            }
            Asked::ExpectNothing { during, from, pattern } => {
                let ports = self.emitters(nodes, emitters, from.as_ref())?;
                let (time, pattern) = (during.value, pattern.value.clone());
                let named = from.is_some();
                let nothing = ExpectNothing { time, ports, named, pattern };
                (When::Next, Action::ExpectNothing(nothing))
            }
            Asked::ExpectEvent { within, from, kind, fields } => {
                let fields = fields
                    .iter()
                    .map(|field| (field.name.value.clone(), field.value.value.clone()))
                    .collect();
                let (within, kind) = (within.value, kind.value.clone());
                let event = ExpectEvent { within, node: NodeId::at(from.index), kind, fields };
                (When::Next, Action::ExpectEvent(event))
            }
            Asked::SetLink { when: at, link: _, index, toward, set } => {
                let direction = match toward {
                    Some(end) => Some(self.direction(*index, end, nodes, links)?),
                    None => None,
                };
                let change = set.value.clone();
                let step = LinkStep { link: LinkId::at(*index), direction, change };
                (when(*at), Action::Link(step))
            }
            Asked::Wait(time) => (When::After(time.value), Action::Wait),
        })
    }

    /// The ports of an emitter: the one named, all of its node, or all there are.
    fn emitters(
        &mut self,
        nodes: &[PlanNode],
        emitters: &Emitters,
        from: Option<&PortRef>,
    ) -> Option<Arc<[PortId]>> {
        let Some(from) = from else { return Some(emitters.all.clone()) };
        let port = self.port(nodes, from)?;
        let all = &emitters.of_node[from.index];
        Some(port.map_or_else(|| all.clone(), |port| [all[usize::from(port)]].into()))
    }

    /// Towards which of its two ends a link changes.
    pub(super) fn direction(
        &mut self,
        link: usize,
        end: &PortRef,
        nodes: &[PlanNode],
        links: &[PlanLink],
    ) -> Option<Direction> {
        let wanted = self.port(nodes, end)?;
        // A link that is itself faulty has been told of; the step then has nothing to add.
        let link = links.get(link)?;
        let meant = |(node, port): &(NodeId, PortIndex)| {
            node.index() == end.index && wanted.is_none_or(|wanted| wanted == *port)
        };
        match link.ends.iter().position(meant) {
            Some(1) => Some(Direction::AToB),
            Some(_) => Some(Direction::BToA),
            None => {
                let message = format!("`{end}` is no end of the link {}", link.name);
                self.fault(end.node.span, message, "name one of its two ends".into());
                None
            }
        }
    }
}

fn name(from: &PortRef) -> String {
    match &from.port {
        Some(port) => format!("{}:{}", from.node.value, port.value),
        None => from.node.value.clone(),
    }
}

fn when(when: scenario::When) -> When {
    let at = |time: Spanned<Duration>| Instant::ZERO + time.value;
    match when {
        scenario::When::Now => When::Next,
        scenario::When::At(time) => When::At(at(time)),
        scenario::When::After(time) => When::After(time.value),
    }
}
