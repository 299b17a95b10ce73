//! Scenarios whose node is the running kernel: how they are written, blessed and held, and who is
//! at fault when something comes at the wrong time.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use testing::{Stop, project, told};

use crate::{Place, always, has, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        always(
            "the_real_clock_is_judged_where_a_scenario_says_so",
            the_real_clock_is_judged_where_a_scenario_says_so,
        ),
        always(
            "a_scenario_with_a_kernel_of_its_own_is_blessed_and_held_on_veth",
            a_scenario_with_a_kernel_of_its_own_is_blessed_and_held_on_veth,
        ),
        trial("a_port_that_listens_is_let_through_by_the_rule_of_nft", |place| {
            listens(place, "nft")
        }),
        trial("a_port_that_listens_is_let_through_by_the_rule_of_iptables", |place| {
            listens(place, "iptables")
        }),
        always(
            "a_machine_that_stood_still_is_told_from_a_kernel_that_is_late",
            a_machine_that_stood_still_is_told_from_a_kernel_that_is_late,
        ),
    ]
}

#[expect(clippy::disallowed_methods, reason = "another process runs meanwhile, by a real clock")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// A kernel that accepts, and what is to be said of the time of its second SYN,ACK.
fn second_syn_ack(first: &str, second: &str) -> String {
    format!(
        r#"{{
  "title": "A kernel sends its SYN,ACK again after a second of its own",
  "nodes": {{
    "client": {{ "kind": "tester", "ip": "10.0.0.1" }},
    "server": {{ "kind": "linux", "reject": "none", "listen": 80, "ip": "10.0.0.2" }}
  }},
  "links": [{{ "ends": ["client", "server"], "delay": "1ms" }}],
  "steps": [
    {{ "node": "client", "send": {{ "tcp": {{ "flags": "S" }} }}, {first} }},
    {{ "from": "server", "within": "5ms", "expect": {{ "tcp": {{ "flags": "SA" }} }} }},
    {{ "from": "server", {second}, "expect": {{ "tcp": {{ "flags": "SA" }} }} }}
  ]
}}"#
    )
}

fn the_real_clock_is_judged_where_a_scenario_says_so(place: &Place) {
    // The kernel counts a second, and a little more by its ticks.
    for (first, second, code, word) in [
        (r#""tolerance": "2s""#, r#""after": "1s", "tolerance": "500ms""#, 0, "conformant"),
        (r#""tolerance": "2s""#, r#""after": "300ms", "tolerance": "100ms""#, 1, "differs"),
        (
            r#""tolerance": "2s""#,
            r#""after": "5s", "tolerance": { "early": "1s" }"#,
            1,
            "the frame of server is early by ",
        ),
        // No machine begins at the very nanosecond.
        (
            r#""tolerance": "0s""#,
            r#""after": "1s", "tolerance": "500ms""#,
            1,
            "inconclusive, 3 frames",
        ),
    ] {
        place.write("again.json", &second_syn_ack(first, second));
        let output = place.run(&["run", "--on", "veth", "--no-golden", "again.json"]);
        let told = told(&output);
        assert!(output.status.code() == Some(code) && told.contains(word), "{second}: {told}");
    }
}

/// The examples of the manual that only a kernel runs.
pub(crate) fn examples() -> Vec<String> {
    let text = fs::read_to_string(project().join("docs/scenarios.md")).expect("the manual");
    let behind = text.split("```json kernel\n").skip(1);
    behind.map(|one| one.split_once("\n```").expect("its end").0.to_owned()).collect()
}

/// The first of them.
fn manual() -> String {
    examples().remove(0)
}

fn a_scenario_with_a_kernel_of_its_own_is_blessed_and_held_on_veth(place: &Place) {
    let on_veth = |command: &str| {
        let output = place.run(&[command, "--on", "veth", "own/kernel"]);
        (output.status.code(), told(&output))
    };
    place.write("scenarios/own/kernel.json", &manual());
    let (code, told) = on_veth("run");
    let hint = "accept: wireproof bless own/kernel --on veth";
    assert!(code == Some(1) && told.contains("no golden yet") && told.contains(hint), "{told}");
    let (code, told) = on_veth("bless");
    assert!(code == Some(0) && told.contains("blessed  own/kernel (6 frames)"), "{told}");
    let (code, told) = on_veth("run");
    assert!(code == Some(0) && told.contains("conformant, 6 frames, 2 differ under"), "{told}");
    let (code, told) = on_veth("bless");
    assert!(code == Some(0) && told.contains("same     own/kernel"), "{told}");

    // Without the mask the number that was drawn is a difference; a wrong one fails its step.
    let unmasked =
        manual().replace("\"tcp.checksum\"]", "\"ip4.tos\"]").replace("tcp.seq\",", "ip4.id\",");
    place.write("scenarios/own/kernel.json", &unmasked);
    let (code, told) = on_veth("run");
    assert!(code == Some(1) && told.contains("tcp.seq  Sequence Number  expected"), "{told}");
    place.write("scenarios/own/kernel.json", &manual().replace("\"$isn\"", "\"$isn + 1\""));
    let (code, told) = on_veth("run");
    assert!(code == Some(1) && told.contains("step 3"), "{told}");

    let simulated = place.run(&["run", "own/kernel", "rst/syn"]);
    let told = crate::told(&simulated);
    let reason = "own/kernel: not run: `server` is a running kernel: it takes --on veth";
    assert!(simulated.status.code() == Some(0) && told.contains(reason), "{told}");
    assert_eq!(place.run(&["run", "own/kernel"]).status.code(), Some(2));
    assert_eq!(place.run(&["bless", "own"]).status.code(), Some(2));
}

/// By the rules of a program.
fn listens(place: &Place, reject: &str) -> Result<(), Stop> {
    has(reject)?;
    place.write("own.json", &manual().replace("\"none\"", &format!("\"{reject}\"")));
    let output = place.run(&["run", "--on", "veth", "--no-golden", "own.json"]);
    assert_eq!(output.status.code(), Some(0), "{reject}: {}", told(&output));
    Ok(())
}

fn a_machine_that_stood_still_is_told_from_a_kernel_that_is_late(place: &Place) {
    let mut command = place.command(&["run", "--on", "veth", "kernel/syn-ack-again"]);
    let running = command.stdout(Stdio::piped()).spawn().expect("it starts");
    wait(Duration::from_millis(500));
    let signal = |name: &str| {
        let line = format!("kill -{name} {}", running.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("a shell").success());
    };
    // Meanwhile the kernel sends its segment again, in time, and nobody reads it.
    signal("STOP");
    wait(Duration::from_millis(1500));
    signal("CONT");
    let told = told(&running.wait_with_output().expect("it ends"));
    // A machine so slow that the run had not begun by then has nothing to say.
    assert!(told.contains("inconclusive, 4 frames") || told.contains("conformant"), "{told}");
}
