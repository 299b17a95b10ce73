//! Nothing is left behind on the veth wire, whatever ends a run, and nothing of the host is
//! touched: its interfaces, addresses, routes, settings and rules are the same before and after.
//!
//! The command under test is this very program, with a kind of node more, that panics. Where the
//! machine allows no namespaces, the tests count as ignored, with the reason.

mod host;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Output, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed};
use tempfile::TempDir;
use testing::{Stop, need, needs, told, trial_if, wait};
use wireproof::link::{Command as Order, CommandError, Node, PortIndex, Transmit};
use wireproof::nodes::{Kind, Registry, Role, in_process};
use wireproof::wire::Instant;

use host::Host;

/// Set, this program is the command.
const AS_COMMAND: &str = "WIREPROOF_AS_COMMAND";

type Outcome = Result<(), Stop>;

fn main() -> ExitCode {
    if std::env::var_os(AS_COMMAND).is_some() {
        let mut registry = Registry::standard();
        let about = "panics at the first frame";
        registry.register(Kind::new("boom", about, |_, _| {
            Ok(in_process(Role::Other, |_| Box::new(Boom)))
        }));
        return wireproof::main(registry);
    }
    let mut arguments = Arguments::from_args();
    // Each looks at the whole machine.
    arguments.test_threads = Some(1);
    let refused = if arguments.list { None } else { refused() };
    let trial = |name: &str, run: fn() -> Outcome| trial_if(refused.as_ref(), name, run);
    let trials = vec![
        trial("what_is_left_would_be_seen", would_be_seen),
        trial("after_success", || ended(&["run", "--on", "veth", "good"], 0, "ok ")),
        trial("after_failure", || ended(&["run", "--on", "veth", "bad"], 1, "FAIL bad")),
        trial("after_a_nodes_panic", || {
            ended(&["run", "--on", "veth", "boom"], 1, "b panicked at 0.000010000: no such luck")
        }),
        trial("after_an_error", || ended(&["run", "--on", "veth", "gone"], 2, "gone")),
        trial("after_a_kernel_answered", || kernel(&["run", "--on", "veth", "kernel"])),
        trial("after_ctrl_c", || killed("INT", "long")),
        trial("after_sigterm", || killed("TERM", "long")),
        trial("after_kill_9", || killed("KILL", "long")),
        trial("after_kill_9_with_a_kernel", || killed("KILL", "long-kernel")),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Panics at the first frame.
struct Boom;

impl Node for Boom {
    fn handle_frame(&mut self, _: Instant, _: PortIndex, _: &[u8]) {
        panic!("no such luck");
    }

    fn handle_command(&mut self, _: Instant, _: &Order) -> Result<(), CommandError> {
        Err(CommandError("it does nothing".into()))
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        None
    }
}

/// Why the machine allows no veth wire.
fn refused() -> Option<String> {
    let output = Place::new().run(&["run", "--on", "veth", "good"]);
    needs::namespaces_by(&told(&output))
}

/// A folder of scenarios, in which the command runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let send = r#"{ "node": "a", "send": { "tcp": { "src": 4000, "dst": 80 } } }"#;
        let expect = r#"{ "within": "1ms", "from": "b", "expect": { "tcp": {} } }"#;
        let wait = r#"{ "wait": "10m" }"#;
        for (name, second, step) in [
            ("good", "sink", send),
            ("bad", "sink", expect),
            ("boom", "boom", send),
            ("kernel", "linux", send),
            ("long", "sink", wait),
            ("long-kernel", "linux", wait),
        ] {
            let text = format!(
                r#"{{ "title": "Something that ends", "cites": ["wireproof"],
                "nodes": {{ "a": {{ "kind": "tester" }}, "b": {{ "kind": "{second}" }} }},
                "links": [{{ "ends": ["a", "b"], "delay": "10us" }}],
                "steps": [{step}] }}"#
            );
            place.write(&format!("scenarios/{name}.json"), &text);
        }
        fs::create_dir(place.0.path().join("golden-pcaps")).expect("a folder");
        place
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.0.path().join(below);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn command(&self, words: &[&str]) -> Command {
        // Whoever ignores a signal has its children ignore it too, as `nohup` and shells in the
        // background do: then nothing would end.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,TERM").arg(std::env::current_exe().expect("it runs"));
        command.args(words).arg("--no-golden").current_dir(self.0.path()).env(AS_COMMAND, "1");
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("it runs")
    }

    /// Nobody works in the folder any more.
    fn is_left(&self) -> bool {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let here = |process: fs::DirEntry| fs::read_link(process.path().join("cwd")).ok();
        let here: Vec<_> = processes.filter_map(here).filter(|cwd| cwd == self.0.path()).collect();
        here.is_empty()
    }
}

/// Runs the command to its end; then all is as it was.
fn ended(words: &[&str], code: i32, word: &str) -> Outcome {
    let place = Place::new();
    let before = Host::now();
    let output = place.run(words);
    let told = told(&output);
    if output.status.code() != Some(code) || !told.contains(word) {
        return Err(format!("{}, {told}", output.status).into());
    }
    as_before(&place, &before)
}

fn kernel(words: &[&str]) -> Outcome {
    need(needs::rules_by("nft"))?;
    ended(words, 0, "ok ")
}

/// Ends the command by a signal while it runs; then all is as it was.
fn killed(signal: &str, scenario: &str) -> Outcome {
    if scenario.contains("kernel") {
        need(needs::rules_by("nft"))?;
    }
    let place = Place::new();
    let before = Host::now();
    let mut command = place.command(&["run", "--on", "veth", scenario]);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let runs = in_namespaces(&running);
    let pid = running.id().to_string();
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status()?;
    let status = end_of(&mut running, signal)?;
    if !runs || !sent.success() || (status.signal().is_none() && status.code() == Some(0)) {
        return Err(format!("it did not run ({runs}), or ended otherwise: {status}").into());
    }
    as_before(&place, &before)
}

/// How the command ended, within a minute.
fn end_of(running: &mut Child, signal: &str) -> Result<ExitStatus, Failed> {
    for _ in 0..3_000 {
        if let Some(status) = running.try_wait()? {
            return Ok(status);
        }
        wait(Duration::from_millis(20));
    }
    running.kill()?;
    running.wait()?;
    Err(format!("it goes on a minute after SIG{signal}").into())
}

/// A process that works in the folder, and an interface that the host did not have.
fn would_be_seen() -> Outcome {
    let place = Place::new();
    let mut left = Command::new("sleep").arg("60").current_dir(place.0.path()).spawn()?;
    let seen = !place.is_left();
    left.kill()?;
    left.wait()?;
    let host = Host::now();
    let other = host.with("interfaces", "lo eth9");
    if !seen || !place.is_left() || host == other || !host.difference(&other).contains("eth9") {
        return Err("it is not".into());
    }
    // What the host learned of its neighbours by itself is no trace of ours; an entry that somebody
    // set is.
    let head = "IP address HW type Flags HW address Mask Device\n";
    let line = |flags: &str| format!("10.0.0.9 0x1 {flags} 02:00:00:00:00:09 * eth0\n");
    let [none, learned, failed, set] =
        ["", &line("0x2"), &line("0x0"), &line("0x6")].map(|lines| format!("{head}{lines}"));
    let seen = host::neighbours(&none);
    if [learned, failed].iter().any(|text| host::neighbours(text) != seen)
        || host::neighbours(&set) == seen
    {
        return Err("neighbours are not told apart".into());
    }
    Ok(())
}

fn as_before(place: &Place, before: &Host) -> Outcome {
    // The kernel takes namespaces down behind the back of whoever ended.
    for _ in 0..500 {
        if place.is_left() && Host::now() == *before {
            return Ok(());
        }
        wait(Duration::from_millis(20));
    }
    let left = if place.is_left() { "" } else { "a process is left; " };
    Err(format!("{left}{}", Host::now().difference(before)).into())
}

/// The process holds the namespaces and sockets of a scenario.
fn in_namespaces(running: &Child) -> bool {
    let fds = Path::new("/proc").join(running.id().to_string()).join("fd");
    let held = || {
        let links = fs::read_dir(&fds).into_iter().flatten().flatten();
        let links = links.flat_map(|fd| fs::read_link(fd.path()));
        links.filter(|link| link.to_string_lossy().starts_with("net:[")).count()
    };
    for _ in 0..500 {
        if held() >= 3 {
            // Laid and, by then, waiting.
            wait(Duration::from_millis(50));
            return true;
        }
        wait(Duration::from_millis(20));
    }
    false
}
