//! Measures a guest: how long it takes to boot, to do what it is told, to be emptied, to answer.
//! `cargo run --release -p wireproof-guest --example boot`

use std::error::Error;
use std::time::Instant;

use guest::{Config, Image, Machine, Nic};
use wire::{Duration, Mac};

fn main() -> Result<(), Box<dyn Error>> {
    let image = Image::find()?;
    println!("kernel {}", image.release);
    let console = std::env::temp_dir().join(format!("boot-{}.console", std::process::id()));
    let config = Config::new(image, 2, console.clone());
    let (mut machine, boot) = timed(1, || Machine::boot(&config).expect("boot"));
    println!("boot               {:7.0} ms, of a processor {:.0} ms", boot, busy_ms(machine.id()));
    let mut run = |what: &str, script: &str| {
        let (_, ms) = timed(20, || machine.run(script).expect("run"));
        println!("{what} {ms:7.1} ms");
    };
    run("an empty script   ", "");
    run("forty settings    ", &"echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter\n".repeat(40));
    run("one fork          ", "ip link >/dev/null");
    let nics: Vec<Nic> = (0..2).map(nic).collect();
    let (_, fresh) = timed(20, || machine.fresh().expect("fresh"));
    println!("a fresh namespace  {fresh:7.1} ms");
    let before = busy_ms(machine.id());
    let (_, fresh) = timed(20, || {
        machine.fresh().expect("fresh");
        machine.plug(&nics).expect("plug");
    });
    let busy = (busy_ms(machine.id()) - before) / 20.0;
    println!("with two NICs      {fresh:7.1} ms, of a processor {busy:.0} ms");
    machine.run("ip addr add 10.0.0.2/24 dev eth0")?;
    let probe = probe();
    let mut came = Vec::new();
    let (_, answer) = timed(1000, || {
        machine.port(0).send(&probe).expect("send");
        while machine.port(0).wait(&mut came, Duration::from_secs(2)).expect("answer")
            && came[20..22] != [0, 2]
        {}
    });
    println!("a frame's answer   {answer:7.2} ms");
    machine.health()?;
    drop(machine);
    std::fs::remove_file(console)?;
    Ok(())
}

/// What came of it, and how many milliseconds one of so many repetitions took.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn timed<T>(times: u32, mut what: impl FnMut() -> T) -> (T, f64) {
    let begin = Instant::now();
    for _ in 1..times {
        what();
    }
    let last = what();
    (last, begin.elapsed().as_secs_f64() * 1000.0 / f64::from(times))
}

/// The processor time of a process so far.
fn busy_ms(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let words: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |at: usize| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(0.0);
    // User and system, in hundredths of a second.
    (ticks(13) + ticks(14)) * 10.0
}

fn nic(port: usize) -> Nic {
    Nic { port, name: format!("eth{port}"), mac: Mac([2, 0, 0, 0, 0, port as u8]), mtu: 1500 }
}

/// An ARP request for 10.0.0.2.
fn probe() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0xfe, 0, 0, 0, 9, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0xfe, 0, 0, 0, 9]);
    frame.extend([0; 10]);
    frame.extend([10, 0, 0, 2]);
    frame
}
