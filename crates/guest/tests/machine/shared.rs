//! What one machine can show to many tests.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use guest::{Config, Error, Image, Machine, Nic};
use libtest_mimic::Trial;
use testing::{Outcome, Stop, found};
use wire::{Duration, Mac};

/// Booted by the first test that asks for it.
static MACHINE: Mutex<Option<Machine>> = Mutex::new(None);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        shared("runs_scripts_and_tells_their_status", runs_scripts_and_tells_their_status),
        shared("runs_in_a_qemu_without_privileges", runs_in_a_qemu_without_privileges),
        shared("carries_frames_byte_for_byte", carries_frames_byte_for_byte),
        shared("empties_everything_of_the_network", empties_everything_of_the_network),
        shared("loads_rules_of_nft", loads_rules_of_nft),
        shared("loads_rules_of_iptables", loads_rules_of_iptables),
        shared("has_what_rules_at_every_hook_need", has_what_rules_at_every_hook_need),
        shared("tells_what_the_kernel_warns_of_once", tells_what_the_kernel_warns_of_once),
        shared("has_the_modules_that_were_brought_along", has_the_modules_that_were_brought_along),
    ]
}

/// A test on the machine that all of them share, emptied for it.
fn shared<T: Outcome + 'static>(name: &str, test: fn(&mut Machine) -> T) -> Trial {
    crate::trial(name, move || {
        let mut place = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = match &mut *place {
            Some(machine) => machine,
            None => {
                let modules = dummy().into_iter().collect();
                place.insert(Machine::boot(&Config { modules, ..config("shared") })?)
            }
        };
        machine.fresh()?;
        let done = test(machine).outcome();
        machine.health()?;
        done
    })
}

/// A machine with two ports and a console of its own.
pub(crate) fn config(name: &str) -> Config {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let console = folder.join(format!("{name}-{}.console", std::process::id()));
    Config::new(Image::find().expect("a kernel"), 2, console)
}

fn nic(port: usize, name: &str) -> Nic {
    Nic { port, name: name.to_owned(), mac: Mac([2, 0, 0, 0, 0, port as u8 + 1]), mtu: 1500 }
}

fn runs_scripts_and_tells_their_status(machine: &mut Machine) {
    let mut run = |script: &str| match machine.run(script) {
        Ok(output) => (0, output),
        Err(Error::Refused { status, output }) => (status, output),
        Err(error) => panic!("{script}: {error}"),
    };
    assert_eq!(run("echo \"it's $((6 * 7))\"; echo b >&2"), (0, "it's 42\nb\n".into()));
    assert_eq!(run("echo a; exit 3"), (3, "a\n".into()));
    assert_eq!(run("cd /proc; set -e; false; echo no"), (1, String::new()));
    assert_eq!(run("pwd; cat"), (0, "/\n".into()));
    let (status, output) = run("if");
    assert!(status == 2 && output.contains("syntax error"), "{status} {output}");
    let (status, output) = run("no-such-program");
    assert!(status == 127 && output.contains("not found"), "{status} {output}");
    let long = format!("true {}; echo é", "x".repeat(100_000));
    assert_eq!(run(&long), (0, "é\n".into()));
    let (status, output) = run("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
    assert_eq!((status, output.lines().count()), (0, 5000));
}

fn runs_in_a_qemu_without_privileges(machine: &mut Machine) {
    let place = PathBuf::from(format!("/proc/{}", machine.id()));
    let status = std::fs::read_to_string(place.join("status")).expect("its status");
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("none");
        line.split_whitespace().next().unwrap_or("none").to_owned()
    };
    // Its calls are filtered, in all of its threads, and no program gives it more than it has.
    assert_eq!((value("Seccomp:").as_str(), value("NoNewPrivs:").as_str()), ("2", "1"), "{status}");
    let none = "0000000000000000";
    for kind in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(value(kind), none, "{kind} {status}");
    }
    let ours = std::fs::metadata("/proc/self").expect("a process");
    let is_root = std::os::unix::fs::MetadataExt::uid(&ours) == 0;
    let maps = std::fs::read_to_string("/proc/self/uid_map").expect("a map");
    if is_root && maps.split_whitespace().eq(["0", "0", "4294967295"]) {
        assert_eq!(
            (value("Uid:").as_str(), value("Gid:").as_str()),
            ("65534", "65534"),
            "{status}"
        );
        assert_eq!(value("CapBnd:"), none, "{status}");
    }
    let environment = std::fs::read(place.join("environ")).expect("its environment");
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let mut names: Vec<&str> =
        environment.split('\0').filter_map(|word| Some(word.split_once('=')?.0)).collect();
    // The shell that starts it adds the folder.
    names.retain(|name| *name != "PWD");
    names.sort_unstable();
    assert_eq!(names, ["LC_ALL", "PATH"]);
    assert_eq!(std::fs::read_link(place.join("cwd")).expect("its folder"), PathBuf::from("/"));
}

/// Asks the guest for its address, and waits for the answer.
fn ask(machine: &Machine, port: usize, address: [u8; 4]) -> bool {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0xfe, 0, 0, 0, 9, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0xfe, 0, 0, 0, 9]);
    frame.extend([0; 10]);
    frame.extend(address);
    machine.port(port).send(&frame).expect("send");
    let mut came = Vec::new();
    while machine.port(port).wait(&mut came, Duration::from_secs(2)).expect("receive") {
        if came[12..14] == [0x08, 0x06] && came[20..22] == [0, 2] {
            assert_eq!(came.len(), 42);
            assert_eq!(came[..12], [2, 0xfe, 0, 0, 0, 9, 2, 0, 0, 0, 0, port as u8 + 1]);
            assert_eq!(came[28..32], address);
            return true;
        }
    }
    false
}

fn carries_frames_byte_for_byte(machine: &mut Machine) {
    // The names are those of each other's first, so none may be in the way of another.
    machine.plug(&[nic(0, "eth1"), nic(1, "eth0")]).expect("plug");
    machine.run("ip addr add 10.0.0.2/24 dev eth1; ip addr add 10.0.1.2/24 dev eth0").expect("set");
    for port in [0, 1, 0] {
        assert!(ask(machine, port, [10, 0, port as u8, 2]), "port {port}");
    }
    assert!(matches!(machine.port(0).send(&[0; 13]), Err(Error::Plan(_))));
}

fn empties_everything_of_the_network(machine: &mut Machine) {
    machine.plug(&[nic(0, "a")]).expect("plug");
    let fill = "ip addr add 10.0.0.2/24 dev a; ip route add default via 10.0.0.1; \
                echo 7 >/proc/sys/net/ipv4/ip_default_ttl; nc -l -p 99 & \
                ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev a; sleep 1000 &";
    machine.run(&format!("{{ {fill} }} >/dev/null 2>&1")).expect("fill");
    let look = "cat /proc/sys/net/ipv4/ip_default_ttl; ip addr | grep -c link/ether; ip route; \
                ip neigh; netstat -tln | grep :99; ps | grep -v grep | grep -c 'sleep 1000'; true";
    let before = machine.run(look).expect("look");
    assert!(before.starts_with("7\n1\n") && before.contains(":99"), "{before}");
    machine.fresh().expect("empty");
    assert_eq!(machine.run(look).expect("look"), "64\n0\n0\n");
    machine.plug(&[nic(0, "b"), nic(1, "a")]).expect("plug again");
    assert!(!ask(machine, 0, [10, 0, 0, 2]));
    assert!(matches!(machine.plug(&[nic(0, "c")]), Err(Error::Plan(_))));
}

fn loads_rules_of_nft(machine: &mut Machine) -> Result<(), Stop> {
    assert!(matches!(Machine::tool("tcpdump"), Err(Error::Plan(_))));
    let script = "nft add table inet x && nft list ruleset";
    loads(machine, "nft", script, "table inet x")
}

fn loads_rules_of_iptables(machine: &mut Machine) -> Result<(), Stop> {
    let script = "iptables-restore <<E && iptables -S\n*filter\n-A INPUT -p tcp --dport 80:90 -j \
                  REJECT --reject-with tcp-reset\nCOMMIT\nE";
    let sign = "--dport 80:90 -j REJECT --reject-with tcp-reset";
    loads(machine, "iptables-restore", script, sign)
}

fn loads(machine: &mut Machine, tool: &str, script: &str, sign: &str) -> Result<(), Stop> {
    found(Machine::tool(tool))?;
    machine.plug(&[nic(0, "a")]).expect("plug");
    let output = machine.run(script).unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.contains(sign), "{output}");
    Ok(())
}

fn has_what_rules_at_every_hook_need(machine: &mut Machine) -> Result<(), Stop> {
    machine.plug(&[nic(0, "a")]).expect("plug");
    found(Machine::tool("nft"))?;
    for hook in ["input", "prerouting", "forward", "ingress device a"] {
        // What connection a packet is of is not known yet where frames come in.
        let state = if hook.starts_with("ingress") { "" } else { "ct state new" };
        let rules = format!(
            "table inet x {{ chain c {{ type filter hook {hook} priority 0; tcp dport {{ 80, \
             90-99 }} {state} limit rate 9/second counter log reject with tcp reset; }}; }}"
        );
        let loaded = machine.run(&format!("nft -f - <<'E' && nft delete table inet x\n{rules}\nE"));
        loaded.unwrap_or_else(|error| panic!("{hook}: {error}"));
    }
    Ok(())
}

fn tells_what_the_kernel_warns_of_once(machine: &mut Machine) {
    machine.run("echo '<4>WARNING: CPU: 0 PID: 1 at a.c:1' >/dev/kmsg").expect("write");
    // The console's file is written by QEMU, some time after the guest has written to its port.
    let told = (0..200).find_map(|_| {
        machine.run("true").expect("wait");
        machine.health().err()
    });
    let says = |text: &str| text.contains("WARNING: CPU: 0 PID: 1 at a.c:1");
    assert!(matches!(&told, Some(Error::Warning(text)) if says(text)), "{told:?}");
    machine.health().expect("told once");
    machine.run("echo '<6>WARNING: is told by its level too' >/dev/kmsg").expect("write");
}

fn has_the_modules_that_were_brought_along(machine: &mut Machine) -> Result<(), Stop> {
    let none = || Stop::Ignored("this kernel has no dummy.ko".into());
    let file = dummy().ok_or_else(none)?;
    assert!(!machine.run("lsmod").expect("list").contains("dummy"));
    machine.run("insmod /modules/dummy.ko && rmmod dummy").expect("load");
    let size = std::fs::metadata(file).expect("size").len();
    assert_eq!(machine.run("stat -c %s /modules/dummy.ko").expect("stat"), format!("{size}\n"));
    Ok(())
}

/// A module of the kernel that no guest loads by itself.
fn dummy() -> Option<PathBuf> {
    let folder = Image::find().ok()?.modules;
    Some(folder.join("kernel/drivers/net/dummy.ko")).filter(|file| file.is_file())
}
