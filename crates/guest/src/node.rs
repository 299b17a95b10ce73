//! A guest as a node: what its kernel, or a module in it, says to each frame. A fence behind each
//! frame tells when it is done, so that the link's time can stand still meanwhile. Knows the node
//! contract, the crate `linux`'s kernel and the three modules; no scenario and no wire.
//!
//! With [`Spec::live`] the link's clock is the real one, as the guest's is. Of one in lockstep
//! the guest's is the link's: whoever drives the link [lets it run](Watch::let_run). Otherwise a
//! frame that the guest sends of its own accord comes at a time that means nothing on the link: the
//! watch then says so, and the run proves nothing.

mod receiver;
mod sender;
mod setup;
mod watch;
mod way;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use link::{Command, CommandError, Datum, Event, PortConfig, PortIndex, Transmit};
use linux::{Answering, Kernel, Surroundings, interface_name};
use wire::{Instant, Packet, PortSet};

use crate::error::Error;
use crate::nics::Nic;
use crate::pool::Leased;
use setup::Setup;
use way::{Shared, Way};

pub use sender::SkbSender;
pub use watch::{Trouble, Watch};

/// A guest to be put on a wire.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// What its kernel is told.
    pub kernel: Kernel,
    /// Its ports.
    pub ports: Vec<Linked>,
    /// The module that speaks for it.
    pub module: Option<Module>,
    /// Files (`.ko`) of the machine's `/modules` to load, in this order.
    pub load: Vec<PathBuf>,
    /// How long a program that listens keeps a connection; `None`: for ever.
    pub close_after_secs: Option<u32>,
    /// The link's clock is the real one.
    pub live: bool,
}

/// A port of a guest.
#[derive(Clone, Debug, Default)]
pub struct Linked {
    /// Its addresses and peer.
    pub config: PortConfig,
    /// The MTU of its interface; `None` where it has no link.
    pub mtu: Option<u32>,
}

/// A module that is a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Module {
    /// Builds and sends what the scenario says.
    SkbSender(SkbSender),
    /// Takes custom packets to this port in.
    Md5Receiver(u16),
    /// Answers segments to these ports as Linux 2.6 did.
    RstReply(PortSet),
}

/// The node.
pub struct Guest {
    answering: Answering<Way>,
    shared: Shared,
    ports: Vec<PortConfig>,
    module: Option<Module>,
    events: VecDeque<Event>,
    /// The step of the next send that is to fail.
    fail: Option<String>,
}

impl Guest {
    /// Sets a machine up, which has to be empty, and waits until it answers.
    ///
    /// # Errors
    /// [`Error::Refused`] when the guest does not take a setting, a rule or a module, and as
    /// [`Machine::run`](crate::Machine::run).
    pub fn start(machine: Leased, spec: &Spec) -> Result<(Self, Watch), Error> {
        let shared = Shared::new(machine, spec);
        match Self::set_up(&shared, spec) {
            Ok((guest, remarks)) => {
                let watch = Watch::new(shared, remarks);
                Ok((guest, watch))
            }
            Err(error) => Err(watch::refused(&shared, error)),
        }
    }

    fn set_up(shared: &Shared, spec: &Spec) -> Result<(Self, Vec<String>), Error> {
        let name = |(number, port): (usize, &Linked)| {
            port.mtu.map(|_| interface_name(&port.config, number))
        };
        let interfaces: Vec<Option<String>> = spec.ports.iter().enumerate().map(name).collect();
        let linked = spec.ports.iter().enumerate().filter(|(_, port)| port.mtu.is_some());
        let linked = linked.map(|(number, port)| (number, &port.config));
        let around = Surroundings::of(linked, spec.kernel.default_route);
        let setup = Setup::new(spec, &around, &interfaces)?;
        let remarks = {
            let mut held = shared.lock();
            let machine = held.machine()?;
            let output = machine.run(&(setup.before.clone() + &loading(spec)))?;
            machine.plug(&nics(spec, &interfaces))?;
            machine.run(&setup.script)?;
            setup.told(&output)
        };
        let ports: Vec<PortConfig> = spec.ports.iter().map(|port| port.config.clone()).collect();
        let way = Way::new(shared.clone(), interfaces);
        let default_route = spec.kernel.default_route;
        let mut answering = Answering::new(way, ports.clone(), around.known, default_route);
        answering.prove()?;
        if let Some(Module::Md5Receiver(_)) = spec.module {
            shared.run(receiver::EVENTS)?;
        }
        shared.begin()?;
        let guest = Self {
            answering,
            shared: shared.clone(),
            ports,
            module: spec.module.clone(),
            events: VecDeque::new(),
            fail: None,
        };
        Ok((guest, remarks))
    }

    /// Descriptors that are readable when a port has a frame, for a wire of the real clock.
    ///
    /// # Errors
    /// When the host refuses more descriptors.
    pub fn readiness(&self) -> Result<Vec<OwnedFd>, Error> {
        self.answering.transport().readiness()
    }

    fn hear(&mut self, now: Instant, port: PortIndex, frame: &[u8]) -> Result<(), Error> {
        {
            let mut held = self.shared.lock();
            // The run ends, and a guest that is not well would be waited for at each frame.
            if held.trouble.is_some() {
                return Ok(());
            }
            watch::look(&mut held, now)?;
        }
        self.answering.hear(usize::from(port), frame)?;
        if let Some(Module::Md5Receiver(_)) = self.module {
            self.events.extend(receiver::events(&self.shared.run(receiver::EVENTS)?));
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
        let Some(Some(interface)) = self.answering.transport().interfaces.get(at) else {
            return Err(CommandError(format!("port {port} of the guest has no link")));
        };
        let fail = self.fail.take();
        let scripts = match sender.scripts(packet, config, interface, fail.as_deref()) {
            Ok(scripts) => scripts,
            Err(error) => {
                self.shared.lock().unable.get_or_insert_with(|| error.to_string());
                return Err(error);
            }
        };
        for script in scripts {
            match self.shared.run(&script) {
                Ok(told) => self.events.extend(sender::outcome(&told)?),
                Err(error) => {
                    self.shared.lock().trouble(error);
                    return Ok(());
                }
            }
        }
        // What it sent is out when the fence is answered, which takes the same way.
        if let Err(error) = self.answering.done(at) {
            self.shared.lock().trouble(error);
        }
        Ok(())
    }
}

/// The interfaces of all ports that have a link.
fn nics(spec: &Spec, interfaces: &[Option<String>]) -> Vec<Nic> {
    let nic = |(port, (linked, name)): (usize, (&Linked, &Option<String>))| {
        let (name, mtu) = (name.clone()?, linked.mtu?);
        Some(Nic { port, name, mac: linked.config.mac, mtu })
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
        if let Err(error) = self.hear(now, port, frame) {
            self.shared.lock().trouble(error);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.answering.handle_timeout(now);
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        let Some(Module::SkbSender(sender)) = self.module.clone() else {
            let refused = self.answering.handle_command(now, command);
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
            Command::Do { verb, .. } => {
                let told = format!("unknown command of skb_sender `{verb}`: allowed is fail");
                Err(CommandError(told))
            }
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        self.answering.poll_transmit(now)
    }

    fn poll_event(&mut self, _: Instant) -> Option<Event> {
        self.events.pop_front()
    }

    fn counters(&self) -> Vec<(Cow<'static, str>, u64)> {
        let mut all = self.answering.counters();
        let script = match self.module {
            Some(Module::SkbSender(_)) => sender::COUNTERS,
            Some(Module::Md5Receiver(_)) => receiver::COUNTERS,
            Some(Module::RstReply(_)) => "cat /proc/net/rst_reply",
            None => return all,
        };
        // A guest that cannot say any more has been told of as what it is.
        let told = self.shared.run(script).unwrap_or_default();
        all.extend(sender::counters(&told).into_iter().map(|(name, count)| (name.into(), count)));
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
