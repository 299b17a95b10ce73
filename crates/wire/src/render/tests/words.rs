//! Bytes and their line: every name that goldens have not, and each header that is opened. Where
//! tcpdump has words for it they are tcpdump's, but for the plural.

use super::super::*;
use super::frames::*;
use crate::hex::decode as hex;

fn describe(frames: Vec<(&str, Vec<u8>)>) -> String {
    frames.into_iter().map(|(name, frame)| format!("{name}\n   {}\n", line(&frame))).collect()
}

const BODY: &str = "020000000001 0a000001 000000000000 0a000002";
const BOTH: &str = "020000000001 0a000001 020000000009 0a000002";

#[test]
fn ethernet_types_llc_and_arp() {
    let raw = |text: &str| hex(text).expect("hex");
    let stp = raw("424203 0000000000").into_iter().chain([0; 30]).collect::<Vec<u8>>();
    let text = describe(vec![
        ("LLDP", eth(0x88cc, &[2, 7, 4])),
        ("PROFINET behind a tag", eth(0x8100, &[0, 5, 0x88, 0x92, 1])),
        ("unassigned", eth(0x1234, &[1])),
        ("STP", ieee(&stp)),
        ("NetBIOS", ieee(&raw("f0f003 01"))),
        ("numbered", ieee(&raw("0404 0201 010203"))),
        ("CDP", ieee(&raw("aaaa03 00000c 2000 02b40000"))),
        ("IPv4 behind SNAP", ieee(&[raw("aaaa03 000000 0800"), ip4(6, &tcp4(2, ""))].concat())),
        ("Novell", ieee(&raw("ffff001e"))),
        ("request", arp(0x0806, "0001080006040001", BODY)),
        ("request with a target", arp(0x0806, "0001080006040001", BOTH)),
        ("reply", arp(0x0806, "0001080006040002", BODY)),
        ("RARP request", arp(0x8035, "0001080006040003", BOTH)),
        ("RARP reply", arp(0x8035, "0001080006040004", BOTH)),
        ("InARP of Frame Relay", arp(0x0806, "000f080002040008", "0021 0a000001 0031 0a000002")),
        ("InARP reply", arp(0x0806, "0001080006040009", BODY)),
        ("MARS", arp(0x0806, "000108000604000b", BODY)),
        ("another protocol", arp(0x0806, "0001809b06030001", &"00".repeat(18))),
        ("IEEE 1394", arp(0x0806, "0018080010040002", &"0102030405".repeat(8))),
        ("unknown hardware", arp(0x0806, "00ff123401010001", "01020304")),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn ip_protocols_and_options() {
    let igmp3 = "220000000000000304000000e000000502000001e00000060a00000901000000e0000007";
    let with = |options: &str| eth(0x0800, &ip4_with(&hex(options).expect("hex"), 6, &tcp4(2, "")));
    let mobile = [&[6, 2, 1, 2, 0, 0, 0xc9, 16][..], &HOME, &tcp6(HOME, 0)].concat();
    let text = describe(vec![
        ("SCTP", eth(0x0800, &ip4(132, &[1, 2, 3, 4]))),
        ("unassigned", eth(0x86dd, &ip6(200, 4, &[1, 2, 3, 4]))),
        ("ESP", eth(0x0800, &ip4(50, &[0, 0, 0, 1, 0, 0, 0, 2, 9]))),
        ("IGMP report", igmp("16000000e0000005")),
        ("IGMP leave", igmp("17000000e0000005")),
        ("IGMP query", igmp("1164000000000000")),
        ("IGMPv3 query", igmp("11640000e0000005021400010a000001")),
        ("IGMPv3 report", igmp(igmp3)),
        ("record route", with("0707040000000000")),
        ("router alert", with("94040000")),
        ("timestamps", with("440c0d010a0000010000000500000000")),
        ("an option that lies", with("07090400")),
        ("home address", eth(0x86dd, &ip6(60, mobile.len(), &mobile))),
        ("summed from the care-of address", {
            let options = [&[6, 2, 1, 2, 0, 0, 0xc9, 16][..], &HOME, &tcp6(ONE, 0)].concat();
            eth(0x86dd, &ip6(60, options.len(), &options))
        }),
        ("BIG TCP", eth(0x86dd, &ip6(6, 0, &tcp6(ONE, 70_000)))),
        ("BIG TCP over IPv4", {
            let mut packet = ip4(6, &tcp4(16, ""));
            packet.resize(70_000, 0);
            packet[2..4].fill(0);
            packet[10..12].fill(0);
            let sum = crate::checksum::internet_checksum(&packet[..20]).to_be_bytes();
            packet[10..12].copy_from_slice(&sum);
            packet[36..38].fill(0);
            let sum = crate::checksum::tcp_ip4([10, 0, 0, 1], [10, 0, 0, 2], &packet[20..]);
            packet[36..38].copy_from_slice(&sum.to_be_bytes());
            eth(0x0800, &packet)
        }),
        ("jumbogram", jumbogram(70_028)),
        ("jumbogram that is cut", jumbogram(70_029)),
        ("jumbogram of a size that needs none", {
            let segment = [&[6, 0, 0xc2, 4, 0, 0, 0, 28][..], &tcp6(ONE, 0)].concat();
            eth(0x86dd, &ip6(0, 0, &segment))
        }),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn icmp_of_every_type() {
    let mut text: String = (0..=255).map(|kind| line(&icmp4(&typed(kind, 0))) + "\n").collect();
    for code in 1..=4 {
        for kind in [5, 11, 12, 43] {
            text += &(line(&icmp4(&typed(kind, code))) + "\n");
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn icmp6_of_every_type() {
    let mut text: String = (0..=255).map(|kind| line(&icmp6(&typed(kind, 0))) + "\n").collect();
    for code in 1..=11 {
        for kind in [1, 3, 4] {
            text += &(line(&icmp6(&typed(kind, code))) + "\n");
        }
    }
    let prefix = "030440c0 00015180 00015180 00000000 fd000000000000000000000000000000";
    let group = "ff020000000000000000000000000005";
    text += &describe(vec![
        ("advertisement", icmp6(&format!("86000000 40480708 {} {prefix}", "00".repeat(8)))),
        ("flags", icmp6(&format!("88000000 60000000 {group}"))),
        ("MLDv2 query", icmp6(&format!("82000000 27100000 {group} 0a7d0001 {group}"))),
        ("MLDv2 report", {
            let records = format!("04000000 {group} 03000001 {group} {group} 09000000 {group}");
            icmp6(&format!("8f000000 00000003 {records}"))
        }),
        ("MLDv2 report of one, cut", icmp6("8f000000 00000001 0400")),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn tcp_options_by_name() {
    let key = "0102030405060708";
    let mut text = String::new();
    for (name, list) in [
        ("cookie request", "2202".to_owned()),
        ("cookie", format!("220a{key}")),
        ("MD5", format!("1312{}", "ab".repeat(16))),
        ("TCP-AO", format!("1d100102{}", "cd".repeat(12))),
        ("user timeout", "1c04801e".into()),
        ("AccECN0", "ac0b000001000002000003".into()),
        ("AccECN1", "ae0b000001000002000003".into()),
        ("AccECN0 with one counter", "ac05000001".into()),
        ("AccECN0 of a wrong length", "ac0400 01".into()),
        ("TFO, experimental", "fe08f98901020304".into()),
        ("SMC-R", "fd06e2d4c3d9".into()),
        ("EDO", "fd060ed00007".into()),
        ("unknown experiment", "fd040102".into()),
        ("TCP-ENO", "45040102".into()),
        ("echo", "060600000001".into()),
        ("unknown", "63040102".into()),
        ("MP_CAPABLE of a SYN", "1e040181".into()),
        ("MP_CAPABLE", format!("1e0c0181{key}")),
        ("MP_CAPABLE, both keys", format!("1e140181{key}{key}")),
        ("MP_CAPABLE, data", format!("1e160181{key}{key}0010")),
        ("MP_JOIN", "1e0c11010102030405060708".into()),
        ("MP_JOIN, last", format!("1e181000{}", "ab".repeat(20))),
        ("DSS", "1e0820010000 0001".into()),
        ("DSS with a mapping", "1e142015000000010000000200000003 00641234".into()),
        ("ADD_ADDR", format!("1e1030020a000003{key}")),
        ("ADD_ADDR, port", format!("1e1230020a0000031f90{key}")),
        ("ADD_ADDR, echo", "1e0831020a000003".into()),
        ("ADD_ADDR, IPv6", "1e163102fd0000000000000000000000000000031f90".into()),
        ("REMOVE_ADDR", "1e05400203".into()),
        ("MP_PRIO", "1e0351".into()),
        ("MP_FAIL", "1e0c60000000000000000005".into()),
        ("MP_FASTCLOSE", format!("1e0c7000{key}")),
        ("MP_TCPRST", "1e048102".into()),
        ("unknown subtype", "1e049001".into()),
        ("DSS of a wrong length", "1e042001".into()),
    ] {
        text += &describe(vec![(name, options(&list))]);
    }
    let join = eth(0x0800, &ip4(6, &tcp4(0x12, &format!("1e101001{key}aabbccdd"))));
    text += &describe(vec![("MP_JOIN of a SYN,ACK", join)]);
    insta::assert_snapshot!(text);
}

#[test]
fn tunnels_are_opened() {
    let raw = |text: &str| hex(text).expect("hex");
    let datagram = |packet: &[u8]| eth(0x0800, &ip4(17, packet));
    let packet = ip4(6, &tcp4(2, ""));
    let unsummed = vxlan(4789, &inner());
    let text = describe(vec![
        ("VXLAN", datagram(&vxlan(4789, &inner()))),
        ("VXLAN over IPv6 without a checksum", eth(0x86dd, &ip6(17, unsummed.len(), &unsummed))),
        ("VXLAN, unknown within", datagram(&vxlan(4789, &eth(0x1234, &[1])))),
        ("another port", datagram(&vxlan(4788, &inner()))),
        ("GRE", gre("00000800", &packet)),
        ("GRE, key and number", gre("30000800 00000005 00000007", &packet)),
        ("GRE, Ethernet", gre("00006558", &inner())),
        ("GRE, wrong checksum", gre("80000800 12340000", &packet)),
        ("GRE, unknown", gre("00001234", &[1])),
        ("GRE, keepalive", gre("00000000", &[])),
        (
            "PPTP",
            gre("3081880b 002a0005 00000007 00000003", &[raw("ff030021"), packet.clone()].concat()),
        ),
        ("PPTP, acknowledgment", gre("2081880b 00000005 00000003", &[])),
        ("GRE version 2", gre("00020800", &packet)),
        ("PADI", pppoe(0x8863, 9, 0, &raw("01010000 0103000401020304"))),
        ("PADO", pppoe(0x8863, 7, 0, &raw("01020003616331 0777000141"))),
        ("PADT", pppoe(0x8863, 0xa7, 5, &raw("02030002 0a1b"))),
        ("session", pppoe(0x8864, 0, 5, &[raw("0021"), packet.clone()].concat())),
        ("LCP", pppoe(0x8864, 0, 5, &raw("c0210101000a05061234abcd"))),
        ("PPP, unknown", pppoe(0x8864, 0, 5, &raw("40210101"))),
        ("AH", eth(0x0800, &ip4(51, &ah(6, &tcp4(2, ""))))),
        ("AH, tunnel", eth(0x0800, &ip4(51, &ah(4, &packet)))),
        ("AH, ESP", eth(0x86dd, &ip6(51, 33, &ah(50, &[0, 0, 0, 1, 0, 0, 0, 2, 3])))),
        ("AH that is cut", eth(0x0800, &ip4(51, &ah(6, &[])[..20]))),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_tree_of_tunnels() {
    let frames = [
        gre("b0000800 00000000 00000005 00000007", &ip4(51, &ah(6, &tcp4(2, "2202")))),
        eth(0x0800, &ip4(17, &vxlan(4789, &ieee(&hex("aaaa0300000c200002b4").expect("hex"))))),
        pppoe(0x8864, 0, 5, &hex("c0210101000a05061234abcd").expect("hex")),
        arp(0x0806, "000f080002040008", "0021 0a000001 0031 0a000002"),
    ];
    let text: String = frames.iter().map(|frame| tree(frame) + "\n").collect();
    insta::assert_snapshot!(text);
}

/// Frames whose line is tcpdump's, word for word. The others have more words than tcpdump, or
/// ports that stand in front.
#[test]
fn tcpdump_has_the_same_words() {
    let packet = ip4(6, &tcp4(2, ""));
    let raw = |text: &str| hex(text).expect("hex");
    let key = "0102030405060708";
    let mut frames = vec![
        arp(0x0806, "0001080006040001", BOTH),
        arp(0x8035, "0001080006040003", BOTH),
        arp(0x8035, "0001080006040004", BOTH),
        arp(0x0806, "000f080002040008", "0021 0a000001 0031 0a000002"),
        arp(0x0806, "0001080006040009", BODY),
        arp(0x0806, "0018080010040002", &"0102030405".repeat(8)),
        gre("00000800", &packet),
        gre("30000800 00000005 00000007", &packet),
        gre("00006558", &inner()),
        gre("3081880b 002a0005 00000007 00000003", &[raw("ff030021"), packet.clone()].concat()),
        gre("2081880b 00000005 00000003", &[]),
        pppoe(0x8863, 9, 0, &raw("01010000 0103000401020304")),
        pppoe(0x8863, 7, 0, &raw("01020003616331 0777000141")),
        pppoe(0x8864, 0, 5, &[raw("0021"), packet.clone()].concat()),
        pppoe(0x8864, 0, 5, &raw("c0210101000a05061234abcd")),
        eth(0x0800, &ip4(51, &ah(4, &packet))),
        ieee(&[raw("aaaa03 000000 0800"), packet].concat()),
        options(&format!("1d100102{}", "cd".repeat(12))),
        options(&format!("1e0c0181{key}")),
        options("1e0c11010102030405060708"),
        options(&format!("1e1030020a000003{key}")),
        options(&format!("1e1230020a0000031f90{key}")),
        options("1e05400203"),
        options("1e0351"),
        options("1e0c60000000000000000005"),
        options(&format!("1e0c7000{key}")),
        options("fe08f98901020304"),
        options("060600000001"),
    ];
    for kind in [4, 10, 13, 14, 15, 16, 17, 18] {
        frames.push(icmp4(&typed(kind, 0)));
    }
    let mut capture = crate::Capture::new();
    let port = capture.add_interface("eth0");
    for frame in &frames {
        capture.push(crate::Instant::default(), port, frame);
    }
    let mut bytes = Vec::new();
    crate::pcap::write(&capture, crate::pcap::Format::default(), &mut bytes).expect("memory");
    let Some(theirs) = super::tcpdump(&bytes) else { return };
    let ours: Vec<String> = frames.iter().map(line).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn goldens_keep_their_words() {
    for (frame, words) in [
        (icmp6(&typed(143, 0)), "ICMP6, type 143, code 0, length 40"),
        (icmp4(&typed(13, 0)), "ICMP type 13, code 0, length 40"),
        (options("fd04f989"), "options [unknown-253 0xf989], length 0"),
        (eth(0x9000, &[1]), "ethertype 0x9000, length 1"),
        (eth(0x0800, &ip4(132, &[1])), "ip-proto-132, length 1"),
        (eth(0x0800, &ip4_with(&[148, 4, 0, 0], 254, &[1])), "10.0.0.2: ip-proto-254, length 1"),
        (
            arp(0x0806, "0001080006040003", BODY),
            "ARP, opcode 3 from 10.0.0.1 to 10.0.0.2, length 28",
        ),
        (gre("00000800", &ip4(6, &tcp4(2, ""))), "10.0.0.2: ip-proto-47, length 44"),
        (eth(0x0800, &ip4(17, &vxlan(4789, &inner()))), "10.0.0.2.4789: UDP, length 62"),
        (eth(0x0800, &ip4(51, &ah(6, &tcp4(2, "")))), "10.0.0.2: ip-proto-51, length 44"),
        (pppoe(0x8864, 0, 5, &[0, 0x21]), "ethertype 0x8864, length 8"),
        (ieee(&[0x42, 0x42, 3]), "802.3, length 46"),
        (eth(0x6558, &inner()), "ethertype 0x6558, length 54"),
        (eth(0x0800, &ip4(143, &inner())), "10.0.0.2: ip-proto-143, length 54"),
        (options("0501"), "(tcp option at byte 54 claims 1 bytes, 4 are there)"),
    ] {
        let line = accepted_line(&frame);
        assert!(line.ends_with(words), "{line}");
        let sendable = |layer: &crate::view::LayerView| layer.proto.is_sendable();
        assert!(crate::view::LaxFrame::as_sent(&frame).layers().iter().all(sendable), "{line}");
    }
}

/// Each number is what the headers say, whatever was lost of the frame before it was captured.
#[test]
fn lengths_are_those_of_the_headers() {
    let udp = hex("1000 2000 0fa8 0000 0102030405060708").expect("hex");
    let mut first = eth(0x0800, &ip4(17, &udp));
    first[20] |= 0x20;
    assert!(line(&first).ends_with("|16+) UDP, length 4000"), "{}", line(&first));
    assert!(accepted_line(&first).ends_with("UDP, length 8"), "{}", accepted_line(&first));

    // UDP states less than IP, which states more than there is.
    let mut long = ip4(17, &hex("1000 2000 0009 0000 01").expect("hex"));
    long[3] += 60;
    assert!(line(&eth(0x0800, &long)).contains("UDP, length 1 (ip4.total-length"));

    // A frame that is shorter than IP says.
    let segment = [tcp4(2, "02040500"), vec![7; 100]].concat();
    let mut short = eth(0x0800, &ip4(6, &segment));
    short.truncate(14 + 20 + 24 + 10);
    let words = line(&short);
    assert!(words.contains("options [mss 1280], length 100 (ip4.total-length"), "{words}");
    let seq = |text: &str| -> [u32; 2] {
        let range = text.split("seq ").nth(1).and_then(|rest| rest.split(',').next());
        let (start, end) = range.and_then(|range| range.split_once(':')).expect("a range");
        [start.parse().expect("a number"), end.parse().expect("a number")]
    };
    let [start, end] = seq(&words);
    assert_eq!(end - start, 100, "{words}");
    let [start, end] = seq(&accepted_line(&short));
    assert_eq!(end - start, 10);
    // Its options are short as well.
    short.truncate(14 + 20 + 22);
    let [start, end] = seq(&line(&short));
    assert_eq!(end - start, 100, "{}", line(&short));

    // The capture lost the second half of the fragment header.
    let mut six = hex("6000 0000 0018 2c40").expect("hex");
    six.extend([[0xfd; 16], [0xfe; 16]].concat());
    six.extend(hex("1100 0051 00000009").expect("hex"));
    six.extend([0; 16]);
    let whole = eth(0x86dd, &six);
    let cut = crate::Frame { original_len: whole.len(), ..whole[..14 + 40 + 6].into() };
    assert!(line(cut).contains("frag (?:80|16+)"), "{}", line(cut));
}
