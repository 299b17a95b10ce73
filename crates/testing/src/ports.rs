//! Ports as most tests have them: host N is 02:00:00:00:00:0N. Knows no node.

use std::collections::BTreeMap;

use link::{Address, Datum, Peer, PortConfig};
use wire::Mac;

/// The Ethernet address of host N.
#[must_use]
pub const fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// An address with the prefix that a scenario gives it: 24 or 64.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn address(ip: &str) -> Address {
    Address::new(ip.parse().unwrap_or_else(|error| panic!("{ip}: {error}")))
}

/// The addresses of both families of host N: 10.0.0.N and fd00::N.
#[must_use]
pub fn both(last: u8) -> [String; 2] {
    [format!("10.0.0.{last}"), format!("fd00::{last:x}")]
}

fn addresses(ips: &[impl AsRef<str>]) -> Vec<Address> {
    ips.iter().map(|ip| address(ip.as_ref())).collect()
}

/// The addresses of a port that has none.
pub const NO_ADDRESS: [&str; 0] = [];

/// The port `eth0` of host N with these addresses, without a peer and an MTU.
#[must_use]
pub fn port(last: u8, ips: &[impl AsRef<str>]) -> PortConfig {
    let (name, addresses) = ("eth0".to_owned(), addresses(ips));
    PortConfig { name, mac: mac(last), addresses, peer: None, mtu: None }
}

/// Host N at the other end of a link.
#[must_use]
pub fn peer(last: u8, ips: &[impl AsRef<str>]) -> Option<Peer> {
    Some(Peer { mac: mac(last), addresses: addresses(ips) })
}

/// Options of a node, each a text.
#[must_use]
pub fn texts(options: &[(&str, &str)]) -> BTreeMap<String, Datum> {
    let text = |value: &str| Datum::Text(value.to_owned());
    options.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

/// Bytes written as hex digits, with blanks between them where that reads better.
///
/// # Panics
/// When something else is among them.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    wire::hex::decode(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Bytes as hex digits, which [`hex`] reads.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    wire::Hex(bytes).to_string()
}

#[test]
fn a_port_of_both_families() {
    let port = PortConfig { peer: peer(1, &["10.0.0.1"]), ..port(2, &both(2)) };
    assert_eq!(port.addresses, [address("10.0.0.2"), address("fd00::2")]);
    assert_eq!([port.addresses[0].prefix, port.addresses[1].prefix], [24, 64]);
    assert_eq!((port.mac, port.peer.expect("a peer").mac), (mac(2), mac(1)));
    assert_eq!(digits(&hex("0a 0000\n02")), "0a000002");
}
