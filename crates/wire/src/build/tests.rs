//! Known frames.

use super::*;
use crate::field::hex;
use crate::fields::tcp;
use crate::packet::Layer;

pub(super) fn defaults() -> Defaults {
    Defaults {
        src_mac: "02:00:00:00:00:01".parse().unwrap(),
        dst_mac: "02:00:00:00:00:02".parse().unwrap(),
        src_ip4: Some("10.0.0.1".parse().unwrap()),
        dst_ip4: Some("10.0.0.2".parse().unwrap()),
        src_ip6: Some("fd00::1".parse().unwrap()),
        dst_ip6: Some("fd00::2".parse().unwrap()),
    }
}

pub(super) fn one(packet: &Packet) -> Vec<u8> {
    let frames = build(packet, &defaults()).unwrap();
    assert_eq!(frames.len(), 1);
    frames.into_iter().next().unwrap()
}

#[test]
fn the_custom_packet() {
    let fin =
        Layer::new(Proto::Tcp).with(&tcp::SEQ, 123).with(&tcp::FLAGS, 1).with(&tcp::WINDOW, 560);
    let packet = Packet::new().layer(fin).payload((1..=16).collect::<Vec<u8>>());
    let expected = hex("020000000002 020000000001 0800 \
         4500 0038 0000 4000 4006 26be 0a000001 0a000002 \
         0fa0 0050 0000007b 00000000 5001 0230 48ee 0000 \
         0102030405060708090a0b0c0d0e0f10");
    assert_eq!(one(&packet), expected.unwrap());
}
