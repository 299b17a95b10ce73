//! The report as one JSON document. Its fields are an interface: they are added to, not changed.

use checks::{Finding, Unjudged};
use serde::Serialize;
use wire::{Capture, FrameId};

use super::{Entry, Totals, diagnostics};
use crate::judge::Against;
use crate::judge::choices::Choice;
use crate::judge::compare::Difference;
use crate::outcome::{Judged, Walked};
use crate::plan::Plan;
use crate::run;
use crate::run::Ended;
use crate::run::timing::Timing;

#[derive(Serialize)]
struct Document<'a> {
    wireproof: &'static str,
    scenarios: Vec<Scenario<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    hold: usize,
    fail: usize,
    refused: usize,
    not_run: usize,
    exit_code: u8,
}

#[derive(Serialize)]
struct Scenario<'a> {
    id: &'a str,
    path: String,
    /// `hold`, `fail`, `refused` or `not run`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    judged: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    title: &'a str,
    cites: &'a [String],
    verdict: &'static str,
    /// `compared`, `missing`, `torn` or `not compared`.
    golden: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    golden_reason: Option<&'a str>,
    frames: Vec<Frame<'a>>,
    differences: Vec<Differing>,
    masked: Vec<Differing>,
    masks: Vec<MaskReason<'a>>,
    /// What another implementation did otherwise than the golden, and may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Chosen<'a>>,
    findings: Vec<Found<'a>>,
    wanted: Vec<Found<'a>>,
    toothless: &'a [String],
    /// What no check judged, or not in full.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_judged: Vec<NotJudged>,
    failures: Vec<Failure<'a>>,
    steps: Vec<Begun>,
    times: Vec<Timed>,
    panics: Vec<Panic<'a>>,
    /// What came to a real interface and is nobody's that the run is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passed_over: Vec<PassedOver<'a>>,
    /// Who spoke for nodes that are none of Rust.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    speakers: Vec<Speaks<'a>>,
    end_ns: u64,
}

#[derive(Serialize)]
struct NotJudged {
    reason: String,
    /// The first frame.
    frame: u32,
    frames: u64,
}

#[derive(Serialize)]
struct PassedOver<'a> {
    kind: &'a str,
    frames: u64,
}

#[derive(Serialize)]
struct Frame<'a> {
    number: u32,
    time_ns: u64,
    emitter: &'a str,
    deliveries: u8,
    line: String,
    bytes: String,
}

#[derive(Serialize)]
struct Differing {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    golden_frame: Option<u32>,
    fields: Vec<FieldDiffers>,
}

#[derive(Serialize)]
struct FieldDiffers {
    field: String,
    offset: usize,
    expected: String,
    actual: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
}

#[derive(Serialize)]
struct MaskReason<'a> {
    field: String,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct Found<'a> {
    check: &'a str,
    level: String,
    clause: &'a str,
    requirement: &'a str,
    frame: Option<u32>,
    trigger: Option<u32>,
    message: &'a str,
    expected: &'a str,
    actual: &'a str,
}

#[derive(Serialize)]
struct Chosen<'a> {
    node: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    golden: &'a [String],
    actual: &'a [String],
    /// Frames of the run; of the golden where they did not come.
    frames: Vec<u32>,
    told: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    step: usize,
    line: usize,
    frame: Option<u32>,
    told: &'a [String],
}

/// When a step began on the wire, and by how much the real clock was past that.
#[derive(Serialize)]
struct Begun {
    step: usize,
    time_ns: u64,
    late_ns: u128,
}

/// A time that the scenario wants judged.
#[derive(Serialize)]
struct Timed {
    step: usize,
    frame: Option<u32>,
    /// `kept`, `missed` by the node, or `unclear` because the machine was late.
    outcome: &'static str,
    told: String,
}

#[derive(Serialize)]
struct Speaks<'a> {
    node: &'a str,
    who: &'a str,
}

#[derive(Serialize)]
struct Panic<'a> {
    node: &'a str,
    time_ns: u64,
    message: &'a str,
}

/// The document, ended by a newline.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn document(entries: &[Entry]) -> serde_json::Result<String> {
    let totals = Totals::of(entries);
    let document = Document {
        wireproof: env!("CARGO_PKG_VERSION"),
        scenarios: entries.iter().map(scenario).collect(),
        summary: Summary {
            hold: totals.hold,
            fail: totals.fail,
            refused: totals.refused,
            not_run: totals.not_run,
            exit_code: totals.exit_code(),
        },
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn scenario(entry: &Entry) -> Scenario<'_> {
    let (outcome, reason, judged) = match &entry.walked {
        Walked::NotRun(reason) => ("not run", Some(reason.clone()), None),
        Walked::Refused(refusal) => {
            ("refused", Some(diagnostics::refusal(&entry.item.path, refusal, false)), None)
        }
        Walked::Judged(judged) => match &judged.run.ended {
            Ended::Broken(why) => ("refused", Some(why.clone()), Some(details(judged))),
            _ if judged.judgement.verdict.holds() => ("hold", None, Some(details(judged))),
            _ => ("fail", None, Some(details(judged))),
        },
    };
    let path = entry.item.path.display().to_string();
    Scenario { id: &entry.item.id, path, outcome, reason, judged }
}

fn details(judged: &Judged) -> Details<'_> {
    let Judged { plan, run, judgement } = judged;
    let (golden, golden_reason) = match &judgement.against {
        Against::Golden(_) => ("compared", None),
        Against::Missing => ("missing", None),
        Against::Torn(how) => ("torn", Some(how.as_str())),
        Against::NotCompared(reason) => ("not compared", Some(reason.as_str())),
    };
    let (differences, masked) = match &judgement.against {
        Against::Golden(found) => (
            found.differences.iter().map(differing).collect(),
            found.masked.iter().map(|(id, fields)| bytes(None, *id, fields)).collect(),
        ),
        _ => (Vec::new(), Vec::new()),
    };
    Details {
        title: &plan.title,
        cites: &plan.cites,
        verdict: judgement.verdict.text(),
        golden,
        golden_reason,
        frames: frames(&run.transcript.capture),
        differences,
        masked,
        masks: plan
            .masks
            .iter()
            .map(|mask| MaskReason { field: mask.field.path(), reason: &mask.reason })
            .collect(),
        choices: judgement.choices.iter().map(chosen).collect(),
        findings: judgement.findings.iter().map(found).collect(),
        wanted: judgement.wanted.iter().map(found).collect(),
        toothless: &judgement.missing_findings,
        not_judged: judgement.unjudged.iter().map(not_judged).collect(),
        failures: run.failures.iter().map(|failure| failed(plan, failure)).collect(),
        steps: run.begun.iter().map(begun).collect(),
        times: run.timed.iter().map(timed).collect(),
        panics: run
            .at_fault()
            .map(|fault| Panic {
                node: plan.node_name(fault.node),
                time_ns: fault.time.as_nanos(),
                message: fault.fault.text(),
            })
            .collect(),
        passed_over: run
            .transcript
            .ignored
            .iter()
            .map(|(kind, frames)| PassedOver { kind, frames: *frames })
            .collect(),
        speakers: run
            .transcript
            .answering
            .iter()
            .map(|one| Speaks { node: &plan.nodes[one.node].name, who: &one.who })
            .collect(),
        end_ns: run.transcript.end.as_nanos(),
    }
}

fn failed<'a>(plan: &Plan, failure: &'a run::StepFailure) -> Failure<'a> {
    Failure {
        step: failure.step + 1,
        line: plan.steps[failure.step].line,
        frame: failure.frame.map(FrameId::number),
        told: &failure.lines,
    }
}

fn begun(begun: &run::Begun) -> Begun {
    let (time_ns, late_ns) = (begun.time.as_nanos(), begun.late.as_nanos());
    Begun { step: begun.step + 1, time_ns, late_ns }
}

fn timed(timed: &run::Timed) -> Timed {
    let outcome = match timed.held {
        Timing::OnTime(_) => "kept",
        Timing::NodeOff(_) => "missed",
        Timing::MachineLate(_) => "unclear",
    };
    let (step, frame) = (timed.step + 1, timed.frame.map(FrameId::number));
    Timed { step, frame, outcome, told: timed.describe() }
}

fn frames(capture: &Capture) -> Vec<Frame<'_>> {
    let hex = |frame: &[u8]| wire::Hex(frame).to_string();
    capture
        .iter()
        .map(|(id, record, frame)| Frame {
            number: id.number(),
            time_ns: record.time.as_nanos(),
            emitter: capture.interface(record.port),
            deliveries: record.deliveries,
            line: wire::render::line(frame),
            bytes: hex(frame),
        })
        .collect()
}

fn differing(difference: &Difference) -> Differing {
    let plain = |kind, golden: Option<FrameId>, frame: Option<FrameId>| Differing {
        kind,
        frame: frame.map(FrameId::number),
        golden_frame: golden.map(FrameId::number),
        fields: Vec::new(),
    };
    match difference {
        Difference::Missing { golden } => plain("missing", Some(*golden), None),
        Difference::Extra { frame } => plain("extra", None, Some(*frame)),
        Difference::Emitter { golden, frame } => plain("emitter", Some(*golden), Some(*frame)),
        Difference::Early { frame, .. } => plain("early", None, Some(*frame)),
        Difference::Bytes { golden, frame, fields } => bytes(Some(*golden), *frame, fields),
        Difference::Time { frame, expected, actual } => Differing {
            kind: "time",
            frame: Some(frame.number()),
            golden_frame: None,
            fields: vec![FieldDiffers {
                field: "time".to_owned(),
                offset: 0,
                expected: expected.to_string(),
                actual: actual.to_string(),
                meaning: None,
            }],
        },
    }
}

fn bytes(golden: Option<FrameId>, frame: FrameId, fields: &[wire::diff::FieldDiff]) -> Differing {
    let field = |diff: &wire::diff::FieldDiff| FieldDiffers {
        field: diff.path.clone(),
        offset: diff.bytes.start,
        expected: diff.expected.clone(),
        actual: diff.actual.clone(),
        meaning: diff.meaning.clone(),
    };
    Differing {
        kind: "bytes",
        frame: Some(frame.number()),
        golden_frame: golden.map(FrameId::number),
        fields: fields.iter().map(field).collect(),
    }
}

fn chosen(choice: &Choice) -> Chosen<'_> {
    Chosen {
        node: &choice.node,
        field: choice.field.as_deref(),
        golden: &choice.golden,
        actual: &choice.actual,
        frames: choice.frames.iter().map(|frame| frame.number()).collect(),
        told: &choice.text,
    }
}

fn not_judged(unjudged: &Unjudged) -> NotJudged {
    let Unjudged { why, frame, count } = unjudged;
    NotJudged { reason: why.to_string(), frame: frame.number(), frames: *count }
}

pub(super) fn found(finding: &Finding) -> Found<'_> {
    Found {
        check: finding.check.id,
        level: finding.check.level.to_string(),
        clause: finding.check.clause,
        requirement: finding.check.requirement,
        frame: finding.frame.map(FrameId::number),
        trigger: finding.trigger.map(FrameId::number),
        message: &finding.message,
        expected: &finding.expected,
        actual: &finding.actual,
    }
}
