//! Which flow a frame is of: who sends to whom, by the outermost addresses and ports that it has.
//! One direction is one flow. Knows no connection.

use wire::view::{LayerView, lax};
use wire::{Field, Frame, Proto, fields};

/// The same bytes for the frames of one flow.
pub(super) fn key(frame: Frame<'_>) -> Vec<u8> {
    let view = lax(frame);
    let mut key = Vec::with_capacity(40);
    let mut add = |layer: &LayerView, parts: &[&'static Field]| {
        key.push(layer.proto as u8);
        for field in parts {
            let bytes = view.header(layer).get(field.bytes()).unwrap_or(&[]);
            key.extend_from_slice(bytes);
        }
    };
    for layer in view.layers() {
        match layer.proto {
            Proto::Ip4 => add(layer, &[&fields::ip4::SRC, &fields::ip4::DST]),
            Proto::Ip6 => add(layer, &[&fields::ip6::SRC, &fields::ip6::DST]),
            Proto::Arp => add(layer, &[&fields::arp::SENDER_IP, &fields::arp::TARGET_IP]),
            Proto::Tcp => add(layer, &[&fields::tcp::SRC, &fields::tcp::DST]),
            Proto::Udp => add(layer, &[&fields::udp::SRC, &fields::udp::DST]),
            Proto::Icmp4 | Proto::Icmp6 => add(layer, &[]),
            _ => {}
        }
    }
    let known = |layer: &LayerView| matches!(layer.proto, Proto::Ip4 | Proto::Ip6 | Proto::Arp);
    if !view.layers().iter().any(known)
        && let Some(link) = view.find(Proto::Eth)
    {
        add(link, &[&fields::eth::DST, &fields::eth::SRC, &fields::eth::TYPE]);
    }
    key
}

#[cfg(test)]
mod tests;
