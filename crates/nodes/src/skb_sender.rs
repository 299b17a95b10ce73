//! `skb-sender`: builds a custom TCP segment as a kernel module does without a socket:
//! a buffer, then payload, TCP header, IPv4 header, checksums and Ethernet header, each pushed in
//! front of the last, and out. Knows one shape of packet; all else is `tester`'s work.
//!
//! A step that fails frees the buffer, sends nothing, and is told as an event with the step's name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use link::{Command, CommandError, Datum, Event, Node, Outbox, PortConfig, PortIndex, Transmit};
use wire::fields::{ip4, tcp};
use wire::{Defaults, Field, Instant, Packet, Proto, Value, checksum};

use crate::config::{NodeConfig, OptionSpec, PortRule, VerbSpec};
use crate::options::{ConfigError, Options, unknown};
use crate::recipe::in_process;
use crate::registry::{Kind, Registry};
use crate::role::Role;
use crate::skb::{NoRoom, Pool, SkBuff};

/// The stand-in for an MD5 sum that the segment carries.
pub const PAYLOAD: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// Room for each header and the payload, each rounded up to four bytes.
pub const ROOM: usize = 16 + 20 + 20 + 16;

/// The steps of a send in their order, by the names that events and `fail` use.
pub const STEPS: [&str; 7] = ["alloc", "payload", "tcp", "ip", "checksum", "eth", "xmit"];

static OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "src", takes: "a port", default: "4000", about: "TCP source port" },
    OptionSpec { name: "dst", takes: "a port", default: "80", about: "TCP destination port" },
    OptionSpec {
        name: "payload",
        takes: "bytes in hex",
        default: "0102030405060708090a0b0c0d0e0f10",
        about: "what the segment carries; the buffer has room for 18 bytes",
    },
];

/// The kind `skb-sender`.
#[must_use]
pub fn kind() -> Kind {
    let about = "builds a custom TCP segment in a kernel's way, header before header, and sends it";
    let read = |config: &NodeConfig, _: &Registry| {
        let settings = Settings::read(config)?;
        Ok(in_process(Role::Sender, move |site| Box::new(SkbSender::at(&settings, site.ports))))
    };
    Kind::new("skb-sender", about, read)
        .options(OPTIONS)
        .commands(&[VerbSpec {
            name: "fail",
            with: &["step"],
            about: "that step of the next send fails",
        }])
        .events(&[VerbSpec {
            name: "failed",
            with: &["step", "reason"],
            about: "a segment could not be built or sent",
        }])
        .ports(PortRule::AtLeast(1))
}

/// The options.
#[derive(Clone, Debug)]
struct Settings {
    src: u16,
    dst: u16,
    payload: Vec<u8>,
}

impl Settings {
    fn read(config: &NodeConfig) -> Result<Self, ConfigError> {
        let options = config.read();
        Ok(Self {
            src: options.num("src")?.unwrap_or(4000),
            dst: options.num("dst")?.unwrap_or(80),
            payload: options.hex("payload")?.unwrap_or_else(|| PAYLOAD.to_vec()),
        })
    }
}

/// The node.
#[derive(Debug)]
pub struct SkbSender {
    defaults: Vec<Defaults>,
    src: u16,
    dst: u16,
    payload: Vec<u8>,
    fail: Option<&'static str>,
    pool: Pool,
    outbox: Outbox,
    failed: Option<Event>,
    sent: u64,
    freed: u64,
    seen: u64,
}

/// What one send asks for: the node's defaults and the fields that the packet gives.
struct Asked<'a> {
    packet: &'a Packet,
    defaults: &'a Defaults,
    payload: &'a [u8],
    ports: [u16; 2],
    ends: [Ipv4Addr; 2],
}

impl SkbSender {
    /// A sender with its options read.
    ///
    /// # Errors
    /// When an option is not as its type wants it.
    pub fn new(config: &NodeConfig) -> Result<Self, ConfigError> {
        Ok(Self::at(&Settings::read(config)?, &config.ports))
    }

    fn at(settings: &Settings, ports: &[PortConfig]) -> Self {
        Self {
            defaults: ports.iter().map(PortConfig::defaults).collect(),
            src: settings.src,
            dst: settings.dst,
            payload: settings.payload.clone(),
            fail: None,
            pool: Pool::default(),
            outbox: Outbox::new(),
            failed: None,
            sent: 0,
            freed: 0,
            seen: 0,
        }
    }

    fn send(&mut self, port: PortIndex, packet: &Packet) -> Result<(), CommandError> {
        if let Some(what) = packet.beyond_plain_tcp4() {
            let text = format!("skb-sender does not build `{what}`: use a `tester` for that");
            return Err(CommandError(text));
        }
        let Some(defaults) = self.defaults.get(usize::from(port)) else {
            return Err(CommandError(format!("port {port}: there are {}", self.defaults.len())));
        };
        let given = packet.layers.iter().find(|layer| layer.proto == Proto::Payload);
        let payload = match given.and_then(|layer| layer.get(&wire::fields::payload::DATA)) {
            Some(Value::Bytes(bytes)) => bytes,
            _ => &self.payload,
        };
        let ends =
            [end(packet, &ip4::SRC, defaults.src_ip4)?, end(packet, &ip4::DST, defaults.dst_ip4)?];
        let asked = Asked { packet, defaults, payload, ports: [self.src, self.dst], ends };
        let fail = self.fail.take();
        if fail == Some("alloc") {
            self.failed = Some(failure("alloc", "told to fail"));
            return Ok(());
        }
        let mut skb = self.pool.alloc(ROOM);
        match asked.build(&mut skb, fail) {
            Ok(()) => {
                // The device owns the buffer from here, and frees it once its bytes are out.
                self.outbox.push(port, skb.data());
                self.sent += 1;
            }
            Err((step, reason)) => {
                self.failed = Some(failure(step, &reason));
                self.freed += 1;
            }
        }
        self.pool.kfree(skb);
        Ok(())
    }

    fn fail(&mut self, args: &BTreeMap<String, Datum>) -> Result<(), CommandError> {
        let args = Options(args);
        args.only("argument of fail", &["step"])?;
        let Some(step) = args.one_of("step", &STEPS.map(|step| (step, step)))? else {
            return Err(CommandError(format!("fail needs `step`: one of {}", STEPS.join(", "))));
        };
        self.fail = Some(step);
        Ok(())
    }
}

type Failed = (&'static str, String);

impl Asked<'_> {
    /// The steps between allocation and transmission, in order; the first that fails ends it.
    fn build(&self, skb: &mut SkBuff, fail: Option<&'static str>) -> Result<(), Failed> {
        let no_room = |step: &'static str| move |error: NoRoom| (step, error.to_string());
        let context = |step: &'static str| match fail {
            Some(context) if context == step => Err((step, "told to fail".to_owned())),
            _ => Ok(()),
        };
        skb.reserve(ROOM).map_err(no_room("alloc"))?;
        context("payload")?;
        skb.push(self.payload.len()).map_err(no_room("payload"))?.copy_from_slice(self.payload);
        context("tcp")?;
        self.tcp(skb.push(20).map_err(no_room("tcp"))?);
        context("ip")?;
        let total = skb.data().len() + 20;
        self.ip(skb.push(20).map_err(no_room("ip"))?, total);
        context("checksum")?;
        self.checksums(skb.data_mut());
        context("eth")?;
        self.eth(skb.push(14).map_err(no_room("eth"))?);
        context("xmit")
    }

    fn tcp(&self, header: &mut [u8]) {
        header[..2].copy_from_slice(&self.ports[0].to_be_bytes());
        header[2..4].copy_from_slice(&self.ports[1].to_be_bytes());
        header[4..8].copy_from_slice(&123_u32.to_be_bytes());
        header[12..14].copy_from_slice(&[0x50, 0x01]);
        header[14..16].copy_from_slice(&560_u16.to_be_bytes());
        self.given(Proto::Tcp, header);
    }

    fn ip(&self, header: &mut [u8], total: usize) {
        header[0] = 0x45;
        // The room ends long before a total length that 16 bits could not hold.
        header[2..4].copy_from_slice(&(total as u16).to_be_bytes());
        header[6..10].copy_from_slice(&[0x40, 0, 64, 6]);
        header[12..16].copy_from_slice(&self.ends[0].octets());
        header[16..20].copy_from_slice(&self.ends[1].octets());
        self.given(Proto::Ip4, header);
    }

    /// Both checksums in software, over the real bytes; one that was given stands as given.
    fn checksums(&self, packet: &mut [u8]) {
        let (ip, segment) = packet.split_at_mut(20);
        if !self.gives(&tcp::CHECKSUM) {
            let ends = [[ip[12], ip[13], ip[14], ip[15]], [ip[16], ip[17], ip[18], ip[19]]];
            let sum = checksum::tcp_ip4(ends[0], ends[1], segment);
            segment[16..18].copy_from_slice(&sum.to_be_bytes());
        }
        if !self.gives(&ip4::CHECKSUM) {
            let sum = checksum::internet_checksum(ip);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    }

    fn eth(&self, header: &mut [u8]) {
        header[..6].copy_from_slice(&self.defaults.dst_mac.0);
        header[6..12].copy_from_slice(&self.defaults.src_mac.0);
        header[12..14].copy_from_slice(&[0x08, 0x00]);
        self.given(Proto::Eth, header);
    }

    fn gives(&self, field: &Field) -> bool {
        self.packet
            .layers
            .iter()
            .any(|layer| layer.proto == field.proto && layer.get(field).is_some())
    }

    /// Writes the fields that the packet gives of one layer over what stands there.
    fn given(&self, proto: Proto, header: &mut [u8]) {
        let layers = self.packet.layers.iter().filter(|layer| layer.proto == proto);
        for (field, value) in layers.flat_map(|layer| &layer.set) {
            // The shape has no field behind the fixed header, and a layer takes no value that
            // its field does not hold, so that a write has no way to fail.
            let written = field.write(header, value);
            debug_assert!(written.is_ok(), "{written:?}");
        }
    }
}

/// One end of the conversation: as the packet gives it, else the port's own or its peer's.
fn end(
    packet: &Packet,
    field: &'static Field,
    default: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, CommandError> {
    let layer = packet.layers.iter().find(|layer| layer.proto == Proto::Ip4);
    match layer.and_then(|layer| layer.get(field)) {
        Some(Value::Ip(std::net::IpAddr::V4(ip))) => Ok(*ip),
        _ => default.ok_or_else(|| {
            let path = field.path();
            CommandError(format!("skb-sender has no IPv4 address for {path}: give it in `send`"))
        }),
    }
}

fn failure(step: &'static str, reason: &str) -> Event {
    Event::new("failed")
        .with("step", Datum::Text(step.into()))
        .with("reason", Datum::Text(reason.into()))
}

impl Node for SkbSender {
    fn handle_frame(&mut self, _now: Instant, _port: PortIndex, _frame: &[u8]) {
        self.seen += 1;
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        match command {
            Command::Send { port, packet } => self.send(*port, packet),
            Command::Do { verb, args } if verb == "fail" => self.fail(args),
            Command::Do { verb, .. } => {
                Err(CommandError(unknown("command of skb-sender", verb, ["fail"].into_iter())))
            }
        }
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.outbox.pop()
    }

    fn poll_event(&mut self, _now: Instant) -> Option<Event> {
        self.failed.take()
    }

    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![
            ("sent".into(), self.sent),
            ("freed".into(), self.freed),
            ("leaked".into(), self.pool.live()),
            ("seen".into(), self.seen),
        ]
    }
}

#[cfg(test)]
mod tests;
