//! The TCP half: header fields and payload of a segment as delivered.

use super::{FIN, IpPacket, NoTcp, SYN, TcpSegment};

impl<'a> TcpSegment<'a> {
    /// Finds the TCP segment of an Ethernet frame.
    ///
    /// # Errors
    /// Says why there is none.
    #[inline(always)]
    pub fn parse(frame: &'a [u8]) -> Result<Self, NoTcp> {
        IpPacket::parse(frame)?.tcp()
    }

    /// Header, options and payload as delivered: what the checksum covers.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The source port.
    #[inline]
    #[must_use]
    pub fn src_port(&self) -> u16 {
        self.short(0)
    }

    /// The destination port.
    #[inline]
    #[must_use]
    pub fn dst_port(&self) -> u16 {
        self.short(2)
    }

    /// SEG.SEQ.
    #[inline]
    #[must_use]
    pub fn seq(&self) -> u32 {
        self.long(4)
    }

    /// SEG.ACK, also where the ACK flag is not set.
    #[inline]
    #[must_use]
    pub fn ack(&self) -> u32 {
        self.long(8)
    }

    /// The data offset in words, as it stands: it may be under 5 or point past the end.
    #[inline]
    #[must_use]
    pub fn data_offset(&self) -> u8 {
        self.header[12] >> 4
    }

    /// The three reserved bits beside the data offset.
    #[inline]
    #[must_use]
    pub fn reserved(&self) -> u8 {
        self.header[12] >> 1 & 0x7
    }

    /// The nine flags, FIN as bit 0 to AE (formerly NS) as bit 8.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> u16 {
        self.short(12) & 0x1ff
    }

    /// All of these flags are set.
    #[inline]
    #[must_use]
    pub fn has(&self, flags: u16) -> bool {
        self.flags() & flags == flags
    }

    /// SEG.WND, unscaled.
    #[inline]
    #[must_use]
    pub fn window(&self) -> u16 {
        self.short(14)
    }

    /// The checksum as it stands.
    #[inline]
    #[must_use]
    pub fn checksum(&self) -> u16 {
        self.short(16)
    }

    /// The urgent pointer.
    #[inline]
    #[must_use]
    pub fn urgent(&self) -> u16 {
        self.short(18)
    }

    /// The checksum is right over the delivered bytes.
    #[inline]
    #[must_use]
    pub fn checksum_ok(&self) -> bool {
        self.ip.transport_checksum_ok()
    }

    /// The data offset is at least 5 and its header was delivered whole.
    #[inline]
    #[must_use]
    pub fn data_offset_ok(&self) -> bool {
        (20..=self.bytes.len()).contains(&(usize::from(self.data_offset()) * 4))
    }

    /// The option bytes; `None` when the data offset lies.
    #[inline]
    #[must_use]
    pub fn options(&self) -> Option<&'a [u8]> {
        self.bytes.get(20..usize::from(self.data_offset()) * 4)
    }

    /// The payload as delivered; `None` when the data offset lies.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> Option<&'a [u8]> {
        if self.data_offset() < 5 {
            return None;
        }
        self.bytes.get(usize::from(self.data_offset()) * 4..)
    }

    /// The payload's length as arithmetic without a check has it: delivered bytes less four times
    /// the data offset. Negative when the offset points past the end, too large when under 5.
    #[inline]
    #[must_use]
    pub fn payload_len_unchecked(&self) -> i32 {
        // At most 65,535 bytes of IP payload for IPv4; a frame is far below 2^31 in any case.
        self.bytes.len() as i32 - i32::from(self.data_offset()) * 4
    }

    /// SEG.LEN: the sequence numbers it takes, SYN and FIN included (RFC 9293 3.4), from
    /// [`TcpSegment::payload_len_unchecked`] and so modulo 2^32.
    #[inline]
    #[must_use]
    pub fn segment_len(&self) -> u32 {
        let flags = u32::from(self.has(SYN)) + u32::from(self.has(FIN));
        (self.payload_len_unchecked() as u32).wrapping_add(flags)
    }

    #[inline]
    fn short(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.header[at], self.header[at + 1]])
    }

    #[inline]
    fn long(&self, at: usize) -> u32 {
        let header = self.header;
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    }
}
