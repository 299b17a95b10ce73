//! Fragments put together again give the datagram that was split.

use proptest::prelude::*;

use super::*;
use crate::fields::fragment;

fn split(mut packet: Packet, size: u16) -> (Vec<u8>, Vec<Vec<u8>>) {
    let whole = one(&packet);
    packet.fragment = Some(size);
    (whole, build(&packet, &defaults()).unwrap())
}

/// Checks each fragment by itself and gives the payloads in their places.
fn join(frames: &[Vec<u8>], size: u16) -> Vec<u8> {
    let mut joined = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let ip = IpPacket::parse(frame).unwrap();
        let last = index + 1 == frames.len();
        assert!(ip.header_checksum_ok() && !ip.is_truncated() && ip.trailer().is_empty());
        assert_eq!((ip.more_fragments(), usize::from(ip.fragment_offset())), (!last, joined.len()));
        assert!(ip.payload().len() <= usize::from(size));
        assert!(last || ip.payload().len().is_multiple_of(8));
        joined.extend_from_slice(ip.payload());
    }
    joined
}

#[test]
fn options_with_the_copied_bit_go_along() {
    let mut ip = Layer::new(Proto::Ip4).with(&ip4::ID, 0x1234);
    // Record Route (not copied), no-operation, Router Alert (copied), end.
    let options = hex("0703 04 01 94040000 00").unwrap();
    ip.set(&ip4::OPTIONS, Value::Bytes(options)).unwrap();
    let packet = Packet::new().layer(ip).layer(Layer::new(Proto::Udp)).payload([5; 30]);
    let (whole, frames) = split(packet, 23);
    // 16 bytes and then 22, which is within 23 and needs to end nowhere.
    assert_eq!(frames.len(), 2);
    let header = |frame: &[u8]| IpPacket::parse(frame).unwrap().header().to_vec();
    assert_eq!(header(&frames[0])[20..], header(&whole)[20..]);
    assert_eq!(header(&frames[1])[20..], [0x94, 4, 0, 0]);
    assert!(frames.iter().all(|frame| header(frame)[4..6] == [0x12, 0x34]));
    assert_eq!(join(&frames, 23), IpPacket::parse(&whole).unwrap().payload());
}

#[test]
fn bits_of_the_ip4_header() {
    let flags = |ip: Layer| {
        let packet = Packet::new().layer(ip).layer(Layer::new(Proto::Tcp));
        let (_, frames) = split(packet, 16);
        frames.iter().map(|frame| u16::from_be_bytes([frame[20], frame[21]])).collect::<Vec<_>>()
    };
    assert_eq!(flags(Layer::new(Proto::Ip4)), [0x2000, 0x0002]);
    assert_eq!(flags(Layer::new(Proto::Ip4).with(&ip4::DF, 1)), [0x6000, 0x4002]);
    assert_eq!(flags(Layer::new(Proto::Ip4).with(&ip4::FLAGS, 2)), [0x6000, 0x4002]);
    assert_eq!(flags(Layer::new(Proto::Ip4).with(&ip4::RESERVED, 1)), [0xa000, 0x8002]);
    let part = Layer::new(Proto::Ip4).with(&ip4::MF, 1).with(&ip4::FRAGMENT_OFFSET, 8);
    assert_eq!(flags(part), [0x2008, 0x200a]);
    let mut far = Packet::new().layer(Layer::new(Proto::Ip4).with(&ip4::FRAGMENT_OFFSET, 8191));
    far = far.payload([0; 20]);
    far.fragment = Some(8);
    let error = build(&far, &defaults()).unwrap_err();
    assert_eq!(error.field, Some("fragment-offset"));
}

#[test]
fn what_fits_stays_whole() {
    for proto in [Proto::Ip4, Proto::Ip6] {
        let (whole, frames) = split(stack(&[proto, Proto::Tcp]), 20);
        assert_eq!(frames, [whole]);
        assert_eq!(split(stack(&[proto, Proto::Tcp]), 19).1.len(), 2);
    }
}

#[test]
fn the_ip6_fragment_header_stands_behind_what_every_hop_reads() {
    let protos = [Proto::HopByHop, Proto::DestOpts, Proto::Routing, Proto::DestOpts, Proto::Tcp];
    let (_, frames) = split(stack(&protos), 16);
    let chain = |frame: &[u8]| [frame[20], frame[54], frame[62], frame[70], frame[78]];
    assert!(frames.iter().all(|frame| chain(frame) == [0, 60, 43, 44, 60]));
    // A header that was given is used, with its id, and not put in a second time.
    let given =
        Layer::new(Proto::Fragment).with(&fragment::ID, 7).with(&fragment::RESERVED_BITS, 3);
    let packet = Packet::new().layer(given).layer(Layer::new(Proto::Tcp));
    let (whole, frames) = split(packet, 16);
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0][54..62], [6, 0, 0, 7, 0, 0, 0, 7]);
    assert_eq!(frames[1][54..62], [6, 0, 0, 0x16, 0, 0, 0, 7]);
    assert_eq!(join(&frames, 16), whole[62..]);
    // A fragment that meets a smaller MTU: offsets count on, and the last is not the last.
    let part = Layer::new(Proto::Fragment).with(&fragment::OFFSET, 4).with(&fragment::MORE, 1);
    let (_, frames) = split(Packet::new().layer(part).payload([1; 20]), 16);
    let offsets: Vec<_> = frames.iter().map(|frame| [frame[56], frame[57]]).collect();
    assert_eq!(offsets, [[0, 4 << 3 | 1], [0, 6 << 3 | 1]]);
}

#[test]
fn a_given_length_or_checksum_stands_in_every_fragment() {
    let ip = Layer::new(Proto::Ip4).with(&ip4::TOTAL_LENGTH, 99).with(&ip4::CHECKSUM, 0xbeef);
    let (_, frames) = split(Packet::new().layer(ip).payload([1; 64]), 24);
    assert_eq!(frames.len(), 3);
    for frame in frames {
        assert_eq!((&frame[16..18], &frame[24..26]), (&[0, 99][..], &[0xbe, 0xef][..]));
    }
}

#[test]
fn each_fragment_is_padded_and_cut() {
    let mut packet = stack(&[Proto::Tcp]).payload([1; 20]);
    (packet.fragment, packet.pad) = (Some(24), Some(60));
    let lengths = |packet: &Packet| {
        build(packet, &defaults()).unwrap().iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&packet), [60, 60]);
    packet.truncate = Some(50);
    assert_eq!(lengths(&packet), [50, 50]);
}

proptest! {
    #[test]
    fn any_datagram_at_any_size(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        size in 8u16..200,
        v6 in any::<bool>(),
        tagged in any::<bool>(),
    ) {
        let mut packet = Packet::new();
        if tagged {
            packet = packet.layer(Layer::new(Proto::Vlan));
        }
        packet = packet.layer(Layer::new(if v6 { Proto::Ip6 } else { Proto::Ip4 }));
        packet = packet.layer(Layer::new(Proto::Tcp)).payload(payload);
        let (whole, frames) = split(packet, size);
        let ip = IpPacket::parse(&whole).unwrap();
        prop_assert_eq!(join(&frames, size), ip.payload());
        // One more would do only if every piece but the last were not full.
        let fewest = ip.payload().len().div_ceil(usize::from(size));
        prop_assert!(frames.len() >= fewest);
        prop_assert!(frames.iter().all(|frame| frame[..12] == whole[..12]));
    }
}
