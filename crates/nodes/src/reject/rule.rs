//! A REJECT rule, and why a packet is not answered. Plain data; knows no packet.

use wire::PortSet;

/// Whose REJECT rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Linux 6.18, `reject with tcp reset` at INPUT: forty fresh bytes, sixty for IPv6.
    #[default]
    Linux,
    /// Linux 2.6: over IPv4 the trigger's own bytes, edited and cut; over IPv6 fresh ones.
    Linux26,
}

/// Why a packet is not answered. The order is the one in which the reasons are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The frame is for another station.
    OtherStation,
    /// The frame carries a VLAN tag other than a priority tag.
    Vlan,
    /// The frame carries neither IPv4 nor IPv6, or a version that its type does not announce.
    NotIp,
    /// Fewer bytes than the IP header has or its length field claims.
    Truncated,
    /// An IPv4 header length below 20 bytes, or beyond the total length.
    HeaderLength,
    /// The IPv4 header checksum is wrong.
    HeaderChecksum,
    /// A source that nobody may have: group, broadcast, unspecified, loopback, or our own.
    Source,
    /// A destination that is not ours, or not one host's.
    Destination,
    /// IP options or hop-by-hop options that the IP layer refuses.
    Options,
    /// A fragment: it waits for the others, or is not the first.
    Fragment,
    /// An extension header that ends the chain, or runs past the end.
    Chain,
    /// Another protocol than TCP.
    NotTcp,
    /// Fewer bytes than a TCP header.
    Short,
    /// A port that the rule spares.
    Port,
    /// The segment is a reset: no reset answers a reset.
    Rst,
    /// The TCP checksum is wrong, or is made so by what the IP layer wrote into the options.
    Checksum,
    /// No route leads back to the source.
    NoRoute,
    /// The reply would be larger than the MTU.
    Mtu,
}

impl DropReason {
    /// Every reason in order.
    pub const ALL: [Self; 18] = [
        Self::OtherStation,
        Self::Vlan,
        Self::NotIp,
        Self::Truncated,
        Self::HeaderLength,
        Self::HeaderChecksum,
        Self::Source,
        Self::Destination,
        Self::Options,
        Self::Fragment,
        Self::Chain,
        Self::NotTcp,
        Self::Short,
        Self::Port,
        Self::Rst,
        Self::Checksum,
        Self::NoRoute,
        Self::Mtu,
    ];

    /// Its name in counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherStation => "other-station",
            Self::Vlan => "vlan",
            Self::NotIp => "not-ip",
            Self::Truncated => "truncated",
            Self::HeaderLength => "header-length",
            Self::HeaderChecksum => "header-checksum",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Options => "options",
            Self::Fragment => "fragment",
            Self::Chain => "chain",
            Self::NotTcp => "not-tcp",
            Self::Short => "short",
            Self::Port => "port",
            Self::Rst => "rst",
            Self::Checksum => "checksum",
            Self::NoRoute => "no-route",
            Self::Mtu => "mtu",
        }
    }
}

/// A REJECT rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whose.
    pub profile: Profile,
    /// TTL and hop limit of what it sends; the 2.6 profile's IPv4 replies always have 255.
    pub ttl: u8,
    /// The largest IP packet it sends, in bytes. Not held for IPv6, as in the kernel.
    pub mtu: usize,
    /// Destination ports that the rule does not match.
    pub spared: PortSet,
}

impl Rule {
    /// The rule of a profile that spares no port: TTL 64, MTU 1500.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self { profile, ttl: 64, mtu: 1500, spared: PortSet::none() }
    }
}
