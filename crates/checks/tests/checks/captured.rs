//! Frames as other programs capture them: cut, with a frame check sequence, of other link types.

use wire::{Capture, FrameId, Instant, Interface, LinkType, PortId};

use crate::checks::{Answers, Report, Why, judge};
use crate::support::{ACK, FIN, RST, Run, Seg, ip4, patch, udp_to_closed};

fn unjudged(report: &Report) -> Vec<(Why, u64)> {
    report.unjudged().map(|one| (one.why, one.count)).collect()
}

/// A run of which each frame is cut to this many bytes.
fn cut(run: &Run, kept: usize) -> Run {
    let mut cut = Run::of(run.ports[1].answers.clone());
    for (_, record, frame) in run.capture.iter() {
        let kept = &frame[..kept.min(frame.len())];
        let id = cut.capture.push_cut(record.time, record.port, kept, frame.len() as u32);
        let now = cut.capture.record_mut(id);
        (now.deliveries, now.deliberate, now.cause) =
            (record.deliveries, record.deliberate, record.cause);
    }
    cut
}

#[test]
fn a_frame_is_not_blamed_for_what_the_capture_left_out() {
    let ask = Seg::ask(FIN, 123, 0).with(|seg| {
        (seg.options, seg.payload) = (vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], vec![1; 100]);
    });
    let run = Run::closed().exchange(&ask, &Seg::answer(RST | ACK, 0, 224));
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    for kept in 0..run.capture.frame(FrameId(0)).len() {
        let cut = cut(&run, kept);
        assert!(cut.bites().is_empty(), "{kept}: {:#?}", cut.judge());
        let frames = if kept < 54 { 2 } else { 1 };
        assert_eq!(unjudged(&cut.report()), [(Why::Cut, frames)], "{kept}");
    }
}

#[test]
fn the_length_of_a_cut_segment_is_that_of_its_headers() {
    let ask = Seg::ask(FIN, 123, 0).with(|seg| seg.payload = vec![1; 100]);
    let run = Run::closed().exchange(&ask, &Seg::answer(RST | ACK, 0, 223));
    assert_eq!(run.bites(), ["rst-ack"]);
    assert_eq!(cut(&run, 54).bites(), ["rst-ack"]);
}

#[test]
fn a_cut_frame_is_judged_by_what_is_there() {
    let frame =
        patch(Seg::answer(ACK, 1, 2).with(|seg| seg.payload = vec![1; 50]).frame(), 24, &[9]);
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &frame);
    assert_eq!(cut(&run, 60).bites(), ["ip4-checksum"]);
}

#[test]
fn an_error_that_is_cut_is_not_said_to_quote_too_little() {
    let mut run = udp_to_closed();
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
    run = cut(&run, 50);
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

/// A capture of one interface with one frame.
fn one(link: LinkType, fcs_len: u8, frame: &[u8]) -> Capture {
    let mut capture = Capture::new();
    capture.add(Interface { name: "eth0".into(), link, fcs_len });
    capture.push(Instant::ZERO, PortId(0), frame);
    capture
}

#[test]
fn a_frame_check_sequence_is_no_trailer() {
    let frame = [&Seg::answer(ACK, 1, 2).frame()[..], &[1, 2, 3, 4]].concat();
    assert!(judge(&one(LinkType::Ethernet, 4, &frame), &[]).findings.is_empty());
    let found = judge(&one(LinkType::Ethernet, 0, &frame), &[]).findings;
    assert_eq!(found[0].check.id, "eth-trailer");
    // Four bytes less than IP says.
    let short = one(LinkType::Ethernet, 4, &Seg::answer(ACK, 1, 2).frame());
    assert_eq!(judge(&short, &Run::closed().ports[1..]).findings[0].check.id, "ip4-lengths");
}

#[test]
fn datagrams_without_a_link_header_are_judged() {
    let frame = Seg::answer(ACK, 1, 2).frame();
    let right = &frame[14..];
    let wrong = patch(right.to_vec(), 33, &[7]);
    for link in [LinkType::Raw, LinkType::Ip4] {
        assert_eq!(judge(&one(link, 0, right), &[]), Report::new());
        assert_eq!(judge(&one(link, 0, &wrong), &[]).findings[0].check.id, "tcp-checksum");
    }
    assert_eq!(judge(&one(LinkType::Ip6, 0, right), &[]).findings[0].check.id, "ip6-lengths");
}

#[test]
fn a_link_type_that_is_not_taken_apart_is_reported() {
    let report = judge(&one(LinkType::Other(147), 0, &[0; 60]), &[]);
    assert!(report.findings.is_empty());
    assert_eq!(unjudged(&report), [(Why::Link(LinkType::Other(147)), 1)]);
}

/// Where the views take a link's header apart the checks stand behind it, and else they report it.
#[test]
fn datagrams_behind_other_link_headers_are_judged_where_the_views_find_them() {
    let datagram = patch(Seg::answer(ACK, 1, 2).frame()[14..].to_vec(), 33, &[7]);
    let frame = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 8, 0][..], &datagram].concat();
    let capture = one(LinkType::Sll, 0, &frame);
    let found = |id| judge(&capture, &[]).findings.iter().any(|one| one.check.id == id);
    let view = wire::view::lax(capture.captured(FrameId(0)));
    let apart = view.find(wire::Proto::Ip4).is_some_and(|layer| layer.start == 16);
    assert_eq!(found("tcp-checksum"), apart);
    assert_eq!(unjudged(&judge(&capture, &[])).is_empty(), apart);
}

#[test]
pub(crate) fn a_reset_over_another_link_than_ethernet_is_held_against_its_trigger() {
    let mut run = Run::closed();
    run.capture = Capture::new();
    for name in ["a", "b"] {
        let interface = Interface { name: name.into(), link: LinkType::Raw, fcs_len: 0 };
        run.capture.add(interface);
    }
    run.frame(0, &Seg::ask(ACK, 5, 6).frame()[14..]);
    run.frame(1, &Seg::answer(RST, 7, 0).frame()[14..]);
    assert_eq!(run.bites(), ["rst-seq"]);
}

#[test]
fn a_datagram_longer_than_its_length_field_can_say_is_not_blamed() {
    let payload = vec![1; 70_000];
    let segment = Seg::answer(ACK, 1, 2).with(|seg| seg.payload = payload).segment();
    let short = ip4([10, 0, 0, 2], [10, 0, 0, 1], 64, 6, &[]);
    let short = patch(patch(short, 2, &[0, 0]), 10, &[0, 0]);
    let sum = crate::support::checksum(&[&short]);
    let frame = [&patch(short, 10, &sum)[..], &segment].concat();
    let report = judge(&one(LinkType::Raw, 0, &frame), &[]);
    assert!(report.findings.is_empty(), "{report:#?}");
    assert_eq!(unjudged(&report), [(Why::Offloaded, 1)]);
}

#[test]
fn a_protocol_that_carries_others_is_named() {
    let named: Vec<(u8, String)> = (0..=255)
        .map(|number| (number, Why::Protocol(number).to_string()))
        .filter(|(_, text)| text.contains('('))
        .map(|(number, text)| (number, text[text.find('(').unwrap()..].to_owned()))
        .collect();
    let named: Vec<(u8, &str)> = named
        .iter()
        .map(|(number, text)| (*number, text.trim_end_matches(" is not taken apart")))
        .collect();
    let names = [
        (2, "(IGMP)"),
        (4, "(IPv4 in IP, a tunnel)"),
        (41, "(IPv6 in IP, a tunnel)"),
        (46, "(RSVP)"),
        (47, "(GRE, a tunnel)"),
        (50, "(ESP, encrypted)"),
        (51, "(AH)"),
        (88, "(EIGRP)"),
        (89, "(OSPF)"),
        (103, "(PIM)"),
        (112, "(VRRP)"),
        (115, "(L2TP, a tunnel)"),
        (132, "(SCTP)"),
        (135, "(Mobility Header)"),
        (136, "(UDP-Lite)"),
    ];
    assert_eq!(named, names);
}
