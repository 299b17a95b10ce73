//! What each checksum of a frame should be. Nothing is repaired here.

use super::{LaxFrame, LayerView};
use crate::checksum::Sum;
use crate::field::{Field, Proto, Value};
use crate::fields::{icmp4, icmp6, ip4, ip6, routing, tcp, udp};
use crate::segment::final_destination;

/// A checksum as it stands, and what the bytes would need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChecksumView {
    /// The field that holds it.
    pub field: &'static Field,
    /// As it stands.
    pub stored: u16,
    /// What the sender should have stored.
    pub right: u16,
    /// A receiver takes it: also the other zero of ones' complement.
    pub ok: bool,
}

impl LaxFrame<'_> {
    /// The checksum in one of the frame's own layers. `None` where the layer has none, or it covers
    /// bytes that are not here: a fragment, a cut packet, a route of an unknown type; also for UDP
    /// over IPv4 with 0, which means none.
    #[must_use]
    pub fn checksum(&self, layer: &LayerView) -> Option<ChecksumView> {
        let (field, next_header) = match layer.proto {
            Proto::Ip4 => (&ip4::CHECKSUM, None),
            Proto::Tcp => (&tcp::CHECKSUM, Some(6)),
            Proto::Udp => (&udp::CHECKSUM, Some(17)),
            Proto::Icmp4 => (&icmp4::CHECKSUM, None),
            Proto::Icmp6 => (&icmp6::CHECKSUM, Some(58)),
            _ => return None,
        };
        let Some(Value::Num(stored)) = self.read_in(layer, field) else { return None };
        let end = if layer.proto == Proto::Ip4 { layer.end } else { layer.limit };
        let covered = self.bytes.get(layer.start..end)?;
        let pseudo = match next_header {
            None => Sum::new(),
            Some(number) => self.pseudo(layer, number, covered.len())?,
        };
        let complete = match layer.proto {
            Proto::Ip4 => self.number(layer, &ip4::IHL) * 4 == covered.len() as u64,
            _ => !self.fragment && !self.truncated && !self.cut(layer),
        };
        if !complete {
            return None;
        }
        if layer.proto == Proto::Udp && stored == 0 && self.find(Proto::Ip6).is_none() {
            return None;
        }
        let place = field.bytes();
        let (before, after) = (covered.get(..place.start)?, covered.get(place.end..)?);
        let right = pseudo.bytes(before).bytes(&[0, 0]).bytes(after).checksum();
        let right = if right == 0 && layer.proto == Proto::Udp { 0xffff } else { right };
        let ok = pseudo.bytes(covered).checksum() == 0;
        Some(ChecksumView { field, stored: stored as u16, right, ok })
    }

    /// The layer's own header or length runs over the end of what is there.
    fn cut(&self, layer: &LayerView) -> bool {
        self.faults.iter().any(|fault| {
            fault.layer == layer.proto
                && fault.offset == layer.start
                && fault.fault == super::Fault::Short
        })
    }

    /// The pseudo-header of the IP layer around a transport layer.
    fn pseudo(&self, layer: &LayerView, number: u8, length: usize) -> Option<Sum> {
        let inside = self.layers.iter().position(|known| known == layer)?;
        let around = &self.layers[..inside];
        let is_ip = |known: &&LayerView| matches!(known.proto, Proto::Ip4 | Proto::Ip6);
        let ip = around.iter().rev().find(is_ip)?;
        let header = self.header(ip);
        if ip.proto == Proto::Ip4 {
            let address = |field: &Field| header.get(field.bytes())?.try_into().ok();
            let (src, dst) = (address(&ip4::SRC)?, address(&ip4::DST)?);
            return Some(Sum::pseudo_ip4(src, dst, number, u16::try_from(length).ok()?));
        }
        let address = |field: &Field| header.get(field.bytes())?.try_into().ok();
        let (src, mut dst) = (address(&ip6::SRC)?, address(&ip6::DST)?);
        let mut routes = around.iter().filter(|known| known.proto == Proto::Routing);
        if let Some(route) = routes.next_back()
            && self.number(route, &routing::SEGMENTS_LEFT) > 0
        {
            let header = self.header(route);
            dst = header.get(final_destination(header)?)?.try_into().ok()?;
        }
        Some(Sum::pseudo_ip6(src, dst, number, u32::try_from(length).ok()?))
    }
}
