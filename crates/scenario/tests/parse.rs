//! Right files, and what becomes of them.

use wire::{Chance, Duration, Proto, TcpOption, Value, fields};
use wireproof_scenario as scenario;

use scenario::{Action, Bindings, Scalar, Scenario, ValueTemplate, When, parse};

const EVERYTHING: &str = include_str!("good/everything.json");
const SMALL: &str = include_str!("good/fin-then-rst.json");

fn read(text: &str) -> Scenario {
    parse(text.as_bytes()).unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| fault.in_file("test")).collect();
        panic!("{}", lines.join("\n"))
    })
}

#[test]
fn a_small_file() {
    let scenario = read(SMALL);
    assert_eq!(scenario.title.value, "A bare FIN meets a REJECT rule");
    assert_eq!(scenario.nodes.len(), 2);
    assert_eq!(scenario.nodes[1].options[0].name.value, "profile");
    assert_eq!(scenario.nodes[0].addresses.as_ref().expect("addresses")[0].value.prefix, 24);
    assert_eq!(scenario.links[0].ends[1].index, 1);
    let Action::Send { when: When::At(at), from, packet } = &scenario.steps[0].action else {
        panic!("{:?}", scenario.steps[0])
    };
    assert_eq!((at.value, from.index), (Duration::ZERO, 0));
    assert_eq!(&SMALL[packet.span.range()], r#"{ "tcp": { "src": 4000, "dst": 80 } }"#);
    let built = packet.resolve(&Bindings::new()).unwrap();
    assert_eq!(built.layers[0].get(&fields::tcp::DST), Some(&Value::Num(80)));
    let Action::Expect { due, pattern, .. } = &scenario.steps[1].action else { panic!() };
    assert_eq!(*due, scenario::Due::Within(Duration::from_millis(5)));
    let pattern = pattern.resolve(&Bindings::new()).unwrap();
    assert_eq!(pattern.layers[0].fields[2], (&fields::tcp::FLAGS, Value::Num(0x14)));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let scenario = read(&format!("\u{feff}{SMALL}"));
    assert_eq!(scenario.steps.len(), 2);
}

#[test]
fn every_place_is_where_the_word_stands() {
    let scenario = read(EVERYTHING);
    let at = |span: scenario::Span| &EVERYTHING[span.range()];
    for node in &scenario.nodes {
        assert_eq!(at(node.name.span), format!("\"{}\"", node.name.value));
        assert_eq!(at(node.kind.span), format!("\"{}\"", node.kind.value));
        for option in &node.options {
            assert_eq!(at(option.name.span), format!("\"{}\"", option.name.value));
        }
    }
    for end in scenario.links.iter().flat_map(|link| &link.ends) {
        assert_eq!(at(end.node.span), format!("\"{end}\""));
        assert_eq!(scenario.nodes[end.index].name.value, end.node.value);
    }
    assert_eq!(at(scenario.finds[0].span), "\"rst-seq\"");
    let masks: Vec<String> = scenario
        .masks
        .iter()
        .map(|mask| {
            let kind = mask.kind.as_ref().map_or("any", |kind| kind.as_str());
            format!("{} of {kind}: {}", at(mask.field.span), mask.reason.value)
        })
        .collect();
    assert_eq!(
        masks,
        [
            "\"ip4.id\" of y: drawn at random",
            "\"ip4.checksum\" of y: drawn at random",
            "\"ip4.id\" of any: counted by the host"
        ]
    );
    assert_eq!(at(scenario.not_on[0].wire.span), "\"veth\"");
}

#[test]
fn links_and_what_refers_to_them() {
    let scenario = read(EVERYTHING);
    let west = &scenario.links[0].settings;
    assert_eq!(west.loss, Some(Chance::Rate(10_000)));
    assert_eq!(west.duplicate, Some(Chance::Nth(vec![1, 3])));
    assert_eq!(west.reorder, Some(Chance::Every(5)));
    assert_eq!(west.rate_bps, Some(Some(10_000_000)));
    assert_eq!(west.reorder_delay, Some(Some(Duration::from_micros(1500))));
    assert_eq!(scenario.links[1].settings.mtu, Some(None));
    let changed = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::SetLink { index, toward, .. } => Some((*index, toward.as_ref().map(|t| t.index))),
        _ => None,
    });
    assert_eq!(changed.collect::<Vec<_>>(), [(0, Some(1)), (1, None)]);
}

#[test]
fn layers_options_and_payloads() {
    let scenario = read(EVERYTHING);
    let Action::Send { packet, .. } = &scenario.steps[0].action else { panic!() };
    let packet = packet.resolve(&Bindings::new()).unwrap();
    let protos: Vec<Proto> = packet.layers.iter().map(|layer| layer.proto).collect();
    use Proto::{Eth, Ip4, Payload, Tcp, Vlan};
    assert_eq!(protos, [Eth, Vlan, Vlan, Ip4, Tcp, Payload]);
    assert_eq!(packet.layers[1].get(&fields::vlan::DEI), Some(&Value::Num(1)));
    let options = packet.layers[4].tcp_options.as_ref().unwrap();
    assert_eq!(
        options[3..6],
        [TcpOption::Mss(1460), TcpOption::WindowScale(7), TcpOption::Timestamps(1, 2)]
    );
    assert_eq!(options[8], TcpOption::UserTimeout { minutes: true, timeout: 3 });
    assert_eq!(options[10], TcpOption::Raw(vec![0xff, 0]));
    let payload: Vec<u8> = (1..=16).collect();
    assert_eq!(packet.layers[5].get(&fields::payload::DATA), Some(&Value::Bytes(payload)));
    assert_eq!((packet.pad, packet.truncate, packet.fragment), (Some(60), Some(1000), Some(8)));
    assert_eq!(scenario.steps[0].notes().as_deref(), Some("the packet\ninside\ninner tag"));
}

#[test]
fn expressions_are_computed_at_the_fields_width() {
    let scenario = read(EVERYTHING);
    let Action::Send { packet, .. } = &scenario.steps[2].action else { panic!() };
    let bindings = Bindings::from([("isn".into(), 0xffff_ffff), ("tag".into(), 0x1_0005)]);
    let tcp = &packet.resolve(&bindings).unwrap().layers[0];
    assert_eq!(tcp.get(&fields::tcp::SEQ), Some(&Value::Num(0)));
    assert_eq!(tcp.get(&fields::tcp::ACK), Some(&Value::Num(0xffff_ffd0)));
    let options = tcp.tcp_options.as_ref().unwrap();
    assert_eq!(options[1], TcpOption::Sack(vec![(0xffff_ffff, 0)]));
    assert_eq!(options[2], TcpOption::Mss(5));
    let error = packet.resolve(&Bindings::new()).unwrap_err();
    assert_eq!(error.to_string(), "unbound name `$isn`; bound here are: none");
    let seq = &packet.layers[0].fields[0];
    assert!(matches!(&seq.value, ValueTemplate::Expr(expr) if expr.to_string() == "$isn + 1"));
}

#[test]
fn patterns_say_what_must_and_must_not_be_there() {
    let scenario = read(EVERYTHING);
    let patterns = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Expect { pattern, .. } | Action::ExpectNothing { pattern, .. } => Some(pattern),
        _ => None,
    });
    let patterns: Vec<_> = patterns.collect();
    assert!(patterns[1].is_empty());
    assert_eq!(patterns[2].absent, [Proto::Udp]);
    assert_eq!(patterns[2].length, Some(60));
    let resolved = patterns[3].resolve(&Bindings::from([("isn".into(), 9)])).unwrap();
    let layers: Vec<_> = resolved.layers.iter().map(|l| (l.proto, l.occurrence)).collect();
    assert_eq!(layers, [(Proto::Vlan, 0), (Proto::Vlan, 1), (Proto::Tcp, 0), (Proto::Icmp4, 0)]);
    assert_eq!(resolved.absent, [Proto::Payload]);
    let quote = resolved.layers[3].quote.as_ref().unwrap();
    assert_eq!(quote.layers[0].fields, [(&fields::tcp::SEQ, Value::Num(9))]);
    assert_eq!(patterns[4].payload, Some(vec![0]));
    assert_eq!(patterns[5].layers[1].occurrence, 1);
    assert_eq!(patterns[5].layers[2].proto, Proto::Payload);
}

#[test]
fn ports_are_a_nodes_own_or_an_option_and_a_port_may_have_no_address() {
    let node = |node: &str| {
        let steps = r#""steps": [{ "wait": "1ms" }]"#;
        let text = format!(r#"{{ "title": "t", "nodes": {{ "n": {node} }}, {steps} }}"#);
        read(&text).nodes.remove(0)
    };
    let named = node(r#"{ "kind": "k", "ip": [], "ports": { "a": { "ip": [] }, "b": {} } }"#);
    assert_eq!((named.ports.len(), named.options.len()), (2, 0));
    assert_eq!(named.addresses, Some(Vec::new()));
    assert_eq!(named.ports[0].addresses, Some(Vec::new()));
    assert_eq!(named.ports[1].addresses, None);
    for (written, value) in [
        (r#""80""#, Scalar::Text("80".into())),
        ("80", Scalar::Num(80)),
        (r#"[80, "90-95"]"#, Scalar::List(vec![Scalar::Num(80), Scalar::Text("90-95".into())])),
    ] {
        let option = node(&format!(r#"{{ "kind": "k", "ports": {written} }}"#));
        assert!(option.ports.is_empty() && option.addresses.is_none());
        assert_eq!(option.options[0].name.value, "ports");
        assert_eq!(option.options[0].value.value, value);
    }
}

#[test]
fn arguments_may_be_computed_and_options_never_are() {
    let scenario = read(EVERYTHING);
    let args = scenario.steps.iter().find_map(|step| match &step.action {
        Action::Do { args, .. } if !args.is_empty() => Some(args),
        _ => None,
    });
    let bindings = Bindings::from([("isn".into(), 3)]);
    let args = args.unwrap().iter().map(|arg| arg.value.resolve(&bindings).unwrap());
    let list = Scalar::List(vec![Scalar::Num(1), Scalar::Bool(true), Scalar::Text("x".into())]);
    let wanted = [Scalar::Text("00".into()), Scalar::Num(3), Scalar::Text("5".into()), list];
    assert_eq!(args.collect::<Vec<_>>(), wanted);
}
