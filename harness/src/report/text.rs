//! The report for a person.

mod differences;

use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use checks::Finding;
use nodes::Home;

pub(crate) use differences::MOST_DIFFERENCES;
pub use differences::differences;

use super::{Entry, Totals, diagnostics, ladder, others};
use crate::catalog::Item;
use crate::judge::Against;
use crate::on::On;
use crate::outcome::{Judged, Walked};
use crate::run::Ended;
use crate::text::{block, count, line, path, shell};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();

/// Where text of several lines goes on, deeper than any line of the report's own begins.
const DEEPER: &str = "        ";

/// How a reader accepts a run, or repeats it: the words around the scenario's id.
#[derive(Clone, Debug)]
pub struct Hints {
    /// `None` where the run is not the one that a golden is for.
    accept: Option<[String; 2]>,
    repeat: [String; 2],
    /// The run is on a real wire: a golden comes from there only for a kernel of the scenario's.
    real: bool,
}

impl Hints {
    /// By the command, with the root and the swaps that were given to it.
    #[must_use]
    pub fn command(root: Option<&Path>, swaps: &[String]) -> Self {
        let root = root.map(|root| format!(" --root {}", shell(&root.display().to_string())));
        let root = root.unwrap_or_default();
        let swaps: String = swaps.iter().map(|swap| format!(" --swap {}", shell(swap))).collect();
        let accept = swaps.is_empty().then(|| [format!("wireproof{root} bless "), String::new()]);
        let repeat = [format!("wireproof{root} run "), format!("{swaps} -v")];
        Self { accept, repeat, real: false }
    }

    /// The same for a run on another wire with its flags.
    #[must_use]
    pub fn on(mut self, wire: On, flags: &[String]) -> Self {
        if wire != On::Sim {
            self.real = true;
            let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
            // What a device emits is no golden: nobody here knows what it is.
            self.accept = self.accept.filter(|_| wire != On::Nic);
            if let Some([_, behind]) = &mut self.accept {
                *behind = format!(" --on {}", wire.name());
            }
            self.repeat[1] = format!(" --on {}{flags}{}", wire.name(), self.repeat[1]);
        }
        self
    }

    /// The same for a run that is judged, or chosen, by these words.
    #[must_use]
    pub fn judged(mut self, no_golden: bool, strict: bool, any_host: bool) -> Self {
        let flags = [(" --no-golden", no_golden), (" --strict", strict), (" --any-host", any_host)];
        for (flag, _) in flags.iter().filter(|flag| flag.1) {
            self.repeat[1] = format!("{flag}{}", self.repeat[1]);
        }
        self
    }

    /// By the test that runs them.
    #[must_use]
    pub fn test() -> Self {
        let fixed = |words: &str| [words.to_owned(), String::new()];
        let accept = Some(["WIREPROOF_BLESS=".to_owned(), " cargo test".to_owned()]);
        Self { accept, repeat: fixed("cargo test # "), real: false }
    }

    fn accept(&self, item: &Item) -> String {
        let word = shell(&item_word(item));
        self.accept
            .as_ref()
            .map_or_else(String::new, |accept| format!("  accept: {}\n", accept.join(&word)))
    }

    fn repeat(&self, item: &Item) -> String {
        format!("  repeat: {}\n", self.repeat.join(&shell(&item_word(item))))
    }
}

/// What is said of one scenario. Colours are always in it; the stream takes them out.
#[must_use]
pub fn entry(entry: &Entry, hints: &Hints, verbose: bool, colour: bool) -> String {
    let id = &line(&entry.item.id);
    match &entry.walked {
        Walked::NotRun(reason) => {
            let reason = block(reason, DEEPER);
            format!("{ODD}skip{ODD:#} {id}: not run: {reason}\n")
        }
        Walked::Refused(refusal) => {
            let shown = diagnostics::refusal(&entry.item.path, refusal, colour);
            format!("{BAD}FAIL{BAD:#} {id}: could not be run\n{shown}\n")
        }
        Walked::Judged(judged) => {
            let mut text = headline(id, judged);
            if let Against::Golden(found) = &judged.judgement.against
                && !found.masked.is_empty()
            {
                for masks in judged.plan.masks.chunk_by(|one, next| one.reason == next.reason) {
                    let fields: Vec<String> = masks.iter().map(|mask| mask.field.path()).collect();
                    let reason = block(&masks[0].reason, DEEPER);
                    let _ = writeln!(text, "  mask {}: {reason}", fields.join(", "));
                }
            }
            text += &others::choices(judged);
            text += &speakers(judged, verbose);
            for unjudged in &judged.judgement.unjudged {
                let _ = writeln!(text, "  not judged: {unjudged}");
            }
            if verbose {
                text += &setting(judged);
                text += &ladder::ladder(judged);
                text += &counters(judged);
                text += &clock(judged);
            }
            text += &trouble(&entry.item, judged, hints);
            text
        }
    }
}

fn headline(id: &str, judged: &Judged) -> String {
    let verdict = judged.judgement.verdict;
    let (word, style) = if verdict.holds() { ("ok  ", GOOD) } else { ("FAIL", BAD) };
    let mut text = format!("{style}{word}{style:#} {id}: {}", verdict.text());
    let _ = write!(text, ", {}", count(judged.run.transcript.capture.len(), "frame"));
    match &judged.judgement.against {
        Against::Golden(found) if !found.masked.is_empty() => {
            let differ = if found.masked.len() == 1 { "differs" } else { "differ" };
            let _ = write!(text, ", {} {differ} under a mask", found.masked.len());
        }
        Against::Golden(_) if !judged.judgement.choices.is_empty() => {
            let choices = count(judged.judgement.choices.len(), "choice");
            let _ = write!(text, ", {choices} of the implementation's");
        }
        Against::Missing => text += ", no golden yet",
        Against::NotCompared(reason) => {
            let _ = write!(text, ", golden not compared: {}", line(reason));
        }
        _ => {}
    }
    let passed_over: u64 = judged.run.transcript.ignored.iter().map(|(_, number)| number).sum();
    if passed_over > 0 {
        let _ = write!(text, ", {} ignored", count(passed_over as usize, "frame"));
    }
    if !judged.judgement.wanted.is_empty() {
        let ids: Vec<&str> = judged.plan.finds.iter().map(String::as_str).collect();
        let _ = write!(text, ", found as wanted: {}", ids.join(", "));
    }
    text.push('\n');
    text
}

/// Who spoke, where it was no node of Rust; all of them with `all`.
fn speakers(judged: &Judged, all: bool) -> String {
    let Judged { plan, run, .. } = judged;
    let mut text = String::new();
    for (number, node) in plan.nodes.iter().enumerate() {
        let speaker = run.transcript.answering.iter().find(|speaker| speaker.node == number);
        match speaker {
            Some(speaker) => {
                let _ = writeln!(text, "  {}: {}", line(&node.name), line(&speaker.who));
            }
            None if all && !run.transcript.answering.is_empty() => {
                let name = line(&node.name);
                let _ = writeln!(text, "  {name}: in-process node ({})", line(&node.kind));
            }
            None => {}
        }
    }
    text
}

fn setting(judged: &Judged) -> String {
    let plan = &judged.plan;
    let mut text = format!("  {}\n", line(&plan.title));
    if !plan.cites.is_empty() {
        let _ = writeln!(text, "  cites {}", line(&plan.cites.join("; ")));
    }
    if let Some(note) = &plan.note {
        let _ = writeln!(text, "  {}", block(note, DEEPER));
    }
    for node in &plan.nodes {
        let ports: Vec<String> = node.config.ports.iter().map(port).collect();
        let words = format!("{} is {}: {}", node.name, node.kind, ports.join("; "));
        let _ = writeln!(text, "  {}", line(&words));
        text += &others::measured(node);
    }
    let _ = writeln!(text, "  seed {}", plan.seed);
    text
}

fn port(port: &link::PortConfig) -> String {
    let addresses: Vec<String> = port.addresses.iter().map(ToString::to_string).collect();
    format!("{} {} {}", port.name, port.mac, addresses.join(" "))
}

fn counters(judged: &Judged) -> String {
    let mut text = String::new();
    for (node, counters) in judged.plan.nodes.iter().zip(&judged.run.transcript.counters) {
        let shown: Vec<String> = counters
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("{name} {number}"))
            .collect();
        if !shown.is_empty() {
            let _ = writeln!(text, "  {} counted {}", line(&node.name), shown.join(", "));
        }
    }
    text
}

/// What a real wire has to say beside the frames: what was set to make it, how late steps were.
fn clock(judged: &Judged) -> String {
    let run = &judged.run;
    let mut text: String = run
        .transcript
        .remarks
        .iter()
        .map(|remark| format!("  {}\n", block(remark, DEEPER)))
        .collect();
    for (kind, number) in &run.transcript.ignored {
        let _ = writeln!(text, "  ignored: {number} × {}", line(kind));
    }
    if let (true, Some(worst)) =
        (run.transcript.real, run.begun.iter().max_by_key(|step| step.late))
    {
        let times: Vec<String> =
            run.begun.iter().map(|step| step.late.as_micros().to_string()).collect();
        let (number, most, all) = (worst.step + 1, worst.late.as_micros(), times.join(", "));
        let _ = writeln!(text, "  steps late by {all} µs; most: step {number}, {most} µs");
    }
    for timed in &run.timed {
        let _ = writeln!(text, "  step {}: {}", timed.step + 1, timed.describe());
    }
    text
}

/// Everything that does not hold, and the commands that accept it and that repeat it.
fn trouble(item: &Item, judged: &Judged, hints: &Hints) -> String {
    let Judged { plan, run, judgement } = judged;
    let mut text = String::new();
    match &run.ended {
        Ended::Complete => {}
        Ended::Broken(why) => {
            let _ = writeln!(text, "  the run could not be carried out: {}", block(why, DEEPER));
        }
        Ended::Inconclusive(why) | Ended::Unable(why) => {
            let _ = writeln!(text, "  the wire could not tell: {}", block(why, DEEPER));
        }
    }
    for timed in run.untimely() {
        let (number, line) = (timed.step + 1, plan.steps[timed.step].line);
        let what = if timed.frame.is_some() { "saw its frame" } else { "began" };
        let (place, words) = (path(&item.path), timed.describe());
        let _ = writeln!(
            text,
            "  step {number} ({place}:{line}) {what} {words}: this machine was late"
        );
    }
    for fault in run.at_fault() {
        let name = line(plan.node_name(fault.node));
        let message = block(fault.fault.text(), DEEPER);
        let _ = writeln!(text, "  {name} panicked at {}: {message}", fault.time);
    }
    for failure in &run.failures {
        let (number, at) = (failure.step + 1, plan.steps[failure.step].line);
        let place = path(&item.path);
        let first = line(failure.lines.first().map_or("", String::as_str));
        let _ = writeln!(text, "  step {number} ({place}:{at}) does not hold: {first}");
        for more in failure.lines.iter().skip(1) {
            let _ = writeln!(text, "    {}", line(more));
        }
        if let Some(note) = &plan.steps[failure.step].note {
            let _ = writeln!(text, "    note: {}", block(note, "          "));
        }
    }
    for finding in &judgement.findings {
        text += &found(finding);
    }
    for id in &judgement.missing_findings {
        let _ = writeln!(text, "  `finds` names {id}, and it found nothing");
    }
    text += &against(item, judged, hints);
    if !judgement.verdict.holds() {
        text += &hints.repeat(item);
    }
    text
}

pub(super) fn found(finding: &Finding) -> String {
    let place = match (finding.frame, finding.trigger) {
        (Some(frame), Some(trigger)) => {
            format!("frame {}, answering frame {}: ", frame.number(), trigger.number())
        }
        (Some(frame), None) => format!("frame {}: ", frame.number()),
        (None, Some(trigger)) => format!("frame {}: ", trigger.number()),
        (None, None) => String::new(),
    };
    found_at(finding, &place)
}

/// The same with the place in words.
pub(super) fn found_at(finding: &Finding, place: &str) -> String {
    let check = finding.check;
    let mut text = format!(
        "  {BAD}{}{BAD:#} {} ({}, {}): {place}{}\n",
        check.level, check.id, check.clause, check.requirement, finding.message
    );
    if !finding.expected.is_empty() || !finding.actual.is_empty() {
        let _ = writeln!(text, "    expected {}, got {}", finding.expected, finding.actual);
    }
    text
}

fn against(item: &Item, judged: &Judged, hints: &Hints) -> String {
    let place = path(&item.golden);
    // What `bless` refuses, a report does not offer.
    let for_golden = !hints.real || judged.plan.own(Home::Namespace).next().is_some();
    let acceptable = for_golden && judged.unacceptable().is_none();
    let accept = if acceptable { hints.accept(item) } else { String::new() };
    match &judged.judgement.against {
        Against::NotCompared(_) => String::new(),
        Against::Missing => format!("  there is no golden yet: {place}\n{accept}"),
        Against::Torn(how) => format!("  the golden is torn: {}\n{accept}", line(how)),
        Against::Golden(found) if found.differences.is_empty() => String::new(),
        Against::Golden(found) => {
            let golden = judged.judgement.golden.as_deref();
            differences(found, "the golden", golden, &judged.run.transcript.capture) + &accept
        }
    }
}

/// The word that selects the scenario on the command line.
fn item_word(item: &Item) -> String {
    if item.in_root() { item.id.clone() } else { item.path.display().to_string() }
}

/// The last line: how many scenarios ended in which way.
#[must_use]
pub fn summary(entries: &[Entry]) -> String {
    let totals = Totals::of(entries);
    let (hold, fail) = (
        if totals.hold == 1 { "holds" } else { "hold" },
        if totals.fail == 1 { "does not hold" } else { "do not hold" },
    );
    let mut text = format!("{}: {} {hold}", count(entries.len(), "scenario"), totals.hold);
    for (number, word) in
        [(totals.fail, fail), (totals.refused, "could not be run"), (totals.not_run, "not run")]
    {
        if number > 0 {
            let _ = write!(text, ", {number} {word}");
        }
    }
    text.push('\n');
    text
}
