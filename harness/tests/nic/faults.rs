//! What can be made wrong in the [minimal stack](crate::stack), a row each: which steps show it,
//! and which check finds it.

use wireproof::wire::fields::{tcp, vlan};
use wireproof::wire::segment::IpPacket;
use wireproof::wire::{Field, Layer, Packet, Proto, Value, checksum};

/// What can be made wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Its name, for the option `fault`.
    pub(crate) name: &'static str,
    /// More options of the stack than the fault's, as a scenario has them.
    pub(crate) options: &'static str,
    /// Steps of `a`, a tester, by which it shows once in `b`, this stack.
    pub(crate) steps: &'static str,
    /// The check that finds it then, and no other one does.
    pub(crate) found_by: &'static str,
    pub(crate) act: Act,
}

/// Where a fault is planted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// What the stack discards, it takes all the same.
    Take(fn(Discarded) -> bool),
    /// An answer says something else; its checksums are made after that.
    Say(fn(&mut Packet)),
    /// The bytes of an answer change behind the stack's back.
    Bytes(fn(&mut Vec<u8>)),
}

/// Why a frame is discarded in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discarded {
    /// A segment with RST.
    Reset,
    /// A segment with a wrong checksum.
    Checksum,
    /// A datagram for all of a subnet or a group, or in a frame for them.
    ToMany,
}

const SYN_ONCE: &str = r#"{ "node": "a", "send": { "tcp": { "flags": "S", "seq": 1000 } } }"#;

const TAGGED: &str = r#"{ "node": "a",
    "send": { "vlan": { "id": 10 }, "tcp": { "flags": "S", "seq": 1000 } } }"#;

const DATAGRAM: &str = r#"{ "node": "a",
    "send": { "udp": { "dst": 7 }, "payload": { "text": "sixteen and eight octets" } } }"#;

/// The faults. Each is found once, by one check, on a cable.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "ack-of-a-syn",
        options: "",
        steps: SYN_ONCE,
        found_by: "rst-ack",
        act: Act::Say(|packet| {
            if let Some(segment) = packet.layers.iter_mut().find(|l| l.proto == Proto::Tcp)
                && let Some(Value::Num(number)) = segment.get(&tcp::ACK).cloned()
            {
                let _ = segment.set(&tcp::ACK, Value::Num(number.wrapping_sub(1)));
            }
        }),
    },
    Fault {
        name: "checksum",
        options: "",
        steps: SYN_ONCE,
        found_by: "tcp-checksum",
        // The last octet of the checksum, behind Ethernet and an IPv4 header without options.
        act: Act::Bytes(|frame| frame[34 + 17] ^= 1),
    },
    Fault {
        name: "reset-to-a-reset",
        options: "",
        steps: r#"{ "node": "a", "send": { "tcp": { "flags": "R", "seq": 1000 } } }"#,
        found_by: "rst-to-rst",
        act: Act::Take(|why| why == Discarded::Reset),
    },
    Fault {
        name: "checksum-not-verified",
        options: "",
        steps: r#"{ "node": "a",
                   "send": { "tcp": { "flags": "S", "seq": 1000, "checksum": "0x1234" } } }"#,
        found_by: "bad-checksum-answered",
        act: Act::Take(|why| why == Discarded::Checksum),
    },
    Fault {
        name: "reset-to-a-broadcast",
        options: "",
        steps: r#"{ "node": "a", "send": { "eth": { "dst": "ff:ff:ff:ff:ff:ff" },
                    "ip4": { "dst": "10.0.0.255" }, "tcp": { "flags": "S", "seq": 1000 } } }"#,
        found_by: "rst-on-broadcast",
        act: Act::Take(|why| why == Discarded::ToMany),
    },
    Fault {
        name: "syn-to-a-broadcast-accepted",
        options: r#", "open": 80"#,
        steps: r#"{ "node": "a", "send": { "ip4": { "dst": "10.0.0.255" },
                    "tcp": { "flags": "S", "seq": 1000 } } }"#,
        found_by: "rst-on-broadcast",
        act: Act::Take(|why| why == Discarded::ToMany),
    },
    Fault {
        name: "vlan-lost",
        options: "",
        steps: TAGGED,
        found_by: "vlan-reply",
        act: Act::Say(|packet| packet.layers.retain(|layer| layer.proto != Proto::Vlan)),
    },
    Fault {
        name: "vlan-other",
        options: "",
        steps: TAGGED,
        found_by: "vlan-reply",
        act: Act::Say(|packet| write(packet, Proto::Vlan, &vlan::ID, 20)),
    },
    Fault {
        name: "vlan-invented",
        options: "",
        steps: SYN_ONCE,
        found_by: "vlan-reply",
        act: Act::Say(|packet| {
            packet.layers.insert(0, Layer::new(Proto::Vlan).with(&vlan::ID, 10));
        }),
    },
    Fault {
        name: "quote-altered",
        options: "",
        steps: DATAGRAM,
        found_by: "icmp-quote",
        act: Act::Say(|packet| quoted(packet, |quote| other_source(quote))),
    },
    Fault {
        name: "quote-from-another-port",
        options: "",
        steps: DATAGRAM,
        found_by: "icmp-quote",
        act: Act::Say(|packet| quoted(packet, |quote| quote[21] ^= 1)),
    },
    Fault {
        name: "quote-cut",
        options: "",
        steps: DATAGRAM,
        found_by: "icmp-quote-length",
        act: Act::Say(|packet| quoted(packet, |quote| quote.truncate(24))),
    },
    Fault {
        name: "checksum-of-the-first-fragment",
        options: r#", "mirror": true"#,
        steps: DATAGRAM,
        found_by: "udp-checksum",
        act: Act::Bytes(|frame| first_fragment_summed(frame)),
    },
];

/// Sets a field of the first layer of this protocol.
fn write(packet: &mut Packet, proto: Proto, field: &'static Field, value: u64) {
    if let Some(layer) = packet.layers.iter_mut().find(|layer| layer.proto == proto) {
        let _ = layer.set(field, Value::Num(value));
    }
}

/// Changes what an error quotes.
fn quoted(packet: &mut Packet, change: fn(&mut Vec<u8>)) {
    let of_payload = |(field, _): &&mut (&'static Field, Value)| field.proto == Proto::Payload;
    let mut fields = packet.layers.iter_mut().flat_map(|layer| &mut layer.set);
    if let Some((_, Value::Bytes(quote))) = fields.find(of_payload) {
        change(quote);
    }
}

/// As a NAT leaves it that translates an error and not what the error quotes.
fn other_source(quote: &mut [u8]) {
    quote[12..16].copy_from_slice(&[192, 168, 9, 9]);
    quote[10..12].fill(0);
    let sum = checksum::internet_checksum(&quote[..20]);
    quote[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// The first of several fragments gets the checksum of the bytes that it carries itself.
fn first_fragment_summed(frame: &mut [u8]) {
    let Ok(ip) = IpPacket::parse(frame) else { return };
    if !ip.more_fragments() || ip.fragment_offset() != 0 {
        return;
    }
    let (at, message) = (ip.header_range().end + 6, ip.payload());
    let sum = ip.pseudo_header().bytes(&message[..6]).bytes(&[0, 0]).bytes(&message[8..]);
    frame[at..at + 2].copy_from_slice(&sum.checksum().to_be_bytes());
}
