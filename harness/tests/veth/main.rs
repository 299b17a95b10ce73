//! The command on the veth wire: the same files with the same goldens, as root and as an ordinary
//! user. Where the machine allows no namespaces, each test prints why it did not run.

mod own;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// `nobody`, whom every Debian has.
const ORDINARY: u32 = 65_534;

/// One at a time: the tests below count what the whole machine has.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The command and the scenarios where every user may read them.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder");
        let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo's word"));
        let top = package.parent().expect("the package lies in the project");
        fs::copy(env!("CARGO_BIN_EXE_wireproof"), dir.path().join("wireproof")).expect("a copy");
        for folder in ["scenarios", "golden-pcaps"] {
            let copied =
                Command::new("cp").arg("-r").arg(top.join(folder)).arg(dir.path()).status();
            assert!(copied.expect("cp").success());
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        Self { dir }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.dir.path().join("wireproof"));
        // As a user in a terminal: goldens are accepted there, and never in CI.
        command.args(words).current_dir(self.dir.path()).env_remove("CI");
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("it runs")
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.dir.path().join(below);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// The place, unless the machine forbids the wire, which is then told.
fn place() -> Option<Place> {
    let place = Place::new();
    let first = place.run(&["run", "--on", "veth", "rst/fin-then-rst"]);
    let told = told(&first);
    if told.contains("does not let this user make namespaces") {
        assert_eq!(first.status.code(), Some(2), "{told}");
        eprintln!("not run: {}", told.trim());
        return None;
    }
    assert_eq!(first.status.code(), Some(0), "{told}");
    Some(place)
}

fn everything_holds(output: &Output) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let last = told.lines().last().unwrap_or("");
    let count = |word: &str| -> usize {
        let at = last.find(word).map_or("0", |end| last[..end].trim_end());
        at.rsplit([' ', ',']).next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    // Most run: a wire that ran nothing would pass everything.
    assert!(count("hold") > 200 && count("not run") < 20, "{last}");
}

#[test]
fn every_scenario_that_can_run_has_the_golden_it_has_on_the_simulated_wire() {
    let _alone = alone();
    let Some(place) = place() else { return };
    everything_holds(&place.run(&["run", "--on", "veth"]));
}

#[test]
fn an_ordinary_user_needs_no_privilege() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let as_ordinary = |words: &[&str]| {
        let mut command = place.command(words);
        // Whoever is ordinary already stays so. Programs of root's are not on the way of others.
        if fs::metadata("/proc/self").expect("a process").uid() == 0 {
            command.uid(ORDINARY).gid(ORDINARY).env("PATH", "/usr/bin:/bin");
        }
        command.output().expect("it runs")
    };
    let output = as_ordinary(&["run", "--on", "veth"]);
    if told(&output).contains("does not let this user make namespaces") {
        eprintln!("not run: {}", told(&output).trim());
        return;
    }
    everything_holds(&output);
    if !has("nft") {
        return;
    }
    let swap = "rejecter=linux,reject=nft";
    let output = as_ordinary(&["run", "--on", "veth", "rst/ack", "--swap", swap]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let doctor = told(&as_ordinary(&["doctor"]));
    assert!(doctor.contains("ok       nft"), "{doctor}");
}

#[test]
fn where_namespaces_are_forbidden_the_ways_out_are_named() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --bounding-set=-all --inh-caps=-all ./wireproof \
                  run --on veth rst/fin-then-rst";
    let mut command = Command::new("unshare");
    let output = command.args(["-Ur", "sh", "-c", forbid]).current_dir(place.dir.path()).output();
    let output = output.expect("util-linux");
    let told = told(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for word in ["namespaces", "run as root", "user.max_user_namespaces"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(told.lines().count(), 1, "one message: {told}");
}

#[test]
fn a_scenario_that_cannot_run_is_told_with_its_reason() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let output = place.run(&["run", "--on", "veth", "wire/raw-runt", "rst/fin-then-rst"]);
    let told = told(&output);
    assert!(told.contains("not on the wire `veth`: the kernel refuses"), "{told}");
    assert_eq!(output.status.code(), Some(0), "{told}");
    // Without the reason in the file it is an error, and never passed over.
    let text = fs::read_to_string(place.dir.path().join("scenarios/wire/raw-runt.json")).unwrap();
    place.write("scenarios/wire/raw-runt.json", &text.replace("\"veth\"", "\"nic\""));
    let output = place.run(&["run", "--on", "veth", "wire/raw-runt"]);
    assert_eq!(output.status.code(), Some(2), "{}", self::told(&output));
}

fn has(program: &str) -> bool {
    let has = veth::program(program).arg("--version").output().is_ok();
    if !has {
        eprintln!("not run: {program} is not installed here");
    }
    has
}

/// Runs scenarios with a kernel in a node's place, if the program that its rules need is there.
fn with_kernel(place: &Place, words: &[&str], swap: &str, program: &str) -> Option<Output> {
    if !has(program) {
        return None;
    }
    let all: Vec<&str> =
        ["run", "--on", "veth", "--swap", swap].iter().chain(words).copied().collect();
    Some(place.run(&all))
}

#[test]
fn the_kernel_gives_the_golden_of_every_reset() {
    let _alone = alone();
    let Some(place) = place() else { return };
    for (reject, program) in [("nft", "nft"), ("iptables", "iptables")] {
        let swap = format!("rejecter=linux,reject={reject}");
        let Some(output) = with_kernel(&place, &["rst"], &swap, program) else { continue };
        let told = told(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 66, "{told}");
    }
}

#[test]
fn the_kernel_forwards_and_rejects_as_the_firewall_does() {
    let _alone = alone();
    let Some(place) = place() else { return };
    for (reject, program) in [("nft", "nft"), ("iptables", "iptables")] {
        let swap = format!("firewall=linux,hook=forward,reject={reject}");
        let Some(output) = with_kernel(&place, &["middlebox"], &swap, program) else { continue };
        let told = told(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 31, "{told}");
        let masked = "ttl-one: conformant, 2 frames, 1 differs under a mask";
        assert!(told.contains(masked) && told.contains("mask ip4.id, ip4.checksum: a k"), "{told}");
    }
}

#[test]
fn a_kernel_that_answers_otherwise_does_not_hold() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let first = &["rst/fin-then-rst"];
    for (swap, word) in [
        ("rejecter=linux,sysctls=net.ipv4.ip_default_ttl=63", "ip4.ttl"),
        ("rejecter=linux,ports=81", "no such frame of rejecter"),
        ("rejecter=linux,rules=tcp dport 80 drop", "no such frame of rejecter"),
    ] {
        let Some(output) = with_kernel(&place, first, swap, "nft") else { return };
        let told = told(&output);
        assert!(output.status.code() == Some(1) && told.contains(word), "{swap}: {told}");
    }
    let swap = "rejecter=linux,rules=no such rule";
    let Some(output) = with_kernel(&place, first, swap, "nft") else { return };
    let told = told(&output);
    assert!(output.status.code() == Some(2) && told.contains("no such rule"), "{told}");
}

#[test]
fn a_mask_for_a_kernel_hides_no_other_bytes() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let swap = "firewall=linux,hook=forward,sysctls=net.ipv4.ip_default_ttl=63";
    let Some(output) = with_kernel(&place, &["middlebox/ttl-later-fragment"], swap, "nft") else {
        return;
    };
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("ip4.ttl  Time to Live  expected 64, got 63"), "{told}");
}

#[test]
fn a_rule_at_another_hook_and_a_closed_port_answer_the_same() {
    let _alone = alone();
    let Some(place) = place() else { return };
    for swap in [
        "rejecter=linux,reject=none",
        "rejecter=linux,hook=prerouting",
        "rejecter=linux,hook=ingress",
    ] {
        let words = &["rst/fin-then-rst", "rst/ip6-fin-then-rst", "rst/ack", "rst/syn"];
        let Some(output) = with_kernel(&place, words, swap, "nft") else { return };
        assert_eq!(output.status.code(), Some(0), "{swap}: {}", told(&output));
    }
}

#[test]
fn a_capture_is_fed_to_a_node_and_to_the_kernel_alike() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let golden = "golden-pcaps/rst/fin-then-rst.pcapng";
    let told = |output: &Output, what: &str| {
        let said = self::told(output);
        assert!(
            output.status.code() == Some(0) && said.contains("1 frame emitted"),
            "{what} {said}"
        );
    };
    for (to, wire) in [("reject", "sim"), ("reject", "veth"), ("linux,reject=nft", "veth")] {
        if to.starts_with("linux") && Command::new("nft").arg("-v").output().is_err() {
            continue;
        }
        let out = format!("{wire}-{}.pcapng", &to[..5]);
        let fed = place.run(&["inject", golden, "--to", to, "--on", wire, "-w", &out]);
        told(&fed, to);
        let shown = self::told(&place.run(&["show", &out]));
        assert!(shown.contains("Flags [R.], seq 0, ack 140"), "{to}: {shown}");
    }
    let refused = place.run(&["inject", golden, "--to", "linux", "-w", "out"]);
    let said = self::told(&refused);
    assert!(refused.status.code() == Some(2) && said.contains("--on veth"), "{said}");
}

#[test]
fn a_kernel_shows_its_settings_and_runs_on_veth_only() {
    let _alone = alone();
    let Some(place) = place() else { return };
    let words = &["-v", "rst/fin-then-rst"];
    let Some(output) = with_kernel(&place, words, "rejecter=linux", "nft") else { return };
    let shown = told(&output);
    for word in ["net.ipv4.ip_default_ttl = 64", "reject with tcp reset"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let simulated = place.run(&["run", "--swap", "rejecter=linux", "rst/fin-then-rst"]);
    let told = told(&simulated);
    assert!(simulated.status.code() == Some(2) && told.contains("--on veth"), "{told}");
}
