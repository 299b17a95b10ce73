//! Guests in the places of nodes, from the command: the same files with the same goldens, without a
//! privilege, in any mix with other nodes, no pass when one ends before its run, and nothing built
//! because of where a folder lies. Where no machine can be booted, or no module be built, each test
//! counts as ignored, with the reason.

mod hostile;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use testing::{Outcome, Stop, need, needs, project, told, wait};
use wireproof::golden;
use wireproof::wire::{Capture, FrameId, Instant, pcapng};

fn main() -> ExitCode {
    let trials = vec![
        alone("a_guest_gives_the_golden_of_every_reset", every_reset),
        alone("a_guest_forwards_and_rejects_as_the_firewall_does", forwards),
        alone("a_guest_that_answers_otherwise_does_not_hold", answers_otherwise),
        with_modules("modules_give_the_goldens_of_the_nodes_whose_place_they_take", modules),
        with_modules("fin_then_rst_is_the_same_in_any_mix", any_mix),
        with_modules("fin_then_rst_is_the_same_in_any_mix_on_veth", any_mix_on_veth),
        alone("a_capture_is_fed_to_a_guest", fed),
        alone("a_machine_that_is_killed_is_never_a_pass_and_none_outlives_its_run", killed),
        with_modules("a_guest_by_the_links_clock_gives_the_same_goldens", links_clock),
        with_modules("what_a_guest_says_again_comes_at_its_time", says_again),
        trial("a_repository_has_nothing_built_and_runs_no_command", hostile::run),
        trial("an_explicit_build_obeys_nothing_but_its_own_sources", hostile::build),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that takes a machine. One at a time: each has two machines for its two workers.
fn trial(name: &str, test: impl FnOnce() -> Result<(), Stop> + Send + 'static) -> Trial {
    static ALONE: Mutex<()> = Mutex::new(());
    testing::trial(name, move || {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        need(needs::machine())?;
        test()
    })
}

/// A test that takes modules too, which are built before it where that can be done.
fn with_modules<T: Outcome + 'static>(name: &str, test: fn() -> T) -> Trial {
    trial(name, move || {
        has_built(&command(&["modules", "build"]).output()?)?;
        test().outcome()
    })
}

/// One that takes a machine alone, and holds unless it panics.
fn alone(name: &str, test: fn()) -> Trial {
    trial(name, move || {
        test();
        Ok(())
    })
}

/// Modules were built, or no build can begin here.
fn has_built(output: &Output) -> Result<(), Stop> {
    if output.status.success() {
        return Ok(());
    }
    need(needs::modules_by(&told(output)))?;
    Err(told(output).into())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wireproof"));
    command.args(words).current_dir(project());
    command
}

/// Runs and holds that all of it holds; what it said, of which so many scenarios are.
fn all_hold(words: &[&str], least: usize) -> String {
    let output = command(words).output().expect("it runs");
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {told}");
    let held = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(held >= least, "{words:?}: {held} hold: {told}");
    told
}

fn every_reset() {
    let told = all_hold(&["run", "rst", "--swap", "rejecter=guest,reject=nft"], 60);
    assert!(told.contains("  rejecter: guest kernel "), "{told}");
    assert!(told.contains("(nft at input)"), "{told}");
    let some = ["run", "rst/*fin*", "rst/ack", "--swap", "rejecter=guest,reject=iptables"];
    all_hold(&some, 4);
}

fn forwards() {
    all_hold(&["run", "middlebox", "--swap", "firewall=guest,hook=forward"], 30);
}

fn answers_otherwise() {
    for (swap, code, word) in [
        ("rejecter=guest,sysctls=net.ipv4.ip_default_ttl=63", 1, "ip4.ttl"),
        ("rejecter=guest,ports=81", 1, "no such frame of rejecter"),
        ("rejecter=guest,rules=no such rule", 2, "no such rule"),
        ("rejecter=guest,kernel=/none/vmlinuz", 2, "/none/vmlinuz"),
        ("rejecter=guest,port=80", 2, "`port` is for module=md5_receiver alone"),
        ("rejecter=guest,module=md5", 2, "md5_receiver"),
        ("sender=guest", 2, "module=skb_sender sends"),
    ] {
        let output = command(&["run", "fin-then-rst", "--swap", swap]).output().expect("it runs");
        let told = told(&output);
        assert!(output.status.code() == Some(code) && told.contains(word), "{swap}: {told}");
    }
}

fn modules() {
    let sender = "sender=guest,module=skb_sender";
    let told = all_hold(&["run", "custom/fin-md5", "--swap", sender], 1);
    assert!(told.contains("identical") && told.contains("sender: guest module skb_sender ("));
    let more = ["custom/failed-steps", "custom/payload-too-large", "custom/own-values"];
    all_hold(&[&["run", "--swap", sender], &more[..]].concat(), 3);
    // In a tester's place it is told every field, and what it has no room for is not run.
    let told = all_hold(&["run", "rst", "--swap", sender], 48);
    assert!(
        told.contains("not with this implementation as sender: the module skb_sender builds IPv4")
    );
    // Who takes it in, answers nothing and hands the sixteen bytes up, says so by the same events.
    all_hold(&["run", "custom", "--swap", "receiver=guest,module=md5_receiver"], 18);
    all_hold(&["run", "rst/*2-6", "--swap", "rejecter=guest,module=rst_reply"], 10);
}

fn any_mix() {
    let (sends, answers) = ("sender=guest,module=skb_sender", "rejecter=guest");
    let told = all_hold(&["run", "fin-then-rst", "--swap", sends, "--swap", answers], 1);
    assert!(told.contains("sender: guest module") && told.contains("rejecter: guest kernel"));
}

fn any_mix_on_veth() -> Result<(), Stop> {
    let (sends, answers) = ("sender=guest,module=skb_sender", "rejecter=guest");
    let veth = ["run", "fin-then-rst", "--on", "veth", "--swap"];
    let output = command(&[&veth[..], &[sends]].concat()).output().expect("it runs");
    need(needs::namespaces_by(&told(&output)))?;
    all_hold(&[&veth[..], &[answers]].concat(), 1);
    let told = all_hold(&[&veth[..], &[sends, "--swap", "rejecter=linux"]].concat(), 1);
    assert!(told.contains("rejecter: running kernel "), "{told}");
    Ok(())
}

fn fed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, out) = (folder.path().join("in.pcapng"), folder.path().join("out.pcapng"));
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let sent = command(&["run", "rst/ack", "-w", &text(&input)]).output().expect("it runs");
    assert!(sent.status.success(), "{}", told(&sent));
    let fed = command(&["inject", &text(&input), "--to", "guest", "-w", &text(&out)]).output();
    let fed = fed.expect("it runs");
    assert!(fed.status.success(), "{}", told(&fed));
    let shown = told(&command(&["show", &text(&out)]).output().expect("it runs"));
    assert!(shown.contains("Flags [R]"), "{shown}");
}

/// The process of QEMU that another one started, once it runs.
fn machine_of(parent: &Child) -> Option<u32> {
    for _ in 0..3_000 {
        for entry in fs::read_dir("/proc").expect("processes").flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let words: Vec<&str> =
                stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
            let is_child = words.get(1).is_some_and(|id| *id == parent.id().to_string());
            if is_child && stat.contains("(qemu-system") {
                return Some(id);
            }
        }
        wait(Duration::from_millis(10));
    }
    None
}

fn kill(id: u32) {
    let killed = Command::new("sh").args(["-c", &format!("kill -9 {id}")]).status();
    assert!(killed.expect("a shell").success());
}

fn killed() {
    let start = || {
        let words = ["run", "rst", "--jobs", "1", "--swap", "rejecter=guest"];
        let mut command = command(&words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    // A kill between two uses of a machine harms none of them: then the next falls at another time.
    let harmed = [3_000, 1_000, 6_000, 0, 9_000].into_iter().find(|delay_ms| {
        let running = start();
        let machine = machine_of(&running).expect("a machine");
        wait(Duration::from_millis(*delay_ms));
        kill(machine);
        let output = running.wait_with_output().expect("it ends");
        let told = told(&output);
        let ended = told.contains("QEMU ended") || told.contains("of the guest: ");
        assert!(output.status.code() == Some(if ended { 2 } else { 0 }), "{told}");
        ended
    });
    assert!(harmed.is_some(), "no kill fell into a use of the machine");

    let mut running = start();
    let machine = machine_of(&running).expect("a machine");
    kill(running.id());
    running.wait().expect("it ends");
    let gone = || !Path::new(&format!("/proc/{machine}")).exists();
    for _ in 0..500 {
        if gone() {
            return;
        }
        wait(Duration::from_millis(10));
    }
    panic!("the machine {machine} is left");
}

fn links_clock() {
    let swaps = ["--swap", "sender=guest,module=skb_sender,clock=lockstep"];
    let both = [&swaps[..], &["--swap", "rejecter=guest,reject=nft,clock=lockstep"]].concat();
    let told = all_hold(&[&["run", "rst/fin-then-rst"], &both[..]].concat(), 1);
    assert!(told.contains("  sender: guest module skb_sender "), "{told}");
}

/// Nobody answers the answer to a SYN; the last frame of the input is 100 s later.
fn says_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("in.pcapng"), folder.path().join("out.pcapng"));
    let golden =
        fs::read(project().join("golden-pcaps/guest/syn-ack-back-off.pcapng")).expect("read");
    let syn = pcapng::read(&golden).expect("a capture").capture.frame(FrameId(0)).to_vec();
    let mut capture = Capture::new();
    let port = capture.add_interface("in");
    for secs in [5, 105] {
        capture.push(Instant::ZERO + Duration::from_secs(secs), port, &syn);
    }
    fs::write(&input, golden::encode(&capture).expect("bytes")).expect("written");
    let to = "guest,clock=lockstep,reject=none,listen=80,ip=10.0.0.2/24,mac=02:00:00:00:00:02";
    let mut inject = command(&["inject", "--to", to, "-w"]);
    let ran = inject.arg(&output).arg(&input).output().expect("it runs");
    assert_eq!(ran.status.code(), Some(0), "{}", told(&ran));
    let said = pcapng::read(&fs::read(&output).expect("read")).expect("a capture");
    let times: Vec<u64> =
        said.capture.iter().map(|(_, record, _)| record.time.as_nanos() / 1_000_000).collect();
    // A kernel rounds such waits up by less.
    for (is, near) in times.iter().zip([5000, 6000, 8000, 12_000, 20_000, 36_000, 105_000]) {
        assert!((near..near + 600).contains(is), "{times:?}");
    }
    assert_eq!(times.len(), 7, "{times:?}");
}
