//! Kernel nodes that bridge: who sits behind one, and which nodes cannot do what their options ask,
//! since nothing would ever come to the hook. Knows the plan's nodes and links; runs nothing.

use std::collections::{BTreeMap, BTreeSet};

use link::{NodeId, PortConfig, PortIndex};
use nodes::ConfigError;
use wire::Mac;

use super::{PlanLink, PlanNode, Planner};

type End = (NodeId, PortIndex);

/// The two ends that each bridge of two links joins, by the bridge's own ports.
#[derive(Debug, Default)]
pub(super) struct Bridges(BTreeMap<End, End>);

impl Bridges {
    pub(super) fn of(nodes: &[PlanNode], links: &[PlanLink]) -> Self {
        let bridges: BTreeSet<usize> =
            (0..nodes.len()).filter(|node| nodes[*node].is_bridge).collect();
        // For each bridge its ports, each with the end at the other side of its link.
        let mut sides: BTreeMap<usize, Vec<(End, End)>> = BTreeMap::new();
        for link in links.iter().filter(|_| !bridges.is_empty()) {
            for (here, there) in [(0, 1), (1, 0)] {
                let end = link.ends[here];
                if bridges.contains(&end.0.index()) {
                    sides.entry(end.0.index()).or_default().push((end, link.ends[there]));
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

/// What is wrong with bridges whose ports have the Ethernet address of somebody else: a bridge
/// keeps what is for itself, and nothing would say why it does not pass.
fn own_stations(nodes: &[PlanNode]) -> BTreeMap<usize, ConfigError> {
    let mut found = BTreeMap::new();
    if !nodes.iter().any(|node| node.is_bridge) {
        return found;
    }
    let mut stations: BTreeMap<Mac, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_bridge) {
        stations.extend(node.config.ports.iter().map(|port| (port.mac, index)));
    }
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.is_bridge) {
        for port in &node.config.ports {
            let Some(other) = stations.get(&port.mac) else { continue };
            let (own, mac, other) = (&port.name, port.mac, &nodes[*other].name);
            let text = format!(
                "the port `{own}` of this bridge has the Ethernet address {mac} of `{other}`, and \
                 a bridge keeps what is for itself; give the port a `mac` of its own"
            );
            found.entry(index).or_insert_with(|| ConfigError::at("hook", text));
        }
    }
    found
}

impl Planner<'_> {
    /// Refuses kernels whose hook nothing would come to: a run would be green for an empty reason.
    /// Of one that a swap put there the reason is kept, since the swap may fit the next scenario.
    pub(super) fn unfit(&mut self, nodes: &mut [PlanNode], links: &[PlanLink]) {
        let mut linked: BTreeMap<usize, BTreeSet<PortIndex>> = BTreeMap::new();
        for (node, port) in links.iter().flat_map(|link| link.ends) {
            linked.entry(node.index()).or_default().insert(port);
        }
        let taken = own_stations(nodes);
        for (index, node) in nodes.iter_mut().enumerate() {
            let Some(recipe) = &node.recipe else { continue };
            let ports = linked.get(&index).into_iter().flatten();
            let ports: Vec<&PortConfig> =
                ports.map(|port| &node.config.ports[usize::from(*port)]).collect();
            let unfit = recipe.unfit(&node.config.ports, &ports);
            let Some(error) = unfit.or_else(|| taken.get(&index).cloned()) else { continue };
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

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, Swap, plan};

    fn planned(nodes: &str, links: &str, swaps: &[&str]) -> Result<Plan, String> {
        let wait = r#""steps": [{ "wait": "1ms" }]"#;
        let text =
            format!(r#"{{ "title": "t", "nodes": {{ {nodes} }}, "links": [{links}], {wait} }}"#);
        let read = scenario::parse(text.as_bytes()).expect("a right file");
        let swaps: Vec<Swap> = swaps.iter().map(|swap| Swap::parse(swap).expect("one")).collect();
        let context = |faults: Vec<scenario::Diagnostic>| {
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        plan(&read, &text, &crate::kinds::standard(), &swaps).map_err(context)
    }

    const CHAIN: &str = r#"{ "ends": ["a", "x:l"] }, { "ends": ["x:r", "y:l"] },
                           { "ends": ["y:r", "b"] }"#;

    #[test]
    fn who_sits_behind_bridges_is_the_peer() {
        let nodes = |kind: &str| {
            format!(
                r#""a": {{ "kind": "tester" }}, "b": {{ "kind": "tester" }},
                   "x": {{ "kind": "{kind}", "hook": "bridge" }},
                   "y": {{ "kind": "{kind}", "hook": "bridge" }}"#
            )
        };
        for kind in ["linux", "guest"] {
            let plan = planned(&nodes(kind), CHAIN, &[]).expect("a plan");
            let peer = |node: usize, port: usize| {
                plan.nodes[node].config.ports[port].peer.clone().expect("a peer").mac
            };
            let mac = |node: usize| plan.nodes[node].config.ports[0].mac;
            assert_eq!((peer(0, 0), peer(1, 0)), (mac(1), mac(0)), "{kind}");
            assert_eq!((peer(2, 0), peer(2, 1)), (mac(0), mac(1)), "{kind}");
            let bare = plan.nodes[2..].iter().flat_map(|node| &node.config.ports);
            assert!(bare.clone().count() == 4 && bare.clone().all(|p| p.addresses.is_empty()));
        }
    }

    #[test]
    fn bridges_in_a_ring_have_each_other_for_peers() {
        let nodes = r#""x": { "kind": "linux", "hook": "bridge" },
                       "y": { "kind": "linux", "hook": "bridge" }"#;
        let links = r#"{ "ends": ["x:l", "y:l"] }, { "ends": ["x:r", "y:r"] }"#;
        let plan = planned(nodes, links, &[]).expect("a plan");
        let peer = plan.nodes[0].config.ports[0].peer.clone().expect("a peer");
        assert_eq!(peer.mac, plan.nodes[1].config.ports[0].mac);
    }

    #[test]
    fn what_nothing_comes_to_is_refused_and_of_a_swap_the_reason_is_kept() {
        let one = r#"{ "ends": ["a", "k"] }"#;
        let two = r#"{ "ends": ["a", "k:l"] }, { "ends": ["k:r", "b"] }"#;
        let nodes = |options: &str| {
            format!(
                r#""a": {{ "kind": "tester" }}, "b": {{ "kind": "tester" }},
                   "k": {{ "kind": {options} }}"#
            )
        };
        for (options, links, word) in [
            (r#""linux", "hook": "forward""#, one, "between two links"),
            (r#""guest", "hook": "forward""#, one, "between two links"),
            (r#""linux", "hook": "forward", "reject": "none""#, one, "between two links"),
            (r#""linux", "hook": "bridge""#, one, "joins two links"),
            (r#""linux", "hook": "ingress""#, "", "no link leads"),
            (r#""linux", "hook": "bridge", "ip": "10.0.0.1""#, two, "none has an address"),
            (
                r#""linux", "hook": "forward", "ports": { "l": { "ip": [] }, "r": { "ip": [] } }"#,
                two,
                "no port of this node has an address",
            ),
            (
                r#""linux", "hook": "bridge",
                   "ports": { "l": { "mac": "02:00:00:00:00:02" }, "r": {} }"#,
                two,
                "has the Ethernet address 02:00:00:00:00:02 of `b`",
            ),
        ] {
            let text = planned(&nodes(options), links, &[]).expect_err(options);
            assert!(text.contains(word), "{options}: {text}");
        }
        for options in [
            r#""linux", "hook": "forward""#,
            r#""guest", "hook": "forward""#,
            r#""linux", "hook": "bridge", "ip": []"#,
        ] {
            assert!(planned(&nodes(options), two, &[]).is_ok(), "{options}");
        }
        let plan = planned(&nodes(r#""sink""#), one, &["k=linux,hook=forward"]).expect("a plan");
        assert!(plan.nodes[2].unfit.as_ref().is_some_and(|why| why.contains("two links")));
        let plan = planned(&nodes(r#""sink""#), one, &["k=linux"]).expect("a plan");
        assert_eq!(plan.nodes[2].unfit, None);
    }

    #[test]
    fn a_kernel_that_rejects_nothing_inherits_no_ports() {
        let nodes = r#""a": { "kind": "tester" }, "k": { "kind": "reject", "reject": "80" }"#;
        let one = r#"{ "ends": ["a", "k"] }"#;
        let given = |swap: &str| {
            let plan = planned(nodes, one, &[swap]).expect("a plan");
            plan.nodes[1].config.options.contains_key("ports")
        };
        assert!(given("k=linux") && given("k=guest"));
        assert!(!given("k=linux,reject=none") && !given("k=linux,reject-ports=81"));
    }
}
