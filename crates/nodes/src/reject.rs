//! `reject`: a host whose firewall rejects TCP with a reset. Answers every segment that is not a
//! reset itself, as netfilter's REJECT does at INPUT; all else meets silence. Knows no connection,
//! and of its neighbours only what a trigger's frame or the configuration tells.
//!
//! Not its work: ARP, neighbour discovery, and the ICMP errors with which a host answers malformed
//! options and unknown protocols.

use std::borrow::Cow;

use link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::segment::IpPacket;
use wire::{Instant, PortSet};

use crate::config::{NodeConfig, OptionSpec, PortRule};
use crate::options::ConfigError;
use crate::recipe::in_process;
use crate::registry::Kind;
use crate::role::Role;

mod fast;
mod fragments;
mod hop_by_hop;
mod ip4;
mod ip6;
mod options;
mod port;
mod reset;
mod rule;

pub use reset::reset_for;
pub use rule::{DropReason, Profile, Rule};

use fast::FastPath;
use fragments::Fragments;
use options::Options;
use port::{Ethernet, Port};

static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "profile",
        takes: "`linux` or `linux-2.6`",
        default: "linux",
        about: "whose rule: fresh bytes as Linux 6.18 has it, or the trigger's own, edited",
    },
    OptionSpec {
        name: "reject",
        takes: "ports",
        default: "all",
        about: "TCP destination ports that are rejected; segments to others are dropped",
    },
    OptionSpec {
        name: "ttl",
        takes: "a number from 0 to 255",
        default: "64",
        about: "TTL and hop limit of the resets; over IPv4 the profile linux-2.6 always says 255",
    },
    OptionSpec {
        name: "mtu",
        takes: "bytes",
        default: "1500",
        about: "an IPv4 reset larger than this is not sent",
    },
    OptionSpec {
        name: "default-route",
        takes: "true or false",
        default: "false",
        about: "sources outside the port's subnets are answered too",
    },
];

/// The profiles by name.
pub(crate) const PROFILES: [(&str, Profile); 2] =
    [("linux", Profile::Linux), ("linux-2.6", Profile::Linux26)];

/// The kind `reject`.
#[must_use]
pub fn kind() -> Kind {
    kind_of(Reject::at)
}

/// The same without the fast path: every trigger takes the general path. It answers the same and
/// takes longer, and is there for the tests that compare both.
#[must_use]
pub fn kind_without_fast_path() -> Kind {
    kind_of(|settings, ports| {
        let mut reject = Reject::at(settings, ports);
        reject.host.fast.clear();
        reject
    })
}

fn kind_of(make: fn(&Settings, &[PortConfig]) -> Reject) -> Kind {
    let about = "a host whose firewall answers every TCP segment with a reset";
    Kind::new("reject", about, move |config, _| {
        let settings = Settings::read(config)?;
        let role = Role::ClosedPort { ports: settings.rule.spared.complement() };
        Ok(in_process(role, move |site| Box::new(make(&settings, site.ports))))
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(1))
    .imitates(&["profile", "ttl", "mtu"])
}

/// The options.
#[derive(Clone, Debug)]
struct Settings {
    rule: Rule,
    /// Sources outside the port's subnets are answered too.
    anywhere: bool,
}

impl Settings {
    fn read(config: &NodeConfig) -> Result<Self, ConfigError> {
        let options = config.read();
        let profile = options.one_of("profile", &PROFILES)?.unwrap_or(Profile::Linux);
        let rule = Rule {
            ttl: options.num("ttl")?.unwrap_or(64),
            mtu: options.num("mtu")?.unwrap_or(1500),
            spared: options.ports("reject")?.unwrap_or_else(PortSet::all).complement(),
            profile,
        };
        Ok(Self { rule, anywhere: options.bool("default-route")?.unwrap_or(false) })
    }
}

/// The node.
#[derive(Clone, Debug)]
pub struct Reject {
    host: Host,
    outbox: Outbox,
    sent: u64,
    silent: [u64; DropReason::ALL.len()],
}

/// What decides about a reply.
#[derive(Clone, Debug)]
struct Host {
    ports: Vec<Port>,
    /// By port, what its fast path compares a trigger with.
    fast: Vec<Option<FastPath>>,
    rule: Rule,
    fragments: Fragments,
}

impl Reject {
    /// A rejecting host with its options read.
    ///
    /// # Errors
    /// When an option is not as its type wants it.
    pub fn new(config: &NodeConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(&Settings::read(config)?, &config.ports))
    }

    /// One that rejects these TCP ports, and is otherwise as it is by default.
    pub(crate) fn of_ports(rejected: &PortSet, ports: &[PortConfig]) -> Self {
        let spared = rejected.complement();
        let rule = Rule { ttl: 64, mtu: 1500, spared, profile: Profile::Linux };
        Self::at(&Settings { rule, anywhere: false }, ports)
    }

    fn at(Settings { rule, anywhere }: &Settings, ports: &[PortConfig]) -> Self {
        Self {
            host: Host {
                fast: ports.iter().map(|port| FastPath::of(port, rule)).collect(),
                ports: ports.iter().map(|port| Port::new(port, *anywhere)).collect(),
                rule: rule.clone(),
                fragments: Fragments::default(),
            },
            outbox: Outbox::new(),
            sent: 0,
            silent: [0; DropReason::ALL.len()],
        }
    }
}

impl Host {
    /// Appends the frame that answers, or says why none does; part of one may stand there then.
    fn answer(
        &mut self,
        now: Instant,
        port: PortIndex,
        frame: &[u8],
        reply: &mut Vec<u8>,
    ) -> Result<(), DropReason> {
        if let Some(Some(fast)) = self.fast.get(usize::from(port))
            && let Some(answer) = fast.answer(&self.rule, frame)
        {
            reply.extend_from_slice(&answer);
            return Ok(());
        }
        self.answer_any(now, port, frame, reply)
    }

    /// The same for every frame there may be: the general path.
    #[inline(never)]
    fn answer_any(
        &mut self,
        now: Instant,
        port: PortIndex,
        frame: &[u8],
        reply: &mut Vec<u8>,
    ) -> Result<(), DropReason> {
        let port = self.ports.get(usize::from(port)).ok_or(DropReason::OtherStation)?;
        let ethernet = port.ethernet(frame)?;
        let packet = IpPacket::behind(frame, ethernet.link);
        match ethernet.link.ethertype {
            0x0800 => {
                let datagram = ip4::sound(packet, &frame[ethernet.link.len..])?;
                let (src, dst) = ip4::ends(&datagram);
                port.accepts4(src, dst)?;
                let options = Options::deliver(datagram.header(), |ip| port.is_local4(ip))?;
                let to = port.route4(src, &ethernet);
                if !datagram.is_fragment() {
                    begin(reply, port, &ethernet, to.unwrap_or_default());
                    ip4::reset(&self.rule, &datagram, &options, reply)?;
                } else {
                    let whole = self.fragments.take(now, &datagram, frame.len());
                    let whole = whole.ok_or(DropReason::Fragment)?;
                    let whole = whole.datagram().ok_or(DropReason::Fragment)?;
                    begin(reply, port, &ethernet, to.unwrap_or_default());
                    // Reassembly makes the header's checksum anew, whatever was written into it.
                    ip4::reset(&self.rule, &whole, &Options::Untouched, reply)?;
                }
                to?;
            }
            0x86dd => {
                let trigger = ip6::Packet::sound(packet)?;
                port.accepts6(trigger.src(), trigger.dst())?;
                let to = port.route6(trigger.src(), &ethernet);
                begin(reply, port, &ethernet, to.unwrap_or_default());
                ip6::reset(&self.rule, &trigger, reply)?;
                to?;
            }
            _ => return Err(DropReason::NotIp),
        }
        Ok(())
    }
}

/// The Ethernet header of a reply.
#[inline]
fn begin(reply: &mut Vec<u8>, port: &Port, trigger: &Ethernet, to: [u8; 6]) {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (to, port.station(trigger));
    let [high, low] = trigger.link.ethertype.to_be_bytes();
    reply.extend_from_slice(&[a, b, c, d, e, f, g, h, i, j, k, l, high, low]);
}

impl Node for Reject {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        let Self { host, outbox, .. } = self;
        match outbox.try_push_with(port, |reply| host.answer(now, port, frame, reply)) {
            Ok(()) => self.sent += 1,
            Err(reason) => self.silent[reason as usize] += 1,
        }
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        let what = match command {
            Command::Send { .. } => "send",
            Command::Do { verb, .. } => verb,
        };
        Err(CommandError(format!(
            "a reject does not take `{what}`: it only answers what arrives; use `tester`"
        )))
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.outbox.pop()
    }

    /// `resets`, and under `silent.` each reason for silence that was met.
    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        let mut counters = vec![("resets".into(), self.sent)];
        for (reason, count) in DropReason::ALL.iter().zip(self.silent) {
            if count > 0 {
                counters.push((format!("silent.{}", reason.name()).into(), count));
            }
        }
        counters
    }
}
