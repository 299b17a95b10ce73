//! Which headers there are, how long each is and where it stands. Knows no field but those that
//! have a length of their own: options, extension data, payload, quote.

use std::borrow::Cow;

use super::{BuildError, MAX_FRAME, MAX_QUOTES, at};
use crate::field::{Field, Proto, Value};
use crate::fields::{dest_opts, hop_by_hop, ip4, payload, routing, tcp};
use crate::options;
use crate::packet::{Defaults, Layer, Packet};

/// A header with its place in the frame.
pub(super) struct Placed<'a> {
    pub(super) proto: Proto,
    /// What was given for it; `None` for a layer that was put in front.
    pub(super) layer: Option<&'a Layer>,
    /// Its place in the packet as asked for.
    pub(super) index: Option<usize>,
    pub(super) start: usize,
    /// Header with options, padding, quote.
    pub(super) len: usize,
    /// The part of free length: options, data, payload, quote.
    pub(super) body: Cow<'a, [u8]>,
    /// Where it stands in the header.
    pub(super) body_at: usize,
}

impl<'a> Placed<'a> {
    pub(super) fn new(proto: Proto, layer: Option<&'a Layer>, index: Option<usize>) -> Self {
        let body = Cow::Borrowed(&[][..]);
        Self { proto, layer, index, start: 0, len: 0, body, body_at: 0 }
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.len
    }

    /// The scenario gave this field, or another name of its bits.
    pub(super) fn gives(&self, field: &Field) -> bool {
        let bits = field.bit..field.bit + field.width.max(1);
        self.layer.is_some_and(|layer| {
            layer.set.iter().any(|(known, _)| {
                known.bit < bits.end && bits.start < known.bit + known.width.max(1)
            })
        })
    }

    fn bytes(&self, field: &Field) -> Option<&'a [u8]> {
        match self.layer?.get(field) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// The layers of a frame, each in its place.
pub(super) fn frame<'a>(
    packet: &'a Packet,
    defaults: &Defaults,
) -> Result<Vec<Placed<'a>>, BuildError> {
    place(layers(packet, defaults, true), defaults, 0)
}

/// The layers as asked for, with Ethernet and IP put in front where they are missing.
pub(super) fn layers<'a>(
    packet: &'a Packet,
    defaults: &Defaults,
    ethernet: bool,
) -> Vec<Placed<'a>> {
    let mut stack = Vec::with_capacity(packet.layers.len() + 2);
    if ethernet && packet.layers.first().is_none_or(|layer| layer.proto != Proto::Eth) {
        stack.push(Placed::new(Proto::Eth, None, None));
    }
    let mut has_ip = false;
    for (index, layer) in packet.layers.iter().enumerate() {
        if !has_ip && let Some(ip) = needs(layer.proto, defaults) {
            stack.push(Placed::new(ip, None, None));
            has_ip = true;
        }
        has_ip |= matches!(layer.proto, Proto::Ip4 | Proto::Ip6);
        stack.push(Placed::new(layer.proto, Some(layer), Some(index)));
    }
    stack
}

/// The IP layer that a layer cannot do without.
fn needs(proto: Proto, defaults: &Defaults) -> Option<Proto> {
    match proto {
        Proto::HopByHop | Proto::Routing | Proto::Fragment | Proto::DestOpts | Proto::Icmp6 => {
            Some(Proto::Ip6)
        }
        Proto::Icmp4 => Some(Proto::Ip4),
        Proto::Tcp | Proto::Udp => {
            let ip4 = defaults.src_ip4.is_some() && defaults.dst_ip4.is_some();
            let ip6 = defaults.src_ip6.is_some() && defaults.dst_ip6.is_some();
            Some(if ip6 && !ip4 { Proto::Ip6 } else { Proto::Ip4 })
        }
        _ => None,
    }
}

/// Measures every header and sets them end to end.
pub(super) fn place<'a>(
    mut stack: Vec<Placed<'a>>,
    defaults: &Defaults,
    quotes: usize,
) -> Result<Vec<Placed<'a>>, BuildError> {
    let mut start = 0;
    for placed in &mut stack {
        measure(placed, defaults, quotes)?;
        placed.start = start;
        start += placed.len;
        if start > MAX_FRAME {
            return Err(BuildError {
                layer: placed.index,
                proto: Some(placed.proto),
                field: (placed.proto == Proto::Payload).then_some(payload::DATA.key),
                message: format!("the frame grows to {start} bytes; it has at most {MAX_FRAME}"),
            });
        }
    }
    Ok(stack)
}

fn measure(placed: &mut Placed<'_>, defaults: &Defaults, quotes: usize) -> Result<(), BuildError> {
    misplaced(placed)?;
    let (fixed, field, multiple) = match placed.proto {
        Proto::Eth => (14, None, 1),
        Proto::Vlan => (4, None, 1),
        Proto::Arp => (28, None, 1),
        Proto::Ip4 => (20, Some(&ip4::OPTIONS), 4),
        Proto::Ip6 => (40, None, 1),
        Proto::HopByHop => (2, Some(&hop_by_hop::OPTIONS), 8),
        Proto::Routing => (4, Some(&routing::DATA), 8),
        Proto::Fragment => (8, None, 1),
        Proto::DestOpts => (2, Some(&dest_opts::OPTIONS), 8),
        Proto::Tcp => (20, Some(&tcp::OPTIONS), 4),
        Proto::Udp | Proto::Icmp4 | Proto::Icmp6 => (8, None, 1),
        Proto::Payload => (0, Some(&payload::DATA), 1),
        shown => {
            return Err(BuildError {
                layer: placed.index,
                proto: Some(shown),
                field: None,
                message: "this layer is shown and not built; give its bytes as a payload".into(),
            });
        }
    };
    placed.body_at = fixed;
    placed.body = match field {
        Some(field) => placed.bytes(field).map(Cow::Borrowed).unwrap_or_default(),
        None => quote(placed, defaults, quotes)?,
    };
    if let Some(options) = placed.layer.and_then(|layer| layer.tcp_options.as_ref()) {
        let bytes = options::encode(options);
        placed.body = Cow::Owned(bytes.map_err(|e| at(placed, &tcp::OPTIONS, e.to_string()))?);
    }
    placed.len = (fixed + placed.body.len()).next_multiple_of(multiple);
    fits(placed)
}

/// Options by name or a quote on a layer that has none, or options given twice.
fn misplaced(placed: &Placed<'_>) -> Result<(), BuildError> {
    let Some(layer) = placed.layer else { return Ok(()) };
    if layer.tcp_options.is_some() {
        if layer.proto != Proto::Tcp {
            return Err(at(placed, &tcp::OPTIONS, "only tcp has options by name".into()));
        }
        if layer.get(&tcp::OPTIONS).is_some() {
            let message = "given by name and as bytes; one of them is enough".into();
            return Err(at(placed, &tcp::OPTIONS, message));
        }
    }
    if layer.quote.is_some() && !matches!(layer.proto, Proto::Icmp4 | Proto::Icmp6) {
        return Err(wrong_quote(placed, "only icmp4 and icmp6 quote a packet"));
    }
    Ok(())
}

/// A computed header length must be able to tell the options' length.
fn fits(placed: &Placed<'_>) -> Result<(), BuildError> {
    let (length, options, max) = match placed.proto {
        Proto::Ip4 => (&ip4::IHL, &ip4::OPTIONS, 60),
        Proto::Tcp => (&tcp::DATA_OFFSET, &tcp::OPTIONS, 60),
        Proto::HopByHop => (&hop_by_hop::LENGTH, &hop_by_hop::OPTIONS, 2048),
        Proto::DestOpts => (&dest_opts::LENGTH, &dest_opts::OPTIONS, 2048),
        Proto::Routing => (&routing::LENGTH, &routing::DATA, 2048),
        _ => return Ok(()),
    };
    if placed.len <= max || placed.gives(length) {
        return Ok(());
    }
    let (had, room, path) = (placed.body.len(), max - placed.body_at, length.path());
    let message = format!("{had} bytes; at most {room} unless {path} is given");
    Err(at(placed, options, message))
}

/// The bytes of the packet that an ICMP error quotes, from IP down.
fn quote(
    placed: &Placed<'_>,
    defaults: &Defaults,
    quotes: usize,
) -> Result<Cow<'static, [u8]>, BuildError> {
    let Some(packet) = placed.layer.and_then(|layer| layer.quote.as_deref()) else {
        return Ok(Cow::Borrowed(&[]));
    };
    if quotes >= MAX_QUOTES {
        return Err(wrong_quote(placed, "quotes are nested too deep, at most 8 are built"));
    }
    if packet.fragment.is_some() {
        return Err(wrong_quote(placed, "a quote is one packet and cannot be split"));
    }
    let mut bytes = Vec::new();
    let peer = Defaults {
        src_mac: defaults.dst_mac,
        dst_mac: defaults.src_mac,
        src_ip4: defaults.dst_ip4,
        dst_ip4: defaults.src_ip4,
        src_ip6: defaults.dst_ip6,
        dst_ip6: defaults.src_ip6,
    };
    let result = match &packet.raw {
        Some(raw) => {
            bytes.clone_from(raw);
            Ok(())
        }
        None => place(layers(packet, &peer, false), &peer, quotes + 1)
            .and_then(|stack| super::write(&stack, &peer, &mut bytes)),
    };
    let result = result.and_then(|()| super::finish(packet, &mut bytes));
    result.map_err(|error| wrong_quote(placed, &error.to_string()))?;
    Ok(Cow::Owned(bytes))
}

fn wrong_quote(placed: &Placed<'_>, message: &str) -> BuildError {
    BuildError {
        layer: placed.index,
        proto: Some(placed.proto),
        field: Some("quote"),
        message: message.into(),
    }
}
