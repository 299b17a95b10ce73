//! What each checksum of a frame should be. Nothing is repaired here.

use super::{LaxFrame, LayerView, raw_options};
use crate::checksum::Sum;
use crate::field::{Field, Proto, Value};
use crate::fields::{fragment, gre, icmp4, icmp6, ip4, routing, tcp, udp};
use crate::segment::{PseudoAddresses, final_destination, is_tunnel_port};

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
    /// with 0, where that means none.
    #[must_use]
    pub fn checksum(&self, layer: &LayerView) -> Option<ChecksumView> {
        let (field, next_header) = match layer.proto {
            Proto::Ip4 => (&ip4::CHECKSUM, None),
            Proto::Tcp => (&tcp::CHECKSUM, Some(6)),
            Proto::Udp => (&udp::CHECKSUM, Some(17)),
            Proto::Icmp4 => (&icmp4::CHECKSUM, None),
            Proto::Icmp6 => (&icmp6::CHECKSUM, Some(58)),
            Proto::Gre if self.number(layer, &gre::HAS_CHECKSUM) == 1 => (&gre::CHECKSUM, None),
            _ => return None,
        };
        let Some(Value::Num(stored)) = self.read_in(layer, field) else { return None };
        let end = if layer.proto == Proto::Ip4 { layer.end } else { layer.limit };
        let covered = self.frame.bytes.get(layer.start..end)?;
        // A quoted layer has none of the frame's own around it.
        let at = self.layers.iter().position(|known| known == layer).unwrap_or(0);
        let outside = &self.layers[..at];
        let pseudo = match next_header {
            None => Sum::new(),
            Some(number) => self.pseudo(outside, number, covered.len())?,
        };
        let complete = match layer.proto {
            Proto::Ip4 => self.number(layer, &ip4::IHL) * 4 == covered.len() as u64,
            _ => outside.iter().all(|known| self.is_whole(known)) && !self.cut(layer),
        };
        if !complete || (layer.proto == Proto::Udp && stored == 0 && self.may_lack(layer, outside))
        {
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

    /// The layer carries all of a datagram: no fragment, no length over the end of the frame.
    fn is_whole(&self, layer: &LayerView) -> bool {
        let part = match layer.proto {
            Proto::Ip4 => &[&ip4::MF, &ip4::FRAGMENT_OFFSET][..],
            Proto::Fragment => &[&fragment::MORE, &fragment::OFFSET],
            _ => &[],
        };
        part.iter().all(|field| self.number(layer, field) == 0) && !self.cut(layer)
    }

    /// A checksum of 0 in this header of UDP says that there is none: over IPv4, and over IPv6
    /// where the datagram is a tunnel's.
    fn may_lack(&self, layer: &LayerView, outside: &[LayerView]) -> bool {
        let is_ip = |known: &&LayerView| matches!(known.proto, Proto::Ip4 | Proto::Ip6);
        let ip = outside.iter().rev().find(is_ip);
        let port = self.number(layer, &udp::DST) as u16;
        ip.is_some_and(|ip| ip.proto == Proto::Ip4) || is_tunnel_port(port)
    }

    /// The pseudo-header of the innermost IP layer around a transport layer.
    fn pseudo(&self, outside: &[LayerView], number: u8, length: usize) -> Option<Sum> {
        let is_ip = |known: &LayerView| matches!(known.proto, Proto::Ip4 | Proto::Ip6);
        let at = outside.iter().rposition(is_ip)?;
        let (ip, extensions) = outside[at..].split_first()?;
        let header = self.header(ip);
        if ip.proto == Proto::Ip4 {
            // Which destination is summed, the next or the last, is not the same for all senders.
            if raw_options(header.get(20..)?).any(|option| matches!(option.kind, 131 | 137)) {
                return None;
            }
            let address = |field: &Field| header.get(field.bytes())?.try_into().ok();
            let (src, dst) = (address(&ip4::SRC)?, address(&ip4::DST)?);
            return Some(Sum::pseudo_ip4(src, dst, number, u16::try_from(length).ok()?));
        }
        let mut addresses = PseudoAddresses::of(header)?;
        for passed in extensions {
            let header = self.header(passed);
            match passed.proto {
                Proto::Routing => {
                    let left = self.number(passed, &routing::SEGMENTS_LEFT);
                    if left > 0 && final_destination(header).is_none() {
                        return None;
                    }
                    addresses.pass(43, header);
                }
                Proto::DestOpts => addresses.pass(60, header),
                _ => {}
            }
        }
        let length = u32::try_from(length).ok()?;
        Some(Sum::pseudo_ip6(addresses.src, addresses.dst, number, length))
    }
}
