//! Kernel nodes that bridge: who sits behind one, and which nodes cannot do what their options ask,
//! since nothing would ever come to the hook. Knows the plan's nodes and links; runs nothing.

use std::collections::{BTreeMap, BTreeSet};

use link::{PortConfig, PortIndex};

use crate::run::{guest, linux};

use super::{PlanLink, PlanNode, Planner};

type End = (usize, PortIndex);

/// The two ends that each bridge of two links joins, by the bridge's own ports.
#[derive(Debug, Default)]
pub(super) struct Bridges(BTreeMap<End, End>);

impl Bridges {
    pub(super) fn of(nodes: &[PlanNode], links: &[PlanLink]) -> Self {
        let is_bridge = |node: &PlanNode| linux::is_bridge(&node.kind, &node.config.options);
        let bridges: BTreeSet<usize> =
            (0..nodes.len()).filter(|node| is_bridge(&nodes[*node])).collect();
        // For each bridge its ports, each with the end at the other side of its link.
        let mut sides: BTreeMap<usize, Vec<(End, End)>> = BTreeMap::new();
        for link in links.iter().filter(|_| !bridges.is_empty()) {
            for (here, there) in [(0, 1), (1, 0)] {
                let end = link.ends[here];
                if bridges.contains(&end.0) {
                    sides.entry(end.0).or_default().push((end, link.ends[there]));
                }
            }
        }
        let mut joined = BTreeMap::new();
        for side in sides.values() {
            if let [(left, from), (right, to)] = side.as_slice() {
                joined.insert(*left, *to);
                joined.insert(*right, *from);
            }
        }
        Self(joined)
    }

    /// Who sits at an end, seen through bridges of two links; a bridge of more is seen itself.
    pub(super) fn behind(&self, end: End) -> End {
        let mut at = end;
        // Bridges in a ring lead back to where they began.
        for _ in 0..=self.0.len() {
            match self.0.get(&at) {
                Some(next) => at = *next,
                None => return at,
            }
        }
        end
    }
}

impl Planner<'_> {
    /// Refuses kernels whose hook nothing would come to: a run would be green for an empty reason.
    /// Of one that a swap put there the reason is kept, since the swap may fit the next scenario.
    pub(super) fn unfit(&mut self, nodes: &mut [PlanNode], links: &[PlanLink]) {
        let mut linked: BTreeMap<usize, BTreeSet<PortIndex>> = BTreeMap::new();
        for (node, port) in links.iter().flat_map(|link| link.ends) {
            linked.entry(node).or_default().insert(port);
        }
        for (index, node) in nodes.iter_mut().enumerate() {
            if ![linux::KIND, guest::KIND].contains(&node.kind.as_str()) {
                continue;
            }
            let ports = linked.get(&index).into_iter().flatten();
            let ports: Vec<&PortConfig> =
                ports.map(|port| &node.config.ports[usize::from(*port)]).collect();
            let Some(error) = linux::unfit(&node.config, &ports) else { continue };
            if node.swapped {
                node.unfit = Some(error.message);
                continue;
            }
            let written = &self.scenario.nodes[index];
            let named =
                |option: &&scenario::Argument| error.option.as_ref() == Some(&option.name.value);
            let option = written.options.iter().find(named);
            let span = option.map_or(written.kind.span, |option| option.name.span);
            self.fault(span, error.message, String::new());
        }
    }
}
