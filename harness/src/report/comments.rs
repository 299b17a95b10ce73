//! The packet comments of an output capture: step, note, clause, finding, what the link did.

use wire::pcapng::Comments;
use wire::{Cause, FrameId};

use crate::outcome::Judged;

/// The comments of every frame of a run.
#[must_use]
pub fn comments(judged: &Judged) -> Comments {
    let mut comments = Comments::new();
    let mut add = |id: FrameId, text: String| comments.entry(id).or_default().push(text);
    let step = |index: usize| {
        let step = &judged.plan.steps[index];
        let note = step.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        format!("step {} (line {}){note}", index + 1, step.line)
    };
    for (id, record, _) in judged.run.transcript.capture.iter() {
        match record.cause {
            Cause::Command(tag) if (tag as usize) < judged.plan.steps.len() => {
                add(id, step(tag as usize));
            }
            Cause::Frame(trigger) => add(id, format!("answers frame {}", trigger.number())),
            Cause::Timeout => add(id, "a timer ran out".to_owned()),
            _ => {}
        }
    }
    for (id, index) in &judged.run.expected {
        add(*id, format!("as {}", step(*index)));
    }
    for failure in &judged.run.failures {
        if let (Some(id), Some(line)) = (failure.frame, failure.lines.first()) {
            add(id, format!("not as step {}: {line}", failure.step + 1));
        }
    }
    for note in &judged.run.transcript.notes {
        add(note.frame, format!("link: {}", note.what));
    }
    for finding in judged.judgement.findings.iter().chain(&judged.judgement.wanted) {
        if let Some(id) = finding.frame.or(finding.trigger) {
            let check = finding.check;
            let (level, clause) = (check.level, check.clause);
            add(id, format!("{level} {} ({clause}): {}", check.id, finding.message));
        }
    }
    comments
}
