use super::*;
use crate::recipe::in_process;
use wire::fields::{eth, ip4, tcp};
use wire::{Defaults, Layer, Mac, Packet, Proto, TcpOption};

const NOW: Instant = Instant::ZERO;
const LATER: Instant = Instant::from_nanos(7);

fn config(options: &[(&str, &str)]) -> NodeConfig {
    NodeConfig {
        name: "receiver".into(),
        ports: vec![testing::port(2, &["10.0.0.2"])],
        options: testing::texts(options),
    }
}

fn receiver(options: &[(&str, &str)]) -> Result<Md5Receiver, ConfigError> {
    Md5Receiver::new(&config(options), &Registry::standard())
}

fn tcp_layer() -> Layer {
    Layer::new(Proto::Tcp).with(&tcp::SRC, 4000).with(&tcp::DST, 80).with(&tcp::FLAGS, FIN.into())
}

fn sent(layers: &[Layer], payload: usize) -> Vec<u8> {
    let defaults = Defaults {
        src_mac: Mac([2, 0, 0, 0, 0, 1]),
        dst_mac: Mac([2, 0, 0, 0, 0, 2]),
        src_ip4: Some([10, 0, 0, 1].into()),
        dst_ip4: Some([10, 0, 0, 2].into()),
        ..Defaults::default()
    };
    let mut packet = Packet::new();
    packet.layers = layers.to_vec();
    let bytes: Vec<u8> = (1..=payload as u8).collect();
    wire::build::build(&packet.payload(bytes), &defaults).unwrap().remove(0)
}

/// The event, or `None` when the frame was passed on.
fn describe(frame: &[u8]) -> Option<Event> {
    let mut node = receiver(&[]).unwrap();
    node.handle_frame(NOW, 0, frame);
    assert_eq!(node.poll_transmit(NOW), None, "it answers nothing");
    let event = node.poll_event(NOW);
    assert_eq!(node.poll_event(NOW), None);
    let counts: Vec<u64> = node.counters().into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 1, "each frame is counted once");
    assert_eq!(counts[1] == 1, event.is_none(), "passed on without an event");
    event
}

fn reason(frame: &[u8]) -> Option<Datum> {
    let event = describe(frame)?;
    assert_eq!(event.kind, "drop");
    Some(event.fields[0].1.clone())
}

#[test]
fn the_custom_packet_is_consumed_and_its_bytes_handed_up() {
    let event = describe(&sent(&[tcp_layer()], 16)).unwrap();
    let wanted = Event::new("payload")
        .with("bytes", Datum::Bytes((1..=16).collect()))
        .with("src", Datum::Text("10.0.0.1".into()))
        .with("sport", Datum::Num(4000));
    assert_eq!(event, wanted);
}

#[test]
fn options_padding_and_reserved_bits_do_not_matter() {
    let mut options = tcp_layer().with(&tcp::RESERVED, 7);
    options.tcp_options = Some(vec![TcpOption::Nop; 4]);
    let mut ip = Layer::new(Proto::Ip4);
    ip.set(&ip4::OPTIONS, wire::Value::Bytes(vec![1; 4])).unwrap();
    let mut frame = sent(&[ip, options], 16);
    frame.extend_from_slice(&[0xff; 9]);
    let event = describe(&frame).unwrap();
    assert_eq!(event.kind, "payload");
    assert_eq!(event.fields[0].1, Datum::Bytes((1..=16).collect()));
}

#[test]
fn each_row_of_what_is_not_one_is_passed_on() {
    let ip = || Layer::new(Proto::Ip4);
    let mut other_ip = ip();
    other_ip.set(&ip4::DST, wire::Value::Ip([10, 0, 0, 3].into())).unwrap();
    let mut other_mac = Layer::new(Proto::Eth);
    other_mac.set(&eth::DST, wire::Value::Mac(Mac([2, 0, 0, 0, 0, 3]))).unwrap();
    let tagged = Layer::new(Proto::Vlan).with(&wire::fields::vlan::ID, 5);
    let rows = [
        ("another type", sent(&[Layer::new(Proto::Eth).with(&eth::TYPE, 0x1234), tcp_layer()], 16)),
        ("a tag", sent(&[tagged, tcp_layer()], 16)),
        ("another version", sent(&[ip().with(&ip4::VERSION, 6), tcp_layer()], 16)),
        ("IHL 4", sent(&[ip().with(&ip4::IHL, 4), tcp_layer()], 16)),
        ("another station", sent(&[other_mac, tcp_layer()], 16)),
        ("another host", sent(&[other_ip, tcp_layer()], 16)),
        ("a first fragment", sent(&[ip().with(&ip4::MF, 1), tcp_layer()], 16)),
        ("a later fragment", sent(&[ip().with(&ip4::FRAGMENT_OFFSET, 1), tcp_layer()], 16)),
        ("another protocol", sent(&[ip().with(&ip4::PROTOCOL, 17), tcp_layer()], 16)),
        ("another port", sent(&[tcp_layer().with(&tcp::DST, 81)], 16)),
        ("no flag", sent(&[tcp_layer().with(&tcp::FLAGS, 0)], 16)),
        ("FIN and ACK", sent(&[tcp_layer().with(&tcp::FLAGS, 0x11)], 16)),
        ("FIN and AE", sent(&[tcp_layer().with(&tcp::FLAGS, 0x101)], 16)),
        ("one byte less", sent(&[tcp_layer()], 15)),
        ("one byte more", sent(&[tcp_layer()], 17)),
        ("data offset 4", sent(&[tcp_layer().with(&tcp::DATA_OFFSET, 4)], 12)),
        ("cut before the flags", sent(&[tcp_layer()], 16)[..47].to_vec()),
        ("nothing", Vec::new()),
    ];
    for (what, frame) in rows {
        assert_eq!(describe(&frame), None, "{what}");
    }
}

#[test]
fn each_check_that_fails_drops_it_with_its_reason() {
    let text = |reason: &str| Some(Datum::Text(reason.into()));
    let bad_ip = || Layer::new(Proto::Ip4).with(&ip4::CHECKSUM, 0xdead);
    let bad_tcp = || tcp_layer().with(&tcp::CHECKSUM, 0xdead);
    assert_eq!(reason(&sent(&[bad_tcp()], 16)), text("tcp-checksum"));
    assert_eq!(reason(&sent(&[bad_ip(), tcp_layer()], 16)), text("ip-checksum"));
    let whole = sent(&[tcp_layer()], 16);
    assert_eq!(reason(&whole[..69]), text("truncated"));
    assert_eq!(reason(&whole[..48]), text("truncated"), "the flags were the last to arrive");
    // The first reason of the table's order stands.
    assert_eq!(reason(&sent(&[bad_ip(), bad_tcp()], 16)), text("ip-checksum"));
    assert_eq!(reason(&sent(&[bad_ip(), bad_tcp()], 16)[..69]), text("truncated"));
}

#[test]
fn a_wrong_checksum_on_what_is_not_one_is_not_the_receivers_affair() {
    let frame = sent(&[tcp_layer().with(&tcp::CHECKSUM, 0xdead).with(&tcp::FLAGS, 2)], 16);
    assert_eq!(describe(&frame), None);
}

#[test]
fn another_port_can_be_agreed_on() {
    let mut node = receiver(&[("port", "9")]).unwrap();
    node.handle_frame(NOW, 0, &sent(&[tcp_layer()], 16));
    assert_eq!(node.poll_event(NOW), None);
    node.handle_frame(NOW, 0, &sent(&[tcp_layer().with(&tcp::DST, 9)], 16));
    assert_eq!(node.poll_event(NOW).unwrap().kind, "payload");
}

/// Says back what it gets, so that a test sees what was handed to it.
#[derive(Default)]
struct Echo(link::Outbox);

impl Node for Echo {
    fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
        self.0.push(port, frame);
    }
    fn handle_command(&mut self, _now: Instant, _command: &Command) -> Result<(), CommandError> {
        self.0.push(0, b"told");
        Ok(())
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.0.push(0, &now.as_nanos().to_be_bytes());
    }
    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.0.pop()
    }
    fn poll_event(&mut self, now: Instant) -> Option<Event> {
        (now == LATER).then(|| Event::new("late"))
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Some(LATER)
    }
    fn counters(&mut self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("echoed".into(), 7)]
    }
}

fn with_echo() -> Registry {
    static ECHO: &[OptionSpec] = &[OptionSpec {
        name: "word",
        takes: "`yes`",
        default: "yes",
        about: "there to be given wrongly",
    }];
    let mut registry = Registry::standard();
    let kind = Kind::new("echo", "says it back", |config, _| {
        config.read().one_of("word", &[("yes", ())])?;
        let role = Role::ClosedPort { ports: PortSet::all() };
        Ok(in_process(role, |_| Box::<Echo>::default()))
    });
    registry.register(kind.options(ECHO));
    registry
}

#[test]
fn the_node_behind_gets_the_rest_untouched_and_speaks_for_itself() {
    let config = config(&[("behind", "echo"), ("behind.word", "yes")]);
    let mut node = Md5Receiver::new(&config, &with_echo()).unwrap();
    node.handle_frame(NOW, 0, &sent(&[tcp_layer()], 16));
    assert_eq!(node.poll_transmit(NOW), None, "consumed");
    node.handle_frame(NOW, 0, &sent(&[tcp_layer().with(&tcp::CHECKSUM, 1)], 16));
    assert_eq!(node.poll_transmit(NOW), None, "dropped");
    let other = sent(&[tcp_layer()], 15);
    node.handle_frame(NOW, 0, &other);
    assert_eq!(node.poll_transmit(NOW).unwrap().frame, other);
    let verb = Command::Do { verb: "any".into(), args: [].into() };
    node.handle_command(NOW, &verb).unwrap();
    assert_eq!(node.poll_transmit(NOW).unwrap().frame, b"told");
    assert!(node.counters().contains(&("behind.echoed".into(), 7)));
}

#[test]
fn the_node_behind_keeps_its_timer_and_its_events() {
    let mut node = Md5Receiver::new(&config(&[("behind", "echo")]), &with_echo()).unwrap();
    assert_eq!(node.poll_timeout(), Some(LATER));
    node.handle_timeout(LATER);
    assert_eq!(node.poll_transmit(LATER).unwrap().frame, 7u64.to_be_bytes());
    node.handle_frame(LATER, 0, &sent(&[tcp_layer()], 16));
    assert_eq!(node.poll_event(LATER).unwrap().kind, "payload", "its own event comes first");
    assert_eq!(node.poll_event(LATER).unwrap().kind, "late");
    let mut alone = receiver(&[]).unwrap();
    alone.handle_timeout(LATER);
    assert_eq!((alone.poll_timeout(), alone.poll_event(LATER)), (None, None));
}

#[test]
fn its_role_is_that_of_the_node_behind_less_the_port_it_takes() {
    let role = |options: &[(&str, &str)]| with_echo().role("md5-receiver", &config(options));
    assert_eq!(role(&[]), Role::Silent);
    let Role::ClosedPort { ports } = role(&[("behind", "echo"), ("port", "7")]) else {
        panic!("closed ports")
    };
    assert!(!ports.contains(7) && ports.contains(6) && ports.contains(80));
    assert_eq!(role(&[("behind", "sink")]), Role::Silent);
    assert_eq!(role(&[("behind", "nobody")]), Role::Other);
}

#[test]
fn what_is_wrong_behind_is_named_with_its_prefix() {
    let built =
        |options: &[(&str, &str)]| Md5Receiver::new(&config(options), &with_echo()).err().unwrap();
    let error = built(&[("behind", "ehco")]);
    assert_eq!(error.option.as_deref(), Some("behind"));
    assert!(error.message.contains("did you mean `echo`?"), "{error}");
    assert_eq!(
        built(&[("behind", "echo"), ("behind.word", "no")]).option.as_deref(),
        Some("behind.word")
    );
    assert_eq!(
        built(&[("behind", "echo"), ("behind.x", "no")]).option.as_deref(),
        Some("behind.x")
    );
    let error = built(&[("behind.word", "yes")]);
    assert_eq!(error.message, "`behind.word`: nothing stands behind; name it in `behind`");
    let mut alone = receiver(&[]).unwrap();
    let verb = Command::Do { verb: "any".into(), args: [].into() };
    assert!(alone.handle_command(NOW, &verb).is_err());
}
