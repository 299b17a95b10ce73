//! IP addresses with their subnets, and what kinds of address there are. Knows no host, no route
//! and no packet.
//!
//! The kinds are asked of an address as a packet holds it: four bytes or sixteen in network order.
//! A slice of another length is of no kind.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// An address with the length of its subnet's prefix: `10.0.0.2/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Bits of the subnet's prefix.
    pub prefix: u8,
}

impl Address {
    /// With the prefix that holds where none is written: 24 bits, and 64 of IPv6.
    #[must_use]
    pub const fn new(ip: IpAddr) -> Self {
        Self { ip, prefix: if ip.is_ipv4() { 24 } else { 64 } }
    }

    /// The most bits that a prefix of this family has.
    #[must_use]
    pub const fn most_prefix(ip: IpAddr) -> u8 {
        if ip.is_ipv4() { 32 } else { 128 }
    }

    /// Its subnet has this address.
    #[must_use]
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => {
                (u32::from(own) ^ u32::from(ip)) & mask4(self.prefix) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(ip)) => {
                (u128::from(own) ^ u128::from(ip)) & mask6(self.prefix) == 0
            }
            _ => false,
        }
    }

    /// The broadcast address of its subnet, RFC 919 7; a subnet of two addresses or one has none
    /// (RFC 3021), and IPv6 has none at all.
    #[must_use]
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.ip {
            IpAddr::V4(ip) if self.prefix <= 30 => {
                Some(Ipv4Addr::from(u32::from(ip) | !mask4(self.prefix)))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

/// What is wrong with the text of an [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No IP address stands before the prefix.
    #[error("no IP address, such as 10.0.0.1, 10.0.0.1/24 or fd00::1/64")]
    Ip,
    /// The prefix is no number, or has more bits than the family.
    #[error("no prefix length, a number from 0 to {0}")]
    Prefix(u8),
}

/// `10.0.0.1`, `10.0.0.1/24`, `fd00::1`, `fd00::1/64`.
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (ip, prefix) = match text.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix)),
            None => (text, None),
        };
        let ip = ip.parse().map_err(|_| AddressError::Ip)?;
        let Some(prefix) = prefix else { return Ok(Self::new(ip)) };
        let most = Self::most_prefix(ip);
        match prefix.parse() {
            Ok(prefix) if prefix <= most => Ok(Self { ip, prefix }),
            _ => Err(AddressError::Prefix(most)),
        }
    }
}

/// The bits of an IPv4 address that a prefix covers.
#[must_use]
pub const fn mask4(prefix: u8) -> u32 {
    match prefix {
        0 => 0,
        1..32 => u32::MAX << (32 - prefix),
        _ => u32::MAX,
    }
}

/// The bits of an IPv6 address that a prefix covers.
#[must_use]
pub const fn mask6(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        1..128 => u128::MAX << (128 - prefix),
        _ => u128::MAX,
    }
}

/// Multicast, or IPv4's limited broadcast: a destination and never a source.
#[must_use]
#[inline]
pub fn is_group(address: &[u8]) -> bool {
    match address {
        [a, b, c, d] => a & 0xf0 == 0xe0 || [a, b, c, d] == [&0xff; 4],
        [first, ..] => address.len() == 16 && *first == 0xff,
        [] => false,
    }
}

/// Stands for a host that has no address yet, RFC 1122 3.2.1.3 (a), RFC 4291 2.5.2.
#[must_use]
#[inline]
pub fn is_unspecified(address: &[u8]) -> bool {
    matches!(address.len(), 4 | 16) && address.iter().all(|byte| *byte == 0)
}

/// Never leaves its host, RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3.
#[must_use]
#[inline]
pub fn is_loopback(address: &[u8]) -> bool {
    match address.len() {
        4 => address[0] == 127,
        16 => address[..15].iter().all(|byte| *byte == 0) && address[15] == 1,
        _ => false,
    }
}

/// Loopback or class E: no address that may leave a host.
#[must_use]
#[inline]
pub fn is_confined(address: &[u8]) -> bool {
    is_loopback(address) || (address.len() == 4 && address[0] >= 0xf0)
}

/// An address that one host can have: neither unspecified nor loopback nor a group.
#[must_use]
#[inline]
pub fn is_host(address: &[u8]) -> bool {
    matches!(address.len(), 4 | 16)
        && !(is_unspecified(address) || is_loopback(address) || is_group(address))
}

/// The address is this one.
#[must_use]
#[inline]
pub fn same(ip: IpAddr, address: &[u8]) -> bool {
    match ip {
        IpAddr::V4(ip) => address == ip.octets(),
        IpAddr::V6(ip) => address == ip.octets(),
    }
}

/// An address of four bytes or sixteen.
#[must_use]
pub fn from_octets(address: &[u8]) -> Option<IpAddr> {
    let four = || <[u8; 4]>::try_from(address).ok().map(IpAddr::from);
    four().or_else(|| <[u8; 16]>::try_from(address).ok().map(IpAddr::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for (text, same) in [
            ("10.0.0.1", "10.0.0.1/24"),
            ("fd00::1", "fd00::1/64"),
            ("10.0.0.1/0", "10.0.0.1/0"),
            ("10.0.0.1/32", "10.0.0.1/32"),
            ("fd00::1/128", "fd00::1/128"),
        ] {
            assert_eq!(read(text).to_string(), same);
            assert_eq!(read(same), read(text));
        }
        for (text, error) in [
            ("", AddressError::Ip),
            ("10.0.0", AddressError::Ip),
            ("10.0.0.1/33", AddressError::Prefix(32)),
            ("10.0.0.1/", AddressError::Prefix(32)),
            ("10.0.0.1/24/1", AddressError::Prefix(32)),
            ("fd00::1/129", AddressError::Prefix(128)),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_subnet_has_its_addresses_and_no_others() {
        for (own, other, is) in [
            ("10.0.0.2/24", "10.0.0.77", true),
            ("10.0.0.2/24", "10.0.1.2", false),
            ("10.0.0.2/25", "10.0.0.128", false),
            ("10.0.0.2/32", "10.0.0.2", true),
            ("10.0.0.2/32", "10.0.0.3", false),
            ("10.0.0.2/31", "10.0.0.3", true),
            ("10.0.0.2/0", "192.0.2.1", true),
            ("10.0.0.2/24", "fd00::2", false),
            ("fd00::2/64", "fd00::ffff", true),
            ("fd00::2/64", "fd00:0:0:1::2", false),
            ("fd00::2/0", "2001:db8::1", true),
            ("fd00::2/128", "fd00::3", false),
            ("fd00::2/1", "2001:db8::1", false),
            ("fd00::2/127", "fd00::3", true),
            ("::a00:2/0", "10.0.0.2", false),
        ] {
            assert_eq!(read(own).contains(other.parse().unwrap()), is, "{own} {other}");
        }
        for ip in ["10.0.0.2", "fd00::2"].map(|ip| ip.parse::<IpAddr>().unwrap()) {
            let past_the_end = Address { ip, prefix: 255 };
            assert!(past_the_end.contains(ip) && past_the_end.broadcast().is_none());
        }
    }

    #[test]
    fn the_broadcast_address_is_the_last_of_a_subnet_that_has_one() {
        for (own, broadcast) in [
            ("10.0.0.2/24", Some("10.0.0.255")),
            ("10.0.0.2/30", Some("10.0.0.3")),
            ("10.0.0.2/31", None),
            ("10.0.0.2/32", None),
            ("10.0.0.2/0", Some("255.255.255.255")),
            ("fd00::2/64", None),
        ] {
            let broadcast = broadcast.map(|ip| ip.parse().unwrap());
            assert_eq!(read(own).broadcast(), broadcast, "{own}");
        }
    }

    #[test]
    fn each_address_is_of_its_kinds() {
        // Group, unspecified, loopback, confined, one host's.
        for (text, kinds) in [
            ("0.0.0.0", [false, true, false, false, false]),
            ("0.0.0.1", [false, false, false, false, true]),
            ("10.0.0.1", [false, false, false, false, true]),
            ("126.255.255.255", [false, false, false, false, true]),
            ("127.0.0.1", [false, false, true, true, false]),
            ("127.255.255.255", [false, false, true, true, false]),
            ("128.0.0.0", [false, false, false, false, true]),
            ("223.255.255.255", [false, false, false, false, true]),
            ("224.0.0.1", [true, false, false, false, false]),
            ("239.255.255.255", [true, false, false, false, false]),
            ("240.0.0.0", [false, false, false, true, true]),
            ("255.255.255.254", [false, false, false, true, true]),
            ("255.255.255.255", [true, false, false, true, false]),
            ("::", [false, true, false, false, false]),
            ("::1", [false, false, true, true, false]),
            ("::2", [false, false, false, false, true]),
            ("fe80::1", [false, false, false, false, true]),
            ("feff::", [false, false, false, false, true]),
            ("ff02::1", [true, false, false, false, false]),
        ] {
            let ip: IpAddr = text.parse().unwrap();
            let octets = match ip {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            let asked = [is_group, is_unspecified, is_loopback, is_confined, is_host];
            assert_eq!(asked.map(|is| is(&octets)), kinds, "{text}");
            assert!(same(ip, &octets) && from_octets(&octets) == Some(ip));
        }
        for odd in [&[][..], &[0; 3], &[0; 5], &[0xff; 15], &[0; 17]] {
            let asked = [is_group, is_unspecified, is_loopback, is_confined, is_host];
            assert_eq!(asked.map(|is| is(odd)), [false; 5], "{odd:?}");
            assert_eq!(from_octets(odd), None);
        }
    }
}
