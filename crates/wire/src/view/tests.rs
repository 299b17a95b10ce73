use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use proptest::prelude::*;

use super::*;
use crate::fields::{eth, icmp4, ip4, ip6, tcp, udp};

const SRC: [u8; 4] = [10, 0, 0, 1];
const DST: [u8; 4] = [10, 0, 0, 2];

/// The scenario's own bare FIN: 10.0.0.1:4000 to 10.0.0.2:80, seq 123, window 560, 16 bytes.
fn fin() -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(SRC, DST, 64)
        .tcp(4000, 80, 123, 560)
        .fin()
        .options_raw(&[2, 4, 5, 0xb4])
        .expect("four bytes of options")
        .write(&mut frame, &[0xaa; 16])
        .expect("memory takes everything");
    frame
}

fn protos(layers: &[LayerView]) -> Vec<Proto> {
    layers.iter().map(|layer| layer.proto).collect()
}

#[test]
fn layers_fields_and_padding() {
    let mut frame = fin();
    frame.extend([0; 6]);
    let view = strict(&frame).expect("a right frame");
    assert_eq!(protos(view.layers()), [Proto::Eth, Proto::Ip4, Proto::Tcp, Proto::Payload]);
    assert_eq!(view.trailer(), 74..80);
    assert_eq!(view.payload(), [0xaa; 16]);
    assert_eq!(view.read(&tcp::SEQ, 0), Some(Value::Num(123)));
    assert_eq!(view.read(&tcp::SEQ, 1), None);
    assert_eq!(view.read(&tcp::OPTIONS, 0), Some(Value::Bytes(vec![2, 4, 5, 0xb4])));
    let tcp = view.find(Proto::Tcp).expect("a TCP layer");
    assert_eq!((tcp.start, tcp.end, tcp.limit), (34, 58, 74));
    let keys: Vec<_> = view.fields().map(|(_, field, _)| field.path()).collect();
    assert_eq!(keys.len(), 3 + 16 + 11 + 1, "no alias is listed: {keys:?}");
}

#[test]
fn each_lie_is_refused_by_name_and_the_lax_view_goes_on() {
    let (ip, tcp) = (14, 34);
    for (at, byte, message, layers) in [
        (ip, 0x65, "ip4.version of the header at byte 14 is 6, not 4", 4),
        (ip, 0x44, "ip4.ihl claims 16 bytes from byte 14, 20 are needed", 4),
        (ip + 3, 100, "ip4.total-length claims 100 bytes from byte 14, 60 are there", 4),
        (ip + 3, 19, "ip4.total-length claims 19 bytes from byte 14, 20 are needed", 4),
        (ip + 3, 30, "tcp header at byte 34 needs 20 bytes, 10 are there", 3),
        (tcp + 12, 0x40, "tcp.data-offset claims 16 bytes from byte 34, 20 are needed", 4),
        (tcp + 12, 0xf0, "tcp.data-offset claims 60 bytes from byte 34, 40 are there", 3),
        (tcp + 21, 5, "tcp option at byte 54 claims 5 bytes, 4 are there", 4),
        (tcp + 21, 1, "tcp option at byte 54 claims 1 byte, 4 are there", 4),
    ] {
        let mut frame = fin();
        frame[at] = byte;
        let error = strict(&frame).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert_eq!(lax(&frame).layers().len(), layers, "{message}");
    }
}

#[test]
fn ip_options_are_looked_at_too() {
    let mut frame = fin();
    frame[14] = 0x46;
    frame[34..38].copy_from_slice(&[7, 5, 0, 0]);
    let error = strict(&frame).expect_err("an option longer than its list");
    assert_eq!(error.to_string(), "ip4 option at byte 34 claims 5 bytes, 4 are there");
    frame[35] = 4;
    assert_ne!(strict(&frame).err().map(|error| error.layer), Some(Proto::Ip4));
}

#[test]
fn a_quote_is_told_apart_from_the_frame_s_own_layers() {
    let fin = fin();
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1])
        .ipv4(DST, SRC, 64)
        .icmpv4_raw(3, 10, [0; 4])
        .write(&mut frame, &fin[14..42])
        .expect("memory takes everything");
    let view = strict(&frame).expect("a quote's lengths are no fault");
    assert_eq!(protos(view.layers()), [Proto::Eth, Proto::Ip4, Proto::Icmp4, Proto::Payload]);
    assert_eq!(protos(view.quote()), [Proto::Ip4, Proto::Tcp]);
    assert_eq!(view.read(&icmp4::CODE, 0), Some(Value::Num(10)));
    assert_eq!(view.read(&tcp::SRC, 0), None);
    assert_eq!(view.read_in(&view.quote()[1], &tcp::SRC), Some(Value::Num(4000)));
    assert_eq!(view.read_in(&view.quote()[1], &tcp::ACK), None);
}

#[test]
fn later_fragments_carry_bytes_and_no_header() {
    let mut frame = fin();
    frame[20] = 0x20;
    assert!(lax(&frame).is_fragment());
    assert!(lax(&frame).find(Proto::Tcp).is_some());
    frame[21] = 1;
    assert_eq!(protos(lax(&frame).layers()), [Proto::Eth, Proto::Ip4, Proto::Payload]);
}

#[test]
fn checksums_say_what_they_should_be() {
    let frame = fin();
    let view = lax(&frame);
    for proto in [Proto::Ip4, Proto::Tcp] {
        let sum = view.checksum(view.find(proto).expect("the layer")).expect("a checksum");
        assert!(sum.ok && sum.stored == sum.right, "{sum:?}");
        let mut wrong = frame.clone();
        let at = view.find(proto).expect("the layer").start + sum.field.bytes().start;
        wrong[at] ^= 0x80;
        let wrong = lax(&wrong);
        let found = wrong.checksum(wrong.find(proto).expect("the layer")).expect("a checksum");
        assert_eq!((found.ok, found.right), (false, sum.right));
    }
    let cut = lax(&frame[..70]);
    assert_eq!(cut.checksum(cut.find(Proto::Tcp).expect("the layer")), None);
}

/// A frame of any kind that etherparse builds, right in every length.
fn built() -> impl Strategy<Value = Vec<u8>> {
    let parts = (any::<[u8; 4]>(), any::<[u8; 16]>(), any::<bool>(), any::<bool>(), 0u8..3);
    (parts, any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..80)).prop_map(
        |((four, sixteen, tagged, six, upper), port, seq, payload)| {
            let mut frame = Vec::new();
            let start = PacketBuilder::ethernet2([2; 6], [4; 6]);
            let start = match (tagged, six) {
                (false, false) => start.ipv4(four, DST, 64),
                (false, true) => start.ipv6(sixteen, [7; 16], 64),
                (true, false) => {
                    start.single_vlan(5.try_into().expect("12 bits")).ipv4(four, DST, 64)
                }
                (true, true) => {
                    start.single_vlan(5.try_into().expect("12 bits")).ipv6(sixteen, [7; 16], 64)
                }
            };
            let written = match upper {
                0 => start.tcp(port, 80, seq, 560).write(&mut frame, &payload),
                1 => start.udp(port, 53).write(&mut frame, &payload),
                2 if !six => start.icmpv4_echo_request(port, 1).write(&mut frame, &payload),
                _ => start.icmpv6_echo_request(port, 1).write(&mut frame, &payload),
            };
            written.expect("memory takes everything");
            frame
        },
    )
}

proptest! {
    #[test]
    fn etherparse_sees_the_same_frame(frame in built()) {
        let view = strict(&frame).expect("etherparse builds right frames");
        let other = SlicedPacket::from_ethernet(&frame).expect("etherparse reads its frames");
        match other.net {
            Some(NetSlice::Ipv4(ip)) => {
                let src = Value::Ip(ip.header().source_addr().into());
                prop_assert_eq!(view.read(&ip4::SRC, 0), Some(src));
            }
            Some(NetSlice::Ipv6(ip)) => {
                let src = Value::Ip(ip.header().source_addr().into());
                prop_assert_eq!(view.read(&ip6::SRC, 0), Some(src));
            }
            _ => prop_assert!(false, "an IP layer"),
        }
        let (proto, payload) = match &other.transport {
            Some(TransportSlice::Tcp(tcp)) => {
                let seq = Value::Num(tcp.sequence_number().into());
                prop_assert_eq!(view.read(&crate::fields::tcp::SEQ, 0), Some(seq));
                (Proto::Tcp, tcp.payload())
            }
            Some(TransportSlice::Udp(slice)) => {
                let length = Value::Num(slice.length().into());
                prop_assert_eq!(view.read(&udp::LENGTH, 0), Some(length));
                (Proto::Udp, slice.payload())
            }
            Some(TransportSlice::Icmpv4(icmp)) => (Proto::Icmp4, icmp.payload()),
            Some(TransportSlice::Icmpv6(icmp)) => (Proto::Icmp6, icmp.payload()),
            Some(TransportSlice::Igmp(_)) | None => return Ok(()),
        };
        let layer = view.find(proto).expect("the same transport");
        prop_assert_eq!(view.payload(), payload);
        prop_assert!(view.checksum(layer).is_some_and(|sum| sum.ok));
        prop_assert!(view.read(&eth::TYPE, 0).is_some());
    }

    #[test]
    fn no_bytes_panic_and_layers_lie_within(
        frame in prop_oneof![built(), prop::collection::vec(any::<u8>(), 0..120)],
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in 0usize..150,
    ) {
        let mut frame = frame;
        for (at, byte) in edits {
            if !frame.is_empty() {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
        }
        frame.truncate(cut);
        let view = lax(&frame);
        let mut at = 0;
        for layer in view.layers() {
            prop_assert_eq!(layer.start, at, "layers follow each other: {:?}", view);
            prop_assert!(layer.start <= layer.end && layer.end <= layer.limit);
            at = layer.end;
            let _ = view.checksum(layer);
        }
        prop_assert_eq!(view.trailer(), at..frame.len(), "and the trailer is the rest");
        prop_assert!(view.stop().is_none_or(|stop| view.faults().contains(&stop)));
        prop_assert_eq!(strict(&frame).err(), view.faults().first().copied());
    }

    /// The views for hot code and for reports are two parsers: they must tell the same.
    #[test]
    fn the_cheap_view_of_a_segment_agrees(
        frame in built(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in 30usize..150,
    ) {
        let mut frame = frame;
        for (at, byte) in edits {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        frame.truncate(cut);
        let Ok(segment) = crate::TcpSegment::parse(&frame) else { return Ok(()) };
        let view = lax(&frame);
        // Only the cheap view steps over an Authentication Header.
        let secured = Value::Num(51);
        if view.fields().any(|(_, field, value)| field.key == "next-header" && value == secured) {
            return Ok(());
        }
        let layer = view.find(Proto::Tcp).expect("it has a TCP header");
        let number = |field| view.read(field, 0);
        prop_assert_eq!(number(&tcp::SEQ), Some(Value::Num(segment.seq().into())));
        prop_assert_eq!(number(&tcp::ACK), Some(Value::Num(segment.ack().into())));
        prop_assert_eq!(number(&tcp::FLAGS), Some(Value::Num(segment.flags().into())));
        prop_assert_eq!(number(&tcp::WINDOW), Some(Value::Num(segment.window().into())));
        prop_assert_eq!(layer.limit - layer.start, segment.bytes().len());
        if let Some(payload) = segment.payload() {
            prop_assert_eq!(view.payload(), payload);
        }
        if let Some(sum) = view.checksum(layer) {
            prop_assert_eq!(sum.ok, segment.checksum_ok());
        }
    }
}
