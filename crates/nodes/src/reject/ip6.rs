//! IPv6 under a REJECT rule: what the IP layer drops before the rule, the chain of extension
//! headers that the rule walks, and the packet that answers. Knows no Ethernet and no route.

use wire::checksum::{self, Sum};
use wire::segment::{IpPacket, NotIp, extension_len};

use super::hop_by_hop;
use super::rule::{DropReason, Rule};

const HOP_BY_HOP: u8 = 0;
const TCP: u8 = 6;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;

/// A packet with a sound fixed header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    ip: IpPacket<'a>,
    /// What stands behind the fixed header, without padding.
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// RFC 8200 3: the version is 6 and the payload length is there; bytes behind it are padding.
    /// Hop-by-hop options, which every host on the path reads, are read here. `parsed` is a packet
    /// whose extension headers were not stepped over.
    #[inline]
    pub(super) fn sound(parsed: Result<IpPacket<'a>, NotIp>) -> Result<Self, DropReason> {
        let ip = parsed.map_err(|error| match error {
            NotIp::OtherType(_) | NotIp::Version(_) => DropReason::NotIp,
            _ => DropReason::Truncated,
        })?;
        if ip.is_truncated() {
            return Err(DropReason::Truncated);
        }
        let hop_by_hop = ip.protocol() == HOP_BY_HOP;
        // A jumbogram's length stands in its hop-by-hop options (RFC 2675 3).
        let jumbo = hop_by_hop && ip.payload().is_empty();
        let rest = if jumbo { ip.trailer() } else { ip.payload() };
        if hop_by_hop {
            hop_by_hop::options(rest)?;
        }
        Ok(Self { ip, rest })
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
        address.copy_from_slice(&self.ip.header()[at..at + 16]);
        address
    }

    /// The TCP segment behind the extension headers.
    ///
    /// The rule at INPUT comes before reassembly: a fragment that holds a whole TCP header is
    /// taken for a segment, and its checksum decides; one with an offset is never answered. An
    /// authentication header ends the walk: `meta l4proto` says 51 for what is behind it.
    #[inline]
    fn segment(&self) -> Result<&'a [u8], DropReason> {
        let (mut next, mut rest) = (self.ip.protocol(), self.rest);
        loop {
            match next {
                TCP if rest.is_empty() => return Err(DropReason::Short),
                TCP => return Ok(rest),
                NO_NEXT_HEADER => return Err(DropReason::Chain),
                _ => {}
            }
            let words = rest.get(1).copied();
            let length = extension_len(next, words.unwrap_or(0));
            let length = length.filter(|_| next != AUTHENTICATION).ok_or(DropReason::NotTcp)?;
            let &[following, _, ..] = rest else { return Err(DropReason::Chain) };
            if next == FRAGMENT {
                let &[_, _, high, low, ..] = rest else { return Err(DropReason::Chain) };
                if u16::from_be_bytes([high, low]) & 0xfff8 != 0 {
                    return Err(DropReason::Fragment);
                }
            }
            rest = rest.get(length..).unwrap_or(&[]);
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
