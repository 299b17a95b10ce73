//! The module `skb_sender`: what a scenario sends, in the words that the module reads, and what it
//! says became of it. Knows those words (`modules/README.md`); builds no packet.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use link::{CommandError, Datum, Event, PortConfig};
use wire::{Packet, Proto, Value};

/// Its file.
const FILE: &str = "/proc/net/skb_sender";
/// Its steps that can be told to fail.
pub(super) const STEPS: [&str; 7] = ["alloc", "payload", "tcp", "ip", "checksum", "eth", "xmit"];

/// What it sends where a scenario says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkbSender {
    /// TCP source port.
    pub src: u16,
    /// TCP destination port.
    pub dst: u16,
    /// What the segment carries; `None`: what the module has for it.
    pub payload: Option<Vec<u8>>,
}

impl Default for SkbSender {
    fn default() -> Self {
        Self { src: 4000, dst: 80, payload: None }
    }
}

impl SkbSender {
    /// The script that has a packet sent, and tells what became of it.
    pub(super) fn script(
        &self,
        packet: &Packet,
        port: &PortConfig,
        interface: &str,
        fail: Option<&str>,
    ) -> Result<String, CommandError> {
        can(packet)?;
        let mut words = format!("dev={interface}");
        let mut given = Vec::new();
        for layer in &packet.layers {
            for (field, value) in &layer.set {
                let path =
                    if layer.proto == Proto::Payload { "payload".to_owned() } else { field.path() };
                let _ = write!(words, " {path}={}", word(value));
                given.push(path);
            }
        }
        let defaults = port.defaults();
        let mut default = |path: &str, value: String| {
            if !given.iter().any(|given| given == path) {
                let _ = write!(words, " {path}={value}");
            }
        };
        let end = |ip: Option<Ipv4Addr>| ip.map(|ip| ip.to_string());
        for (path, ip) in [("ip4.src", end(defaults.src_ip4)), ("ip4.dst", end(defaults.dst_ip4))] {
            let there = packet.layers.iter().flat_map(|layer| &layer.set);
            if ip.is_none() && !there.into_iter().any(|(field, _)| field.path() == path) {
                let told = format!("skb_sender has no IPv4 address for {path}: give it in `send`");
                return Err(CommandError(told));
            }
            default(path, ip.unwrap_or_default());
        }
        default("eth.dst", defaults.dst_mac.to_string());
        default("tcp.src", self.src.to_string());
        default("tcp.dst", self.dst.to_string());
        if let Some(payload) = &self.payload {
            default("payload", hex(payload));
        }
        if let Some(step) = fail {
            let _ = write!(words, " fail={step}");
        }
        // A send that fails is told by the file.
        Ok(format!("{{ echo '{words}' >{FILE}; }} 2>/dev/null; cat {FILE}"))
    }
}

/// What the module says of its last send: nothing where that went out.
///
/// # Errors
/// When it was not even begun.
pub(super) fn outcome(told: &str) -> Result<Option<Event>, CommandError> {
    let last = told.lines().find_map(|line| line.strip_prefix("last ")).unwrap_or("");
    let mut words = last.splitn(4, ' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("sent"), ..) => Ok(None),
        (Some("failed"), Some(step), _, Some(reason)) if STEPS.contains(&step) => {
            let text = |text: &str| Datum::Text(text.to_owned());
            Ok(Some(Event::new("failed").with("step", text(step)).with("reason", text(reason))))
        }
        _ => Err(CommandError(format!("the module skb_sender did not send: {last}"))),
    }
}

/// The script that reads the counters, for [`counters`].
pub(super) const COUNTERS: &str = "cat /proc/net/skb_sender";

/// Lines of a name and a number.
pub(super) fn counters(told: &str) -> Vec<(String, u64)> {
    let pair = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    told.lines().filter_map(pair).collect()
}

/// Refuses, with a word on who can, whatever is not the one shape of packet.
fn can(packet: &Packet) -> Result<(), CommandError> {
    let refuse = |what: &str| {
        let told = format!("the module skb_sender does not build `{what}`: a `tester` does");
        Err(CommandError(told))
    };
    for (what, given) in [
        ("raw", packet.raw.is_some()),
        ("fragment", packet.fragment.is_some()),
        ("pad", packet.pad.is_some()),
        ("truncate", packet.truncate.is_some()),
    ] {
        if given {
            return refuse(what);
        }
    }
    let mut last = None;
    for layer in &packet.layers {
        let key = layer.proto.key();
        if !matches!(layer.proto, Proto::Eth | Proto::Ip4 | Proto::Tcp | Proto::Payload) {
            return refuse(key);
        }
        if last >= Some(layer.proto) {
            return refuse(&format!("{key} there"));
        }
        last = Some(layer.proto);
        let options = layer.set.iter().any(|(field, _)| field.key == "options");
        if options || layer.tcp_options.is_some() {
            return refuse(&format!("{key}.options"));
        }
    }
    Ok(())
}

fn word(value: &Value) -> String {
    match value {
        Value::Num(number) => number.to_string(),
        Value::Mac(mac) => mac.to_string(),
        Value::Ip(IpAddr::V4(ip)) => ip.to_string(),
        Value::Ip(IpAddr::V6(ip)) => ip.to_string(),
        Value::Bytes(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::{Address, Peer};
    use wire::fields::{ip4, tcp};
    use wire::{Layer, Mac};

    fn port() -> PortConfig {
        let address = |ip: &str| vec![Address { ip: ip.parse().unwrap(), prefix: 24 }];
        let peer = Peer { mac: Mac([2, 0, 0, 0, 0, 2]), addresses: address("10.0.0.2") };
        PortConfig { addresses: address("10.0.0.1"), peer: Some(peer), ..PortConfig::default() }
    }

    #[test]
    fn what_is_given_is_said_and_the_rest_is_the_ports() {
        let sender = SkbSender { payload: Some(vec![1, 2]), ..SkbSender::default() };
        let tcp = Layer::new(Proto::Tcp).with(&tcp::SRC, 5000).with(&tcp::FLAGS, 0x101);
        let packet = Packet::new().layer(tcp);
        let script = sender.script(&packet, &port(), "eth0", Some("eth")).unwrap();
        let line = "dev=eth0 tcp.src=5000 tcp.flags=257 ip4.src=10.0.0.1 ip4.dst=10.0.0.2 \
                    eth.dst=02:00:00:00:00:02 tcp.dst=80 payload=0102 fail=eth";
        assert!(script.contains(&format!("echo '{line}' >")), "{script}");
        let packet = packet.payload([3]);
        let script = sender.script(&packet, &port(), "eth0", None).unwrap();
        assert!(script.contains("payload=03") && !script.contains("0102"), "{script}");
    }

    #[test]
    fn another_shape_is_refused_by_name() {
        let refused = |packet: Packet| {
            let sender = SkbSender::default();
            sender.script(&packet, &port(), "eth0", None).unwrap_err().to_string()
        };
        assert!(refused(Packet::raw([0; 14])).contains("`raw`"));
        assert!(refused(Packet::new().layer(Layer::new(Proto::Ip6))).contains("`ip6`"));
        let turned = Packet::new().layer(Layer::new(Proto::Tcp)).layer(Layer::new(Proto::Ip4));
        assert!(refused(turned).contains("`ip4 there`"));
        let mut options = Layer::new(Proto::Ip4);
        options.set(&ip4::OPTIONS, Value::Bytes(vec![1])).unwrap();
        assert!(refused(Packet::new().layer(options)).contains("`ip4.options`"));
        let bare = SkbSender::default().script(&Packet::new(), &PortConfig::default(), "x", None);
        assert!(bare.unwrap_err().to_string().contains("ip4.src"));
    }

    #[test]
    fn what_became_of_a_send_is_read() {
        assert_eq!(outcome("sent 1\nlast sent\n"), Ok(None));
        let told = "sent 1\nlast failed eth 105 14 bytes wanted, 13 bytes of head room left\n";
        let event = outcome(told).unwrap().unwrap();
        assert_eq!(event.kind, "failed");
        let reason = Datum::Text("14 bytes wanted, 13 bytes of head room left".into());
        assert_eq!(event.fields[1].1, reason);
        assert!(outcome("last failed parse 22 unknown word\n").is_err());
        assert_eq!(counters("sent 2\nlast sent\n"), [("sent".to_owned(), 2)]);
    }
}
