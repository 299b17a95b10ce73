//! IPv4 under a REJECT rule: what the IP layer drops before the rule, and the datagram that answers
//! after it. Knows no Ethernet and no route.

use wire::checksum::{self, Sum};

use super::options::Options;
use super::reset::{DropReason, Profile, Rule};

pub(super) const TCP: u8 = 6;

/// A datagram with a sound header, without the bytes behind its total length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    /// The header with its options.
    pub(super) header: &'a [u8],
    /// What it carries.
    pub(super) body: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// RFC 1122 3.2.1: version, header length, checksum and total length are right, or it is
    /// dropped without a word. Bytes behind the total length are padding.
    #[inline]
    pub(super) fn parse(packet: &'a [u8]) -> Result<Self, DropReason> {
        let Some(fixed) = packet.first_chunk::<20>() else { return Err(DropReason::Truncated) };
        if fixed[0] >> 4 != 4 {
            return Err(DropReason::NotIp);
        }
        let header_len = usize::from(fixed[0] & 15) * 4;
        if header_len < 20 {
            return Err(DropReason::HeaderLength);
        }
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if packet.len() < header_len.max(total) {
            return Err(DropReason::Truncated);
        }
        if Sum::new().bytes(fixed).bytes(&packet[20..header_len]).checksum() != 0 {
            return Err(DropReason::HeaderChecksum);
        }
        if total < header_len {
            return Err(DropReason::HeaderLength);
        }
        let (header, body) = packet[..total].split_at(header_len);
        Ok(Self { header, body })
    }

    #[inline]
    pub(super) fn src(&self) -> [u8; 4] {
        [self.header[12], self.header[13], self.header[14], self.header[15]]
    }

    #[inline]
    pub(super) fn dst(&self) -> [u8; 4] {
        [self.header[16], self.header[17], self.header[18], self.header[19]]
    }

    #[inline]
    pub(super) fn protocol(&self) -> u8 {
        self.header[9]
    }

    /// More-fragments and the offset in bytes.
    #[inline]
    pub(super) fn fragment(&self) -> (bool, usize) {
        let bits = u16::from_be_bytes([self.header[6], self.header[7]]);
        (bits & 0x2000 != 0, usize::from(bits & 0x1fff) * 8)
    }
}

/// Appends the datagram that answers, or says why none does.
#[inline]
pub(super) fn reset(
    rule: &Rule,
    trigger: &Datagram<'_>,
    options: &Options,
    out: &mut Vec<u8>,
) -> Result<(), DropReason> {
    if trigger.fragment().1 != 0 {
        return Err(DropReason::Fragment);
    }
    if trigger.protocol() != TCP {
        return Err(DropReason::NotTcp);
    }
    let mut tcp = rule.header(trigger.body)?;
    let (src, dst) = (trigger.src(), trigger.dst());
    if !checksum_holds(rule, trigger, options) {
        return Err(DropReason::Checksum);
    }
    let header_len = match rule.profile {
        Profile::Linux => 20,
        Profile::Linux26 => trigger.header.len(),
    };
    if header_len + 20 > rule.mtu {
        return Err(DropReason::Mtu);
    }
    match rule.profile {
        Profile::Linux => out.extend_from_slice(fresh(rule.ttl, src, dst).as_flattened()),
        Profile::Linux26 => {
            edited(trigger.header, out);
            tcp.reserve(trigger.body[12]);
        }
    }
    tcp.append(Sum::pseudo_ip4(dst, src, TCP, 20), out);
    Ok(())
}

/// The 2.6 rule sums the segment. The 6.18 rule sums the whole datagram, trusting that a header
/// that was verified adds nothing; that trust fails once the IP layer has written into its options.
#[inline]
fn checksum_holds(rule: &Rule, trigger: &Datagram<'_>, options: &Options) -> bool {
    let length = trigger.body.len() as u16;
    let sum = Sum::pseudo_ip4(trigger.src(), trigger.dst(), TCP, length);
    let sum = match (rule.profile, options) {
        (Profile::Linux26, _) | (_, Options::Untouched) => sum,
        (Profile::Linux, Options::Rewritten(header)) => sum.bytes(&header[..trigger.header.len()]),
        (Profile::Linux, Options::Stamped) => return false,
    };
    sum.bytes(trigger.body).checksum() == 0
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
