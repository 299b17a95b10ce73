//! Frames as captures have them: behind every link header that can be read, and cut anywhere.

use proptest::prelude::*;
use wireproof_wire::hex::decode as hex;
use wireproof_wire::view::{LaxFrame, LayerView, lax};
use wireproof_wire::{Capture, Frame, LinkType, Proto, Value, diff, fields, pcapng, render};

const LINKS: [LinkType; 12] = [
    LinkType::Ethernet,
    LinkType::Null,
    LinkType::Ppp,
    LinkType::Raw,
    LinkType::Ieee80211,
    LinkType::Loop,
    LinkType::Sll,
    LinkType::Radiotap,
    LinkType::PppHdlc,
    LinkType::Ip4,
    LinkType::Ip6,
    LinkType::Sll2,
];

fn capture() -> Capture {
    pcapng::read(include_bytes!("frames.pcapng")).expect("the tree's own").capture
}

fn frames() -> Vec<Vec<u8>> {
    capture().iter().map(|(_, _, frame)| frame.to_vec()).collect()
}

fn of(link: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame { bytes, link, original_len: bytes.len(), fcs_len: 0 }
}

fn bytes(text: &str) -> Vec<u8> {
    hex(text).expect("hex digits")
}

fn protos(view: &LaxFrame<'_>) -> Vec<Proto> {
    view.layers().iter().map(|layer| layer.proto).collect()
}

/// An IPv4 TCP segment and an IPv6 one, without a link header.
fn packets() -> [Vec<u8>; 2] {
    let frames = frames();
    let inside = |proto| {
        let plain = |frame: &&Vec<u8>| {
            let view = lax(*frame);
            protos(&view).get(1) == Some(&proto)
                && view.find(Proto::Tcp).is_some()
                && view.faults().is_empty()
                && view.trailer().is_empty()
        };
        frames.iter().find(plain).expect("one of each")[14..].to_vec()
    };
    [inside(Proto::Ip4), inside(Proto::Ip6)]
}

/// Every header that carries IP, once or more for each link type: what it is for IPv4, for IPv6,
/// and its layers.
fn headers() -> Vec<(LinkType, [Vec<u8>; 2], Vec<Proto>)> {
    use LinkType as L;
    use Proto as P;
    let mut all = Vec::new();
    let mut add = |link, four: &str, six: &str, protos: &[Proto]| {
        all.push((link, [bytes(four), bytes(six)], protos.to_vec()));
    };
    add(L::Raw, "", "", &[]);
    for six in ["18", "1c", "1e"] {
        add(L::Null, "02000000", &format!("{six}000000"), &[P::Null]);
        add(L::Null, "00000002", &format!("000000{six}"), &[P::Null]);
        add(L::Loop, "00000002", &format!("000000{six}"), &[P::Null]);
    }
    let cooked = "0000 0001 0006 020000000001 0000";
    add(L::Sll, &format!("{cooked} 0800"), &format!("{cooked} 86dd"), &[P::Sll]);
    let tagged = [P::Sll, P::Vlan];
    add(L::Sll, &format!("{cooked} 8100 0005 0800"), &format!("{cooked} 8100 0005 86dd"), &tagged);
    let cooked = "0000 00000002 0001 04 06 020000000001 0000";
    add(L::Sll2, &format!("0800 {cooked}"), &format!("86dd {cooked}"), &[P::Sll2]);
    for link in [L::Ppp, L::PppHdlc] {
        add(link, "ff03 0021", "ff03 0057", &[P::Hdlc, P::Ppp]);
        add(link, "ff03 21", "ff03 57", &[P::Hdlc, P::Ppp]);
    }
    add(L::Ppp, "0021", "0057", &[P::Ppp]);
    add(L::Ppp, "21", "57", &[P::Ppp]);
    add(L::Ppp, "0003 0021", "0103 0057", &[P::Hdlc, P::Ppp]);
    add(L::PppHdlc, "0f00 0800", "8f00 86dd", &[P::Chdlc]);
    let snap = |kind| format!("aaaa03 000000 {kind}");
    let three = "0000 020000000001 020000000002 020000000003 1000";
    let [four, six] = ["0800", "86dd"].map(snap);
    for (control, after, qos) in [
        ("0801", "", false),
        ("0802", "", false),
        ("0803", "020000000004", false),
        ("8801", "0000", true),
        ("8803", "020000000004 0000", true),
        ("8881", "0000 11223344", true),
    ] {
        let head = format!("{control} {three} {after}");
        let mut protos = vec![P::Wlan];
        protos.extend(qos.then_some(P::WlanQos));
        protos.extend([P::Llc, P::Snap]);
        let (four, six) = (format!("{head} {four}"), format!("{head} {six}"));
        add(L::Ieee80211, &four, &six, &protos);
        protos.insert(0, P::Radiotap);
        // Nothing said; a second presence word, a timer and flags; a rate only.
        for radio in [
            "0000 0800 00000000",
            "0000 1900 03000080 00000000 00000000 1122334455667788 00",
            "0000 0900 04000000 02",
        ] {
            add(L::Radiotap, &format!("{radio} {four}"), &format!("{radio} {six}"), &protos);
        }
    }
    all
}

#[test]
fn behind_every_link_header_the_packet_is_the_same() {
    let packets = packets();
    for (link, heads, before) in headers() {
        for (head, packet) in heads.iter().zip(&packets) {
            let frame = [&head[..], packet].concat();
            let view = lax(of(link, &frame));
            let ethernet =
                [&frames()[0][..12], if packet[0] >> 4 == 4 { &[8, 0] } else { &[0x86, 0xdd] }];
            let whole = [&ethernet.concat()[..], packet].concat();
            let told = lax(&whole);
            let name = format!("{link} {head:02x?}");
            assert_eq!(protos(&view), [&before[..], &protos(&told)[1..]].concat(), "{name}");
            assert_eq!(view.faults(), [], "{name}");
            for (layer, other) in view.layers()[before.len()..].iter().zip(&told.layers()[1..]) {
                let moved = LayerView {
                    start: other.start - 14 + head.len(),
                    end: other.end - 14 + head.len(),
                    limit: other.limit - 14 + head.len(),
                    ..*other
                };
                assert_eq!(*layer, moved, "{name}");
                assert_eq!(
                    view.checksum(layer).map(|sum| sum.ok),
                    told.checksum(other).map(|sum| sum.ok)
                );
            }
            let line = render::line(of(link, &frame));
            let line = line.strip_prefix("vlan 5, p 0, ").unwrap_or(&line);
            assert_eq!(line, render::line(&whole), "{name}");
            let tree = render::tree(of(link, &frame));
            assert!(tree.starts_with(&format!("Link type {link}\n")), "{tree}");
        }
    }
    for (link, packet) in [(LinkType::Ip4, &packets[0]), (LinkType::Ip6, &packets[1])] {
        assert!(lax(of(link, packet)).faults().is_empty());
    }
}

#[test]
fn what_carries_no_ip_is_named() {
    let three = "0000 020000000001 020000000002 020000000003";
    for (link, frame, line) in [
        (LinkType::Raw, "10 00".into(), "unknown IP version 1, length 2"),
        (LinkType::Null, "07000000 aabb".into(), "AF 7, length 2"),
        (LinkType::Loop, "00000007 aabb".into(), "AF 7, length 2"),
        (
            LinkType::Sll,
            "0004 0001 0006 020000000001 0000 88cc 0102".into(),
            "Out ethertype 0x88cc, length 2",
        ),
        (
            LinkType::Sll2,
            "88cc 0000 00000002 0001 00 06 020000000001 0000 0102".into(),
            "In ethertype 0x88cc, length 2",
        ),
        // Netlink has families where others have types.
        (
            LinkType::Sll,
            "0004 0338 0000 0000000000000000 0800 0102".into(),
            "Out ethertype 0x0800, length 2",
        ),
        (LinkType::PppHdlc, "8f00 8035 0102".into(), "SLARP, length 2"),
        (LinkType::Ieee80211, format!("8000 {three} 0000 0102"), "802.11 Beacon, length 2"),
        (LinkType::Ieee80211, "d400 0000 020000000001".into(), "802.11 Acknowledgment, length 0"),
        (LinkType::Ieee80211, format!("4801 {three} 0000"), "802.11 Null Data, length 0"),
        (
            LinkType::Ieee80211,
            format!("0841 {three} 0000 0102"),
            "802.11 Data, protected, length 2",
        ),
        (LinkType::Ieee80211, format!("0801 {three} 0100 0102"), "802.11 Data, fragment, length 2"),
        (
            LinkType::Ieee80211,
            format!("8801 {three} 0000 8000 0102"),
            "802.11 Data, A-MSDU, length 2",
        ),
        (LinkType::Sll, "0000 0001".into(), "[|sll]"),
        (LinkType::Ieee80211, "0801 0000".into(), "[|wlan]"),
        (LinkType::Null, String::new(), "[|null]"),
    ] {
        let frame = bytes(&frame);
        let shown = render::line(of(link, &frame));
        let shown = shown.split(" (").next().unwrap_or_default();
        assert_eq!(shown, line, "{link}");
    }
}

#[test]
fn a_frame_check_sequence_is_no_trailer() {
    let [packet, _] = packets();
    let mut frame = [&frames()[0][..12], &[8, 0], &packet, &[0xde, 0xad, 0xbe, 0xef]].concat();
    let end = frame.len();
    let told = Frame { fcs_len: 4, ..of(LinkType::Ethernet, &frame) };
    assert_eq!((lax(told).trailer(), lax(told).fcs()), (end - 4..end - 4, end - 4..end));
    assert!(render::tree(told).contains("Frame check sequence, 4 bytes"));
    let untold = of(LinkType::Ethernet, &frame);
    assert_eq!((lax(untold).trailer(), lax(untold).fcs()), (end - 4..end, end..end));
    // Of a frame that was cut within it, or before it, there is less.
    frame.truncate(end - 3);
    let cut = Frame { fcs_len: 4, original_len: end, ..of(LinkType::Ethernet, &frame) };
    assert_eq!((lax(cut).trailer().len(), lax(cut).fcs()), (0, end - 4..end - 3));
    let radio = bytes("0000 0900 02000000 10");
    let data = bytes("0801 0000 020000000001 020000000002 020000000003 0000 aaaa03 000000 0800");
    let frame = [&radio[..], &data, &packet, &[1, 2, 3, 4]].concat();
    let view = lax(of(LinkType::Radiotap, &frame));
    assert_eq!((view.trailer().len(), view.fcs().len()), (0, 4));
    assert_eq!(protos(&view).last(), protos(&lax(&frames()[0])).last());
    // Radiotap may say that the header is padded to four bytes.
    let radio = bytes("0000 0900 02000000 20");
    let data =
        bytes("8801 0000 020000000001 020000000002 020000000003 0000 0000 ffff aaaa03 000000 0800");
    let frame = [&radio[..], &data, &packet].concat();
    let view = lax(of(LinkType::Radiotap, &frame));
    assert!(view.find(Proto::Tcp).is_some() && view.faults().is_empty(), "{:?}", view.faults());
}

/// The layers of a cut frame are those of the whole one, as far as they go; nothing is blamed that
/// the whole frame is not blamed for.
#[test]
fn a_cut_blames_nobody_and_moves_no_number() {
    let frames = frames();
    let ethernet = frames.iter().map(|frame| (LinkType::Ethernet, frame.clone()));
    let packets = packets();
    let others = headers().into_iter().flat_map(|(link, heads, _)| {
        let whole = |(head, packet): (Vec<u8>, &Vec<u8>)| (link, [&head[..], packet].concat());
        heads.into_iter().zip(&packets).map(whole).collect::<Vec<_>>()
    });
    for (link, frame) in ethernet.chain(others) {
        let whole = lax(of(link, &frame));
        for length in 0..frame.len() {
            let cut = Frame { original_len: frame.len(), ..of(link, &frame[..length]) };
            let view = lax(cut);
            let name = format!("{link}, {length} of {frame:02x?}");
            for fault in view.faults() {
                assert!(whole.faults().contains(fault), "{fault} in {name}");
            }
            let whole_ones = view
                .layers()
                .iter()
                .filter(|layer| view.stop().is_none_or(|stop| stop.offset != layer.start));
            for (layer, other) in whole_ones.zip(whole.layers()) {
                let same =
                    layer == other || (layer.start, layer.proto) == (other.start, Proto::Payload);
                // A LLC header that is cut is not known to announce SNAP, nor UDP to carry VXLAN.
                let opened = layer.proto == Proto::Payload && layer.start == other.start;
                assert!(same || opened, "{layer:?} is {other:?} in {name}");
                if let Some(sum) = view.checksum(layer) {
                    assert_eq!(Some(sum), whole.checksum(other), "{name}");
                }
            }
            let line = render::line(cut);
            assert!(
                !line.contains("claims") || render::line(of(link, &frame)).contains("claims"),
                "{line}"
            );
            let _ = render::tree(cut);
        }
    }
}

#[test]
fn sequence_ranges_of_cut_frames_are_those_of_the_headers() {
    let frames = frames();
    let mut seen = 0;
    for frame in &frames {
        let view = lax(frame);
        let Some(tcp) = view.find(Proto::Tcp).filter(|tcp| tcp.end < tcp.limit) else { continue };
        if !view.faults().is_empty() {
            continue;
        }
        let cut = Frame { original_len: frame.len(), ..of(LinkType::Ethernet, &frame[..tcp.end]) };
        // All but the verdict on a checksum over what is not here.
        let plain = |line: String| match line.split_once("(bad cksum") {
            Some((before, after)) => {
                before.to_owned() + after.split_once("), ").map_or("", |(_, rest)| rest)
            }
            None => line,
        };
        assert_eq!(plain(render::line(cut)), plain(render::line(frame)));
        seen += 1;
    }
    assert!(seen >= 2, "{seen} frames with a payload");
}

#[test]
fn numbers_with_the_low_byte_first_are_read_and_written_so() {
    let field = &fields::radiotap::LENGTH;
    let mut header = [0; 8];
    field.write(&mut header, &Value::Num(0x0102)).expect("room");
    assert_eq!(header, [0, 0, 2, 1, 0, 0, 0, 0]);
    assert_eq!(field.read(&header), Some(Value::Num(0x0102)));
    assert!(field.write(&mut header, &Value::Num(0x1_0000)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever stands in a capture, of whatever link type it says it is: no panic, and every range
    /// lies within what was captured.
    #[test]
    fn no_bytes_panic(
        link in prop::sample::select(&LINKS[..]),
        start in prop::sample::select(headers()),
        own: bool,
        rest in prop::collection::vec(any::<u8>(), 0..120),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        more in prop_oneof![Just(0usize), 0..40usize, Just(usize::MAX / 2)],
        fcs_len in prop_oneof![Just(0usize), 0..8usize, Just(255usize)],
    ) {
        let (own_link, heads, _) = start;
        let mut frame = if own { [&heads[0][..], &rest].concat() } else { rest };
        for (at, byte) in edits {
            if !frame.is_empty() {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
        }
        let link = if own { own_link } else { link };
        let seen = Frame { link, bytes: &frame, original_len: frame.len() + more, fcs_len };
        let view = lax(seen);
        for layer in view.layers().iter().chain(view.quote()) {
            prop_assert!(layer.start <= layer.end && layer.end <= layer.limit, "{layer:?}");
            prop_assert!(layer.limit <= seen.original_len);
            let _ = view.checksum(layer);
        }
        prop_assert!(view.trailer().end <= frame.len() && view.fcs().end == frame.len());
        prop_assert!(!render::line(seen).contains('\n'));
        let _ = render::tree(seen);
        let other = Frame { original_len: frame.len(), ..seen };
        let _ = diff::diff(seen, other);
        let _ = diff::diff(seen, &[0x45; 60]);
    }
}
