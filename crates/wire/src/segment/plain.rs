//! Plain TCP over IPv4, the frame that fast paths take: untagged Ethernet II, an IPv4 header
//! without options, a whole TCP header. It is proved here, once, that each header stands at its
//! fixed place. Who may have sent the frame, and what it asks for, is for whoever takes it.

use super::array;
use crate::checksum::ip4_tcp_holds;

/// A frame of which the headers stand at fixed places: Ethernet at 0, IPv4 at 14, TCP at 34.
#[derive(Clone, Copy, Debug)]
pub struct PlainTcp4<'a> {
    headers: &'a [u8; 54],
    frame: &'a [u8],
    end: usize,
}

impl<'a> PlainTcp4<'a> {
    /// Proves that the frame is one: no VLAN tag, no IPv4 option, no fragment, and as many bytes as
    /// the total length says, which holds a TCP header. TCP options and padding may follow it.
    // Inlined by force: each of its callers is in a loop over every frame.
    #[inline(always)]
    #[must_use]
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let headers = frame.first_chunk::<54>()?;
        let end = end(headers);
        let whole = end >= 54 && end <= frame.len();
        (is_plain(headers) && whole).then_some(Self { headers, frame, end })
    }

    /// The same for a frame that ends with its datagram and has nothing odd in its headers: the TTL
    /// is above zero, the reserved bits are zero, and the TCP data offset lies within the segment.
    #[inline(always)]
    #[must_use]
    pub fn sound(frame: &'a [u8]) -> Option<Self> {
        let plain = Self::sound_to_tcp(frame)?;
        let offset = usize::from(plain.headers[46] >> 4) * 4;
        let sound = plain.headers[46] & 0x0e == 0 && offset >= 20 && offset + 34 <= plain.end;
        sound.then_some(plain)
    }

    /// The same for a frame whose TCP header has no options.
    #[inline(always)]
    #[must_use]
    pub fn sound_without_options(frame: &'a [u8]) -> Option<Self> {
        let plain = Self::sound_to_tcp(frame)?;
        // The lowest of these bits is the flag AE.
        (u16::from_be_bytes(array(plain.headers, 46)) & 0xfe00 == 0x5000).then_some(plain)
    }

    #[inline(always)]
    fn sound_to_tcp(frame: &'a [u8]) -> Option<Self> {
        let headers = frame.first_chunk::<54>()?;
        let end = end(headers);
        let sound =
            is_plain(headers) && headers[20] & 0x80 == 0 && headers[22] != 0 && end == frame.len();
        sound.then_some(Self { headers, frame, end })
    }

    /// Both checksums are right.
    #[inline(always)]
    #[must_use]
    pub fn checksums_hold(&self) -> bool {
        ip4_tcp_holds(&self.frame[14..self.end])
    }

    /// The three headers, without TCP options.
    #[inline(always)]
    #[must_use]
    pub const fn headers(&self) -> &'a [u8; 54] {
        self.headers
    }

    /// The TCP segment, without padding.
    #[inline(always)]
    #[must_use]
    pub fn segment(&self) -> &'a [u8] {
        &self.frame[34..self.end]
    }

    /// The nine flags of TCP, FIN as bit 0 to AE as bit 8.
    #[inline(always)]
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16::from_be_bytes(array(self.headers, 46)) & 0x1ff
    }
}

/// Type, version and IHL; then no offset and no more fragments, and the protocol.
#[inline(always)]
fn is_plain(headers: &[u8; 54]) -> bool {
    let kind = u32::from_be_bytes(array(headers, 12)) & 0xffff_ff00 == 0x0800_4500;
    kind && u32::from_be_bytes(array(headers, 20)) & 0x3fff_00ff == 6
}

/// Where the datagram ends by its total length.
#[inline(always)]
fn end(headers: &[u8; 54]) -> usize {
    14 + usize::from(u16::from_be_bytes(array(headers, 16)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checksum::{internet_checksum, tcp_ip4};
    use crate::{Proto, view};

    fn frame(payload: &[u8]) -> Vec<u8> {
        let total = (40 + payload.len() as u16).to_be_bytes();
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        frame.extend([total[0], total[1], 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 1, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x12, 2, 0, 0, 0, 0, 0]);
        frame.extend(payload);
        let header = internet_checksum(&frame[14..34]).to_be_bytes();
        frame[24..26].copy_from_slice(&header);
        let tcp = tcp_ip4([10, 0, 0, 1], [10, 0, 0, 2], &frame[34..]).to_be_bytes();
        frame[50..52].copy_from_slice(&tcp);
        frame
    }

    #[test]
    fn the_plain_frame_is_one_and_its_neighbours_are_not() {
        let right = frame(&[1, 2, 3]);
        let plain = PlainTcp4::parse(&right).unwrap();
        assert!(plain.checksums_hold());
        assert!(PlainTcp4::sound(&right).is_some());
        assert!(PlainTcp4::sound_without_options(&right).is_some());
        assert_eq!((plain.flags(), plain.segment().len()), (0x12, 23));
        // Type, version, IHL, total length, more fragments, offset, protocol.
        for (at, byte) in [
            (12, 0x81),
            (13, 1),
            (14, 0x55),
            (14, 0x46),
            (16, 1),
            (17, 39),
            (17, 44),
            (20, 0x60),
            (20, 1),
            (21, 1),
            (23, 17),
        ] {
            let mut other = right.clone();
            other[at] = byte;
            assert!(PlainTcp4::parse(&other).is_none(), "byte {at} is {byte:#04x}");
        }
        assert!(PlainTcp4::parse(&right[..53]).is_none());
    }

    #[test]
    fn what_is_odd_is_not_sound() {
        let right = frame(&[1, 2, 3]);
        let sound =
            |frame: &[u8]| PlainTcp4::parse(frame).map(|_| PlainTcp4::sound(frame).is_some());
        for (at, byte, is) in [
            (1, 9, true),
            (15, 9, true),
            (20, 0, true),
            (20, 0xc0, false),
            (22, 1, true),
            (22, 0, false),
            (46, 0x51, true),
            (46, 0x52, false),
            (46, 0x58, false),
            (46, 0x40, false),
            (46, 0x60, false),
            (17, 42, false),
        ] {
            let mut other = right.clone();
            other[at] = byte;
            assert_eq!(sound(&other), Some(is), "byte {at} is {byte:#04x}");
        }
        let mut options = frame(&[1, 1, 1, 0]);
        options[46] = 0x60;
        assert_eq!(sound(&options), Some(true));
        assert!(PlainTcp4::sound_without_options(&options).is_none());
        options.push(0);
        assert_eq!(sound(&options), Some(false), "padding");
    }

    proptest! {
        /// What is proved here, the view of all headers sees as well.
        #[test]
        fn plain_is_plain_to_the_view(
            payload in prop::collection::vec(any::<u8>(), 0..9),
            changes in prop::collection::vec((0usize..60, any::<u8>()), 0..3),
            padding in 0usize..3,
        ) {
            let mut bytes = frame(&payload);
            for (at, byte) in changes {
                if let Some(there) = bytes.get_mut(at) {
                    *there = byte;
                }
            }
            bytes.resize(bytes.len() + padding, 0);
            let lax = view::lax(&bytes);
            let places = lax.layers().iter().map(|layer| (layer.proto, layer.start));
            let fixed = [(Proto::Eth, 0), (Proto::Ip4, 14), (Proto::Tcp, 34)];
            let is_at_place = places.take(3).eq(fixed) && bytes[14] == 0x45;
            let is_plain = is_at_place && !lax.is_fragment() && !lax.is_truncated();
            let plain = PlainTcp4::parse(&bytes);
            if let Some(plain) = plain {
                let stopped = lax.stop().is_some_and(|error| error.layer == Proto::Tcp);
                prop_assert!(is_plain || stopped, "{bytes:02x?}");
                prop_assert_eq!(plain.checksums_hold(), ip4_tcp_holds(&bytes[14..plain.end]));
                let trailer = !lax.trailer().is_empty();
                let sound = PlainTcp4::sound(&bytes).is_some();
                let bare = PlainTcp4::sound_without_options(&bytes).is_some();
                prop_assert_eq!(bare, sound && bytes[46] >> 4 == 5);
                prop_assert!(!sound || (!trailer && lax.stop().is_none()));
            } else {
                prop_assert!(PlainTcp4::sound(&bytes).is_none());
                prop_assert!(!is_plain || !lax.faults().is_empty(), "{bytes:02x?}");
            }
        }
    }
}
