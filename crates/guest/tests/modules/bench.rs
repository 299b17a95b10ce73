//! One machine for every test, emptied for each: its modules, its interface, and what crosses it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use guest::{Config, Error, Headers, Image, MODULES, Machine, Nic, Store};
use libtest_mimic::Failed;
use testing::{Stop, found, project};
use wire::{Duration, Mac};

/// For an answer of the guest.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a script: some do a thing thousands of times, under a kernel that looks at each twice.
const SCRIPT_PATIENCE: Duration = Duration::from_secs(600);

static BENCH: Mutex<Option<Bench>> = Mutex::new(None);

/// The machine, and what it was booted with.
pub(crate) struct Bench {
    machine: Machine,
}

/// A tree that a kernel was built in, in the place of the newest kernel installed: one that looks
/// for faults of its modules has more to say than Debian's.
const OTHER_KERNEL: &str = "WIREPROOF_KERNEL_TREE";
/// Memory for such a kernel: the sanitizers take a good part of it.
const OTHER_MEMORY_MIB: u32 = 1024;

/// The kernel that guests boot, and the modules built for it.
pub(crate) fn modules() -> Result<(Image, Vec<PathBuf>), Error> {
    let (image, headers) = match std::env::var_os(OTHER_KERNEL).map(PathBuf::from) {
        Some(tree) => (Image::at(&tree.join("arch/x86/boot/bzImage"))?, Headers::at(&tree)?),
        None => {
            let image = Image::find()?;
            let headers = Headers::of(&image.release)?;
            (image, headers)
        }
    };
    Ok((image, Store::of_user()?.build(&headers)?.0.files()))
}

/// A machine of a test's own, with the modules in it.
pub(crate) fn boot(name: &str) -> Result<Machine, Error> {
    let (image, modules) = modules()?;
    let mut config =
        Config::new(image, 1, project().join(format!("target/guest-console-{name}.txt")));
    config.modules = modules;
    if std::env::var_os(OTHER_KERNEL).is_some() {
        config.memory_mib = OTHER_MEMORY_MIB;
        // The firmware's tables hold programs, over which such a kernel loses its patience.
        config.command_line = "acpi=off".to_owned();
    }
    Machine::boot(&config)
}

/// Runs a test on the machine, in a namespace of its own, where the modules named are loaded. The
/// guest is 02:00:00:00:00:0N, 10.0.0.N.
pub(crate) fn on_bench(
    last: u8,
    loaded: &[&str],
    test: impl FnOnce(&mut Bench) -> Result<(), Failed>,
) -> Result<(), Stop> {
    let mut kept = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = match kept.take() {
        Some(bench) => bench,
        // Cargo's name for the test, so that two at once do not write into one file.
        None => Bench { machine: found(boot(env!("CARGO_CRATE_NAME")))? },
    };
    bench.fresh(last, loaded)?;
    test(&mut bench)?;
    bench.machine.health()?;
    // A machine on which a test has failed is no witness for the next.
    *kept = Some(bench);
    Ok(())
}

impl Bench {
    fn fresh(&mut self, last: u8, loaded: &[&str]) -> Result<(), Failed> {
        self.machine.fresh()?;
        for (name, _) in MODULES {
            self.run(&format!("! grep -q '^{name} ' /proc/modules || rmmod {name}"))?;
        }
        for name in loaded {
            self.run(&format!("insmod /modules/{name}.ko"))?;
        }
        for which in ["all", "default"] {
            self.run(&format!("echo 1 >/proc/sys/net/ipv6/conf/{which}/disable_ipv6"))?;
        }
        let mac = Mac([2, 0, 0, 0, 0, last]);
        self.machine.plug(&[Nic { port: 0, name: "eth0".into(), mac, mtu: 1500 }])?;
        self.run(&format!("ip addr add 10.0.0.{last}/24 dev eth0"))?;
        let peer = 3 - last;
        self.run(&format!("arp -s 10.0.0.{peer} 02:00:00:00:00:0{peer}"))?;
        // What an interface says when it comes up is said now.
        self.exchange(last, &[])?;
        Ok(())
    }

    /// A shell script in the guest: its output.
    pub(crate) fn run(&mut self, script: &str) -> Result<String, Error> {
        self.machine.run_within(script, SCRIPT_PATIENCE)
    }

    /// What the guest says to each of some frames.
    pub(crate) fn answers(
        &mut self,
        last: u8,
        frames: &[Vec<u8>],
    ) -> Result<Vec<Vec<Vec<u8>>>, Failed> {
        for frame in frames {
            self.machine.port(0).send(frame)?;
            self.machine.port(0).send(&probe(last))?;
        }
        frames.iter().map(|_| self.until_answered()).collect()
    }

    /// Sends frames, and gives all that the guest says until it has dealt with them.
    pub(crate) fn exchange(
        &mut self,
        last: u8,
        frames: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, Failed> {
        for frame in frames {
            self.machine.port(0).send(frame)?;
        }
        self.machine.port(0).send(&probe(last))?;
        self.until_answered()
    }

    /// What comes before the answer to a probe.
    fn until_answered(&mut self) -> Result<Vec<Vec<u8>>, Failed> {
        let (mut said, mut frame) = (Vec::new(), Vec::new());
        loop {
            if !self.machine.port(0).wait(&mut frame, PATIENCE)? {
                return Err("the guest does not answer an ARP probe".into());
            }
            if frame.starts_with(&PROBER) {
                return Ok(said);
            }
            said.push(frame.clone());
        }
    }

    /// The next frame that the guest sends.
    pub(crate) fn frame(&mut self) -> Result<Vec<u8>, Failed> {
        let mut frame = Vec::new();
        match self.machine.port(0).wait(&mut frame, PATIENCE)? {
            true => Ok(frame),
            false => Err("the guest sends nothing".into()),
        }
    }

    /// A second end of the guest's port.
    pub(crate) fn port(&self) -> Result<std::os::unix::net::UnixDatagram, Failed> {
        let port = std::os::fd::AsFd::as_fd(self.machine.port(0));
        Ok(port.try_clone_to_owned()?.into())
    }

    /// What is wrong with the machine.
    pub(crate) fn health(&mut self) -> Result<(), Error> {
        self.machine.health()
    }

    /// A line of numbers of a file in `/proc/net`.
    pub(crate) fn counters(&mut self, file: &str) -> Result<Vec<(String, u64)>, Failed> {
        let text = self.run(&format!("cat /proc/net/{file}"))?;
        let line = |line: &str| {
            let (name, number) = line.split_once(' ')?;
            Some((name.to_owned(), number.trim().parse().ok()?))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}

/// Who asks whether the guest is done.
const PROBER: [u8; 6] = [2, 0xfe, 0, 0, 0, 1];

/// An ARP probe for the guest's address, RFC 5227: it is handled behind all that was sent before.
fn probe(last: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, last];
    frame.extend(PROBER);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend(PROBER);
    frame.extend([0; 10]);
    frame.extend([10, 0, 0, last]);
    frame
}

/// The frames of a golden.
pub(crate) fn golden(id: &str) -> Result<Vec<Vec<u8>>, Failed> {
    let bytes = std::fs::read(project().join(format!("golden-pcaps/{id}.pcapng")))?;
    let file = wire::pcapng::read(&bytes).map_err(|error| error.message)?;
    Ok(file.capture.iter().map(|(_, _, frame)| frame.to_vec()).collect())
}

/// Two things that must be the same.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    is: &T,
    wanted: &T,
) -> Result<(), Failed> {
    if is == wanted {
        return Ok(());
    }
    Err(format!("{what}\n  is     {is:x?}\n  wanted {wanted:x?}").into())
}
