use super::*;
use crate::judge::races;
use crate::run::{StepFailure, Transcript};
use nodes::Registry;
use std::slice::from_ref;
use wire::{Defaults, Deliberate, Instant, Layer, Packet, Proto, fields};

/// A tester `a`, and `b`, which is not ours.
fn plan() -> Plan {
    let text = r#"{ "title": "t",
        "nodes": { "a": { "kind": "tester" }, "b": { "kind": "reject" } },
        "links": [{ "ends": ["a", "b"] }],
        "steps": [{ "node": "a", "send": { "tcp": {} } },
                  { "from": "a", "within": "1ms", "expect": { "tcp": {} },
                    "bind": { "x": "tcp.seq" } },
                  { "node": "a", "send": { "tcp": { "ack": "$x" } } }] }"#;
    let scenario = scenario::parse(text.as_bytes()).expect("a right file");
    let mut plan = crate::plan::plan(&scenario, text, &Registry::standard(), &[]).expect("a plan");
    plan.stand_in(&[true, false]);
    plan
}

/// A frame with this TTL and this port of its sender.
fn frame(ttl: u64, src: u64) -> Vec<u8> {
    let (src_ip4, dst_ip4) = ("10.0.0.1".parse().ok(), "10.0.0.2".parse().ok());
    let ends = Defaults { src_ip4, dst_ip4, ..Defaults::default() };
    let ip = Layer::new(Proto::Ip4).with(&fields::ip4::TTL, ttl);
    let tcp = Layer::new(Proto::Tcp).with(&fields::tcp::SRC, src);
    wire::build::build(&Packet::new().layer(ip).layer(tcp), &ends).expect("a frame").remove(0)
}

/// Frames of `a`, port 0, and `b`, port 1, each with its cause.
fn capture(frames: &[(u16, Vec<u8>, Cause)]) -> Capture {
    let mut capture = Capture::new();
    capture.add_interface("a:eth0");
    capture.add_interface("b:eth0");
    for (time, (port, frame, cause)) in (0..).zip(frames) {
        let (time, nothing) = (Instant::from_nanos(time), Deliberate::NOTHING);
        capture.push_caused(time, PortId(*port), *cause, nothing, frame);
    }
    capture
}

const ALONE: Cause = Cause::Unknown;

/// The choices in words, and how many differences are left.
fn taken(
    golden: &[(u16, Vec<u8>, Cause)],
    actual: &[(u16, Vec<u8>, Cause)],
    change: impl Fn(&mut Run, &mut Vec<Finding>),
) -> (Vec<String>, usize) {
    let golden = capture(golden);
    let (capture, rehearsed) = (capture(actual), Some(golden.clone()));
    let transcript = Transcript { capture, rehearsed, ..Transcript::default() };
    let mut run = Run { transcript, ..Run::default() };
    let mut findings = Vec::new();
    change(&mut run, &mut findings);
    let mut found = races::compare(&golden, &run.transcript.capture, &[], Some(&golden));
    let choices = take(&plan(), &run, &golden, &findings, &mut found);
    (choices.into_iter().map(|choice| choice.text).collect(), found.differences.len())
}

fn as_it_is(_: &mut Run, _: &mut Vec<Finding>) {}

fn finding(frame: Option<FrameId>) -> Finding {
    let nothing = String::new;
    let (message, expected, actual) = (nothing(), nothing(), nothing());
    Finding { check: checks::CHECKS[0], frame, trigger: None, message, expected, actual }
}

#[test]
fn a_field_is_told_once_with_its_values_and_frames() {
    let golden = [(0, frame(64, 1), ALONE), (1, frame(64, 2), ALONE), (1, frame(64, 3), ALONE)];
    let same = [golden[0].clone(), (1, frame(255, 2), ALONE), (1, frame(255, 3), ALONE)];
    let (text, left) = taken(&golden, &same, as_it_is);
    let all = "b chose ip4.ttl (Time to Live) 255 where the golden has 64, in frames 2, 3";
    assert_eq!((text, left), (vec![all.to_owned()], 0));
    let two = [golden[0].clone(), (1, frame(128, 2), ALONE), (1, frame(255, 3), ALONE)];
    let (text, _) = taken(&golden, &two, as_it_is);
    assert_eq!(text, [all.replace("255", "128, 255")]);
}

#[test]
fn whole_frames_are_told_and_those_of_ours_stay_differences() {
    let (ask, answer) = ((0, frame(64, 1), ALONE), (1, frame(64, 2), ALONE));
    let (text, left) = taken(from_ref(&ask), &[ask.clone(), answer.clone()], as_it_is);
    assert!(text[0].starts_with("b sent frame 2, which the golden has not: IP "), "{text:?}");
    assert_eq!((text.len(), left), (1, 0));
    let (text, left) = taken(&[ask.clone(), answer.clone()], from_ref(&ask), as_it_is);
    assert!(text[0].starts_with("b did not send frame 2 of the golden: IP "), "{text:?}");
    assert_eq!((text.len(), left), (1, 0));
    // Ours is held to every byte, there and not there.
    let other = [(0, frame(63, 1), ALONE), answer.clone()];
    assert_eq!(taken(&[ask.clone(), answer.clone()], &other, as_it_is), (vec![], 1));
    assert_eq!(taken(&[ask.clone(), answer.clone()], &[answer], as_it_is), (vec![], 1));
}

#[test]
fn what_a_check_or_a_step_finds_fault_with_is_no_choice() {
    let golden = [(0, frame(64, 1), ALONE), (1, frame(64, 2), ALONE)];
    let other = [golden[0].clone(), (1, frame(255, 2), ALONE)];
    let found = |_: &mut Run, findings: &mut Vec<Finding>| findings.push(finding(Some(FrameId(1))));
    assert_eq!(taken(&golden, &other, found), (vec![], 1));
    let failed = |run: &mut Run, _: &mut Vec<Finding>| {
        run.failures.push(StepFailure { step: 0, lines: Vec::new(), frame: Some(FrameId(1)) });
    };
    assert_eq!(taken(&golden, &other, failed), (vec![], 1));
    // A finding about another frame says nothing of this one.
    let there = |_: &mut Run, findings: &mut Vec<Finding>| findings.push(finding(Some(FrameId(0))));
    assert_eq!(taken(&golden, &other, there).1, 0);
    // A frame that a check misses is not left out by choice.
    let missed = |_: &mut Run, findings: &mut Vec<Finding>| findings.push(finding(None));
    assert_eq!(taken(&golden, &golden[..1], missed), (vec![], 1));
}

#[test]
fn what_of_ours_follows_from_a_choice_is_told_as_that() {
    let golden = [(1, frame(64, 2), ALONE), (0, frame(64, 1), Cause::Frame(FrameId(0)))];
    let other = [(1, frame(255, 2), ALONE), (0, frame(63, 1), Cause::Frame(FrameId(0)))];
    let (text, left) = taken(&golden, &other, as_it_is);
    let follows = "; it follows from what another implementation chose";
    assert!(text.len() == 2 && text[1].ends_with(follows) && left == 0, "{text:?}");
    assert!(!text[0].ends_with(follows), "{text:?}");
    // The frame that it answers is the golden's: then it should be, too.
    let strange = [golden[0].clone(), (0, frame(63, 1), Cause::Frame(FrameId(0)))];
    assert_eq!(taken(&golden, &strange, as_it_is), (vec![], 1));
    // None was sent to answer.
    assert_eq!(taken(&golden, &[], as_it_is).1, 0);
    // Made with a name, by the third step; the first has none.
    for (step, left) in [(2, 0), (0, 1)] {
        let other = [golden[0].clone(), (0, frame(63, 1), Cause::Command(step))];
        assert_eq!(taken(&golden, &other, as_it_is).1, left, "step {step}");
    }
}

#[test]
fn a_long_list_says_that_it_goes_on() {
    let items = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(list(&items(0)), "");
    assert_eq!(list(&items(5)), "1, 2, 3, 4, 5");
    assert_eq!(list(&items(6)), "1, 2, 3, 4, 5, 6");
    for count in [7, 8, 100] {
        assert_eq!(list(&items(count)), "1, 2, 3, 4, 5, 6 and others");
    }
}

#[test]
fn padding_to_what_ethernet_carries_is_no_choice() {
    let padded = |ttl, length, fill| {
        let mut frame = frame(ttl, 2);
        frame.resize(length, fill);
        frame
    };
    let golden = [(0, frame(64, 1), ALONE), (1, frame(64, 2), ALONE)];
    let is = |length, fill, fields: usize| {
        let other = [golden[0].clone(), (1, padded(255, length, fill), ALONE)];
        let (told, left) = taken(&golden, &other, as_it_is);
        assert_eq!((told.len(), left), (fields, 0), "{told:?}");
    };
    is(54, 0, 1);
    is(60, 1, 1);
    is(61, 1, 2);
}
