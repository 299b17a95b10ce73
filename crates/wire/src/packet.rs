//! A custom packet as asked for: a stack of layers in which every field may be given, also wrongly.
//! Knows what was asked; [`mod@crate::build`] turns it into bytes, with a node's [`Defaults`].

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Mac;
use crate::field::{Field, Form, Proto, Value, ValueError};

mod plain;
#[cfg(test)]
mod tests;

/// A custom packet: layers from the outside in, then what is done to the finished bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packet {
    /// The layers from the outside in. Ethernet and IP are put in front where they are left out
    /// and a layer that needs them is given.
    pub layers: Vec<Layer>,
    /// The whole frame, verbatim; nothing else is looked at then but `pad` and `truncate`.
    pub raw: Option<Vec<u8>>,
    /// Split the outermost IP payload into fragments that carry at most this many bytes each, 8 at
    /// least. All but the last carry a multiple of 8, since offsets count in eights; a datagram
    /// that fits stays whole. Identification is the one given, else 0.
    pub fragment: Option<u16>,
    /// Add zero bytes at the end until the frame, or each fragment, has this length.
    pub pad: Option<usize>,
    /// Cut the frame, or each fragment, to this length.
    pub truncate: Option<usize>,
}

/// One layer: the fields that were given; the rest is computed or takes the node's default.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its protocol.
    pub proto: Proto,
    /// The fields given, each once, in any order.
    pub set: Vec<(&'static Field, Value)>,
    /// TCP options by name, in order; `None` where none were given.
    pub tcp_options: Option<Vec<TcpOption>>,
    /// The packet that an ICMP error quotes: its layers from IP down, cut by its own `truncate`.
    /// The peer is taken to have sent it, so its addresses default the other way round.
    pub quote: Option<Box<Packet>>,
}

/// One TCP option by name, RFC 9293 3.1 and the RFCs named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// Kind 0, end of option list.
    EndOfList,
    /// Kind 1.
    Nop,
    /// Kind 2, RFC 9293 3.7.1.
    Mss(u16),
    /// Kind 3, RFC 7323 2.2; a right shift is at most 14.
    WindowScale(u8),
    /// Kind 4, RFC 2018 2.
    SackPermitted,
    /// Kind 5, RFC 2018 3: (left edge, right edge) a block.
    Sack(Vec<(u32, u32)>),
    /// Kind 8, RFC 7323 3: TSval and TSecr.
    Timestamps(u32, u32),
    /// Kind 28, RFC 5482: the granularity bit (minutes) and 15 bits of timeout.
    UserTimeout {
        /// Minutes where set, seconds where not.
        minutes: bool,
        /// 15 bits.
        timeout: u16,
    },
    /// Kind 34, RFC 7413: a Fast Open cookie, empty as a request.
    FastOpen(Vec<u8>),
    /// Any kind with its data; the length byte is computed.
    Other {
        /// The kind byte.
        kind: u8,
        /// What follows the length byte.
        data: Vec<u8>,
    },
    /// Bytes as they are, for options that lie about their length.
    Raw(Vec<u8>),
}

/// What a node fills in where a packet leaves a field out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Ethernet source.
    pub src_mac: Mac,
    /// Ethernet destination: the peer's.
    pub dst_mac: Mac,
    /// IPv4 source.
    pub src_ip4: Option<Ipv4Addr>,
    /// IPv4 destination: the peer's.
    pub dst_ip4: Option<Ipv4Addr>,
    /// IPv6 source.
    pub src_ip6: Option<Ipv6Addr>,
    /// IPv6 destination: the peer's.
    pub dst_ip6: Option<Ipv6Addr>,
}

/// What a packet makes wrong, or odd, on purpose; a check passes over just that in just that frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliberate(u16);

impl Deliberate {
    /// The packet sets nothing that a check looks at.
    pub const NOTHING: Self = Self(0);
    /// A length, header length, data offset, version or option list was given, or bytes were cut.
    pub const LENGTHS: Self = Self(1);
    /// The IPv4 header checksum was given.
    pub const IP_CHECKSUM: Self = Self(1 << 1);
    /// The TCP, UDP or ICMP checksum was given, or a field that tells a reader what it covers.
    pub const TRANSPORT_CHECKSUM: Self = Self(1 << 2);
    /// Reserved bits were given.
    pub const RESERVED: Self = Self(1 << 3);
    /// The Ethernet or IP source address was given.
    pub const SOURCE: Self = Self(1 << 4);
    /// A TCP segment or ICMP message that a scenario wrote: what it says is the scenario's choice.
    pub const SEGMENT: Self = Self(1 << 5);
    /// The TTL or hop limit was given.
    pub const HOPS: Self = Self(1 << 6);
    /// Bytes were added behind the packet.
    pub const TRAILER: Self = Self(1 << 7);
    /// All of it: raw bytes.
    pub const EVERYTHING: Self = Self(0xffff);

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All of `other` is in it.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Packet {
    /// An empty packet, to be given layers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A whole frame, verbatim.
    #[must_use]
    pub fn raw(frame: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(frame.into()), ..Self::default() }
    }

    /// Adds a layer inside those there are.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Adds payload bytes.
    #[must_use]
    pub fn payload(self, bytes: impl Into<Vec<u8>>) -> Self {
        let value = Value::Bytes(bytes.into());
        let mut layer = Layer::new(Proto::Payload);
        layer.set.push((&crate::fields::payload::DATA, value));
        self.layer(layer)
    }

    /// What it makes wrong or odd on purpose.
    #[inline]
    #[must_use]
    pub fn deliberate(&self) -> Deliberate {
        if self.raw.is_some() { Deliberate::EVERYTHING } else { self.deliberate_in_layers() }
    }

    fn deliberate_in_layers(&self) -> Deliberate {
        let mut all = Deliberate::NOTHING;
        if self.truncate.is_some() {
            all = all.with(Deliberate::LENGTHS).with(Deliberate::TRANSPORT_CHECKSUM);
        }
        if self.pad.is_some() {
            all = all.with(Deliberate::TRAILER);
        }
        // ARP has no payload: what is written behind it is a trailer.
        if self.layers.iter().rev().skip(1).any(|layer| layer.proto == Proto::Arp) {
            all = all.with(Deliberate::TRAILER);
        }
        for layer in &self.layers {
            if matches!(layer.proto, Proto::Tcp | Proto::Icmp4 | Proto::Icmp6) {
                all = all.with(Deliberate::SEGMENT);
            }
            if let Some(options) = &layer.tcp_options
                && options.iter().any(|option| matches!(option, TcpOption::Raw(_)))
            {
                all = all.with(Deliberate::LENGTHS);
            }
            for (field, _) in &layer.set {
                all = all.with(meaning(field));
            }
        }
        all
    }
}

/// What a check must pass over when this field was given. Where a reader takes the pseudo-header
/// or the summed bytes from a field, a lie there makes a right checksum look wrong.
fn meaning(field: &Field) -> Deliberate {
    let summed = Deliberate::LENGTHS.with(Deliberate::TRANSPORT_CHECKSUM);
    let reread = summed.with(Deliberate::SEGMENT).with(Deliberate::RESERVED);
    match (field.proto, field.key) {
        (Proto::Ip4, "checksum") => Deliberate::IP_CHECKSUM,
        (Proto::Ip4, "ihl") => reread.with(Deliberate::IP_CHECKSUM),
        (_, "checksum") => Deliberate::TRANSPORT_CHECKSUM,
        // All that a reader finds behind a wrong type is read by the wrong names.
        (Proto::Eth | Proto::Vlan, "type") => Deliberate::EVERYTHING,
        (Proto::Ip4, "protocol")
        | (Proto::Ip6 | Proto::Fragment, "next-header")
        | (Proto::HopByHop | Proto::Routing | Proto::DestOpts, "next-header" | "length") => reread,
        (Proto::Ip4, "total-length" | "version")
        | (Proto::Ip6, "payload-length" | "version")
        | (Proto::HopByHop | Proto::Routing | Proto::DestOpts, _)
        | (Proto::Udp, "length") => summed,
        (Proto::Ip4 | Proto::Tcp, "options")
        | (Proto::Tcp, "data-offset")
        | (Proto::Fragment, "offset" | "more")
        | (Proto::Arp, "hw-size" | "proto-size" | "hw-type" | "proto-type") => Deliberate::LENGTHS,
        (Proto::Ip4, "reserved" | "flags")
        | (Proto::Fragment, "reserved" | "reserved-bits")
        | (Proto::Tcp, "reserved") => Deliberate::RESERVED,
        (Proto::Ip4, "ttl") | (Proto::Ip6, "hop-limit") => Deliberate::HOPS,
        (Proto::Eth | Proto::Ip4 | Proto::Ip6, "src")
        | (Proto::Arp, "sender-ip" | "sender-mac") => Deliberate::SOURCE,
        _ => Deliberate::NOTHING,
    }
}

impl Layer {
    /// A layer with every field left to be computed.
    #[must_use]
    pub fn new(proto: Proto) -> Self {
        Self { proto, set: Vec::new(), tcp_options: None, quote: None }
    }

    /// Gives a field a number.
    ///
    /// # Panics
    /// When the field is another protocol's or does not hold the number: a fault of the caller's
    /// code. [`Layer::set`] takes values that come from outside.
    #[must_use]
    pub fn with(mut self, field: &'static Field, number: u64) -> Self {
        let value = field.number(number).unwrap_or_else(|error| panic!("{error}"));
        self.set(field, value).unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// Gives a field a value; the last value given stands.
    ///
    /// # Errors
    /// When the field is another protocol's, or the value is not of the field's kind.
    pub fn set(&mut self, field: &'static Field, value: Value) -> Result<(), ValueError> {
        if field.proto != self.proto {
            let (path, layer) = (field.path(), self.proto.key());
            return Err(ValueError(format!("{path} is no field of the layer {layer}")));
        }
        let fits = match (&value, field.form) {
            (Value::Num(number), _) => field.number(*number).is_ok(),
            (Value::Mac(_), form) => form == Form::Mac,
            (Value::Ip(ip), form) => form == if ip.is_ipv4() { Form::Ip4 } else { Form::Ip6 },
            (Value::Bytes(_), form) => form == Form::Bytes,
        };
        if !fits {
            let (path, wants) = (field.path(), field.wants());
            return Err(ValueError(format!("{value}: {path} takes {wants}")));
        }
        self.set.retain(|(known, _)| known.key != field.key);
        self.set.push((field, value));
        Ok(())
    }

    /// The value given for a field.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.set.iter().find(|(known, _)| known.key == field.key).map(|(_, value)| value)
    }
}
