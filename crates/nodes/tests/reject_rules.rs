//! The rules of `docs/rst-rules.md`, a row a test: both profiles, both families.

use proptest::prelude::*;
use wire::checksum;
use wireproof_nodes::reject::{DropReason, Profile, Rule, reset_for};

mod trigger;

use trigger::{DST4, DST6, FIN, SRC4, SRC6, SYN, Trigger, ip6};

const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const PROFILES: [Profile; 2] = [Profile::Linux, Profile::Linux26];

fn reset(profile: Profile, packet: &[u8]) -> Result<Vec<u8>, DropReason> {
    let mut out = Vec::new();
    let told = reset_for(profile, packet, &mut out);
    assert!(told.is_ok() || out.is_empty(), "silence appends nothing");
    told.map(|()| out)
}

/// Sequence number, acknowledgment and flags of a reset, whose every other field is held here.
fn facts(ip6: bool, reset: &[u8]) -> (u32, u32, u8) {
    let (header, tcp) = reset.split_at(if ip6 { 40 } else { usize::from(reset[0] & 15) * 4 });
    let verified = if ip6 {
        checksum::tcp_ip6(DST6, SRC6, tcp)
    } else {
        assert_eq!(checksum::internet_checksum(header), 0, "IPv4 header checksum");
        checksum::tcp_ip4(DST4, SRC4, tcp)
    };
    assert_eq!(verified, 0, "TCP checksum");
    assert_eq!(tcp.len(), 20, "no options, no payload");
    assert_eq!(tcp[..4], [0, 80, 0x0f, 0xa0], "ports change places");
    assert_eq!(tcp[12] >> 4, 5, "data offset");
    assert_eq!((&tcp[14..16], &tcp[18..]), (&[0, 0][..], &[0, 0][..]), "window, urgent pointer");
    let number = |at: usize| u32::from_be_bytes([tcp[at], tcp[at + 1], tcp[at + 2], tcp[at + 3]]);
    (number(4), number(8), tcp[13])
}

/// Profile and family in every combination.
fn everywhere(mut hold: impl FnMut(Profile, bool)) {
    for profile in PROFILES {
        for ip6 in [false, true] {
            hold(profile, ip6);
        }
    }
}

#[test]
fn a_reset_is_never_answered_whatever_other_flags() {
    everywhere(|profile, ip6| {
        for flags in (0..=255).filter(|flags| flags & RST != 0) {
            let packet = Trigger::new(ip6, flags, b"data").packet();
            assert_eq!(reset(profile, &packet), Err(DropReason::Rst));
        }
    });
}

#[test]
fn fewer_bytes_than_a_tcp_header_are_not_answered() {
    everywhere(|profile, is6| {
        for len in 0..20 {
            let segment = &Trigger::new(is6, SYN, &[]).segment()[..len];
            let packet =
                if is6 { ip6(6, segment) } else { Trigger::new(false, 0, &[]).around(segment) };
            assert_eq!(reset(profile, &packet), Err(DropReason::Short), "{len} bytes");
        }
    });
}

#[test]
fn a_fragment_with_an_offset_is_not_answered() {
    for profile in PROFILES {
        let mut trigger = Trigger::new(false, SYN, &[]);
        trigger.fragment = 1;
        assert_eq!(reset(profile, &trigger.packet()), Err(DropReason::Fragment));
        let segment = Trigger::new(true, SYN, &[]).segment();
        let piece = |offset: u8| [&[6, 0, 0, offset, 0, 0, 0, 7], &segment[..]].concat();
        assert_eq!(reset(profile, &ip6(44, &piece(8))), Err(DropReason::Fragment));
        assert!(reset(profile, &ip6(44, &piece(0))).is_ok(), "an atomic fragment is a segment");
        assert!(reset(profile, &ip6(44, &piece(1))).is_ok(), "as is a first piece that is whole");
    }
}

#[test]
fn a_wrong_checksum_is_not_answered() {
    everywhere(|profile, ip6| {
        let mut packet = Trigger::new(ip6, SYN, b"x").packet();
        *packet.last_mut().expect("a payload") ^= 1;
        assert_eq!(reset(profile, &packet), Err(DropReason::Checksum));
        if !ip6 {
            let mut packet = Trigger::new(ip6, SYN, b"x").packet();
            packet[8] ^= 1;
            assert_eq!(reset(profile, &packet), Err(DropReason::HeaderChecksum));
        }
    });
}

#[test]
fn with_ack_the_sequence_number_is_theirs_and_nothing_is_acknowledged() {
    everywhere(|profile, ip6| {
        for flags in [ACK, SYN | ACK, FIN | ACK, !RST] {
            let answer = reset(profile, &Trigger::new(ip6, flags, b"data").packet());
            assert_eq!(facts(ip6, &answer.expect("an answer")), (777, 0, RST));
        }
    });
}

#[test]
fn without_ack_all_that_the_segment_occupies_is_acknowledged() {
    everywhere(|profile, ip6| {
        let rows = [(0, 0, 0), (SYN, 0, 1), (FIN, 0, 1), (SYN | FIN, 3, 5), (0, 16, 16)];
        for (flags, len, occupies) in rows {
            let answer = reset(profile, &Trigger::new(ip6, flags, &vec![7; len]).packet());
            assert_eq!(facts(ip6, &answer.expect("an answer")), (0, 123 + occupies, RST | ACK));
        }
    });
}

#[test]
fn a_data_offset_that_lies_is_taken_at_its_word() {
    everywhere(|profile, ip6| {
        for (data_offset, ack) in [(4, 123 + 1 + 4), (15, 123 + 1 - 40), (0, 123 + 1 + 20)] {
            let trigger = Trigger { data_offset, ..Trigger::new(ip6, SYN, &[]) };
            let answer = reset(profile, &trigger.packet()).expect("an answer");
            assert_eq!(facts(ip6, &answer), (0, ack, RST | ACK));
        }
    });
}

#[test]
fn padding_behind_the_packet_does_not_count() {
    everywhere(|profile, ip6| {
        let packet = Trigger::new(ip6, FIN, b"data").packet();
        let padded = [&packet[..], &[0xaa; 9]].concat();
        assert_eq!(reset(profile, &padded), reset(profile, &packet));
        assert_eq!(reset(profile, &packet[..packet.len() - 1]), Err(DropReason::Truncated));
    });
}

#[test]
fn linux_builds_fresh_bytes() {
    let mut trigger = Trigger::new(false, SYN, &[]);
    (trigger.tos, trigger.reserved, trigger.ip_options) = (0xb8, 0x0f, vec![1, 1, 1, 0]);
    let answer = reset(Profile::Linux, &trigger.packet()).expect("an answer");
    assert_eq!(answer[..10], [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6]);
    assert_eq!((answer.len(), answer[32]), (40, 0x50), "no option, no reserved bit");
}

#[test]
fn linux_2_6_edits_the_triggers_bytes() {
    let mut trigger = Trigger::new(false, SYN, &[]);
    (trigger.tos, trigger.reserved, trigger.ip_options) = (0xb8, 0x0f, vec![1, 1, 1, 0]);
    let answer = reset(Profile::Linux26, &trigger.packet()).expect("an answer");
    assert_eq!(answer[..10], [0x46, 0xb8, 0, 44, 0, 0, 0x40, 0, 255, 6]);
    assert_eq!((&answer[20..24], answer.len()), (&[1, 1, 1, 0][..], 44), "options stay");
    assert_eq!(answer[36], 0x5f, "reserved bits are echoed");
}

#[test]
fn over_ip6_both_profiles_build_fresh_bytes() {
    for profile in PROFILES {
        let trigger = Trigger { reserved: 0x0f, ..Trigger::new(true, SYN, &[]) };
        let answer = reset(profile, &trigger.packet()).expect("an answer");
        assert_eq!(answer[..8], [0x60, 0, 0, 0, 0, 20, 6, 64]);
        assert_eq!((&answer[8..24], &answer[24..40]), (&DST6[..], &SRC6[..]));
        assert_eq!(answer[52], 0x50);
    }
}

#[test]
fn a_record_route_that_is_written_into_silences_linux_alone() {
    let mut trigger = Trigger::new(false, SYN, &[]);
    trigger.ip_options = vec![7, 7, 4, 0, 0, 0, 0, 0];
    assert_eq!(reset(Profile::Linux, &trigger.packet()), Err(DropReason::Checksum));
    assert!(reset(Profile::Linux26, &trigger.packet()).is_ok());
    trigger.ip_options = vec![7, 7, 8, 9, 9, 9, 9, 0];
    assert!(reset(Profile::Linux, &trigger.packet()).is_ok(), "a full one is left alone");
}

#[test]
fn a_reply_larger_than_the_mtu_is_not_sent() {
    let options = Trigger { ip_options: vec![1; 40], ..Trigger::new(false, SYN, &[]) };
    let told = |rule: &Rule, trigger: &Trigger| rule.reset_for(&trigger.packet(), &mut Vec::new());
    let at = |mtu, profile| Rule { mtu, ..Rule::new(profile) };
    assert_eq!(told(&at(79, Profile::Linux26), &options), Err(DropReason::Mtu));
    assert_eq!(told(&at(80, Profile::Linux26), &options), Ok(()));
    assert_eq!(told(&at(39, Profile::Linux), &options), Err(DropReason::Mtu));
    assert_eq!(told(&at(40, Profile::Linux), &options), Ok(()));
    assert_eq!(told(&at(39, Profile::Linux), &Trigger::new(true, SYN, &[])), Ok(()));
}

/// RFC 9293 3.10.7.1, in its own words: what the reset for a segment to a closed port says.
fn model(trigger: &Trigger) -> Option<(u32, u32, u8)> {
    if trigger.flags & RST != 0 {
        return None;
    }
    if trigger.flags & ACK != 0 {
        return Some((trigger.ack, 0, RST));
    }
    let mut seg_len = trigger.payload.len() as u64;
    for occupies_one in [SYN, FIN] {
        seg_len += u64::from(trigger.flags & occupies_one != 0);
    }
    Some((0, ((u64::from(trigger.seq) + seg_len) % (1 << 32)) as u32, RST | ACK))
}

proptest! {
    #[test]
    fn resets_of_valid_segments_agree_with_the_standard(
        ip6: bool, seq: u32, ack: u32, flags: u8,
        payload in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        let trigger = Trigger { seq, ack, ..Trigger::new(ip6, flags, &payload) };
        for profile in PROFILES {
            let answer = reset(profile, &trigger.packet()).ok().map(|reset| facts(ip6, &reset));
            prop_assert_eq!(answer, model(&trigger));
        }
    }
}
