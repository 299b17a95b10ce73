//! One header field as data: where its bits are, what they mean, what it is called.
//!
//! Every reader and writer of headers goes through the same tables (see [`crate::fields`]): the
//! packet builder, the views, the diff, a scenario's `send`, `expect`, `bind` and `masks`, and the
//! JSON Schema. A field added to a table is known everywhere at once.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Hex;
use crate::Mac;

#[cfg(test)]
mod tests;

/// A layer's protocol. The order is the order of layers in an ordinary frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proto {
    /// Ethernet II header, IEEE 802.3 clause 3.
    Eth,
    /// One 802.1Q or 802.1ad tag: the tag control information and the type that follows it.
    Vlan,
    /// ARP for IPv4 over Ethernet, RFC 826.
    Arp,
    /// IPv4 header with options, RFC 791.
    Ip4,
    /// IPv6 fixed header, RFC 8200 section 3.
    Ip6,
    /// IPv6 Hop-by-Hop Options, RFC 8200 section 4.3.
    HopByHop,
    /// IPv6 Routing header, RFC 8200 section 4.4.
    Routing,
    /// IPv6 Fragment header, RFC 8200 section 4.5.
    Fragment,
    /// IPv6 Destination Options, RFC 8200 section 4.6.
    DestOpts,
    /// TCP header with options, RFC 9293 section 3.1.
    Tcp,
    /// UDP header, RFC 768.
    Udp,
    /// ICMP for IPv4: type, code, checksum and the four bytes after them, RFC 792.
    Icmp4,
    /// ICMPv6, RFC 4443.
    Icmp6,
    /// IEEE 802.2 LLC: two service access points and a control field of one or two bytes.
    Llc,
    /// SNAP behind LLC, RFC 1042: an organization and its type.
    Snap,
    /// Authentication Header, RFC 4302 section 2.
    Ah,
    /// GRE, RFC 2784 and RFC 2890; version 1, RFC 2637 section 4.1.
    Gre,
    /// VXLAN, RFC 7348 section 5.
    Vxlan,
    /// PPPoE of discovery and session, RFC 2516 section 4.
    Pppoe,
    /// Address and control of HDLC-like framing before PPP, RFC 1662 section 3.1.
    Hdlc,
    /// PPP's protocol number, RFC 1661 section 2.
    Ppp,
    /// BSD loopback: an address family in the byte order of the host that captured.
    Null,
    /// Linux cooked capture.
    Sll,
    /// Linux cooked capture version 2.
    Sll2,
    /// Cisco's HDLC.
    Chdlc,
    /// Radiotap: what a radio's driver says of a frame of IEEE 802.11.
    Radiotap,
    /// IEEE 802.11 header, clause 9.
    Wlan,
    /// QoS control of IEEE 802.11, and HT control where it has one.
    WlanQos,
    /// What no header above claims.
    Payload,
}

/// How a field's value is written in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A decimal number.
    Dec,
    /// A hexadecimal number as wide as the field: `0x8b52`.
    Hex,
    /// A decimal number whose low byte comes first: some link headers of captures have it.
    Little,
    /// One bit: 0 or 1.
    Bit,
    /// The TCP flags, a subset of `FSRPAUEWN` (bit 0 to bit 8, RFC 9293 3.1 and RFC 3540).
    TcpFlags,
    /// An Ethernet address.
    Mac,
    /// An IPv4 address.
    Ip4,
    /// An IPv6 address.
    Ip6,
    /// The bytes from the field's offset to the end of its header (options) or frame (payload).
    Bytes,
}

/// One field of one protocol's header.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The protocol whose header it stands in.
    pub proto: Proto,
    /// Its name in scenario files, after the layer's: `seq` of `tcp`.
    pub key: &'static str,
    /// Wireshark's display filter name: `tcp.seq_raw`.
    pub abbrev: &'static str,
    /// Its name in the RFC, as a report shows it: `Sequence Number`.
    pub title: &'static str,
    /// Bits from the start of the header, most significant bit first.
    pub bit: u16,
    /// Bits; 0 for [`Form::Bytes`].
    pub width: u16,
    /// How its value is written.
    pub form: Form,
    /// A second name for bits that other fields name too (`tos` beside `dscp` and `ecn`): it can
    /// be set, read and matched, but is not listed or compared again.
    pub alias: bool,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// An unsigned number, for `Dec`, `Hex`, `Bit` and `TcpFlags`.
    Num(u64),
    /// An Ethernet address.
    Mac(Mac),
    /// An IP address of either family.
    Ip(IpAddr),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Why a text or number is no value of a field: a sentence in lower case that says what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

/// The TCP flags from bit 0 up: FIN SYN RST PSH ACK URG ECE CWR and AE (formerly NS).
pub const TCP_FLAG_LETTERS: [char; 9] = ['F', 'S', 'R', 'P', 'A', 'U', 'E', 'W', 'N'];

/// The flags as letters, `SA`, or `-` for none.
#[must_use]
pub fn tcp_flags_text(flags: u64) -> String {
    let letters: String = (0..9)
        .filter(|bit| flags & (1 << bit) != 0)
        .map(|bit| TCP_FLAG_LETTERS[bit as usize])
        .collect();
    if letters.is_empty() { "-".into() } else { letters }
}

/// The reverse of [`tcp_flags_text`], in any order, also `.` for ACK as tcpdump writes it.
///
/// # Errors
/// When a character is no flag's letter or stands twice.
pub fn tcp_flags(text: &str) -> Result<u64, ValueError> {
    let mut flags = 0;
    for letter in text.chars().filter(|c| *c != '-') {
        let wanted = if letter == '.' { 'A' } else { letter };
        let Some(bit) = TCP_FLAG_LETTERS.iter().position(|known| *known == wanted) else {
            return Err(ValueError(format!(
                "`{letter}` is no TCP flag; the letters are F S R P A U E W N, `-` for none"
            )));
        };
        if flags & (1 << bit) != 0 {
            return Err(ValueError(format!("the flag `{letter}` stands twice")));
        }
        flags |= 1 << bit;
    }
    Ok(flags)
}

impl Field {
    /// `tcp.seq`: the layer's name and the field's, as scenario files write it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.proto.key(), self.key)
    }

    /// The bytes it touches, from the start of its header; open-ended for [`Form::Bytes`].
    #[must_use]
    pub fn bytes(&self) -> std::ops::Range<usize> {
        let start = usize::from(self.bit / 8);
        match self.form {
            Form::Bytes => start..usize::MAX,
            _ => start..usize::from(self.bit + self.width).div_ceil(8),
        }
    }

    /// The largest number it holds; `None` where its value is no number.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        match self.form {
            Form::Dec | Form::Hex | Form::Little | Form::Bit | Form::TcpFlags => {
                Some(if self.width >= 64 { u64::MAX } else { (1 << self.width) - 1 })
            }
            _ => None,
        }
    }

    /// Reads its value from a header's bytes; `None` when they end before it does.
    #[must_use]
    pub fn read(&self, header: &[u8]) -> Option<Value> {
        let range = self.bytes();
        if self.form == Form::Bytes {
            return Some(Value::Bytes(header.get(range.start..)?.to_vec()));
        }
        let bytes = header.get(range)?;
        Some(match self.form {
            Form::Mac => Value::Mac(Mac(bytes.try_into().ok()?)),
            Form::Ip4 => Value::Ip(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
            Form::Ip6 => Value::Ip(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
            Form::Little => {
                Value::Num(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            _ => {
                let all = bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
                let tail = bytes.len() * 8 - usize::from(self.bit % 8) - usize::from(self.width);
                Value::Num((all >> tail) as u64 & self.max()?)
            }
        })
    }

    /// Writes a value into a header's bytes and leaves the neighbouring bits alone. Bytes of a
    /// [`Form::Bytes`] field are written as far as there is room.
    ///
    /// # Errors
    /// When the header ends before the field does, or the value is not of the field's kind.
    pub fn write(&self, header: &mut [u8], value: &Value) -> Result<(), ValueError> {
        let (range, had) = (self.bytes(), header.len());
        let short =
            || ValueError(format!("{} does not fit: the header has {had} bytes", self.path()));
        if let (Form::Bytes, Value::Bytes(bytes)) = (self.form, value) {
            let room = header.get_mut(range.start..).ok_or_else(short)?;
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            return Ok(());
        }
        let room = header.get_mut(range).ok_or_else(short)?;
        match (self.form, value) {
            (Form::Mac, Value::Mac(mac)) => room.copy_from_slice(&mac.0),
            (Form::Ip4, Value::Ip(IpAddr::V4(ip))) => room.copy_from_slice(&ip.octets()),
            (Form::Ip6, Value::Ip(IpAddr::V6(ip))) => room.copy_from_slice(&ip.octets()),
            (
                Form::Dec | Form::Hex | Form::Little | Form::Bit | Form::TcpFlags,
                Value::Num(number),
            ) => {
                let max = self.max().unwrap_or(0);
                if *number > max {
                    return Err(self.out_of_range(*number));
                }
                if self.form == Form::Little {
                    room.iter_mut().zip(number.to_le_bytes()).for_each(|(to, byte)| *to = byte);
                    return Ok(());
                }
                let tail = room.len() * 8 - usize::from(self.bit % 8) - usize::from(self.width);
                let mut all = room.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
                all = all & !(u128::from(max) << tail) | u128::from(*number) << tail;
                for byte in room.iter_mut().rev() {
                    *byte = all as u8;
                    all >>= 8;
                }
            }
            _ => return Err(ValueError(format!("{} takes {}", self.path(), self.wants()))),
        }
        Ok(())
    }

    /// The value that a number stands for.
    ///
    /// # Errors
    /// When it is out of range or the field's value is no number.
    pub fn number(&self, number: u64) -> Result<Value, ValueError> {
        match self.max() {
            Some(max) if number <= max => Ok(Value::Num(number)),
            Some(_) => Err(self.out_of_range(number)),
            None => Err(ValueError(format!("{} takes {}", self.path(), self.wants()))),
        }
    }

    /// The value that a text stands for: a number in decimal or `0x…`, flags, an address, bytes.
    ///
    /// # Errors
    /// Says what the field takes.
    pub fn parse(&self, text: &str) -> Result<Value, ValueError> {
        let wrong = || ValueError(format!("`{text}`: {} takes {}", self.path(), self.wants()));
        match self.form {
            Form::TcpFlags if !text.starts_with(|c: char| c.is_ascii_digit()) => {
                Ok(Value::Num(tcp_flags(text)?))
            }
            Form::Dec | Form::Hex | Form::Little | Form::Bit | Form::TcpFlags => {
                let number = match text.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16),
                    None => text.parse(),
                };
                self.number(number.map_err(|_| wrong())?)
            }
            Form::Mac => text.parse().map(Value::Mac).map_err(|_| wrong()),
            Form::Ip4 => {
                text.parse::<Ipv4Addr>().map(|ip| Value::Ip(ip.into())).map_err(|_| wrong())
            }
            Form::Ip6 => {
                text.parse::<Ipv6Addr>().map(|ip| Value::Ip(ip.into())).map_err(|_| wrong())
            }
            Form::Bytes => crate::hex::decode(text).map(Value::Bytes),
        }
    }

    /// The value as text, the reverse of [`Field::parse`].
    #[must_use]
    pub fn text(&self, value: &Value) -> String {
        match (value, self.form) {
            (Value::Num(number), Form::Hex) => {
                format!("0x{number:0digits$x}", digits = usize::from(self.width).div_ceil(4))
            }
            (Value::Num(number), Form::TcpFlags) => tcp_flags_text(*number),
            _ => value.to_string(),
        }
    }

    /// What it takes, for an error: `a number from 0 to 65535`.
    #[must_use]
    pub fn wants(&self) -> String {
        match self.form {
            Form::Dec | Form::Little | Form::Bit => {
                format!("a number from 0 to {}", self.max().unwrap_or(0))
            }
            Form::Hex => format!("a number from 0 to {:#x}", self.max().unwrap_or(0)),
            Form::TcpFlags => "flags out of F S R P A U E W N (`-` for none) or a number".into(),
            Form::Mac => "an Ethernet address such as 02:00:00:00:00:01".into(),
            Form::Ip4 => "an IPv4 address such as 10.0.0.1".into(),
            Form::Ip6 => "an IPv6 address such as fd00::1".into(),
            Form::Bytes => "bytes in hex such as \"02 04 05 b4\"".into(),
        }
    }

    fn out_of_range(&self, number: u64) -> ValueError {
        ValueError(format!(
            "{number} is out of range: {} is {} bits wide and takes {}",
            self.path(),
            self.width,
            self.wants()
        ))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Num(number) => write!(f, "{number}"),
            Self::Mac(mac) => write!(f, "{mac}"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Bytes(bytes) => Hex(bytes).fmt(f),
        }
    }
}
