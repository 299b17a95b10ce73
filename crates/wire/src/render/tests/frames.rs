//! Frames by hand for the tests of lines and trees.

use crate::hex::decode as hex;

/// An Ethernet frame of a type.
pub(super) fn eth(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &kind.to_be_bytes(), payload].concat()
}

/// A frame of IEEE 802.3, padded.
pub(super) fn ieee(payload: &[u8]) -> Vec<u8> {
    let mut frame = eth(payload.len() as u16, payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

pub(super) fn ip4_with(options: &[u8], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + options.len() + payload.len()) as u16;
    let [high, low] = total.to_be_bytes();
    let words = 0x45 + (options.len() / 4) as u8;
    let mut head = vec![words, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    head.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    head.extend(options);
    let sum = crate::checksum::internet_checksum(&head).to_be_bytes();
    head[10..12].copy_from_slice(&sum);
    [head, payload.to_vec()].concat()
}

pub(super) fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip4_with(&[], protocol, payload)
}

pub(super) const ONE: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(super) const TWO: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
pub(super) const HOME: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3];

pub(super) fn ip6(next: u8, length: usize, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (length as u16).to_be_bytes();
    [&[0x60, 0, 0, 0, high, low, next, 64][..], &ONE, &TWO, payload].concat()
}

/// A message with its checksum at `at`, behind IPv6's pseudo-header or none.
pub(super) fn summed(six: Option<([u8; 16], u8)>, at: usize, mut message: Vec<u8>) -> Vec<u8> {
    let sum = match six {
        Some((src, next)) => crate::checksum::transport_ip6(src, TWO, next, &message),
        None => crate::checksum::internet_checksum(&message),
    };
    message[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    message
}

pub(super) fn tcp4(flags: u8, options: &str) -> Vec<u8> {
    let mut options = hex(options).expect("hex");
    options.resize(options.len().next_multiple_of(4), 1);
    let words = (5 + options.len() / 4) as u8;
    let mut segment = vec![15, 160, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, words << 4, flags, 2, 48];
    segment.extend([0; 4]);
    segment.extend(options);
    let sum = crate::checksum::tcp_ip4([10, 0, 0, 1], [10, 0, 0, 2], &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

pub(super) fn tcp6(src: [u8; 16], payload: usize) -> Vec<u8> {
    let mut segment = vec![15, 160, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x10, 2, 48, 0, 0, 0, 0];
    segment.resize(20 + payload, 7);
    summed(Some((src, 6)), 16, segment)
}

pub(super) fn icmp4(message: &str) -> Vec<u8> {
    eth(0x0800, &ip4(1, &summed(None, 2, hex(message).expect("hex"))))
}

pub(super) fn icmp6(message: &str) -> Vec<u8> {
    let message = summed(Some((ONE, 58)), 2, hex(message).expect("hex"));
    eth(0x86dd, &ip6(58, message.len(), &message))
}

pub(super) fn options(list: &str) -> Vec<u8> {
    eth(0x0800, &ip4(6, &tcp4(2, list)))
}

pub(super) fn igmp(message: &str) -> Vec<u8> {
    eth(0x0800, &ip4(2, &hex(message).expect("hex")))
}

/// A frame with a segment in it, as tunnels carry it.
pub(super) fn inner() -> Vec<u8> {
    eth(0x0800, &ip4(6, &tcp4(2, "")))
}

pub(super) fn vxlan(kind: u16, frame: &[u8]) -> Vec<u8> {
    let length = (16 + frame.len()) as u16;
    let ports = [&[0x13, 0x88][..], &kind.to_be_bytes(), &length.to_be_bytes(), &[0, 0]].concat();
    [&ports[..], &[8, 0, 0, 0, 0, 0, 42, 0], frame].concat()
}

pub(super) fn gre(head: &str, payload: &[u8]) -> Vec<u8> {
    eth(0x0800, &ip4(47, &[&hex(head).expect("hex")[..], payload].concat()))
}

pub(super) fn pppoe(kind: u16, code: u8, session: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    eth(kind, &[&[0x11, code, 0, session, high, low][..], payload].concat())
}

pub(super) fn ah(next: u8, payload: &[u8]) -> Vec<u8> {
    let head = [next, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 0, 7];
    [&head[..], &[0xab; 12], payload].concat()
}

pub(super) fn arp(kind: u16, head: &str, body: &str) -> Vec<u8> {
    eth(kind, &[hex(head).expect("hex"), hex(body).expect("hex")].concat())
}

/// With 70,028 bytes behind the fixed header.
pub(super) fn jumbogram(claimed: u32) -> Vec<u8> {
    let option = [&[6, 0, 0xc2, 4][..], &claimed.to_be_bytes()].concat();
    eth(0x86dd, &ip6(0, 0, &[option, tcp6(ONE, 70_000)].concat()))
}

/// A message of a type with a few bytes behind.
pub(super) fn typed(kind: u8, code: u8) -> String {
    format!("{kind:02x}{code:02x}0000 01020304 {}", "000003e8".repeat(8))
}
