use std::collections::BTreeMap;

use link::Datum;

use super::*;
use testing::{both, port, texts};
use wire::Mac;
use wire::segment::{FIN, PSH};

const OURS: Mac = Mac([2, 0, 0, 0, 0, 2]);
const PEER: Mac = Mac([2, 0, 0, 0, 0, 1]);

fn host(open: &str) -> Host {
    let (ports, options) = (vec![port(2, &both(2))], texts(&[("open", open)]));
    Host::new(&NodeConfig { name: "h".into(), ports, options }).unwrap()
}

fn sent(ip6: bool, flags: u16, seq: u32, ack: u32, change: impl Fn(&mut Packet)) -> Vec<u8> {
    let ends = Defaults {
        src_mac: PEER,
        dst_mac: OURS,
        src_ip4: "10.0.0.1".parse().ok(),
        dst_ip4: "10.0.0.2".parse().ok(),
        src_ip6: "fd00::1".parse().ok(),
        dst_ip6: "fd00::2".parse().ok(),
    };
    let ip = if ip6 { Proto::Ip6 } else { Proto::Ip4 };
    let tcp = Layer::new(Proto::Tcp)
        .with(&tcp::SRC, 4000)
        .with(&tcp::DST, 80)
        .with(&tcp::FLAGS, flags.into())
        .with(&tcp::SEQ, seq.into())
        .with(&tcp::ACK, ack.into());
    let mut packet = Packet::new().layer(Layer::new(ip)).layer(tcp);
    change(&mut packet);
    wire::build::build(&packet, &ends).unwrap().remove(0)
}

/// Flags, seq and ack of the answer.
fn answers(host: &mut Host, frame: &[u8]) -> Option<(u16, u32, u32)> {
    host.handle_frame(Instant::ZERO, 0, frame);
    let reply = host.poll_transmit(Instant::ZERO)?.frame.to_vec();
    assert!(host.poll_transmit(Instant::ZERO).is_none(), "one answer");
    let segment = TcpSegment::parse(&reply).unwrap();
    assert!(segment.checksum_ok() && segment.ip.header_checksum_ok(), "{reply:02x?}");
    assert_eq!((segment.ip.eth_src(), segment.ip.eth_dst()), (OURS, PEER));
    assert_eq!((segment.src_port(), segment.dst_port()), (80, 4000));
    Some((segment.flags(), segment.seq(), segment.ack()))
}

const fn as_it_is(_: &mut Packet) {}

#[test]
fn an_open_port_answers_as_a_listener_does() {
    for ip6 in [false, true] {
        let mut host = host("80");
        let (flags, isn, ack) = answers(&mut host, &sent(ip6, SYN, 1000, 0, as_it_is)).unwrap();
        assert_eq!((flags, ack), (SYN | ACK, 1001));
        let next = isn.wrapping_add(1);
        for (flags, ack, expected) in [
            (ACK, next, None),
            (ACK | PSH, next, None),
            (ACK, isn, Some((RST, isn, 0))),
            (ACK, next.wrapping_add(77), Some((RST, next.wrapping_add(77), 0))),
            (ACK | FIN, 5, Some((RST, 5, 0))),
            (ACK | SYN, next, Some((RST, next, 0))),
            (RST, 0, None),
            (RST | ACK, 5, None),
            (FIN, 0, None),
            (0, 0, None),
        ] {
            let frame = sent(ip6, flags, 1001, ack, as_it_is);
            assert_eq!(answers(&mut host, &frame), expected, "flags {flags:#x}, ack {ack}");
        }
        // The initial number is that of the ends, whatever was said before.
        let again = answers(&mut host, &sent(ip6, SYN, 7, 0, as_it_is));
        assert_eq!(again, Some((SYN | ACK, isn, 8)));
    }
}

#[test]
fn a_closed_port_answers_as_reject_does() {
    let mut host = host("81-90");
    let syn = sent(false, SYN, 1000, 0, as_it_is);
    assert_eq!(answers(&mut host, &syn), Some((RST | ACK, 0, 1001)));
    let ack = sent(true, ACK, 1000, 5, as_it_is);
    assert_eq!(answers(&mut host, &ack), Some((RST, 5, 0)));
    assert_eq!(answers(&mut host, &sent(false, RST, 1000, 0, as_it_is)), None);
}

#[test]
fn what_is_not_sound_or_not_for_it_meets_silence() {
    let mut host = host("80");
    let change = |what: fn(&mut Vec<u8>)| {
        let mut frame = sent(false, SYN, 1000, 0, as_it_is);
        what(&mut frame);
        frame
    };
    for (what, frame) in [
        ("a wrong TCP checksum", change(|frame| frame[50] ^= 1)),
        ("a wrong IPv4 checksum", change(|frame| frame[24] ^= 1)),
        ("another station", change(|frame| frame[5] = 9)),
        ("a group at the link", change(|frame| frame[..6].fill(0xff))),
        ("cut short", change(|frame| frame.truncate(50))),
    ] {
        assert_eq!(answers(&mut host, &frame), None, "{what}");
    }
    let to = |dst: &'static str| {
        sent(false, SYN, 1000, 0, move |packet| {
            let dst: std::net::Ipv4Addr = dst.parse().unwrap();
            let field = &wire::fields::ip4::DST;
            packet.layers[0].set(field, wire::Value::Ip(dst.into())).unwrap();
        })
    };
    for dst in ["10.0.0.255", "255.255.255.255", "224.0.0.1", "10.0.0.9"] {
        assert_eq!(answers(&mut host, &to(dst)), None, "{dst}");
    }
    assert!(answers(&mut host, &to("10.0.0.2")).is_some());
}

#[test]
fn its_role_is_that_of_a_host() {
    let registry = crate::Registry::standard();
    let options = |open: &str| BTreeMap::from([("open".to_owned(), Datum::Text(open.into()))]);
    let role = |open| {
        let config = NodeConfig { options: options(open), ..NodeConfig::default() };
        registry.role("host", &config)
    };
    assert_eq!(role("22,80"), Role::Host { open: "22,80".parse().unwrap() });
    assert_eq!(role("none"), Role::Host { open: PortSet::none() });
    assert_eq!(role("eighty"), Role::Other);
}
