//! What is said of a node that was fed a capture: findings, silences and sums.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use checks::{Finding, Level, Report};
use wire::FrameId;

use super::text;
use crate::inject::{Exchange, Place, Silent};
use crate::text::count;

/// How many findings are told in full.
const MOST: usize = 100;

/// The report: findings, what was not judged, why frames were not answered, a line of sums.
#[must_use]
pub fn describe(
    kind: &str,
    exchange: &Exchange,
    report: &Report,
    silent: &[Silent],
    verbose: bool,
) -> String {
    let mut out = String::new();
    for finding in report.findings.iter().take(MOST) {
        out += &text::found_at(finding, &place(exchange, finding));
    }
    let more = report.findings.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(out, "  … and {}", count(more, "more finding"));
    }
    for unjudged in report.unjudged() {
        let frames = count(unjudged.count as usize, "frame");
        let _ = writeln!(out, "  not judged: {frames}: {}", unjudged.why);
    }
    if verbose {
        for Silent { frame, reason } in silent {
            let _ = writeln!(out, "  frame {frame}: no answer: {reason}");
        }
    }
    let mut reasons: BTreeMap<_, (usize, u32)> = BTreeMap::new();
    for Silent { frame, reason } in silent {
        reasons.entry(reason).or_insert((0, *frame)).0 += 1;
    }
    let mut reasons: Vec<_> =
        reasons.into_iter().map(|(reason, (n, first))| (first, n, reason)).collect();
    reasons.sort();
    for (first, number, reason) in reasons {
        let which = match number {
            1 => format!("frame {first}"),
            number => format!("{number} frames from frame {first}"),
        };
        if !verbose || number > 1 {
            let _ = writeln!(out, "  no answer to {which}: {reason}");
        }
    }
    out += &sums(kind, exchange, report, silent.len());
    out
}

fn sums(kind: &str, exchange: &Exchange, report: &Report, silent: usize) -> String {
    let (fed, emitted) = exchange.counts();
    let (fed, emitted) = (count(fed as usize, "frame"), count(emitted as usize, "frame"));
    let mut line = format!("{fed} fed to {kind}, {emitted} emitted");
    if silent > 0 {
        let _ = write!(line, ", {silent} not answered");
    }
    let of = |level: Level| report.findings.iter().filter(|f| f.check.level == level).count();
    let (must, should) = (of(Level::Must), of(Level::Should));
    if must + should > 0 {
        let word = if must + should == 1 { "finding" } else { "findings" };
        let _ = write!(line, ", {must} MUST and {should} SHOULD {word}");
    }
    line + "\n"
}

/// `answer 2, to frame 3`: both captures count from 1.
#[must_use]
pub fn place(exchange: &Exchange, finding: &Finding) -> String {
    let at = |id: Option<FrameId>| id.and_then(|id| exchange.place(id));
    match (at(finding.frame), at(finding.trigger)) {
        (Some(Place::Emitted(number)), Some(Place::Fed(trigger))) => {
            format!("answer {number}, to frame {trigger}: ")
        }
        (Some(Place::Emitted(number)), _) => format!("answer {number}: "),
        (Some(Place::Fed(number)), _) | (None, Some(Place::Fed(number))) => {
            format!("frame {number}: ")
        }
        (None, Some(Place::Emitted(number))) => format!("answer {number}: "),
        (None, None) => String::new(),
    }
}
