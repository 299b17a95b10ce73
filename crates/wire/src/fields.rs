//! The tables: every field of every header that wireproof names, in the order of its bits.
//!
//! Offsets and widths are those of the RFC named at each [`Proto`]; names after Wireshark 4.0.

use crate::field::Form::{Bit, Bytes, Dec, Hex, Ip4, Ip6, Mac, TcpFlags};
use crate::field::{Field, Proto};

#[cfg(test)]
mod tests;

/// Writes one protocol's module: a constant a field, and `ALL` in order.
macro_rules! table {
    ($(#[$doc:meta])* $module:ident, $proto:ident, {
        $($name:ident $key:literal $abbrev:literal $title:literal
            $bit:literal $width:literal $form:ident $($alias:ident)?;)*
    }) => {
        $(#[$doc])*
        pub mod $module {
            use super::*;
            $(
                #[doc = concat!($title, ", `", $abbrev, "`: ", $width, " bits at bit ", $bit, ".")]
                pub static $name: Field = Field {
                    proto: Proto::$proto,
                    key: $key,
                    abbrev: $abbrev,
                    title: $title,
                    bit: $bit,
                    width: $width,
                    form: $form,
                    alias: alias!($($alias)?),
                };
            )*
            /// All fields in order of their bits, a wider alias before its parts.
            pub static ALL: &[&Field] = &[$(&$name),*];
        }
    };
}
macro_rules! alias {
    () => {
        false
    };
    (alias) => {
        true
    };
}

mod links;
mod tunnels;

pub use links::{chdlc, null, radiotap, sll, sll2, wlan, wlan_qos};
pub use tunnels::{ah, gre, hdlc, llc, ppp, pppoe, snap, vxlan};

table! {
    /// Ethernet II.
    eth, Eth, {
    DST "dst" "eth.dst" "Destination" 0 48 Mac;
    SRC "src" "eth.src" "Source" 48 48 Mac;
    TYPE "type" "eth.type" "Type" 96 16 Hex;
}}
table! {
    /// One VLAN tag; its own type stands in the header before it.
    vlan, Vlan, {
    PRIORITY "priority" "vlan.priority" "Priority" 0 3 Dec;
    DEI "dei" "vlan.dei" "Drop Eligible" 3 1 Bit;
    ID "id" "vlan.id" "VLAN ID" 4 12 Dec;
    TYPE "type" "vlan.etype" "Type" 16 16 Hex;
}}
table! {
    /// ARP.
    arp, Arp, {
    HW_TYPE "hw-type" "arp.hw.type" "Hardware Type" 0 16 Dec;
    PROTO_TYPE "proto-type" "arp.proto.type" "Protocol Type" 16 16 Hex;
    HW_SIZE "hw-size" "arp.hw.size" "Hardware Size" 32 8 Dec;
    PROTO_SIZE "proto-size" "arp.proto.size" "Protocol Size" 40 8 Dec;
    OPCODE "opcode" "arp.opcode" "Opcode" 48 16 Dec;
    SENDER_MAC "sender-mac" "arp.src.hw_mac" "Sender MAC" 64 48 Mac;
    SENDER_IP "sender-ip" "arp.src.proto_ipv4" "Sender IP" 112 32 Ip4;
    TARGET_MAC "target-mac" "arp.dst.hw_mac" "Target MAC" 144 48 Mac;
    TARGET_IP "target-ip" "arp.dst.proto_ipv4" "Target IP" 192 32 Ip4;
}}
table! {
    /// IPv4.
    ip4, Ip4, {
    VERSION "version" "ip.version" "Version" 0 4 Dec;
    IHL "ihl" "ip.hdr_len" "Header Length (words)" 4 4 Dec;
    TOS "tos" "ip.dsfield" "Differentiated Services" 8 8 Hex alias;
    DSCP "dscp" "ip.dsfield.dscp" "DSCP" 8 6 Dec;
    ECN "ecn" "ip.dsfield.ecn" "ECN" 14 2 Dec;
    TOTAL_LENGTH "total-length" "ip.len" "Total Length" 16 16 Dec;
    ID "id" "ip.id" "Identification" 32 16 Hex;
    FLAGS "flags" "ip.flags" "Flags" 48 3 Hex alias;
    RESERVED "reserved" "ip.flags.rb" "Reserved Bit" 48 1 Bit;
    DF "df" "ip.flags.df" "Don't Fragment" 49 1 Bit;
    MF "mf" "ip.flags.mf" "More Fragments" 50 1 Bit;
    FRAGMENT_OFFSET "fragment-offset" "ip.frag_offset" "Fragment Offset (8 bytes)" 51 13 Dec;
    TTL "ttl" "ip.ttl" "Time to Live" 64 8 Dec;
    PROTOCOL "protocol" "ip.proto" "Protocol" 72 8 Dec;
    CHECKSUM "checksum" "ip.checksum" "Header Checksum" 80 16 Hex;
    SRC "src" "ip.src" "Source Address" 96 32 Ip4;
    DST "dst" "ip.dst" "Destination Address" 128 32 Ip4;
    OPTIONS "options" "ip.options" "Options" 160 0 Bytes;
}}
table! {
    /// IPv6 fixed header.
    ip6, Ip6, {
    VERSION "version" "ipv6.version" "Version" 0 4 Dec;
    TRAFFIC_CLASS "traffic-class" "ipv6.tclass" "Traffic Class" 4 8 Hex alias;
    DSCP "dscp" "ipv6.tclass.dscp" "DSCP" 4 6 Dec;
    ECN "ecn" "ipv6.tclass.ecn" "ECN" 10 2 Dec;
    FLOW_LABEL "flow-label" "ipv6.flow" "Flow Label" 12 20 Hex;
    PAYLOAD_LENGTH "payload-length" "ipv6.plen" "Payload Length" 32 16 Dec;
    NEXT_HEADER "next-header" "ipv6.nxt" "Next Header" 48 8 Dec;
    HOP_LIMIT "hop-limit" "ipv6.hlim" "Hop Limit" 56 8 Dec;
    SRC "src" "ipv6.src" "Source Address" 64 128 Ip6;
    DST "dst" "ipv6.dst" "Destination Address" 192 128 Ip6;
}}
table! {
    /// IPv6 Hop-by-Hop Options.
    hop_by_hop, HopByHop, {
    NEXT_HEADER "next-header" "ipv6.hopopts.nxt" "Next Header" 0 8 Dec;
    LENGTH "length" "ipv6.hopopts.len" "Length (8 bytes, less 1)" 8 8 Dec;
    OPTIONS "options" "ipv6.opt" "Options" 16 0 Bytes;
}}
table! {
    /// IPv6 Routing header.
    routing, Routing, {
    NEXT_HEADER "next-header" "ipv6.routing.nxt" "Next Header" 0 8 Dec;
    LENGTH "length" "ipv6.routing.len" "Length (8 bytes, less 1)" 8 8 Dec;
    TYPE "type" "ipv6.routing.type" "Routing Type" 16 8 Dec;
    SEGMENTS_LEFT "segments-left" "ipv6.routing.segleft" "Segments Left" 24 8 Dec;
    DATA "data" "ipv6.routing.unknown.data" "Type-specific Data" 32 0 Bytes;
}}
table! {
    /// IPv6 Fragment header.
    fragment, Fragment, {
    NEXT_HEADER "next-header" "ipv6.fraghdr.nxt" "Next Header" 0 8 Dec;
    RESERVED "reserved" "ipv6.fraghdr.reserved_octet" "Reserved Octet" 8 8 Hex;
    OFFSET "offset" "ipv6.fraghdr.offset" "Fragment Offset (8 bytes)" 16 13 Dec;
    RESERVED_BITS "reserved-bits" "ipv6.fraghdr.reserved_bits" "Reserved Bits" 29 2 Hex;
    MORE "more" "ipv6.fraghdr.more" "More Fragments" 31 1 Bit;
    ID "id" "ipv6.fraghdr.ident" "Identification" 32 32 Hex;
}}
table! {
    /// IPv6 Destination Options.
    dest_opts, DestOpts, {
    NEXT_HEADER "next-header" "ipv6.dstopts.nxt" "Next Header" 0 8 Dec;
    LENGTH "length" "ipv6.dstopts.len" "Length (8 bytes, less 1)" 8 8 Dec;
    OPTIONS "options" "ipv6.opt" "Options" 16 0 Bytes;
}}
table! {
    /// TCP.
    tcp, Tcp, {
    SRC "src" "tcp.srcport" "Source Port" 0 16 Dec;
    DST "dst" "tcp.dstport" "Destination Port" 16 16 Dec;
    SEQ "seq" "tcp.seq_raw" "Sequence Number" 32 32 Dec;
    ACK "ack" "tcp.ack_raw" "Acknowledgment Number" 64 32 Dec;
    DATA_OFFSET "data-offset" "tcp.hdr_len" "Data Offset (words)" 96 4 Dec;
    RESERVED "reserved" "tcp.flags.res" "Reserved Bits" 100 3 Hex;
    FLAGS "flags" "tcp.flags" "Flags" 103 9 TcpFlags;
    WINDOW "window" "tcp.window_size_value" "Window" 112 16 Dec;
    CHECKSUM "checksum" "tcp.checksum" "Checksum" 128 16 Hex;
    URGENT "urgent" "tcp.urgent_pointer" "Urgent Pointer" 144 16 Dec;
    OPTIONS "options" "tcp.options" "Options" 160 0 Bytes;
}}
table! {
    /// UDP.
    udp, Udp, {
    SRC "src" "udp.srcport" "Source Port" 0 16 Dec;
    DST "dst" "udp.dstport" "Destination Port" 16 16 Dec;
    LENGTH "length" "udp.length" "Length" 32 16 Dec;
    CHECKSUM "checksum" "udp.checksum" "Checksum" 48 16 Hex;
}}
table! {
    /// ICMP for IPv4; the four bytes after the checksum by every name that a type gives them.
    icmp4, Icmp4, {
    TYPE "type" "icmp.type" "Type" 0 8 Dec;
    CODE "code" "icmp.code" "Code" 8 8 Dec;
    CHECKSUM "checksum" "icmp.checksum" "Checksum" 16 16 Hex;
    REST "rest" "icmp.rest" "Rest of Header" 32 32 Hex;
    ID "id" "icmp.ident" "Identifier" 32 16 Dec alias;
    SEQ "seq" "icmp.seq" "Sequence Number" 48 16 Dec alias;
    MTU "mtu" "icmp.mtu" "Next-Hop MTU" 48 16 Dec alias;
    POINTER "pointer" "icmp.pointer" "Pointer" 32 8 Dec alias;
    GATEWAY "gateway" "icmp.redir_gw" "Gateway Address" 32 32 Ip4 alias;
}}
table! {
    /// ICMPv6; the four bytes after the checksum by every name that a type gives them.
    icmp6, Icmp6, {
    TYPE "type" "icmpv6.type" "Type" 0 8 Dec;
    CODE "code" "icmpv6.code" "Code" 8 8 Dec;
    CHECKSUM "checksum" "icmpv6.checksum" "Checksum" 16 16 Hex;
    REST "rest" "icmpv6.rest" "Rest of Header" 32 32 Hex;
    ID "id" "icmpv6.echo.identifier" "Identifier" 32 16 Dec alias;
    SEQ "seq" "icmpv6.echo.sequence_number" "Sequence Number" 48 16 Dec alias;
    MTU "mtu" "icmpv6.mtu" "MTU" 32 32 Dec alias;
    POINTER "pointer" "icmpv6.pointer" "Pointer" 32 32 Dec alias;
}}
table! {
    /// What no header claims.
    payload, Payload, {
    DATA "data" "data.data" "Data" 0 0 Bytes;
}}

impl Proto {
    /// Every protocol, in the order of layers in an ordinary frame.
    pub const ALL: [Self; 29] = [
        Self::Eth,
        Self::Vlan,
        Self::Arp,
        Self::Ip4,
        Self::Ip6,
        Self::HopByHop,
        Self::Routing,
        Self::Fragment,
        Self::DestOpts,
        Self::Tcp,
        Self::Udp,
        Self::Icmp4,
        Self::Icmp6,
        Self::Llc,
        Self::Snap,
        Self::Ah,
        Self::Gre,
        Self::Vxlan,
        Self::Pppoe,
        Self::Hdlc,
        Self::Ppp,
        Self::Null,
        Self::Sll,
        Self::Sll2,
        Self::Chdlc,
        Self::Radiotap,
        Self::Wlan,
        Self::WlanQos,
        Self::Payload,
    ];

    /// Those that the builder builds, and so the layers that a scenario may name.
    pub const SENDABLE: [Self; 14] = [
        Self::Eth,
        Self::Vlan,
        Self::Arp,
        Self::Ip4,
        Self::Ip6,
        Self::HopByHop,
        Self::Routing,
        Self::Fragment,
        Self::DestOpts,
        Self::Tcp,
        Self::Udp,
        Self::Icmp4,
        Self::Icmp6,
        Self::Payload,
    ];

    /// The builder builds it, so a scenario may name it; the others are only shown.
    #[must_use]
    pub fn is_sendable(self) -> bool {
        Self::SENDABLE.contains(&self)
    }

    /// Its name, in scenario files too: `ip4`, `hop-by-hop`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Eth => "eth",
            Self::Vlan => "vlan",
            Self::Arp => "arp",
            Self::Ip4 => "ip4",
            Self::Ip6 => "ip6",
            Self::HopByHop => "hop-by-hop",
            Self::Routing => "routing",
            Self::Fragment => "fragment-header",
            Self::DestOpts => "dest-opts",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp4 => "icmp4",
            Self::Icmp6 => "icmp6",
            Self::Llc => "llc",
            Self::Snap => "snap",
            Self::Ah => "ah",
            Self::Gre => "gre",
            Self::Vxlan => "vxlan",
            Self::Pppoe => "pppoe",
            Self::Hdlc => "hdlc",
            Self::Ppp => "ppp",
            Self::Null => "null",
            Self::Sll => "sll",
            Self::Sll2 => "sll2",
            Self::Chdlc => "chdlc",
            Self::Radiotap => "radiotap",
            Self::Wlan => "wlan",
            Self::WlanQos => "wlan-qos",
            Self::Payload => "payload",
        }
    }

    /// Its name in a report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Eth => "Ethernet II",
            Self::Vlan => "802.1Q Virtual LAN",
            Self::Arp => "Address Resolution Protocol",
            Self::Ip4 => "Internet Protocol Version 4",
            Self::Ip6 => "Internet Protocol Version 6",
            Self::HopByHop => "IPv6 Hop-by-Hop Options",
            Self::Routing => "IPv6 Routing Header",
            Self::Fragment => "IPv6 Fragment Header",
            Self::DestOpts => "IPv6 Destination Options",
            Self::Tcp => "Transmission Control Protocol",
            Self::Udp => "User Datagram Protocol",
            Self::Icmp4 => "Internet Control Message Protocol",
            Self::Icmp6 => "Internet Control Message Protocol v6",
            Self::Llc => "Logical Link Control",
            Self::Snap => "Subnetwork Access Protocol",
            Self::Ah => "Authentication Header",
            Self::Gre => "Generic Routing Encapsulation",
            Self::Vxlan => "Virtual eXtensible Local Area Network",
            Self::Pppoe => "PPP over Ethernet",
            Self::Hdlc => "HDLC-like Framing",
            Self::Ppp => "Point-to-Point Protocol",
            Self::Null => "BSD Loopback",
            Self::Sll => "Linux Cooked Capture",
            Self::Sll2 => "Linux Cooked Capture Version 2",
            Self::Chdlc => "Cisco HDLC",
            Self::Radiotap => "Radiotap",
            Self::Wlan => "IEEE 802.11",
            Self::WlanQos => "IEEE 802.11 QoS and HT Control",
            Self::Payload => "Data",
        }
    }

    /// The protocol of that name; a scenario takes it where [`Proto::is_sendable`].
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proto| proto.key() == key)
    }

    /// Its fields in order of their bits.
    #[must_use]
    pub const fn fields(self) -> &'static [&'static Field] {
        match self {
            Self::Eth => eth::ALL,
            Self::Vlan => vlan::ALL,
            Self::Arp => arp::ALL,
            Self::Ip4 => ip4::ALL,
            Self::Ip6 => ip6::ALL,
            Self::HopByHop => hop_by_hop::ALL,
            Self::Routing => routing::ALL,
            Self::Fragment => fragment::ALL,
            Self::DestOpts => dest_opts::ALL,
            Self::Tcp => tcp::ALL,
            Self::Udp => udp::ALL,
            Self::Icmp4 => icmp4::ALL,
            Self::Icmp6 => icmp6::ALL,
            Self::Llc => llc::ALL,
            Self::Snap => snap::ALL,
            Self::Ah => ah::ALL,
            Self::Gre => gre::ALL,
            Self::Vxlan => vxlan::ALL,
            Self::Pppoe => pppoe::ALL,
            Self::Hdlc => hdlc::ALL,
            Self::Ppp => ppp::ALL,
            Self::Null => null::ALL,
            Self::Sll => sll::ALL,
            Self::Sll2 => sll2::ALL,
            Self::Chdlc => chdlc::ALL,
            Self::Radiotap => radiotap::ALL,
            Self::Wlan => wlan::ALL,
            Self::WlanQos => wlan_qos::ALL,
            Self::Payload => payload::ALL,
        }
    }

    /// Its field of that name in scenario files.
    #[must_use]
    pub fn field(self, key: &str) -> Option<&'static Field> {
        self.fields().iter().copied().find(|field| field.key == key)
    }
}

/// The field that a path names, `tcp.seq`.
#[must_use]
pub fn by_path(path: &str) -> Option<&'static Field> {
    let (proto, key) = path.split_once('.')?;
    Proto::from_key(proto)?.field(key)
}
