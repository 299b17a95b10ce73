//! What a kernel node may be asked: a hook that nothing comes to is refused, a label says what
//! answers, ports are rejected where a scenario names them, a port may have no address, and a
//! kernel that routes or bridges beside rules of the user's is judged as what it is.

use crate::own::examples;
use libtest_mimic::Trial;
use testing::{Stop, told};

use crate::{Place, always, has, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        always(
            "a_hook_that_nothing_comes_to_is_refused_with_its_place",
            a_hook_that_nothing_comes_to_is_refused_with_its_place,
        ),
        trial("a_label_says_what_answers", a_label_says_what_answers),
        trial(
            "the_ports_that_are_rejected_are_written_with_those_of_the_node_or_without",
            the_ports_that_are_rejected_are_written_with_those_of_the_node_or_without,
        ),
        always("a_kernel_without_an_address_is_no_host", a_kernel_without_an_address_is_no_host),
        trial(
            "rules_of_the_users_that_match_nothing_change_nothing",
            rules_of_the_users_that_match_nothing_change_nothing,
        ),
        trial(
            "a_bridge_passes_frames_on_as_they_are_and_a_hook_that_is_not_there_is_not_run",
            a_bridge_passes_frames_on_as_they_are_and_a_hook_that_is_not_there_is_not_run,
        ),
        trial("the_manuals_router_clamps_and_hides", the_manuals_router_clamps_and_hides),
        always("a_bridge_has_no_address", a_bridge_has_no_address),
    ]
}

/// A kernel on one link, with these options beside its address.
fn host(options: &str, steps: &str) -> String {
    format!(
        r#"{{ "title": "A kernel on one link",
  "nodes": {{
    "client": {{ "kind": "tester", "ip": "10.0.0.1" }},
    "server": {{ "kind": "linux", "ip": "10.0.0.2", {options} }}
  }},
  "links": [{{ "ends": ["client", "server"] }}],
  "steps": [{steps}] }}"#
    )
}

/// A kernel between two links, with these options.
pub(crate) fn router(options: &str, client: &str, server: &str, steps: &str) -> String {
    format!(
        r#"{{ "title": "A kernel between two links",
  "nodes": {{
    "client": {{ "kind": "tester", "mac": "02:00:00:00:00:01", "ip": "10.0.1.1",
      "to": "{client}" }},
    "router": {{ "kind": "linux", "hook": "forward", {options},
      "ports": {{ "left": {{ "mac": "02:00:00:00:01:fe", "ip": "10.0.1.254" }},
                 "right": {{ "mac": "02:00:00:00:02:fe", "ip": "10.0.2.254" }} }} }},
    "server": {{ "kind": "tester", "mac": "02:00:00:00:00:02", "ip": "10.0.2.1",
      "to": "{server}" }}
  }},
  "links": [{{ "ends": ["client", "router:left"] }}, {{ "ends": ["router:right", "server"] }}],
  "steps": [{steps}] }}"#
    )
}

const SYN: &str = r#"{ "node": "client", "send": { "tcp": { "dst": 80, "flags": "S" } } }"#;
const RESET: &str =
    r#"{ "from": "server", "within": "50ms", "expect": { "tcp": { "flags": "RA" } } }"#;
const SILENCE: &str = r#"{ "from": "server", "for": "10ms", "expect-nothing": {} }"#;

/// Runs a scenario of one's own; its exit code, and what is said.
pub(crate) fn runs(place: &Place, text: &str) -> (Option<i32>, String) {
    place.write("own.json", text);
    let output = place.run(&["run", "--on", "veth", "--no-golden", "own.json"]);
    (output.status.code(), told(&output))
}

fn a_hook_that_nothing_comes_to_is_refused_with_its_place(place: &Place) {
    for (options, word) in [
        (r#""hook": "forward", "reject": "nft""#, "stands between two links"),
        (r#""hook": "forward", "reject": "iptables""#, "stands between two links"),
        (r#""hook": "bridge""#, "joins two links"),
        (r#""hook": "ingress", "reject": "none""#, "no rule stands there"),
        (r#""hook": "ingress", "reject": "iptables""#, "reject=nft"),
        (r#""ports": "80", "reject": "none""#, "nothing is rejected"),
        (r#""ports": "80", "listen": 80"#, "one of `listen`"),
    ] {
        let (code, told) = runs(place, &host(options, SYN));
        let placed = told.contains("own.json:4:");
        assert!(code == Some(2) && told.contains(word) && placed, "{options}: {told}");
    }
    // A swap may fit another scenario of the folder.
    for swap in ["rejecter=linux,hook=forward", "rejecter=linux,hook=bridge"] {
        let output = place.run(&["run", "--on", "veth", "--swap", swap, "rst"]);
        let told = told(&output);
        let reason = told.contains("none of ") && told.contains("this node has fewer");
        assert!(output.status.code() == Some(2) && reason, "{swap}: {told}");
    }
}

fn a_label_says_what_answers(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    for (text, label) in [
        (host(r#""reject": "none""#, SYN), "(closed port)"),
        (host(r#""reject": "none", "listen": 22"#, SYN), "(listening on ports 22, closed ports)"),
        (host(r#""hook": "prerouting""#, SYN), "(nft at prerouting)"),
        (router(r#""reject": "none""#, "server", "client", SYN), "(routing)"),
        (router(r#""reject-ports": 81"#, "server", "client", SYN), "(routing, nft at forward, p"),
    ] {
        let (code, told) = runs(place, &text);
        assert!(code == Some(0) && told.contains(label), "{label}: {told}");
    }
    Ok(())
}

fn the_ports_that_are_rejected_are_written_with_those_of_the_node_or_without(
    place: &Place,
) -> Result<(), Stop> {
    has("nft")?;
    let named = r#""ports": { "eth0": { "ip": "10.0.0.2" } }"#;
    for (options, step) in [
        (r#""ports": "80""#.to_owned(), RESET),
        (r#""ports": 80"#.to_owned(), RESET),
        (r#""ports": [79, "80-81"]"#.to_owned(), RESET),
        (r#""ports": "81""#.to_owned(), SILENCE),
        (format!(r#""reject-ports": 80, {named}"#), RESET),
        (format!(r#""reject-ports": 81, {named}"#), SILENCE),
    ] {
        let (code, told) = runs(place, &host(&options, &format!("{SYN}, {step}")));
        assert_eq!(code, Some(0), "{options}: {told}");
    }
    let both = r#""ports": "80", "reject-ports": 80"#;
    let (code, told) = runs(place, &host(both, SYN));
    assert!(code == Some(2) && told.contains("one option by two names"), "{told}");
    Ok(())
}

fn a_kernel_without_an_address_is_no_host(place: &Place) {
    let syn = SYN.replace("\"tcp\"", "\"ip4\": { \"dst\": \"10.0.0.2\" }, \"tcp\"");
    let bare = host(r#""reject": "none""#, &format!("{syn}, {SILENCE}"));
    let (code, told) = runs(place, &bare.replace("\"10.0.0.2\", \"re", "[], \"re"));
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = runs(place, &bare);
    assert_eq!(code, Some(1), "with an address its closed port answers: {told}");
    let swap = "rejecter=linux,reject=none,ip=none";
    let output = place.run(&["run", "--on", "veth", "--swap", swap, "-v", "rst/syn"]);
    let told = crate::told(&output);
    assert!(told.contains("the peer has no IPv4 address"), "{told}");
}

fn rules_of_the_users_that_match_nothing_change_nothing(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    let reset = r#"{ "from": "router:left", "within": "50ms",
                     "expect": { "ip4": { "src": "10.0.2.1" }, "tcp": { "flags": "RA" } } }"#;
    let steps = format!("{SYN}, {reset}");
    for options in [
        r#""reject": "nft""#,
        r#""rules": ["tcp dport 9999 drop"]"#,
        r#""snat": ["tcp dport 9999 masquerade"]"#,
        r#""dnat": ["tcp dport 9999 dnat ip to 10.0.2.9"]"#,
    ] {
        let (code, told) = runs(place, &router(options, "server", "client", &steps));
        assert!(code == Some(0) && told.contains("conformant"), "{options}: {told}");
    }
    let output = place.run(&[
        "run",
        "--on",
        "veth",
        "middlebox",
        "--swap",
        "firewall=linux,hook=forward,rules=tcp dport 9999 drop",
    ]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 31, "{told}");
    Ok(())
}

fn a_bridge_passes_frames_on_as_they_are_and_a_hook_that_is_not_there_is_not_run(
    place: &Place,
) -> Result<(), Stop> {
    has("nft")?;
    let output = place.run(&["run", "--on", "veth", "kernel/bridge"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // A kernel that rejects at a bridge gives what the guest's gave; one that cannot says so.
    let swap = "bridge=linux,hook=bridge,reject-ports=80";
    let words = ["run", "--on", "veth", "--swap", swap, "guest/bridge-rejects"];
    let output = place.run(&words);
    let told = told(&output);
    match output.status.code() {
        Some(0) => assert!(told.contains("(bridging, nft at bridge, ports 80)"), "{told}"),
        code => {
            let reason = told.contains("the running kernel does not reject at a bridge");
            assert!(code == Some(2) && reason, "{told}");
        }
    }
    Ok(())
}

fn the_manuals_router_clamps_and_hides(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    let (code, told) = runs(place, &examples().remove(1));
    let label = "(routing, translating addresses, rules of the user's at forward, nft at forward";
    assert!(code == Some(0) && told.contains(label), "{told}");
    Ok(())
}

fn a_bridge_has_no_address(place: &Place) {
    let bridge = router(r#""reject": "none""#, "server", "client", SYN);
    let (code, told) = runs(place, &bridge.replace("\"forward\"", "\"bridge\""));
    assert!(code == Some(2) && told.contains("below IP, so none has an address"), "{told}");
}
