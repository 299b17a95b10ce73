//! What a pattern and an expected event refuse, beside what they match.

use super::*;

#[test]
fn where_frames_are_padded_a_length_is_met_with_the_zeros_and_without() {
    let mut frame = vec![0; 54];
    frame[12..15].copy_from_slice(&[0x08, 0x00, 0x45]);
    (frame[17], frame[23]) = (40, 6);
    let wants = |length| ResolvedPattern { length: Some(length), ..ResolvedPattern::default() };
    let matches = |length, pads, fill, total| {
        let mut padded = frame.clone();
        padded.resize(total, fill);
        mismatches(&wants(length), &padded, pads).is_empty()
    };
    assert!(matches(54, true, 0, 60) && matches(60, true, 0, 60) && matches(54, true, 0, 54));
    assert!(!matches(55, true, 0, 60), "neither");
    assert!(!matches(54, false, 0, 60), "no wire that pads");
    assert!(!matches(54, true, 1, 60), "no zeros");
    assert!(!matches(54, true, 0, 61), "longer than Ethernet needs");
}

fn bytes(words: &[&str]) -> Vec<u8> {
    wire::hex::decode(&words.concat().replace(' ', "")).unwrap()
}

/// An Ethernet frame around an IPv4 datagram of this protocol and body; its sums are not right.
fn around(protocol: u8, body: &[u8]) -> Vec<u8> {
    let ip4 = "020000000002 020000000001 0800 4500 0000 1234 4000 4000 0000 0a000002 0a000001";
    let mut frame = bytes(&[ip4]);
    frame[17] = 20 + body.len() as u8;
    frame[23] = protocol;
    [&frame, body].concat()
}

fn layer(proto: wire::Proto) -> ResolvedLayer {
    ResolvedLayer { proto, occurrence: 0, fields: vec![], tcp_options: None, quote: None }
}

fn of_layer(layer: ResolvedLayer) -> ResolvedPattern {
    ResolvedPattern { layers: vec![layer], ..ResolvedPattern::default() }
}

/// Every frame that differs in one bit, or is a byte shorter or longer.
fn others(frame: &[u8], from: usize) -> Vec<Vec<u8>> {
    let flipped = |bit: usize| {
        let mut other = frame.to_vec();
        other[bit / 8] ^= 0x80 >> (bit % 8);
        other
    };
    let shorter = frame[..frame.len() - 1].to_vec();
    let longer = [frame, &[0x55]].concat();
    (from * 8..frame.len() * 8).map(flipped).chain([shorter, longer]).collect()
}

#[test]
fn raw_is_the_whole_frame_and_refuses_each_other_bit() {
    let frame = around(253, &[7; 26]);
    let raw = Some(frame.clone());
    let pattern = ResolvedPattern { raw, ..ResolvedPattern::default() };
    for pads in [false, true] {
        assert_eq!(mismatches(&pattern, &frame, pads), [""; 0]);
        for other in others(&frame, 0) {
            assert_ne!(mismatches(&pattern, &other, pads), [""; 0], "{other:02x?}");
        }
    }
}

#[test]
fn raw_in_a_quote_is_the_whole_quote_and_refuses_each_other_bit() {
    let quote = &around(17, &[0, 9, 0, 9, 0, 8, 0, 0])[14..];
    let frame = around(1, &[&[3, 3, 0, 0, 0, 0, 0, 0], quote].concat());
    let of_quote = |quote| {
        let quote = Some(Box::new(quote));
        of_layer(ResolvedLayer { quote, ..layer(wire::Proto::Icmp4) })
    };
    let raw = of_quote(ResolvedPattern { raw: Some(quote.to_vec()), ..Default::default() });
    assert_eq!(mismatches(&raw, &frame, false), [""; 0]);
    let begin = frame.len() - quote.len();
    for mut other in others(&frame, begin) {
        // The datagram ends where the frame does.
        other[17] = (other.len() - 14) as u8;
        let wrong = mismatches(&raw, &other, false);
        assert!(wrong[0].starts_with("icmp4.quote: expected 4500"), "{wrong:?}");
    }
    let length = |length| {
        let length = Some(length);
        of_quote(ResolvedPattern { length, ..ResolvedPattern::default() })
    };
    assert_eq!(mismatches(&length(quote.len()), &frame, false), [""; 0]);
    assert_eq!(mismatches(&length(quote.len() + 1), &frame, false).len(), 1);
}

/// Whether a header with these option bytes shows the expected options.
fn shows(expected: &[TcpOption], actual: &str) -> bool {
    let options = bytes(&[actual]);
    let head = bytes(&["0fa0 0050 00000001 00000000"]);
    let offset = [(5 + options.len() as u8 / 4) << 4, 2];
    let tcp = [&head, &offset[..], &[0; 6], &options].concat();
    let tcp_options = Some(expected.to_vec());
    let pattern = of_layer(ResolvedLayer { tcp_options, ..layer(wire::Proto::Tcp) });
    mismatches(&pattern, &around(6, &tcp), false).is_empty()
}

#[test]
fn options_may_be_padded_with_zeros_to_a_whole_word_and_with_nothing_else() {
    use TcpOption::{EndOfList, Mss, Nop, Raw, SackPermitted, WindowScale};
    assert!(shows(&[], "") && shows(&[Mss(1460)], "020405b4"));
    assert!(!shows(&[Mss(1460)], "020405b5") && !shows(&[Mss(1460)], ""));
    // One, two and three zeros.
    assert!(shows(&[WindowScale(7)], "03030700"));
    assert!(shows(&[SackPermitted], "04020000"));
    assert!(shows(&[Nop], "01000000"));
    // A whole word of them is more than padding, and so is another byte than zero.
    assert!(!shows(&[], "00000000"));
    assert!(!shows(&[Nop], "01000000 00000000"));
    for other in ["01000009", "01000900", "04020001", "01010000"] {
        assert!(!shows(&[Nop], other) && !shows(&[SackPermitted], other), "{other}");
    }
    // Who names the end of the list gets no end for nothing.
    assert!(shows(&[Nop, EndOfList], "01000000"));
    assert!(!shows(&[Nop, EndOfList], "01010101"));
    assert!(shows(&[Nop, EndOfList, Raw(vec![0, 9])], "01000009"));
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

#[test]
fn bytes_are_compared_as_hex_text_and_whole() {
    let actual = Datum::Bytes(vec![0x01, 0xff]);
    assert!(same(&text("01ff"), &actual) && same(&text(""), &Datum::Bytes(vec![])));
    for other in ["01fe", "81ff", "01", "01ff00", "", "01f", "zz"] {
        assert!(!same(&text(other), &actual), "{other}");
    }
    assert!(!same(&Scalar::Num(0x01ff), &actual));
    assert!(same(&text("01ff"), &Datum::Text("01ff".into())));
    assert!(!same(&text("01ff"), &Datum::Text("01FF".into())), "text is text");
}

#[test]
fn lists_are_compared_item_by_item_and_whole() {
    let expected = Scalar::List(vec![Scalar::Num(7), text("0a")]);
    let list = |items: &[&Datum]| Datum::List(items.iter().copied().cloned().collect());
    let (seven, bytes) = (Datum::Num(7), Datum::Bytes(vec![10]));
    assert!(same(&expected, &list(&[&seven, &bytes])));
    assert!(same(&Scalar::List(vec![]), &list(&[])));
    for other in [
        list(&[]),
        list(&[&seven]),
        list(&[&seven, &bytes, &bytes]),
        list(&[&bytes, &seven]),
        list(&[&Datum::Num(8), &bytes]),
        list(&[&seven, &Datum::Bytes(vec![11])]),
        seven.clone(),
    ] {
        assert!(!same(&expected, &other), "{other:?}");
    }
    assert!(!same(&Scalar::Num(7), &list(&[&seven])), "one is not a list of one");
}

#[test]
fn an_event_has_the_kind_and_the_fields() {
    let wanted = |kind: &str, fields: &[(&str, u64)]| ExpectEvent {
        within: wire::Duration::ZERO,
        node: link::NodeId(0),
        kind: kind.into(),
        fields: fields.iter().map(|&(name, n)| (name.into(), Scalar::Num(n))).collect(),
    };
    let event = Event::new("data").with("len", Datum::Num(3)).with("at", Datum::Num(4));
    let wrong = |wanted| event_mismatches(&wanted, &Bindings::new(), &event).unwrap();
    assert_eq!(wrong(wanted("data", &[])), [""; 0]);
    assert_eq!(wrong(wanted("data", &[("at", 4), ("len", 3)])), [""; 0]);
    assert_eq!(wrong(wanted("data", &[("len", 4)])), ["len: expected 4, got 3"]);
    assert_eq!(wrong(wanted("data", &[("from", 3)])), ["from: expected 3, got none"]);
    let both = ["kind: expected drop, got data", "at: expected 3, got 4"];
    assert_eq!(wrong(wanted("drop", &[("at", 3)])), both);
}

#[test]
fn a_payload_is_the_whole_one_and_a_layer_that_may_not_be_there_is_missed() {
    let frame = around(253, &[1, 2, 3]);
    let with = |payload: &[u8]| {
        let payload = Some(payload.to_vec());
        let pattern = ResolvedPattern { payload, ..ResolvedPattern::default() };
        mismatches(&pattern, &frame, false).is_empty()
    };
    assert!(with(&[1, 2, 3]) && !with(&[1, 2]) && !with(&[]) && !with(&[1, 2, 4]));
    let without = |proto| {
        let pattern = ResolvedPattern { absent: vec![proto], ..ResolvedPattern::default() };
        mismatches(&pattern, &frame, false).is_empty()
    };
    assert!(without(wire::Proto::Ip6) && without(wire::Proto::Tcp));
    assert!(!without(wire::Proto::Ip4) && !without(wire::Proto::Eth));
}

#[test]
fn an_arp_message_is_padded_behind_its_addresses() {
    let arp = "ffffffffffff 020000000001 0806 0001 0800 0604 0001 020000000001 0a000001";
    let arp = bytes(&[arp, "000000000000 0a000002"]);
    let raw = |raw: &[u8]| ResolvedPattern { raw: Some(raw.to_vec()), ..Default::default() };
    let padded = |length: usize, fill: u8| {
        let mut frame = arp.clone();
        frame.resize(length, fill);
        frame
    };
    assert!(mismatches(&raw(&arp), &padded(60, 0), true).is_empty());
    assert!(!mismatches(&raw(&arp), &padded(60, 1), true).is_empty());
    assert!(!mismatches(&raw(&arp), &padded(60, 0), false).is_empty());
    assert!(!mismatches(&raw(&arp[..41]), &padded(60, 0), true).is_empty());
}

#[test]
fn a_quote_is_read_by_the_version_that_it_begins_with() {
    let (src, dst) = (&[0xfd; 16][..], &[0xfe; 16][..]);
    let six = [&[0x60, 0, 0, 0, 0, 4, 17, 64][..], src, dst, &[0, 7, 0, 9]].concat();
    let four = around(17, &[0, 7, 0, 9])[14..].to_vec();
    let of = |quoted: &[u8], proto| {
        let quote = ResolvedPattern { layers: vec![layer(proto)], ..Default::default() };
        let icmp = ResolvedLayer { quote: Some(Box::new(quote)), ..layer(wire::Proto::Icmp4) };
        let error = [&[3, 3, 0, 0, 0, 0, 0, 0][..], quoted].concat();
        mismatches(&of_layer(icmp), &around(1, &error), false).is_empty()
    };
    assert!(of(&four, wire::Proto::Ip4) && !of(&four, wire::Proto::Ip6));
    assert!(of(&six, wire::Proto::Ip6) && !of(&six, wire::Proto::Ip4));
}
