//! What is built, against known frames, against etherparse, and against what was asked for.

mod faults;
mod fragments;
mod lies;
mod witness;

use super::*;
use crate::field::Value;
use crate::fields::{arp, eth, icmp4, ip4, ip6, tcp, udp};
use crate::hex::decode as hex;
use crate::packet::{Layer, TcpOption};
use crate::segment::{IpPacket, TcpSegment};

fn defaults() -> Defaults {
    Defaults {
        src_mac: "02:00:00:00:00:01".parse().unwrap(),
        dst_mac: "02:00:00:00:00:02".parse().unwrap(),
        src_ip4: Some("10.0.0.1".parse().unwrap()),
        dst_ip4: Some("10.0.0.2".parse().unwrap()),
        src_ip6: Some("fd00::1".parse().unwrap()),
        dst_ip6: Some("fd00::2".parse().unwrap()),
    }
}

/// The one frame of a packet; both ways to build it must agree.
fn one(packet: &Packet) -> Vec<u8> {
    let mut frames = build(packet, &defaults()).unwrap();
    let mut again = vec![0xee; 3];
    build_into(packet, &defaults(), &mut again).unwrap();
    assert_eq!(frames, [again]);
    frames.remove(0)
}

fn stack(protos: &[Proto]) -> Packet {
    protos.iter().fold(Packet::new(), |packet, proto| packet.layer(Layer::new(*proto)))
}

#[test]
fn the_custom_packet() {
    let fin =
        Layer::new(Proto::Tcp).with(&tcp::SEQ, 123).with(&tcp::FLAGS, 1).with(&tcp::WINDOW, 560);
    let packet = Packet::new().layer(fin).payload((1..=16).collect::<Vec<u8>>());
    let expected = hex("020000000002 020000000001 0800 \
         4500 0038 0000 4000 4006 26be 0a000001 0a000002 \
         0fa0 0050 0000007b 00000000 5001 0230 48ee 0000 \
         0102030405060708090a0b0c0d0e0f10");
    assert_eq!(one(&packet), expected.unwrap());
}

#[test]
fn the_reset_that_linux_answers_it_with() {
    let reset = Layer::new(Proto::Tcp)
        .with(&tcp::SRC, 80)
        .with(&tcp::DST, 4000)
        .with(&tcp::ACK, 140)
        .with(&tcp::FLAGS, 0x14)
        .with(&tcp::WINDOW, 0);
    let own = defaults();
    let rejecter = Defaults {
        src_mac: own.dst_mac,
        dst_mac: own.src_mac,
        src_ip4: own.dst_ip4,
        dst_ip4: own.src_ip4,
        ..own
    };
    let expected = hex("020000000001 020000000002 0800 \
         4500 0028 0000 4000 4006 26ce 0a000002 0a000001 \
         0050 0fa0 00000000 0000008c 5014 0000 8b52 0000");
    let frames = build(&Packet::new().layer(reset), &rejecter).unwrap();
    assert_eq!(frames, [expected.unwrap()]);
}

#[test]
fn missing_layers_are_put_in_front() {
    let bare = one(&stack(&[Proto::Tcp]));
    assert_eq!(bare, one(&stack(&[Proto::Eth, Proto::Ip4, Proto::Tcp])));
    let tagged = one(&stack(&[Proto::Vlan, Proto::Tcp]));
    assert_eq!(tagged, one(&stack(&[Proto::Eth, Proto::Vlan, Proto::Ip4, Proto::Tcp])));
    let six = one(&stack(&[Proto::Eth, Proto::Ip6, Proto::HopByHop, Proto::Tcp]));
    assert_eq!(one(&stack(&[Proto::HopByHop, Proto::Tcp])), six);
    let only6 = Defaults { src_ip4: None, ..defaults() };
    let six = one(&stack(&[Proto::Ip6, Proto::Tcp]));
    assert_eq!(build(&stack(&[Proto::Tcp]), &only6).unwrap(), [six]);
    assert_eq!(one(&stack(&[Proto::Icmp6]))[12..14], [0x86, 0xdd]);
    assert_eq!(one(&Packet::new())[12..], [0x88, 0xb5]);
    assert_eq!(one(&Packet::new().payload([1, 2]))[12..], [0x88, 0xb5, 1, 2]);
}

#[test]
fn an_arp_request_and_a_reply() {
    let request = hex("ffffffffffff 020000000001 0806 \
         0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002");
    assert_eq!(one(&stack(&[Proto::Arp])), request.unwrap());
    assert_eq!(one(&stack(&[Proto::Vlan, Proto::Arp]))[..6], [0xff; 6]);
    let reply = one(&Packet::new().layer(Layer::new(Proto::Arp).with(&arp::OPCODE, 2)));
    assert_eq!((&reply[..6], reply[21]), (&[2, 0, 0, 0, 0, 2][..], 2));
}

#[test]
fn types_of_tags() {
    let frame = one(&stack(&[Proto::Vlan, Proto::Vlan, Proto::Tcp]));
    assert_eq!(frame[12..22], [0x88, 0xa8, 0, 1, 0x81, 0, 0, 1, 8, 0]);
    assert!(TcpSegment::parse(&frame).unwrap().checksum_ok());
}

#[test]
fn each_header_announces_the_next() {
    use Proto::{
        Arp, DestOpts, Eth, Fragment, HopByHop, Icmp4, Icmp6, Ip4, Ip6, Routing, Tcp, Udp,
    };
    let types = [(Arp, 0x0806), (Ip4, 0x0800), (Ip6, 0x86dd), (Eth, 0x6558), (Proto::Vlan, 0x8100)];
    for (proto, number) in types {
        let frame = one(&stack(&[Eth, proto]));
        assert_eq!(frame[12..14], u16::to_be_bytes(number), "{}", proto.key());
    }
    let numbers = [
        (HopByHop, 0),
        (Icmp4, 1),
        (Ip4, 4),
        (Tcp, 6),
        (Udp, 17),
        (Ip6, 41),
        (Routing, 43),
        (Fragment, 44),
        (Icmp6, 58),
        (DestOpts, 60),
        (Eth, 143),
        (Proto::Payload, 253),
    ];
    for (proto, number) in numbers {
        assert_eq!(one(&stack(&[Ip4, proto]))[14 + 9], number, "{}", proto.key());
        assert_eq!(one(&stack(&[Ip6, proto]))[14 + 6], number, "{}", proto.key());
    }
    assert_eq!((one(&stack(&[Ip4]))[14 + 9], one(&stack(&[Ip6]))[14 + 6]), (253, 59));
}

#[test]
fn a_fragment_written_by_hand_has_no_df() {
    let bits = |field, number| {
        let ip = Layer::new(Proto::Ip4).with(field, number);
        let frame = one(&Packet::new().layer(ip));
        [frame[20], frame[21]]
    };
    assert_eq!(bits(&ip4::ID, 1), [0x40, 0]);
    assert_eq!(bits(&ip4::MF, 1), [0x20, 0]);
    assert_eq!(bits(&ip4::FRAGMENT_OFFSET, 3), [0, 3]);
}

#[test]
fn packets_in_packets() {
    let frame = one(&stack(&[Proto::Ip4, Proto::Ip4, Proto::Ip6, Proto::Ip4, Proto::Udp]));
    let protocols = [frame[14 + 9], frame[34 + 9], frame[54 + 6], frame[94 + 9]];
    assert_eq!(protocols, [4, 41, 4, 17]);
    // Each header's own checksum, and the total lengths from the outside in.
    assert_eq!([frame[17], frame[37], frame[59], frame[97]], [108, 88, 28, 28]);
    for start in [14, 34, 94] {
        let header = &frame[start..start + 20];
        assert_eq!(crate::checksum::internet_checksum(header), 0, "header at {start}");
    }
}

#[test]
fn a_quote_is_what_the_peer_sent_from_ip_down() {
    let mut quoted = Packet::new().layer(Layer::new(Proto::Udp)).payload([9; 40]);
    let mut own = one(&quoted).split_off(14);
    quoted.truncate = Some(28);
    let mut error = Layer::new(Proto::Icmp4).with(&icmp4::CODE, 4).with(&icmp4::MTU, 1400);
    error.quote = Some(Box::new(quoted));
    let frame = one(&Packet::new().layer(error));
    // The quote has the addresses the other way round, which leaves every sum as it was.
    own[12..20].rotate_left(4);
    assert_eq!(frame[34..42].iter().map(|byte| u16::from(*byte)).take(2).sum::<u16>(), 3 + 4);
    assert_eq!(frame[38..42], [0, 0, 0x05, 0x78]);
    assert_eq!(frame[42..], own[..28]);
    assert_eq!(crate::checksum::internet_checksum(&frame[34..]), 0);
}

#[test]
fn options_are_padded_to_whole_words() {
    let mut layer = Layer::new(Proto::Tcp);
    layer.tcp_options = Some(vec![TcpOption::Mss(1460), TcpOption::WindowScale(7)]);
    let frame = one(&Packet::new().layer(layer).payload([0xaa]));
    assert_eq!(frame[54..], [2, 4, 5, 0xb4, 3, 3, 7, 0, 0xaa]);
    let segment = TcpSegment::parse(&frame).unwrap();
    assert_eq!((segment.data_offset(), segment.payload()), (7, Some(&[0xaa][..])));

    let mut layer = Layer::new(Proto::Ip4);
    layer.set(&ip4::OPTIONS, Value::Bytes(vec![0x94, 4, 0, 0, 1])).unwrap();
    let frame = one(&Packet::new().layer(layer).layer(Layer::new(Proto::Tcp)));
    let ip = IpPacket::parse(&frame).unwrap();
    assert_eq!(ip.header()[20..], [0x94, 4, 0, 0, 1, 0, 0, 0]);
    assert!(ip.header_checksum_ok() && ip.transport_checksum_ok() && ip.trailer().is_empty());
}

#[test]
fn extension_headers_are_padded_with_options() {
    let options = |proto: Proto, len: usize| {
        let mut layer = Layer::new(proto);
        let field = proto.field("options").unwrap();
        layer.set(field, Value::Bytes(vec![0; len])).unwrap();
        Packet::new().layer(layer).layer(Layer::new(Proto::Tcp))
    };
    for (len, tail) in [(0, &[1, 4, 0, 0, 0, 0][..]), (3, &[1, 1, 0]), (5, &[0]), (6, &[])] {
        let frame = one(&options(Proto::HopByHop, len));
        assert_eq!(frame[54..56], [6, 0]);
        assert_eq!(&frame[56 + len..62], tail);
        assert!(TcpSegment::parse(&frame).unwrap().checksum_ok());
    }
    let frame = one(&options(Proto::DestOpts, 7));
    assert_eq!((frame[20], &frame[54..56]), (60, &[6, 1][..]));
    assert!(TcpSegment::parse(&frame).unwrap().checksum_ok());
}

#[test]
fn udp_never_sends_a_computed_zero() {
    let ports = Layer::new(Proto::Udp).with(&udp::SRC, 1).with(&udp::DST, 2);
    let with = |word: u16| Packet::new().layer(ports.clone()).payload(word.to_be_bytes());
    let sum = one(&with(0))[40..42].to_vec();
    // The payload takes up what is missing to a sum of 0xffff, whose complement is zero.
    let frame = one(&with(u16::from_be_bytes([sum[0], sum[1]])));
    assert_eq!(frame[40..42], [0xff, 0xff]);
    assert!(IpPacket::parse(&frame).unwrap().transport_checksum_ok());
    let none = Packet::new().layer(ports.with(&udp::CHECKSUM, 0));
    assert_eq!(one(&none)[40..42], [0, 0]);
}

#[test]
fn padding_then_cutting() {
    let mut packet = stack(&[Proto::Tcp]);
    packet.pad = Some(60);
    let padded = one(&packet);
    assert_eq!((padded.len(), &padded[54..]), (60, &[0; 6][..]));
    assert_eq!(IpPacket::parse(&padded).unwrap().trailer(), [0; 6]);
    packet.truncate = Some(57);
    assert_eq!(one(&packet), padded[..57]);
    packet.truncate = Some(0);
    assert_eq!(one(&packet), []);
    let mut raw = Packet::raw([1, 2, 3]);
    raw.fragment = Some(8);
    raw.pad = Some(5);
    assert_eq!(one(&raw), [1, 2, 3, 0, 0]);
}

#[test]
fn a_longer_way_by_a_routing_header() {
    let mut layer = Layer::new(Proto::Routing);
    layer
        .set(&crate::fields::routing::DATA, Value::Bytes([&[0; 4][..], &[9; 16]].concat()))
        .unwrap();
    let layer = layer.with(&crate::fields::routing::SEGMENTS_LEFT, 1);
    let frame = one(&Packet::new().layer(layer).layer(Layer::new(Proto::Tcp)));
    assert_eq!(frame[54..58], [6, 2, 0, 1]);
    let mut direct = Layer::new(Proto::Ip6);
    direct.set(&ip6::DST, Value::Ip([9; 16].into())).unwrap();
    let direct = one(&Packet::new().layer(direct).layer(Layer::new(Proto::Tcp)));
    assert_eq!(frame[frame.len() - 20..], direct[54..]);
}

#[test]
fn addresses_given_need_no_defaults() {
    let mut ip = Layer::new(Proto::Ip4);
    ip.set(&ip4::SRC, Value::Ip([192, 0, 2, 1].into())).unwrap();
    ip.set(&ip4::DST, Value::Ip([192, 0, 2, 2].into())).unwrap();
    let mut ethernet = Layer::new(Proto::Eth);
    ethernet.set(&eth::DST, Value::Mac(crate::Mac([7; 6]))).unwrap();
    let packet = Packet::new().layer(ethernet).layer(ip).layer(Layer::new(Proto::Tcp));
    let frame = build(&packet, &Defaults::default()).unwrap().remove(0);
    assert_eq!((&frame[..6], &frame[26..34]), (&[7; 6][..], &[192, 0, 2, 1, 192, 0, 2, 2][..]));
    assert!(TcpSegment::parse(&frame).unwrap().checksum_ok());
}

/// RFC 6275 6.3: the pseudo-header's source is the Home Address; builder and both views agree with
/// a sum that is written out here.
#[test]
fn a_home_address_is_the_source_of_the_pseudo_header() {
    let home = "fd00::1:0:0:3".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let option = [&[0xc9, 16][..], &home].concat();
    // Behind PadN and Pad1; another option and another length leave the fixed header's source.
    for (options, source) in [
        ([&[1, 2, 0, 0][..], &option].concat(), home),
        ([&[0, 0, 0, 0][..], &option].concat(), home),
        ([&[0x1e, 16][..], &home].concat(), defaults().src_ip6.unwrap().octets()),
        ([&[0xc9, 15][..], &home[..15]].concat(), defaults().src_ip6.unwrap().octets()),
    ] {
        let mut layer = Layer::new(Proto::DestOpts);
        layer.set.push((&crate::fields::dest_opts::OPTIONS, Value::Bytes(options)));
        let packet = Packet::new().layer(layer).layer(Layer::new(Proto::Tcp)).payload(vec![7; 5]);
        let frame = one(&packet);
        let segment = TcpSegment::parse(&frame).unwrap();
        assert!(segment.checksum_ok(), "{frame:02x?}");
        let view = crate::view::lax(&frame);
        assert!(view.checksum(view.find(Proto::Tcp).unwrap()).unwrap().ok);
        let destination = defaults().dst_ip6.unwrap().octets();
        assert_eq!(crate::checksum::tcp_ip6(source, destination, segment.bytes()), 0);
    }
}
