//! Random segments to a REJECT rule, as a function of a seed: right ones, and ones with a lie in
//! them. Sources, lengths and fields are such that the kernel has no reason of its own to speak.

use wireproof::wire::checksum;

/// The triggers, each with a word on what is odd about it.
pub(crate) struct Triggers {
    state: u64,
    /// Datagrams so far: none is taken for a fragment of another.
    id: u16,
}

impl Triggers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1, id: 0 }
    }

    /// xorshift64*: a test's choices, not a wire's.
    fn next_number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next_number() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A sequence number, often near an end of their circle.
    fn sequence(&mut self) -> u32 {
        match self.below(4) {
            0 => u32::MAX - self.below(40) as u32,
            1 => self.below(40) as u32,
            _ => self.next_number() as u32,
        }
    }

    fn segment(&mut self, about: &mut String) -> Vec<u8> {
        let mut tcp = Vec::new();
        let source = 1024 + self.below(60_000) as u16;
        tcp.extend(source.to_be_bytes());
        tcp.extend((self.below(65_536) as u16).to_be_bytes());
        tcp.extend(self.sequence().to_be_bytes());
        tcp.extend(self.sequence().to_be_bytes());
        let options = if self.one_in(3) { self.below(11) as usize * 4 } else { 0 };
        let mut offset = 5 + options / 4;
        if self.one_in(12) {
            offset = self.below(16) as usize;
            *about += "data offset, ";
        }
        let reserved = if self.one_in(6) { self.below(16) as usize } else { 0 };
        // A flag byte with RST in half of all cases would mostly measure silence.
        let keep = if self.one_in(10) { 0xff } else { 0xfb };
        tcp.extend([(offset << 4 | reserved) as u8, self.next_number() as u8 & keep]);
        tcp.extend((self.next_number() as u16).to_be_bytes());
        tcp.extend([0, 0]);
        tcp.extend((self.next_number() as u16).to_be_bytes());
        tcp.resize(20 + options, 1);
        let length = if self.one_in(20) { 1300 } else { self.below(60) as usize };
        let fill = self.next_number() as u8;
        tcp.resize(tcp.len() + length, fill);
        if self.one_in(25) {
            tcp.truncate(self.below(20) as usize);
            *about += "cut, ";
        }
        tcp
    }

    fn finish(&mut self, sum: u16, tcp: &mut [u8], about: &mut String) {
        if let Some(place) = tcp.get_mut(16..18) {
            place.copy_from_slice(&sum.to_be_bytes());
            if self.one_in(15) {
                place[0] ^= 1;
                *about += "TCP checksum, ";
            }
        }
    }

    fn ip4(&mut self, about: &mut String) -> Vec<u8> {
        let (source, target) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let mut tcp = self.segment(about);
        let sum = checksum::tcp_ip4(source, target, &tcp);
        self.finish(sum, &mut tcp, about);
        let options = if self.one_in(10) { self.below(11) as usize * 4 } else { 0 };
        let mut fragment: u16 = if self.one_in(2) { 0x4000 } else { 0 };
        if self.one_in(20) {
            fragment = 0x2000 | self.below(4) as u16;
            *about += "fragment, ";
        }
        self.id += 1;
        let length = (20 + options + tcp.len()) as u16;
        let mut ip = vec![0x45 + (options / 4) as u8, self.next_number() as u8];
        ip.extend(length.to_be_bytes());
        ip.extend(self.id.to_be_bytes());
        ip.extend(fragment.to_be_bytes());
        ip.extend([1 + self.below(255) as u8, 6, 0, 0]);
        ip.extend(source);
        ip.extend(target);
        ip.resize(20 + options, 1);
        let sum = checksum::internet_checksum(&ip);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        if self.one_in(30) {
            ip[10] ^= 1;
            *about += "IPv4 checksum, ";
        }
        ip.extend(tcp);
        ip
    }

    fn ip6(&mut self, about: &mut String) -> Vec<u8> {
        let address = |last: u8| {
            let mut address = [0; 16];
            address[0] = 0xfd;
            address[15] = last;
            address
        };
        let (source, target) = (address(1), address(2));
        let mut tcp = self.segment(about);
        let sum = checksum::tcp_ip6(source, target, &tcp);
        self.finish(sum, &mut tcp, about);
        let first = 0x6000_0000 | (self.next_number() as u32 & 0x0fff_ffff);
        let mut ip = first.to_be_bytes().to_vec();
        ip.extend((tcp.len() as u16).to_be_bytes());
        ip.extend([6, 1 + self.below(255) as u8]);
        ip.extend(source);
        ip.extend(target);
        ip.extend(tcp);
        ip
    }
}

impl Iterator for Triggers {
    type Item = (String, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut about = String::new();
        let ip6 = self.one_in(3);
        let packet = if ip6 { self.ip6(&mut about) } else { self.ip4(&mut about) };
        let ethertype: [u8; 2] = if ip6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        frame.extend(ethertype);
        frame.extend(packet);
        if self.one_in(2) && frame.len() < 60 {
            frame.resize(60, self.next_number() as u8);
            about += "padded, ";
        }
        Some((about.trim_end_matches(", ").to_owned(), frame))
    }
}
