//! What comes out: the golden where the device answers as it, and otherwise what is wrong.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use libtest_mimic::Trial;
use tempfile::TempDir;
use wireproof::wire::pcapng;

use crate::device::{Device, REJECT, project, run, sh, told, wait, wireproof};
use crate::trial;

const FIRST: &str = "rst/fin-then-rst";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_kernel_behind_a_cable_gives_the_golden", a_kernel_gives_the_golden),
        trial("many_scenarios_one_after_the_other", many_scenarios),
        trial("a_firewall_with_two_cables", a_firewall_with_two_cables),
        trial("nothing_else_is_sent", nothing_else_is_sent),
        trial("a_device_that_is_silent_is_found", a_silent_device),
        trial("a_device_that_answers_wrongly_is_found", a_wrong_device),
        trial("a_device_asks_for_addresses_and_is_answered_where_asked_to", a_device_asks),
        trial("a_device_with_addresses_of_its_own", other_addresses),
        trial("what_others_say_is_counted_and_named", what_others_say),
        trial("silence_is_waited_for", silence_is_waited_for),
        trial("a_frame_that_is_not_whole_ends_the_run", a_frame_that_is_not_whole),
    ]
}

fn a_kernel_gives_the_golden() {
    let device = Device::rejecting();
    let near = &device.near[0];
    let words =
        ["run", FIRST, "--on", "nic", "--iface", near, "--node", "sender", "--strict", "-v"];
    let (code, told) = run(&words);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("ok   rst/fin-then-rst: identical, 2 frames"), "{told}");
    assert!(told.contains(&format!("sender:eth0 is on {near}")), "{told}");
    // The one node that sends is ours without a word.
    let (code, told) = run(&["run", FIRST, "--on", "nic", "--iface", near]);
    assert_eq!(code, Some(0), "{told}");
    // What differs is told with the words that repeat it.
    device.sh("nft flush ruleset; echo 63 > /proc/sys/net/ipv4/ip_default_ttl");
    let (code, told) = run(&words);
    let repeat =
        format!("repeat: wireproof run {FIRST} --strict --on nic --iface {near} --node sender -v");
    for word in ["ip4.ttl  Time to Live  expected 64, got 63", &repeat] {
        assert!(code == Some(1) && told.contains(word), "{word}: {told}");
    }
}

/// Scenarios of `rst/` with the addresses of the device, and whose answers are those of a kernel.
fn of_this_device() -> Vec<String> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(project().join("scenarios/rst")).expect("scenarios").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a scenario");
        let fits = [
            "\"mac\": \"02:00:00:00:00:01\", \"ip\": \"10.0.0.1\" }",
            "\"mac\": \"02:00:00:00:00:02\", \"ip\": \"10.0.0.2\"",
        ];
        let others = ["linux-2.6", "\"linux\":", "\"reject\":", "default-route"];
        if fits.iter().all(|word| text.contains(word))
            && !others.iter().any(|word| text.contains(word))
        {
            let name = entry.path().with_extension("");
            ids.push(format!("rst/{}", name.file_name().expect("a name").to_string_lossy()));
        }
    }
    ids.sort();
    ids
}

fn many_scenarios() {
    let device = Device::rejecting();
    let ids = of_this_device();
    assert!(ids.len() >= 20, "{}", ids.len());
    let mut words = vec!["run", "--strict", "--on", "nic", "--iface", &device.near[0]];
    words.extend(ids.iter().map(String::as_str));
    let (code, told) = run(&words);
    assert_eq!(code, Some(0), "{told}");
    let identical = told.lines().filter(|line| line.contains(": identical, ")).count();
    assert!(identical >= 20 && identical == ids.len(), "{identical} of {}: {told}", ids.len());
}

fn a_firewall_with_two_cables() {
    let device = Device::with_cables(2);
    let (left, right) = (&device.far[0], &device.far[1]);
    device.sh(&format!(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; \
         echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects; \
         ip link set {left} address 02:00:00:00:01:fe; ip addr add 10.0.1.254/24 dev {left}; \
         ip link set {right} address 02:00:00:00:02:fe; ip addr add 10.0.2.254/24 dev {right}; \
         ip neigh add 10.0.1.1 lladdr 02:00:00:00:00:01 dev {left} nud permanent; \
         ip neigh add 10.0.2.1 lladdr 02:00:00:00:00:02 dev {right} nud permanent; \
         nft 'table inet t {{ chain c {{ type filter hook forward priority 0; \
              tcp dport 80 reject with tcp reset; }}; }}'"
    ));
    let client = format!("client={}", device.near[0]);
    let server = format!("firewall:right={}", device.near[1]);
    let words = ["run", "--on", "nic", "--iface", &client, "--iface", &server];
    let ids =
        ["reject-toward-the-client", "forward-both-ways", "ttl-two", "udp-to-a-rejected-port"];
    let (code, told) = run(&[&words[..], &ids].concat());
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(told.lines().filter(|line| line.contains(": identical")).count(), 4, "{told}");
    let (code, told) = run(&["run", ids[0], "--on", "nic", "--iface", &client]);
    let word = "no interface is plugged into the link firewall:right-server; say --iface server=";
    assert!(code == Some(2) && told.contains(word), "{told}");
}

/// A scenario of one's own, in a folder of its own.
pub(crate) struct Own {
    _dir: TempDir,
    path: PathBuf,
}

impl Own {
    /// A tester `a` with this address, a node `b` of this kind, and steps.
    pub(crate) fn new(mac: &str, kind: &str, steps: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder");
        let path = dir.path().join("own.json");
        let text = format!(
            r#"{{ "title": "Of its own", "cites": ["wireproof"],
                 "nodes": {{ "a": {{ "kind": "tester", "mac": "{mac}", "ip": "10.0.0.1" }},
                   "b": {{ "kind": "{kind}", "mac": "02:00:00:00:00:02", "ip": "10.0.0.2" }} }},
                 "links": [{{ "ends": ["a", "b"] }}], "steps": [{steps}] }}"#
        );
        fs::write(&path, text).expect("a file");
        Self { _dir: dir, path }
    }

    pub(crate) fn words<'a>(&'a self, iface: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let path = self.path.to_str().expect("a path in UTF-8");
        let first = ["run", path, "--no-golden", "--on", "nic", "--iface", iface];
        first.iter().chain(more).copied().collect()
    }
}

pub(crate) const OURS: &str = "02:00:00:00:00:01";

/// What a device that was run beside us said when it had ended.
fn ended(child: Child) -> String {
    told(&child.wait_with_output().expect("it ends"))
}

fn nothing_else_is_sent() {
    let device = Device::with_cables(1);
    // No word of the other kernel's own either: what the far end hears is ours.
    device.sh(&format!("echo 1 > /proc/sys/net/ipv6/conf/{}/disable_ipv6", device.far[0]));
    let listener = Own::new(OURS, "sink", r#"{ "wait": "4s" }"#);
    let out = listener.path.with_extension("pcapng");
    let out = out.to_str().expect("a path in UTF-8");
    let child =
        device.wireproof(&listener.words(&device.far[0], &["--node", "b", "-w", out, "-v"]));
    let (_, said) = run(&["run", "rst/fin-then-rst", "--on", "nic", "--iface", &device.near[0]]);
    let heard = ended(child);
    assert!(heard.contains("ok   ") && !heard.contains("ignored"), "{heard}{said}");
    let read = |path: PathBuf| pcapng::read(&fs::read(path).expect("a file")).expect("pcapng");
    let golden = read(project().join("golden-pcaps/rst/fin-then-rst.pcapng")).capture;
    let ours = golden.iter().filter(|(_, record, _)| record.port.0 == 0);
    let ours: Vec<&[u8]> = ours.map(|(_, _, frame)| frame).collect();
    let capture = read(out.into()).capture;
    let came: Vec<&[u8]> = capture.iter().map(|(_, _, frame)| frame).collect();
    assert!(ours.len() == 1 && came == ours, "{heard}");
}

fn a_silent_device() {
    let device = Device::with_cables(1);
    let (code, told) = run(&["run", FIRST, "--on", "nic", "--iface", &device.near[0]]);
    assert_eq!(code, Some(1), "{told}");
    for word in [
        "no such frame of rejecter within 5ms",
        "frame 2 of the golden is missing",
        "a segment to a closed port was not answered",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

fn a_wrong_device() {
    let device = Device::with_cables(1);
    let answers = Own::new(OURS, "reject", r#"{ "wait": "1m" }"#);
    let ask = |swap: &[&str]| {
        let mut child =
            device.wireproof(&answers.words(&device.far[0], &[&["--node", "b"], swap].concat()));
        // Another process answers, when it is its turn.
        let words = ["run", FIRST, "--on", "nic", "--patience", "2s", "--iface"];
        let said = run(&[&words[..], &[&device.near[0]]].concat());
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        said
    };
    let (code, told) = ask(&[]);
    assert!(code == Some(0) && told.contains("identical"), "{told}");
    let (code, told) = ask(&["--swap", "b=faulty,of=reject,fault=ack-1"]);
    for word in ["MUST rst-ack", "tcp.ack: expected 140, got 139", "violates MUST"] {
        assert!(code == Some(1) && told.contains(word), "{word}: {told}");
    }
}

fn a_device_asks() {
    let device = Device::with_cables(1);
    device.addressed("02:00:00:00:00:02", "10.0.0.2/24", "fd00::2/64");
    device.sh(REJECT);
    let near = &device.near[0];
    let words = ["run", FIRST, "--on", "nic", "--iface", near, "-v"];
    let (code, told) = run(&words);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("ARP request of the device\n"), "{told}");
    // Whether it had an answer cannot be said of a device that does not know where to send it.
    for word in [": inconclusive, ", "nobody answered; --arp does"] {
        assert!(told.contains(word) && !told.contains("MUST"), "{word}: {told}");
    }
    // What waits for an answer in the device's kernel is not part of the next run.
    device.sh(&format!("ip neigh del 10.0.0.1 dev {}", device.far[0]));
    let (code, told) = run(&[&words[..], &["--arp"]].concat());
    assert!(code == Some(0) && told.contains("identical, 2 frames"), "{told}");
    assert!(told.contains("ARP request of the device, answered"), "{told}");
    let (code, told) =
        run(&["run", "rst/ip6-fin-then-rst", "--strict", "--on", "nic", "--iface", near, "--arp"]);
    assert!(code == Some(0) && told.contains("identical"), "{told}");
}

fn other_addresses() {
    let device = Device::with_cables(1);
    device.addressed("02:00:00:00:00:aa", "192.168.7.9/24", "fd00::aa/64");
    device.sh(REJECT);
    let near = &device.near[0];
    let words = ["run", FIRST, "--on", "nic", "--arp", "--iface", near];
    let addresses = [
        "--address",
        "rejecter=mac=02:00:00:00:00:aa,ip=192.168.7.9",
        "--address",
        "sender=ip=192.168.7.1",
    ];
    let (code, told) = run(&[&words[..], &addresses].concat());
    let word = "golden not compared: --address gives rejecter, sender others than the golden's";
    assert!(code == Some(0) && told.contains(word), "{told}");
    let (code, told) = run(&[&words[..], &["--address", "server=ip=192.168.7.9"]].concat());
    let word = "no node `server`; its nodes are sender, rejecter";
    assert!(code == Some(2) && told.contains(word), "{told}");
}

fn what_others_say() {
    let device = Device::with_cables(1);
    let wait_for = r#"{ "for": "3s", "expect-nothing": {} }"#;
    let listener = Own::new(OURS, "sink", wait_for);
    let words = listener.words(&device.near[0], &["-v"]);
    let listening = wireproof(&words).stdout(std::process::Stdio::piped()).spawn();
    let listening = listening.expect("the command");
    device.near_listens();
    let say = |ether: &str| {
        format!(
            r#"{{ "node": "a", "send": {{ "eth": {{ "dst": "ff:ff:ff:ff:ff:ff", {ether} }},
             "payload": {{ "text": "hello" }} }} }}"#
        )
    };
    let other =
        Own::new("02:00:00:00:00:09", "sink", &vec![say(r#""type": "0x88b5""#); 3].join(","));
    let said = told(
        &device
            .command(env!("CARGO_BIN_EXE_wireproof"))
            .args(other.words(&device.far[0], &[]))
            .output()
            .expect("the command"),
    );
    let heard = ended(listening);
    assert!(heard.contains("0 frames, ") && heard.contains(", 3 frames ignored"), "{heard}{said}");
    let word = "ignored: 3 × Ethernet type 0x88b5 of 02:00:00:00:00:09";
    assert!(heard.contains(word), "{heard}");
    // From the device the same frame is one that was not to be.
    let listening = wireproof(&words).stdout(std::process::Stdio::piped()).spawn();
    let listening = listening.expect("the command");
    device.near_listens();
    // Our own kernel speaks as well, once it has IPv6 there.
    sh(&format!("echo 0 > /proc/sys/net/ipv6/conf/{}/disable_ipv6", device.near[0]));
    let as_device = Own::new("02:00:00:00:00:02", "sink", &say(r#""type": "0x88b5""#));
    let sent = device
        .command(env!("CARGO_BIN_EXE_wireproof"))
        .args(as_device.words(&device.far[0], &[]))
        .output()
        .expect("the command");
    let heard = ended(listening);
    for word in ["b:eth0 emitted a frame that was not to be", " that this host itself sent"] {
        assert!(heard.contains(word), "{word}: {heard}{}", told(&sent));
    }
}

/// Without virtual time three seconds of silence take three, and what comes late in it counts.
fn silence_is_waited_for() {
    let device = Device::with_cables(1);
    let listener = Own::new(OURS, "sink", r#"{ "for": "3s", "expect-nothing": {} }"#);
    let words = listener.words(&device.near[0], &["--format", "json"]);
    let (code, told) = run(&words);
    let end = told.split("\"end_ns\": ").nth(1).expect("a report");
    let end: u64 =
        end.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse().expect("ns");
    // The silence, and the time to settle.
    assert!(code == Some(0) && end >= 3_050_000_000, "{told}");
    let listening = wireproof(&words).stdout(std::process::Stdio::piped()).spawn();
    let listening = listening.expect("the command");
    device.near_listens();
    wait(Duration::from_millis(1500));
    let say = r#"{ "node": "a", "send": { "udp": { "dst": 9 } } }"#;
    let late = Own::new("02:00:00:00:00:02", "sink", say);
    device
        .command(env!("CARGO_BIN_EXE_wireproof"))
        .args(late.words(&device.far[0], &[]))
        .output()
        .expect("the command");
    let heard = ended(listening);
    assert!(heard.contains("emitted a frame that was not to be"), "{heard}");
}

fn a_frame_that_is_not_whole() {
    let device = Device::rejecting();
    device.sh(&format!("ethtool -K {} tx on", device.far[0]));
    let (code, told) = run(&["run", FIRST, "--on", "nic", "--iface", &device.near[0]]);
    assert!(code == Some(2) && told.contains("tx off"), "{told}");
}
