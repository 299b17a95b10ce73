//! What a judgement comes to, by each thing that it may rest on.

use super::*;
use wire::{Deliberate, Duration, FrameId, Instant};

fn finding(level: Level) -> Finding {
    let check = checks::CHECKS.iter().find(|check| check.level == level).expect("a check");
    let nothing = String::new;
    let (message, expected, actual) = (nothing(), nothing(), nothing());
    Finding { check, frame: None, trigger: None, message, expected, actual }
}

fn judgement(against: Against) -> Judgement {
    Judgement { against, ..cut_short(Verdict::HarnessError) }
}

fn compared(change: impl FnOnce(&mut Comparison)) -> Against {
    let mut found = Comparison::default();
    change(&mut found);
    Against::Golden(found)
}

fn extra(found: &mut Comparison) {
    found.differences.push(compare::Difference::Extra { frame: FrameId(0) });
}

fn masked(found: &mut Comparison) {
    found.masked.push((FrameId(0), Vec::new()));
}

fn choice() -> Choice {
    let node = "b".to_owned();
    let (golden, actual, frames) = (Vec::new(), Vec::new(), Vec::new());
    Choice { node, field: None, golden, actual, frames, text: String::new() }
}

#[test]
fn a_golden_decides_what_no_rule_does() {
    let run = Run::default();
    let comes_to = |against| verdict(&run, &judgement(against));
    assert_eq!(comes_to(compared(|_| {})), Verdict::Identical);
    assert_eq!(comes_to(compared(masked)), Verdict::Conformant);
    assert_eq!(comes_to(compared(extra)), Verdict::Differs);
    assert_eq!(comes_to(Against::Missing), Verdict::Differs);
    assert_eq!(comes_to(Against::Torn(String::new())), Verdict::Differs);
    assert_eq!(comes_to(Against::NotCompared(String::new())), Verdict::Conformant);
    let chosen = Judgement { choices: vec![choice()], ..judgement(compared(|_| {})) };
    assert_eq!(verdict(&run, &chosen), Verdict::Conformant);
}

#[test]
fn the_worst_that_was_found_is_the_verdict() {
    let with = |change: &dyn Fn(&mut Run, &mut Judgement)| {
        let (mut run, mut judgement) = (Run::default(), judgement(compared(|_| {})));
        change(&mut run, &mut judgement);
        verdict(&run, &judgement)
    };
    let failed = |run: &mut Run| {
        run.failures.push(crate::run::StepFailure { step: 0, lines: Vec::new(), frame: None });
    };
    let panicked = |run: &mut Run| {
        let fault = link::Fault::Panicked(String::new());
        let (time, node) = (Instant::ZERO, link::NodeId(0));
        run.transcript.faults.push(link::NodeFault { time, node, fault });
    };
    assert_eq!(with(&|run, _| failed(run)), Verdict::Differs);
    assert_eq!(with(&|_, found| found.missing_findings.push("x".into())), Verdict::Differs);
    let should = |found: &mut Judgement| found.findings.push(finding(Level::Should));
    assert_eq!(with(&|_, found| should(found)), Verdict::ViolatesShould);
    assert_eq!(with(&|_, found| found.findings.push(finding(Level::Must))), Verdict::ViolatesMust);
    assert_eq!(with(&|run, _| panicked(run)), Verdict::ViolatesMust);
    assert_eq!(with(&|run, found| (panicked(run), should(found)).1), Verdict::ViolatesMust);
}

/// A tester `a` and a closed port `b`, and a capture of one frame of `a`.
fn walked(other: bool, frame: &[u8]) -> (Plan, Run) {
    let text = r#"{ "title": "t",
        "nodes": { "a": { "kind": "tester" }, "b": { "kind": "reject" } },
        "links": [{ "ends": ["a", "b"] }], "steps": [{ "wait": "1ms" }],
        "finds": ["eth-trailer"] }"#;
    let scenario = scenario::parse(text.as_bytes()).expect("a right file");
    let registry = nodes::Registry::standard();
    let mut plan = crate::plan::plan(&scenario, text, &registry, &[]).expect("a plan");
    if other {
        plan.stand_in(&[true, false]);
    }
    let mut run = Run::default();
    run.transcript.capture.add_interface("a:eth0");
    run.transcript.capture.add_interface("b:eth0");
    let (time, port) = (Instant::from_nanos(5), wire::PortId(1));
    run.transcript.capture.push_caused(
        time,
        port,
        wire::Cause::Unknown,
        Deliberate::EVERYTHING,
        frame,
    );
    (plan, run)
}

/// An Ethernet frame of a type for experiments, from `b`.
fn frame(last: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5];
    frame.resize(60, last);
    frame
}

#[test]
fn as_many_frames_are_compared_as_there_are() {
    let (plan, run) = walked(false, &frame(1));
    for state in
        [golden::State::Same, golden::State::Accepted(Box::new(run.transcript.capture.clone()))]
    {
        let judged = judge(&plan, &run, Ok(state));
        assert!(matches!(judged.against, Against::Golden(found) if found.frames == 1));
    }
}

#[test]
fn a_check_that_is_wanted_and_finds_nothing_is_toothless() {
    let (plan, run) = walked(false, &frame(1));
    let judged = judge(&plan, &run, Ok(golden::State::Same));
    assert_eq!(judged.missing_findings, ["eth-trailer"]);
    assert_eq!(judged.verdict, Verdict::Differs);
}

#[test]
fn the_golden_is_kept_where_frames_differ_and_another_implementation_needs_none() {
    let (plan, run) = walked(false, &frame(1));
    let (_, later) = walked(false, &frame(2));
    let against = |plan: &Plan, golden: &Capture| {
        judge(plan, &run, Ok(golden::State::Accepted(Box::new(golden.clone()))))
    };
    assert!(against(&plan, &run.transcript.capture).golden.is_none());
    assert!(against(&plan, &later.transcript.capture).golden.is_some());
    let (others, _) = walked(true, &frame(1));
    let missing = |plan: &Plan| judge(plan, &run, Ok(golden::State::Missing)).against;
    assert!(matches!(missing(&plan), Against::Missing));
    assert!(matches!(missing(&others), Against::NotCompared(_)));
    // Times of another implementation are its own; those of ours are the golden's.
    let mut late = Capture::new();
    for name in ["a:eth0", "b:eth0"] {
        late.add_interface(name);
    }
    late.push(Instant::ZERO + Duration::from_nanos(9), wire::PortId(1), &frame(1));
    let differs = |plan: &Plan| match against(plan, &late).against {
        Against::Golden(found) => found.differences.len(),
        _ => panic!("not compared"),
    };
    assert_eq!((differs(&plan), differs(&others)), (1, 0));
    let (_, mut real) = walked(false, &frame(1));
    real.transcript.real = true;
    let state = Ok(golden::State::Accepted(Box::new(late)));
    let judged = judge(&plan, &real, state).against;
    assert!(matches!(judged, Against::Golden(found) if found.differences.is_empty()));
}
