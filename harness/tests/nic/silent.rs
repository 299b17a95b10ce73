//! What is left behind: nothing, whatever ends a run.

use std::fs;
use std::process::Stdio;

use libtest_mimic::Trial;

use crate::device::{Device, run, sh, told, wireproof};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("the_interface_is_as_before_whatever_ends_a_run", as_before)]
}

/// What of the interface a run could have changed.
fn state(device: &Device) -> String {
    let near = &device.near[0];
    sh(&format!(
        "ip -d addr show {near}; ethtool -k {near}; ip route show dev {near}; \
                 ip neigh show dev {near}"
    ))
}

fn as_before() {
    let device = Device::rejecting();
    let near = &device.near[0];
    let before = state(&device);
    assert_eq!(device.promiscuity(), "0");
    assert_eq!(run(&["run", "rst/fin-then-rst", "--on", "nic", "--iface", near]).0, Some(0));
    assert_eq!((device.promiscuity().as_str(), state(&device)), ("0", before.clone()));

    let dir = tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder");
    let long = dir.path().join("long.json");
    let text = r#"{ "title": "A long wait", "cites": ["wireproof"],
        "nodes": { "a": { "kind": "tester" }, "b": { "kind": "sink" } },
        "links": [{ "ends": ["a", "b"] }],
        "steps": [{ "node": "a", "send": { "udp": {} } }, { "wait": "10m" }] }"#;
    fs::write(&long, text).expect("a file");
    let long = long.to_str().expect("a path in UTF-8");
    for signal in ["INT", "TERM", "KILL"] {
        let words = ["run", long, "rst/fin-then-rst", "--on", "nic", "--iface", near];
        let running = wireproof(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let running = running.expect("the command");
        device.near_listens();
        assert_eq!(device.promiscuity(), "1", "while it runs");
        sh(&format!("kill -{signal} {}", running.id()));
        let output = running.wait_with_output().expect("it ends");
        let said = told(&output);
        assert_eq!(device.promiscuity(), "0", "after {signal}: {said}");
        assert_eq!(state(&device), before, "after {signal}");
        if signal == "KILL" {
            continue;
        }
        // What was seen until then is told.
        assert_eq!(output.status.code(), Some(2), "{said}");
        for word in [
            &format!("the run could not be carried out: ended by SIG{signal}"),
            "harness error, ",
            "skip rst/fin-then-rst: not run: not on the wire `nic`: the user ended the run before",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
