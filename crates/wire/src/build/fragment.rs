//! Splitting a datagram: IPv4 in its own header (RFC 791 3.2), IPv6 behind a Fragment header
//! (RFC 8200 4.5), which is put in where the packet has none.
//!
//! An identification that was not given is 0, so that the same packet gives the same bytes. An
//! offset or a MF bit that was given describes the datagram to be split, as when a fragment meets
//! a smaller MTU: offsets count on from it, and the last fragment keeps its MF.

use super::stack::{self, Placed};
use super::{BuildError, at, write};
use crate::checksum::internet_checksum;
use crate::field::{Field, Proto};
use crate::fields::{fragment, ip4, ip6};
use crate::packet::{Defaults, Packet};

/// Where a fragment stands in the datagram.
#[derive(Clone, Copy)]
struct Piece {
    /// In units of eight bytes, from the start of the datagram that is split.
    offset: u16,
    last: bool,
}

/// The frames of a packet whose outermost IP payload is split; one when it fits unsplit.
pub(super) fn split(
    packet: &Packet,
    size: u16,
    defaults: &Defaults,
) -> Result<Vec<Vec<u8>>, BuildError> {
    let mut stack = stack::frame(packet, defaults)?;
    let is_ip = |placed: &Placed<'_>| matches!(placed.proto, Proto::Ip4 | Proto::Ip6);
    let Some(ip) = stack.iter().position(is_ip) else {
        return Err(BuildError::packet("fragment", "the packet has no IP layer to split".into()));
    };
    if size < 8 {
        let message = format!("{size} bytes a fragment; offsets count in eights, so at least 8");
        return Err(BuildError::packet("fragment", message));
    }
    let mut whole = Vec::new();
    write(&stack, defaults, &mut whole)?;
    if stack[ip].proto == Proto::Ip4 {
        return split_v4(&stack[ip], &whole, size);
    }
    let (header, is_new) = fragment_header(&stack, ip);
    if is_new {
        if whole.len() - stack[header - 1].end() <= usize::from(size) {
            return Ok(vec![whole]);
        }
        let mut layers = stack::layers(packet, defaults, true);
        layers.insert(header, Placed::new(Proto::Fragment, None, None));
        stack = stack::place(layers, defaults, 0)?;
        write(&stack, defaults, &mut whole)?;
    }
    split_v6(&stack[ip], &stack[header], &whole, size)
}

/// Where the Fragment header stands, or where a new one belongs: behind what every hop on the way
/// reads, the Hop-by-Hop Options and the Routing header with all before it.
fn fragment_header(stack: &[Placed<'_>], ip: usize) -> (usize, bool) {
    let mut place = ip + 1;
    for (index, placed) in stack.iter().enumerate().skip(ip + 1) {
        match placed.proto {
            Proto::Fragment => return (index, false),
            Proto::HopByHop | Proto::Routing => place = index + 1,
            Proto::DestOpts => {}
            _ => break,
        }
    }
    (place, true)
}

fn split_v4(ip: &Placed<'_>, whole: &[u8], size: u16) -> Result<Vec<Vec<u8>>, BuildError> {
    let body = &whole[ip.end()..];
    if body.len() <= usize::from(size) {
        return Ok(vec![whole.to_vec()]);
    }
    let header = &whole[ip.start..ip.end()];
    let flags = u16::from_be_bytes([header[6], header[7]]);
    let (mut bits, more, base) = (flags & 0xc000, flags & 0x2000, flags & 0x1fff);
    if !ip.gives(&ip4::DF) {
        bits &= 0x8000;
    }
    let later = [&header[..20], &copied_options(&header[20..])].concat();
    pieces(ip, &ip4::FRAGMENT_OFFSET, body, size, base, |piece, chunk| {
        let mut header = if piece.offset == base { header.to_vec() } else { later.clone() };
        if !ip.gives(&ip4::IHL) {
            header[0] = header[0] & 0xf0 | (header.len() / 4) as u8 & 0xf;
        }
        if !ip.gives(&ip4::TOTAL_LENGTH) {
            let total = (header.len() + chunk.len()) as u16;
            header[2..4].copy_from_slice(&total.to_be_bytes());
        }
        let more = if piece.last { more } else { 0x2000 };
        header[6..8].copy_from_slice(&(bits | more | piece.offset).to_be_bytes());
        if !ip.gives(&ip4::CHECKSUM) {
            header[10..12].fill(0);
            let checksum = internet_checksum(&header);
            header[10..12].copy_from_slice(&checksum.to_be_bytes());
        }
        [&whole[..ip.start], &header, chunk].concat()
    })
}

/// The options that every fragment carries, those with the copied bit, padded to a whole word
/// (RFC 791 3.1). From an option whose length lies on, all bytes are kept.
fn copied_options(options: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(&kind) = options.get(at) {
        let len = match kind {
            0 => break,
            1 => 1,
            _ => options.get(at + 1).map_or(0, |len| usize::from(*len)),
        };
        match options.get(at..at + len) {
            Some(option) if len > 0 && (kind == 1 || len > 1) => {
                if kind & 0x80 != 0 {
                    kept.extend_from_slice(option);
                }
                at += len;
            }
            _ => {
                kept.extend_from_slice(&options[at..]);
                break;
            }
        }
    }
    kept.resize(kept.len().next_multiple_of(4), 0);
    kept
}

fn split_v6(
    ip: &Placed<'_>,
    header: &Placed<'_>,
    whole: &[u8],
    size: u16,
) -> Result<Vec<Vec<u8>>, BuildError> {
    let (front, body) = whole.split_at(header.end());
    let word = u16::from_be_bytes([front[header.start + 2], front[header.start + 3]]);
    pieces(header, &fragment::OFFSET, body, size, word >> 3, |piece, chunk| {
        let mut frame = [front, chunk].concat();
        let more = if piece.last { word & 1 } else { 1 };
        let field = piece.offset << 3 | word & 0x6 | more;
        frame[header.start + 2..header.start + 4].copy_from_slice(&field.to_be_bytes());
        if !ip.gives(&ip6::PAYLOAD_LENGTH) {
            let length = (frame.len() - ip.start - 40) as u16;
            frame[ip.start + 4..ip.start + 6].copy_from_slice(&length.to_be_bytes());
        }
        frame
    })
}

/// Cuts the body and makes a frame of each piece.
fn pieces(
    placed: &Placed<'_>,
    field: &Field,
    body: &[u8],
    size: u16,
    base: u16,
    mut frame: impl FnMut(Piece, &[u8]) -> Vec<u8>,
) -> Result<Vec<Vec<u8>>, BuildError> {
    // All but the last must end where the next one's offset, a count of eights, can start. The
    // last one may be longer than that by what rounding down took, and still within the limit.
    let eights = size / 8 * 8;
    let mut frames = Vec::with_capacity(body.len() / usize::from(eights) + 1);
    let (mut rest, mut offset) = (body, usize::from(base));
    loop {
        let last = rest.len() <= usize::from(size);
        let (chunk, next) = rest.split_at(if last { rest.len() } else { usize::from(eights) });
        let Some(units) = u16::try_from(offset).ok().filter(|units| *units <= 0x1fff) else {
            let message = format!("{offset} eights; the field tells at most 8191");
            return Err(at(placed, field, message));
        };
        frames.push(frame(Piece { offset: units, last }, chunk));
        if last {
            return Ok(frames);
        }
        rest = next;
        offset += usize::from(eights / 8);
    }
}
