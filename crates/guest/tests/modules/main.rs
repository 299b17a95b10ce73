//! The kernel modules in a guest: what each puts on the wire and what each says of itself, that
//! nothing is leaked, and that they come and go without a word from the kernel.

mod bench;
mod receiver;
mod sender;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guest::Error;
use libtest_mimic::{Arguments, Failed};
use testing::{Stop, found, need, trial};

use bench::{Bench, boot, modules, on_bench};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        trial("modules_are_built_once", modules_are_built_once),
        trial("the_sender_emits_the_golden_frame", sender::golden),
        trial("every_field_of_the_tables_can_be_given", sender::fields),
        trial("a_line_that_is_wrong_says_why", sender::wrong_lines),
        trial("each_step_that_fails_says_so_and_sends_nothing", sender::steps),
        trial("failed_sends_leak_nothing", sender::leaks),
        trial("a_device_that_is_down_is_told", sender::down),
        trial("the_receiver_takes_the_sixteen_bytes", receiver::takes),
        trial("events_are_kept_until_they_are_read", receiver::keeps),
        trial("another_port_and_none_can_be_agreed_on", receiver::ports),
        trial("the_reply_is_the_golden_of_2_6", receiver::golden_reply),
        trial("the_reply_knows_its_ports", receiver::reply_ports),
        trial("modules_come_and_go_a_hundred_times", come_and_go),
        trial("a_kernel_that_looks_for_leaks_finds_none", kmemleak),
        trial("the_module_for_tests_does_what_it_is_told", oops),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn modules_are_built_once() -> Result<(), Stop> {
    let built = found(modules())?.1;
    let times = || -> Result<Vec<_>, std::io::Error> {
        built.iter().map(|file| file.metadata()?.modified()).collect()
    };
    let before = times()?;
    modules()?;
    if before != times()? {
        return Err("what was there was built again".into());
    }
    Ok(())
}

/// Frames arrive all the while, so that hooks are taken away under them.
fn come_and_go() -> Result<(), Stop> {
    on_bench(2, &[], |bench| {
        let (port, over) = (bench.port()?, AtomicBool::new(false));
        let frame = bench::golden("custom/fin-md5")?.remove(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut answer = [0; 1514];
                while !over.load(Ordering::Relaxed) {
                    // A queue that is full is emptied soon enough.
                    let _ = port.send(&frame);
                    // The stack answers while no module does; unread, that would stop the card.
                    while port.recv(&mut answer).is_ok() {}
                    pause();
                }
            });
            let done = coming_and_going(bench);
            over.store(true, Ordering::Relaxed);
            done
        })
    })
}

#[expect(clippy::disallowed_methods, reason = "a guest has a clock of its own")]
fn pause() {
    std::thread::sleep(Duration::from_micros(500));
}

fn coming_and_going(bench: &mut Bench) -> Result<(), Failed> {
    let all = "skb_sender md5_receiver rst_reply";
    let mut consumed = 0;
    for _ in 0..10 {
        bench.run(&format!(
            "for i in 0 1 2 3 4 5 6 7 8 9; do
               for m in {all}; do insmod /modules/$m.ko || exit 1; done
               for m in {all}; do rmmod $m || exit 1; done
             done
             insmod /modules/md5_receiver.ko; usleep 20000"
        ))?;
        let counters = bench.counters("md5_receiver")?;
        consumed += counters.iter().find(|(name, _)| name == "consumed").map_or(0, |(_, n)| *n);
        bench.run("rmmod md5_receiver")?;
        bench.health()?;
    }
    if consumed == 0 {
        return Err("no frame arrived meanwhile".into());
    }
    Ok(())
}

/// What a module forgets, a kernel with kmemleak finds once it is some seconds old.
fn kmemleak() -> Result<(), Stop> {
    let missing = std::cell::Cell::new(false);
    on_bench(2, &["skb_sender", "md5_receiver", "rst_reply"], |bench| {
        if bench.run("test -e /sys/kernel/debug/kmemleak").is_err() {
            missing.set(true);
            return Ok(());
        }
        bench.run("echo clear >/sys/kernel/debug/kmemleak")?;
        sender::each_way_to_fail(bench, 20)?;
        for id in ["custom/fin-md5", "rst/fin-then-rst-in-2-6"] {
            let frames = bench::golden(id)?;
            bench.exchange(2, &frames[..1])?;
        }
        bench.run("cat /proc/net/md5_receiver_events; echo ports=1-9 >/proc/net/rst_reply")?;
        bench.run("unshare -n true; rmmod skb_sender md5_receiver rst_reply")?;
        bench.run("sleep 8; echo scan >/sys/kernel/debug/kmemleak; sleep 8")?;
        let found =
            bench.run("echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak")?;
        let first: Vec<&str> = found.lines().take(14).collect();
        bench::same("leaks", &first.join("\n").as_str(), &"")
    })?;
    let why = "the guest's kernel was built without kmemleak";
    need(missing.get().then(|| why.to_owned()))
}

fn oops() -> Result<(), Stop> {
    let mut machine = found(boot("oops"))?;
    machine.run("insmod /modules/oops.ko")?;
    machine.health()?;
    machine.run("echo warn >/proc/oops")?;
    let warned = machine.health();
    if !matches!(&warned, Err(Error::Warning(line)) if line.contains("oops")) {
        return Err(format!("a warning gives {warned:?}").into());
    }
    let refused = machine.run("echo nonsense >/proc/oops");
    if !matches!(refused, Err(Error::Refused { .. })) {
        return Err(format!("an unknown word gives {refused:?}").into());
    }
    let oopsed = machine.run("echo oops >/proc/oops");
    if !matches!(oopsed, Err(Error::Oops(_))) {
        return Err(format!("an oops gives {oopsed:?}").into());
    }
    Ok(())
}
