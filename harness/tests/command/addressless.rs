//! A node without an address can be written for every kind, and runs.

use crate::support::Place;

/// A request for an address that nobody has (RFC 826).
const ARP: &str = "0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002";

#[test]
fn a_node_of_every_kind_may_have_no_address() {
    let place = Place::made();
    for kind in ["tester", "reject", "sink", "firewall", "skb-sender", "md5-receiver", "faulty"] {
        // One with a fault must be told which.
        let fault = if kind == "faulty" { r#""fault": "seq+1","# } else { "" };
        let ports = match kind {
            "firewall" => r#"{ "left": { "ip": [] }, "right": { "ip": [] } }"#,
            _ => r#"{ "left": { "ip": [] } }"#,
        };
        let text = format!(
            r#"{{ "title": "A node without an address",
  "nodes": {{
    "client": {{ "kind": "tester", "ip": "10.0.0.1" }},
    "bare": {{ "kind": "{kind}", {fault} "ports": {ports} }}
  }},
  "links": [{{ "ends": ["client", "bare:left"] }}],
  "steps": [
    {{ "node": "client",
      "send": {{ "ip4": {{ "dst": "10.0.0.2" }}, "tcp": {{ "flags": "S" }} }} }},
    {{ "node": "client", "send": {{ "raw": "ffffffffffff 020000000001 0806 {ARP}" }} }},
    {{ "wait": "1ms" }}
  ] }}"#
        );
        place.write("bare.json", text);
        let told = place.run(&["run", "--no-golden", "-v", "bare.json"]);
        let shown = told.shown();
        assert!(shown.contains("bare is ") && !shown.contains("panicked"), "{kind}: {shown}");
        assert!(!shown.contains("error"), "{kind}: {shown}");
        let line = shown.lines().find(|line| line.contains("bare is ")).unwrap_or("");
        assert!(!line.contains("10.0.") && !line.contains("fd00:"), "{kind}: {line}");
    }
}
