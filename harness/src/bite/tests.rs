use wire::{FrameId, Instant};

use super::*;
use crate::run::{self, StepFailure};
use crate::walk::Walk;

const ANSWERED: &str = r#"{ "title": "A SYN to a closed port",
  "nodes": { "client": { "kind": "tester", "mac": "02:00:00:00:00:01", "ip": "10.0.0.1" },
             "server": { "kind": "reject", "mac": "02:00:00:00:00:02", "ip": "10.0.0.2" } },
  "links": [{ "ends": ["client", "server"], "delay": "1ms" }],
  "steps": [
    { "node": "client", "send": { "tcp": { "src": 4000, "dst": 80, "flags": "S", "seq": 7 } } },
    { "within": "2ms", "from": "server", "expect": { "tcp": { "flags": "RA", "ack": 8 } } } ] }"#;

const SILENT: &str = r#"{ "title": "A RST to a closed port, and silence",
  "nodes": { "client": { "kind": "tester", "mac": "02:00:00:00:00:01", "ip": "10.0.0.1" },
             "server": { "kind": "reject", "mac": "02:00:00:00:00:02", "ip": "10.0.0.2" } },
  "links": [{ "ends": ["client", "server"], "delay": "1ms" }],
  "steps": [
    { "node": "client", "send": { "tcp": { "src": 4000, "dst": 80, "flags": "R", "seq": 7 } } },
    { "wait": "3ms" },
    { "for": "5ms", "from": "server", "expect-nothing": {} } ] }"#;

fn ran(text: &str) -> (Plan, Run) {
    let walk = Walk::standard();
    let scenario = scenario::parse(text.as_bytes()).expect("a scenario");
    let plan = crate::plan::plan(&scenario, text, &walk.registry, &[]).expect("a plan");
    let run = walk.run(&plan).expect("a run");
    assert!(run.failures.is_empty(), "{:?}", run.failures);
    (plan, run)
}

#[test]
fn a_golden_objects_to_every_change() {
    let (plan, run) = ran(ANSWERED);
    let bitten = bite(&plan, &run, &run.transcript.capture);
    assert_eq!(bitten.survivors, Vec::<String>::new());
    // Two frames of 54 bytes; drop, double, longer and shorter for each, one swap; four times less
    // the one before the beginning.
    assert_eq!(bitten.changes, 2 * 54 * 8 + 2 * 4 + 1 + 3);
    assert_eq!(bitten.asserted, 9 + 32);
}

#[test]
fn a_comparison_that_overlooks_a_byte_is_found() {
    let (plan, run) = ran(ANSWERED);
    let blind = |golden: &Capture, capture: &Capture, masks: &[Mask]| {
        let mut found = compare(golden, capture, masks, true);
        found.differences.retain(|difference| {
            let same = |id: FrameId| golden.frame(id)[1..] == capture.frame(id)[1..];
            !matches!(difference, crate::judge::compare::Difference::Bytes { frame, .. }
                if golden.frame(*frame).len() == capture.frame(*frame).len() && same(*frame))
        });
        found
    };
    let bitten = against(&blind, &plan, &run, &run.transcript.capture, true);
    // The group bit of the first frame is the one that a check sees: such a SYN is not answered.
    assert_eq!(bitten.survivors.len(), 15, "{:?}", bitten.survivors);
    assert_eq!(
        bitten.survivors[0],
        "nothing objects to frame 1 with 0x80 of byte 0 (eth.dst) flipped"
    );
}

#[test]
fn a_mask_covers_its_field_alone() {
    let (mut plan, run) = ran(ANSWERED);
    let mask = |frames: Vec<FrameId>, reason: &str| Mask {
        field: &wire::fields::eth::DST,
        frames: frames.into_iter().collect(),
        from: std::sync::Arc::default(),
        reason: reason.to_owned(),
    };
    plan.masks = vec![mask(vec![FrameId(0)], "one frame")];
    let bitten = bite(&plan, &run, &run.transcript.capture);
    assert_eq!(bitten.survivors, Vec::<String>::new());
    assert_eq!(bitten.masked, BTreeMap::from([("one frame".to_owned(), 47)]));
    plan.masks = vec![mask(Vec::new(), "all frames")];
    let bitten = bite(&plan, &run, &run.transcript.capture);
    assert_eq!(bitten.masked, BTreeMap::from([("all frames".to_owned(), 95)]));
}

#[test]
fn a_step_that_accepts_a_changed_frame_is_found() {
    let (plan, run) = ran(ANSWERED);
    let mut bitten = Bitten::default();
    // The low bit of the ack is the one that this step overlooks.
    let overlooks = |change: &Change| matches!(change, Change::Flip { bit: 367, .. });
    asserted::bite(&plan, &run, &|change, _, _| overlooks(change), &mut bitten);
    assert_eq!(
        bitten.survivors,
        ["step 2 accepts frame 2 with 0x01 of byte 45 (asserted by step 2) flipped"]
    );
}

/// The run with one more frame of the server's at a time, as if the server had emitted it.
fn with_frame(run: &Run, time: Instant) -> Transcript {
    let mut capture = run.transcript.capture.clone();
    let port = wire::PortId(1);
    assert_eq!(capture.interface(port), "server:eth0");
    capture.push(time, port, &[0; 60]);
    Transcript { capture, ..Transcript::default() }
}

#[test]
fn a_frame_at_the_deadline_of_expect_nothing_counts_and_one_behind_it_does_not() {
    let (plan, run) = ran(SILENT);
    let at = |nanos| run::replay(&plan, &with_frame(&run, Instant::from_nanos(nanos))).failures;
    let deadline = 8_000_000;
    assert!(matches!(at(deadline)[..], [StepFailure { step: 2, .. }]));
    assert!(matches!(at(deadline - 1)[..], [StepFailure { step: 2, .. }]));
    assert!(at(deadline + 1).is_empty());
}

#[test]
fn a_frame_while_the_wait_before_expect_nothing_runs_counts() {
    let (plan, run) = ran(SILENT);
    let at = |nanos| run::replay(&plan, &with_frame(&run, Instant::from_nanos(nanos))).failures;
    assert!(matches!(at(1_500_000)[..], [StepFailure { step: 2, .. }]));
    assert!(matches!(at(3_000_000)[..], [StepFailure { step: 2, .. }]));
}

#[test]
fn a_replay_comes_to_what_the_run_came_to() {
    for text in [ANSWERED, SILENT] {
        let (plan, run) = ran(text);
        let replayed = run::replay(&plan, &run.transcript);
        assert_eq!(replayed.expected, run.expected);
        let begun = |run: &Run| -> Vec<(usize, Instant, usize)> {
            run.begun.iter().map(|begun| (begun.step, begun.time, begun.frames)).collect()
        };
        assert_eq!(begun(&replayed), begun(&run));
    }
}
