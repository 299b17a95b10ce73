//! A guest as a node. Its kernel, or a module in it, answers each frame. A barrier after each frame
//! proves that the frame is handled, so the link's time does not advance meanwhile. Knows the node
//! contract, the crate `linux`'s kernel and the three modules; no scenario and no wire.
//!
//! With [`Spec::live`] the link's clock is the real one, as the guest's is. The clock of a guest in
//! lockstep is the link's, which runs it up to a horizon. Otherwise a frame that the guest emits
//! unsolicited comes at a time that means nothing on the link: that is [`Fault::OutOfStep`].

mod health;
mod io;
mod receiver;
mod sender;
mod setup;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use link::{Command, CommandError, Datum, Event, Fault, PortConfig, PortIndex, Transmit};
use linux::{Kernel, KernelNode, NetConfig, interface_name};
use wire::{Instant, Packet, PortSet};

use crate::error::Error;
use crate::nics::Nic;
use crate::pool::Leased;
use io::GuestIo;
use setup::Setup;

pub use sender::SkbSender;

/// A guest to be put on a wire.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// The configuration of its kernel.
    pub kernel: Kernel,
    /// Its ports.
    pub ports: Vec<PortConfig>,
    /// The module that answers for it.
    pub module: Option<Module>,
    /// Files (`.ko`) of the machine's `/modules` to load, in this order.
    pub load: Vec<PathBuf>,
    /// How long a program that listens keeps a connection; `None`: for ever.
    pub close_after_secs: Option<u32>,
    /// The link's clock is the real one.
    pub live: bool,
}

/// A module that is a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Module {
    /// Builds and sends the scenario's packets.
    SkbSender(SkbSender),
    /// Takes custom packets to this port in.
    Md5Receiver(u16),
    /// Answers segments to these ports as Linux 2.6 did.
    RstReply(PortSet),
}

/// The node.
#[derive(Debug)]
pub struct Guest {
    kernel: KernelNode<GuestIo>,
    ports: Vec<PortConfig>,
    module: Option<Module>,
    events: VecDeque<Event>,
    /// The step of the next send that is to fail.
    fail: Option<String>,
    remarks: Vec<String>,
    /// What its module counted, once the run is over.
    counted: Vec<(Cow<'static, str>, u64)>,
}

impl Guest {
    /// Sets a machine up, which has to be empty, and waits until it answers.
    ///
    /// # Errors
    /// [`Error::Refused`] when the guest does not take a setting, a rule or a module, and as
    /// [`Machine::run`](crate::Machine::run).
    pub fn start(machine: Leased, spec: &Spec) -> Result<Self, Error> {
        let name =
            |(number, port): (usize, &PortConfig)| port.mtu.map(|_| interface_name(port, number));
        let interfaces: Vec<Option<String>> = spec.ports.iter().enumerate().map(name).collect();
        let linked = spec.ports.iter().enumerate().filter(|(_, port)| port.mtu.is_some());
        let default_route = spec.kernel.default_route;
        let net = NetConfig::of(linked, default_route);
        let setup = Setup::new(spec, &net, &interfaces)?;
        let nics = nics(spec, &interfaces);
        let ports = spec.ports.clone();
        let io = GuestIo::new(machine, spec, interfaces);
        let mut guest = Self {
            kernel: KernelNode::new(io, ports.clone(), net.known, default_route),
            ports,
            module: spec.module.clone(),
            events: VecDeque::new(),
            fail: None,
            remarks: Vec::new(),
            counted: Vec::new(),
        };
        match guest.set_up(spec, &setup, &nics) {
            Ok(()) => Ok(guest),
            Err(error) => Err(guest.io().refused(error)),
        }
    }

    fn set_up(&mut self, spec: &Spec, setup: &Setup, nics: &[Nic]) -> Result<(), Error> {
        let machine = self.io().machine()?;
        let output = machine.run(&(setup.before.clone() + &loading(spec)))?;
        machine.plug(nics)?;
        machine.run(&setup.script)?;
        self.remarks = setup.lines(&output);
        self.kernel.wait_ready()?;
        if let Some(Module::Md5Receiver(_)) = spec.module {
            self.io().run(receiver::EVENTS)?;
        }
        self.io().begin()
    }

    /// What was set in the guest, a line each.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Runs a script in the guest meanwhile, as a look into it or to disturb it; what it wrote.
    /// `None` when it failed; what is wrong with the guest then is a fault of the node.
    pub fn run(&mut self, script: &str) -> Option<String> {
        match self.io().run(script) {
            Ok(output) => Some(output),
            Err(Error::Refused { .. }) => None,
            Err(error) => {
                self.io().fails(error);
                None
            }
        }
    }

    /// Descriptors that are readable when a port has a frame, for a wire of the real clock.
    ///
    /// # Errors
    /// When the host refuses more descriptors.
    pub fn readiness(&mut self) -> Result<Vec<OwnedFd>, Error> {
        self.io().readiness()
    }

    fn io(&mut self) -> &mut GuestIo {
        self.kernel.io_mut()
    }

    fn receive(&mut self, now: Instant, port: PortIndex, frame: &[u8]) -> Result<(), Error> {
        self.io().look(now)?;
        self.kernel.receive(usize::from(port), frame)?;
        if let Some(Module::Md5Receiver(_)) = self.module {
            let output = self.io().run(receiver::EVENTS)?;
            self.events.extend(receiver::events(&output));
        }
        Ok(())
    }

    fn send(
        &mut self,
        sender: &SkbSender,
        port: PortIndex,
        packet: &Packet,
    ) -> Result<(), CommandError> {
        let at = usize::from(port);
        let Some(config) = self.ports.get(at) else {
            return Err(CommandError(format!("port {port}: there are {}", self.ports.len())));
        };
        let Some(Some(interface)) = self.kernel.io().interfaces.get(at) else {
            return Err(CommandError(format!("port {port} of the guest has no link")));
        };
        let fail = self.fail.take();
        let scripts = match sender.scripts(packet, config, interface, fail.as_deref()) {
            Ok(scripts) => scripts,
            Err(error) => {
                self.io().faults.push_back(Fault::Unable(error.to_string()));
                return Err(error);
            }
        };
        for script in scripts {
            match self.io().run(&script) {
                Ok(output) => self.events.extend(sender::outcome(&output)?),
                Err(error) => {
                    self.io().fails(error);
                    return Ok(());
                }
            }
        }
        // What it sent is out when the barrier is answered, which takes the same way.
        if let Err(error) = self.kernel.settle(at) {
            self.io().fails(error);
        }
        Ok(())
    }

    /// What its module counts.
    fn count(&mut self) {
        let script = match self.module {
            Some(Module::SkbSender(_)) => sender::COUNTERS,
            Some(Module::Md5Receiver(_)) => receiver::COUNTERS,
            Some(Module::RstReply(_)) => "cat /proc/net/rst_reply",
            None => return,
        };
        // One that is gone counts nothing any more; that it is gone is a fault of its own.
        if let Ok(output) = self.io().run(script) {
            let counted = sender::counters(&output).into_iter();
            self.counted = counted.map(|(name, count)| (name.into(), count)).collect();
        }
    }
}

/// The interfaces of all ports that have a link.
fn nics(spec: &Spec, interfaces: &[Option<String>]) -> Vec<Nic> {
    let nic = |(port, (config, name)): (usize, (&PortConfig, &Option<String>))| {
        let (name, mtu) = (name.clone()?, config.mtu?);
        Some(Nic { port, name, mac: config.mac, mtu })
    };
    spec.ports.iter().zip(interfaces).enumerate().filter_map(nic).collect()
}

/// The script that loads the modules; one that the machine has loaded already stays.
fn loading(spec: &Spec) -> String {
    let mut script = "set -e\n".to_owned();
    for file in &spec.load {
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        let name = file.trim_end_matches(".ko").replace('-', "_");
        script += &format!("[ -e '/sys/module/{name}' ] || insmod '/modules/{file}'\n");
    }
    match &spec.module {
        Some(Module::Md5Receiver(port)) => script += &receiver::agree(*port),
        Some(Module::RstReply(ports)) => {
            let ports = if ports.is_empty() { "none".to_owned() } else { ports.to_string() };
            script += &format!("echo 'ports={ports}' >/proc/net/rst_reply\n");
        }
        Some(Module::SkbSender(_)) | None => {}
    }
    script
}

impl link::Node for Guest {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        // The run ends, and a guest that is not well would be waited for at each frame.
        if self.io().error.is_none()
            && let Err(error) = self.receive(now, port, frame)
        {
            self.io().fails(error);
        }
    }

    fn handle_timeout(&mut self, _: Instant) {
        if let Err(error) = self.kernel.poll() {
            self.io().fails(error);
        }
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        let Some(Module::SkbSender(sender)) = self.module.clone() else {
            let refused = self.kernel.handle_command(now, command);
            return refused.map_err(|error| {
                CommandError(format!("{error}; in a guest, module=skb_sender sends"))
            });
        };
        match command {
            Command::Send { port, packet } => self.send(&sender, *port, packet),
            Command::Do { verb, args } if verb == "fail" => {
                self.fail = Some(step(args)?);
                Ok(())
            }
            Command::Do { verb, .. } => Err(CommandError(format!(
                "unknown command of skb_sender `{verb}`: allowed is fail"
            ))),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        self.kernel.poll_transmit(now)
    }

    fn poll_event(&mut self, _: Instant) -> Option<Event> {
        self.events.pop_front()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn run_until(&mut self, horizon: Instant) -> Option<Instant> {
        let io = self.io();
        if !io.is_lockstep() {
            return None;
        }
        let ran = io.machine().and_then(|machine| machine.run_until(horizon));
        ran.unwrap_or_else(|error| {
            io.fails(error);
            None
        })
    }

    fn poll_fault(&mut self) -> Option<Fault> {
        let io = self.io();
        io.faults.pop_front().or_else(|| if io.error.is_some() { io.close() } else { None })
    }

    fn finish(&mut self, now: Instant) {
        if self.io().machine.is_none() {
            return;
        }
        self.count();
        let io = self.io();
        if io.error.is_none()
            && let Err(error) = io.look(now)
        {
            io.fails(error);
        }
        let fault = io.close();
        io.faults.extend(fault);
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        if self.io().machine.is_some() {
            self.count();
        }
        let mut all = self.kernel.counters();
        all.extend(self.counted.iter().cloned());
        all
    }
}

/// The step that `fail` names.
fn step(args: &BTreeMap<String, Datum>) -> Result<String, CommandError> {
    match args.get("step") {
        Some(Datum::Text(step)) if sender::STEPS.contains(&step.as_str()) => Ok(step.clone()),
        _ => Err(CommandError(format!("fail needs `step`: one of {}", sender::STEPS.join(", ")))),
    }
}
