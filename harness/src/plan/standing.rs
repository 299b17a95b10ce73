//! Who stands in a node's place, and what that one is measured by: the golden's bytes, or the
//! checks and the steps alone. Knows plans and kinds; judges nothing.

use nodes::{Measure, Registry};

use super::{Plan, PlanNode, topology};

/// What `not-on` calls an implementation that is not held to the golden.
pub const OTHER: &str = "other";

/// How a node of a plan stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What its frames are measured by.
    pub measure: Measure,
    /// It is not the scenario's own node but one in its place: by a swap, or a device.
    pub replaces: bool,
    /// It is the device at the other end of a cable.
    pub device: bool,
    /// Its role was said by whoever runs it.
    pub told_role: bool,
    /// The option by which the scenario's own node is like one implementation and no other.
    pub imitation: Option<String>,
}

impl Standing {
    /// Of a node as the scenario has it, or with another kind in its place.
    pub(super) fn of(node: &scenario::Node, swap: Option<&str>, registry: &Registry) -> Self {
        let kind = swap.unwrap_or(&node.kind.value);
        let options = node.options.iter();
        let written = options
            .map(|option| (option.name.value.clone(), topology::datum(&option.value.value)))
            .collect();
        Self {
            measure: registry.get(kind).map(|kind| kind.measure).unwrap_or_default(),
            replaces: swap.is_some(),
            imitation: registry.imitation(&node.kind.value, &written),
            ..Self::default()
        }
    }
}

impl Plan {
    /// Nodes that are measured by rules: what they do otherwise than the golden is their choice.
    pub fn others(&self) -> impl Iterator<Item = &PlanNode> {
        self.nodes.iter().filter(|node| node.standing.measure == Measure::Rules)
    }

    /// The device stands in the place of these nodes.
    pub fn stand_in(&mut self, ours: &[bool]) {
        for (node, _) in self.nodes.iter_mut().zip(ours).filter(|(_, ours)| !**ours) {
            node.standing.measure = Measure::Rules;
            node.standing.replaces = true;
            node.standing.device = true;
        }
    }

    /// Every node is held to the golden's bytes, whoever it is.
    pub fn hold_to_golden(&mut self) {
        for node in &mut self.nodes {
            node.standing.measure = Measure::Golden;
        }
    }

    /// Why the scenario is not run with another implementation in a node's place, if it is not.
    #[must_use]
    pub fn not_with_other(&self) -> Option<String> {
        let node = self.others().find(|node| node.standing.replaces)?;
        if let Some(reason) = self.not_on.get(OTHER) {
            return Some(format!("not with another implementation as `{}`: {reason}", node.name));
        }
        let (name, option) = self.others().find_map(|node| {
            let option = node.standing.imitation.as_ref().filter(|_| node.standing.replaces)?;
            Some((&node.name, option))
        })?;
        Some(format!(
            "not with another implementation as `{name}`: it is about one that `{option}` makes, \
             and no other obeys that"
        ))
    }
}
