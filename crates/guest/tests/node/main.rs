//! A guest as a node: what it answers, what its modules say, and what becomes of its run when its
//! kernel is at fault or its machine ends. Where no machine can be booted, each test counts as
//! ignored, with the reason.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use guest::{Clock, Error, Guest, Headers, Image, Kind, Pool, Spec, Store};
use libtest_mimic::{Arguments, Failed, Trial};
use link::{Fault, Node, PortConfig};
use linux::{Kernel, Reject, Rules};
use testing::{Stop, found, mac, need, needs, peer, port};
use wire::{Duration, Instant, Layer, Packet, Proto};

type Test = fn(&Pool) -> Result<(), Stop>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let tests: [(&str, Test); 6] = [
        ("a_machine_serves_many_runs", a_machine_serves_many_runs),
        ("what_a_guest_refuses_is_told", what_a_guest_refuses_is_told),
        ("a_connection_left_open_proves_nothing", a_connection_left_open_proves_nothing),
        ("a_machine_that_is_killed_is_told_and_not_kept", killed),
        ("a_warning_an_oops_and_a_panic_are_faults", faults),
        ("a_guest_that_hangs_is_late", hangs),
    ];
    let pool = Pool::default();
    let trial = |(name, test): (&str, Test)| {
        let pool = pool.clone();
        testing::trial(name, move || {
            need(needs::machine())?;
            test(&pool)
        })
    };
    let trials: Vec<Trial> = tests.into_iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn spec(kernel: Kernel) -> Spec {
    let peer = peer(1, &["10.0.0.1"]);
    let config = PortConfig { peer, mtu: Some(1500), ..port(2, &["10.0.0.2"]) };
    Spec { kernel, ports: vec![config], ..Spec::default() }
}

fn kind(modules: Vec<PathBuf>) -> Result<Kind, Failed> {
    Ok(Kind { image: Image::find()?, clock: Clock::Free, modules })
}

fn start(pool: &Pool, spec: &Spec) -> Result<Guest, Failed> {
    Ok(Guest::start(pool.lease(&kind(spec.load.clone())?, 1)?, spec)?)
}

/// What is wrong with a guest whose run is over so long after it began.
fn ends(guest: &mut Guest, millis: u64) -> Option<Fault> {
    guest.finish(Instant::ZERO + Duration::from_millis(millis));
    guest.poll_fault()
}

/// A segment with a SYN from the peer.
fn syn() -> Vec<u8> {
    let tcp = Layer::new(Proto::Tcp).with(&wire::fields::tcp::SRC, 4000);
    let tcp = tcp.with(&wire::fields::tcp::DST, 80).with(&wire::fields::tcp::FLAGS, 2);
    let defaults = wire::Defaults {
        src_mac: mac(1),
        dst_mac: mac(2),
        src_ip4: Some([10, 0, 0, 1].into()),
        dst_ip4: Some([10, 0, 0, 2].into()),
        ..wire::Defaults::default()
    };
    wire::build(&Packet::new().layer(tcp), &defaults).expect("a packet").remove(0)
}

/// The flags of the answers to a SYN at this time.
fn answers(guest: &mut Guest, now: Instant) -> Vec<u8> {
    guest.handle_frame(now, 0, &syn());
    let mut flags = Vec::new();
    while let Some(out) = guest.poll_transmit(now) {
        flags.push(out.frame[47]);
    }
    flags
}

fn a_machine_serves_many_runs(pool: &Pool) -> Result<(), Stop> {
    let mut machines = Vec::new();
    for run in 0..3 {
        // A drop leaves no answer; it is not there any more in the next run.
        let own = if run == 1 { vec!["tcp dport 80 drop".into()] } else { Vec::new() };
        let rules = Rules { own, ..Rules::default() };
        let spec = spec(Kernel { rules, ..Kernel::default() });
        let machine = pool.lease(&kind(Vec::new())?, 1)?;
        machines.push(machine.id());
        let mut guest = Guest::start(machine, &spec)?;
        let wanted: &[u8] = if run == 1 { &[] } else { &[0x14] };
        assert_eq!(answers(&mut guest, Instant::ZERO), wanted, "run {run}");
        assert_eq!(ends(&mut guest, 60_000), None);
    }
    assert!(machines.windows(2).all(|two| two[0] == two[1]), "{machines:?}");
    Ok(())
}

fn what_a_guest_refuses_is_told(pool: &Pool) -> Result<(), Stop> {
    let rules = Rules { own: vec!["no such rule".into()], ..Rules::default() };
    let kernels = [
        (Kernel { rules, ..Kernel::default() }, "no such rule"),
        (
            Kernel { sysctls: vec![("net.no.such".into(), "1".into())], ..Kernel::default() },
            "net/no/such",
        ),
    ];
    for (kernel, word) in kernels {
        let told = match Guest::start(pool.lease(&kind(Vec::new())?, 1)?, &spec(kernel)) {
            Ok(_) => return Err(format!("{word} was taken").into()),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(word), "{told}");
    }
    Ok(())
}

fn a_connection_left_open_proves_nothing(pool: &Pool) -> Result<(), Stop> {
    let rules = Rules { reject: Reject::None, ..Rules::default() };
    let kernel = Kernel { rules, listen: vec![80], ..Kernel::default() };
    let mut guest = start(pool, &spec(kernel.clone()))?;
    assert_eq!(answers(&mut guest, Instant::ZERO), [0x12]);
    assert_eq!(ends(&mut guest, 1), None);
    let mut guest = start(pool, &spec(kernel.clone()))?;
    assert_eq!(answers(&mut guest, Instant::ZERO), [0x12]);
    let Some(Fault::OutOfStep(text)) = ends(&mut guest, 3_000) else {
        return Err("the guest was in step".into());
    };
    assert!(text.contains("connection open") && text.contains("--on veth"), "{text}");
    assert_eq!(guest.poll_fault(), None);
    // By the real clock a guest speaks when it likes.
    let mut guest = start(pool, &Spec { live: true, ..spec(kernel) })?;
    assert_eq!(answers(&mut guest, Instant::ZERO), [0x12]);
    assert_eq!(ends(&mut guest, 3_000), None);
    Ok(())
}

fn killed(pool: &Pool) -> Result<(), Stop> {
    let machine = pool.lease(&kind(Vec::new())?, 1)?;
    let id = machine.id();
    let mut guest = Guest::start(machine, &spec(Kernel::default()))?;
    assert!(Command::new("sh").args(["-c", &format!("kill -9 {id}")]).status()?.success());
    assert_eq!(answers(&mut guest, Instant::ZERO), []);
    let Some(Fault::Broken(told)) = guest.poll_fault() else { return Err("no fault".into()) };
    assert!(told.contains("QEMU ended") && told.contains(".console"), "{told}");
    keeps_its_console(&told)?;
    let next = pool.lease(&kind(Vec::new())?, 1)?;
    assert_ne!(next.id(), id);
    Ok(())
}

/// The file that an error names is there; it is taken away.
fn keeps_its_console(told: &str) -> Result<(), Failed> {
    let path = told.split("(console: ").nth(1).and_then(|rest| rest.split([',', ')']).next());
    let path = path.ok_or("no console is named")?;
    assert!(fs::metadata(path)?.len() > 100, "{path}");
    Ok(fs::remove_file(path)?)
}

/// The module that fails when told.
fn oops() -> Result<PathBuf, Error> {
    let headers = Headers::of(&Image::find()?.release)?;
    Ok(Store::of_user()?.build(&headers)?.0.file("oops"))
}

fn faults(pool: &Pool) -> Result<(), Stop> {
    let load = vec![found(oops())?];
    let spec = Spec { load, ..spec(Kernel::default()) };
    for (word, sign) in [("warn", "WARNING:"), ("oops", "BUG:"), ("panic", "Kernel panic")] {
        let mut guest = start(pool, &spec)?;
        assert_eq!(answers(&mut guest, Instant::ZERO), [0x14]);
        // The last two end the machine, and the script with it.
        let _ = guest.run(&format!("echo {word} >/proc/oops"));
        answers(&mut guest, Instant::ZERO);
        let Some(Fault::AtFault(told)) = ends(&mut guest, 0) else {
            return Err(format!("{word} is no fault").into());
        };
        assert!(told.contains(sign), "{word}: {told}");
        keeps_its_console(&told)?;
    }
    Ok(())
}

fn hangs(pool: &Pool) -> Result<(), Stop> {
    let machine = pool.lease(&kind(Vec::new())?, 1)?;
    let id = machine.id();
    let mut guest = Guest::start(machine, &spec(Kernel::default()))?;
    assert!(Command::new("sh").args(["-c", &format!("kill -STOP {id}")]).status()?.success());
    assert_eq!(answers(&mut guest, Instant::ZERO), []);
    let Some(Fault::Late(told)) = guest.poll_fault() else { return Err("not late".into()) };
    assert!(told.contains("did not answer at eth0"), "{told}");
    keeps_its_console(&told)?;
    Ok(())
}
