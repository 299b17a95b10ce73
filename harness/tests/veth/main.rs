//! The command on the veth wire: the same files with the same goldens, as root and as an ordinary
//! user. Where the machine allows no namespaces, or has not the program, each test counts as
//! ignored, with the reason.

mod edits;
mod hostile;
mod kernels;
mod own;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Output};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;
use testing::{Stop, need, needs, project, told};

/// `nobody`, whom every Debian has.
const ORDINARY: u32 = 65_534;

fn main() -> ExitCode {
    let trials = vec![
        always(
            "every_scenario_that_can_run_has_the_golden_it_has_on_the_simulated_wire",
            every_scenario_that_can_run_has_the_golden_it_has_on_the_simulated_wire,
        ),
        trial("an_ordinary_user_needs_no_privilege", an_ordinary_user_needs_no_privilege),
        trial("an_ordinary_user_has_kernel_nodes", an_ordinary_user_has_kernel_nodes),
        always(
            "where_namespaces_are_forbidden_the_ways_out_are_named",
            where_namespaces_are_forbidden_the_ways_out_are_named,
        ),
        always(
            "a_scenario_that_cannot_run_is_told_with_its_reason",
            a_scenario_that_cannot_run_is_told_with_its_reason,
        ),
        trial("the_kernel_gives_the_golden_of_every_reset_by_nft", |place| resets(place, "nft")),
        trial("the_kernel_gives_the_golden_of_every_reset_by_iptables", |place| {
            resets(place, "iptables")
        }),
        trial("the_kernel_forwards_and_rejects_as_the_firewall_does_by_nft", |place| {
            forwards(place, "nft")
        }),
        trial("the_kernel_forwards_and_rejects_as_the_firewall_does_by_iptables", |place| {
            forwards(place, "iptables")
        }),
        trial(
            "a_kernel_that_answers_otherwise_does_not_hold",
            a_kernel_that_answers_otherwise_does_not_hold,
        ),
        trial("a_mask_for_a_kernel_hides_no_other_bytes", a_mask_for_a_kernel_hides_no_other_bytes),
        trial(
            "a_rule_at_another_hook_and_a_closed_port_answer_the_same",
            a_rule_at_another_hook_and_a_closed_port_answer_the_same,
        ),
        always(
            "a_capture_is_fed_to_a_node_on_both_wires",
            a_capture_is_fed_to_a_node_on_both_wires,
        ),
        trial("a_capture_is_fed_to_the_kernel_alike", a_capture_is_fed_to_the_kernel_alike),
        trial(
            "a_kernel_shows_its_settings_and_runs_on_veth_only",
            a_kernel_shows_its_settings_and_runs_on_veth_only,
        ),
    ];
    let trials = [trials, own::trials(), hostile::trials(), kernels::trials(), edits::trials()];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

type Test = fn(&Place) -> Result<(), Stop>;

/// A test that takes nothing but the wire.
fn always(name: &str, test: fn(&Place)) -> Trial {
    named(name, move |place| {
        test(place);
        Ok(())
    })
}

fn trial(name: &str, test: Test) -> Trial {
    named(name, test)
}

/// One at a time: the tests below count what the whole machine has.
fn named(name: &str, test: impl Fn(&Place) -> Result<(), Stop> + Send + 'static) -> Trial {
    static ALONE: Mutex<()> = Mutex::new(());
    testing::trial(name, move || {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        test(&place()?)
    })
}

/// The command and the scenarios where every user may read them.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("wireproof-").tempdir().expect("a folder");
        let top = project();
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

/// The place, unless the machine forbids the wire.
fn place() -> Result<Place, Stop> {
    let place = Place::new();
    let first = place.run(&["run", "--on", "veth", "rst/fin-then-rst"]);
    let told = told(&first);
    if let Some(refused) = needs::namespaces_by(&told) {
        assert_eq!(first.status.code(), Some(2), "{told}");
        return Err(Stop::Ignored(refused));
    }
    assert_eq!(first.status.code(), Some(0), "{told}");
    Ok(place)
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

fn every_scenario_that_can_run_has_the_golden_it_has_on_the_simulated_wire(place: &Place) {
    everything_holds(&place.run(&["run", "--on", "veth"]));
}

/// What the command does as an ordinary user, unless the machine allows that one no namespaces.
fn as_ordinary(place: &Place, words: &[&str]) -> Result<Output, Stop> {
    let mut command = place.command(words);
    // Whoever is ordinary already stays so. Programs of root's are not on the way of others.
    if fs::metadata("/proc/self").expect("a process").uid() == 0 {
        command.uid(ORDINARY).gid(ORDINARY).env("PATH", "/usr/bin:/bin");
    }
    let output = command.output().expect("it runs");
    need(needs::namespaces_by(&told(&output)))?;
    Ok(output)
}

fn an_ordinary_user_needs_no_privilege(place: &Place) -> Result<(), Stop> {
    everything_holds(&as_ordinary(place, &["run", "--on", "veth"])?);
    Ok(())
}

fn an_ordinary_user_has_kernel_nodes(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    let swap = "rejecter=linux,reject=nft";
    let output = as_ordinary(place, &["run", "--on", "veth", "rst/ack", "--swap", swap])?;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let doctor = told(&as_ordinary(place, &["doctor"])?);
    assert!(doctor.contains("ok       nft"), "{doctor}");
    Ok(())
}

fn where_namespaces_are_forbidden_the_ways_out_are_named(place: &Place) {
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

fn a_scenario_that_cannot_run_is_told_with_its_reason(place: &Place) {
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

fn has(program: &str) -> Result<(), Stop> {
    need(needs::rules_by(program))
}

/// Runs scenarios with a kernel in a node's place, if the program that its rules need is there.
fn with_kernel(place: &Place, words: &[&str], swap: &str, program: &str) -> Result<Output, Stop> {
    has(program)?;
    let all: Vec<&str> =
        ["run", "--on", "veth", "--swap", swap].iter().chain(words).copied().collect();
    Ok(place.run(&all))
}

/// Every reset by the rules of a program.
fn resets(place: &Place, reject: &str) -> Result<(), Stop> {
    let swap = format!("rejecter=linux,reject={reject}");
    let output = with_kernel(place, &["rst"], &swap, reject)?;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 66, "{told}");
    Ok(())
}

/// Every scenario of a middlebox by the rules of a program.
fn forwards(place: &Place, reject: &str) -> Result<(), Stop> {
    let swap = format!("firewall=linux,hook=forward,reject={reject}");
    let output = with_kernel(place, &["middlebox"], &swap, reject)?;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 31, "{told}");
    let masked = "ttl-one: conformant, 2 frames, 1 differs under a mask";
    assert!(told.contains(masked) && told.contains("mask ip4.id, ip4.checksum: a k"), "{told}");
    Ok(())
}

fn a_kernel_that_answers_otherwise_does_not_hold(place: &Place) -> Result<(), Stop> {
    let first = &["rst/fin-then-rst"];
    for (swap, word) in [
        ("rejecter=linux,sysctls=net.ipv4.ip_default_ttl=63", "ip4.ttl"),
        ("rejecter=linux,ports=81", "no such frame of rejecter"),
        ("rejecter=linux,rules=tcp dport 80 drop", "no such frame of rejecter"),
    ] {
        let output = with_kernel(place, first, swap, "nft")?;
        let told = told(&output);
        assert!(output.status.code() == Some(1) && told.contains(word), "{swap}: {told}");
    }
    let swap = "rejecter=linux,rules=no such rule";
    let output = with_kernel(place, first, swap, "nft")?;
    let told = told(&output);
    assert!(output.status.code() == Some(2) && told.contains("no such rule"), "{told}");
    Ok(())
}

fn a_mask_for_a_kernel_hides_no_other_bytes(place: &Place) -> Result<(), Stop> {
    let swap = "firewall=linux,hook=forward,sysctls=net.ipv4.ip_default_ttl=63";
    let output = with_kernel(place, &["middlebox/ttl-later-fragment"], swap, "nft")?;
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("ip4.ttl  Time to Live  expected 64, got 63"), "{told}");
    Ok(())
}

fn a_rule_at_another_hook_and_a_closed_port_answer_the_same(place: &Place) -> Result<(), Stop> {
    for swap in [
        "rejecter=linux,reject=none",
        "rejecter=linux,hook=prerouting",
        "rejecter=linux,hook=ingress",
    ] {
        let words = &["rst/fin-then-rst", "rst/ip6-fin-then-rst", "rst/ack", "rst/syn"];
        let output = with_kernel(place, words, swap, "nft")?;
        assert_eq!(output.status.code(), Some(0), "{swap}: {}", told(&output));
    }
    Ok(())
}

/// A node is fed the golden's FIN, and emits its reset.
fn fed(place: &Place, to: &str, wire: &str) {
    let golden = "golden-pcaps/rst/fin-then-rst.pcapng";
    let out = format!("{wire}-{}.pcapng", &to[..5]);
    let output = place.run(&["inject", golden, "--to", to, "--on", wire, "-w", &out]);
    let said = told(&output);
    assert!(output.status.code() == Some(0) && said.contains("1 frame emitted"), "{to} {said}");
    let shown = told(&place.run(&["show", &out]));
    assert!(shown.contains("Flags [R.], seq 0, ack 140"), "{to}: {shown}");
}

fn a_capture_is_fed_to_a_node_on_both_wires(place: &Place) {
    fed(place, "reject", "sim");
    fed(place, "reject", "veth");
    let golden = "golden-pcaps/rst/fin-then-rst.pcapng";
    let refused = place.run(&["inject", golden, "--to", "linux", "-w", "out"]);
    let said = told(&refused);
    assert!(refused.status.code() == Some(2) && said.contains("--on veth"), "{said}");
}

fn a_capture_is_fed_to_the_kernel_alike(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    fed(place, "linux,reject=nft", "veth");
    Ok(())
}

fn a_kernel_shows_its_settings_and_runs_on_veth_only(place: &Place) -> Result<(), Stop> {
    let words = &["-v", "rst/fin-then-rst"];
    let output = with_kernel(place, words, "rejecter=linux", "nft")?;
    let shown = told(&output);
    for word in ["net.ipv4.ip_default_ttl = 64", "reject with tcp reset"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let simulated = place.run(&["run", "--swap", "rejecter=linux", "rst/fin-then-rst"]);
    let told = told(&simulated);
    assert!(simulated.status.code() == Some(2) && told.contains("--on veth"), "{told}");
    Ok(())
}
