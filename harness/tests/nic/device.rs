//! A device at the other end of a cable, as far as a machine of one's own has one: a veth pair, one
//! end of it beside the command under test, the other in a network namespace that a process of its
//! own holds. Who answers there is the kernel, another `wireproof`, or nobody.

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) use testing::{project, told, wait};

/// Numbers the cables of this process, whose tests run side by side.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a line of a shell, which must end well.
pub(crate) fn sh(line: &str) -> String {
    let output = Command::new("sh").args(["-ec", line]).output().expect("a shell");
    let told = told(&output);
    assert!(output.status.success(), "{line}: {told}");
    told
}

/// The command, at our end of the cables.
pub(crate) fn wireproof(words: &[&str]) -> Command {
    // Whoever ignores a signal has its children ignore it too: then nothing would end.
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_wireproof")]);
    command.args(words).current_dir(project()).env("NO_COLOR", "1");
    command
}

/// Runs it to its end: its exit code and all that it said.
pub(crate) fn run(words: &[&str]) -> (Option<i32>, String) {
    let output = wireproof(words).output().expect("the command");
    (output.status.code(), told(&output))
}

/// The namespace of the device, for as long as this lasts, and its cables.
pub(crate) struct Device {
    holder: Child,
    /// Our ends: names of interfaces beside the command under test.
    pub(crate) near: Vec<String>,
    /// The device's own names of the other ends.
    pub(crate) far: Vec<String>,
}

impl Device {
    /// A device with so many cables, all up, its kernel without addresses and without a word.
    pub(crate) fn with_cables(count: usize) -> Self {
        let holder = Command::new("unshare")
            .args(["-n", "sleep", "600"])
            .stdout(Stdio::null())
            .spawn()
            .expect("util-linux");
        let mut device = Self { holder, near: Vec::new(), far: Vec::new() };
        let link = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let ours = link(std::process::id());
        for _ in 0..500 {
            if link(device.holder.id()).is_some_and(|net| Some(&net) != ours.as_ref()) {
                break;
            }
            wait(Duration::from_millis(10));
        }
        device.quiet();
        for _ in 0..count {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let (near, far) = (format!("near{number}"), format!("far{number}"));
            let pid = device.holder.id();
            sh(&format!(
                "ip link add {near} type veth peer name {far} netns {pid}; \
                 echo 1 > /proc/sys/net/ipv6/conf/{near}/disable_ipv6; ip link set {near} up"
            ));
            device.sh(&format!("ethtool -K {far} tx off; ip link set {far} up"));
            device.near.push(near);
            device.far.push(far);
        }
        device
    }

    fn quiet(&self) {
        self.sh("for which in all default; do \
                   cd /proc/sys/net/ipv6/conf/$which; \
                   echo 0 > accept_dad; echo 0 > router_solicitations; echo 1 > addr_gen_mode; \
                 done 2>/dev/null || true");
    }

    /// Runs a line of a shell in the device's namespace.
    pub(crate) fn sh(&self, line: &str) -> String {
        let output = self.command("sh").args(["-ec", line]).output().expect("util-linux");
        let told = told(&output);
        assert!(output.status.success(), "{line}: {told}");
        told
    }

    /// A program in the device's namespace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let pid = self.holder.id().to_string();
        command.args(["-t", &pid, "-n", "--", program]).current_dir(project()).env("NO_COLOR", "1");
        command
    }

    /// Another `wireproof` as the device, which is listening when this returns.
    pub(crate) fn wireproof(&self, words: &[&str]) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_wireproof"));
        let command = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the command");
        let far = &self.far[0];
        self.listens(|| self.sh(&format!("ip -d link show {far}")));
        child
    }

    /// Our end is listened to when this returns.
    pub(crate) fn near_listens(&self) {
        let near = &self.near[0];
        self.listens(|| sh(&format!("ip -d link show {near}")));
    }

    fn listens(&self, show: impl Fn() -> String) {
        for _ in 0..500 {
            if !show().contains("promiscuity 0") {
                return;
            }
            wait(Duration::from_millis(10));
        }
        panic!("nobody listens: {}", show());
    }

    /// How many listen to all frames of our end, by the kernel's count.
    pub(crate) fn promiscuity(&self) -> String {
        let shown = sh(&format!("ip -d link show {}", self.near[0]));
        let (_, count) = shown.split_once("promiscuity ").expect("ip's word");
        count.split_whitespace().next().unwrap_or("").to_owned()
    }

    /// The kernel answers as the scenarios' `rejecter` and `server`: every TCP segment is rejected.
    pub(crate) fn rejecting() -> Self {
        let device = Self::with_cables(1);
        let far = &device.far[0];
        device.addressed("02:00:00:00:00:02", "10.0.0.2/24", "fd00::2/64");
        device.sh(&format!(
            "for at in 10.0.0.1 fd00::1; do \
               ip neigh add $at lladdr 02:00:00:00:00:01 dev {far} nud permanent; \
             done; {REJECT}"
        ));
        device
    }

    /// Addresses for the first cable.
    pub(crate) fn addressed(&self, mac: &str, ip4: &str, ip6: &str) {
        let far = &self.far[0];
        self.sh(&format!(
            "ip link set {far} address {mac}; ip addr add {ip4} dev {far}; \
             ip addr add {ip6} dev {far} nodad"
        ));
    }
}

/// Set, this program is a device itself: `listen` holds TCP port 80 open, `stack` is the command
/// with one kind more, the [minimal stack](crate::stack).
const AS_DEVICE: &str = "WIREPROOF_TEST_DEVICE";

/// Runs as a device where this process is to be one.
pub(crate) fn as_one() -> Option<ExitCode> {
    match std::env::var(AS_DEVICE).ok()?.as_str() {
        "listen" => {
            let listeners = ["0.0.0.0:80", "[::]:80"].map(std::net::TcpListener::bind);
            assert!(listeners.iter().any(Result::is_ok), "{listeners:?}");
            wait(Duration::from_secs(600));
            Some(ExitCode::SUCCESS)
        }
        _ => {
            let mut registry = wireproof::nodes::Registry::standard();
            registry.register(crate::stack::kind());
            Some(wireproof::main(registry))
        }
    }
}

/// A process that ends with the test that began it.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Device {
    /// The kernel answers for itself, with no rule: every port is closed. It has to ask for our
    /// addresses.
    pub(crate) fn stock() -> Self {
        let device = Self::with_cables(1);
        device.addressed("02:00:00:00:00:02", "10.0.0.2/24", "fd00::2/64");
        device
    }

    /// This program in the device's namespace.
    fn as_device(&self, what: &str, words: &[&str]) -> Running {
        let program = std::env::current_exe().expect("this program");
        let mut command = self.command(program.to_str().expect("a path in UTF-8"));
        command.args(words).env(AS_DEVICE, what);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("this program"))
    }

    /// The kernel listens on TCP port 80 when this returns.
    pub(crate) fn listening(&self) -> Running {
        let running = self.as_device("listen", &[]);
        for _ in 0..500 {
            // Port 80, in the state LISTEN.
            if self.sh("cat /proc/net/tcp /proc/net/tcp6").contains(":0050 ") {
                return running;
            }
            wait(Duration::from_millis(10));
        }
        panic!("nobody listens on port 80");
    }

    /// The minimal stack with these options answers on the first cable when this returns.
    pub(crate) fn minimal(&self, file: &Path, options: &str) -> Running {
        let text = format!(
            r#"{{ "title": "A minimal stack as the device", "cites": ["wireproof"],
                 "nodes": {{ "a": {{ "kind": "tester", "mac": "02:00:00:00:00:01",
                                     "ip": "10.0.0.1" }},
                   "b": {{ "kind": "minimal", "mac": "02:00:00:00:00:02", "ip": "10.0.0.2",
                           "arp": true{options} }} }},
                 "links": [{{ "ends": ["a", "b"] }}], "steps": [{{ "wait": "10m" }}] }}"#
        );
        std::fs::write(file, text).expect("a file");
        let file = file.to_str().expect("a path in UTF-8");
        let far = &self.far[0];
        let words = ["run", file, "--no-golden", "--on", "nic", "--iface", far, "--node", "b"];
        let running = self.as_device("stack", &words);
        self.listens(|| self.sh(&format!("ip -d link show {far}")));
        running
    }
}

/// A rule as the scenarios have it.
pub(crate) const REJECT: &str = "nft 'table inet t { chain c { \
     type filter hook input priority 0; meta l4proto tcp reject with tcp reset; }; }'";

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
