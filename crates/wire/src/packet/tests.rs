//! Layers take only what is theirs, and packets tell what they make wrong on purpose.

use super::*;
use crate::fields::{arp, eth, fragment, icmp4, ip4, ip6, routing, tcp, udp};

#[test]
fn a_layer_takes_its_own_fields_and_their_kind_of_value() {
    let mut layer = Layer::new(Proto::Tcp);
    let error = |result: Result<(), ValueError>| result.unwrap_err().to_string();
    assert_eq!(error(layer.set(&ip4::TTL, Value::Num(1))), "ip4.ttl is no field of the layer tcp");
    assert_eq!(
        error(layer.set(&tcp::SRC, Value::Num(65_536))),
        "65536: tcp.src takes a number from 0 to 65535"
    );
    assert!(layer.set(&tcp::SRC, Value::Bytes(vec![1, 2])).is_err());
    assert!(layer.set(&tcp::OPTIONS, Value::Num(1)).is_err());
    let mut ip = Layer::new(Proto::Ip4);
    assert!(ip.set(&ip4::SRC, Value::Ip([0; 16].into())).is_err());
    assert!(ip.set(&ip4::SRC, Value::Ip([10, 0, 0, 1].into())).is_ok());
}

#[test]
fn the_last_value_given_stands() {
    let layer = Layer::new(Proto::Tcp).with(&tcp::SEQ, 1).with(&tcp::ACK, 2).with(&tcp::SEQ, 3);
    assert_eq!((layer.set.len(), layer.get(&tcp::SEQ)), (2, Some(&Value::Num(3))));
    assert_eq!(layer.get(&tcp::WINDOW), None);
}

/// What a packet with just this field given makes wrong, beside being a segment.
fn given(field: &'static Field) -> Deliberate {
    let layer = match field.max() {
        Some(_) => Layer::new(field.proto).with(field, 0),
        None => {
            let mut layer = Layer::new(field.proto);
            let value = match field.form {
                Form::Mac => Value::Mac(Mac::default()),
                Form::Ip4 => Value::Ip([0; 4].into()),
                Form::Ip6 => Value::Ip([0; 16].into()),
                _ => Value::Bytes(Vec::new()),
            };
            layer.set(field, value).unwrap();
            layer
        }
    };
    Packet::new().layer(layer).deliberate()
}

#[test]
fn what_is_wrong_on_purpose() {
    use Deliberate as D;
    let summed = D::LENGTHS.with(D::TRANSPORT_CHECKSUM);
    let reread = summed.with(D::SEGMENT).with(D::RESERVED);
    for (field, expected) in [
        (&ip4::CHECKSUM, D::IP_CHECKSUM),
        (&ip4::IHL, reread.with(D::IP_CHECKSUM)),
        (&ip4::PROTOCOL, reread),
        (&ip4::TOTAL_LENGTH, summed),
        (&ip4::OPTIONS, D::LENGTHS),
        (&ip4::RESERVED, D::RESERVED),
        (&ip4::FLAGS, D::RESERVED),
        (&ip4::SRC, D::SOURCE),
        (&ip4::DST, D::NOTHING),
        (&ip4::TTL, D::HOPS),
        (&ip4::ID, D::NOTHING),
        (&ip6::PAYLOAD_LENGTH, summed),
        (&ip6::HOP_LIMIT, D::HOPS),
        (&ip6::SRC, D::SOURCE),
        (&ip6::NEXT_HEADER, reread),
        (&routing::SEGMENTS_LEFT, summed),
        (&routing::LENGTH, reread),
        (&fragment::RESERVED_BITS, D::RESERVED),
        (&fragment::ID, D::NOTHING),
        (&fragment::OFFSET, D::LENGTHS),
        (&tcp::CHECKSUM, D::SEGMENT.with(D::TRANSPORT_CHECKSUM)),
        (&tcp::DATA_OFFSET, D::SEGMENT.with(D::LENGTHS)),
        (&tcp::RESERVED, D::SEGMENT.with(D::RESERVED)),
        (&tcp::FLAGS, D::SEGMENT),
        (&udp::LENGTH, summed),
        (&udp::CHECKSUM, D::TRANSPORT_CHECKSUM),
        (&icmp4::CHECKSUM, D::SEGMENT.with(D::TRANSPORT_CHECKSUM)),
        (&eth::SRC, D::SOURCE),
        (&eth::TYPE, D::EVERYTHING),
        (&arp::SENDER_IP, D::SOURCE),
        (&arp::HW_SIZE, D::LENGTHS),
    ] {
        assert_eq!(given(field), expected, "{}", field.path());
    }
    assert_eq!(Packet::raw([0]).deliberate(), D::EVERYTHING);
    let cut = Packet { truncate: Some(20), ..Packet::new() };
    assert_eq!(cut.deliberate(), summed);
    let padded = Packet { pad: Some(60), ..Packet::new() };
    assert_eq!(padded.deliberate(), D::TRAILER);
    let arp = Packet::new().layer(Layer::new(Proto::Arp));
    assert_eq!(arp.deliberate(), D::NOTHING);
    assert_eq!(arp.payload([1]).deliberate(), D::TRAILER);
    let mut layer = Layer::new(Proto::Tcp);
    layer.tcp_options = Some(vec![TcpOption::Nop]);
    assert_eq!(Packet::new().layer(layer.clone()).deliberate(), D::SEGMENT);
    layer.tcp_options = Some(vec![TcpOption::Raw(vec![2, 0])]);
    assert_eq!(Packet::new().layer(layer).deliberate(), D::SEGMENT.with(D::LENGTHS));
}
