use super::*;
use link::PortConfig;
use testing::{peer, port, texts};
use wire::Layer;
use wire::fields::eth;

const NOW: Instant = Instant::ZERO;

fn config(options: &[(&str, &str)]) -> NodeConfig {
    let peer = peer(2, &["10.0.0.2"]);
    NodeConfig {
        name: "sender".into(),
        ports: vec![PortConfig { peer, ..port(1, &["10.0.0.1"]) }],
        options: texts(options),
    }
}

fn sender() -> SkbSender {
    SkbSender::new(&config(&[])).unwrap()
}

fn send(node: &mut SkbSender, packet: Packet) -> Option<Vec<u8>> {
    node.handle_command(NOW, &Command::Send { port: 0, packet }).unwrap();
    let frame = node.poll_transmit(NOW).map(|transmit| transmit.frame.to_vec());
    assert_eq!(node.poll_transmit(NOW), None, "one frame a send");
    frame
}

fn fail(node: &mut SkbSender, step: &str) -> Result<(), CommandError> {
    let args = [("step".to_owned(), Datum::Text(step.into()))].into();
    node.handle_command(NOW, &Command::Do { verb: "fail".into(), args })
}

fn counters(node: &mut SkbSender) -> Vec<u64> {
    node.counters().into_iter().map(|(_, count)| count).collect()
}

/// The 70 bytes, checksums worked out apart from this code.
const CUSTOM: &str = "020000000002 020000000001 0800
    4500 0038 0000 4000 4006 26be 0a000001 0a000002
    0fa0 0050 0000007b 00000000 5001 0230 48ee 0000
    0102 0304 0506 0708 090a 0b0c 0d0e 0f10";

#[test]
fn the_custom_packet_is_these_seventy_bytes() {
    let frame = send(&mut sender(), Packet::new()).unwrap();
    assert_eq!(frame.len(), 70);
    assert_eq!(frame, wire::hex::decode(CUSTOM).unwrap());
    let ip = wire::segment::IpPacket::parse(&frame).unwrap();
    assert!(ip.header_checksum_ok() && ip.transport_checksum_ok());
}

#[test]
fn options_set_ports_and_payload() {
    let config = config(&[("src", "1"), ("dst", "2"), ("payload", "aa bb")]);
    let frame = send(&mut SkbSender::new(&config).unwrap(), Packet::new()).unwrap();
    assert_eq!(frame[34..38], [0, 1, 0, 2]);
    assert_eq!(frame[54..], [0xaa, 0xbb]);
    assert_eq!(frame[16..18], [0, 42]);
}

#[test]
fn fields_given_override_and_checksums_follow() {
    let packet = Packet::new()
        .layer(Layer::new(Proto::Eth).with(&eth::TYPE, 0x1234))
        .layer(Layer::new(Proto::Ip4).with(&ip4::TTL, 7).with(&ip4::TOS, 0x10))
        .layer(Layer::new(Proto::Tcp).with(&tcp::SEQ, 0xffff_ffff).with(&tcp::FLAGS, 0x02));
    let mut frame = send(&mut sender(), packet).unwrap();
    assert_eq!(frame[12..14], [0x12, 0x34]);
    assert_eq!((frame[15], frame[22]), (0x10, 7));
    assert_eq!(frame[38..42], [0xff; 4]);
    assert_eq!(frame[46..48], [0x50, 0x02]);
    frame[12..14].copy_from_slice(&[8, 0]);
    let ip = wire::segment::IpPacket::parse(&frame).unwrap();
    assert!(ip.header_checksum_ok() && ip.transport_checksum_ok());
}

#[test]
fn addresses_given_enter_the_pseudo_header() {
    let mut layer = Layer::new(Proto::Ip4);
    layer.set(&ip4::SRC, Value::Ip(Ipv4Addr::new(192, 0, 2, 9).into())).unwrap();
    let frame = send(&mut sender(), Packet::new().layer(layer)).unwrap();
    assert_eq!(frame[26..30], [192, 0, 2, 9]);
    assert!(wire::segment::IpPacket::parse(&frame).unwrap().transport_checksum_ok());
}

#[test]
fn a_checksum_given_stands_as_given() {
    let packet = Packet::new()
        .layer(Layer::new(Proto::Ip4).with(&ip4::CHECKSUM, 0xdead))
        .layer(Layer::new(Proto::Tcp).with(&tcp::CHECKSUM, 0xbeef));
    let frame = send(&mut sender(), packet).unwrap();
    assert_eq!(frame[24..26], [0xde, 0xad]);
    assert_eq!(frame[50..52], [0xbe, 0xef]);
}

#[test]
fn every_step_can_be_told_to_fail_once_and_leaks_nothing() {
    for step in STEPS {
        let mut node = sender();
        fail(&mut node, step).unwrap();
        assert_eq!(send(&mut node, Packet::new()), None, "{step}");
        let event = node.poll_event(NOW).unwrap();
        assert_eq!(event.kind, "failed");
        assert_eq!(event.fields[0], ("step".into(), Datum::Text(step.into())));
        assert_eq!(event.fields[1], ("reason".into(), Datum::Text("told to fail".into())));
        assert_eq!(node.poll_event(NOW), None);
        let freed = u64::from(step != "alloc");
        assert_eq!(counters(&mut node), [0, freed, 0, 0], "{step}");
        assert!(send(&mut node, Packet::new()).is_some(), "only the next send fails");
        assert_eq!(counters(&mut node), [1, freed, 0, 0], "{step}");
    }
}

#[test]
fn a_payload_too_large_fails_at_the_step_that_finds_no_room() {
    for (len, step) in
        [(18, None), (19, Some("eth")), (33, Some("ip")), (53, Some("tcp")), (73, Some("payload"))]
    {
        let mut node = sender();
        let frame = send(&mut node, Packet::new().payload(vec![0; len]));
        let failed = node.poll_event(NOW).map(|event| event.fields[0].1.clone());
        assert_eq!(failed, step.map(|step| Datum::Text(step.into())), "{len}");
        assert_eq!(frame.is_some(), step.is_none(), "{len}");
        assert_eq!(node.pool.live(), 0);
    }
}

#[test]
fn what_it_cannot_build_is_the_testers() {
    let raw = Packet::raw([0; 60]);
    let fragment = Packet { fragment: Some(8), ..Packet::new() };
    let vlan = Packet::new().layer(Layer::new(Proto::Vlan));
    let udp = Packet::new().layer(Layer::new(Proto::Udp));
    let twice = Packet::new().layer(Layer::new(Proto::Tcp)).layer(Layer::new(Proto::Tcp));
    let mut options = Layer::new(Proto::Tcp);
    options.tcp_options = Some(vec![wire::TcpOption::Nop]);
    let options = Packet::new().layer(options);
    for (packet, what) in [
        (raw, "raw"),
        (fragment, "fragment"),
        (vlan, "vlan"),
        (udp, "udp"),
        (twice, "tcp there"),
        (options, "tcp.options"),
    ] {
        let mut node = sender();
        let error = node.handle_command(NOW, &Command::Send { port: 0, packet }).unwrap_err();
        let wanted = format!("skb-sender does not build `{what}`: use a `tester` for that");
        assert_eq!(error.0, wanted);
        assert_eq!(node.poll_transmit(NOW), None);
    }
}

#[test]
fn without_addresses_it_says_which_is_missing() {
    let mut config = config(&[]);
    config.ports[0].peer = None;
    let mut node = SkbSender::new(&config).unwrap();
    let command = Command::Send { port: 0, packet: Packet::new() };
    let error = node.handle_command(NOW, &command).unwrap_err();
    assert_eq!(error.0, "skb-sender has no IPv4 address for ip4.dst: give it in `send`");
}

#[test]
fn a_wrong_step_or_verb_is_named() {
    let mut node = sender();
    let error = fail(&mut node, "tpc").unwrap_err();
    assert!(error.0.contains("unknown value `tpc`") && error.0.contains("did you mean `tcp`?"));
    let command = Command::Do { verb: "jump".into(), args: BTreeMap::new() };
    let error = node.handle_command(NOW, &command).unwrap_err();
    assert_eq!(error.0, "unknown command of skb-sender `jump`: allowed are fail");
}

#[test]
fn it_answers_nothing() {
    let mut node = sender();
    node.handle_frame(NOW, 0, &wire::hex::decode(CUSTOM).unwrap());
    assert_eq!(node.poll_transmit(NOW), None);
    assert_eq!(counters(&mut node), [0, 0, 0, 1]);
}
