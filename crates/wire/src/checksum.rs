//! The Internet checksum, RFC 1071, and the pseudo-headers that TCP, UDP and ICMPv6 put before it.
//!
//! Knows no header: what is summed is the caller's affair. A checksum field is summed as it stands
//! in the bytes, so the value to store comes from bytes in which it is zero, and a right checksum
//! gives 0. UDP's rule that a computed 0 is sent as 0xffff belongs to the builder.

/// From here on four sums side by side pay; below, one is faster.
const LONG: usize = 256;

/// A ones' complement sum in the making, over parts of any length, odd ones too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// 32-bit little-endian words: the sum is the same in any byte order (RFC 1071 2(B)), and this
    /// one costs nothing to load. 64 bits take 16 GiB of them.
    words: u64,
    /// An odd count of bytes went in: the next byte is the low half of a 16-bit word.
    odd: bool,
}

impl Sum {
    /// An empty sum.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { words: 0, odd: false }
    }

    /// The pseudo-header of IPv4, RFC 9293 3.1: addresses, protocol and the upper layer's length.
    #[inline]
    #[must_use]
    pub fn pseudo_ip4(src: [u8; 4], dst: [u8; 4], protocol: u8, length: u16) -> Self {
        let [high, low] = length.to_be_bytes();
        let words = u64::from(u32::from_le_bytes(src))
            + u64::from(u32::from_le_bytes(dst))
            + u64::from(u32::from_le_bytes([0, protocol, high, low]));
        Self { words, odd: false }
    }

    /// The pseudo-header of IPv6, RFC 8200 8.1; `dst` is the final destination.
    #[inline]
    #[must_use]
    pub fn pseudo_ip6(src: [u8; 16], dst: [u8; 16], next_header: u8, length: u32) -> Self {
        let words = u64::from(u32::from_le_bytes(length.to_be_bytes()))
            + u64::from(u32::from_le_bytes([0, 0, 0, next_header]));
        Self { words: words + narrow(short(&src)) + narrow(short(&dst)), odd: false }
    }

    /// Adds the bytes that follow.
    #[inline]
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let sum = of(bytes);
        // After an odd count every byte stands in the other half of its word.
        let sum = if self.odd { u64::from(fold(sum).swap_bytes()) } else { sum };
        Self { words: self.words + sum, odd: self.odd ^ (bytes.len() % 2 == 1) }
    }

    /// The complement of the sum: the checksum, as a number in network order.
    #[inline]
    #[must_use]
    pub const fn checksum(self) -> u16 {
        !fold(self.words).swap_bytes()
    }
}

/// The Internet checksum over some bytes; 0 when they hold their own right checksum.
///
/// ```
/// # use wireproof_wire as wire;
/// // The IPv4 header of a reset that Linux sent, with its checksum in place and without.
/// let mut header = [
///     0x45, 0, 0, 0x28, 0, 0, 0x40, 0, 0x40, 6, 0x26, 0xce, 10, 0, 0, 2, 10, 0, 0, 1,
/// ];
/// assert_eq!(wire::checksum::internet_checksum(&header), 0);
/// header[10..12].fill(0);
/// assert_eq!(wire::checksum::internet_checksum(&header), 0x26ce);
/// ```
#[inline]
#[must_use]
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    Sum::new().bytes(bytes).checksum()
}

/// TCP's checksum over IPv4, RFC 9293 3.1; 0 when the segment holds its own right checksum.
#[inline]
#[must_use]
pub fn tcp_ip4(src: [u8; 4], dst: [u8; 4], segment: &[u8]) -> u16 {
    transport_ip4(src, dst, 6, segment)
}

/// TCP's checksum over IPv6, RFC 8200 8.1; 0 when the segment holds its own right checksum.
#[inline]
#[must_use]
pub fn tcp_ip6(src: [u8; 16], dst: [u8; 16], segment: &[u8]) -> u16 {
    transport_ip6(src, dst, 6, segment)
}

/// The checksum of any protocol that uses IPv4's pseudo-header. The pseudo-header's 16-bit length
/// is that of `bytes`, modulo 2^16 for what no IPv4 datagram can carry.
#[inline]
#[must_use]
pub fn transport_ip4(src: [u8; 4], dst: [u8; 4], protocol: u8, bytes: &[u8]) -> u16 {
    Sum::pseudo_ip4(src, dst, protocol, bytes.len() as u16).bytes(bytes).checksum()
}

/// The checksum of any protocol that uses IPv6's pseudo-header. The pseudo-header's 32-bit length
/// is that of `bytes`.
#[inline]
#[must_use]
pub fn transport_ip6(src: [u8; 16], dst: [u8; 16], next_header: u8, bytes: &[u8]) -> u16 {
    Sum::pseudo_ip6(src, dst, next_header, bytes.len() as u32).bytes(bytes).checksum()
}

/// Both checksums hold in an IPv4 datagram with a header of 20 bytes that carries a whole TCP
/// segment and ends with it; false as well where the bytes do not even hold both headers.
///
/// Verifies in one pass: the two addresses, which both sums have in them, are loaded once, and the
/// headers stand at fixed places. The IP header's own length field is not looked at; the bytes are
/// the datagram.
#[inline(always)]
#[must_use]
pub fn ip4_tcp_holds(datagram: &[u8]) -> bool {
    let Some((head, payload)) = datagram.split_first_chunk::<40>() else { return false };
    let (words, _) = head.as_chunks::<8>();
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at: usize| u64::from_le_bytes(words[at]));
    let [high, low] = ((datagram.len() - 20) as u16).to_be_bytes();
    let pseudo = u64::from(u32::from_le_bytes([0, 6, high, low]));
    // The addresses are the upper half of `b` and the lower half of `c`.
    let header = plus(plus(a, b), c & 0xffff_ffff);
    let upper = plus(plus(c, d), plus(e, (b >> 32) + pseudo));
    let upper = if payload.is_empty() { upper } else { plus(upper, wide(payload)) };
    // A sum that holds is a multiple of 0xffff and not zero, which `pseudo` cannot be.
    header != 0 && header.is_multiple_of(0xffff) && upper.is_multiple_of(0xffff)
}

/// The sum of bytes of which the first stands at an even place, as one of 32-bit words.
#[inline]
fn of(bytes: &[u8]) -> u64 {
    narrow(wide(bytes))
}

/// The same as one of 64-bit words, which is the same sum (RFC 1071 2(C)).
#[inline(always)]
fn wide(bytes: &[u8]) -> u64 {
    if bytes.len() < LONG { short(bytes) } else { long(bytes) }
}

/// The ones' complement sum of two words: what is carried out of it comes in again.
#[inline(always)]
const fn plus(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    sum + carry as u64
}

/// Headers and small segments.
#[inline(always)]
fn short(mut bytes: &[u8]) -> u64 {
    let mut sum = 0;
    while let Some((block, rest)) = bytes.split_first_chunk::<32>() {
        sum = block.as_chunks::<8>().0.iter().fold(sum, add);
        bytes = rest;
    }
    if let Some((block, rest)) = bytes.split_first_chunk::<16>() {
        sum = block.as_chunks::<8>().0.iter().fold(sum, add);
        bytes = rest;
    }
    if let Some((word, rest)) = bytes.split_first_chunk::<8>() {
        sum = add(sum, word);
        bytes = rest;
    }
    if bytes.is_empty() { sum } else { plus(sum, last(bytes)) }
}

#[inline(always)]
fn add(sum: u64, word: &[u8; 8]) -> u64 {
    plus(sum, u64::from_le_bytes(*word))
}

/// Long payloads: four such sums side by side, so that no addition waits for the one before.
fn long(bytes: &[u8]) -> u64 {
    let (blocks, tail) = bytes.as_chunks::<32>();
    let mut sums = [0u128; 4];
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum += u128::from(u64::from_le_bytes(*word));
        }
    }
    let sum: u128 = sums.iter().sum();
    plus(plus(sum as u64, (sum >> 64) as u64), short(tail))
}

/// A sum of 64-bit words as one of 32-bit words, which is the same sum (RFC 1071 2(C)).
#[inline(always)]
const fn narrow(sum: u64) -> u64 {
    (sum & 0xffff_ffff) + (sum >> 32)
}

/// Fewer than eight bytes; an odd last one is the high half of its word (RFC 1071 section 4.1).
#[inline]
fn last(mut tail: &[u8]) -> u64 {
    let mut sum = 0;
    if let Some((word, rest)) = tail.split_first_chunk::<4>() {
        sum += u64::from(u32::from_le_bytes(*word));
        tail = rest;
    }
    if let Some((word, rest)) = tail.split_first_chunk::<2>() {
        sum += u64::from(u16::from_le_bytes(*word));
        tail = rest;
    }
    sum + tail.first().map_or(0, |byte| u64::from(*byte))
}

/// A sum of wide words as one 16-bit word, carries added back in: a number and itself with its
/// halves swapped add up to the folded sum in the upper half, the carry of the lower half included.
#[inline]
const fn fold(sum: u64) -> u16 {
    let sum = (sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32;
    (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use etherparse::checksum::Sum16BitWords;
    use proptest::prelude::*;

    use super::*;

    /// RFC 1071 as it reads: 16-bit words, the odd byte padded, carries added at the end.
    fn naive(bytes: &[u8]) -> u16 {
        let mut sum = 0u64;
        for pair in bytes.chunks(2) {
            sum += u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low));
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    fn pseudo_ip4(src: [u8; 4], dst: [u8; 4], protocol: u8, bytes: &[u8]) -> Vec<u8> {
        let length = (bytes.len() as u16).to_be_bytes();
        [&src[..], &dst, &[0, protocol], &length, bytes].concat()
    }

    fn pseudo_ip6(src: [u8; 16], dst: [u8; 16], protocol: u8, bytes: &[u8]) -> Vec<u8> {
        let length = (bytes.len() as u32).to_be_bytes();
        [&src[..], &dst, &length, &[0, 0, 0, protocol], bytes].concat()
    }

    #[test]
    fn the_example_of_rfc_1071_section_3() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(internet_checksum(&bytes), !0xddf2);
    }

    #[test]
    fn nothing_and_all_ones() {
        assert_eq!(internet_checksum(&[]), 0xffff);
        for len in [2, 8, 64, 126, 128, 1480, 65_534] {
            assert_eq!(internet_checksum(&vec![0xff; len]), 0, "{len} bytes");
            assert_eq!(internet_checksum(&vec![0; len]), 0xffff, "{len} bytes");
        }
    }

    #[test]
    fn the_reset_that_linux_sent() {
        let segment =
            [0, 0x50, 0x0f, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0x8c, 0x50, 0x14, 0, 0, 0, 0, 0, 0];
        assert_eq!(tcp_ip4([10, 0, 0, 2], [10, 0, 0, 1], &segment), 0x8b52);
    }

    proptest! {
        #[test]
        fn agrees_with_rfc_1071_and_etherparse(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                prop::collection::vec(prop_oneof![Just(0xff), any::<u8>()], 0..3000),
            ],
        ) {
            let ours = internet_checksum(&bytes);
            prop_assert_eq!(ours, naive(&bytes));
            let witness = Sum16BitWords::new().add_slice(&bytes).ones_complement();
            prop_assert_eq!(ours, u16::from_be(witness));
        }

        /// Right sums hold, and one changed byte anywhere ends that, as the parts say it.
        #[test]
        fn both_checksums_of_a_datagram_hold_as_each_does(
            head in any::<[u8; 20]>(),
            tcp in any::<[u8; 20]>(),
            payload in prop::collection::vec(any::<u8>(), 0..600),
            change in prop::option::of((any::<prop::sample::Index>(), 1u8..)),
            cut in 0usize..20,
        ) {
            let mut datagram = [&head[..], &tcp, &payload].concat();
            let (src, dst) = ([head[12], head[13], head[14], head[15]],
                [head[16], head[17], head[18], head[19]]);
            datagram[10..12].fill(0);
            datagram[36..38].fill(0);
            let sums = [internet_checksum(&datagram[..20]), tcp_ip4(src, dst, &datagram[20..])];
            datagram[10..12].copy_from_slice(&sums[0].to_be_bytes());
            datagram[36..38].copy_from_slice(&sums[1].to_be_bytes());
            prop_assert!(ip4_tcp_holds(&datagram));
            if let Some((at, by)) = change {
                let at = at.index(datagram.len());
                datagram[at] ^= by;
            }
            let (src, dst) = (<[u8; 4]>::try_from(&datagram[12..16]), datagram[16..20].try_into());
            let each = internet_checksum(&datagram[..20]) == 0
                && tcp_ip4(src.unwrap(), dst.unwrap(), &datagram[20..]) == 0;
            prop_assert_eq!(ip4_tcp_holds(&datagram), each);
            prop_assert_eq!(ip4_tcp_holds(&datagram), change.is_none());
            prop_assert!(!ip4_tcp_holds(&datagram[..20 + cut]));
        }

        #[test]
        fn parts_sum_to_the_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..6),
        ) {
            let sum = parts.iter().fold(Sum::new(), |sum, part| sum.bytes(part));
            prop_assert_eq!(sum.checksum(), naive(&parts.concat()));
        }

        #[test]
        fn pseudo_headers_are_those_of_the_rfcs(
            src in any::<[u8; 16]>(),
            dst in any::<[u8; 16]>(),
            protocol in any::<u8>(),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let (src4, dst4) = ([src[0], src[1], src[2], src[3]], [dst[0], dst[1], dst[2], dst[3]]);
            let four = pseudo_ip4(src4, dst4, protocol, &bytes);
            prop_assert_eq!(transport_ip4(src4, dst4, protocol, &bytes), naive(&four));
            let six = pseudo_ip6(src, dst, protocol, &bytes);
            prop_assert_eq!(transport_ip6(src, dst, protocol, &bytes), naive(&six));
        }

        #[test]
        fn a_stored_checksum_sums_to_zero(
            mut bytes in prop::collection::vec(any::<u8>(), 2..200),
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(bytes.len() / 2) * 2;
            bytes[at..at + 2].fill(0);
            let checksum = internet_checksum(&bytes);
            bytes[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
            prop_assert_eq!(internet_checksum(&bytes), 0);
        }
    }
}
