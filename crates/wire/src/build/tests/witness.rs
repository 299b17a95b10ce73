//! etherparse as the witness: it builds the same bytes, and reads ours strictly.

use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use proptest::prelude::*;

use super::*;
use crate::fields::{icmp6, vlan};

const SRC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const DST: [u8; 6] = [2, 0, 0, 0, 0, 2];
const SRC6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const DST6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

#[derive(Clone, Copy, Debug)]
struct Numbers {
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    window: u16,
    tags: (u16, u16),
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let tag = || 0u16..4096;
    (any::<(u16, u16)>(), any::<u32>(), any::<u32>(), any::<u16>(), (tag(), tag()))
        .prop_map(|(ports, seq, ack, window, tags)| Numbers { ports, seq, ack, window, tags })
}

/// Our TCP layer: SYN, ACK and PSH with these numbers.
fn tcp_layer(n: Numbers) -> Layer {
    Layer::new(Proto::Tcp)
        .with(&tcp::SRC, n.ports.0.into())
        .with(&tcp::DST, n.ports.1.into())
        .with(&tcp::SEQ, n.seq.into())
        .with(&tcp::ACK, n.ack.into())
        .with(&tcp::WINDOW, n.window.into())
        .with(&tcp::FLAGS, 0x1a)
}

fn udp_layer(n: Numbers) -> Layer {
    let layer = Layer::new(Proto::Udp);
    layer.with(&udp::SRC, n.ports.0.into()).with(&udp::DST, n.ports.1.into())
}

/// What etherparse writes after the IP step of its builder.
macro_rules! witness {
    ($payload:expr, $builder:expr) => {{
        let mut frame = Vec::new();
        $builder.write(&mut frame, $payload).unwrap();
        frame
    }};
}

proptest! {
    #[test]
    fn tcp_over_ip4(n in numbers(), payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let theirs = witness!(&payload, PacketBuilder::ethernet2(SRC, DST)
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(n.ports.0, n.ports.1, n.seq, n.window).syn().psh().ack(n.ack));
        prop_assert_eq!(one(&Packet::new().layer(tcp_layer(n)).payload(payload)), theirs);
    }

    #[test]
    fn tcp_with_options_and_two_tags_over_ip6(
        n in numbers(),
        payload in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        use etherparse::TcpOptionElement as E;
        let options = [E::MaximumSegmentSize(n.window), E::Noop, E::WindowScale(7),
            E::SelectiveAcknowledgementPermitted, E::Timestamp(n.ack, n.seq)];
        let theirs = witness!(&payload, PacketBuilder::ethernet2(SRC, DST)
            .double_vlan(n.tags.0.try_into().unwrap(), n.tags.1.try_into().unwrap())
            .ipv6(SRC6, DST6, 64)
            .tcp(n.ports.0, n.ports.1, n.seq, n.window).syn().psh().ack(n.ack)
            .options(&options).unwrap());
        let mut layer = tcp_layer(n);
        layer.tcp_options = Some(vec![
            TcpOption::Mss(n.window), TcpOption::Nop, TcpOption::WindowScale(7),
            TcpOption::SackPermitted, TcpOption::Timestamps(n.ack, n.seq),
        ]);
        let ours = Packet::new()
            .layer(Layer::new(Proto::Vlan).with(&vlan::ID, n.tags.0.into()))
            .layer(Layer::new(Proto::Vlan).with(&vlan::ID, n.tags.1.into()))
            .layer(Layer::new(Proto::Ip6))
            .layer(layer);
        prop_assert_eq!(one(&ours.payload(payload)), theirs);
    }

    #[test]
    fn udp_and_echo(n in numbers(), payload in prop::collection::vec(any::<u8>(), 0..99)) {
        let over4 = || PacketBuilder::ethernet2(SRC, DST).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let over6 = || PacketBuilder::ethernet2(SRC, DST).ipv6(SRC6, DST6, 64);
        let udp = |ip| {
            Packet::new().layer(Layer::new(ip)).layer(udp_layer(n)).payload(payload.clone())
        };
        let theirs = witness!(&payload, over4().udp(n.ports.0, n.ports.1));
        prop_assert_eq!(one(&udp(Proto::Ip4)), theirs);
        let theirs = witness!(&payload, over6().udp(n.ports.0, n.ports.1));
        prop_assert_eq!(one(&udp(Proto::Ip6)), theirs);

        let echo = Layer::new(Proto::Icmp4)
            .with(&icmp4::ID, n.ports.0.into()).with(&icmp4::SEQ, n.ports.1.into());
        let theirs = witness!(&payload, over4().icmpv4_echo_request(n.ports.0, n.ports.1));
        prop_assert_eq!(one(&Packet::new().layer(echo).payload(payload.clone())), theirs);
        let echo = Layer::new(Proto::Icmp6)
            .with(&icmp6::ID, n.ports.0.into()).with(&icmp6::SEQ, n.ports.1.into());
        let theirs = witness!(&payload, over6().icmpv6_echo_request(n.ports.0, n.ports.1));
        prop_assert_eq!(one(&Packet::new().layer(echo).payload(payload)), theirs);
    }

    #[test]
    fn what_is_left_to_be_computed_is_read_strictly(
        tags in 0usize..3,
        extensions in prop::sample::subsequence(
            vec![Proto::HopByHop, Proto::Routing, Proto::DestOpts], 0..4),
        v4 in any::<bool>(),
        over in prop::sample::select(vec![Proto::Tcp, Proto::Udp]),
        payload in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut protos = vec![Proto::Vlan; tags];
        if v4 {
            protos.push(Proto::Ip4);
        } else {
            protos.push(Proto::Ip6);
            protos.extend(extensions);
        }
        protos.push(over);
        let frame = one(&stack(&protos).payload(payload.clone()));
        let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
        let read = match sliced.transport {
            Some(TransportSlice::Tcp(tcp)) => tcp.payload().to_vec(),
            Some(TransportSlice::Udp(udp)) => udp.payload().to_vec(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(read, payload);
        let ip = IpPacket::parse(&frame).unwrap();
        prop_assert!(ip.transport_checksum_ok() && ip.header_checksum_ok());
    }
}
