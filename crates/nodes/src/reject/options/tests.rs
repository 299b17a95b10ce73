//! The table of options in `docs/rst-rules.md`, with both sides of each threshold.

use super::*;

const OWN: [u8; 4] = [10, 0, 0, 2];
const FOREIGN: [u8; 4] = [10, 0, 0, 3];

/// What becomes of a datagram to [`OWN`] with these options.
fn delivered(options: &[u8]) -> Result<Options, DropReason> {
    let mut header = vec![0; 20];
    header[0] = 0x45 + (options.len() / 4) as u8;
    header[16..20].copy_from_slice(&OWN);
    header.extend_from_slice(options);
    Options::deliver(&header, |address| address == OWN)
}

/// The options as the host leaves them, which are not as they arrived.
fn rewritten(options: &[u8]) -> Vec<u8> {
    match delivered(options) {
        Ok(Options::Rewritten(header)) => {
            assert_eq!(header[16..20], OWN, "the address is not written to");
            assert!(header[20 + options.len()..].iter().all(|byte| *byte == 0), "nothing behind");
            header[20..20 + options.len()].to_vec()
        }
        other => panic!("{options:02x?}: {other:02x?}"),
    }
}

fn passes(options: &[u8]) {
    assert_eq!(delivered(options), Ok(Options::Untouched), "{options:02x?}");
}

fn is_stamped(options: &[u8]) {
    assert_eq!(delivered(options), Ok(Options::Stamped), "{options:02x?}");
}

fn is_refused(options: &[u8]) {
    assert_eq!(delivered(options), Err(DropReason::Options), "{options:02x?}");
}

/// A timestamp option of 12 bytes with one slot of an address and a time.
fn timestamp(pointer: u8, overflow: u8, flag: u8, address: [u8; 4]) -> [u8; 12] {
    let [a, b, c, d] = address;
    [68, 12, pointer, overflow << 4 | flag, a, b, c, d, 0, 0, 0, 0]
}

#[test]
fn options_without_effect_pass() {
    passes(&[]);
    passes(&[1, 1, 1, 1]);
    passes(&[1, 1, 1, 0]);
    passes(&[0, 0, 0, 0]);
    passes(&[0x82, 4, 0xff, 0xff]);
    passes(&[0x82, 2, 1, 1]);
}

#[test]
fn a_length_below_two_or_past_the_end_is_refused() {
    is_refused(&[0x82, 0, 1, 1]);
    is_refused(&[0x82, 1, 1, 1]);
    is_refused(&[0x82, 5, 0, 0]);
    is_refused(&[1, 0x82, 4, 0]);
    is_refused(&[1, 1, 1, 0x82]);
    // In the longest header there is, nothing stands behind the last kind.
    is_refused(&[&[1; 39][..], &[0x82]].concat());
    passes(&[&[1; 38][..], &[0x82, 2]].concat());
    passes(&[1, 0x82, 3, 0]);
    passes(&[1, 1, 0x82, 2]);
}

#[test]
fn bytes_behind_the_end_of_options_become_zeros() {
    assert_eq!(rewritten(&[1, 0, 7, 9]), [1, 0, 0, 0]);
    assert_eq!(rewritten(&[0, 1, 0, 0]), [0; 4]);
    assert_eq!(rewritten(&[0, 0, 0, 0, 0x82, 0, 0, 9]), [0; 8]);
}

#[test]
fn source_routes_are_refused_wherever_they_stand() {
    for kind in [131, 137] {
        is_refused(&[kind, 7, 4, 9, 9, 9, 9, 0]);
        is_refused(&[kind, 7, 8, 9, 9, 9, 9, 0]);
        is_refused(&[1, kind, 3, 4]);
        is_refused(&[1, kind, 3, 3]);
        is_refused(&[1, 1, kind, 2]);
        is_refused(&[kind, 3, 4, kind, 3, 4, 1, 1]);
    }
}

#[test]
fn a_router_alert_has_four_bytes_and_a_label_has_no_domain() {
    passes(&[148, 4, 0, 0]);
    is_refused(&[1, 148, 3, 0]);
    is_refused(&[134, 6, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn the_own_address_is_written_into_a_record_route_with_room() {
    let wanted = [7, 7, 8, 10, 0, 0, 2, 0];
    assert_eq!(rewritten(&[7, 7, 4, 0, 0, 0, 0, 0]), wanted);
    let wanted = [7, 11, 12, 9, 9, 9, 9, 10, 0, 0, 2, 0];
    assert_eq!(rewritten(&[7, 11, 8, 9, 9, 9, 9, 0, 0, 0, 0, 0]), wanted);
    // The slot need not be aligned within the option.
    assert_eq!(rewritten(&[7, 8, 5, 9, 0, 0, 0, 0]), [7, 8, 9, 9, 10, 0, 0, 2]);
    passes(&[7, 7, 8, 9, 9, 9, 9, 0]);
    passes(&[7, 3, 4, 0]);
    is_refused(&[7, 7, 5, 0, 0, 0, 0, 0]);
    is_refused(&[7, 7, 7, 0, 0, 0, 0, 0]);
    is_refused(&[7, 7, 3, 0, 0, 0, 0, 0]);
    is_refused(&[1, 1, 7, 2]);
    is_refused(&[7, 3, 4, 7, 3, 4, 0, 0]);
}

#[test]
fn a_timestamp_with_room_takes_the_time_of_day() {
    for flag in [0, 1] {
        is_stamped(&timestamp(5, 0, flag, FOREIGN));
        is_stamped(&timestamp(5, 15, flag, FOREIGN));
    }
    // A time alone takes four bytes, a time behind an address eight.
    is_stamped(&timestamp(9, 0, 0, FOREIGN));
    is_refused(&timestamp(10, 0, 0, FOREIGN));
    is_refused(&timestamp(12, 0, 0, FOREIGN));
    for flag in [1, 3] {
        is_refused(&timestamp(6, 0, flag, OWN));
        is_refused(&timestamp(9, 0, flag, OWN));
    }
    is_refused(&timestamp(10, 0, 5, OWN));
    is_refused(&timestamp(4, 0, 0, FOREIGN));
    is_refused(&timestamp(0, 0, 3, FOREIGN));
}

#[test]
fn a_timestamp_that_names_its_hosts_is_written_by_those_alone() {
    is_stamped(&timestamp(5, 0, 3, OWN));
    passes(&timestamp(5, 0, 3, FOREIGN));
    // Each byte of the slot counts.
    for at in 0..4 {
        let mut near = OWN;
        near[at] ^= 0x80;
        passes(&timestamp(5, 0, 3, near));
    }
    // The slot is where the pointer says: the second one's address is the own.
    let hosts = |first: [u8; 4], second: [u8; 4]| {
        [&[68, 20, 13, 3], &first[..], &[0; 4], &second[..], &[0; 4]].concat()
    };
    is_stamped(&hosts(FOREIGN, OWN));
    passes(&hosts(OWN, FOREIGN));
    // A flag that the standard does not know changes nothing.
    for flag in [2, 4, 15] {
        passes(&timestamp(5, 0, flag, OWN));
    }
}

#[test]
fn a_timestamp_without_room_counts_until_fifteen() {
    for flag in [0, 1, 2, 15] {
        for overflow in [0, 1, 13, 14] {
            let after = timestamp(13, overflow + 1, flag, FOREIGN);
            assert_eq!(rewritten(&timestamp(13, overflow, flag, FOREIGN)), after);
        }
        is_refused(&timestamp(13, 15, flag, FOREIGN));
    }
    for overflow in [0, 14, 15] {
        passes(&timestamp(13, overflow, 3, FOREIGN));
    }
    assert_eq!(rewritten(&[68, 4, 5, 0]), [68, 4, 5, 0x10]);
    is_refused(&[1, 68, 3, 5]);
    is_refused(&[68, 4, 5, 3, 68, 4, 5, 3]);
}
