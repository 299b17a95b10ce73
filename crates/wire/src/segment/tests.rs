//! The view against a known frame, against frames built by etherparse, and against any bytes.

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;
use crate::hex::decode as hex;

/// The reset that Linux 6.18 sends for the custom packet.
fn reset() -> Vec<u8> {
    hex("020000000001 020000000002 0800 \
         4500 0028 0000 4000 4006 26ce 0a000002 0a000001 \
         0050 0fa0 00000000 0000008c 5014 0000 8b52 0000")
    .unwrap()
}

#[test]
fn the_known_reset() {
    let frame = reset();
    let segment = TcpSegment::parse(&frame).unwrap();
    assert_eq!(segment.ip.eth_dst(), "02:00:00:00:00:01".parse().unwrap());
    assert_eq!(segment.ip.eth_src(), "02:00:00:00:00:02".parse().unwrap());
    assert_eq!(segment.ip.src(), IpAddr::from([10, 0, 0, 2]));
    assert_eq!(segment.ip.dst(), IpAddr::from([10, 0, 0, 1]));
    assert_eq!((segment.src_port(), segment.dst_port()), (80, 4000));
    assert_eq!((segment.seq(), segment.ack(), segment.window()), (0, 140, 0));
    assert_eq!((segment.flags(), segment.urgent(), segment.reserved()), (RST | ACK, 0, 0));
    assert_eq!((segment.ip.ttl(), segment.ip.tos()), (64, 0));
    assert_eq!((segment.data_offset(), segment.checksum()), (5, 0x8b52));
    assert_eq!((segment.payload(), segment.options()), (Some(&[][..]), Some(&[][..])));
    assert!(segment.checksum_ok() && segment.ip.header_checksum_ok());
    assert!(!segment.ip.is_fragment() && !segment.ip.is_truncated());
}

#[test]
fn ethernet_padding_is_no_payload() {
    let mut frame = reset();
    frame.resize(60, 0xaa);
    let segment = TcpSegment::parse(&frame).unwrap();
    assert_eq!(segment.payload(), Some(&[][..]));
    assert_eq!(segment.ip.trailer(), [0xaa; 6]);
    assert!(segment.checksum_ok());
}

#[test]
fn a_flipped_bit_fails_the_checksum_it_belongs_to() {
    for at in 14..54 {
        let mut frame = reset();
        frame[at] ^= 0x08;
        let Ok(segment) = TcpSegment::parse(&frame) else { continue };
        assert_eq!(segment.ip.header_checksum_ok(), at >= 34, "byte {at}");
        let in_transport_sum = at >= 34 || at >= 26 || at == 17;
        assert_eq!(segment.checksum_ok(), !in_transport_sum, "byte {at}");
    }
}

#[test]
fn a_data_offset_that_lies_is_shown() {
    let mut frame = reset();
    frame[46] = 0xf0;
    let segment = TcpSegment::parse(&frame).unwrap();
    assert_eq!((segment.data_offset(), segment.payload_len_unchecked()), (15, -40));
    assert_eq!((segment.payload(), segment.options()), (None, None));
    assert!(!segment.data_offset_ok());
    assert_eq!(segment.segment_len(), 40u32.wrapping_neg());

    frame[46..48].copy_from_slice(&[0x40, 0x02]);
    let segment = TcpSegment::parse(&frame).unwrap();
    assert_eq!((segment.payload_len_unchecked(), segment.segment_len()), (4, 5));
    assert_eq!((segment.payload(), segment.options()), (None, None));
    assert!(!segment.data_offset_ok());
}

#[test]
fn lengths_that_lie() {
    let mut frame = reset();
    frame[17] = 0x29;
    assert!(IpPacket::parse(&frame).unwrap().is_truncated());
    frame[17] = 0x27;
    assert_eq!(TcpSegment::parse(&frame).unwrap_err(), NoTcp::Short(19));
    frame[17] = 0x13;
    assert_eq!(IpPacket::parse(&frame).unwrap_err(), NotIp::TotalLength(19));
    frame[14] = 0x44;
    assert_eq!(IpPacket::parse(&frame).unwrap_err(), NotIp::HeaderLength(16));
    frame[14] = 0x65;
    assert_eq!(IpPacket::parse(&frame).unwrap_err(), NotIp::Version(6));
    frame[12] = 0x09;
    assert_eq!(IpPacket::parse(&frame).unwrap_err(), NotIp::OtherType(0x0900));
    assert_eq!(IpPacket::parse(&frame[..13]).unwrap_err(), NotIp::Short);
}

#[test]
fn fragments_of_ip4() {
    let mut frame = reset();
    frame[20] = 0x20;
    let first = TcpSegment::parse(&frame).unwrap();
    assert!(first.ip.is_fragment() && first.ip.more_fragments());
    frame[20..22].copy_from_slice(&[0x20, 0x03]);
    let later = IpPacket::parse(&frame).unwrap();
    assert_eq!((later.fragment_offset(), later.tcp().unwrap_err()), (24, NoTcp::Fragment(24)));
    frame[20..22].fill(0);
    frame[23] = 17;
    assert_eq!(TcpSegment::parse(&frame).unwrap_err(), NoTcp::OtherProtocol(17));
}

/// An IPv6 segment with a chain of extension headers put in front of TCP.
fn v6_frame(first: u8, extensions: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .double_vlan(5.try_into().unwrap(), 6.try_into().unwrap())
        .ipv6([1; 16], [2; 16], 64)
        .tcp(4000, 80, 123, 560)
        .write(&mut frame, &[7; 11])
        .unwrap();
    let plen = u16::from_be_bytes([frame[26], frame[27]]) + extensions.len() as u16;
    frame[26..28].copy_from_slice(&plen.to_be_bytes());
    if !extensions.is_empty() {
        frame[28] = first;
    }
    frame.splice(62..62, extensions.iter().copied());
    frame
}

#[test]
fn ip6_with_tags_and_extension_headers() {
    let plain = v6_frame(6, &[]);
    let segment = TcpSegment::parse(&plain).unwrap();
    assert!(segment.checksum_ok() && !segment.ip.is_v4());
    assert_eq!((segment.ip.link_header().len(), segment.ip.header().len()), (22, 40));
    assert_eq!((segment.ip.src(), segment.ip.dst()), ([1; 16].into(), [2; 16].into()));
    assert_eq!(segment.payload(), Some(&[7; 11][..]));

    let hop = [60, 0, 1, 4, 0, 0, 0, 0];
    let dest = [51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let auth = [44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let fragment = [6, 0, 0, 1, 0, 0, 0, 9];
    let chain = [&hop[..], &dest, &auth, &fragment].concat();
    let frame = v6_frame(0, &chain);
    let segment = TcpSegment::parse(&frame).unwrap();
    assert!(segment.checksum_ok() && segment.ip.more_fragments());
    assert_eq!(segment.ip.header().len(), 40 + chain.len());

    let later = v6_frame(44, &[6, 0, 0, 0x10, 0, 0, 0, 9]);
    assert_eq!(TcpSegment::parse(&later).unwrap_err(), NoTcp::Fragment(16));
    let past = v6_frame(0, &[6, 200, 1, 4, 0, 0, 0, 0]);
    assert_eq!(TcpSegment::parse(&past).unwrap_err(), NotIp::Extension.into());
}

#[test]
fn the_pseudo_header_has_the_final_destination() {
    // The header's own destination is a hop on the way to [2; 16], the last address of the list.
    let routing = [&[6, 2, 2, 1, 0, 0, 0, 0][..], &[2; 16]].concat();
    let mut frame = v6_frame(43, &routing);
    frame[46..62].fill(9);
    assert!(TcpSegment::parse(&frame).unwrap().checksum_ok());
    // No segment left: the header's destination is the final one.
    frame[62 + 3] = 0;
    assert!(!TcpSegment::parse(&frame).unwrap().checksum_ok());
}

#[test]
fn final_destinations_by_routing_type() {
    let routing = |words, kind, left| [&[6, words, kind, left][..], &[0; 36]].concat();
    for (kind, range) in [(0, Some(24..40)), (2, Some(24..40)), (4, Some(8..24)), (3, None)] {
        assert_eq!(final_destination(&routing(4, kind, 1)), range, "type {kind}");
        assert_eq!(final_destination(&routing(4, kind, 0)), None);
        assert_eq!(final_destination(&routing(1, kind, 1)), None);
        assert_eq!(final_destination(&routing(5, kind, 1)), None);
    }
}

#[test]
fn tags_of_every_type() {
    for kind in [[0x81, 0], [0x88, 0xa8], [0x91, 0]] {
        let mut frame = reset();
        frame.splice(12..12, [kind[0], kind[1], 0, 5]);
        assert_eq!(TcpSegment::parse(&frame).unwrap().ip.link_header().len(), 18);
        assert_eq!(TcpSegment::parse(&frame[..17]).unwrap_err(), NotIp::Short.into());
    }
}

proptest! {
    #[test]
    fn agrees_with_etherparse(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        (seq, ack, window) in any::<(u32, u32, u16)>(),
        options in prop::collection::vec(Just(1u8), 0..40),
        pad in 0usize..20,
    ) {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(4000, 80, seq, window)
            .ack(ack)
            .options_raw(&options)
            .unwrap()
            .write(&mut frame, &payload)
            .unwrap();
        frame.resize(frame.len() + pad, 0);
        let segment = TcpSegment::parse(&frame).unwrap();
        prop_assert!(segment.checksum_ok() && segment.ip.header_checksum_ok());
        prop_assert_eq!((segment.seq(), segment.ack(), segment.window()), (seq, ack, window));
        prop_assert_eq!(segment.payload(), Some(&payload[..]));
        prop_assert_eq!(segment.options().unwrap().len(), options.len().next_multiple_of(4));
        prop_assert_eq!(segment.segment_len(), payload.len() as u32);
    }

    #[test]
    fn no_bytes_panic(
        mut frame in prop::collection::vec(any::<u8>(), 0..120),
        kind in prop::sample::select(vec![0x0800u16, 0x86dd, 0x8100]),
        first in prop::sample::select(vec![0x45u8, 0x4f, 0x60]),
        next in prop::sample::select(vec![0u8, 6, 43, 44, 51, 60]),
    ) {
        if frame.len() > 24 {
            frame[12..14].copy_from_slice(&kind.to_be_bytes());
            frame[14] = first;
            frame[if first == 0x60 { 20 } else { 23 }] = next;
            frame[16] &= if first == 0x60 { 0xff } else { 0 };
            frame[18] &= if first == 0x60 { 0 } else { 0xff };
        }
        if let Ok(ip) = IpPacket::parse(&frame) {
            let _ = (ip.src(), ip.dst(), ip.ttl(), ip.tos(), ip.header(), ip.trailer());
            let _ = (ip.header_checksum_ok(), ip.transport_checksum_ok());
            if let Ok(tcp) = ip.tcp() {
                let _ = (tcp.payload(), tcp.options(), tcp.segment_len(), tcp.checksum_ok());
            }
        }
    }
}
