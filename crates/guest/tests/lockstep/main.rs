//! A guest whose clock is the link's: what it says of its own accord, when, and that it says the
//! same each time.

mod bench;

use std::process::{Command, ExitCode};

use bench::{ACK, Bench, SYN, Segment, config, on_bench};
use guest::{Error, Machine, Nic};
use libtest_mimic::Arguments;
use testing::{Stop, found, trial};
use wire::{Instant, Mac};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(1));
    let trials = vec![
        trial("a_syn_ack_is_said_again_with_back_off", back_off),
        trial("two_machines_say_the_same_at_the_same_times", the_same),
        trial("a_close_is_said_when_it_is_due", close),
        trial("scripts_run_and_time_passes_in_them", scripts),
        trial("ports_are_told_apart", ports),
        trial("what_ends_the_machine_is_told", ends),
        trial("a_machine_without_the_module_is_refused", refused),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn syn(from: u16) -> Segment {
    Segment { from, flags: SYN, seq: 1000, ack: 0 }
}

/// Nobody answers the answer to a SYN.
fn unanswered(bench: &mut Bench) -> Result<(), Error> {
    bench.run_until(0.001)?;
    bench.say(&syn(4000))?;
    bench.run_until(0.5)?;
    bench.say(&syn(4001))?;
    bench.run_until(200.0)
}

/// After 1, 3, 7, 15 and 31 seconds, rounded up as the kernel's timers are; after 63 it gives up.
fn back_off() -> Result<(), Stop> {
    on_bench(|bench| {
        unanswered(bench)?;
        let both = SYN | ACK;
        let first = [1, 1024, 3040, 7168, 15360, 31488].map(|at| (at, both));
        let second = [500, 1504, 3520, 7680, 15872, 32000].map(|at| (at, both));
        let mut all = [first, second].concat();
        all.sort_unstable();
        assert_eq!(bench.heard(), all);
        Ok(())
    })
}

/// Byte for byte, sequence numbers that chance chose among them, and to the nanosecond; and at the
/// same times when the guest has been used before.
fn the_same() -> Result<(), Stop> {
    let run = |name: &str| {
        let mut bench = Bench::boot(name)?;
        unanswered(&mut bench)?;
        let said = std::mem::take(&mut bench.said);
        Ok((said, bench))
    };
    let (one, mut bench) = found(run("one"))?;
    let before = bench.heard();
    assert!(before.is_empty());
    let (other, _) = run("other")?;
    assert_eq!(one, other);
    bench.fresh()?;
    unanswered(&mut bench)?;
    let times = |said: &[bench::Said]| said.iter().map(|(at, _)| *at).collect::<Vec<_>>();
    assert_eq!(times(&one), times(&bench.said));
    Ok(())
}

/// A process of the guest closes its connection ten seconds on, and the kernel says so again.
fn close() -> Result<(), Stop> {
    on_bench(|bench| {
        bench.say(&syn(4000))?;
        let theirs = u32::from_be_bytes(bench.said[0].1[38..42].try_into()?);
        let ack = Segment { from: 4000, flags: ACK, seq: 1001, ack: theirs + 1 };
        bench.run_until(0.25)?;
        bench.say(&ack)?;
        bench.run_until(12.0)?;
        let heard = bench.heard();
        assert_eq!(heard[..2], [(0, SYN | ACK), (10_250, ACK | 0x01)]);
        assert!(heard.len() > 2 && heard[2..].iter().all(|(_, flags)| *flags == ACK | 0x01));
        Ok(())
    })
}

fn scripts() -> Result<(), Stop> {
    on_bench(|bench| {
        let machine = &mut bench.machine;
        let seconds = "cut -d. -f1 /proc/uptime";
        let times = machine.run(&format!("{seconds}; sleep 100; {seconds}"))?;
        let times: Vec<u64> = times.lines().map(str::parse).collect::<Result<_, _>>()?;
        assert!((100..110).contains(&(times[1] - times[0])), "{times:?}");
        let many = "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done";
        assert_eq!(machine.run(many)?.lines().count(), 9000);
        let long = format!("true {}; echo done", "x".repeat(200_000));
        assert_eq!(machine.run(&long)?, "done\n");
        assert!(matches!(machine.run("exit 3"), Err(Error::Refused { status: 3, .. })));
        Ok(())
    })
}

fn ports() -> Result<(), Stop> {
    on_bench(|bench| {
        let machine = &mut bench.machine;
        machine.fresh()?;
        let nic = |port: usize, name: &str| {
            let mac = Mac([2, 0, 0, 0, 0, port as u8 + 2]);
            Nic { port, name: name.to_owned(), mac, mtu: 1500 }
        };
        machine.plug(&[nic(0, "one"), nic(1, "other")])?;
        machine.run("ip addr add 10.0.1.2/24 dev other")?;
        machine.begin()?;
        let mut ask = vec![0xff; 6];
        ask.extend([2, 0, 0, 0, 0, 9, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9]);
        ask.extend([10, 0, 1, 9, 0, 0, 0, 0, 0, 0, 10, 0, 1, 2]);
        machine.hand_in(1, &ask)?;
        assert_eq!(machine.take(0), None);
        let answer = machine.take(1).ok_or("no answer")?;
        assert_eq!((answer.len(), &answer[22..28]), (42, &[2, 0, 0, 0, 0, 3][..]));
        assert_eq!(machine.take(1), None);
        // A port that is down, and one that is not there.
        machine.run("ip link set other down")?;
        for port in [1, 7] {
            machine.hand_in(port, &ask)?;
            assert_eq!(machine.take(1), None);
        }
        assert!(matches!(machine.hand_in(0, &[0; 13]), Err(Error::Plan(_))));
        Ok(())
    })
}

/// While it stands at the gate, and while it runs.
fn ends() -> Result<(), Stop> {
    let mut bench = found(Bench::boot("ends"))?;
    let id = bench.machine.id().to_string();
    assert!(Command::new("kill").args(["-9", &id]).status()?.success());
    let told = bench.machine.run_until(Instant::from_nanos(1_000_000));
    assert!(matches!(told, Err(Error::Died(_))), "{told:?}");
    let mut machine = Machine::boot(&config("panics")?)?;
    let told = machine.run("echo c >/proc/sysrq-trigger");
    assert!(matches!(told, Err(Error::Panic(_) | Error::Oops(_))), "{told:?}");
    Ok(())
}

fn refused() -> Result<(), Stop> {
    let mut config = found(config("refused"))?;
    config.modules.clear();
    let told = Machine::boot(&config).map(drop);
    assert!(matches!(&told, Err(Error::Missing(told)) if told.contains("lockstep.ko")), "{told:?}");
    Ok(())
}
