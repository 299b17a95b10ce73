//! The examples of `docs/scenarios.md`. A block marked `json` is a whole scenario. A block with a
//! word behind `json` is a piece of one: the frame around it is `FRAME`.

use std::collections::BTreeSet;

use wireproof::judge::{Judgement, judge};
use wireproof::plan::plan;
use wireproof::run::{Ended, Run};
use wireproof::{run, scenario, text};

use crate::{Block, blocks, read, spans};

const MANUAL: &str = "docs/scenarios.md";

/// The pieces of one scenario; each marker replaces or adds to one of them.
struct Frame<'a> {
    keys: &'a str,
    nodes: &'a str,
    links: &'a str,
    steps: &'a str,
}

/// The nodes that a piece may name.
const NODES: &str = r#"
    "client": { "kind": "tester" }, "server": { "kind": "reject" },
    "sender": { "kind": "skb-sender" }, "receiver": { "kind": "md5-receiver" }"#;
const LINKS: &str = r#"
    { "ends": ["client", "server"], "delay": "1ms" },
    { "ends": ["sender", "receiver"], "delay": "1ms" }"#;
const WAIT: &str = r#"{ "wait": "1ms" }"#;

impl Default for Frame<'_> {
    fn default() -> Self {
        Self { keys: "", nodes: NODES, links: LINKS, steps: WAIT }
    }
}

impl Frame<'_> {
    fn text(&self) -> String {
        let Self { keys, nodes, links, steps } = self;
        let comma = if keys.trim().is_empty() { "" } else { "," };
        format!(
            "{{ \"title\": \"an example\", \"nodes\": {{ {nodes} }}, \"links\": [ {links} ],\n\
             \"steps\": [ {steps} ]{comma}\n{keys} }}"
        )
    }
}

/// Reads and plans what only a kernel runs; `harness/tests/veth/own.rs` has one run it.
fn planned(text: &str) -> Result<(), String> {
    let told = |faults: Vec<scenario::Diagnostic>| {
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let wireproof::walk::Walk { registry, .. } = wireproof::walk::Walk::standard();
    let read = scenario::parse(text.as_bytes()).map_err(told)?;
    plan(&read, text, &registry, &[]).map(drop).map_err(told)
}

/// Reads, plans, runs and judges; every fault in words.
fn held(text: &str) -> Result<(), String> {
    let told = |faults: Vec<scenario::Diagnostic>| {
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let registry = wireproof::kinds::standard();
    let read = scenario::parse(text.as_bytes()).map_err(told)?;
    let plan = plan(&read, text, &registry, &[]).map_err(told)?;
    let run = run::run(wireproof::on::On::Sim, &plan).map_err(|error| format!("{error:#}"))?;
    let judgement = judge(&plan, &run, Err("an example has no golden".into()));
    if judgement.verdict.holds() { Ok(()) } else { Err(why(&run, &judgement)) }
}

/// Why a run does not hold.
fn why(run: &Run, judgement: &Judgement) -> String {
    let mut lines = vec![judgement.verdict.text().to_owned()];
    if let Ended::Broken(why) = &run.ended {
        lines.push(why.clone());
    }
    for failure in &run.failures {
        lines.push(format!("step {}", failure.step + 1));
        lines.extend(failure.lines.iter().cloned());
    }
    for finding in &judgement.findings {
        lines.push(format!("{}: {}", finding.check.id, finding.message));
    }
    lines.extend(judgement.missing_findings.iter().map(|id| format!("{id} found nothing")));
    lines.extend(run.transcript.seen.iter().map(|seen| text::event(&seen.event)));
    lines.extend(
        run.transcript.capture.iter().map(|(_, _, frame)| wireproof::wire::render::line(frame)),
    );
    lines.join("\n")
}

#[test]
fn every_example_of_the_manual_holds() {
    let text = read(MANUAL);
    let blocks = blocks(&text);
    let mut packet = String::new();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let Some(marker) = block.info.strip_prefix("json") else { continue };
        let piece = block.text.as_str();
        let send = |packet: &str| format!("{{ \"node\": \"client\", \"send\": {packet} }}");
        let result = match marker.trim() {
            "" => held(piece),
            "keys" => held(&Frame { keys: piece, ..Frame::default() }.text()),
            "kernel" => planned(piece),
            "node" => {
                held(&Frame { nodes: &format!("{NODES}, {piece}"), ..Frame::default() }.text())
            }
            "link" => held(&Frame { links: piece, ..Frame::default() }.text()),
            "step" => held(&Frame { steps: piece, ..Frame::default() }.text()),
            "packet" => {
                packet = piece.to_owned();
                held(&Frame { steps: &send(piece), ..Frame::default() }.text())
            }
            "pattern" => held(&matched(&send(&packet), piece)),
            "refused" => refused(piece, blocks.get(index + 1)),
            other => Err(format!("no marker is called `{other}`")),
        };
        seen.insert(marker.trim());
        if let Err(reason) = result {
            wrong.push(format!("{MANUAL}:{}: {reason}\n", block.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = ["", "kernel", "keys", "link", "node", "packet", "pattern", "refused", "step"];
    assert_eq!(seen, BTreeSet::from(all), "an example of each kind");
}

/// A scenario in which the pattern must be that of the packet sent before.
fn matched(send: &str, pattern: &str) -> String {
    let expect = format!("{{ \"from\": \"client\", \"within\": \"0s\", \"expect\": {pattern} }}");
    Frame { steps: &format!("{send}, {expect}"), ..Frame::default() }.text()
}

/// The scenario is refused, with the words of the next block.
fn refused(text: &str, next: Option<&Block>) -> Result<(), String> {
    let Err(told) = held(text) else { return Err("it was to be refused".into()) };
    match next {
        Some(block) if block.info == "text" && block.text.trim() == told.trim() => Ok(()),
        _ => Err(format!("the next block is not what is said of it:\n{told}")),
    }
}

#[test]
fn a_wrong_example_is_noticed() {
    let wrong = matched(r#"{ "node": "client", "send": { "tcp": {} } }"#, r#"{ "udp": {} }"#);
    assert!(held(&wrong).unwrap_err().contains("udp: expected such a layer"));
    assert!(held("{}").unwrap_err().contains("needs the key"));
    assert!(refused("{}", None).is_err());
}

#[test]
fn arguments_of_a_command_are_computed_or_verbatim() {
    let steps = |step: &str| {
        let send = r#"{ "node": "client", "send": { "tcp": {} } }"#;
        let bind =
            r#"{ "from": "client", "within": "0s", "expect": {}, "bind": { "p": "tcp.src" } }"#;
        let fail = format!(r#"{{ "node": "sender", "do": {{ "fail": {{ "step": "{step}" }} }} }}"#);
        held(&Frame { steps: &format!("{send}, {bind}, {fail}"), ..Frame::default() }.text())
    };
    assert_eq!(steps("$$checksum"), Ok(()));
    assert!(steps("$$$p").unwrap_err().contains("`$p`"));
    assert!(steps("$p + 1").unwrap_err().contains("`4001`"));
}

/// Keys of the schema that are fields of a layer stand in `docs/fields.md`.
#[test]
fn the_manual_names_every_key() {
    let manual = read(MANUAL);
    let fields: BTreeSet<&str> = wireproof::wire::Proto::ALL
        .iter()
        .flat_map(|proto| proto.fields())
        .map(|f| f.key)
        .collect();
    let spans = spans(&manual);
    let named = |key: &str| spans.iter().any(|s| *s == key || s.contains(&format!("\"{key}\"")));
    let blocks = blocks(&manual);
    let quoted = |key: &str| blocks.iter().any(|b| b.text.contains(&format!("\"{key}\"")));
    let mut keys = BTreeSet::new();
    gather(&scenario::schema(), &mut keys);
    assert!(keys.len() > 100, "{} keys in the schema", keys.len());
    keys.retain(|key| !fields.contains(key.as_str()));
    let missing: Vec<&String> = keys.iter().filter(|key| !named(key)).collect();
    assert!(missing.is_empty(), "{MANUAL} does not explain {missing:?}");
    let unshown: Vec<&String> = keys.iter().filter(|key| !quoted(key)).collect();
    assert!(unshown.is_empty(), "{MANUAL} shows no example of {unshown:?}");
}

/// Every key that the schema gives an object.
fn gather(schema: &serde_json::Value, keys: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                if let ("properties", serde_json::Value::Object(known)) = (name.as_str(), value) {
                    keys.extend(known.keys().cloned());
                }
                gather(value, keys);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| gather(item, keys)),
        _ => {}
    }
}
