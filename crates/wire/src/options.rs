//! TCP options: bytes to named options and back, and their text as tcpdump writes it.
//!
//! Decoding is lossless and never fails: an option whose length is not its RFC's is
//! [`TcpOption::Other`], and from a length that no option can have on, the rest is
//! [`TcpOption::Raw`]. Knows no header; padding to whole words is the builder's.

use std::fmt;

use crate::Hex;
use crate::packet::TcpOption;

#[cfg(test)]
mod tests;

/// The names of options by kind, as tcpdump writes them.
pub const NAMES: &[(u8, &str)] = &[
    (0, "eol"),
    (1, "nop"),
    (2, "mss"),
    (3, "wscale"),
    (4, "sackOK"),
    (5, "sack"),
    (8, "TS"),
    (19, "md5"),
    (28, "uto"),
    (29, "tcp-ao"),
    (30, "mptcp"),
    (34, "tfo"),
];

/// An option holds more bytes than its length byte can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an option of kind {kind} with {data} bytes of data; its length byte tells at most 253")]
pub struct OptionTooLong {
    /// The kind byte.
    pub kind: u8,
    /// Bytes of data behind the length byte.
    pub data: usize,
}

/// The options' bytes end to end, not padded.
///
/// # Errors
/// When an option has more than 253 bytes of data.
pub fn encode(options: &[TcpOption]) -> Result<Vec<u8>, OptionTooLong> {
    let mut bytes = Vec::with_capacity(40);
    for option in options {
        option.encode_into(&mut bytes)?;
    }
    Ok(bytes)
}

/// The options in a header's option bytes, padding included: [`encode`] gives the same bytes back.
/// What stands behind an end of list is one [`TcpOption::Raw`].
#[must_use]
pub fn decode(mut bytes: &[u8]) -> Vec<TcpOption> {
    let mut options = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        match kind {
            0 => {
                options.push(TcpOption::EndOfList);
                if !rest.is_empty() {
                    options.push(TcpOption::Raw(rest.to_vec()));
                }
                break;
            }
            1 => {
                options.push(TcpOption::Nop);
                bytes = rest;
            }
            _ => {
                let len = rest.first().map_or(0, |len| usize::from(*len));
                let Some(data) = bytes.get(2..len) else {
                    options.push(TcpOption::Raw(bytes.to_vec()));
                    break;
                };
                options.push(one(kind, data));
                bytes = &bytes[len..];
            }
        }
    }
    options
}

/// One option of a legal length; what its RFC does not know stays [`TcpOption::Other`].
fn one(kind: u8, data: &[u8]) -> TcpOption {
    match (kind, data) {
        (2, &[high, low]) => TcpOption::Mss(u16::from_be_bytes([high, low])),
        (3, &[shift]) => TcpOption::WindowScale(shift),
        (4, []) => TcpOption::SackPermitted,
        (5, blocks) if blocks.len() % 8 == 0 => {
            let (blocks, _) = blocks.as_chunks::<8>();
            TcpOption::Sack(blocks.iter().map(|block| pair(*block)).collect())
        }
        (8, data) => match <[u8; 8]>::try_from(data) {
            Ok(both) => {
                let (value, echo) = pair(both);
                TcpOption::Timestamps(value, echo)
            }
            Err(_) => TcpOption::Other { kind, data: data.to_vec() },
        },
        (28, &[high, low]) => TcpOption::UserTimeout {
            minutes: high & 0x80 != 0,
            timeout: u16::from_be_bytes([high & 0x7f, low]),
        },
        (34, cookie) => TcpOption::FastOpen(cookie.to_vec()),
        _ => TcpOption::Other { kind, data: data.to_vec() },
    }
}

fn pair([a, b, c, d, e, f, g, h]: [u8; 8]) -> (u32, u32) {
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

/// Options in words, in tcpdump's brackets' form: `mss 1460,nop,wscale 7`. Zeros behind an end of
/// list are padding and are not shown.
#[must_use]
pub fn text(options: &[TcpOption]) -> String {
    let mut words: Vec<String> = Vec::with_capacity(options.len());
    for (index, option) in options.iter().enumerate() {
        let padding = matches!(option, TcpOption::Raw(bytes) if bytes.iter().all(|b| *b == 0))
            && index.checked_sub(1).is_some_and(|last| options[last] == TcpOption::EndOfList);
        if !padding {
            words.push(option.to_string());
        }
    }
    words.join(",")
}

impl TcpOption {
    /// The kind byte; `None` for raw bytes.
    #[must_use]
    pub const fn kind(&self) -> Option<u8> {
        Some(match self {
            Self::EndOfList => 0,
            Self::Nop => 1,
            Self::Mss(_) => 2,
            Self::WindowScale(_) => 3,
            Self::SackPermitted => 4,
            Self::Sack(_) => 5,
            Self::Timestamps(..) => 8,
            Self::UserTimeout { .. } => 28,
            Self::FastOpen(_) => 34,
            Self::Other { kind, .. } => *kind,
            Self::Raw(_) => return None,
        })
    }

    fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), OptionTooLong> {
        match self {
            Self::EndOfList => bytes.push(0),
            Self::Nop => bytes.push(1),
            Self::Mss(mss) => option(bytes, 2, &mss.to_be_bytes())?,
            Self::WindowScale(shift) => option(bytes, 3, &[*shift])?,
            Self::SackPermitted => option(bytes, 4, &[])?,
            Self::Sack(blocks) => {
                let edges = blocks.iter().flat_map(|(left, right)| [*left, *right]);
                let data: Vec<u8> = edges.flat_map(u32::to_be_bytes).collect();
                option(bytes, 5, &data)?;
            }
            Self::Timestamps(value, echo) => {
                let data = (u64::from(*value) << 32 | u64::from(*echo)).to_be_bytes();
                option(bytes, 8, &data)?;
            }
            Self::UserTimeout { minutes, timeout } => {
                let data = u16::from(*minutes) << 15 | timeout & 0x7fff;
                option(bytes, 28, &data.to_be_bytes())?;
            }
            Self::FastOpen(cookie) => option(bytes, 34, cookie)?,
            Self::Other { kind, data } => option(bytes, *kind, data)?,
            Self::Raw(raw) => bytes.extend_from_slice(raw),
        }
        Ok(())
    }
}

/// Kind, length, data.
fn option(bytes: &mut Vec<u8>, kind: u8, data: &[u8]) -> Result<(), OptionTooLong> {
    let len = u8::try_from(data.len() + 2);
    let len = len.map_err(|_| OptionTooLong { kind, data: data.len() })?;
    bytes.extend_from_slice(&[kind, len]);
    bytes.extend_from_slice(data);
    Ok(())
}

impl fmt::Display for TcpOption {
    /// As tcpdump writes it, but for the user timeout, whose unit tcpdump reads from another bit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndOfList => f.write_str("eol"),
            Self::Nop => f.write_str("nop"),
            Self::Mss(mss) => write!(f, "mss {mss}"),
            Self::WindowScale(shift) => write!(f, "wscale {shift}"),
            Self::SackPermitted => f.write_str("sackOK"),
            Self::Sack(blocks) => {
                write!(f, "sack {} ", blocks.len())?;
                blocks.iter().try_for_each(|(left, right)| write!(f, "{{{left}:{right}}}"))
            }
            Self::Timestamps(value, echo) => write!(f, "TS val {value} ecr {echo}"),
            Self::UserTimeout { minutes, timeout } => {
                write!(f, "uto {timeout} {}", if *minutes { "min" } else { "s" })
            }
            Self::FastOpen(cookie) if cookie.is_empty() => f.write_str("tfo cookiereq"),
            Self::FastOpen(cookie) => {
                f.write_str("tfo cookie ")?;
                Hex(cookie).fmt(f)
            }
            Self::Other { kind, data } => {
                match NAMES.iter().find(|(known, _)| known == kind) {
                    Some((_, name)) => f.write_str(name)?,
                    None => write!(f, "unknown-{kind}")?,
                }
                if data.is_empty() {
                    return Ok(());
                }
                f.write_str(" 0x")?;
                Hex(data).fmt(f)
            }
            Self::Raw(bytes) => {
                f.write_str("raw 0x")?;
                Hex(bytes).fmt(f)
            }
        }
    }
}
