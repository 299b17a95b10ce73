//! `check`, `explain`, and what `inject` says of a node: findings, silences, exit codes, copies.

use std::collections::BTreeSet;

use wireproof::nodes::faulty::FAULTS;
use wireproof::wire::{FrameId, pcapng};

use crate::support::{Place, page, project};

const FIN: &str = "golden-pcaps/first/fin-meets-closed-port.pcapng";

/// A folder with the first scenario's golden, as it is and with the reset's ack one too large.
fn place() -> Place {
    let place = Place::made();
    let to = "faulty,ip=10.0.0.2,mac=02:00:00:00:00:02,fault=ack+1";
    place.run(&["run", "-w", "run.pcapng"]).ends_with(0);
    place.run(&["inject", "run.pcapng", "--to", to, "-w", "wrong.pcapng"]).ends_with(1);
    place
}

#[test]
fn a_capture_is_judged_by_roles_guessed_and_given() {
    let place = place();
    let mut said = String::new();
    for (code, words) in [
        (0, &["check", FIN][..]),
        (0, &["check", FIN, "--host", "10.0.0.2,closed", "--whole"]),
        (1, &["check", FIN, "--host", "10.0.0.2,silent", "--whole"]),
        (0, &["check", "wrong.pcapng"]),
        (0, &["check", "wrong.pcapng", "--host", "10.0.0.2,closed"]),
        (1, &["check", "wrong.pcapng", "--host", "10.0.0.2,closed", "--whole"]),
        (1, &["check", FIN, "wrong.pcapng", "--host", "10.0.0.2,silent", "--whole"]),
        (2, &["check", FIN, "--host", "10.0.0.9,closed"]),
        (2, &["check", FIN, "--host", "10.0.0.2,open"]),
        (2, &["check", "absent.pcapng"]),
        (2, &["check", FIN, "absent.pcapng"]),
        (2, &["check", FIN, "wrong.pcapng", "-w", "copy.pcapng"]),
        (2, &["check", "-", "-w", "copy.pcapng"]),
    ] {
        let told = place.run(words).ends_with(code);
        said += &format!("$ wireproof {}\n{}\n", words.join(" "), place.plain(&told));
    }
    page("check", &said);
    let piped = place.feed(&["check", "-"], &place.read(FIN)).ends_with(0);
    assert!(piped.out().ends_with("-: 2 frames, 2 hosts, 0 MUST and 0 SHOULD findings\n"));
}

#[test]
fn the_forms_for_machines_say_the_same() {
    let place = place();
    let words = ["check", FIN, "--host", "10.0.0.2,silent", "--whole", "--format"];
    let json = place.run(&[&words[..], &["json"]].concat()).ends_with(1);
    let json: serde_json::Value = serde_json::from_str(json.out()).expect("JSON");
    assert_eq!(json["files"][0]["findings"][0]["check"], "rst-unprovoked");
    assert_eq!(json["files"][0]["findings"][0]["frame"], 2);
    assert_eq!(json["files"][0]["hosts"][0]["role"], "silent, as given");
    assert_eq!((&json["summary"]["must"], &json["summary"]["exit_code"]), (&1.into(), &1.into()));
    let junit = place.run(&[&words[..], &["junit"]].concat()).ends_with(1);
    let failed = "<testcase name=\"rst-unprovoked\">\n            <failure";
    assert!(junit.out().contains(failed), "{}", junit.out());
    assert_eq!(junit.out().matches("<failure").count(), 1);
}

#[test]
fn a_copy_has_the_findings_as_comments_and_every_byte_as_it_was() {
    let place = place();
    let with = ["--host", "10.0.0.2,silent", "--whole"];
    place.run(&[&["check", "run.pcapng", "-w", "copy.pcapng"], &with[..]].concat()).ends_with(1);
    let before = pcapng::read(&place.read("run.pcapng")).expect("a capture");
    let after = pcapng::read(&place.read("copy.pcapng")).expect("a capture");
    let frames = |file: &pcapng::File| -> Vec<(Vec<u8>, u64)> {
        let frames = file.capture.iter();
        frames.map(|(_, record, frame)| (frame.to_vec(), record.time.as_nanos())).collect()
    };
    assert_eq!(frames(&before), frames(&after));
    assert_eq!(before.capture.interfaces(), after.capture.interfaces());
    let comments = &after.comments[&FrameId(1)];
    assert_eq!(comments[..1], before.comments[&FrameId(1)][..1], "its own comment is kept");
    let last = comments.last().expect("a comment");
    assert!(last.starts_with("MUST rst-unprovoked (RFC 9293 3.5.2, 3.10.7.1): "), "{last}");
}

#[test]
fn checks_and_requirements_are_explained() {
    let place = Place::empty();
    let mut said = String::new();
    for (code, id) in [(0, "rst-ack"), (0, "MUST-3"), (0, "must-5"), (2, "rst-akc"), (2, "syn-on")]
    {
        let told = place.run(&["explain", id]).ends_with(code);
        said += &format!("$ wireproof explain {id}\n{}\n", place.plain(&told));
    }
    let checks = place.run(&["checks"]).ends_with(2);
    said += &format!("$ wireproof checks\n{}", place.plain(&checks));
    page("explain", &said);
    let root = project().display().to_string();
    let told = place.run(&["explain", "rst-ack", "--root", &root]).ends_with(0);
    assert!(told.out().contains("seen biting  negative/rst-ack\n"), "{}", told.out());
    let list = std::fs::read_to_string(project().join("docs/requirements.tsv")).expect("the list");
    for line in list.lines().skip(1) {
        let id = line.split('\t').next().expect("an id");
        let told = wireproof::commands::explain::in_words(id, &[]).expect("an explanation");
        assert!(told.contains("\ncheck        "), "{told}");
    }
}

/// What is sent to a node with the faults, as a scenario to a sink.
const TRIGGERS: &str = r#"{
  "title": "Triggers", "cites": ["U9293-RSTGEN-1"],
  "nodes": { "a": { "kind": "tester", "mac": "02:00:00:00:00:01", "ip": ["10.0.0.1", "fd00::1"] },
             "b": { "kind": "sink", "mac": "02:00:00:00:00:02", "ip": ["10.0.0.2", "fd00::2"] } },
  "links": [{ "ends": ["a", "b"] }],
  "steps": [
    { "node": "a", "send": { "tcp": { "src": 4000, "dst": 80, "seq": 1, "flags": "S" } } },
    { "node": "a", "send": { "tcp": { "src": 4001, "dst": 80, "ack": 9, "flags": "A" } } },
    { "node": "a", "send": { "tcp": { "src": 4002, "dst": 80, "seq": 1, "flags": "R" } } },
    { "node": "a", "send": { "tcp": { "src": 4003, "dst": 80, "flags": "S",
      "checksum": "0x1234" } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.0.255" },
      "tcp": { "src": 4004, "dst": 80, "flags": "S" } } },
    { "node": "a", "send": { "eth": { "dst": "ff:ff:ff:ff:ff:ff" },
      "tcp": { "src": 4005, "dst": 80, "flags": "S" } } },
    { "node": "a", "send": { "udp": { "src": 4006, "dst": 80 } } },
    { "node": "a", "send": { "ip6": {}, "tcp": { "src": 4007, "dst": 80, "flags": "S" } } },
    { "node": "a", "send": { "arp": {} } },
    { "node": "a", "send": { "vlan": { "id": 10 },
      "tcp": { "src": 4008, "dst": 80, "flags": "S" } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9", "ttl": 1 }, "udp": { "src": 1, "dst": 9 },
      "payload": { "count": 100 } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9", "ttl": 2 },
      "udp": { "src": 1, "dst": 9 } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9" }, "udp": { "src": 1, "dst": 80 },
      "payload": { "zero": 12 } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9", "id": 7 }, "udp": { "src": 1, "dst": 80 },
      "payload": { "count": 40 }, "fragment": 16 } },
    { "node": "a", "send": { "eth": { "dst": "ff:ff:ff:ff:ff:ff" }, "ip4": { "dst": "10.0.1.9" },
      "tcp": { "src": 4009, "dst": 80, "flags": "S" } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9", "ttl": 9 },
      "udp": { "src": 1, "dst": 9 } } },
    { "node": "a", "send": { "ip4": { "dst": "10.0.1.9", "ttl": 9 },
      "tcp": { "src": 1, "dst": 9, "flags": "S" } } },
    { "node": "a", "send": { "ip6": { "dst": "fd00:0:0:1::9", "hop-limit": 9 },
      "fragment-header": { "offset": 0, "more": 0, "id": 7 }, "udp": { "src": 1, "dst": 9 } } }
  ] }"#;

/// A responder, a router with its neighbours, and a host that answers ARP.
const NODES: [&str; 3] = [
    "of=reject,mac=02:00:00:00:00:02,ip=10.0.0.2,ip=fd00::2",
    "of=firewall,reject=80,eth0.mac=02:00:00:00:00:02,eth0.ip=10.0.0.2,eth0.ip=fd00::2,\
     eth1.mac=02:00:00:00:00:12,eth1.ip=10.0.1.1,eth1.ip=fd00:0:0:1::1,\
     eth1.neighbour=10.0.1.9/02:00:00:00:00:19",
    "of=tester,arp=true,mac=02:00:00:00:00:02,ip=10.0.0.2",
];

/// The checks that found something in a node; the kernel's own rule, which `reject` follows, does
/// answer what comes in a broadcast frame.
fn found<'a>(of: &'a str, told: &'a str) -> impl Iterator<Item = &'a str> {
    let ids = told.lines().filter_map(|line| {
        line.strip_prefix("  MUST ").or(line.strip_prefix("  SHOULD "))?.split(' ').next()
    });
    ids.filter(move |id| !(of.starts_with("reject") && *id == "rst-on-link-broadcast"))
}

#[test]
fn every_planted_fault_that_a_rule_covers_is_found() {
    let place = Place::empty();
    place.write("scenarios/triggers.json", TRIGGERS);
    place.write("golden-pcaps/none", "");
    place.run(&["run", "triggers", "--no-golden", "-w", "in.pcapng"]).ends_with(0);
    let table = std::fs::read_to_string(project().join("docs/faults.md")).expect("the table");
    let mut wrong = Vec::new();
    for node in NODES {
        let (of, rest) = node[3..].split_once(',').expect("a kind and its options");
        let told = place.run(&["inject", "in.pcapng", "--to", &format!("{of},{rest}")]);
        assert_ne!(told.code, Some(2), "{}", told.shown());
        if found(of, told.out()).next().is_some() {
            wrong.push(format!("{of} without a fault: {}", told.shown()));
        }
    }
    for fault in FAULTS {
        let row = format!("| `{}` |", fault.name);
        let row = table.lines().find(|line| line.starts_with(&row)).expect("its row");
        let covered = !row.contains("no rule forbids it");
        let mut all = BTreeSet::new();
        for node in NODES {
            let to = format!("faulty,fault={},{node}", fault.name);
            let told = place.run(&["inject", "in.pcapng", "--to", &to]);
            assert_ne!(told.code, Some(2), "{}", told.shown());
            all.extend(found(&node[3..], told.out()).map(str::to_owned));
        }
        let named = all.iter().any(|id| row.contains(&format!("`{id}`")));
        if covered != named || (!covered && !all.is_empty()) {
            wrong.push(format!("{}: {all:?}, docs/faults.md: {row}", fault.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn silence_has_its_reason() {
    let place = place();
    let mut said = String::new();
    let firewall = "firewall,eth0.mac=02:00:00:00:00:02,eth0.ip=10.0.0.2,eth1.ip=10.0.2.1";
    let neighbours = format!("{firewall},eth1.neighbour=10.0.2.9/02:00:00:00:00:09");
    for (code, to) in [
        (0, "reject,ip=10.0.0.2,mac=02:00:00:00:00:03"),
        (0, "reject,ip=10.0.0.3,mac=02:00:00:00:00:02"),
        (0, "sink,ip=10.0.0.2,mac=02:00:00:00:00:02"),
        (0, firewall),
        (0, &neighbours),
        (2, "reject,neighbour=10.0.0.1"),
    ] {
        let told = place.run(&["inject", "run.pcapng", "-v", "--to", to]).ends_with(code);
        said += &format!("$ wireproof inject run.pcapng -v --to {to}\n{}\n", place.plain(&told));
    }
    page("silences", &said);
    let words = ["inject", "run.pcapng", "--to", "sink", "--role", "closed"];
    let told = place.run(&[&words[..5], &["tester"]].concat()).ends_with(2);
    assert!(told.err.contains("--role tester"), "{}", told.shown());
    let speed = place.run(&["inject", "run.pcapng", "--to", "sink", "--speed", "max"]).ends_with(0);
    assert!(speed.err.contains("note: --speed"), "{}", speed.shown());
    let to = "sink,ip=10.0.0.2,mac=02:00:00:00:00:02";
    let closed = ["inject", "run.pcapng", "--to", to, "--role", "closed"];
    assert!(place.run(&closed).ends_with(1).out().contains("rst-missing"), "a role is honoured");
}
