//! The frames of a run as a ladder: a column a node, an arrow a frame, time going down.

use std::fmt::Write as _;

use link::{LinkChange, LinkEvent};
use wire::{Cause, FrameId, PortId};

use crate::outcome::Judged;
use crate::plan::Action;
use crate::run::Begun;
use crate::text::{block, duration, line};

/// Where a note of several lines goes on.
const DEEPER: &str = "                    ";

/// The ladder, each line ended by a newline.
#[must_use]
pub fn ladder(judged: &Judged) -> String {
    let names: Vec<String> = judged.plan.nodes.iter().map(|node| line(&node.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(6) + 6;
    let mut text = String::from("  ");
    let _ = write!(text, "{:18}", "");
    for name in &names {
        let _ = write!(text, "{name:^width$}");
    }
    text.push('\n');
    let mut quiet = judged.run.begun.iter().filter(|begun| is_quiet(judged, begun)).peekable();
    for (id, record, frame) in judged.run.transcript.capture.iter() {
        while let Some(begun) = quiet.next_if(|begun| begun.frames <= id.index()) {
            text += &aside(judged, begun);
        }
        let from = owner(judged, record.port);
        let to = receiver(judged, record.port);
        let arrived = record.deliveries > 0;
        let _ = write!(text, "  {} {:>4}  ", record.time, id.number());
        text.push_str(&rung(names.len(), width, from, to, arrived));
        let _ = writeln!(text, "  {}", wire::render::line(frame));
        for said in remarks(judged, id, record.cause) {
            let rails = rails(names.len(), width);
            for line in said.split('\n').map(line) {
                let _ = writeln!(text, "  {:18}{rails}  {line}", "");
            }
        }
    }
    quiet.for_each(|begun| text += &aside(judged, begun));
    for seen in &judged.run.transcript.seen {
        let who = names.get(usize::from(seen.node.0)).map_or("?", String::as_str);
        let event = crate::text::event(&seen.event);
        let _ = writeln!(text, "  {}       {who}: {}", seen.time, line(&event));
    }
    text
}

/// A step that no frame shows.
fn is_quiet(judged: &Judged, begun: &Begun) -> bool {
    !matches!(judged.plan.steps[begun.step].action, Action::Send { .. } | Action::Expect(_))
}

/// A step that no frame shows, in words, with its note.
fn aside(judged: &Judged, begun: &Begun) -> String {
    let step = &judged.plan.steps[begun.step];
    let node = |index: usize| judged.plan.nodes[index].name.as_str();
    let words = match &step.action {
        Action::ExpectNothing(nothing) => {
            format!("nothing is to come for {}", duration(nothing.time))
        }
        Action::ExpectEvent(event) => {
            format!(
                "{} is to see `{}` within {}",
                node(event.node.index()),
                event.kind,
                duration(event.within)
            )
        }
        Action::Do { node: index, verb, .. } => {
            format!("{} is given the command {verb}", node(index.index()))
        }
        Action::Link(step) => {
            format!(
                "the link {} {}",
                judged.plan.links[step.link.index()].name,
                changes(&step.change)
            )
        }
        _ => "time has passed".to_owned(),
    };
    let note = step.note.as_ref().map(|note| format!(": {}", block(note, DEEPER)));
    let (words, note) = (line(&words), note.unwrap_or_default());
    format!("  {} step {}  {words}{note}\n", begun.time, begun.step + 1)
}

/// What a link changes, by the keys of scenario files.
fn changes(change: &LinkChange) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(change.up.map(|up| if up { "comes up" } else { "goes down" }.to_owned()));
    let others = change.given().filter(|(setting, _)| setting.key != "up");
    let keys: Vec<&str> = others.map(|(setting, _)| setting.key).collect();
    if !keys.is_empty() {
        words.push(format!("has another {}", keys.join(", ")));
    }
    words.join(" and ")
}

fn owner(judged: &Judged, port: PortId) -> usize {
    let has = |node: &crate::plan::PlanNode| node.ports.contains(&port);
    judged.plan.nodes.iter().position(has).unwrap_or(0)
}

/// The node at the other end of a port's link.
fn receiver(judged: &Judged, port: PortId) -> Option<usize> {
    let node = owner(judged, port);
    let index = judged.plan.nodes[node].ports.iter().position(|found| *found == port)?;
    let here = (link::NodeId::at(node), index as link::PortIndex);
    let link = judged.plan.links.iter().find(|link| link.ends.contains(&here))?;
    Some(if link.ends[0] == here { link.ends[1].0.index() } else { link.ends[0].0.index() })
}

fn rails(columns: usize, width: usize) -> String {
    rung(columns, width, usize::MAX, None, false)
}

/// One row of lifelines, with an arrow from a column to another; a frame that is lost ends in a
/// cross halfway, and one without a link goes nowhere.
fn rung(columns: usize, width: usize, from: usize, to: Option<usize>, arrived: bool) -> String {
    let mut cells: Vec<char> = vec![' '; columns * width];
    let middle = |column: usize| column * width + (width - 1) / 2;
    for column in 0..columns {
        cells[middle(column)] = '│';
    }
    if from < columns {
        let start = middle(from);
        let end = to.map_or(start, middle);
        let (low, high) = (start.min(end), start.max(end));
        cells[low..=high].fill('─');
        match start.cmp(&end) {
            std::cmp::Ordering::Less => {
                cells[start] = '├';
                cells[end - 1] = '▶';
                cells[end] = '│';
            }
            std::cmp::Ordering::Greater => {
                cells[start] = '┤';
                cells[end + 1] = '◀';
                cells[end] = '│';
            }
            std::cmp::Ordering::Equal => cells[start] = '●',
        }
        if !arrived && start != end {
            cells[usize::midpoint(low, high)] = '✗';
        }
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
        + &" ".repeat(width.saturating_sub((width - 1) / 2 + 1))
}

/// What is to be said under a frame.
fn remarks(judged: &Judged, id: FrameId, cause: Cause) -> Vec<String> {
    let mut lines = Vec::new();
    let steps = &judged.plan.steps;
    let step = |index: usize| steps.get(index).and_then(|step| step.note.clone());
    // A step that sends several frames has its note under the first.
    let before = id.index().checked_sub(1).map(|at| {
        judged.run.transcript.capture.record(FrameId(u32::try_from(at).unwrap_or(u32::MAX))).cause
    });
    if let Cause::Command(tag) = cause
        && before != Some(cause)
    {
        lines.extend(step(tag as usize));
    }
    for (_, index) in judged.run.expected.iter().filter(|(frame, _)| *frame == id) {
        lines.extend(step(*index));
    }
    for note in judged.run.transcript.notes.iter().filter(|note| note.frame == id) {
        lines.push(match note.what {
            LinkEvent::Lost(reason) => format!("✗ lost: {reason}"),
            other => other.to_string(),
        });
    }
    for finding in judged.judgement.findings.iter().chain(&judged.judgement.wanted) {
        if finding.frame.or(finding.trigger) == Some(id) {
            let check = finding.check;
            lines.push(format!(
                "{} {}: {}; expected {}, got {}",
                check.level, check.id, finding.message, finding.expected, finding.actual
            ));
        }
    }
    lines
}
