//! Changing one thing in a finished frame, and making the checksums right again around it, so that
//! the fault planted is the only one there is. Knows where headers stand; knows no fault.

use std::net::{IpAddr, Ipv4Addr};

use link::PortConfig;
use wire::segment::{IpPacket, RST};
use wire::{Field, Mac, Proto, Value, checksum};

/// A frame being changed.
#[derive(Debug, Default)]
pub struct Edit {
    frame: Vec<u8>,
    own: (Mac, Option<Ipv4Addr>),
}

impl Edit {
    /// Starts over with the bytes of a frame.
    pub fn load(&mut self, frame: &[u8]) {
        self.frame.clear();
        self.frame.extend_from_slice(frame);
    }

    /// Whose port the frame comes in by.
    pub fn owner(&mut self, port: &PortConfig) {
        let v4 = port.addresses.iter().find_map(|address| match address.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
        self.own = (port.mac, v4);
    }

    /// The Ethernet address of that port.
    #[must_use]
    pub fn own_mac(&self) -> Mac {
        self.own.0
    }

    /// The first IPv4 address of that port.
    #[must_use]
    pub fn own_ip4(&self) -> Option<Ipv4Addr> {
        self.own.1
    }

    /// The frame as it stands.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// The IP packet in it.
    #[must_use]
    pub fn ip(&self) -> Option<IpPacket<'_>> {
        IpPacket::parse(&self.frame).ok()
    }

    /// It carries an unfragmented TCP segment with RST.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        let segment = self.ip().filter(|ip| !ip.is_fragment()).and_then(|ip| ip.tcp().ok());
        segment.is_some_and(|segment| segment.has(RST))
    }

    /// Reads a numeric field of a header that the frame has.
    #[must_use]
    pub fn number(&self, field: &Field) -> Option<u64> {
        match field.read(self.frame.get(self.start(field.proto)?..)?)? {
            Value::Num(number) => Some(number),
            _ => None,
        }
    }

    /// Changes a numeric field, modulo its width. `None` when the frame has no such header.
    pub fn change(&mut self, field: &Field, new: impl FnOnce(u64) -> u64) -> Option<()> {
        let number = new(self.number(field)?) & field.max()?;
        self.write(field, &Value::Num(number))
    }

    /// Writes a field's value. `None` when the frame has no such header.
    pub fn write(&mut self, field: &Field, value: &Value) -> Option<()> {
        let start = self.start(field.proto)?;
        field.write(self.frame.get_mut(start..)?, value).ok()
    }

    /// The bytes of the frame, to be changed at will.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.frame
    }

    /// Puts bytes into the packet at a place counted from the start of its transport header, and
    /// adds them to the IP length. Ethernet padding is cut off. `None` without such a place.
    pub fn insert(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        let ip = self.ip()?;
        let (is_v4, end) = (ip.is_v4(), ip.frame().len() - ip.trailer().len());
        let at = ip.header_range().end + at;
        if at > end {
            return None;
        }
        self.frame.truncate(end);
        self.frame.splice(at..at, bytes.iter().copied());
        let added = bytes.len() as u64;
        if is_v4 {
            self.change(&wire::fields::ip4::TOTAL_LENGTH, |length| length + added)
        } else {
            self.change(&wire::fields::ip6::PAYLOAD_LENGTH, |length| length + added)
        }
    }

    /// Makes the IPv4 header checksum and that of TCP, UDP or ICMP right for the bytes there are.
    /// A fragment's transport checksum covers more than the frame, and a UDP checksum that is not
    /// used stays unused: both are left alone.
    pub fn remake_checksums(&mut self) {
        let Some(ip) = self.ip() else { return };
        let (range, fragment) = (ip.header_range(), ip.is_fragment());
        if ip.is_v4() {
            let sum = range.start + 10;
            self.frame[sum..sum + 2].fill(0);
            let made = checksum::internet_checksum(&self.frame[range.clone()]);
            self.frame[sum..sum + 2].copy_from_slice(&made.to_be_bytes());
        }
        if !fragment {
            self.remake_transport(range.end);
        }
    }

    fn remake_transport(&mut self, transport: usize) -> Option<()> {
        let protocol = self.ip()?.protocol();
        let offset = match protocol {
            1 | 58 => 2,
            6 => 16,
            17 => 6,
            _ => return None,
        };
        if self.ip()?.payload().len() < offset + 2 {
            return None;
        }
        let sum = transport + offset;
        if protocol == 17 && self.frame[sum..sum + 2] == [0, 0] {
            return None;
        }
        self.frame[sum..sum + 2].fill(0);
        let ip = self.ip()?;
        let mut made = match protocol {
            1 => checksum::internet_checksum(ip.payload()),
            _ => ip.pseudo_header().bytes(ip.payload()).checksum(),
        };
        if protocol == 17 && made == 0 {
            made = 0xffff;
        }
        self.frame[sum..sum + 2].copy_from_slice(&made.to_be_bytes());
        Some(())
    }

    /// Sets the IP source address to one of its own family.
    pub fn source(&mut self, new: impl FnOnce(IpAddr) -> IpAddr) -> Option<()> {
        let source = Value::Ip(new(self.ip()?.src()));
        let field = match self.ip()?.is_v4() {
            true => &wire::fields::ip4::SRC,
            false => &wire::fields::ip6::SRC,
        };
        self.write(field, &source)
    }

    /// Where the header of a protocol starts; `None` when the frame has none.
    fn start(&self, proto: Proto) -> Option<usize> {
        if proto == Proto::Eth {
            return Some(0);
        }
        let ip = self.ip()?;
        let inside = |protocol| !ip.is_fragment() && ip.protocol() == protocol;
        let (has, start) = match proto {
            Proto::Ip4 => (ip.is_v4(), ip.header_range().start),
            Proto::Ip6 => (!ip.is_v4(), ip.header_range().start),
            Proto::Tcp => (inside(6), ip.header_range().end),
            Proto::Udp => (inside(17), ip.header_range().end),
            Proto::Icmp4 => (inside(1), ip.header_range().end),
            Proto::Icmp6 => (inside(58), ip.header_range().end),
            _ => (false, 0),
        };
        has.then_some(start)
    }
}
