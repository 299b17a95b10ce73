//! The tables against etherparse, which reads the same headers by its own offsets, and against
//! what a table must be: in order, without gaps or overlaps other than the RFC's own.

use etherparse as ep;
use proptest::prelude::*;

use super::*;
use crate::field::Value;

/// Reads one field's number.
fn number(field: &Field, header: &[u8]) -> u64 {
    match field.read(header) {
        Some(Value::Num(number)) => number,
        other => panic!("{}: {other:?}", field.path()),
    }
}

/// Reads one field's address.
fn address(field: &Field, header: &[u8]) -> Vec<u8> {
    match field.read(header) {
        Some(Value::Mac(mac)) => mac.0.to_vec(),
        Some(Value::Ip(std::net::IpAddr::V4(ip))) => ip.octets().to_vec(),
        Some(Value::Ip(std::net::IpAddr::V6(ip))) => ip.octets().to_vec(),
        other => panic!("{}: {other:?}", field.path()),
    }
}

/// Asserts that each field holds what etherparse reads.
macro_rules! same {
    ($header:expr; $($field:path => $theirs:expr),* $(,)?) => {
        $(prop_assert_eq!(number(&$field, $header), u64::from($theirs), "{}", $field.path());)*
    };
}

fn noise<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    prop::collection::vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap())
}

proptest! {
    #[test]
    fn ethernet_and_vlan(header in noise::<14>(), tag in noise::<4>()) {
        let theirs = ep::Ethernet2Header::from_bytes(header);
        same!(&header; eth::TYPE => theirs.ether_type.0);
        prop_assert_eq!(address(&eth::DST, &header), theirs.destination);
        prop_assert_eq!(address(&eth::SRC, &header), theirs.source);
        let theirs = ep::SingleVlanHeader::from_bytes(tag);
        same!(&tag;
            vlan::PRIORITY => theirs.pcp.value(),
            vlan::DEI => theirs.drop_eligible_indicator,
            vlan::ID => theirs.vlan_id.value(),
            vlan::TYPE => theirs.ether_type.0,
        );
    }

    #[test]
    fn arp_packet(mut header in noise::<28>()) {
        header[4..6].copy_from_slice(&[6, 4]);
        let theirs = ep::ArpPacketSlice::from_slice(&header).unwrap();
        same!(&header;
            arp::HW_TYPE => theirs.hw_addr_type().0,
            arp::PROTO_TYPE => theirs.proto_addr_type().0,
            arp::HW_SIZE => theirs.hw_addr_size(),
            arp::PROTO_SIZE => theirs.proto_addr_size(),
            arp::OPCODE => theirs.operation().0,
        );
        prop_assert_eq!(address(&arp::SENDER_MAC, &header), theirs.sender_hw_addr());
        prop_assert_eq!(address(&arp::SENDER_IP, &header), theirs.sender_protocol_addr());
        prop_assert_eq!(address(&arp::TARGET_MAC, &header), theirs.target_hw_addr());
        prop_assert_eq!(address(&arp::TARGET_IP, &header), theirs.target_protocol_addr());
    }

    #[test]
    fn ip4_header(mut header in noise::<24>()) {
        header[0] = 0x46;
        let theirs = ep::Ipv4HeaderSlice::from_slice(&header).unwrap();
        same!(&header;
            ip4::VERSION => theirs.version(),
            ip4::IHL => theirs.ihl(),
            ip4::DSCP => theirs.dcp().value(),
            ip4::ECN => theirs.ecn().value(),
            ip4::TOS => header[1],
            ip4::TOTAL_LENGTH => theirs.total_len(),
            ip4::ID => theirs.identification(),
            ip4::RESERVED => header[6] >> 7,
            ip4::FLAGS => header[6] >> 5,
            ip4::DF => theirs.dont_fragment(),
            ip4::MF => theirs.more_fragments(),
            ip4::FRAGMENT_OFFSET => theirs.fragments_offset().value(),
            ip4::TTL => theirs.ttl(),
            ip4::PROTOCOL => theirs.protocol().0,
            ip4::CHECKSUM => theirs.header_checksum(),
        );
        prop_assert_eq!(address(&ip4::SRC, &header), theirs.source());
        prop_assert_eq!(address(&ip4::DST, &header), theirs.destination());
        let options = Value::Bytes(theirs.options().to_vec());
        prop_assert_eq!(ip4::OPTIONS.read(&header), Some(options));
    }

    #[test]
    fn ip6_header_and_fragment(mut header in noise::<40>(), part in noise::<8>()) {
        header[0] = 0x60 | header[0] & 0xf;
        let theirs = ep::Ipv6HeaderSlice::from_slice(&header).unwrap();
        same!(&header;
            ip6::VERSION => theirs.version(),
            ip6::TRAFFIC_CLASS => theirs.traffic_class(),
            ip6::DSCP => theirs.traffic_class() >> 2,
            ip6::ECN => theirs.traffic_class() & 3,
            ip6::FLOW_LABEL => theirs.flow_label().value(),
            ip6::PAYLOAD_LENGTH => theirs.payload_length(),
            ip6::NEXT_HEADER => theirs.next_header().0,
            ip6::HOP_LIMIT => theirs.hop_limit(),
        );
        prop_assert_eq!(address(&ip6::SRC, &header), theirs.source());
        prop_assert_eq!(address(&ip6::DST, &header), theirs.destination());
        let theirs = ep::Ipv6FragmentHeaderSlice::from_slice(&part).unwrap();
        same!(&part;
            fragment::NEXT_HEADER => theirs.next_header().0,
            fragment::RESERVED => part[1],
            fragment::OFFSET => theirs.fragment_offset().value(),
            fragment::RESERVED_BITS => part[3] >> 1 & 3,
            fragment::MORE => theirs.more_fragments(),
            fragment::ID => theirs.identification(),
        );
    }

    #[test]
    fn ip6_extensions(mut header in noise::<24>()) {
        header[1] = 2;
        let theirs = ep::Ipv6RawExtHeaderSlice::from_slice(&header).unwrap();
        for next in [&hop_by_hop::NEXT_HEADER, &routing::NEXT_HEADER, &dest_opts::NEXT_HEADER] {
            prop_assert_eq!(number(next, &header), u64::from(theirs.next_header().0));
        }
        for length in [&hop_by_hop::LENGTH, &routing::LENGTH, &dest_opts::LENGTH] {
            prop_assert_eq!((number(length, &header) as usize + 1) * 8, theirs.slice().len());
        }
        let payload = theirs.payload();
        for options in [&hop_by_hop::OPTIONS, &dest_opts::OPTIONS] {
            prop_assert_eq!(options.read(&header), Some(Value::Bytes(payload.to_vec())));
        }
        same!(&header; routing::TYPE => payload[0], routing::SEGMENTS_LEFT => payload[1]);
        prop_assert_eq!(routing::DATA.read(&header), Some(Value::Bytes(payload[2..].to_vec())));
    }

    #[test]
    fn tcp_and_udp(mut header in noise::<24>(), datagram in noise::<8>()) {
        header[12] = 0x60 | header[12] & 0xf;
        let theirs = ep::TcpHeaderSlice::from_slice(&header).unwrap();
        same!(&header;
            tcp::SRC => theirs.source_port(),
            tcp::DST => theirs.destination_port(),
            tcp::SEQ => theirs.sequence_number(),
            tcp::ACK => theirs.acknowledgment_number(),
            tcp::DATA_OFFSET => theirs.data_offset(),
            tcp::RESERVED => header[12] >> 1 & 7,
            tcp::WINDOW => theirs.window_size(),
            tcp::CHECKSUM => theirs.checksum(),
            tcp::URGENT => theirs.urgent_pointer(),
        );
        // FIN is bit 0, as RFC 9293 3.1 draws them from right to left; then RFC 3168 and 3540.
        let flags = [theirs.fin(), theirs.syn(), theirs.rst(), theirs.psh(), theirs.ack(),
            theirs.urg(), theirs.ece(), theirs.cwr(), theirs.ns()];
        let flags = flags.iter().rev().fold(0, |sum, flag| sum << 1 | u64::from(*flag));
        prop_assert_eq!(number(&tcp::FLAGS, &header), flags);
        let options = Value::Bytes(theirs.options().to_vec());
        prop_assert_eq!(tcp::OPTIONS.read(&header), Some(options));
        let theirs = ep::UdpHeader::from_bytes(datagram);
        same!(&datagram;
            udp::SRC => theirs.source_port,
            udp::DST => theirs.destination_port,
            udp::LENGTH => theirs.length,
            udp::CHECKSUM => theirs.checksum,
        );
    }

    #[test]
    fn icmp_of_both_families(mut header in noise::<8>()) {
        let theirs = ep::Icmpv4Slice::from_slice(&header).unwrap();
        let rest = u32::from_be_bytes(theirs.bytes5to8());
        same!(&header;
            icmp4::TYPE => theirs.type_u8(),
            icmp4::CODE => theirs.code_u8(),
            icmp4::CHECKSUM => theirs.checksum(),
            icmp4::REST => rest,
            icmp4::POINTER => header[4],
        );
        prop_assert_eq!(address(&icmp4::GATEWAY, &header), theirs.bytes5to8());
        let theirs = ep::Icmpv6Slice::from_slice(&header).unwrap();
        same!(&header;
            icmp6::TYPE => theirs.type_u8(),
            icmp6::CODE => theirs.code_u8(),
            icmp6::CHECKSUM => theirs.checksum(),
            icmp6::REST => rest,
            icmp6::MTU => rest,
            icmp6::POINTER => rest,
        );

        header[..2].copy_from_slice(&[8, 0]);
        let ep::Icmpv4Type::EchoRequest(echo) = ep::Icmpv4Slice::from_slice(&header).unwrap()
            .icmp_type() else { panic!("no echo request") };
        same!(&header; icmp4::ID => echo.id, icmp4::SEQ => echo.seq);
        same!(&header; icmp6::ID => echo.id, icmp6::SEQ => echo.seq);
        header[..2].copy_from_slice(&[3, 4]);
        let ep::Icmpv4Type::DestinationUnreachable(
            ep::icmpv4::DestUnreachableHeader::FragmentationNeeded { next_hop_mtu },
        ) = ep::Icmpv4Slice::from_slice(&header).unwrap().icmp_type() else {
            panic!("no fragmentation needed")
        };
        same!(&header; icmp4::MTU => next_hop_mtu);
    }
}

#[test]
fn tables_are_in_order_and_name_each_bit_once() {
    for proto in Proto::ALL {
        let fields = proto.fields();
        let mut next = 0;
        for field in fields.iter().filter(|field| !field.alias) {
            assert_eq!(field.proto, proto, "{}", field.path());
            assert_eq!(field.bit, next, "{}", field.path());
            next = field.bit + field.width;
        }
        let mut keys: Vec<_> = fields.iter().map(|field| field.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), fields.len(), "{} names a field twice", proto.key());
    }
}

#[test]
fn paths_lead_to_their_fields() {
    for field in Proto::ALL.into_iter().flat_map(Proto::fields) {
        assert_eq!(by_path(&field.path()), Some(*field));
    }
    for path in ["tcp", "tcp.", "tcp.sequence", "ip.src", ".seq", ""] {
        assert_eq!(by_path(path), None, "{path}");
    }
}

#[test]
fn what_is_sendable_is_what_the_builder_builds() {
    use crate::{Defaults, Layer, Packet, build};
    let known = |last: u8| Defaults {
        src_ip4: Some([10, 0, 0, last].into()),
        dst_ip4: Some([10, 0, 0, 3 - last].into()),
        src_ip6: Some([u16::from(last); 8].into()),
        dst_ip6: Some([9; 8].into()),
        ..Defaults::default()
    };
    for proto in Proto::ALL {
        let built = build(&Packet::new().layer(Layer::new(proto)), &known(1));
        assert_eq!(built.is_ok(), proto.is_sendable(), "{}: {built:?}", proto.key());
    }
    let error = build(&Packet::new().layer(Layer::new(Proto::Gre)), &known(1)).unwrap_err();
    assert!(error.to_string().contains("is shown and not built"), "{error}");
}
