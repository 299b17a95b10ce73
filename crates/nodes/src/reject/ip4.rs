//! IPv4 under a REJECT rule: what the IP layer drops before the rule, and the datagram that answers
//! after it. Knows no Ethernet and no route.

use wire::checksum::{self, Sum};
use wire::segment::{IpPacket, NotIp};

use super::options::Options;
use super::rule::{DropReason, Profile, Rule};

pub(super) const TCP: u8 = 6;

/// RFC 1122 3.2.1: version, header length, checksum and total length are right, or the datagram is
/// dropped. Bytes behind the total length are padding. `packet` is where `parsed` was looked for.
#[inline]
pub(super) fn sound<'a>(
    parsed: Result<IpPacket<'a>, NotIp>,
    packet: &[u8],
) -> Result<IpPacket<'a>, DropReason> {
    match parsed {
        Ok(datagram) if datagram.is_truncated() => Err(DropReason::Truncated),
        Ok(datagram) if !datagram.header_checksum_ok() => Err(DropReason::HeaderChecksum),
        Ok(datagram) => Ok(datagram),
        // The header's sum is verified before its lengths are compared.
        Err(NotIp::TotalLength(_)) if !sum_holds(packet) => Err(DropReason::HeaderChecksum),
        Err(NotIp::TotalLength(_) | NotIp::HeaderLength(_)) => Err(DropReason::HeaderLength),
        Err(NotIp::Short | NotIp::Header | NotIp::Extension) => Err(DropReason::Truncated),
        Err(NotIp::OtherType(_) | NotIp::Version(_)) => Err(DropReason::NotIp),
    }
}

#[cold]
fn sum_holds(packet: &[u8]) -> bool {
    let length = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
    packet.get(..length).is_some_and(|header| checksum::internet_checksum(header) == 0)
}

/// Source and destination.
#[inline]
pub(super) fn ends(datagram: &IpPacket<'_>) -> ([u8; 4], [u8; 4]) {
    let header = datagram.header();
    let address = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]];
    (address(12), address(16))
}

/// Appends the datagram that answers, or says why none does.
#[inline]
pub(super) fn reset(
    rule: &Rule,
    trigger: &IpPacket<'_>,
    options: &Options,
    out: &mut Vec<u8>,
) -> Result<(), DropReason> {
    if trigger.fragment_offset() != 0 {
        return Err(DropReason::Fragment);
    }
    if trigger.protocol() != TCP {
        return Err(DropReason::NotTcp);
    }
    let (header, segment) = (trigger.header(), trigger.payload());
    let mut tcp = rule.header(segment)?;
    let (src, dst) = ends(trigger);
    if !checksum_holds(rule, trigger, options) {
        return Err(DropReason::Checksum);
    }
    let header_len = match rule.profile {
        Profile::Linux => 20,
        Profile::Linux26 => header.len(),
    };
    if header_len + 20 > rule.mtu {
        return Err(DropReason::Mtu);
    }
    match rule.profile {
        Profile::Linux => out.extend_from_slice(fresh(rule.ttl, src, dst).as_flattened()),
        Profile::Linux26 => {
            edited(header, out);
            tcp.reserve(segment[12]);
        }
    }
    tcp.append(Sum::pseudo_ip4(dst, src, TCP, 20), out);
    Ok(())
}

/// The 2.6 rule sums the segment. The 6.18 rule sums the whole datagram, trusting that a header
/// that was verified adds nothing; that trust fails once the IP layer has written into its options.
#[inline]
fn checksum_holds(rule: &Rule, trigger: &IpPacket<'_>, options: &Options) -> bool {
    let sum = trigger.pseudo_header();
    let sum = match (rule.profile, options) {
        (Profile::Linux26, _) | (_, Options::Untouched) => sum,
        (Profile::Linux, Options::Rewritten(header)) => {
            sum.bytes(&header[..trigger.header().len()])
        }
        (Profile::Linux, Options::Stamped) => return false,
    };
    sum.bytes(trigger.payload()).checksum() == 0
}

/// A header of its own to the trigger's source: no options, TOS 0, id 0 with DF set (RFC 6864 4.1).
#[inline]
pub(super) fn fresh(ttl: u8, src: [u8; 4], dst: [u8; 4]) -> [[u8; 4]; 5] {
    let (length, id) = ([0x45, 0, 0, 40], [0, 0, 0x40, 0]);
    let sum = Sum::new().bytes(&length).bytes(&id).bytes(&[ttl, TCP]).bytes(&dst).bytes(&src);
    let [high, low] = sum.checksum().to_be_bytes();
    [length, id, [ttl, TCP, high, low], dst, src]
}

/// The trigger's header, edited: TOS and options stay, addresses change places, TTL 255, id 0, DF.
#[inline]
fn edited(trigger: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(trigger);
    let header = &mut out[start..];
    header[2..4].copy_from_slice(&(trigger.len() as u16 + 20).to_be_bytes());
    header[4..9].copy_from_slice(&[0, 0, 0x40, 0, 255]);
    header[10..12].fill(0);
    header[12..16].copy_from_slice(&trigger[16..20]);
    header[16..20].copy_from_slice(&trigger[12..16]);
    let sum = checksum::internet_checksum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}
