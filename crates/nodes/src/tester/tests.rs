use super::*;
use link::Datum;
use testing::{peer, port};
use wire::fields::{ip4, tcp};
use wire::{Layer, Mac, Proto};

const NOW: Instant = Instant::ZERO;

fn config(options: &[(&str, bool)]) -> NodeConfig {
    let peer = peer(2, &["10.0.0.2"]);
    NodeConfig {
        name: "tester".into(),
        ports: vec![PortConfig { peer, ..port(1, &["10.0.0.1"]) }],
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Datum::Bool(*value)))
            .collect(),
    }
}

fn frames(node: &mut Tester) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(transmit) = node.poll_transmit(NOW) {
        assert_eq!(transmit.port, 0);
        all.push(transmit.frame.to_vec());
    }
    all
}

fn send(packet: Packet) -> Result<Vec<Vec<u8>>, CommandError> {
    let mut node = Tester::new(&config(&[])).unwrap();
    node.handle_command(NOW, &Command::Send { port: 0, packet })?;
    Ok(frames(&mut node))
}

#[test]
fn what_is_left_out_is_the_ports_own() {
    let packet = Packet::new().layer(Layer::new(Proto::Tcp).with(&tcp::DST, 80));
    let frames = send(packet).unwrap();
    let segment = wire::segment::TcpSegment::parse(&frames[0]).unwrap();
    assert_eq!(segment.ip.src().to_string(), "10.0.0.1");
    assert_eq!(segment.ip.dst().to_string(), "10.0.0.2");
    assert_eq!(segment.ip.eth_dst(), Mac([2, 0, 0, 0, 0, 2]));
    assert!(segment.ip.header_checksum_ok() && segment.ip.transport_checksum_ok());
}

#[test]
fn what_is_for_somebody_far_goes_by_way_of_the_peer() {
    let mut config = config(&[]);
    let far = ["10.9.0.1", "fd09::1"].map(|ip| Datum::Text(ip.into()));
    config.options.insert("to".into(), Datum::List(far.to_vec()));
    let packet = Packet::new().layer(Layer::new(Proto::Tcp));
    let mut node = Tester::new(&config).unwrap();
    node.handle_command(NOW, &Command::Send { port: 0, packet }).unwrap();
    let frames = frames(&mut node);
    let segment = wire::segment::TcpSegment::parse(&frames[0]).unwrap();
    assert_eq!(segment.ip.dst().to_string(), "10.9.0.1");
    assert_eq!(segment.ip.eth_dst(), Mac([2, 0, 0, 0, 0, 2]));
    config.options.insert("to".into(), Datum::Text("somebody".into()));
    let error = Tester::new(&config).unwrap_err();
    assert!(error.to_string().contains("`somebody` is no IP address"), "{error}");
}

#[test]
fn wrong_things_go_out_as_given() {
    assert_eq!(send(Packet::raw([7; 3])).unwrap(), [[7; 3]]);
    let packet = Packet::new()
        .layer(Layer::new(Proto::Ip4).with(&ip4::CHECKSUM, 0xdead).with(&ip4::VERSION, 9))
        .layer(Layer::new(Proto::Tcp));
    let frames = send(packet).unwrap();
    assert_eq!(frames[0][14] >> 4, 9);
    assert_eq!(frames[0][24..26], [0xde, 0xad]);
}

#[test]
fn fragments_leave_one_after_the_other() {
    let packet = Packet::new().layer(Layer::new(Proto::Tcp)).payload([1; 20]);
    let frames = send(Packet { fragment: Some(16), ..packet }).unwrap();
    let offsets: Vec<_> = frames
        .iter()
        .map(|frame| wire::segment::IpPacket::parse(frame).unwrap().fragment_offset())
        .collect();
    assert_eq!(offsets, [0, 16, 32]);
}

#[test]
fn what_cannot_be_built_or_done_is_an_error() {
    let mut config = config(&[]);
    config.ports[0].addresses.clear();
    let mut node = Tester::new(&config).unwrap();
    let packet = Packet::new().layer(Layer::new(Proto::Tcp));
    assert!(node.handle_command(NOW, &Command::Send { port: 0, packet }).is_err());
    assert!(frames(&mut node).is_empty());
    let port = Command::Send { port: 1, packet: Packet::raw([0; 14]) };
    assert_eq!(node.handle_command(NOW, &port).unwrap_err().0, "port 1: there are 1");
    let verb = Command::Do { verb: "listen".into(), args: [].into() };
    let error = node.handle_command(NOW, &verb).unwrap_err();
    assert_eq!(error.0, "a tester does not take `listen`: it takes `send`");
}

#[test]
fn arp_is_answered_only_when_asked_for() {
    let request = wire::hex::decode(
        "ffffffffffff 020000000002 0806 0001 0800 06 04 0001
         020000000002 0a000002 000000000000 0a000001",
    )
    .unwrap();
    for (options, answers) in [(&[][..], 0), (&[("nd", true)], 0), (&[("arp", true)], 1)] {
        let mut node = Tester::new(&config(options)).unwrap();
        node.handle_frame(NOW, 0, &request);
        assert_eq!(frames(&mut node).len(), answers, "{options:?}");
        assert_eq!(node.counters()[0], ("seen".into(), 1));
        node.handle_frame(NOW, 9, &request);
        assert!(frames(&mut node).is_empty(), "a port it does not have");
    }
}

#[test]
fn segments_are_not_answered() {
    let syn = Packet::new().layer(Layer::new(Proto::Tcp).with(&tcp::FLAGS, 2));
    let frame = send(syn).unwrap().remove(0);
    let mut node = Tester::new(&config(&[("arp", true), ("nd", true)])).unwrap();
    node.handle_frame(NOW, 0, &frame);
    assert!(frames(&mut node).is_empty());
}
