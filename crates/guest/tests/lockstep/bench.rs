//! A guest in lockstep, and a peer of it that says what a test wants.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use guest::{Clock, Config, Error, Headers, Image, Machine, Nic, Store};
use libtest_mimic::Failed;
use testing::{Stop, found};
use wire::{Instant, Mac, checksum};

/// A frame that came out of the guest, and when.
pub(crate) type Said = (Instant, Vec<u8>);

const PEER: [u8; 4] = [10, 0, 0, 1];
const GUEST: [u8; 4] = [10, 0, 0, 2];

/// TCP's flags.
pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;

/// Booted by the first test that asks for it.
static BENCH: Mutex<Option<Bench>> = Mutex::new(None);

/// A guest that listens on port 80 and has said nothing yet.
pub(crate) struct Bench {
    pub(crate) machine: Machine,
    pub(crate) now: Instant,
    pub(crate) said: Vec<Said>,
}

/// Runs a test on the machine, emptied for it. Where something is missing, nothing is run, which
/// is said.
pub(crate) fn on_bench(test: impl FnOnce(&mut Bench) -> Result<(), Failed>) -> Result<(), Stop> {
    let mut kept = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = match kept.take() {
        Some(mut bench) => {
            bench.fresh()?;
            bench
        }
        None => found(Bench::boot("kept"))?,
    };
    test(&mut bench)?;
    bench.machine.health()?;
    // A machine on which a test has failed is no witness for the next.
    *kept = Some(bench);
    Ok(())
}

/// A machine in lockstep with two ports.
pub(crate) fn config(name: &str) -> Result<Config, Error> {
    let image = Image::find()?;
    let headers = Headers::of(&image.release)?;
    let modules = Store::of_user()?.build(&headers)?.0.files();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let console = folder.join(format!("lockstep-{name}-{}.console", std::process::id()));
    let mut config = Config::new(image, 2, console);
    config.modules = modules;
    config.clock = Clock::Lockstep;
    Ok(config)
}

impl Bench {
    pub(crate) fn boot(name: &str) -> Result<Self, Error> {
        Machine::possible()?;
        let machine = Machine::boot(&config(name)?)?;
        let mut bench = Self { machine, now: Instant::ZERO, said: Vec::new() };
        bench.fresh()?;
        Ok(bench)
    }

    /// Empties the guest and begins anew.
    pub(crate) fn fresh(&mut self) -> Result<(), Error> {
        self.machine.fresh()?;
        self.machine.run("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")?;
        let mac = Mac([2, 0, 0, 0, 0, 2]);
        self.machine.plug(&[Nic { port: 0, name: "eth0".to_owned(), mac, mtu: 1500 }])?;
        let peer = "arp -s 10.0.0.1 02:00:00:00:00:01";
        self.machine.run(&format!("ip addr add 10.0.0.2/24 dev eth0 && {peer}"))?;
        // It closes a connection ten seconds after it has accepted it.
        self.machine.run("nc -l -p 80 -e sleep 10 >/dev/null 2>&1 </dev/null &")?;
        self.machine.run("until netstat -tln | grep -q :80; do usleep 1000; done")?;
        (self.now, self.said) = (Instant::ZERO, Vec::new());
        self.machine.begin()
    }

    /// Says a segment to the guest; what is answered comes now.
    pub(crate) fn say(&mut self, segment: &Segment) -> Result<(), Error> {
        self.machine.hand_in(0, &segment.frame())?;
        self.gather();
        Ok(())
    }

    /// Lets time pass, and the guest speak.
    pub(crate) fn run_until(&mut self, seconds: f64) -> Result<(), Error> {
        let until = Instant::from_nanos((seconds * 1e9) as u64);
        while let Some(at) = self.machine.run_until(until)? {
            self.now = self.now.max(at);
            self.gather();
        }
        self.now = until;
        Ok(())
    }

    fn gather(&mut self) {
        while let Some(frame) = self.machine.take(0) {
            self.said.push((self.now, frame));
        }
    }

    /// When the guest spoke, in milliseconds, and with which of TCP's flags.
    pub(crate) fn heard(&self) -> Vec<(u64, u8)> {
        self.said.iter().map(|(at, frame)| (at.as_nanos() / 1_000_000, frame[47])).collect()
    }
}

/// A TCP segment to the guest's port 80.
#[derive(Clone, Copy, Default)]
pub(crate) struct Segment {
    pub(crate) from: u16,
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
}

impl Segment {
    fn frame(self) -> Vec<u8> {
        let mut tcp = Vec::new();
        tcp.extend(self.from.to_be_bytes());
        tcp.extend(80_u16.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        let sum = checksum::tcp_ip4(PEER, GUEST, &tcp);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let mut ip = vec![0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0];
        ip.extend([PEER, GUEST].concat());
        let sum = checksum::internet_checksum(&ip);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
        frame.extend(ip);
        frame.extend(tcp);
        frame
    }
}
