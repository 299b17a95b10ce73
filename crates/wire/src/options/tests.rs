//! Known bytes and words, lengths that lie, and both ways over any bytes.

use proptest::prelude::*;

use super::*;
use crate::hex::decode as hex;

#[test]
fn the_options_of_a_syn_both_ways_and_in_words() {
    let bytes = hex("020405b4 0402 080a0000000100000002 01 030307").unwrap();
    let options = vec![
        TcpOption::Mss(1460),
        TcpOption::SackPermitted,
        TcpOption::Timestamps(1, 2),
        TcpOption::Nop,
        TcpOption::WindowScale(7),
    ];
    assert_eq!(decode(&bytes), options);
    assert_eq!(encode(&options).unwrap(), bytes);
    assert_eq!(text(&options), "mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7");
}

#[test]
fn the_rarer_ones() {
    for (bytes, option, words) in [
        ("050a0000000100000005", TcpOption::Sack(vec![(1, 5)]), "sack 1 {1:5}"),
        (
            "0512 0000000100000005 0000000700000009",
            TcpOption::Sack(vec![(1, 5), (7, 9)]),
            "sack 2 {1:5}{7:9}",
        ),
        ("1c04801e", TcpOption::UserTimeout { minutes: true, timeout: 30 }, "uto 30 min"),
        ("1c04001e", TcpOption::UserTimeout { minutes: false, timeout: 30 }, "uto 30 s"),
        ("2202", TcpOption::FastOpen(vec![]), "tfo cookiereq"),
        ("220400ff", TcpOption::FastOpen(vec![0, 0xff]), "tfo cookie 00ff"),
        ("fe040102", TcpOption::Other { kind: 254, data: vec![1, 2] }, "unknown-254 0x0102"),
        ("020305", TcpOption::Other { kind: 2, data: vec![5] }, "mss 0x05"),
        ("050300", TcpOption::Other { kind: 5, data: vec![0] }, "sack 0x00"),
        ("1302", TcpOption::Other { kind: 19, data: vec![] }, "md5"),
    ] {
        let bytes = hex(bytes).unwrap();
        assert_eq!(decode(&bytes), std::slice::from_ref(&option), "{words}");
        assert_eq!(encode(std::slice::from_ref(&option)).unwrap(), bytes, "{words}");
        assert_eq!(option.to_string(), words);
        assert_eq!(option.kind(), Some(bytes[0]));
    }
}

#[test]
fn lengths_that_no_option_has_end_the_list_as_raw() {
    for bytes in ["0200", "0201", "02", "020605b4", "fe", "08ff00"] {
        let bytes = hex(bytes).unwrap();
        assert_eq!(decode(&bytes), [TcpOption::Raw(bytes.clone())]);
    }
    let bytes = hex("01 0300 01").unwrap();
    assert_eq!(decode(&bytes), [TcpOption::Nop, TcpOption::Raw(vec![3, 0, 1])]);
    assert_eq!(text(&decode(&bytes)), "nop,raw 0x030001");
}

#[test]
fn a_timeout_keeps_out_of_the_bit_of_its_unit() {
    let option = TcpOption::UserTimeout { minutes: false, timeout: 0xffff };
    assert_eq!(encode(&[option]).unwrap(), [28, 4, 0x7f, 0xff]);
}

#[test]
fn behind_an_end_of_list_only_zeros_are_padding() {
    assert_eq!(text(&decode(&[1, 0, 0, 0])), "nop,eol");
    assert_eq!(text(&decode(&[0, 0, 5, 0])), "eol,raw 0x000500");
}

#[test]
fn an_option_too_long_for_its_length_byte() {
    let other = |len| [TcpOption::Other { kind: 77, data: vec![0; len] }];
    assert_eq!(encode(&other(253)).unwrap()[..2], [77, 255]);
    assert_eq!(encode(&other(254)), Err(OptionTooLong { kind: 77, data: 254 }));
}

proptest! {
    #[test]
    fn decoding_loses_nothing(
        bytes in prop::collection::vec(prop_oneof![0u8..12, any::<u8>()], 0..60),
    ) {
        let options = decode(&bytes);
        prop_assert_eq!(encode(&options).unwrap(), bytes);
        prop_assert!(options.is_empty() || !text(&options).is_empty());
    }
}
