//! The node around the rule: its options, where replies go, reassembly, and bytes of any kind.

use std::collections::BTreeMap;

use link::{Address, Command, Datum, Node, Peer};
use proptest::prelude::*;
use testing::{both, port};
use wire::{Instant, Mac, PortSet, checksum};
use wireproof_nodes::reject::{Profile, Reject, reset_for};
use wireproof_nodes::{NodeConfig, Registry, Role};

mod trigger;

use trigger::{DST4, FIN, SYN, Trigger};

fn config(options: &[(&str, Datum)]) -> NodeConfig {
    let options: BTreeMap<_, _> =
        options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    NodeConfig { ports: vec![port(2, &both(2))], options, ..NodeConfig::default() }
}

/// A frame from the station 02:00:00:00:00:01.
fn frame(packet: &[u8]) -> Vec<u8> {
    let kind = if packet[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] };
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &kind[..], packet].concat()
}

/// The frame with another IPv4 identification, and the header's checksum made right.
fn numbered(mut frame: Vec<u8>, id: u16) -> Vec<u8> {
    frame[18..20].copy_from_slice(&id.to_be_bytes());
    frame[24..26].fill(0);
    let sum = checksum::internet_checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    frame
}

fn answer(node: &mut dyn Node, frame: &[u8]) -> Option<Vec<u8>> {
    node.handle_frame(Instant::ZERO, 0, frame);
    let reply = node.poll_transmit(Instant::ZERO).map(|transmit| transmit.frame.to_vec());
    assert_eq!(node.poll_transmit(Instant::ZERO), None, "one reply at most");
    reply
}

fn counted(node: &mut dyn Node, name: &str) -> Option<u64> {
    node.counters().into_iter().find(|(counter, _)| counter == name).map(|(_, count)| count)
}

#[test]
fn the_custom_packet_is_answered_with_the_known_54_bytes() {
    let known = "0200000000010200000000020800\
                 450000280000400040 0626ce0a0000020a000001\
                 00500fa0000000000000008c501400008b520000";
    let payload: Vec<u8> = (1..=16).collect();
    let trigger = frame(&Trigger { ack: 0, ..Trigger::new(false, FIN, &payload) }.packet());
    let mut node = Registry::standard().build("reject", &config(&[])).expect("a node");
    let known = wire::hex::decode(&known.replace(' ', "")).expect("hex");
    assert_eq!(answer(&mut *node, &trigger), Some(known));
    assert_eq!(counted(&mut *node, "resets"), Some(1));
}

#[test]
fn the_options_of_the_node_are_read() {
    let text = |text: &str| Datum::Text(text.to_owned());
    let given = [("profile", text("linux-2.6")), ("reject", text("81-90"))];
    let mut node = Reject::new(&config(&given)).expect("a node");
    let trigger = frame(&Trigger { tos: 4, ..Trigger::new(false, SYN, &[]) }.packet());
    assert_eq!(answer(&mut node, &trigger), None, "port 80 is spared");
    assert_eq!(counted(&mut node, "silent.port"), Some(1));
    let given = [("profile", text("linux-2.6")), ("reject", Datum::Num(80))];
    let reply = answer(&mut Reject::new(&config(&given)).expect("a node"), &trigger);
    assert_eq!(reply.map(|frame| (frame[15], frame[22])), Some((4, 255)));
    let mut node = Reject::new(&config(&[("ttl", Datum::Num(7))])).expect("a node");
    assert_eq!(answer(&mut node, &trigger).map(|frame| frame[22]), Some(7));
    let error = Reject::new(&config(&[("profile", text("linus"))])).expect_err("no such profile");
    assert!(error.message.contains("linux-2.6"), "{error}");
    let role = Registry::standard().role("reject", &config(&[("reject", text("81-90"))]));
    assert_eq!(role, Role::ClosedPort { ports: PortSet::from_ranges([81..=90]) });
}

#[test]
fn a_source_without_a_route_back_needs_the_default_route() {
    let mut packet = Trigger::new(false, SYN, &[]).packet();
    // 192.0.2.1 in place of 10.0.0.1: both checksums follow.
    packet[12..16].copy_from_slice(&[192, 0, 2, 1]);
    packet[10..12].fill(0);
    let sum = checksum::internet_checksum(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet[36..38].fill(0);
    let sum = checksum::tcp_ip4([192, 0, 2, 1], DST4, &packet[20..]);
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
    let mut near = Reject::new(&config(&[])).expect("a node");
    assert_eq!(answer(&mut near, &frame(&packet)), None);
    assert_eq!(counted(&mut near, "silent.no-route"), Some(1));
    let far = config(&[("default-route", Datum::Bool(true))]);
    assert!(answer(&mut Reject::new(&far).expect("a node"), &frame(&packet)).is_some());
}

#[test]
fn a_known_peer_gets_the_reply_wherever_the_frame_came_from() {
    let mut known = config(&[]);
    let ip = "10.0.0.1".parse().expect("an address");
    let peer = Peer { mac: Mac([2, 0, 0, 0, 0, 9]), addresses: vec![Address { ip, prefix: 24 }] };
    known.ports[0].peer = Some(peer);
    let mut node = Reject::new(&known).expect("a node");
    let reply = answer(&mut node, &frame(&Trigger::new(false, SYN, &[]).packet()));
    assert_eq!(reply.map(|frame| frame[5]), Some(9));
    let reply = answer(&mut node, &frame(&Trigger::new(true, SYN, &[]).packet()));
    assert_eq!(reply.map(|frame| frame[5]), Some(1));
}

#[test]
fn a_port_without_addresses_is_a_bridges() {
    let mut bridge = config(&[]);
    bridge.ports[0].addresses.clear();
    let mut node = Reject::new(&bridge).expect("a node");
    let mut trigger = frame(&Trigger::new(false, SYN, &[]).packet());
    trigger[5] = 0x77;
    let reply = answer(&mut node, &trigger).expect("an answer");
    assert_eq!(reply[..12], [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x77], "the stations swapped");
}

#[test]
fn pieces_that_complete_a_datagram_are_answered_as_one() {
    let whole = Trigger::new(false, FIN, &[5; 44]);
    let segment = whole.segment();
    let piece = |from: usize, to: usize| {
        let more = if to < segment.len() { 0x2000 } else { 0 };
        let fragment = more | (from / 8) as u16;
        frame(&Trigger { fragment, ..whole.clone() }.around(&segment[from..to]))
    };
    let mut node = Reject::new(&config(&[])).expect("a node");
    let alone = answer(&mut node, &frame(&whole.packet()));
    for order in [[0, 24, 48], [48, 24, 0], [24, 0, 48]] {
        let mut pieces = order.map(|from| piece(from, (from + 24).min(segment.len())));
        let last = pieces[2].split_off(0);
        for first in &pieces[..2] {
            assert_eq!(answer(&mut node, first), None);
        }
        assert_eq!(answer(&mut node, &last), alone, "{order:?}");
    }
    // A piece that overlaps another spoils the datagram: RFC 5722 3.
    for (from, to) in [(0, 24), (16, 40), (24, 48)] {
        assert_eq!(answer(&mut node, &piece(from, to)), None);
    }
    assert_eq!(answer(&mut node, &piece(48, 64)), None);
}

#[test]
fn pieces_wait_thirty_seconds() {
    let whole = Trigger::new(false, FIN, &[5; 12]);
    let segment = whole.segment();
    let first = frame(&Trigger { fragment: 0x2000, ..whole.clone() }.around(&segment[..24]));
    let last = frame(&Trigger { fragment: 3, ..whole }.around(&segment[24..]));
    for (seconds, answered) in [(29, true), (30, false)] {
        let mut node = Reject::new(&config(&[])).expect("a node");
        node.handle_frame(Instant::ZERO, 0, &first);
        let later = Instant::from_nanos(seconds * 1_000_000_000);
        node.handle_frame(later, 0, &last);
        assert_eq!(node.poll_transmit(later).is_some(), answered, "after {seconds} s");
    }
}

#[test]
fn a_datagram_starts_anew_behind_sixty_four_pieces_of_others() {
    let whole = Trigger::new(false, FIN, &[5; 12]);
    let segment = whole.segment();
    let head = Trigger { fragment: 0x2000, ..whole.clone() };
    let first = numbered(frame(&head.around(&segment[..24])), 0xffff);
    let last = numbered(frame(&Trigger { fragment: 3, ..whole }.around(&segment[24..])), 0xffff);
    for (others, answered) in [(63, true), (64, false), (65, false)] {
        let mut node = Reject::new(&config(&[])).expect("a node");
        assert_eq!(answer(&mut node, &first), None);
        for id in 0..others {
            assert_eq!(answer(&mut node, &numbered(first.clone(), id)), None);
        }
        assert_eq!(answer(&mut node, &last).is_some(), answered, "behind {others}");
    }
}

#[test]
fn an_ethernet_broadcast_to_its_own_address_is_answered_as_any_frame() {
    let mut node = Reject::new(&config(&[])).expect("a node");
    let trigger = frame(&Trigger::new(false, SYN, &[]).packet());
    let alone = answer(&mut node, &trigger);
    assert_eq!(alone.as_ref().map(|reply| (reply[5], reply[11])), Some((1, 2)));
    for group in [[0xff; 6], [0x01, 0, 0x5e, 0, 0, 1]] {
        assert_eq!(answer(&mut node, &[&group[..], &trigger[6..]].concat()), alone);
    }
    let other = [&[2, 0, 0, 0, 0, 3], &trigger[6..]].concat();
    assert_eq!(answer(&mut node, &other), None, "another station's");
    assert_eq!(counted(&mut node, "silent.other-station"), Some(1));
}

/// The profile that sums the datagram is silenced by what the IP layer writes; the other is not.
#[test]
fn a_timestamp_without_the_hosts_own_address_is_answered() {
    let told = |profile: &str, pointer, overflow_and_flag, last| {
        let given = [("profile", Datum::Text(profile.to_owned()))];
        let ip_options = vec![68, 12, pointer, overflow_and_flag, 10, 0, 0, last, 0, 0, 0, 0];
        let trigger = Trigger { ip_options, ..Trigger::new(false, SYN, &[]) };
        let mut node = Reject::new(&config(&given)).expect("a node");
        let reply = answer(&mut node, &frame(&trigger.packet()));
        let silent = node.counters().get(1).map(|(reason, _)| reason.to_string());
        (reply.is_some(), silent)
    };
    let silent = |reason: &str| (false, Some(format!("silent.{reason}")));
    // The address in the slot: another host's, its own, the subnet's broadcast.
    for (last, written) in [(3, false), (2, true), (255, true)] {
        let wanted = if written { silent("checksum") } else { (true, None) };
        assert_eq!(told("linux", 5, 0x03, last), wanted, "{last}");
        assert_eq!(told("linux-2.6", 5, 0x03, last), (true, None), "{last}");
    }
    // No room: 14 becomes 15, which is as far as the count goes.
    assert_eq!(told("linux", 13, 0xe0, 3), silent("checksum"));
    assert_eq!(told("linux-2.6", 13, 0xe0, 3), (true, None));
    assert_eq!(told("linux", 13, 0xf0, 3), silent("options"));
    assert_eq!(told("linux-2.6", 13, 0xf0, 3), silent("options"));
    assert_eq!(told("linux", 13, 0xf3, 3), (true, None), "a list of hosts counts nobody");
}

/// Linux 6.18 behind a veth pair takes 2504 bytes for a datagram of one long piece: 1675 of them,
/// and one short piece more, are beyond the 4 MiB after which it drops every piece.
#[test]
fn pieces_that_wait_take_memory() {
    let whole = Trigger::new(false, FIN, &[5; 12]);
    let segment = whole.segment();
    let head = Trigger { fragment: 0x2000, ..whole.clone() };
    let long = frame(&head.around(&[0; 1400]));
    let first = numbered(frame(&head.around(&segment[..24])), 0xffff);
    let last = numbered(frame(&Trigger { fragment: 3, ..whole }.around(&segment[24..])), 0xffff);
    for (waiting, answered) in [(1674, true), (1675, false)] {
        let mut node = Reject::new(&config(&[])).expect("a node");
        for id in 0..waiting {
            assert_eq!(answer(&mut node, &numbered(long.clone(), id)), None);
        }
        assert_eq!(answer(&mut node, &first), None);
        assert_eq!(answer(&mut node, &last).is_some(), answered, "behind {waiting}");
    }
}

#[test]
fn it_takes_no_command() {
    let command = Command::Do { verb: "connect".to_owned(), args: BTreeMap::new() };
    let error = Reject::new(&config(&[])).expect("a node").handle_command(Instant::ZERO, &command);
    assert!(error.is_err_and(|error| error.0.contains("`connect`")));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind: bool) {
        let mut bytes = bytes;
        let mut node = Reject::new(&config(&[])).expect("a node");
        node.handle_frame(Instant::ZERO, 0, &bytes);
        if let [first, ..] = &mut bytes[..] {
            *first = if kind { 0x45 | *first & 0x0f } else { 0x60 | *first & 0x0f };
            node.handle_frame(Instant::ZERO, 0, &frame(&bytes));
            let _ = reset_for(Profile::Linux26, &bytes, &mut Vec::new());
        }
    }

    #[test]
    fn damaged_triggers_never_panic_and_are_never_answered_twice(
        ip6: bool, options in prop::collection::vec(any::<u8>(), 0..10),
        damage in prop::collection::vec((0usize..120, any::<u8>()), 0..4),
    ) {
        let ip_options = options.iter().flat_map(|byte| [*byte, byte >> 4, 4, 0]).collect();
        let trigger = Trigger { ip_options, ..Trigger::new(ip6, SYN, &[1; 40]) };
        let mut bytes = frame(&trigger.packet());
        for (at, byte) in damage {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        for profile in ["linux", "linux-2.6"] {
            let given = [("profile", Datum::Text(profile.to_owned()))];
            let _ = answer(&mut Reject::new(&config(&given)).expect("a node"), &bytes);
        }
    }
}
