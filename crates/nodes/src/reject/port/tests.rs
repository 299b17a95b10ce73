//! Which frames, sources and destinations are a port's, with the neighbours of each border.

use super::*;
use link::Address;
use wire::Mac;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
const BESIDE: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn host(anywhere: bool, addresses: &[(&str, u8)]) -> Port {
    let address = |&(ip, prefix): &(&str, u8)| Address { ip: ip.parse().unwrap(), prefix };
    let config = PortConfig {
        name: "eth0".into(),
        mac: Mac(MAC),
        addresses: addresses.iter().map(address).collect(),
        peer: testing::peer(9, &["10.0.0.1"]),
        mtu: None,
    };
    Port::new(&config, anywhere)
}

/// 10.0.0.2/24 and fd00::2/64 without a default route.
fn near() -> Port {
    host(false, &[("10.0.0.2", 24), ("fd00::2", 64)])
}

fn bridge() -> Port {
    host(false, &[])
}

fn ip4(text: &str) -> [u8; 4] {
    text.parse::<std::net::Ipv4Addr>().unwrap().octets()
}

fn ip6(text: &str) -> [u8; 16] {
    text.parse::<std::net::Ipv6Addr>().unwrap().octets()
}

/// A frame of one byte behind these bytes.
fn frame(dst: [u8; 6], kind: &[u8]) -> Vec<u8> {
    [&dst[..], &BESIDE, kind, &[0x45]].concat()
}

fn from() -> Ethernet {
    Ethernet { dst: MAC, src: BESIDE, link: LinkHeader { ethertype: 0x0800, len: 14 } }
}

#[test]
fn frames_to_the_station_and_to_groups_are_for_this_port() {
    let context = |port: &Port, dst| port.ethernet(&frame(dst, &[8, 0]));
    let read = |dst| Ok(Ethernet { dst, ..from() });
    for dst in [MAC, BROADCAST, [0x01, 0, 0x5e, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 1]] {
        assert_eq!(context(&near(), dst), read(dst), "{dst:02x?}");
    }
    for at in 0..6 {
        let mut other = MAC;
        other[at] ^= 0x80;
        assert_eq!(context(&near(), other), Err(DropReason::OtherStation), "{other:02x?}");
        assert_eq!(context(&bridge(), other), read(other), "a bridge has every station behind it");
    }
}

#[test]
fn priority_tags_are_taken_off_and_other_vlans_are_not_for_this_port() {
    let context = |kind: &[u8]| near().ethernet(&frame(MAC, kind));
    let tagged = |len| Ok(Ethernet { link: LinkHeader { ethertype: 0x0800, len }, ..from() });
    assert_eq!(context(&[0x81, 0, 0xe0, 0, 8, 0]), tagged(18));
    assert_eq!(context(&[0x88, 0xa8, 0xf0, 0, 0x81, 0, 0, 0, 8, 0]), tagged(22));
    assert_eq!(context(&[0x81, 0, 0, 1, 8, 0]), Err(DropReason::Vlan));
    assert_eq!(context(&[0x81, 0, 1, 0, 8, 0]), Err(DropReason::Vlan));
    assert_eq!(near().ethernet(&frame(MAC, &[8])[..13]), Err(DropReason::Truncated));
    assert_eq!(context(&[0x81, 0, 0, 0]), Err(DropReason::Truncated));
    assert_eq!(context(&[0x81, 0, 0, 0, 0x88, 0xa8, 0]), Err(DropReason::Truncated));
    // The tag of older bridges is none to a host, whatever stands in it or is missing of it.
    assert_eq!(context(&[0x91, 0, 0, 0, 8, 0]), Err(DropReason::NotIp));
    assert_eq!(context(&[0x81, 0, 0, 0, 0x91, 0, 0, 1, 8, 0]), Err(DropReason::NotIp));
    assert_eq!(context(&[0x81, 0, 0, 0, 0x91, 0]), Err(DropReason::NotIp));
    assert_eq!(context(&[0x81, 0, 0, 1, 0x91, 0]), Err(DropReason::Vlan));
}

#[test]
fn a_source_that_nobody_has_is_refused() {
    let context = |src| near().accepts4(ip4(src), ip4("10.0.0.2"));
    for src in ["0.0.0.0", "127.0.0.0", "127.255.255.255", "224.0.0.0", "239.255.255.255"] {
        assert_eq!(context(src), Err(DropReason::Source), "{src}");
        assert_eq!(bridge().accepts4(ip4("10.0.0.1"), ip4(src)), Err(DropReason::Destination));
    }
    assert_eq!(context("255.255.255.255"), Err(DropReason::Source));
    assert_eq!(context("10.0.0.2"), Err(DropReason::Source), "its own");
    let may_be = ["0.0.0.1", "16.0.0.1", "126.255.255.255", "128.0.0.0", "223.255.255.255"];
    for src in may_be.into_iter().chain(["240.0.0.0", "255.255.255.254", "10.0.0.255"]) {
        assert_eq!(context(src), Ok(()), "{src}");
        assert_eq!(bridge().accepts4(ip4("10.0.0.1"), ip4(src)), Ok(()), "{src}");
    }
}

#[test]
fn a_destination_is_one_of_its_own() {
    let context = |dst| near().accepts4(ip4("10.0.0.1"), ip4(dst));
    assert_eq!(context("10.0.0.2"), Ok(()));
    for dst in ["10.0.0.3", "10.0.0.255", "255.255.255.255", "224.0.0.1", "127.0.0.1", "0.0.0.0"] {
        assert_eq!(context(dst), Err(DropReason::Destination), "{dst}");
    }
}

#[test]
fn an_address_is_local_that_is_own_a_broadcast_or_a_loopback() {
    let local = |ip| near().is_local4(ip4(ip));
    for ip in ["10.0.0.2", "10.0.0.255", "255.255.255.255", "127.9.9.9"] {
        assert!(local(ip), "{ip}");
    }
    for ip in ["10.0.0.1", "10.0.0.3", "10.0.0.254", "10.0.1.255", "192.0.2.1"] {
        assert!(!local(ip), "{ip}");
    }
    // RFC 3021: a point-to-point link has no broadcast address.
    let local = |prefix| host(false, &[("10.0.0.2", prefix)]).is_local4(ip4("10.0.0.3"));
    assert!(local(30) && !local(31) && !local(32));
}

#[test]
fn an_ip6_source_that_nobody_has_is_refused() {
    let context = |src| near().accepts6(ip6(src), ip6("fd00::2"));
    let nobody = ["::", "::1", "ff02::1", "ff00::", "ffff::1", "::ffff:10.0.0.1", "::ffff:0:0"];
    for src in nobody {
        assert_eq!(context(src), Err(DropReason::Source), "{src}");
    }
    for own in ["fd00::2", "fe80::ff:fe00:2"] {
        assert_eq!(context(own), Err(DropReason::Source), "{own}");
        assert_eq!(near().accepts6(ip6("fd00::1"), ip6(own)), Ok(()), "{own}");
    }
    let may_be =
        ["::2", "::fffe:10.0.0.1", "::1:ffff:10.0.0.1", "feff::1", "fd00::1", "2001:db8::1"];
    for src in may_be {
        assert_eq!(context(src), Ok(()), "{src}");
        assert_eq!(
            near().accepts6(ip6("fd00::1"), ip6(src)),
            Err(DropReason::Destination),
            "{src}"
        );
        assert_eq!(bridge().accepts6(ip6("fd00::1"), ip6(src)), Ok(()), "{src}");
    }
    for dst in ["::", "::1", "ff02::1"] {
        assert_eq!(bridge().accepts6(ip6("fd00::1"), ip6(dst)), Err(DropReason::Destination));
    }
    let only4 = host(false, &[("10.0.0.2", 24)]);
    let link_local = only4.accepts6(ip6("fd00::1"), ip6("fe80::ff:fe00:2"));
    assert_eq!(link_local, Err(DropReason::Destination), "without IPv6 there is no such address");
}

#[test]
fn a_reply_goes_where_a_route_leads() {
    let route = |port: &Port, to| port.route4(ip4(to), &from());
    assert_eq!(route(&near(), "10.0.0.1"), Ok(PEER), "the peer's own station");
    assert_eq!(route(&near(), "10.0.0.0"), Ok(BESIDE), "an ordinary host");
    assert_eq!(route(&near(), "10.0.0.254"), Ok(BESIDE));
    assert_eq!(route(&near(), "10.0.0.255"), Ok(BROADCAST));
    let point_to_point = host(false, &[("10.0.0.2", 31)]);
    assert_eq!(route(&point_to_point, "10.0.0.3"), Ok(BESIDE));
    for port in [host(true, &[("10.0.0.2", 24), ("fd00::2", 64)]), bridge()] {
        assert_eq!(route(&port, "10.0.1.1"), Ok(BESIDE));
        assert_eq!(port.route6(ip6("fd01::1"), &from()), Ok(BESIDE));
    }
    assert_eq!(route(&near(), "10.0.1.1"), Err(DropReason::NoRoute));
    assert_eq!(near().route6(ip6("fd01::1"), &from()), Err(DropReason::NoRoute));
    assert_eq!(near().route6(ip6("fd00::ffff:0:0:1"), &from()), Ok(BESIDE));
    assert_eq!(near().route6(ip6("fe80::1"), &from()), Ok(BESIDE));
    assert_eq!(near().station(&Ethernet { dst: BROADCAST, ..from() }), MAC);
    assert_eq!(bridge().station(&Ethernet { dst: PEER, ..from() }), PEER);
}
