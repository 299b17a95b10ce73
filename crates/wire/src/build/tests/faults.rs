//! What cannot be built says where and why.

use super::*;
use crate::fields::payload;

fn error(packet: &Packet, defaults: &Defaults) -> String {
    build(packet, defaults).unwrap_err().to_string()
}

#[test]
fn addresses_that_nobody_knows() {
    let none = Defaults::default();
    let known = Defaults { dst_ip4: None, ..defaults() };
    let tcp = stack(&[Proto::Tcp]);
    assert_eq!(error(&tcp, &none), "ip4.src: the node has no IPv4 address to take; give one");
    let ip4 = stack(&[Proto::Ip4, Proto::Tcp]);
    assert_eq!(
        error(&ip4, &known),
        "layer 0, ip4.dst: the peer has no IPv4 address to take; give one"
    );
    let six = stack(&[Proto::Icmp6]);
    assert!(error(&six, &none).starts_with("ip6.src: "));
    let arp = build(&stack(&[Proto::Arp]), &none).unwrap_err();
    assert_eq!((arp.layer, arp.proto, arp.field), (Some(0), Some(Proto::Arp), Some("sender-ip")));
}

#[test]
fn options_that_no_header_length_tells() {
    let mut layer = Layer::new(Proto::Tcp);
    layer.set(&tcp::OPTIONS, Value::Bytes(vec![1; 41])).unwrap();
    let long = Packet::new().layer(layer.clone());
    assert_eq!(
        error(&long, &defaults()),
        "layer 0, tcp.options: 41 bytes; at most 40 unless tcp.data-offset is given"
    );
    let given = Packet::new().layer(layer.clone().with(&tcp::DATA_OFFSET, 5));
    assert_eq!(one(&given).len(), 34 + 20 + 44);
    layer.tcp_options = Some(vec![]);
    assert!(error(&Packet::new().layer(layer), &defaults()).contains("given by name and as bytes"));
    let mut layer = Layer::new(Proto::Udp);
    layer.tcp_options = Some(vec![]);
    assert!(error(&Packet::new().layer(layer), &defaults()).contains("only tcp"));
    let mut layer = Layer::new(Proto::Tcp);
    layer.tcp_options = Some(vec![TcpOption::FastOpen(vec![0; 254])]);
    assert!(error(&Packet::new().layer(layer), &defaults()).contains("at most 253"));
}

#[test]
fn lengths_above_the_limit() {
    // 14 + 20 + 20 + payload: the total length can tell 65,535 of it without Ethernet.
    let payload = |len: usize| stack(&[Proto::Tcp]).payload(vec![0; len]);
    assert_eq!(one(&payload(65_495)).len(), 14 + 65_535);
    assert_eq!(
        error(&payload(65_496), &defaults()),
        "ip4.total-length: 65536 bytes; it tells at most 65535"
    );
    let given = Layer::new(Proto::Ip4).with(&ip4::TOTAL_LENGTH, 40);
    let given = Packet::new().layer(given).layer(Layer::new(Proto::Tcp));
    assert_eq!(one(&given.clone().payload(vec![0; 65_499])).len(), MAX_FRAME);
    let far = build(&given.payload(vec![0; 65_500]), &defaults()).unwrap_err();
    assert_eq!((far.layer, far.field), (Some(2), Some(payload::DATA.key)));
    assert_eq!(one(&Packet::raw(vec![0; MAX_FRAME])).len(), MAX_FRAME);
    assert!(error(&Packet::raw(vec![0; MAX_FRAME + 1]), &defaults()).starts_with("raw: 65554"));
    let mut pad = stack(&[Proto::Tcp]);
    pad.pad = Some(usize::MAX);
    assert!(error(&pad, &defaults()).starts_with("pad: "));
}

#[test]
fn quotes_where_none_can_be_or_too_deep() {
    let mut layer = Layer::new(Proto::Tcp);
    layer.quote = Some(Box::new(Packet::new()));
    assert!(error(&Packet::new().layer(layer), &defaults()).contains("only icmp4 and icmp6"));
    let nested = |depth: usize| {
        (0..depth).fold(stack(&[Proto::Udp]), |packet, _| {
            let mut layer = Layer::new(Proto::Icmp4);
            layer.quote = Some(Box::new(packet));
            Packet::new().layer(layer)
        })
    };
    assert_eq!(one(&nested(8)).len(), 14 + 9 * 28);
    assert!(error(&nested(9), &defaults()).contains("nested too deep"));
}

#[test]
fn one_frame_or_several() {
    let mut packet = stack(&[Proto::Tcp]);
    packet.fragment = Some(16);
    assert!(build_into(&packet, &defaults(), &mut Vec::new()).is_err());
    packet.fragment = Some(7);
    assert!(error(&packet, &defaults()).starts_with("fragment: 7 bytes"));
    let mut packet = stack(&[Proto::Arp]);
    packet.fragment = Some(8);
    assert!(error(&packet, &defaults()).contains("no IP layer"));
}

#[test]
fn values_forced_past_the_layer_are_refused() {
    let mut layer = Layer::new(Proto::Tcp);
    layer.set.push((&tcp::SRC, Value::Num(70_000)));
    assert!(error(&Packet::new().layer(layer), &defaults()).contains("tcp.src"));
}
