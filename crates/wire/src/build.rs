//! A custom packet becomes bytes: what was given is written as given, the rest is computed.
//!
//! The computed follows the bytes, never the lie: a data offset that is given does not move the
//! payload, a total length that is given does not change the length in TCP's pseudo-header.
//! Checksums come last, from the inside out, over the bytes as they then stand. Nothing here looks
//! at whether the result makes sense; that is what the checks are for.
//!
//! What is left out:
//!
//! - `eth`: the port's and its peer's addresses (broadcast for an ARP request); the type of what
//!   follows, 0x88b5 (local experiment, IEEE 802 9.2.3) for bare payload.
//! - `vlan`: priority 0, DEI 0, id 1. A tag with another inside it is announced as 0x88a8
//!   (802.1ad), else 0x8100.
//! - `arp`: a request for the peer's address from the node's own, target MAC zero.
//! - `ip4`: version 4, IHL, total length, id 0, DF (not where MF or an offset is given), TTL 64,
//!   protocol (253 for bare payload, RFC 3692), checksum, own and peer's address; options padded
//!   with zeros to whole words.
//! - `ip6`: version 6, payload length, next header (59 when nothing follows), hop limit 64, own
//!   and peer's address.
//! - IPv6 extensions: next header, length; options padded with Pad1 or PadN to a multiple of 8.
//! - `tcp`: ports 4000 to 80, seq 0, ack 0, data offset, no flags, window 65,535, checksum;
//!   options padded with zeros to whole words.
//! - `udp`: ports 4000 to 80, length, checksum (0xffff where the sum gives 0, RFC 768).
//! - `icmp4`, `icmp6`: echo request, or destination unreachable with a quote; code 0, rest 0,
//!   checksum.
//!
//! `eth` is put in front where it is missing, and IP where a layer needs it: IPv6 for its own
//! extensions and `icmp6`, else IPv4 when both IPv4 addresses are known, else IPv6 when both of
//! those are. A quote is the packet that the peer is taken to have sent, so its addresses default
//! the other way round, and it starts at IP.

use crate::field::{Field, Proto};
use crate::packet::{Defaults, Packet};

mod fill;
mod fragment;
mod stack;
mod sums;
#[cfg(test)]
mod tests;

/// The longest frame: an IPv4 datagram of 65,535 bytes behind Ethernet and one VLAN tag.
pub const MAX_FRAME: usize = 65_535 + 18;

/// Quotes within quotes that are still built; an ICMP error about an ICMP error is odd already.
const MAX_QUOTES: usize = 8;

/// Why a packet cannot be built: where, and a sentence in lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.place())]
pub struct BuildError {
    /// The layer's place in [`Packet::layers`]; `None` for the packet as a whole and for a layer
    /// that was put in front.
    pub layer: Option<usize>,
    /// The layer's protocol.
    pub proto: Option<Proto>,
    /// The field's name in scenario files: `options` of `tcp`; or the packet's own `pad` and such.
    pub field: Option<&'static str>,
    /// What is wrong with it.
    pub message: String,
}

impl BuildError {
    fn packet(field: &'static str, message: String) -> Self {
        Self { layer: None, proto: None, field: Some(field), message }
    }

    fn place(&self) -> String {
        let proto = self.proto.map(Proto::key);
        let path = match (proto, self.field) {
            (Some(proto), Some(field)) => format!("{proto}.{field}"),
            (one, other) => one.or(other).unwrap_or_default().into(),
        };
        match self.layer {
            _ if path.is_empty() => path,
            Some(index) => format!("layer {index}, {path}: "),
            None => format!("{path}: "),
        }
    }
}

/// The frames of a packet: one, or several when it asks to be split into fragments.
///
/// # Errors
/// Names the layer and field that cannot be built: an address that nobody knows, options that no
/// header length can tell, a frame above [`MAX_FRAME`].
pub fn build(packet: &Packet, defaults: &Defaults) -> Result<Vec<Vec<u8>>, BuildError> {
    let mut frames = match packet.fragment {
        Some(size) if packet.raw.is_none() => fragment::split(packet, size, defaults)?,
        _ => {
            let mut frame = Vec::new();
            whole(packet, defaults, &mut frame)?;
            vec![frame]
        }
    };
    for frame in &mut frames {
        finish(packet, frame)?;
    }
    Ok(frames)
}

/// The one frame of a packet that is not split, into a buffer whose room is used again.
///
/// # Errors
/// As [`build`]; also when the packet asks for fragments. The buffer then holds no frame.
pub fn build_into(
    packet: &Packet,
    defaults: &Defaults,
    frame: &mut Vec<u8>,
) -> Result<(), BuildError> {
    if packet.fragment.is_some() && packet.raw.is_none() {
        let message = "one frame was asked for, and fragments are several".into();
        return Err(BuildError::packet("fragment", message));
    }
    whole(packet, defaults, frame)?;
    finish(packet, frame)
}

/// The frame before padding and cutting.
fn whole(packet: &Packet, defaults: &Defaults, frame: &mut Vec<u8>) -> Result<(), BuildError> {
    if let Some(raw) = &packet.raw {
        frame.clear();
        frame.extend_from_slice(raw);
        return Ok(());
    }
    let stack = stack::frame(packet, defaults)?;
    write(&stack, defaults, frame)
}

/// Writes all layers: fields from the outside in, then checksums from the inside out.
fn write(
    stack: &[stack::Placed<'_>],
    defaults: &Defaults,
    frame: &mut Vec<u8>,
) -> Result<(), BuildError> {
    let end = stack.last().map_or(0, |last| last.start + last.len);
    frame.clear();
    frame.resize(end, 0);
    for index in 0..stack.len() {
        fill::fill(stack, index, defaults, frame)?;
    }
    for index in (0..stack.len()).rev() {
        sums::store(stack, index, frame);
    }
    Ok(())
}

/// Pads, then cuts, then holds the limit.
fn finish(packet: &Packet, frame: &mut Vec<u8>) -> Result<(), BuildError> {
    if let Some(len) = packet.pad {
        if len > MAX_FRAME {
            let message = format!("{len} bytes; a frame has at most {MAX_FRAME}");
            return Err(BuildError::packet("pad", message));
        }
        frame.resize(frame.len().max(len), 0);
    }
    if let Some(len) = packet.truncate {
        frame.truncate(len);
    }
    if frame.len() > MAX_FRAME {
        let field = if packet.raw.is_some() { "raw" } else { "frame" };
        let message = format!("{} bytes; a frame has at most {MAX_FRAME}", frame.len());
        return Err(BuildError::packet(field, message));
    }
    Ok(())
}

/// An error at a layer's field.
fn at(placed: &stack::Placed<'_>, field: &Field, message: String) -> BuildError {
    BuildError { layer: placed.index, proto: Some(placed.proto), field: Some(field.key), message }
}
