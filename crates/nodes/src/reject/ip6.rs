//! IPv6 under a REJECT rule: what the IP layer drops before the rule, the chain of extension
//! headers that the rule walks, and the packet that answers. Knows no Ethernet and no route.

use wire::checksum::{self, Sum};

use super::hop_by_hop;
use super::reset::{DropReason, Rule};

const HOP_BY_HOP: u8 = 0;
const TCP: u8 = 6;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

/// A packet with a sound fixed header, without the bytes behind its payload length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a>(&'a [u8]);

impl<'a> Packet<'a> {
    /// RFC 8200 3: the version is 6 and the payload length is there; bytes behind it are padding.
    /// Hop-by-hop options, which every host on the path reads, are read here.
    #[inline]
    pub(super) fn parse(packet: &'a [u8]) -> Result<Self, DropReason> {
        if packet.len() < 40 {
            return Err(DropReason::Truncated);
        }
        if packet[0] >> 4 != 6 {
            return Err(DropReason::NotIp);
        }
        let length = usize::from(u16::from_be_bytes([packet[4], packet[5]]));
        let mut end = 40 + length;
        if packet[6] == HOP_BY_HOP && length == 0 {
            // A jumbogram's length stands in its hop-by-hop options (RFC 2675 3).
            end = packet.len();
        }
        let Some(packet) = packet.get(..end) else { return Err(DropReason::Truncated) };
        if packet[6] == HOP_BY_HOP {
            hop_by_hop::options(packet)?;
        }
        Ok(Self(packet))
    }

    #[inline]
    pub(super) fn src(&self) -> [u8; 16] {
        self.address(8)
    }

    #[inline]
    pub(super) fn dst(&self) -> [u8; 16] {
        self.address(24)
    }

    #[inline]
    fn address(&self, at: usize) -> [u8; 16] {
        let mut address = [0; 16];
        address.copy_from_slice(&self.0[at..at + 16]);
        address
    }

    /// The TCP segment behind the extension headers.
    ///
    /// The rule at INPUT comes before reassembly: a fragment that holds a whole TCP header is
    /// taken for a segment, and its checksum decides; one with an offset is never answered. An
    /// authentication header ends the walk: `meta l4proto` says 51 for what is behind it.
    #[inline]
    fn segment(&self) -> Result<&'a [u8], DropReason> {
        let (mut next, mut at) = (self.0[6], 40);
        loop {
            let rest = self.0.get(at..).unwrap_or(&[]);
            let unit = match next {
                TCP => return if rest.is_empty() { Err(DropReason::Short) } else { Ok(rest) },
                HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS => next,
                NO_NEXT_HEADER => return Err(DropReason::Chain),
                _ => return Err(DropReason::NotTcp),
            };
            let &[following, length, ..] = rest else { return Err(DropReason::Chain) };
            at += match unit {
                FRAGMENT => {
                    let Some(&[high, low]) = rest.get(2..4) else { return Err(DropReason::Chain) };
                    if u16::from_be_bytes([high, low]) & 0xfff8 != 0 {
                        return Err(DropReason::Fragment);
                    }
                    8
                }
                _ => (usize::from(length) + 1) * 8,
            };
            next = following;
        }
    }
}

/// Appends the packet that answers: sixty bytes, traffic class and flow label 0, no extension
/// header. Both profiles do the same here; the MTU is not looked at.
#[inline]
pub(super) fn reset(
    rule: &Rule,
    trigger: &Packet<'_>,
    out: &mut Vec<u8>,
) -> Result<(), DropReason> {
    let segment = trigger.segment()?;
    let tcp = rule.header(segment)?;
    let (src, dst) = (trigger.src(), trigger.dst());
    if checksum::tcp_ip6(src, dst, segment) != 0 {
        return Err(DropReason::Checksum);
    }
    out.extend_from_slice(&[0x60, 0, 0, 0, 0, 20, TCP, rule.ttl]);
    out.extend_from_slice(&dst);
    out.extend_from_slice(&src);
    tcp.append(Sum::pseudo_ip6(dst, src, TCP, 20), out);
    Ok(())
}
