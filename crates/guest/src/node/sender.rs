//! The module `skb_sender`: what a scenario sends, in the words that the module reads, and what it
//! says became of it. Knows those words (`modules/README.md`); builds no packet.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use link::{CommandError, Datum, Event, PortConfig};
use wire::{Hex, Packet, Proto, Value};

/// Its file.
const FILE: &str = "/proc/net/skb_sender";
/// Its steps that can be made to fail.
pub(super) const STEPS: [&str; 7] = ["alloc", "payload", "tcp", "ip", "checksum", "eth", "xmit"];

/// The longest frame that it has room for: its three headers and the 16 bytes that they carry.
const MOST: usize = 14 + 20 + 20 + 16;

/// What it sends where a scenario gives no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkbSender {
    /// TCP source port.
    pub src: u16,
    /// TCP destination port.
    pub dst: u16,
    /// What the segment carries; `None`: what the module has for it.
    pub payload: Option<Vec<u8>>,
    /// It stands in a tester's place: each frame is built as a `tester` builds it, and the module
    /// is told every field of it.
    pub whole: bool,
}

impl Default for SkbSender {
    fn default() -> Self {
        Self { src: 4000, dst: 80, payload: None, whole: false }
    }
}

impl SkbSender {
    /// The scripts that have a packet sent, one a frame; each tells what became of it.
    ///
    /// # Errors
    /// When the module cannot build it.
    pub(super) fn scripts(
        &self,
        packet: &Packet,
        port: &PortConfig,
        interface: &str,
        fail: Option<&str>,
    ) -> Result<Vec<String>, CommandError> {
        if !self.whole {
            return self.script(packet, port, interface, fail).map(|script| vec![script]);
        }
        let frames = wire::build::build(packet, &port.defaults());
        let frames = frames.map_err(|error| CommandError(error.to_string()))?;
        frames.iter().map(|frame| Ok(sends(interface, &spelled(frame)?))).collect()
    }

    /// The script for a packet whose other fields are the module's own.
    fn script(
        &self,
        packet: &Packet,
        port: &PortConfig,
        interface: &str,
        fail: Option<&str>,
    ) -> Result<String, CommandError> {
        if let Some(what) = packet.beyond_plain_tcp4() {
            let text = format!("the module skb_sender does not build `{what}`: a `tester` does");
            return Err(CommandError(text));
        }
        let mut words = String::new();
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
                let text = format!("skb_sender has no IPv4 address for {path}: give it in `send`");
                return Err(CommandError(text));
            }
            default(path, ip.unwrap_or_default());
        }
        default("eth.dst", defaults.dst_mac.to_string());
        default("tcp.src", self.src.to_string());
        default("tcp.dst", self.dst.to_string());
        if let Some(payload) = &self.payload {
            default("payload", Hex(payload).to_string());
        }
        if let Some(step) = fail {
            let _ = write!(words, " fail={step}");
        }
        Ok(sends(interface, &words))
    }
}

/// The script that has the module send a frame; one that it fails to send is told by the file.
fn sends(interface: &str, words: &str) -> String {
    format!("{{ echo 'dev={interface}{words}' >{FILE}; }} 2>/dev/null; cat {FILE}")
}

/// The words for a frame as it stands: every bit of its first 54 bytes is in one of the fields of
/// the module's three headers, whatever the bytes mean, and what follows is its payload.
fn spelled(frame: &[u8]) -> Result<String, CommandError> {
    let no = |why: &str| {
        let line = wire::render::line(frame);
        CommandError(format!("the module skb_sender {why}, and not this: {line}"))
    };
    if frame.get(12..14) != Some(&[0x08, 0x00]) {
        return Err(no("builds IPv4"));
    }
    let short = || no("builds 20 bytes at least behind the IPv4 header");
    let head = frame.first_chunk::<54>().ok_or_else(short)?;
    if frame.len() > MOST {
        return Err(no("has room for 16 bytes behind 20 of IPv4 and 20 of TCP"));
    }
    let mut words = String::new();
    for (proto, at) in [(Proto::Eth, 0), (Proto::Ip4, 14), (Proto::Tcp, 34)] {
        // An alias is in the fields that it spans, and options are behind the fixed header.
        for field in proto.fields().iter().filter(|field| !field.alias && field.width > 0) {
            if let Some(value) = field.read(&head[at..]) {
                let _ = write!(words, " {}={}", field.path(), word(&value));
            }
        }
    }
    let _ = write!(words, " payload={}", Hex(&frame[54..]));
    Ok(words)
}

/// What the module reports of its last send: nothing where that succeeded.
///
/// # Errors
/// When it was not even begun.
pub(super) fn outcome(text: &str) -> Result<Option<Event>, CommandError> {
    let last = text.lines().find_map(|line| line.strip_prefix("last ")).unwrap_or("");
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
pub(super) fn counters(text: &str) -> Vec<(String, u64)> {
    let pair = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::Num(number) => number.to_string(),
        Value::Mac(mac) => mac.to_string(),
        Value::Ip(IpAddr::V4(ip)) => ip.to_string(),
        Value::Ip(IpAddr::V6(ip)) => ip.to_string(),
        Value::Bytes(bytes) => Hex(bytes).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::PortConfig;
    use wire::Layer;
    use wire::fields::{ip4, tcp};

    fn port() -> PortConfig {
        PortConfig { peer: testing::peer(2, &["10.0.0.2"]), ..testing::port(1, &["10.0.0.1"]) }
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
    fn a_frame_is_spelled_out_bit_by_bit() {
        // Every field has a value of its own, and the payload is two bytes.
        let mut frame: Vec<u8> = (1..=56).collect();
        frame[12..14].copy_from_slice(&[0x08, 0x00]);
        frame[20..22].copy_from_slice(&[0xa1, 0x02]);
        let words = spelled(&frame).unwrap();
        for word in [
            "eth.dst=01:02:03:04:05:06 eth.src=07:08:09:0a:0b:0c eth.type=2048",
            "ip4.version=0 ip4.ihl=15 ip4.dscp=4 ip4.ecn=0 ip4.total-length=4370",
            "ip4.reserved=1 ip4.df=0 ip4.mf=1 ip4.fragment-offset=258 ip4.ttl=23 ip4.protocol=24",
            "ip4.src=27.28.29.30 ip4.dst=31.32.33.34",
            "tcp.seq=656943402 tcp.ack=724315438",
            "tcp.data-offset=2 tcp.reserved=7 tcp.flags=304",
            "payload=3738",
        ] {
            assert!(words.contains(word), "{word} is not in {words}");
        }
        // Every bit of the three headers is in one word: 3 of Ethernet, 15 of IPv4, 10 of TCP.
        assert_eq!(words.split_whitespace().count(), 3 + 15 + 10 + 1);
        assert!(spelled(&frame[..53]).is_err());
        frame.resize(71, 0);
        assert!(spelled(&frame).is_err() && spelled(&frame[..70]).is_ok());
        frame[13] = 0x06;
        assert!(spelled(&frame).is_err());
    }

    #[test]
    fn in_a_testers_place_each_fragment_is_told_whole() {
        let sender = SkbSender { whole: true, ..SkbSender::default() };
        let packet = Packet::new().layer(Layer::new(Proto::Tcp)).payload([7; 16]);
        let whole = sender.scripts(&packet, &port(), "eth0", None).unwrap();
        assert!(whole.len() == 1 && whole[0].contains("tcp.window=65535"), "{whole:?}");
        let two = Packet { fragment: Some(24), ..packet.payload([8; 8]) };
        let two = sender.scripts(&two, &port(), "eth0", None).unwrap();
        assert!(two.len() == 2 && two[1].contains("ip4.fragment-offset=3"), "{two:?}");
        let short = Packet { truncate: Some(50), ..Packet::new().layer(Layer::new(Proto::Tcp)) };
        let refused = sender.scripts(&short, &port(), "eth0", None).unwrap_err().to_string();
        assert!(refused.contains("20 bytes at least"), "{refused}");
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
        let error = "sent 1\nlast failed eth 105 14 bytes wanted, 13 bytes of head room left\n";
        let event = outcome(error).unwrap().unwrap();
        assert_eq!(event.kind, "failed");
        let reason = Datum::Text("14 bytes wanted, 13 bytes of head room left".into());
        assert_eq!(event.fields[1].1, reason);
        assert!(outcome("last failed parse 22 unknown word\n").is_err());
        assert_eq!(counters("sent 2\nlast sent\n"), [("sent".to_owned(), 2)]);
    }
}
