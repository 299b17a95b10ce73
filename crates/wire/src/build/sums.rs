//! The checksums of a finished frame, one header at a time. The inner ones must stand already.

use super::fill::checksum_field;
use super::stack::Placed;
use crate::checksum::{Sum, internet_checksum};
use crate::field::Proto;
use crate::segment::PseudoAddresses;

/// Computes and stores one header's checksum, unless it was given or the protocol has none.
pub(super) fn store(stack: &[Placed<'_>], index: usize, frame: &mut [u8]) {
    let placed = &stack[index];
    let Some(field) = checksum_field(placed.proto).filter(|field| !placed.gives(field)) else {
        return;
    };
    let payload = &frame[placed.start..];
    let sum = match placed.proto {
        Proto::Ip4 => internet_checksum(&payload[..placed.len]),
        Proto::Tcp => pseudo_header(stack, index, 6, frame).bytes(payload).checksum(),
        Proto::Icmp6 => pseudo_header(stack, index, 58, frame).bytes(payload).checksum(),
        // RFC 768: an all-zero checksum would say that there is none.
        Proto::Udp => match pseudo_header(stack, index, 17, frame).bytes(payload).checksum() {
            0 => 0xffff,
            sum => sum,
        },
        _ => internet_checksum(payload),
    };
    let at = placed.start + field.bytes().start;
    frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The pseudo-header from the nearest IP header outside, with the real length.
fn pseudo_header(stack: &[Placed<'_>], index: usize, protocol: u8, frame: &[u8]) -> Sum {
    let length = frame.len() - stack[index].start;
    let is_ip = |placed: &Placed<'_>| matches!(placed.proto, Proto::Ip4 | Proto::Ip6);
    let Some(nearest) = stack[..index].iter().rposition(is_ip) else { return Sum::new() };
    let ip = &stack[nearest];
    let header = &frame[ip.start..ip.end()];
    if ip.proto == Proto::Ip4 {
        let (src, dst) = (part(header, 12), part(header, 16));
        return Sum::pseudo_ip4(src, dst, protocol, length as u16);
    }
    let Some(mut addresses) = PseudoAddresses::of(header) else { return Sum::new() };
    for passed in &stack[nearest + 1..index] {
        let number = match passed.proto {
            Proto::Routing => 43,
            Proto::DestOpts => 60,
            _ => continue,
        };
        addresses.pass(number, &frame[passed.start..passed.end()]);
    }
    Sum::pseudo_ip6(addresses.src, addresses.dst, protocol, length as u32)
}

fn part<const N: usize>(header: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}
