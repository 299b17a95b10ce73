//! Triggers for a REJECT rule, well-formed but for what a test makes wrong.

use wire::checksum;

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
/// A segment from port 4000 to port 80 in a packet of either family.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) ip6: bool,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) data_offset: u8,
    pub(crate) reserved: u8,
    pub(crate) payload: Vec<u8>,
    pub(crate) tos: u8,
    pub(crate) ip_options: Vec<u8>,
    pub(crate) fragment: u16,
}

impl Trigger {
    pub(crate) fn new(ip6: bool, flags: u8, payload: &[u8]) -> Self {
        Self {
            ip6,
            seq: 123,
            ack: 777,
            flags,
            data_offset: 5,
            reserved: 0,
            payload: payload.to_vec(),
            tos: 0,
            ip_options: Vec::new(),
            fragment: 0x4000,
        }
    }

    pub(crate) fn segment(&self) -> Vec<u8> {
        let mut tcp = vec![0x0f, 0xa0, 0, 80];
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([self.data_offset << 4 | self.reserved, self.flags, 2, 48, 0, 0, 0, 9]);
        tcp.extend(&self.payload);
        let sum = if self.ip6 {
            checksum::tcp_ip6(SRC6, DST6, &tcp)
        } else {
            checksum::tcp_ip4(SRC4, DST4, &tcp)
        };
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }

    pub(crate) fn packet(&self) -> Vec<u8> {
        if self.ip6 { ip6(6, &self.segment()) } else { self.around(&self.segment()) }
    }

    pub(crate) fn around(&self, segment: &[u8]) -> Vec<u8> {
        let header = 20 + self.ip_options.len();
        let mut ip = vec![0x40 | (header / 4) as u8, self.tos];
        ip.extend((header as u16 + segment.len() as u16).to_be_bytes());
        ip.extend([0x12, 0x34, (self.fragment >> 8) as u8, self.fragment as u8, 9, 6, 0, 0]);
        ip.extend(SRC4);
        ip.extend(DST4);
        ip.extend(&self.ip_options);
        let sum = checksum::internet_checksum(&ip);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        ip.extend(segment);
        ip
    }
}

pub(crate) const SRC4: [u8; 4] = [10, 0, 0, 1];
pub(crate) const DST4: [u8; 4] = [10, 0, 0, 2];
pub(crate) const SRC6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(crate) const DST6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

pub(crate) fn ip6(next: u8, body: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x6a, 0xb1, 0x23, 0x45];
    ip.extend((body.len() as u16).to_be_bytes());
    ip.extend([next, 9]);
    ip.extend(SRC6);
    ip.extend(DST6);
    ip.extend(body);
    ip
}
