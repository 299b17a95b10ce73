//! What a report for a person says of implementations that are not ours: what each is measured by,
//! and what it chose for itself. Knows judgements; judges nothing.

use std::fmt::Write as _;

use nodes::Measure;

use crate::outcome::Judged;
use crate::plan::PlanNode;
use crate::text::{count, line};

/// How many choices are told: a device that never falls silent sends a frame more with each.
const MOST_CHOICES: usize = 20;

/// What another implementation chose for itself, a line each.
pub(super) fn choices(judged: &Judged) -> String {
    let all = &judged.judgement.choices;
    let shown = all.iter().take(MOST_CHOICES);
    let mut text: String =
        shown.map(|choice| format!("  choice: {}\n", line(&choice.text))).collect();
    if all.len() > MOST_CHOICES {
        let more = count(all.len() - MOST_CHOICES, "choice");
        let _ = writeln!(text, "  … and {more} more; --format json has all");
    }
    text
}

/// What somebody in a node's place is measured by.
pub(super) fn measured(node: &PlanNode) -> String {
    let (name, standing) = (&node.name, &node.standing);
    match (standing.measure, standing.replaces) {
        (Measure::Rules, true) => format!(
            "  {name} is another implementation: checks and steps judge it, and what they leave \
             open is its choice\n"
        ),
        (Measure::Rules, false) => {
            format!("  {name} is judged by checks and steps; what they leave open is its choice\n")
        }
        (Measure::Golden, true) if standing.device => {
            format!("  {name} is another implementation, held to the golden's bytes by --strict\n")
        }
        (Measure::Golden, true) => format!(
            "  {name} is held to the golden's bytes: a {} claims to emit the same\n",
            node.kind
        ),
        (Measure::Golden, false) => String::new(),
    }
}
