//! The report as JUnit XML: a suite a folder, a case a scenario.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Entry, text};
use crate::judge::Verdict;
use crate::outcome::Walked;
use crate::text::line;

/// The document, ended by a newline.
///
/// # Errors
/// When it cannot be written as XML.
pub fn document(
    entries: &[Entry],
    hints: &text::Hints,
) -> Result<String, quick_junit::SerializeError> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for entry in entries {
        let id = entry.item.id.as_str();
        let folder = id.rsplit_once('/').map_or("scenarios", |(folder, _)| folder);
        let suite = suites.entry(folder).or_insert_with(|| TestSuite::new(line(folder)));
        suite.add_test_case(case(entry, hints));
    }
    let mut report = Report::new("wireproof");
    report.add_test_suites(suites.into_values());
    report.to_string()
}

fn case(entry: &Entry, hints: &text::Hints) -> TestCase {
    let context =
        || anstream::adapter::strip_str(&text::entry(entry, hints, true, false)).to_string();
    let not_success = |kind, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message).set_description(context());
        status
    };
    let status = match &entry.walked {
        Walked::NotRun(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(line(reason));
            status
        }
        Walked::Refused(_) => not_success(NonSuccessKind::Error, "could not be run"),
        Walked::Judged(judged) => {
            let verdict = judged.judgement.verdict;
            match verdict {
                _ if verdict.holds() => TestCaseStatus::success(),
                Verdict::HarnessError => not_success(NonSuccessKind::Error, verdict.text()),
                _ => not_success(NonSuccessKind::Failure, verdict.text()),
            }
        }
    };
    let name = entry.item.id.rsplit('/').next().unwrap_or(&entry.item.id);
    let mut case = TestCase::new(line(name), status);
    case.set_classname(line(&entry.item.id));
    if let Walked::Judged(judged) = &entry.walked {
        for choice in &judged.judgement.choices {
            let what = choice.field.as_deref().unwrap_or("frame");
            let name = format!("choice.{}.{what}", choice.node);
            case.add_property(Property::new(name, choice.text.as_str()));
        }
        for unjudged in &judged.judgement.unjudged {
            case.add_property(Property::new("not judged", unjudged.to_string()));
        }
        for answering in &judged.run.transcript.answering {
            let node = judged.plan.nodes[answering.node].name.as_str();
            let (node, who) = (line(node), line(&answering.who));
            case.add_property(Property::new(format!("speaker.{node}"), who));
        }
    }
    case
}
