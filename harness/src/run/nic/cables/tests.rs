//! What words mean, and which scenario fits on which cables: nothing is sent.

use super::*;
use clap::Parser;

/// The settings of these words, with interfaces that nobody looked at.
fn cables(words: &str) -> Result<Cables> {
    let words = format!("wireproof run --on nic {words}");
    let cli = crate::cli::Cli::try_parse_from(words.split_whitespace())?;
    let crate::cli::Command::Run(run) = cli.command else { bail!("another command") };
    Cables::read(&run.nic.options(), run.any_host)
}

/// The plan of a client, a router and a server, of these kinds; or of a client and a server alone.
fn plan(kinds: [&str; 3], steps: &str) -> Plan {
    let [client, router, server] = kinds;
    let middle =
        format!(r#""router": {{ "kind": "{router}", "ports": {{ "l": {{}}, "r": {{}} }} }},"#);
    let (router, links) = match router {
        "" => ("", r#"{ "ends": ["client", "server"] }"#),
        _ => (
            middle.as_str(),
            r#"{ "ends": ["client", "router:l"] }, { "ends": ["router:r", "server"] }"#,
        ),
    };
    let text = format!(
        r#"{{ "title": "t", "nodes": {{ "client": {{ "kind": "{client}" }}, {router}
             "server": {{ "kind": "{server}" }} }}, "links": [{links}], "steps": [{steps}] }}"#
    );
    let scenario = scenario::parse(text.as_bytes()).expect("a right file");
    crate::plan::plan(&scenario, &text, &crate::kinds::standard(), &[]).expect("a plan")
}

const WAIT: &str = r#"{ "wait": "1ms" }"#;

fn fit(words: &str, plan: &Plan) -> Result<Fit, String> {
    cables(words).expect("right words").fit(plan)
}

/// Who is ours, and which interface each of our ports is on.
fn fitted(words: &str, plan: &Plan) -> (Vec<bool>, Vec<(u16, String)>) {
    let fit = fit(words, plan).expect("it fits");
    let cables = fit.cables.into_iter().map(|cable| (cable.ours.0, cable.interface)).collect();
    (fit.ours, cables)
}

#[test]
fn whoever_sends_is_ours_where_nothing_is_said() {
    let two = plan(["tester", "", "reject"], WAIT);
    assert_eq!(fitted("--iface a", &two), (vec![true, false], vec![(0, "a".into())]));
    assert_eq!(
        fitted("--iface server=a --node server", &two),
        (vec![false, true], vec![(1, "a".into())])
    );
    let through = plan(["tester", "firewall", "tester"], WAIT);
    let (ours, cables) = fitted("--iface router:r=b --iface client=a", &through);
    assert_eq!(ours, [true, false, true]);
    assert_eq!(cables, [(0, "a".to_owned()), (2, "b".to_owned())]);
}

#[test]
fn what_does_not_fit_is_told_with_its_reason() {
    let two = plan(["tester", "", "reject"], WAIT);
    let testers = plan(["tester", "", "tester"], WAIT);
    let through = plan(["tester", "firewall", "tester"], WAIT);
    let send = plan(["tester", "", "tester"], r#"{ "node": "server", "send": { "tcp": {} } }"#);
    for (words, plan, reason) in [
        (
            "--iface a",
            &testers,
            "which nodes are ours? --node names them; there are client, server",
        ),
        ("--iface a --node client,server", &testers, "none is left for the device"),
        ("--iface a --node x", &two, "no node `x`; its nodes are client, server"),
        ("--iface a", &through, "no interface is plugged into the link client-router:l"),
        ("--iface client=a --iface router:x=b", &through, "into the link router:r-server"),
        ("--iface a --iface b", &two, "no link is left for --iface b"),
        (
            "--iface a --node router,client",
            &through,
            "both ends of the link client-router:l are ours",
        ),
        (
            "--iface a --node client",
            &through,
            "both ends of the link router:r-server are the device",
        ),
        (
            "--iface a --node client",
            &send,
            "step 1 (line 2) server sends a packet, and a device does",
        ),
    ] {
        let text = fit(words, plan).expect_err(words);
        assert!(text.contains(reason), "{words}: {text}");
    }
}

#[test]
fn what_the_scenario_asks_of_the_device_is_no_background_traffic() {
    let steps = |from: &str, layer: &str| {
        format!(r#"{{ "from": "{from}", "for": "1ms", "expect-nothing": {{ "{layer}": {{}} }} }}"#)
    };
    for (from, layer, named) in [
        ("server", "arp", vec![Proto::Arp]),
        ("client", "arp", vec![]),
        ("server", "tcp", vec![Proto::Tcp]),
    ] {
        let plan = plan(["tester", "", "reject"], &steps(from, layer));
        assert_eq!(fit("--iface a", &plan).expect("it fits").named, named, "{from} {layer}");
    }
}

#[test]
fn an_address_that_the_host_has_is_refused() {
    let plan = plan(["tester", "", "reject"], WAIT);
    let mut cables = cables("--iface a").expect("right words");
    let mut taken = |ip: &str| {
        cables.host.addresses = vec![(ip.parse().expect("an address"), "eth0".to_owned())];
        cables.fit(&plan)
    };
    let text = taken("10.0.0.1").expect_err("our node has it");
    assert!(
        text.contains("client has the address 10.0.0.1, and so has this host on eth0"),
        "{text}"
    );
    assert!(taken("10.0.0.2").is_ok(), "the device's own");
}

#[test]
fn frames_fit_the_interface() {
    let step = |length: usize| {
        format!(r#"{{ "node": "client", "send": {{ "raw": "{}" }} }}"#, "00".repeat(length))
    };
    let try_length = |length: usize| {
        let mut cables = cables("--iface a").expect("right words");
        cables.host.interfaces = vec![veth::Interface { name: "a".to_owned(), mtu: 1500 }];
        cables.fit(&plan(["tester", "", "sink"], &step(length)))
    };
    assert!(try_length(14).is_ok() && try_length(1514).is_ok());
    assert!(try_length(13).expect_err("short").contains("13 bytes"));
    let text = try_length(1515).expect_err("long");
    assert!(text.contains("`ip link set a mtu 1501`"), "{text}");
}

#[test]
fn a_run_that_was_ended_is_the_last() {
    let plan = plan(["tester", "", "sink"], WAIT);
    let cables = cables("--iface a").expect("right words");
    cables.clone().end();
    assert!(cables.fit(&plan).expect_err("ended").contains("ended"));
}

#[test]
fn words_are_repeated_as_they_were_given() {
    let words = "--iface client=a --iface b --node x,y --address x=ip=10.0.0.9 --without ipv6 \
                 --settle 1.5s --patience 20ms --arp --i-know";
    let cli = format!("wireproof run --on nic {words}");
    let cli = crate::cli::Cli::try_parse_from(cli.split_whitespace()).expect("right words");
    let crate::cli::Command::Run(run) = cli.command else { panic!("another command") };
    let words: Vec<&str> = words.split_whitespace().collect();
    assert_eq!(run.nic.flags().join(" "), words.join(" "));
}

/// The plan with the device in its place, and who got addresses; or why not.
fn placed(words: &str, mut plan: Plan) -> Result<(Plan, Vec<String>), String> {
    let given = cables(words).expect("right words").address(&mut plan)?;
    Ok((plan, given))
}

#[test]
fn the_device_is_measured_by_rules_and_has_a_role_of_its_own() {
    use nodes::Measure;
    let of = |words: &str, kind: &str| {
        let (plan, given) = placed(words, plan(["tester", "", kind], WAIT)).expect("it fits");
        assert_eq!(plan.nodes[0].standing, crate::plan::Standing::default(), "ours is ours");
        assert_eq!(plan.nodes[0].role, Role::Sender);
        assert_eq!(plan.nodes[1].standing.measure, Measure::Rules);
        (plan.nodes[1].role.clone(), given)
    };
    let closed = Role::ClosedPort { ports: wire::PortSet::all() };
    assert_eq!(of("--iface a --node client", "sink").0, Role::Other);
    assert_eq!(of("--iface a --node client", "tester").0, Role::Other);
    assert_eq!(of("--iface a", "md5-receiver").0, Role::Other);
    assert_eq!(of("--iface a", "reject").0, closed);
    // A role is no address, with which the golden could not be compared.
    let host = Role::Host { open: wire::PortSet::one(80) };
    let words = "--iface a --address server=role=host,open=80";
    assert_eq!(of(words, "reject"), (host, vec![]));
    let words = "--iface a --address device=role=silent,ip=10.0.0.9 --address us=ip=10.0.0.8";
    let both = vec!["server".to_owned(), "client".to_owned()];
    assert_eq!(of(words, "reject"), (Role::Silent, both));
}

#[test]
fn a_role_is_given_to_the_device_alone() {
    for name in ["us", "client"] {
        let words = format!("--iface a --address {name}=role=silent");
        let text = placed(&words, plan(["tester", "", "reject"], WAIT)).expect_err("ours");
        assert!(text.contains("`client` is ours, and a role is what the device is"), "{text}");
    }
}

#[test]
fn a_device_that_listens_is_not_asked_for_a_closed_port() {
    let asks = |expected: &str| {
        format!(
            r#"{{ "node": "client", "send": {{ "tcp": {{ "flags": "S" }} }} }},
               {{ "from": "server", "within": "1ms",
                  "expect": {{ "tcp": {{ "flags": "{expected}" }} }} }}"#
        )
    };
    let ack = r#"{ "node": "client", "send": { "tcp": { "flags": "A", "ack": 5 } } },
                 { "from": "server", "within": "1ms", "expect": { "tcp": { "flags": "R" } } }"#;
    for (words, steps, refused) in [
        ("role=host,open=80", asks("RA"), true),
        ("role=host,open=22", asks("RA"), false),
        ("role=closed", asks("RA"), false),
        // An open port is what is asked for, and what a listening one answers like a closed one.
        ("role=host,open=80", asks("SA"), false),
        ("role=host,open=80", ack.to_owned(), false),
    ] {
        let given = format!("--iface a --address device={words}");
        let (plan, _) = placed(&given, plan(["tester", "", "reject"], &steps)).expect("it fits");
        let text = fit(&given, &plan).err().unwrap_or_default();
        let word = "--address says that server listens on TCP port 80, and the scenario asks";
        assert_eq!(text.contains(word), refused, "{words}, {steps}: {text}");
    }
}

#[test]
fn a_device_that_is_several_nodes_has_no_name_of_its_own() {
    let through = || plan(["tester", "firewall", "tester"], WAIT);
    let words = "--iface client=a --iface server=b --address us=ip=10.0.0.9";
    let text = placed(words, through()).expect_err("two are ours");
    assert!(text.contains("`us` is no single node here; its nodes are client, router"), "{text}");
    let words = "--iface client=a --iface server=b --address device=role=forwarder,reject=80";
    let (plan, _) = placed(words, through()).expect("one is the device");
    assert_eq!(
        plan.nodes[1].role,
        Role::Forwarder { reject: wire::PortSet::one(80), may_reject: wire::PortSet::none() }
    );
}

#[test]
fn a_scenario_with_ip6_is_seen_in_what_is_sent_and_in_what_is_written() {
    let waits = |plan: &Plan| {
        let cables = cables("--iface a --without ipv6").expect("right words");
        let fit = cables.fit(plan).expect("it fits");
        cables.has_ip6(plan, &fit).expect("nothing is asked")
    };
    let send = |packet: &str| format!(r#"{{ "node": "client", "send": {{ {packet} }} }}"#);
    let behind = |packet: &str| {
        let never = r#"{ "from": "server", "within": "1ms", "expect": { "udp": {} } }"#;
        format!("{never}, {}", send(packet))
    };
    for (steps, needs) in [
        (send(r#""tcp": {}"#), false),
        (send(r#""ip6": {}, "tcp": {}"#), true),
        // Behind a step that the rehearsal does not come to.
        (behind(r#""ip6": {}, "tcp": {}"#), true),
        (behind(r#""tcp": {}"#), false),
        (send(r#""stack": [{ "ip4": {} }, { "ip4": {} }, { "udp": {} }]"#), false),
    ] {
        let plan = plan(["tester", "", "reject"], &steps);
        let text = waits(&plan);
        let word = "it has no IPv6: --without ipv6 says so";
        assert_eq!(text.err().as_deref(), needs.then_some(word), "{steps}");
    }
}

#[test]
fn a_step_that_names_an_address_which_is_gone_is_not_run() {
    let words = "--iface a --address device=ip=10.0.9.9 --address us=ip=10.0.9.8";
    let step = |what: &str| format!(r#"{{ "node": "client", "send": {{ {what}, "tcp": {{}} }} }}"#);
    let expect =
        |what: &str| format!(r#"{{ "from": "server", "within": "1ms", "expect": {{ {what} }} }}"#);
    for (steps, gone) in [
        (
            step(r#""ip4": { "dst": "10.0.0.2" }"#),
            Some("names 10.0.0.2, and --address gives server"),
        ),
        (
            expect(r#""ip4": { "dst": "10.0.0.1" }"#),
            Some("names 10.0.0.1, and --address gives client"),
        ),
        // Somebody else's, and an Ethernet address that stays.
        (step(r#""ip4": { "dst": "10.0.0.99" }"#), None),
        (expect(r#""eth": { "src": "02:00:00:00:00:02" }"#), None),
    ] {
        let placed = placed(words, plan(["tester", "", "reject"], &steps));
        match (placed, gone) {
            (Ok(_), None) => {}
            (Err(text), Some(word)) => assert!(text.contains(word), "{text}"),
            (placed, _) => panic!("{steps}: {:?}", placed.map(|(_, given)| given)),
        }
    }
}

#[test]
fn an_address_given_without_ip6_takes_it_away() {
    let step = r#"{ "node": "client", "send": { "ip6": { "src": "fd00::7" }, "tcp": {} } }"#;
    let (plan, _) =
        placed("--iface a --address us=ip=10.0.9.8", plan(["tester", "", "reject"], step))
            .expect("right words");
    let cables = cables("--iface a --address us=ip=10.0.9.8").expect("right words");
    let fit = cables.fit(&plan).expect("it fits");
    let text = cables.has_ip6(&plan, &fit).expect("nothing is asked").expect_err("none is left");
    assert_eq!(text, "it has no IPv6: --address gives client no IPv6 address");
}
