//! Frames of one flow have one key, and those of any other have another.

use super::*;

const MACS: &str = "020000000002 020000000001";

fn frame(words: &[&str]) -> Vec<u8> {
    wire::hex::decode(&words.concat().replace(' ', "")).unwrap()
}

/// The frame has another key with one of these bytes changed, and the same with any other.
fn is_told_by(frame: &[u8], places: &[usize]) {
    let own = key(frame.into());
    assert!(!own.is_empty());
    for at in 0..frame.len() {
        let mut other = frame.to_vec();
        other[at] ^= 1;
        let other = key(other.as_slice().into());
        // What says where headers are may make another frame of it.
        if places.contains(&at) {
            assert_ne!(other, own, "byte {at}");
        } else if at < 12 || at >= frame.len() - 2 {
            assert_eq!(other, own, "byte {at}");
        }
    }
}

#[test]
fn a_flow_is_told_by_addresses_and_ports() {
    let ip4 = "0800 4500 0028 0001 0000 4006 0000 0a000001 0a000002";
    let tcp = "0fa0 0050 00000001 00000000 5002 ffff 0000 0000";
    let places: Vec<usize> = (26..38).collect();
    is_told_by(&frame(&[MACS, ip4, tcp]), &places);
    let ip4 = "0800 4500 001e 0001 0000 4011 0000 0a000001 0a000002";
    is_told_by(&frame(&[MACS, ip4, "0fa0 0035 000a 0000 0102"]), &places);
    let ip4 = "0800 4500 001e 0001 0000 4001 0000 0a000001 0a000002";
    is_told_by(&frame(&[MACS, ip4, "0800 0000 0001 0002 0102"]), &places[..8]);
    let addresses =
        "fd00 0000 0000 0000 0000 0000 0000 0001 fd00 0000 0000 0000 0000 0000 0000 0002";
    let places: Vec<usize> = (22..58).collect();
    is_told_by(
        &frame(&[MACS, "86dd 6000 0000 000a 11 40", addresses, "0fa0 0035 000a 0000 0102"]),
        &places,
    );
    is_told_by(
        &frame(&[MACS, "86dd 6000 0000 000a 3a 40", addresses, "8000 0000 0001 0002 0102"]),
        &places[..32],
    );
}

#[test]
fn an_arp_message_is_told_by_its_addresses_and_other_frames_by_their_stations() {
    let arp = "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002 0000";
    is_told_by(&frame(&[MACS, arp]), &[28, 29, 30, 31, 38, 39, 40, 41]);
    let other = frame(&[MACS, "88b5 0102 0304"]);
    let own = key(other.as_slice().into());
    for at in 0..14 {
        let mut near = other.clone();
        near[at] ^= 1;
        assert_ne!(key(near.as_slice().into()), own, "byte {at}");
    }
    let mut near = other.clone();
    near[15] ^= 1;
    assert_eq!(key(near.as_slice().into()), own);
}

#[test]
fn protocols_with_the_same_numbers_are_other_flows() {
    let ip4 = |protocol: &str, rest: &str| {
        let head = format!("0800 4500 0028 0001 0000 40{protocol} 0000 0a000001 0a000002");
        key(frame(&[MACS, &head, rest]).as_slice().into())
    };
    let tcp = ip4("06", "0fa0 0050 00000001 00000000 5002 ffff 0000 0000");
    let udp = ip4("11", "0fa0 0050 0014 0000 0000 0000 0000 0000 0000 0000");
    let icmp = ip4("01", "0800 0000 0001 0002 0000 0000 0000 0000 0000 0000");
    let other = ip4("fd", "0fa0 0050 0014 0000 0000 0000 0000 0000 0000 0000");
    let all = [tcp, udp, icmp, other];
    let each: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(each.len(), all.len(), "{all:02x?}");
}
