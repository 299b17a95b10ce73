//! Implementations that are not ours: what they choose is told and no fault, what they get wrong is
//! found once, and what their place says is not what they are. A stock Linux, and the
//! [minimal stack](crate::stack).

use std::fs;
use std::path::PathBuf;

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::device::{Device, project, run};
use crate::faults::FAULTS;
use crate::judged::{OURS, Own};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_stock_linux_does_what_any_host_must", stock_any_host),
        trial("a_stock_linux_over_all_scenarios_has_no_false_finding", stock_everything),
        trial("a_minimal_stack_does_what_any_host_must_and_has_no_ip6", minimal_any_host),
        trial("a_minimal_stack_over_all_scenarios_has_no_false_finding", minimal_everything),
        trial("a_minimal_stack_that_listens_is_asked_what_holds_there", minimal_listening),
        trial("what_a_device_chose_is_in_every_form_of_the_report", every_form),
        trial("strict_holds_a_device_to_the_golden", strict),
        trial("each_planted_fault_is_found_once", planted_faults),
        trial("a_listening_device_may_reset_in_syn_received", listening),
        trial("a_device_in_the_place_of_a_sink_may_reset_from_a_closed_port", closed_for_a_sink),
        trial("a_role_is_what_the_checks_hold_a_device_to", told_roles),
        trial("a_scenario_about_one_implementation_is_not_run_on_another", about_one),
    ]
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder")
}

/// Lines that begin so.
fn lines<'a>(told: &'a str, begin: &str) -> Vec<&'a str> {
    told.lines().filter(|line| line.starts_with(begin)).collect()
}

/// All of `--on nic` on a device's cable, with more words.
fn on(device: &Device, more: &[&str]) -> (Option<i32>, String) {
    run(&[&["run", "--on", "nic", "--iface", &device.near[0]], more].concat())
}

fn stock_any_host() {
    let device = Device::stock();
    let (code, told) = on(&device, &["--any-host", "-v"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(lines(&told, "ok   ").len() >= 25 && lines(&told, "skip").is_empty(), "{told}");
    for word in [
        "scenarios ask what any host must do",
        "choice: rejecter chose ip6.flow-label (Flow Label) 0x",
        "where the golden has 0x00000, in frames 2, 4",
        "asked on near",
        "1 neighbour solicitation for fd00::2, answered",
        "rejecter is another implementation: checks and steps judge it",
        "ARP request of the device, answered",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

fn stock_everything() {
    let device = Device::stock();
    let (code, told) = on(&device, &["--arp", "--patience", "1s"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(lines(&told, "ok   ").len() >= 130 && lines(&told, "FAIL").is_empty(), "{told}");
}

fn minimal_any_host() {
    let (device, dir) = (Device::with_cables(1), folder());
    let _stack = device.minimal(&dir.path().join("device.json"), "");
    let (code, told) = on(&device, &["--any-host"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(lines(&told, "ok   ").len() >= 20 && lines(&told, "FAIL").is_empty(), "{told}");
    for word in [
        "skip rst/ip6-wrap: not run: it has no IPv6: no answer to 3 neighbour solicitations for \
         fd00::2",
        "chose ip4.ttl (Time to Live) 255 where the golden has 64, in frame 2",
        "chose ip4.id (Identification) ",
        "chose ip4.df (Don't Fragment) 0 where the golden has 1",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let (code, told) = on(&device, &["--any-host", "--without", "ipv6"]);
    let word = "skip rst/ip6-wrap: not run: it has no IPv6: --without ipv6 says so";
    assert!(code == Some(0) && told.contains(word), "{told}");
}

fn minimal_listening() {
    let (device, dir) = (Device::with_cables(1), folder());
    let _stack = device.minimal(&dir.path().join("device.json"), r#", "open": "22,80""#);
    let role = "device=role=host,open=22,open=80";
    let words = ["--any-host", "--without", "ipv6", "--address", role];
    let (code, told) = on(&device, &words);
    let word = "skip rst/syn: not run: not on the wire `nic`: --address says that rejecter listens \
                on TCP port 80";
    assert!(code == Some(0) && told.contains(word), "{told}");
    assert!(told.contains("ok   rst/ack: conformant"), "{told}");
}

fn minimal_everything() {
    let (device, dir) = (Device::with_cables(1), folder());
    let _stack = device.minimal(&dir.path().join("device.json"), "");
    let (code, told) = on(&device, &["--arp", "--patience", "1s", "--without", "ipv6"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(lines(&told, "ok   ").len() >= 100 && lines(&told, "FAIL").is_empty(), "{told}");
}

fn every_form() {
    let (device, dir) = (Device::with_cables(1), folder());
    let _stack = device.minimal(&dir.path().join("device.json"), "");
    let words = ["rst/ack", "--arp", "--patience", "2s"];
    let told = |form: &str| {
        let (code, told) = on(&device, &[&words[..], &["--format", form]].concat());
        assert_eq!(code, Some(0), "{told}");
        told
    };
    let text = told("text");
    assert!(text.contains("conformant, 6 frames, 3 choices of the implementation's"), "{text}");
    let chosen = "rejecter chose ip4.ttl (Time to Live) 255 where the golden has 64, in frames 2, \
                  4, 6";
    for (form, words) in [
        ("text", ["ok   rst/ack: conformant", "choice: "]),
        ("json", [r#""verdict": "conformant""#, r#""field": "ip4.ttl""#]),
        ("junit", [r#"failures="0""#, r#"<property name="choice.rejecter.ip4.ttl""#]),
    ] {
        let told = told(form);
        for word in words.iter().chain([&chosen]) {
            assert!(told.contains(word), "{form}, {word}: {told}");
        }
    }
}

fn strict() {
    let (device, dir) = (Device::with_cables(1), folder());
    let _stack = device.minimal(&dir.path().join("device.json"), "");
    let words = ["rst/syn", "--arp", "--patience", "2s", "--strict", "-v"];
    let (code, told) = on(&device, &words);
    for word in [
        "ip4.ttl  Time to Live  expected 64, got 255",
        "rejecter is another implementation, held to the golden's bytes by --strict",
        "repeat: wireproof run rst/syn --strict --on nic ",
        ": differs, ",
    ] {
        assert!(code == Some(1) && told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("choice"), "{told}");
}

fn planted_faults() {
    let (device, dir) = (Device::with_cables(1), folder());
    let found = |options: &str, steps: &str| {
        let _stack = device.minimal(&dir.path().join("device.json"), options);
        let own = Own::new(OURS, "reject", steps);
        let more = ["--arp", "--settle", "500ms", "--format", "json"];
        let (code, told) = run(&own.words(&device.near[0], &more));
        let json: serde_json::Value = serde_json::from_str(&told).expect("a report");
        let findings = json["scenarios"][0]["findings"].as_array().expect("findings").clone();
        let ids: Vec<String> =
            findings.iter().map(|one| one["check"].as_str().expect("an id").to_owned()).collect();
        (code, ids, told)
    };
    for fault in FAULTS {
        let options = format!(r#"{}, "fault": "{}""#, fault.options, fault.name);
        let (code, ids, told) = found(&options, fault.steps);
        assert_eq!((code, &ids[..]), (Some(1), &[fault.found_by.to_owned()][..]), "{told}");
        let (code, ids, told) = found(fault.options, fault.steps);
        assert_eq!((code, ids.len()), (Some(0), 0), "without {}: {told}", fault.name);
    }
}

/// An acknowledgment of the wrong number in SYN-RECEIVED is answered with RST, seq = SEG.ACK (RFC
/// 9293 3.10.7.4), in whatever place the device stands.
const SYN_RECEIVED: &str = r#"
    { "node": "a", "send": { "tcp": { "flags": "S", "seq": 1000 } } },
    { "from": "b", "within": "2s", "expect": { "tcp": { "flags": "SA", "ack": 1001 } },
      "bind": { "isn": "tcp.seq" } },
    { "node": "a", "send": { "tcp": { "flags": "A", "seq": 1001, "ack": "$isn + 77" } } },
    { "from": "b", "within": "2s", "expect": { "tcp": { "flags": "R", "seq": "$isn + 77" } } }"#;

/// A kind of the place, with what the file says of it beside.
const PLACES: [&str; 6] = [
    "sink",
    "tester",
    "md5-receiver",
    r#"reject", "reject": "22"#,
    r#"host", "open": "80"#,
    // It says that every port is closed, and the SYN,ACK shows better.
    "reject",
];

fn listening() {
    for place in PLACES {
        // What a kernel half opened it sends again, into the next run.
        let device = Device::stock();
        let _listener = device.listening();
        let own = Own::new(OURS, place, SYN_RECEIVED);
        let words = own.words(&device.near[0], &["--node", "a", "--arp"]);
        let (code, told) = run(&words);
        assert!(code == Some(0) && told.contains(": conformant, "), "{place}: {told}");
    }
    for (place, more) in [("sink", None), ("reject", Some("b=role=host,open=80"))] {
        let device = Device::stock();
        let _listener = device.listening();
        let own = Own::new(OURS, place, SYN_RECEIVED);
        let role = more.map_or(Vec::new(), |role| vec!["--address", role]);
        let words = own.words(&device.near[0], &[&["--node", "a", "--arp"], &role[..]].concat());
        // Without the golden that nobody can have of a device.
        let words: Vec<&str> = words.into_iter().filter(|word| *word != "--no-golden").collect();
        let (code, told) = run(&words);
        let word = "golden not compared: there is none, and the checks and steps judge";
        assert!(code == Some(0) && told.contains(word), "{place}: {told}");
    }
}

/// One segment to a closed port, of which nothing is expected.
const SEGMENT: &str = r#"{ "node": "a", "send": { "tcp": { "dst": 9, "flags": "S" } } }"#;

fn closed_for_a_sink() {
    let device = Device::stock();
    for place in ["sink", "tester", "md5-receiver"] {
        let own = Own::new(OURS, place, SEGMENT);
        let more = ["--node", "a", "--arp", "--settle", "500ms"];
        let (code, told) = run(&own.words(&device.near[0], &more));
        assert!(code == Some(0) && told.contains("conformant, 2 frames"), "{place}: {told}");
    }
}

fn told_roles() {
    let device = Device::stock();
    let own = Own::new(OURS, "sink", SEGMENT);
    let with = |role: &str| {
        let address = format!("device=role={role}");
        let more = ["--node", "a", "--arp", "--settle", "500ms", "--address", &address];
        run(&own.words(&device.near[0], &more))
    };
    for role in ["host", "host,open=80", "closed", "unknown"] {
        let (code, told) = with(role);
        assert!(code == Some(0) && told.contains("conformant, 2 frames"), "{role}: {told}");
    }
    let (code, told) = with("silent");
    assert!(code == Some(1) && told.contains("MUST rst-unprovoked"), "{told}");
    // A closed port owes an answer; one of a host that listens there owes none by that rule.
    device.sh(
        "nft 'table inet t { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }'",
    );
    for (role, expected) in [("closed", Some(1)), ("host", Some(1)), ("host,open=9", Some(0))] {
        let (code, told) = with(role);
        let found = told.contains("MUST rst-missing");
        assert!(code == expected && found == (expected == Some(1)), "{role}: {told}");
    }
    let (code, told) = with("server");
    assert!(code == Some(2) && told.contains("no role is called `server`"), "{told}");
}

fn about_one() {
    let device = Device::stock();
    for (id, reason) in [
        ("rst/fin-then-rst-in-2-6", "as `rejecter`: it is about one that `profile=linux-2.6`"),
        ("rst/ttl-option", "it is about one that `ttl=128` makes"),
        ("rst/mtu-of-the-reply", "it is about one that `mtu=40` makes"),
        ("rst/tos-is-zero", "as `rejecter`: the DSCP of an answer is an implementation's own"),
    ] {
        let (code, told) = on(&device, &[id, "--arp"]);
        assert!(code == Some(2) && told.contains(reason), "{id}, {reason}: {told}");
    }
    // No scenario of the folder leads to two: each says one of the two things.
    let root = project().join("scenarios");
    let all = wireproof::catalog::files_below(&root, "json").expect("scenarios");
    let both = |path: &&PathBuf| {
        let text = fs::read_to_string(path).expect("a scenario");
        text.contains("\"any-host\":") && text.contains("\"other\":")
    };
    assert_eq!(all.iter().find(both), None, "any host must do it, and another need not");
}
