//! A machine: booted, spoken to, emptied for the next use, and ended with whatever ends it. Knows
//! no node and no rule.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use wire::Duration;

use crate::channel::{Answer, Channel};
use crate::config::{Clock, Config};
use crate::console::Console;
use crate::error::{Error, Tried};
use crate::lockstep::{Gate, Lockstep, Mailbox};
use crate::nics::{Nic, Nics};
use crate::port::Port;
use crate::process::Process;
use crate::unnamed::unnamed;
use crate::{modules, needs, qemu, root, tools};

mod lockstep;

/// How long a boot may take: hundreds of times as long as it takes.
const BOOT_TIMEOUT: Duration = Duration::from_secs(120);
/// The timeout of a script, unless the caller gives one.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long QEMU may take to end once its channel is gone.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// The script that every shell at the channel runs first.
const AGENT: &str = include_str!("root/agent.sh");

/// A running machine. It ends when it is dropped, and when this process ends.
#[derive(Debug)]
pub struct Machine {
    // First, so that it ends before anything that it holds.
    process: Process,
    channel: Channel,
    ports: Vec<Port>,
    console: Console,
    streams: BTreeMap<String, UnixStream>,
    nics: Nics,
    clock: Clock,
    /// Why it is of no more use.
    spoiled: Option<String>,
}

impl Machine {
    /// Boots a machine; returns when the guest reports that it is ready.
    ///
    /// # Errors
    /// [`Error::Missing`] for what is not on this machine, [`Error::Died`], [`Error::Panic`] or
    /// [`Error::Late`] when it does not come up, with its console's file in the text.
    pub fn boot(config: &Config) -> Result<Self, Error> {
        let program = tools::needed(qemu::PROGRAM, qemu::PURPOSE, qemu::PACKAGE)?;
        if config.ports > qemu::MOST_PORTS {
            let (most, ports) = (qemu::MOST_PORTS, config.ports);
            return Err(Error::Plan(format!("a guest has at most {most} ports, not {ports}")));
        }
        let brought = modules::brought(&config.modules)?;
        let root = root::make(&config.image, &brought)?;
        let kernel = config.image.open()?;
        let (console, console_end) = Console::new(&config.console)?;
        let (channel, line_ends) = line(config)?;
        let (mut ports, mut port_ends) = (Vec::new(), Vec::new());
        let sockets = if config.clock == Clock::Free { config.ports } else { 0 };
        for number in 0..sockets {
            let (port, end) = Port::pair(number)?;
            ports.push(port);
            port_ends.push(end);
        }
        let (mut streams, mut stream_ends) = (BTreeMap::new(), Vec::new());
        for name in &config.streams {
            let (ours, theirs) = UnixStream::pair().tried(format!("make the stream {name}"))?;
            streams.insert(name.clone(), ours);
            stream_ends.push(theirs.into());
        }
        let root = unnamed(&root)?;
        let fds = qemu::held(root, kernel, console_end.into(), line_ends, port_ends, stream_ends);
        let process = Process::start(&program, &qemu::arguments(config), fds)?;
        let mut machine = Self {
            process,
            channel,
            ports,
            console,
            streams,
            nics: Nics::new(config.ports),
            clock: config.clock,
            spoiled: None,
        };
        // The first line wakes the guest; all else is for the shell that it starts then.
        let _ = machine.channel.write("\n");
        machine.load_agent(BOOT_TIMEOUT)?;
        Ok(machine)
    }

    /// Runs a shell script in the guest, in its present network namespace; its output.
    ///
    /// # Errors
    /// [`Error::Refused`] for a status other than 0, [`Error::Late`] when it takes more than half
    /// a minute, after which the machine is of no more use, and whatever ended the machine.
    pub fn run(&mut self, script: &str) -> Result<String, Error> {
        self.run_within(script, SCRIPT_TIMEOUT)
    }

    /// The same, with another limit in time.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn run_within(&mut self, script: &str, timeout: Duration) -> Result<String, Error> {
        self.usable()?;
        let answer = self.channel.run(script, timeout)?;
        self.judge(answer, timeout, script)
    }

    /// Empties the guest: everything of its network is destroyed with its namespace, every process
    /// is killed, and the shell goes on in a new namespace without interfaces.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn fresh(&mut self) -> Result<(), Error> {
        self.usable()?;
        let script = format!("leave() {{\n{}:\n}}\nleave && kill -9 -1", self.nics.leave());
        let answer = self.channel.last(&script, SCRIPT_TIMEOUT)?;
        if let Answer::Done(1.., output) = &answer {
            self.spoiled = Some(format!("it could not be emptied: {}", output.trim()));
        }
        self.judge(answer, SCRIPT_TIMEOUT, "empty itself")?;
        self.load_agent(SCRIPT_TIMEOUT)
    }

    /// Brings interfaces into the present namespace, and up.
    ///
    /// # Errors
    /// [`Error::Plan`] for a port that the machine has not or that is plugged already, and as
    /// [`Machine::run`].
    pub fn plug(&mut self, nics: &[Nic]) -> Result<(), Error> {
        self.usable()?;
        let script = self.nics.enter(nics)?;
        let answer = self.channel.request(&script, SCRIPT_TIMEOUT)?;
        self.judge(answer, SCRIPT_TIMEOUT, "plug").map(drop)
    }

    /// A port of a machine whose clock is free; one in lockstep has [`Machine::hand_in`] and
    /// [`Machine::take`].
    ///
    /// # Panics
    /// When the machine has no such port.
    #[must_use]
    pub fn port(&self, number: usize) -> &Port {
        &self.ports[number]
    }

    /// Our end of a stream that the configuration names; it is given once.
    pub fn stream(&mut self, name: &str) -> Option<UnixStream> {
        self.streams.remove(name)
    }

    /// By which clock it runs.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The file that takes the console output of the guest's kernel.
    #[must_use]
    pub fn console(&self) -> &Path {
        self.console.path()
    }

    /// QEMU's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether a guest can be booted on this machine.
    ///
    /// # Errors
    /// [`Error::Missing`] with the first thing that is not there, and the command that gives it.
    pub fn possible() -> Result<(), Error> {
        needs::needs().into_iter().take(3).try_for_each(|need| need.found)
    }

    /// Whether the guest has a program that is not of busybox: `nft`, `iptables-restore` …
    ///
    /// # Errors
    /// [`Error::Missing`] with the command that gives it.
    pub fn tool(name: &str) -> Result<(), Error> {
        let none = || Error::Plan(format!("a guest has no {name}"));
        tools::tool(name).ok_or_else(none)?.find().map(drop)
    }

    /// What is wrong with the machine since last asked, if anything is.
    ///
    /// # Errors
    /// [`Error::Oops`], [`Error::Panic`], [`Error::Warning`] by the guest's console,
    /// [`Error::Died`] when QEMU has ended, [`Error::Late`] when a script went over its time.
    pub fn health(&mut self) -> Result<(), Error> {
        let ended = self.process.ended();
        self.console.news()?;
        match (ended, &self.spoiled) {
            (Some(_), _) => Err(self.died()),
            (None, Some(why)) => Err(Error::Late(why.clone())),
            (None, None) => Ok(()),
        }
    }

    fn usable(&self) -> Result<(), Error> {
        match &self.spoiled {
            Some(why) => Err(Error::Late(format!("the guest is of no more use: {why}"))),
            None => Ok(()),
        }
    }

    /// Defines the agent's functions in a new shell.
    fn load_agent(&mut self, timeout: Duration) -> Result<(), Error> {
        let answer = self.channel.request(AGENT, timeout)?;
        self.judge(answer, timeout, "come up").map(drop)
    }

    fn judge(&mut self, answer: Answer, timeout: Duration, script: &str) -> Result<String, Error> {
        match answer {
            Answer::Done(0, output) => Ok(output),
            Answer::Done(status, output) => Err(Error::Refused { status, output }),
            Answer::Gone(_) => Err(self.gone()),
            Answer::Late(output) => Err(self.late(timeout, script, output.trim())),
        }
    }

    /// The error of a guest that is late with a script; the machine is of no more use.
    fn late(&mut self, timeout: Duration, script: &str, output: &str) -> Error {
        let first = script.lines().next().unwrap_or("");
        let (console, last) = (self.console.path().display(), self.console.last());
        let mut text = format!("the guest was not done within {timeout:?} with: {first}");
        if !output.is_empty() {
            text += &format!("; its output: {output}");
        }
        text += &format!(" (console: {console}, its last line: {last})");
        self.spoiled = Some(text.clone());
        Error::Late(text)
    }

    /// The error behind the end of the channel.
    fn gone(&mut self) -> Error {
        self.process.wait(END_TIMEOUT);
        match self.console.news() {
            Err(fault @ (Error::Oops(_) | Error::Panic(_))) => fault,
            _ => self.died(),
        }
    }

    fn died(&mut self) -> Error {
        let status = match self.process.ended() {
            Some(status) => format!("QEMU ended ({status})"),
            None => "the guest hung up".to_owned(),
        };
        let mut errors = self.process.errors();
        if errors.contains("'dgram'") {
            errors += " (a guest needs QEMU 7.2 or newer)";
        }
        if errors.contains("-sandbox") {
            errors += " (a guest needs a QEMU that was built with seccomp)";
        }
        let (console, last) = (self.console.path().display(), self.console.last());
        let errors = if errors.is_empty() { errors } else { format!(": {errors}") };
        Error::Died(format!("{status}{errors} (console: {console}, its last line: {last})"))
    }
}

/// What carries words to a guest, and what QEMU holds of it.
fn line(config: &Config) -> Result<(Channel, Vec<OwnedFd>), Error> {
    if config.clock == Clock::Free {
        let (channel, end) = Channel::pair()?;
        return Ok((channel, vec![end]));
    }
    let named = |file: &PathBuf| file.file_name().is_some_and(|name| name == "lockstep.ko");
    if !config.modules.iter().any(named) {
        let text = "a guest in lockstep needs the module lockstep.ko: wireproof modules build";
        return Err(Error::Missing(text.to_owned()));
    }
    let (gate, end) = Gate::pair()?;
    let mailbox = Mailbox::new()?;
    let shared = mailbox.shared()?.into();
    Ok((Channel::lockstep(Lockstep::new(gate, mailbox)), vec![end, shared]))
}
