//! What a scenario names beside its nodes and links: fields and emitters of masks, wires, checks.
//! Knows which of them there are, and nothing of what they do.

use super::{PlanNode, Planner};
use crate::judge::compare::Mask;

/// The wires by the names that `--on` and `not-on` use; `linux` is any of them with a kernel in a
/// node's place.
const WIRES: [&str; 4] = ["sim", "veth", "nic", "linux"];

impl Planner<'_> {
    /// The masks; each emitter is there.
    pub(super) fn masks(&mut self, nodes: &[PlanNode]) -> Vec<Mask> {
        self.masks_count_no_layers();
        for from in self.scenario.masks.iter().filter_map(|mask| mask.from.as_ref()) {
            self.port(nodes, from);
        }
        let from = |port: &scenario::PortRef| match &port.port {
            Some(name) => format!("{}:{}", port.node.value, name.value),
            None => port.node.value.clone(),
        };
        let frame = |number: &scenario::Spanned<u32>| wire::FrameId(number.value.saturating_sub(1));
        let mask = |mask: &scenario::Mask| Mask {
            field: mask.field.value.field,
            frames: mask.frames.iter().flatten().map(frame).collect(),
            from: mask.from.as_ref().map(from),
            reason: mask.reason.value.clone(),
        };
        self.scenario.masks.iter().map(mask).collect()
    }

    /// A mask holds for every layer of its protocol, so that a number there would mean nothing.
    fn masks_count_no_layers(&mut self) {
        for mask in &self.scenario.masks {
            let span = mask.field.span;
            if self.text.get(span.range()).is_some_and(|field| field.contains('#')) {
                let path = mask.field.value.field.path();
                let help = format!("write `{path}`: it holds in every such layer of a frame");
                self.fault(span, "a mask names no layer by its number".into(), help);
            }
        }
    }

    /// Every wire of `not-on` is one.
    pub(super) fn known_wires(&mut self) {
        for entry in &self.scenario.not_on {
            let name = &entry.wire;
            if !WIRES.contains(&name.value.as_str()) {
                let help = format!("the wires are {}", WIRES.join(", "));
                self.fault(name.span, format!("no wire is called `{}`", name.value), help);
            }
        }
    }

    /// Every check of `finds` is one.
    pub(super) fn known_checks(&mut self) {
        let ids: Vec<&str> = checks::CHECKS.iter().map(|check| check.id).collect();
        for id in &self.scenario.finds {
            if !ids.contains(&id.value.as_str()) {
                let near = scenario::nearest(&id.value, ids.iter().copied());
                let help = near.map_or_else(
                    || format!("the checks are {}", ids.join(", ")),
                    |near| format!("did you mean `{near}`? `wireproof checks` lists all"),
                );
                self.fault(id.span, format!("no check is called `{}`", id.value), help);
            }
        }
    }
}
