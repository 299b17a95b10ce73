use super::*;
use link::Datum;
use proptest::prelude::*;

const NOW: Instant = Instant::ZERO;

/// What a real router did; its head says how.
const LINUX: &str = include_str!("tests/linux-6.18.txt");

fn port(name: &str, macs: [u8; 2], own: [&str; 2], peer: [&str; 2]) -> PortConfig {
    let peer = testing::peer(macs[1], &peer);
    PortConfig { name: name.into(), peer, ..testing::port(macs[0], &own) }
}

fn config(reject: &str) -> NodeConfig {
    NodeConfig {
        name: "firewall".into(),
        ports: vec![
            port("left", [2, 1], ["10.0.0.2", "fd00::2"], ["10.0.0.1", "fd00::1"]),
            port("right", [3, 4], ["10.0.1.2", "fd01::2"], ["10.0.1.4", "fd01::4"]),
        ],
        options: [("reject".to_owned(), Datum::Text(reject.into()))].into(),
    }
}

fn emitted(node: &mut Firewall, port: PortIndex, frame: &[u8]) -> Vec<(PortIndex, Vec<u8>)> {
    node.handle_frame(NOW, port, frame);
    let mut all = Vec::new();
    while let Some(transmit) = node.poll_transmit(NOW) {
        all.push((transmit.port, transmit.frame.to_vec()));
    }
    all
}

/// One stimulus of the table: its name, the frame, and what came out where.
type Case = (String, Vec<u8>, Vec<(PortIndex, Vec<u8>)>);

fn bytes(words: &str) -> Vec<u8> {
    let word = |word: &str| match word.split_once('*') {
        Some((byte, count)) => testing::hex(&byte.repeat(count.parse().unwrap())),
        None => testing::hex(word),
    };
    words.split_whitespace().flat_map(word).collect()
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let text = LINUX.replace("\n    ", " ");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(rest) = line.strip_prefix("  ") else {
            cases.push((line.to_owned(), Vec::new(), Vec::new()));
            continue;
        };
        let (tag, words) = rest.split_once(' ').unwrap();
        let case = cases.last_mut().unwrap();
        match tag {
            "<" => case.1 = bytes(words),
            "left" => case.2.push((0, bytes(words))),
            "right" => case.2.push((1, bytes(words))),
            other => panic!("{other}"),
        }
    }
    cases
}

/// Linux hashes the identification of its ICMP errors: the one byte that cannot be foretold.
fn without_id(mut frames: Vec<(PortIndex, Vec<u8>)>) -> Vec<(PortIndex, Vec<u8>)> {
    for (_, frame) in &mut frames {
        if frame[12..14] == [8, 0] && frame[23] == 1 {
            assert_eq!(checksum(frame), 0);
            frame[18..20].fill(0);
            frame[24..26].fill(0);
        }
    }
    frames
}

fn checksum(frame: &[u8]) -> u16 {
    wire::checksum::internet_checksum(&frame[14..34])
}

#[test]
fn it_does_to_the_byte_what_linux_does() {
    let cases = cases();
    assert_eq!(cases.len(), 75);
    for (name, stimulus, wanted) in cases {
        let mut node = Firewall::new(&config("80")).unwrap();
        let got = emitted(&mut node, 0, &stimulus);
        assert_eq!(without_id(got), without_id(wanted), "{name}");
        let counted: u64 = node.counters().iter().map(|(_, count)| count).sum();
        assert_eq!(counted, 1, "{name}: each packet is counted once");
    }
}

fn counted(stimulus: &[u8]) -> String {
    let mut node = Firewall::new(&config("80")).unwrap();
    node.handle_frame(NOW, 0, stimulus);
    let counters = node.counters();
    counters.into_iter().find(|(_, count)| *count == 1).unwrap().0.into_owned()
}

#[test]
fn each_is_counted_under_its_row() {
    for (name, stimulus, _) in cases() {
        let row = name.trim_start_matches("v6-");
        let wanted = match row {
            _ if row.starts_with("forwarded") => "forwarded",
            _ if row.starts_with("rejected") => "rejected",
            _ if row.starts_with("ttl") || row.starts_with("hop") => "ttl",
            "dropped-ethernet-broadcast" | "dropped-ethernet-multicast" => "dropped.other-station",
            "dropped-other-station" => "dropped.other-station",
            _ if row.ends_with("source") || row.ends_with("source-other-port") => "dropped.source",
            "dropped-subnet-broadcast" | "dropped-class-e-destination" | "dropped-multicast" => {
                "dropped.destination"
            }
            _ => "dropped.header",
        };
        assert_eq!(counted(&stimulus), wanted, "{name}");
    }
}

fn case(name: &str) -> Vec<u8> {
    cases().into_iter().find(|(known, ..)| known == name).unwrap().1
}

/// The frame with another IPv4 destination and its checksum made right.
fn to(frame: &[u8], dst: [u8; 4]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[30..34].copy_from_slice(&dst);
    frame[24..26].fill(0);
    let sum = checksum(&frame);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    frame
}

#[test]
fn its_own_addresses_and_unknown_ones_meet_silence() {
    let frame = case("forwarded");
    for (dst, row) in [
        ([10, 0, 0, 2], "dropped.own"),
        ([10, 0, 1, 2], "dropped.own"),
        ([10, 9, 9, 9], "dropped.no-route"),
        ([127, 0, 0, 1], "dropped.destination"),
        ([0, 0, 0, 1], "dropped.destination"),
        ([10, 0, 0, 255], "dropped.destination"),
    ] {
        let frame = to(&frame, dst);
        assert_eq!(counted(&frame), row, "{dst:?}");
        let mut node = Firewall::new(&config("80")).unwrap();
        assert!(emitted(&mut node, 0, &frame).is_empty());
    }
}

#[test]
fn ip6_destinations_that_no_router_passes_on_are_dropped() {
    for (dst, row) in [
        ("::", "dropped.destination"),
        ("::1", "dropped.destination"),
        ("ff0e::1", "dropped.destination"),
        ("fe80::1", "dropped.destination"),
        ("fd01::2", "dropped.own"),
        ("2001:db8::1", "dropped.no-route"),
        ("fd01::77", "forwarded"),
    ] {
        let mut frame = case("v6-forwarded");
        frame[38..54].copy_from_slice(&dst.parse::<std::net::Ipv6Addr>().unwrap().octets());
        assert_eq!(counted(&frame), row, "{dst}");
    }
}

#[test]
fn a_point_to_point_link_has_no_broadcast_address() {
    let frame = to(&case("forwarded"), [10, 0, 0, 3]);
    for (prefix, row) in [(30, "dropped.destination"), (31, "forwarded")] {
        let mut config = config("none");
        config.ports[0].addresses[0].prefix = prefix;
        let mut node = Firewall::new(&config).unwrap();
        node.handle_frame(NOW, 0, &frame);
        assert!(node.counters().contains(&(row.into(), 1)), "/{prefix}");
    }
}

#[test]
fn an_answer_goes_to_the_station_that_asked_or_where_the_route_leads() {
    let mut frame = case("ttl-1");
    frame[11] = 0x77;
    let answered = |frame: &[u8]| {
        let mut node = Firewall::new(&config("none")).unwrap();
        let (port, answer) = emitted(&mut node, 0, frame).remove(0);
        (port, answer[5], answer[11])
    };
    assert_eq!(answered(&frame), (0, 0x77, 2));
    frame[26..30].copy_from_slice(&[10, 0, 1, 9]);
    assert_eq!(answered(&to(&frame, [10, 0, 1, 4])), (1, 4, 3), "the source is behind the other");
}

#[test]
fn tags_of_a_vlan_and_what_is_not_ip_are_dropped() {
    let mut tagged = case("forwarded-priority-tag");
    assert_eq!(counted(&tagged), "forwarded");
    tagged[15] = 7;
    assert_eq!(counted(&tagged), "dropped.vlan");
    let mut arp = case("forwarded");
    arp[13] = 6;
    assert_eq!(counted(&arp), "dropped.not-ip");
    assert_eq!(counted(&[]), "dropped.other-station");
}

#[test]
fn the_other_direction_is_the_same() {
    let mut frame = case("forwarded");
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4]);
    frame[26..30].copy_from_slice(&[10, 0, 1, 4]);
    let frame = to(&frame, [10, 0, 0, 1]);
    let mut node = Firewall::new(&config("none")).unwrap();
    let got = emitted(&mut node, 1, &frame);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].0, 0);
    assert_eq!(got[0].1[..12], [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
}

#[test]
fn errors_are_numbered_in_order() {
    let mut node = Firewall::new(&config("80")).unwrap();
    let ids: Vec<[u8; 2]> = (0..2)
        .map(|_| {
            let frame = emitted(&mut node, 0, &case("ttl-1")).remove(0).1;
            [frame[18], frame[19]]
        })
        .collect();
    assert_eq!(ids, [[0, 1], [0, 2]]);
}

#[test]
fn a_route_is_the_peer_or_the_longest_prefix() {
    let mut config = config("none");
    config.ports[0].addresses[0].prefix = 8;
    let node = Firewall::new(&config).unwrap();
    let port = |ip: &str| node.route(ip.parse().unwrap()).map(|hop| hop.port);
    assert_eq!(port("10.7.7.7"), Some(0));
    assert_eq!(port("10.0.1.77"), Some(1));
    assert_eq!(port("11.0.0.1"), None);
    config.ports[0].peer.as_mut().unwrap().addresses[0].ip = [10, 0, 1, 99].into();
    let node = Firewall::new(&config).unwrap();
    assert_eq!(node.route([10, 0, 1, 99].into()).map(|hop| hop.port), Some(0));
    config.ports[1].addresses[0] = config.ports[0].addresses[0];
    let node = Firewall::new(&config).unwrap();
    assert_eq!(node.route([10, 7, 7, 7].into()).map(|hop| hop.port), Some(0), "the first of two");
    config.ports[1].peer = None;
    let node = Firewall::new(&config).unwrap();
    assert_eq!(node.route([10, 0, 1, 77].into()).map(|hop| hop.port), Some(0), "no link, no way");
}

#[test]
fn the_profile_makes_the_reset() {
    let mut config = config("80");
    config.options.insert("profile".into(), Datum::Text("linux-2.6".into()));
    let mut node = Firewall::new(&config).unwrap();
    let reset = emitted(&mut node, 0, &case("rejected")).remove(0).1;
    assert_eq!(reset[22], 255, "the TTL of the old rule");
    config.options.insert("profile".into(), Datum::Text("linus".into()));
    let error = Firewall::new(&config).unwrap_err();
    assert!(error.message.contains("did you mean `linux`?"), "{error}");
}

#[test]
fn it_takes_no_command_and_tells_its_role() {
    let mut node = Firewall::new(&config("80")).unwrap();
    let command = Command::Do { verb: "jump".into(), args: [].into() };
    let error = node.handle_command(NOW, &command).unwrap_err();
    assert_eq!(error.0, "a firewall does not take `jump`: it only passes packets on");
    let role = crate::Registry::standard().role("firewall", &config("80,443"));
    assert_eq!(
        role,
        Role::Forwarder { reject: "80,443".parse().unwrap(), may_reject: PortSet::none() }
    );
}

/// The header's checksum made from nothing, which the router's short way must come to.
fn recomputed(frame: &[u8]) -> [u8; 2] {
    let mut header = frame[14..34].to_vec();
    header[10..12].fill(0);
    wire::checksum::internet_checksum(&header).to_be_bytes()
}

/// RFC 1624 3: of 65,535 sums 256 carry, and the first of them, 0xfeff, becomes 0x0000.
#[test]
fn every_checksum_becomes_that_of_the_new_header() {
    let mut node = Firewall::new(&config("none")).unwrap();
    let mut frame = case("forwarded");
    let mut sums = std::collections::BTreeSet::new();
    for id in 0..=u16::MAX {
        frame[18..20].copy_from_slice(&id.to_be_bytes());
        let sum = recomputed(&frame);
        frame[24..26].copy_from_slice(&sum);
        let out = emitted(&mut node, 0, &frame).remove(0).1;
        assert_eq!(out[24..26], recomputed(&out), "{sum:02x?} arrived");
        sums.insert(sum);
        if sum == [0, 0] {
            // The other zero of the ones' complement is as right.
            frame[24..26].fill(0xff);
            let out = emitted(&mut node, 0, &frame).remove(0).1;
            assert_eq!(out[24..26], recomputed(&out), "0xffff arrived");
        }
    }
    assert_eq!(sums.len(), 0xffff);
}

proptest! {
    #[test]
    fn the_checksum_follows_the_ttl(ttl in 2u8.., id: u16, protocol: u8) {
        let mut frame = case("forwarded");
        frame[18..20].copy_from_slice(&id.to_be_bytes());
        frame[22..24].copy_from_slice(&[ttl, protocol]);
        let frame = to(&frame, [10, 0, 1, 4]);
        let mut node = Firewall::new(&config("none")).unwrap();
        let out = emitted(&mut node, 0, &frame).remove(0).1;
        prop_assert_eq!(out[22], ttl - 1);
        prop_assert_eq!(checksum(&out), 0);
    }

    #[test]
    fn no_bytes_make_it_panic(index in 0usize..75, at: usize, bits: u8, cut: usize) {
        let mut frame = cases().remove(index).1;
        let len = frame.len();
        frame[at % len] ^= bits;
        frame.truncate(cut % (len + 1));
        let mut node = Firewall::new(&config("all")).unwrap();
        emitted(&mut node, 0, &frame);
    }
}
