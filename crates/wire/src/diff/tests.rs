use proptest::prelude::*;

use super::*;
use crate::pcapng;

fn frames() -> Vec<Vec<u8>> {
    let file = pcapng::read(include_bytes!("../../tests/frames.pcapng")).expect("the tree's own");
    file.capture.iter().map(|(_, _, frame)| frame.to_vec()).collect()
}

fn frame(number: usize) -> Vec<u8> {
    frames().swap_remove(number - 1)
}

/// The lines of a difference after some bytes of a frame were changed.
fn lines(frame: &[u8], edits: &[(usize, &[u8])]) -> Vec<String> {
    let mut actual = frame.to_vec();
    for (at, bytes) in edits {
        actual[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    diff(frame, &actual).iter().map(ToString::to_string).collect()
}

#[test]
fn a_wrong_number_is_named_and_read() {
    let rst = frame(2);
    for (at, bytes, line) in [
        (
            42,
            &[0, 0, 0, 139][..],
            "tcp.ack  Acknowledgment Number  expected 140, got 139  at 42..46 (off by -1)",
        ),
        (
            42,
            &[140, 0, 0, 0],
            "tcp.ack  Acknowledgment Number  expected 140, got 2348810240  at 42..46 (the \
            expected bytes in the other order)",
        ),
        (
            42,
            &[0, 0, 0, 0],
            "tcp.ack  Acknowledgment Number  expected 140, got 0  at 42..46 (zero)",
        ),
        (47, &[4], "tcp.flags  Flags  expected RA, got R  at 46..48 (missing ACK)"),
        (47, &[0x18], "tcp.flags  Flags  expected RA, got PA  at 46..48 (missing RST, extra PSH)"),
        (
            48,
            &[1, 0x18],
            "tcp.window  Window  expected 560, got 280  at 48..50 (the expected value shifted \
            right by 1)",
        ),
        (
            36,
            &[0x0f, 0xa0],
            "tcp.dst  Destination Port  expected 80, got 4000  at 36..38 (the value expected of \
            tcp.src)",
        ),
        (12, &[0x86, 0xdd], "eth.type  Type  expected 0x0800 (IPv4), got 0x86dd (IPv6)  at 12..14"),
        (
            0,
            &[2, 0, 0, 0, 0, 1],
            "eth.dst  Destination  expected 02:00:00:00:00:02, got 02:00:00:00:00:01  at 0..6 \
            (the value expected of eth.src)",
        ),
        (
            22,
            &[255],
            "ip4.ttl  Time to Live  expected 64, got 255  at 22..23 (initial TTL 255 (routers, \
            firewalls, Solaris))",
        ),
        (
            22,
            &[63],
            "ip4.ttl  Time to Live  expected 64, got 63  at 22..23 (one hop less: forwarded once)",
        ),
        (
            50,
            &[0, 0],
            "tcp.checksum  Checksum  expected 0x88a7, got 0x0000  at 50..52 (wrong over these \
            bytes: should be 0x88a7)",
        ),
        (
            50,
            &[0xa7, 0x88],
            "tcp.checksum  Checksum  expected 0x88a7, got 0xa788  at 50..52 (wrong over these \
            bytes: should be 0x88a7, the same bytes in the other order)",
        ),
    ] {
        assert_eq!(lines(&rst, &[(at, bytes)])[0], line);
    }
}

#[test]
fn a_checksum_that_follows_is_said_to() {
    let rst = frame(2);
    let lines = lines(&rst, &[(42, &[0, 0, 0, 139]), (50, &[0x88, 0xa8])]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].ends_with("(right over these bytes: it follows from the other differences)"));
}

#[test]
fn options_payload_padding_and_quotes() {
    let options = lines(&frame(3), &[(56, &[5, 0xa0])]);
    assert!(
        options[0]
            .contains("expected [mss 1460,nop,wscale 7,sackOK,TS val 1 ecr 2], got [mss 1440,")
    );
    let payload = lines(&frame(1), &[(60, &[0, 0x61, 1])]);
    assert_eq!(
        payload[0],
        "payload.data  Data  expected 616161, got 006101  at 60..63 (2 of 16 bytes differ)"
    );
    let padding = lines(&frame(51), &[(56, &[7])]);
    assert_eq!(padding, ["frame.trailer  Padding or trailer  expected 00, got 07  at 56..57"]);
    let quote = lines(&frame(13), &[(50, &[1])]);
    assert_eq!(
        quote[0],
        "quote.ip4.ttl  Time to Live  expected 64, got 1  at 50..51 (63 hops less than expected)"
    );
    let tag = lines(&frame(41), &[(19, &[8])]);
    assert_eq!(tag[0], "vlan[1].id  VLAN ID  expected 7, got 8  at 18..20 (off by +1)");
}

#[test]
fn layers_missing_and_extra_do_not_hide_the_rest() {
    let (plain, tagged) = (frame(1), frame(40));
    let differences = diff(&tagged, &plain);
    let paths: Vec<_> = differences.iter().map(|one| one.path.as_str()).collect();
    assert!(paths.starts_with(&["eth.type", "vlan", "ip4.total-length"]), "{paths:?}");
    assert_eq!(differences[1].meaning.as_deref(), Some("the layer is missing"));
    let differences = diff(&plain, &tagged);
    assert_eq!(differences[1].meaning.as_deref(), Some("the layer is extra"));
    let differences = diff(&frame(2), &frame(8));
    assert!(differences.iter().any(|one| {
        one.path == "tcp" && one.meaning.as_deref() == Some("another layer stands here")
    }));
    let cut = diff(&plain, &plain[..60]);
    assert!(cut.iter().any(|one| one.path == "payload.data"), "{cut:?}");
    assert!(diff(&[], &[]).is_empty() && !diff(&[], &[0]).is_empty());
}

proptest! {
    /// The one property that a report rests on: nothing that differs goes unsaid.
    #[test]
    fn every_byte_that_differs_is_within_a_difference(
        one in any::<prop::sample::Index>(),
        other in prop::option::of(any::<prop::sample::Index>()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        length in prop::option::of(0usize..90),
    ) {
        let frames = frames();
        let expected = one.get(&frames).clone();
        let mut actual = other.map_or_else(|| expected.clone(), |other| other.get(&frames).clone());
        for (at, byte) in edits {
            let at = at.index(actual.len());
            actual[at] = byte;
        }
        if let Some(length) = length {
            actual.resize(length, 0);
        }
        let differences = diff(&expected, &actual);
        prop_assert_eq!(differences.is_empty(), expected == actual);
        for at in 0..expected.len().max(actual.len()) {
            if expected.get(at) != actual.get(at) {
                prop_assert!(differences.iter().any(|one| one.bytes.contains(&at)), "byte {}", at);
            }
        }
        // Where the layers agree, no difference names bytes that are all equal.
        let (ours, theirs) = (lax(&expected), lax(&actual));
        if ours.layers() == theirs.layers() && ours.quote() == theirs.quote() {
            for one in &differences {
                let range = one.bytes.clone();
                prop_assert!(range.end <= expected.len().max(actual.len()), "{}", one);
                prop_assert!(expected.get(range.clone()) != actual.get(range), "{}", one);
            }
        }
    }
}
