//! What is said of captures that were judged, in three forms. Knows what was found; judges nothing.

use std::fmt::Write as _;

use checks::Level;
use checks::observed::MOST_FINDINGS;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::json::{Found, found as found_json};
use super::{EXIT_CANNOT, EXIT_FINDING, EXIT_HOLDS, text};
use crate::check::Checked;
use crate::text::count;

/// How many hosts are named where not all were asked for.
const MOST_HOSTS: usize = 10;

/// What several files come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Files that were judged.
    pub files: usize,
    /// Files that could not be judged, or not to their end.
    pub broken: usize,
    /// Frames in all.
    pub frames: u64,
    /// Findings of a MUST.
    pub must: u64,
    /// Findings of a SHOULD.
    pub should: u64,
}

impl Sums {
    /// Counts what was found in files, beside `refused` that could not be read.
    #[must_use]
    pub fn of(all: &[Checked], refused: usize) -> Self {
        let mut sums = Self { files: all.len(), broken: refused, ..Self::default() };
        for one in all {
            let (must, should) = levels(one);
            sums.broken += usize::from(one.broken.is_some());
            sums.frames += one.observed.frames;
            sums.must += must;
            sums.should += should;
        }
        sums
    }

    /// The exit code: what could not be done outweighs what was found.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        if self.broken > 0 {
            EXIT_CANNOT
        } else if self.must + self.should > 0 {
            EXIT_FINDING
        } else {
            EXIT_HOLDS
        }
    }
}

/// How many findings of a MUST, and of a SHOULD.
fn levels(one: &Checked) -> (u64, u64) {
    let of = |level: Level| {
        let is = |id: &str| checks::CHECKS.iter().any(|c| c.id == id && c.level == level);
        one.observed.counts.iter().filter(|(id, _)| is(id)).map(|(_, count)| count).sum()
    };
    (of(Level::Must), of(Level::Should))
}

/// What is said of one file: findings, what was not judged, the hosts, and a line of sums.
#[must_use]
pub fn describe(one: &Checked, verbose: bool) -> String {
    let mut out = String::new();
    for finding in &one.observed.findings {
        out += &text::found(finding);
    }
    for (id, all) in &one.observed.counts {
        let more = all.saturating_sub(MOST_FINDINGS as u64);
        if more > 0 {
            let _ = writeln!(out, "  … and {} of {id}", count(more as usize, "more finding"));
        }
    }
    for unjudged in &one.observed.unjudged {
        let _ = writeln!(out, "  not judged: {unjudged}");
    }
    for note in &one.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    for (mac, frames) in &one.observed.routers {
        let frames = count(*frames as usize, "datagram");
        let _ = writeln!(out, "  {mac} passes datagrams on: {frames} of it seen on another side");
    }
    let shown = if verbose { usize::MAX } else { MOST_HOSTS };
    let width = one.observed.hosts.iter().take(shown).map(|h| h.name.len()).max().unwrap_or(0);
    for host in one.observed.hosts.iter().take(shown) {
        let frames = count(host.frames as usize, "frame");
        let _ = writeln!(out, "  {:width$}  {frames}, {}", host.name, host.guess);
    }
    let more = one.observed.hosts.len().saturating_sub(shown);
    if more > 0 {
        let _ = writeln!(out, "  … and {} (-v lists all)", count(more, "more host"));
    }
    if one.observed.more_hosts {
        let _ = writeln!(out, "  … and hosts beyond the 65,536 that are listed");
    }
    if let Some(broken) = &one.broken {
        let _ = writeln!(out, "  the file could not be read to its end: {broken}");
    }
    let (must, should) = levels(one);
    let _ = writeln!(
        out,
        "{}: {}, {}, {must} MUST and {should} SHOULD {}",
        one.name,
        count(one.observed.frames as usize, "frame"),
        count(one.observed.hosts.len(), "host"),
        if must + should == 1 { "finding" } else { "findings" },
    );
    out
}

/// The line behind several files.
#[must_use]
pub fn totals(sums: Sums) -> String {
    let Sums { files, broken, frames, must, should } = sums;
    let mut line = format!(
        "{}: {}, {must} MUST and {should} SHOULD {}",
        count(files, "file"),
        count(frames as usize, "frame"),
        if must + should == 1 { "finding" } else { "findings" },
    );
    if broken > 0 {
        let _ = write!(line, ", {broken} could not be judged to the end");
    }
    line + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    wireproof: &'static str,
    files: Vec<File<'a>>,
    refused: &'a [String],
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    sums: Sums,
    exit_code: u8,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    frames: u64,
    findings: Vec<Found<'a>>,
    /// How many findings of each check there are; `findings` has the first thousand.
    counts: &'a std::collections::BTreeMap<&'static str, u64>,
    unjudged: Vec<Unjudged<'a>>,
    hosts: Vec<Host<'a>>,
    routers: Vec<Router>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<&'a str>,
}

#[derive(Serialize)]
struct Unjudged<'a> {
    reason: String,
    count: u64,
    first_frame: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
}

#[derive(Serialize)]
struct Host<'a> {
    host: &'a str,
    frames: u64,
    role: String,
}

#[derive(Serialize)]
struct Router {
    mac: String,
    seen_twice: u64,
}

/// One JSON document, ended by a newline. Its fields are added to, not changed.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json(all: &[Checked], refused: &[String]) -> serde_json::Result<String> {
    let sums = Sums::of(all, refused.len());
    let document = Document {
        wireproof: env!("CARGO_PKG_VERSION"),
        files: all.iter().map(file).collect(),
        refused,
        summary: Summary { sums, exit_code: sums.exit_code() },
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn file(one: &Checked) -> File<'_> {
    let observed = &one.observed;
    File {
        file: &one.name,
        frames: observed.frames,
        findings: observed.findings.iter().map(found_json).collect(),
        counts: &observed.counts,
        unjudged: observed.unjudged.iter().map(unjudged).collect(),
        hosts: observed.hosts.iter().map(host).collect(),
        routers: observed
            .routers
            .iter()
            .map(|(mac, seen)| Router { mac: mac.to_string(), seen_twice: *seen })
            .collect(),
        notes: &one.notes,
        broken: one.broken.as_deref(),
    }
}

fn unjudged(one: &checks::observed::Unjudged) -> Unjudged<'_> {
    Unjudged {
        reason: one.why.to_string(),
        count: one.count,
        first_frame: one.first.number(),
        host: one.host.as_deref(),
    }
}

fn host(one: &checks::observed::Host) -> Host<'_> {
    Host { host: &one.name, frames: one.frames, role: one.guess.to_string() }
}

/// JUnit XML: a suite a file, a case a check that found something, or one for the file.
///
/// # Errors
/// When it cannot be written as XML.
pub fn junit(all: &[Checked], refused: &[String]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("wireproof check");
    for one in all {
        let mut suite = TestSuite::new(one.name.as_str());
        for check in checks::CHECKS {
            let status = match one.observed.counts.get(check.id) {
                None => TestCaseStatus::success(),
                Some(number) => {
                    let of = one.observed.findings.iter().filter(|f| f.check.id == check.id);
                    let told: String = of.map(text::found).collect();
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!(
                        "{}: {}",
                        count(*number as usize, "finding"),
                        check.title
                    ));
                    status.set_description(anstream::adapter::strip_str(&told).to_string());
                    status
                }
            };
            suite.add_test_case(TestCase::new(check.id, status));
        }
        if let Some(broken) = &one.broken {
            suite.add_test_case(error("read to its end", broken));
        }
        report.add_test_suite(suite);
    }
    if !refused.is_empty() {
        let mut suite = TestSuite::new("not judged");
        suite.add_test_cases(refused.iter().map(|message| error("read", message)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn error(name: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message);
    TestCase::new(name, status)
}
