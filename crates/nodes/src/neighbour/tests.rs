use super::*;
use testing::{both, hex};

fn port() -> PortConfig {
    testing::port(1, &both(1))
}

fn arp(frame: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0xee];
    let answered = answer_arp(frame, &port(), &mut out);
    assert_eq!(out.remove(0), 0xee, "appended, not overwritten");
    assert_eq!(answered, !out.is_empty());
    answered.then_some(out)
}

const WHO_HAS: &str = "ffffffffffff 020000000002 0806 0001 0800 06 04 0001
    020000000002 0a000002 000000000000 0a000001";

#[test]
fn an_arp_request_for_the_port_is_answered() {
    let reply = "020000000002 020000000001 0806 0001 0800 06 04 0002
        020000000001 0a000001 020000000002 0a000002";
    assert_eq!(arp(&hex(WHO_HAS)), Some(hex(reply)));
    let padded = [hex(WHO_HAS), vec![0; 18]].concat();
    assert_eq!(arp(&padded), Some(hex(reply)), "padding does not matter");
}

#[test]
fn no_other_arp_is_answered() {
    // Each changes one byte: another target, a reply, another hardware, to another station.
    for (at, byte) in [(41, 9), (21, 2), (15, 6), (18, 8), (0, 2)] {
        let mut frame = hex(WHO_HAS);
        frame[at] = byte;
        assert_eq!(arp(&frame), None, "byte {at}");
    }
    assert_eq!(arp(&hex(WHO_HAS)[..41]), None, "cut short");
}

/// A solicitation for fd00::1, checksum made here.
fn solicitation(src: &str, dst: &str, options: &[u8]) -> Vec<u8> {
    let (src, dst): (Ipv6Addr, Ipv6Addr) = (src.parse().unwrap(), dst.parse().unwrap());
    let mut message = hex("87 00 0000 00000000 fd000000000000000000000000000001");
    message.extend_from_slice(options);
    let sum = checksum::transport_ip6(src.octets(), dst.octets(), 58, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut frame = hex("3333ff000001 020000000002 86dd 60000000");
    frame.extend_from_slice(&[0, message.len() as u8, 58, 255]);
    frame.extend_from_slice(&src.octets());
    frame.extend_from_slice(&dst.octets());
    frame.extend_from_slice(&message);
    frame
}

fn nd(frame: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    answer_nd(frame, &port(), &mut out).then_some(out)
}

#[test]
fn a_solicitation_for_the_port_is_answered() {
    let asked = solicitation("fd00::2", "ff02::1:ff00:1", &[1, 1, 2, 0, 0, 0, 0, 2]);
    let answer = nd(&asked).unwrap();
    assert_eq!(answer[..14], hex("020000000002 020000000001 86dd"));
    let packet = IpPacket::parse(&answer).unwrap();
    assert_eq!(packet.src(), "fd00::1".parse::<IpAddr>().unwrap());
    assert_eq!(packet.dst(), "fd00::2".parse::<IpAddr>().unwrap());
    assert_eq!((packet.ttl(), packet.protocol()), (255, 58));
    assert!(packet.transport_checksum_ok() && packet.trailer().is_empty());
    let body = packet.payload();
    assert_eq!(body[4], 0x60, "solicited and override");
    assert_eq!(body[24..], hex("02 01 020000000001"));
}

#[test]
fn a_probe_for_duplicates_is_answered_to_all_nodes() {
    let answer = nd(&solicitation("::", "ff02::1:ff00:1", &[])).unwrap();
    assert_eq!(answer[..6], hex("333300000001"));
    let packet = IpPacket::parse(&answer).unwrap();
    assert_eq!(packet.dst(), "ff02::1".parse::<IpAddr>().unwrap());
    assert_eq!(packet.payload()[4], 0x20, "override without solicited");
    assert!(packet.transport_checksum_ok());
}

#[test]
fn invalid_solicitations_are_not_answered() {
    let good = || solicitation("fd00::2", "ff02::1:ff00:1", &[]);
    assert!(nd(&good()).is_some());
    let mut hop_limit = good();
    hop_limit[21] = 254;
    assert_eq!(nd(&hop_limit), None, "from off the link");
    let mut sum = good();
    sum[56] ^= 1;
    assert_eq!(nd(&sum), None, "a wrong checksum");
    let mut other = good();
    other[54] = 136;
    assert_eq!(nd(&other), None, "another type");
    assert_eq!(nd(&good()[..70]), None, "cut short");
    for options in [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[1, 2, 0, 0, 0, 0, 0, 0], &[1]] {
        assert_eq!(nd(&solicitation("fd00::2", "ff02::1:ff00:1", options)), None, "{options:?}");
    }
    assert_eq!(nd(&solicitation("::", "fd00::1", &[])), None, "a probe that is not multicast");
    let source = [1, 1, 2, 0, 0, 0, 0, 2];
    assert_eq!(nd(&solicitation("::", "ff02::1:ff00:1", &source)), None, "a probe with a source");
}

#[test]
fn what_one_port_solicits_another_one_advertises() {
    let mut other = port();
    other.mac = Mac([2, 0, 0, 0, 0, 2]);
    other.addresses[1].ip = "fd00::2".parse().unwrap();
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    assert!(solicit(&other, "fd00::1".parse().unwrap(), &mut asked));
    assert!(answer_nd(&asked, &port(), &mut answered));
    assert!(advertises(&answered, "fd00::1".parse().unwrap()));
    assert!(!advertises(&answered, "fd00::9".parse().unwrap()), "another address");
    assert!(!advertises(&asked, "fd00::1".parse().unwrap()), "a solicitation");
    answered[60] ^= 1;
    assert!(!advertises(&answered, "fd00::1".parse().unwrap()), "a wrong checksum");
    other.addresses.truncate(1);
    assert!(!solicit(&other, "fd00::1".parse().unwrap(), &mut Vec::new()), "no IPv6 of its own");
}
