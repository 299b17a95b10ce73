//! How a machine ends: by its own panic, by a kill of QEMU, by a kill of us, by being dropped; and
//! that nothing is left of it each time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use guest::{Config, Error, Image, Machine};
use libtest_mimic::{Failed, Trial};

use crate::shared::config;

/// Set for the copy of this program that boots a machine and waits to be killed.
const VICTIM: &str = "WIREPROOF_GUEST_VICTIM";

type Test = fn() -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 5] = [
        ("a_panic_is_told_with_its_line", a_panic_is_told_with_its_line),
        ("a_kill_of_qemu_is_told", a_kill_of_qemu_is_told),
        ("an_endless_script_ends_in_time_and_a_drop_ends_all", endless),
        ("a_kill_of_us_leaves_nothing", a_kill_of_us_leaves_nothing),
        ("what_does_not_boot_says_why", what_does_not_boot_says_why),
    ];
    tests.into_iter().map(|(name, test)| crate::trial(name, test)).collect()
}

pub(crate) fn ensure(holds: bool, told: impl std::fmt::Debug) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(format!("{told:?}").into()) }
}

/// The process is no more, or soon will not be.
fn ends(id: u32) -> bool {
    let there = || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // A zombie runs no more; who reaps it is no concern of ours.
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    (0..1000).any(|_| {
        pause();
        !there()
    })
}

#[expect(clippy::disallowed_methods, reason = "nothing tells of the end of another's child")]
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(10));
}

fn a_panic_is_told_with_its_line() -> Result<(), Failed> {
    // Booted in a thread that is over by the time it is used: the machine is not that thread's.
    let booted = thread::spawn(|| Machine::boot(&config("panic"))).join();
    let mut machine = booted.map_err(|_| "the thread panicked")??;
    machine.run("true")?;
    machine.health()?;
    let told = machine.run("echo c >/proc/sysrq-trigger");
    let line = "Kernel panic - not syncing: sysrq triggered crash (console: ";
    let console = machine.console().display().to_string();
    let says = |text: &str| text.contains(line) && text.contains(&console);
    ensure(matches!(&told, Err(Error::Panic(text)) if says(text)), &told)?;
    ensure(matches!(machine.health(), Err(Error::Died(_))), "it is dead")?;
    ensure(machine.run("true").is_err() && machine.fresh().is_err(), "of no more use")?;
    let (mut frame, patience) = (Vec::new(), Duration::from_secs(1));
    ensure(!matches!(machine.port(0).wait(&mut frame, patience), Ok(true)), "no frame")?;
    ensure(ends(machine.id()), "QEMU is left")
}

fn a_kill_of_qemu_is_told() -> Result<(), Failed> {
    let mut machine = Machine::boot(&config("killed"))?;
    kill(machine.id())?;
    let told = machine.run("true");
    ensure(matches!(&told, Err(Error::Died(text)) if text.contains("SIGKILL")), &told)?;
    ensure(matches!(machine.health(), Err(Error::Died(_))), "it is dead")?;
    ensure(machine.port(0).send(&[0; 60]).is_err(), "nobody takes a frame")
}

fn kill(id: u32) -> Result<(), Failed> {
    let killed = Command::new("sh").args(["-c", &format!("kill -9 {id}")]).status()?;
    ensure(killed.success(), killed)
}

fn endless() -> Result<(), Failed> {
    let mut machine = Machine::boot(&config("endless"))?;
    let told = machine.run_within("echo before; while :; do :; done", Duration::from_millis(500));
    let late = |text: &str| text.contains("within 500ms") && text.contains("its output: before");
    ensure(matches!(&told, Err(Error::Late(text)) if late(text)), &told)?;
    for told in [machine.run("true").map(drop), machine.fresh(), machine.health()] {
        ensure(matches!(&told, Err(Error::Late(_))), &told)?;
    }
    let id = machine.id();
    drop(machine);
    ensure(!Path::new(&format!("/proc/{id}")).exists(), "QEMU is left")
}

/// In the copy of this program: boots, says which process QEMU is, and keeps the guest so busy that
/// it cannot see by itself that nobody is there any more.
pub(crate) fn victim() -> bool {
    let Some(console) = std::env::var_os(VICTIM) else { return false };
    let image = Image::find().expect("a kernel");
    let mut machine = Machine::boot(&Config::new(image, 2, PathBuf::from(console))).expect("boot");
    println!("{}", machine.id());
    let told = machine.run_within("while :; do :; done", Duration::from_secs(1000));
    panic!("{told:?}");
}

fn a_kill_of_us_leaves_nothing() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.env(VICTIM, folder.path().join("console")).env("TMPDIR", &temporary);
    let mut victim = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let output = victim.stdout.take().ok_or("no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let id: u32 = line.trim().parse()?;
    ensure(Path::new(&format!("/proc/{id}")).exists(), "QEMU runs")?;
    ensure(fs::read_dir(&temporary)?.next().is_none(), "a file lies there while it runs")?;
    // Until its guest is busy.
    (0..50).for_each(|_| pause());
    victim.kill()?;
    victim.wait()?;
    ensure(ends(id), "QEMU is left")?;
    ensure(fs::read_dir(&temporary)?.next().is_none(), "a file is left")
}

fn what_does_not_boot_says_why() -> Result<(), Failed> {
    let mut wrong = config("wrong");
    wrong.extra = vec!["-no-such-option".to_owned()];
    let told = Machine::boot(&wrong).map(drop);
    let says = |text: &str| text.contains("no-such-option") && text.contains("QEMU ended");
    ensure(matches!(&told, Err(Error::Died(text)) if says(text)), &told)?;
    let mut wrong = config("wrong");
    wrong.modules = vec!["/no/such/module.ko".into()];
    let told = Machine::boot(&wrong).map(drop);
    ensure(matches!(&told, Err(Error::Missing(text)) if text.contains("module.ko")), &told)?;
    let mut wrong = config("wrong");
    wrong.console = "/no/such/folder/console".into();
    let told = Machine::boot(&wrong).map(drop);
    ensure(matches!(&told, Err(Error::System { what, .. }) if what.contains("/no/such")), &told)?;
    let told = Machine::boot(&Config { ports: 25, ..config("wrong") }).map(drop);
    ensure(matches!(&told, Err(Error::Plan(text)) if text.contains("at most 24")), &told)?;
    // A kernel without its modules: it comes up, and finds no channel.
    let mut wrong = config("without,drivers");
    wrong.image.modules = "/no/such/modules".into();
    let told = Machine::boot(&wrong).map(drop);
    let says = |text: &str| text.contains("wireproof: no /dev/vport0p1: the kernel has not");
    ensure(matches!(&told, Err(Error::Died(text)) if says(text)), &told)
}
