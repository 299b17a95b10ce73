//! `tester`: emits exactly what it is told, right or wrong, and answers nothing; with `arp` and
//! `nd` it tells its Ethernet address to whoever asks. Knows no connection.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use link::{Command, CommandError, Datum, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::{Defaults, Instant, Packet};

use crate::config::{NodeConfig, OptionSpec, PortRule};
use crate::neighbour;
use crate::options::ConfigError;
use crate::recipe::in_process;
use crate::registry::Kind;
use crate::role::Role;

static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "arp",
        takes: "true or false",
        default: "false",
        about: "answer ARP requests for its addresses",
    },
    OptionSpec {
        name: "nd",
        takes: "true or false",
        default: "false",
        about: "answer IPv6 neighbour solicitations for its addresses",
    },
    OptionSpec {
        name: "to",
        takes: "IP addresses; in a scenario also the name of a node",
        default: "the peer",
        about: "where its IP packets go when nothing else is said, by way of the peer",
    },
];

/// The kind `tester`.
#[must_use]
pub fn kind() -> Kind {
    let about = "emits exactly the packets it is told to, right or wrong, and answers nothing";
    Kind::new("tester", about, |config, _| {
        let settings = Settings::read(config)?;
        Ok(in_process(Role::Sender, move |site| Box::new(Tester::at(&settings, site.ports))))
    })
    .options(OPTIONS)
    .addresses_in(&["to"])
    .ports(PortRule::AtLeast(1))
}

/// The options.
#[derive(Clone, Debug)]
struct Settings {
    /// Where packets go that name no destination; `None`: to the port's peer.
    far: Option<Vec<IpAddr>>,
    arp: bool,
    nd: bool,
}

impl Settings {
    fn read(config: &NodeConfig) -> Result<Self, ConfigError> {
        let options = config.read();
        let far = options.list("to")?;
        let far = far.map(|far| far.iter().map(address).collect::<Result<Vec<_>, _>>());
        let (arp, nd) = (options.bool("arp")?, options.bool("nd")?);
        Ok(Self { far: far.transpose()?, arp: arp.unwrap_or(false), nd: nd.unwrap_or(false) })
    }
}

/// The node.
#[derive(Debug)]
pub struct Tester {
    ports: Vec<PortConfig>,
    defaults: Vec<Defaults>,
    arp: bool,
    nd: bool,
    scratch: Vec<u8>,
    outbox: Outbox,
    seen: u64,
    sent: u64,
    answered: u64,
}

impl Tester {
    /// A tester with its options read.
    ///
    /// # Errors
    /// When an option is neither true nor false, or no address.
    pub fn new(config: &NodeConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(&Settings::read(config)?, &config.ports))
    }

    fn at(settings: &Settings, ports: &[PortConfig]) -> Self {
        let mut defaults: Vec<Defaults> = ports.iter().map(PortConfig::defaults).collect();
        if let Some(far) = &settings.far {
            for defaults in &mut defaults {
                defaults.dst_ip4 = far.iter().find_map(|ip| as_ip4(*ip));
                defaults.dst_ip6 = far.iter().find_map(|ip| as_ip6(*ip));
            }
        }
        Self {
            defaults,
            ports: ports.to_vec(),
            arp: settings.arp,
            nd: settings.nd,
            scratch: Vec::new(),
            outbox: Outbox::new(),
            seen: 0,
            sent: 0,
            answered: 0,
        }
    }

    fn send(&mut self, port: PortIndex, packet: &Packet) -> Result<(), CommandError> {
        if usize::from(port) >= self.defaults.len() {
            return Err(CommandError(format!("port {port}: there are {}", self.defaults.len())));
        }
        // Most of what is sent verbatim is a frame as it stands: one copy, into the outbox.
        if let Packet { raw: Some(raw), pad: None, truncate: None, .. } = packet
            && raw.len() <= wire::build::MAX_FRAME
        {
            self.sent += 1;
            self.outbox.push(port, raw);
            return Ok(());
        }
        self.build(port, packet)
    }

    /// Sends a packet that has to be built, as one frame or in fragments.
    #[inline(never)]
    fn build(&mut self, port: PortIndex, packet: &Packet) -> Result<(), CommandError> {
        let defaults = &self.defaults[usize::from(port)];
        let context = |error: wire::build::BuildError| CommandError(error.to_string());
        if packet.fragment.is_some() {
            let frames = wire::build::build(packet, defaults).map_err(context)?;
            self.sent += frames.len() as u64;
            frames.iter().for_each(|frame| self.outbox.push(port, frame));
        } else {
            wire::build::build_into(packet, defaults, &mut self.scratch).map_err(context)?;
            self.sent += 1;
            self.outbox.push(port, &self.scratch);
        }
        Ok(())
    }
}

fn address(datum: &Datum) -> Result<IpAddr, ConfigError> {
    let text = datum.to_string();
    text.parse().map_err(|_| {
        let message =
            format!("the option `to`: `{text}` is no IP address, and no node is called so");
        ConfigError::at("to", message)
    })
}

fn as_ip4(ip: IpAddr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(ip) = ip { Some(ip) } else { None }
}

fn as_ip6(ip: IpAddr) -> Option<Ipv6Addr> {
    if let IpAddr::V6(ip) = ip { Some(ip) } else { None }
}

impl Node for Tester {
    fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
        self.seen += 1;
        if !self.arp && !self.nd {
            return;
        }
        let Some(own) = self.ports.get(usize::from(port)) else { return };
        self.scratch.clear();
        let answered = self.arp && neighbour::answer_arp(frame, own, &mut self.scratch)
            || self.nd && neighbour::answer_nd(frame, own, &mut self.scratch);
        if answered {
            self.answered += 1;
            self.outbox.push(port, &self.scratch);
        }
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::Send { port, packet } => self.send(*port, packet),
            Command::Do { verb, .. } => {
                Err(CommandError(format!("a tester does not take `{verb}`: it takes `send`")))
            }
        }
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.outbox.pop()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![
            ("seen".into(), self.seen),
            ("sent".into(), self.sent),
            ("answered".into(), self.answered),
        ]
    }
}

#[cfg(test)]
mod tests;
