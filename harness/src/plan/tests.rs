use link::Direction;

use super::*;

/// A scenario of these nodes, links and steps.
fn planned(nodes: &str, links: &str, rest: &str) -> Result<Plan, Vec<Diagnostic>> {
    swapped(nodes, links, rest, &[])
}

/// The same with other kinds in the places of nodes.
fn swapped(nodes: &str, links: &str, rest: &str, swaps: &[&str]) -> Result<Plan, Vec<Diagnostic>> {
    let text = format!(r#"{{ "title": "t", "nodes": {{ {nodes} }}, "links": [{links}], {rest} }}"#);
    let scenario = scenario::parse(text.as_bytes()).expect("a right file");
    let swaps: Vec<Swap> = swaps.iter().map(|swap| Swap::parse(swap).expect("a swap")).collect();
    plan(&scenario, &text, &crate::kinds::standard(), &swaps)
}

const WAIT: &str = r#""steps": [{ "wait": "1ms" }]"#;

fn refused(result: Result<Plan, Vec<Diagnostic>>) -> String {
    let faults = result.expect_err("a fault");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_node_says_of_its_first_port_holds_beside_named_ports() {
    let nodes = r#""a": { "kind": "tester", "mac": "02:00:00:00:00:aa", "ip": "10.9.0.1",
                          "ports": { "left": {}, "right": {} } },
                   "b": { "kind": "tester", "ip": "10.9.0.2",
                          "ports": { "p": { "ip": "10.8.0.1" } } }"#;
    let plan = planned(nodes, "", WAIT).expect("a plan");
    let ports = |node: usize| plan.nodes[node].config.ports.as_slice();
    assert_eq!(ports(0)[0].mac.to_string(), "02:00:00:00:00:aa");
    assert_eq!(ports(0)[0].addresses[0].ip.to_string(), "10.9.0.1");
    assert_eq!(ports(0)[1].mac.to_string(), "02:00:00:00:00:02");
    assert_eq!(ports(0)[1].addresses[0].ip.to_string(), "10.0.0.2");
    assert_eq!(ports(1)[0].addresses[0].ip.to_string(), "10.8.0.1");
}

#[test]
fn a_swap_gives_addresses_to_ports_that_the_file_names() {
    let nodes = r#""one": { "kind": "tester", "ports": { "p": { "ip": "10.8.0.1" } } },
                   "two": { "kind": "tester", "ports": { "left": {}, "right": {} } }"#;
    let swaps = ["one=sink,ip=10.9.0.1,mac=02:00:00:00:00:aa", "two=sink,right.ip=10.7.0.1"];
    let plan = swapped(nodes, "", WAIT, &swaps).expect("a plan");
    let ports = |node: usize| plan.nodes[node].config.ports.as_slice();
    assert_eq!(ports(0)[0].mac.to_string(), "02:00:00:00:00:aa");
    assert_eq!(ports(0)[0].addresses[0].ip.to_string(), "10.9.0.1");
    assert_eq!(ports(1)[0].mac.to_string(), "02:00:00:00:00:02");
    assert_eq!(ports(1)[1].addresses[0].ip.to_string(), "10.7.0.1");
    for (swap, expected) in [
        ("two=sink,ip=10.7.0.1", "left, right: write left.mac=… and left.ip=…"),
        ("one=sink,left.ip=10.7.0.1", "there is no port `left`; its ports are p"),
    ] {
        let text = refused(swapped(nodes, "", WAIT, &[swap]));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_port_tells_the_direction_where_both_ends_are_of_one_node() {
    let nodes = r#""a": { "kind": "tester", "ports": { "left": {}, "right": {} } }"#;
    let links = r#"{ "name": "loop", "ends": ["a:left", "a:right"] }"#;
    for (toward, expected) in [("a:right", Direction::AToB), ("a:left", Direction::BToA)] {
        let steps = format!(
            r#""steps": [{{ "link": "loop", "toward": "{toward}", "set": {{ "up": false }} }}]"#
        );
        let plan = planned(nodes, links, &steps).expect("a plan");
        let Action::Link(step) = &plan.steps[0].action else { panic!("a link step") };
        assert_eq!(step.direction, Some(expected), "{toward}");
    }
}

#[test]
fn more_ports_than_can_be_numbered_are_refused() {
    let ports: Vec<String> = (0..1000).map(|port| format!(r#""p{port}": {{}}"#)).collect();
    let node = |node: usize| {
        format!(r#""n{node}": {{ "kind": "sink", "ports": {{ {} }} }}"#, ports.join(","))
    };
    let nodes: Vec<String> = (0..65).map(node).collect();
    assert!(planned(&nodes.join(","), "", WAIT).is_ok());
    let nodes: Vec<String> = (0..66).map(node).collect();
    let text = refused(planned(&nodes.join(","), "", WAIT));
    assert!(text.contains("need up to 66000 ports (a run has at most 65000"), "{text}");
}

#[test]
fn wires_checks_and_masks_that_mean_nothing_are_refused() {
    let nodes = r#""a": { "kind": "tester" }"#;
    for (key, expected) in [
        (
            r#""not-on": { "smi": "why" }"#,
            "no wire is called `smi` (the wires are sim, veth, nic, linux, guest, other)",
        ),
        (r#""finds": ["rst-akc"]"#, "no check is called `rst-akc` (did you mean `rst-ack`?"),
        (
            r#""masks": [{ "field": "ip4#2.id", "reason": "why" }]"#,
            "a mask names no layer by its number (write `ip4.id`",
        ),
        (
            r#""masks": [{ "field": "ip4.id", "from": "a:eth9", "reason": "why" }]"#,
            "a has no port `eth9` (its ports are eth0)",
        ),
        (
            r#""masks": [{ "field": "ip4.id", "kind": "linus", "reason": "why" }]"#,
            "no kind of node is called `linus` (did you mean `linux`?)",
        ),
    ] {
        let text = refused(planned(nodes, "", &format!("{WAIT}, {key}")));
        assert!(text.contains(expected), "{text}");
    }
}
