//! What a scenario names beside its nodes and links: fields and emitters of masks, wires, checks.
//! Knows which of them there are, and nothing of what they do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nodes::{Home, Registry};

use super::mask::Mask;
use super::{PlanNode, Planner, standing};
use crate::on::On;

/// The names that `not-on` uses: of wires; `linux` and `guest`, for any wire with such a node in a
/// node's place; `other`, for one with an implementation that is not held to the golden.
fn wires(registry: &Registry) -> Vec<&'static str> {
    let elsewhere = registry.kinds().filter(|kind| kind.home != Home::InProcess);
    let wires = On::ALL.iter().map(|on| on.name());
    wires.chain(elsewhere.map(|kind| kind.name)).chain([standing::OTHER]).collect()
}

impl Planner<'_> {
    /// The masks; each emitter is there. One for a kind holds where nodes of that kind stand, and
    /// is none where there are none.
    pub(super) fn masks(&mut self, nodes: &[PlanNode], registry: &Registry) -> Vec<Mask> {
        self.masks_count_no_layers();
        self.masked_kinds(registry);
        for from in self.scenario.masks.iter().filter_map(|mask| mask.from.as_ref()) {
            self.port(nodes, from);
        }
        let frame = |number: &scenario::Spanned<u32>| wire::FrameId(number.value.saturating_sub(1));
        let mut of_kind = BTreeMap::new();
        let mut mask = |mask: &scenario::Mask| {
            Some(Mask {
                field: mask.field.value.field,
                frames: mask.frames.iter().flatten().map(frame).collect(),
                from: emitters(mask, nodes, &mut of_kind)?,
                reason: mask.reason.value.clone(),
            })
        };
        self.scenario.masks.iter().filter_map(&mut mask).collect()
    }

    /// Every kind that a mask names is one.
    fn masked_kinds(&mut self, registry: &Registry) {
        let kinds: Vec<&str> = registry.kinds().map(|kind| kind.name).collect();
        for kind in self.scenario.masks.iter().filter_map(|mask| mask.kind.as_ref()) {
            if !kinds.contains(&kind.value.as_str()) {
                self.faults.add(kind.span, || {
                    let near = scenario::nearest(&kind.value, kinds.iter().copied());
                    let near = near.map(|near| format!("did you mean `{near}`?"));
                    let all = || format!("the kinds are {}", kinds.join(", "));
                    let message = format!("no kind of node is called `{}`", kind.value);
                    (message, near.unwrap_or_else(all))
                });
            }
        }
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
    pub(super) fn known_wires(&mut self, registry: &Registry) {
        let wires = wires(registry);
        for entry in &self.scenario.not_on {
            let name = &entry.wire;
            let mut others = registry.kinds().flat_map(|kind| kind.known_as);
            if !wires.contains(&name.value.as_str()) && !others.any(|known| *known == name.value) {
                let help = format!("the wires are {}", wires.join(", "));
                self.fault(name.span, format!("no wire is called `{}`", name.value), help);
            }
        }
    }

    /// Every check of `finds` is one.
    pub(super) fn known_checks(&mut self) {
        let ids: Vec<&str> = checks::CHECKS.iter().map(|check| check.id).collect();
        for id in &self.scenario.finds {
            if !ids.contains(&id.value.as_str()) {
                self.faults.add(id.span, || {
                    let near = scenario::nearest(&id.value, ids.iter().copied());
                    let help = near.map_or_else(
                        || format!("the checks are {}", ids.join(", ")),
                        |near| format!("did you mean `{near}`? `wireproof explain` lists all"),
                    );
                    (format!("no check is called `{}`", id.value), help)
                });
            }
        }
    }
}

/// Whose frames a mask is about, empty for everybody's; `None` where no node of its kind stands.
/// The names of a kind's nodes are shared by the masks for it.
fn emitters(
    mask: &scenario::Mask,
    nodes: &[PlanNode],
    of_kind: &mut BTreeMap<String, Arc<BTreeSet<String>>>,
) -> Option<Arc<BTreeSet<String>>> {
    let kind = mask.kind.as_ref();
    if let Some(from) = &mask.from {
        let is = |node: &&PlanNode| kind.is_none_or(|kind| node.is_of(&kind.value));
        let node = nodes.get(from.index).filter(is);
        return node.map(|_| Arc::new(BTreeSet::from([from.to_string()])));
    }
    let Some(kind) = kind else { return Some(Arc::default()) };
    let names = of_kind.entry(kind.value.clone()).or_insert_with(|| {
        let of = nodes.iter().filter(|node| node.is_of(&kind.value));
        Arc::new(of.map(|node| node.name.clone()).collect())
    });
    (!names.is_empty()).then(|| names.clone())
}
