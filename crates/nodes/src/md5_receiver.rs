//! `md5-receiver`: takes the custom packet out of the stream before a TCP stack sees it, hands its
//! 16 bytes up and answers nothing. Whatever is not one goes, untouched, to the node behind it.
//! Keeps no connection; what stands behind is any kind of the registry, or nothing.
//!
//! A frame *is one* when all of these hold, read from the headers as they stand:
//!
//! | what | must be | else |
//! |---|---|---|
//! | Ethernet type, IP version | 0x0800 untagged, 4, a whole header, IHL ≥ 5 | passed on |
//! | Ethernet and IPv4 destination | the port's own | passed on |
//! | fragment offset, more fragments | 0, 0 | passed on |
//! | protocol | 6 | passed on |
//! | what arrived | reaches at least the TCP flags | passed on |
//! | TCP destination port | the agreed one, option `port` | passed on |
//! | TCP flags, all nine | FIN alone | passed on |
//! | total length − IHL − data offset (5 words or more) | 16 bytes of payload | passed on |
//!
//! One that *looks like one* by all of that and fails a check is dropped, counted under the first
//! reason of these that holds, and never answered, nor shown to the node behind:
//!
//! | reason | the check |
//! |---|---|
//! | `truncated` | the frame ends before the IPv4 total length does |
//! | `ip-checksum` | the IPv4 header checksum is right |
//! | `tcp-checksum` | the TCP checksum is right |
//!
//! The length is part of what the packet is: a FIN with another length is another segment, which
//! is why it is passed on. Bytes behind the total length are Ethernet padding and do not count.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use link::{Command, CommandError, Datum, Event, Node, PortConfig, PortIndex, Transmit};
use wire::segment::{FIN, IpPacket};
use wire::{Instant, PortSet};

use crate::config::{Inner, NodeConfig, OptionSpec, VerbSpec};
use crate::neighbour::owns;
use crate::options::ConfigError;
use crate::recipe::{Made, MakeError, Recipe, Site};
use crate::registry::{Kind, Registry};
use crate::role::Role;

/// Bytes of payload that the custom packet carries.
pub const PAYLOAD_LEN: usize = 16;

const BEHIND: &str = "behind.";

static OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "port", takes: "a port", default: "80", about: "the TCP port agreed on" },
    OptionSpec {
        name: "behind",
        takes: "`none` or a kind of node",
        default: "none",
        about: "who gets what is no custom packet; its options follow as behind.NAME",
    },
];

/// The kind `md5-receiver`.
#[must_use]
pub fn kind() -> Kind {
    let about = "takes custom packets in before TCP sees them, and passes everything else on";
    let read = |config: &NodeConfig, all: &Registry| {
        let recipe: Arc<dyn Recipe> = Arc::new(Settings::read(config, all)?);
        Ok(recipe)
    };
    Kind::new("md5-receiver", about, read)
        .options(OPTIONS)
        .inner(Inner::Prefixed(BEHIND))
        .events(EVENTS)
        .wraps(|config| behind(config).ok().flatten().map(|(kind, inner)| (kind.to_owned(), inner)))
}

/// The events of the node behind it come beside these.
static EVENTS: &[VerbSpec] = &[
    VerbSpec {
        name: "payload",
        with: &["bytes", "src", "sport"],
        about: "a custom packet was taken in",
    },
    VerbSpec { name: "drop", with: &["reason"], about: "what looked like one was not taken" },
];

/// The node.
pub struct Md5Receiver {
    own: PortConfig,
    port: u16,
    behind: Option<Box<dyn Node>>,
    event: Option<Event>,
    consumed: u64,
    passed: u64,
    dropped: [u64; 3],
}

/// Why a frame that looks like one is dropped, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It ends before its total length does.
    Truncated,
    /// The IPv4 header checksum is wrong.
    IpChecksum,
    /// The TCP checksum is wrong.
    TcpChecksum,
}

impl DropReason {
    /// The reason as events and counters name it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::IpChecksum => "ip-checksum",
            Self::TcpChecksum => "tcp-checksum",
        }
    }
}

/// What a frame is to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// No custom packet.
    Other,
    /// One that fails a check.
    Bad(DropReason),
    /// One.
    Payload {
        /// Its 16 bytes.
        bytes: &'a [u8],
        /// Who sent it.
        src: IpAddr,
        /// Its TCP source port.
        sport: u16,
    },
}

impl Md5Receiver {
    /// A receiver, and the node behind it.
    ///
    /// # Errors
    /// When an option is wrong, or the node behind does not take its options.
    pub fn new(config: &NodeConfig, registry: &Registry) -> Result<Self, ConfigError> {
        let settings = Settings::read(config, registry)?;
        let site = Site { ports: &config.ports, seed: 0, is_real: false };
        settings.at(&site).map_err(|error| ConfigError::new(error.to_string()))
    }
}

/// The options, and the recipe of the node behind it.
#[derive(Debug)]
struct Settings {
    port: u16,
    behind: Option<Arc<dyn Recipe>>,
}

impl Settings {
    fn read(config: &NodeConfig, registry: &Registry) -> Result<Self, ConfigError> {
        let port = config.read().num("port")?.unwrap_or(80);
        let recipe = |(kind, inner): (&str, NodeConfig)| {
            registry.read_in_process(kind, &inner).map_err(|error| match error.option {
                Some(_) => error.prefixed(BEHIND),
                None => ConfigError::at("behind", error.message),
            })
        };
        Ok(Self { port, behind: behind(config)?.map(recipe).transpose()? })
    }

    fn at(&self, site: &Site<'_>) -> Result<Md5Receiver, MakeError> {
        let own = site.ports.first().cloned().unwrap_or_default();
        let behind = match &self.behind {
            Some(behind) => Some(behind.make(site)?.in_process()?),
            None => None,
        };
        let (port, dropped) = (self.port, [0; 3]);
        Ok(Md5Receiver { own, port, behind, event: None, consumed: 0, passed: 0, dropped })
    }
}

impl Recipe for Settings {
    /// What the node behind is, less the port that custom packets are taken from.
    fn role(&self) -> Role {
        let taken = PortSet::one(self.port);
        match self.behind.as_ref().map(|behind| behind.role()) {
            None => Role::Silent,
            Some(Role::ClosedPort { ports }) => Role::ClosedPort { ports: ports.without(&taken) },
            Some(other) => other,
        }
    }

    fn make(&self, site: &Site<'_>) -> Result<Made, MakeError> {
        Ok(Made::in_this_process(Box::new(self.at(site)?)))
    }
}

/// The kind behind and its configuration, with the prefix taken off its options.
fn behind(config: &NodeConfig) -> Result<Option<(&str, NodeConfig)>, ConfigError> {
    let kind = config.read().text("behind")?.unwrap_or("none");
    let inner: std::collections::BTreeMap<_, _> = config
        .options
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(BEHIND)?.to_owned(), value.clone())))
        .collect();
    if kind != "none" {
        return Ok(Some((kind, config.with_options(inner))));
    }
    match inner.keys().next() {
        Some(name) => {
            let message = format!("`{BEHIND}{name}`: nothing stands behind; name it in `behind`");
            Err(ConfigError::at(&format!("{BEHIND}{name}"), message))
        }
        None => Ok(None),
    }
}

/// Judges a frame by the two tables above.
#[must_use]
pub fn look<'a>(frame: &'a [u8], own: &PortConfig, port: u16) -> Verdict<'a> {
    match custom(frame, own, port) {
        None => Verdict::Other,
        Some(ip) if ip.is_truncated() => Verdict::Bad(DropReason::Truncated),
        Some(ip) if !ip.header_checksum_ok() => Verdict::Bad(DropReason::IpChecksum),
        Some(ip) if !ip.transport_checksum_ok() => Verdict::Bad(DropReason::TcpChecksum),
        Some(ip) => {
            let segment = ip.payload();
            let bytes = &segment[segment.len() - PAYLOAD_LEN..];
            let sport = u16::from_be_bytes([segment[0], segment[1]]);
            Verdict::Payload { bytes, src: ip.src(), sport }
        }
    }
}

/// The IP packet of a frame that is a custom packet by the first table.
fn custom<'a>(frame: &'a [u8], own: &PortConfig, port: u16) -> Option<IpPacket<'a>> {
    let ip = IpPacket::parse(frame).ok()?;
    let untagged = ip.header_range().start == 14;
    let here = ip.eth_dst() == own.mac && owns(own, ip.dst());
    if !ip.is_v4() || !untagged || !here || ip.is_fragment() || ip.protocol() != 6 {
        return None;
    }
    let head = ip.payload().first_chunk::<14>()?;
    let offset = usize::from(head[12] >> 4) * 4;
    let flags = u16::from_be_bytes([head[12], head[13]]) & 0x1ff;
    let total = usize::from(u16::from_be_bytes([ip.header()[2], ip.header()[3]]));
    let is_one = u16::from_be_bytes([head[2], head[3]]) == port
        && flags == FIN
        && offset >= 20
        && total == ip.header().len() + offset + PAYLOAD_LEN;
    is_one.then_some(ip)
}

impl Node for Md5Receiver {
    fn handle_frame(&mut self, now: Instant, port: PortIndex, frame: &[u8]) {
        match look(frame, &self.own, self.port) {
            Verdict::Other => {
                self.passed += 1;
                if let Some(behind) = &mut self.behind {
                    behind.handle_frame(now, port, frame);
                }
            }
            Verdict::Bad(drop) => {
                self.dropped[drop as usize] += 1;
                let reason = Datum::Text(drop.reason().into());
                self.event = Some(Event::new("drop").with("reason", reason));
            }
            Verdict::Payload { bytes, src, sport } => {
                self.consumed += 1;
                let event = Event::new("payload")
                    .with("bytes", Datum::Bytes(bytes.to_vec()))
                    .with("src", Datum::Text(src.to_string()))
                    .with("sport", Datum::Num(sport.into()));
                self.event = Some(event);
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(behind) = &mut self.behind {
            behind.handle_timeout(now);
        }
    }

    fn handle_command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        match &mut self.behind {
            Some(behind) => behind.handle_command(now, command),
            None => Err(CommandError(
                "md5-receiver takes no command, and nothing stands behind it".into(),
            )),
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit<'_>> {
        self.behind.as_mut()?.poll_transmit(now)
    }

    fn poll_event(&mut self, now: Instant) -> Option<Event> {
        self.event.take().or_else(|| self.behind.as_mut()?.poll_event(now))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.behind.as_ref()?.poll_timeout()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        let mut all = vec![("consumed".into(), self.consumed), ("passed".into(), self.passed)];
        for drop in [DropReason::Truncated, DropReason::IpChecksum, DropReason::TcpChecksum] {
            all.push((format!("dropped.{}", drop.reason()).into(), self.dropped[drop as usize]));
        }
        let behind = self.behind.as_mut().map_or(Vec::new(), |behind| behind.counters());
        let named = |(name, count)| (format!("{BEHIND}{name}").into(), count);
        all.extend(behind.into_iter().map(named));
        all
    }
}

#[cfg(test)]
mod tests;
