//! Captures from elsewhere: one that saw a shared medium, of which nobody says who emitted which
//! frame, what was lost, or what was before. Judged frame by frame in room that does not grow.
//!
//! A frame is taken for the one host whose IP address it has as source, or whose station where
//! there is none, and as handed to the host that it is addressed to. Of hosts that were not
//! [given](Given), only what holds whatever their state is asked. What cannot be told is counted
//! in [`Observed::unjudged`], with its reason.
//!
//! What a frame answers is searched among the [`HORIZON`] frames before it, so the outcome does
//! not depend on how many frames are judged at a time.

use std::collections::BTreeMap;
use std::mem;
use std::net::{IpAddr, Ipv4Addr};

use wire::address::is_loopback;
use wire::{Capture, Deliberate, Frame, FrameId, Instant, Interface, Mac, PortId};

use crate::check::{Answers, Finding};
use crate::judge::Judge;
use crate::layout::HeaderLayout;
use crate::report::{Report, Why};

mod aside;
mod copies;
mod hosts;
mod look;
pub(crate) mod offload;
mod table;

pub use aside::{Aside, Unjudged};
pub use hosts::{Guess, Host};
pub(crate) use table::EVERYBODY;

use copies::{Candidate, Copied, Copies};
use hosts::Hosts;
use look::Class;
use offload::Left;
use table::{MOST_PORTS, Table, Who};

/// How many frames back an answer's cause is searched, and how many frames a missing answer is
/// waited for.
pub const HORIZON: usize = 1 << 14;

/// How many findings of one check are kept; those beyond are counted.
pub const MOST_FINDINGS: usize = 1000;

/// A host of which something is known before the capture is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Its IP addresses.
    pub addresses: Vec<IpAddr>,
    /// The broadcast addresses of its subnets.
    pub broadcasts: Vec<Ipv4Addr>,
    /// The Ethernet addresses of its ports; none where they are not known. Whatever comes from one
    /// of them, the host emitted.
    pub stations: Vec<Mac>,
    /// What it takes part as.
    pub part: Part,
}

/// What a host takes part as.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// It is judged by what can be expected of it.
    Judged(Answers),
    /// It is a test's own sender: what it emits is chosen, and only what answers it is judged.
    Scripted,
}

/// How a capture is judged.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The hosts of which something is known.
    pub given: Vec<Given>,
    /// Nothing that belongs to the exchanges came before the capture's first frame.
    pub whole: bool,
    /// How many frames are judged at a time. The outcome does not depend on it.
    pub batch_frames: usize,
    /// How many bytes are judged at a time, by the same token.
    pub batch_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { given: Vec::new(), whole: false, batch_frames: 1 << 15, batch_bytes: 1 << 25 }
    }
}

/// What judging a capture gives. Frames count from 0 over the whole capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What was found, in order of the frames; at most [`MOST_FINDINGS`] of a check.
    pub findings: Vec<Finding>,
    /// How many findings of a check there are, those that were not kept included.
    pub counts: BTreeMap<&'static str, u64>,
    /// What was not judged, or not in full.
    pub unjudged: Vec<Unjudged>,
    /// The hosts that were seen, in order of their addresses, those that were given first.
    pub hosts: Vec<Host>,
    /// The hosts that were given and not seen, by their places.
    pub absent: Vec<usize>,
    /// Hosts beyond those that there was room for.
    pub more_hosts: bool,
    /// The stations that pass datagrams on, and how many the capture saw on both sides.
    pub routers: Vec<(Mac, u64)>,
    /// How many frames there were.
    pub frames: u64,
}

/// Judges a capture from elsewhere, frame by frame.
#[derive(Debug)]
pub struct Observer {
    settings: Settings,
    table: Table,
    copies: Copies,
    hosts: Hosts,
    judge: Judge,
    capture: Capture,
    spare: Capture,
    /// The number of each frame of `capture`, from 0 over the whole.
    numbers: Vec<u32>,
    /// Frames kept over the whole.
    kept: u64,
    /// Frames of `capture` that were judged before.
    judged: usize,
    bytes: usize,
    frames: u64,
    found: Observed,
    aside: BTreeMap<Aside, (u32, u64)>,
}

impl Observer {
    /// An observer that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            table: Table::new(settings.given.clone()),
            copies: Copies::new(),
            hosts: Hosts::default(),
            judge: Judge::observing(settings.whole),
            capture: Capture::new(),
            spare: Capture::new(),
            numbers: Vec::new(),
            kept: 0,
            judged: 0,
            bytes: 0,
            frames: 0,
            found: Observed::default(),
            aside: BTreeMap::new(),
            settings,
        }
    }

    /// The same without the fast path of its judge: see [`Judge::without_fast_path`].
    #[must_use]
    pub fn without_fast_path(self) -> Self {
        Self { judge: self.judge.without_fast_path(), ..self }
    }

    /// Takes the next frame: its place in its capture, when the capture saw it, on which of its
    /// interfaces, and what.
    #[inline]
    pub fn push(&mut self, place: FrameId, time: Instant, interface: PortId, frame: Frame<'_>) {
        let number = place.0;
        self.frames += 1;
        if !frame.link.is_readable() {
            return self.set_aside(Aside::Why(Why::Link(frame.link)), number);
        }
        let interface = interface.0;
        let look = look::look(frame);
        let port = self.table.port(&look.ends);
        self.table.count(port, look.class);
        let first = self.kept - self.numbers.len() as u64 + 1;
        let place = self.kept + 1;
        let new = Candidate { bytes: frame.bytes, look: &look, interface, time, place };
        if let Some(copied) = self.copies.of(new, &self.capture, first)
            && let Some(aside) = self.copy(copied, port, look.class)
        {
            self.copy_seen(aside, look.ends.from.0);
            return self.set_aside(aside, number);
        }
        self.keep(time, port, frame, number);
        if look.class != Class::Other && look.whole {
            self.table.count_sum(port, look.class);
            if frame.original_len > frame.bytes.len() {
                self.cut_sum(port);
            }
        }
        let full = self.numbers.len() - self.judged >= self.settings.batch_frames
            || self.bytes >= self.settings.batch_bytes
            || self.table.facts.len() >= MOST_PORTS;
        if full {
            self.batch();
        }
    }

    /// Whether a repeated frame is a copy, and of which kind.
    fn copy(&self, copied: Copied, port: u16, class: Class) -> Option<Aside> {
        let entry = &self.table.entries[usize::from(port)];
        match copied {
            Copied::Interface if entry.firm && entry.joined => None,
            Copied::Interface => Some(Aside::CopyOnInterface),
            Copied::Hop => (!entry.firm).then_some(Aside::CopyBehindRouter),
            // A segment that is seen twice may be two; the reset of a host of which nothing is
            // known may be one that was seen twice.
            Copied::Again => {
                let known = matches!(entry.who, Who::Given(_));
                (class == Class::Reset && !known).then_some(Aside::CopyOrRepeat)
            }
        }
    }

    #[cold]
    fn copy_seen(&mut self, aside: Aside, station: Mac) {
        if aside == Aside::CopyBehindRouter {
            self.hosts.passed_on(station);
        }
    }

    /// The checksum of the last frame, which the capture cut, tells whether an interface fills in.
    #[cold]
    fn cut_sum(&mut self, port: u16) {
        let id = FrameId(self.numbers.len() as u32 - 1);
        let (layout, bytes) = HeaderLayout::of(&self.capture, id);
        if let Some(left) = offload::left(&layout, bytes) {
            let who = self.table.entries[usize::from(port)].who;
            self.hosts.unfilled(who, offload::is_reset(&layout, bytes), left);
        }
    }

    #[inline]
    fn keep(&mut self, time: Instant, port: u16, frame: Frame<'_>, number: u32) {
        while self.capture.interfaces().len() < self.table.facts.len() {
            let entry = &self.table.entries[self.capture.interfaces().len()];
            let (link, fcs_len) = (entry.ends.link, entry.ends.fcs_len);
            self.capture.add(Interface { name: String::new(), link, fcs_len });
        }
        let original = u32::try_from(frame.original_len).unwrap_or(u32::MAX);
        let id = self.capture.push_cut(time, PortId(port), frame.bytes, original);
        let record = self.capture.record_mut(id);
        record.deliveries = 1;
        if self.table.entries[usize::from(port)].scripted {
            record.deliberate = Deliberate::SEGMENT;
        }
        self.numbers.push(number);
        self.kept += 1;
        self.bytes += frame.bytes.len();
    }

    fn set_aside(&mut self, aside: Aside, number: u32) {
        let (first, count) = self.aside.entry(aside).or_insert((number, 0));
        *first = number.min(*first);
        *count += 1;
    }

    /// Judges what was not judged yet, and forgets what no later frame can answer.
    fn batch(&mut self) {
        self.look_at_batch();
        self.hosts.absorb(&mut self.table);
        let gone = self.numbers.len().saturating_sub(HORIZON);
        let mut report = Report::new();
        self.judge.forget(gone, &self.capture, &mut report);
        self.sort(report);
        self.slide(gone);
    }

    fn look_at_batch(&mut self) {
        let mut report = Report::new();
        let Self { judge, capture, table, judged, .. } = self;
        let entry = |port: usize| table.entries.get(port);
        let joined = |port| entry(port).is_some_and(|entry| entry.joined);
        let scripted = |port| entry(port).is_some_and(|entry| entry.scripted);
        let facts = &table.facts;
        let chosen = judge.go_on(capture, facts, *judged, joined, scripted, &mut report);
        self.judged = self.numbers.len();
        for id in chosen {
            self.set_aside(Aside::Scripted, self.numbers[id.index()]);
        }
        self.sort(report);
    }

    /// Moves the frames that are still needed to the front.
    fn slide(&mut self, gone: usize) {
        let mut next = mem::take(&mut self.spare);
        let anew = self.table.facts.len() >= MOST_PORTS / 2;
        if anew {
            next = Capture::new();
            self.table.clear();
        } else {
            next.clear();
        }
        let old = mem::replace(&mut self.capture, next);
        let numbers = mem::take(&mut self.numbers);
        self.bytes = 0;
        let kept = self.kept;
        let mut ports = Vec::new();
        for (id, record, _) in old.iter().skip(gone) {
            let frame = old.captured(id);
            let port = match anew {
                true => self.table.port(&look::look(frame).ends),
                false => record.port.0,
            };
            ports.push(port);
            self.keep(record.time, port, frame, numbers[id.index()]);
        }
        self.kept = kept;
        self.judged = self.numbers.len();
        self.bytes = 0;
        if anew {
            self.judge.moved(&ports, &self.table.facts);
        }
        self.spare = old;
    }

    /// Gives findings the numbers of the whole capture, and takes out those that the way in which
    /// it was taken explains.
    fn sort(&mut self, report: Report) {
        for unjudged in report.unjudged() {
            let number = self.numbers[unjudged.frame.index()];
            let (first, count) = self.aside.entry(Aside::Why(unjudged.why)).or_insert((number, 0));
            *first = number.min(*first);
            *count += unjudged.count;
        }
        for mut finding in report.findings {
            let whole = |id: FrameId| FrameId(self.numbers[id.index()]);
            let place = finding.place();
            finding.frame = finding.frame.map(whole);
            finding.trigger = finding.trigger.map(whole);
            let Some(place) = place else { continue };
            let who = self.table.entries[usize::from(self.capture.record(place).port.0)].who;
            let given = matches!(who, Who::Given(_));
            let (layout, bytes) = HeaderLayout::of(&self.capture, place);
            if let Some(left) = left_to_fill(&finding, &layout, bytes) {
                self.hosts.unfilled(who, offload::is_reset(&layout, bytes), left);
            }
            match explained(&finding, given, &layout, bytes) {
                Some(Explained::Aside(aside)) => self.set_aside(aside, self.numbers[place.index()]),
                Some(Explained::PerHost) => self.hosts.hold_back(who, finding),
                None => self.found.add(finding),
            }
        }
    }

    /// Judges what is left, and gives what was found.
    #[must_use]
    pub fn finish(mut self) -> Observed {
        self.look_at_batch();
        self.hosts.absorb(&mut self.table);
        let mut report = Report::new();
        self.judge.forget(self.numbers.len(), &self.capture, &mut report);
        self.sort(report);
        let (held, unfilled) = self.hosts.settle(&self.settings.given);
        for finding in held {
            self.found.add(finding);
        }
        let mut found = self.found;
        found.findings.sort_by_key(|finding| (finding.place(), finding.frame.is_none()));
        found.unjudged = self
            .aside
            .into_iter()
            .map(|(why, (first, count))| Unjudged { why, first: FrameId(first), count, host: None })
            .chain(unfilled)
            .collect();
        self.hosts.tell(&self.settings.given, &mut found);
        found.frames = self.frames;
        found
    }
}

impl Observed {
    fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.check.id).or_insert(0);
        *count += 1;
        if *count <= MOST_FINDINGS as u64 {
            self.findings.push(finding);
        }
    }
}

/// How the taking of a capture explains a finding.
enum Explained {
    /// By the frame alone.
    Aside(Aside),
    /// If nearly all frames of its host show the same.
    PerHost,
}

/// What stands in the place of the checksum that a finding is about, where that may be left to an
/// interface.
#[cold]
fn left_to_fill(finding: &Finding, layout: &HeaderLayout, bytes: &[u8]) -> Option<Left> {
    match finding.check.id {
        "tcp-checksum" | "udp-checksum" => offload::left(layout, bytes),
        "ip4-checksum" => offload::is_header_unfilled(layout, bytes).then_some(Left::Zero),
        _ => None,
    }
}

#[cold]
fn explained(
    finding: &Finding,
    given: bool,
    layout: &HeaderLayout,
    bytes: &[u8],
) -> Option<Explained> {
    match finding.check.id {
        "tcp-checksum" | "udp-checksum" if offload::is_unfilled(layout, bytes) => {
            Some(match offload::is_joined(bytes) {
                true => Explained::Aside(Aside::Joined),
                false => Explained::PerHost,
            })
        }
        "ip4-checksum" if offload::is_header_unfilled(layout, bytes) => Some(Explained::PerHost),
        "ip4-lengths" if offload::is_length_left_out(layout, bytes) => {
            Some(Explained::Aside(Aside::Joined))
        }
        "ip-source-group" => {
            let (src, dst) = layout.addresses(bytes);
            let both = is_loopback(src) && is_loopback(dst);
            both.then_some(Explained::Aside(Aside::Loopback))
        }
        "vlan-reply" if !given => Some(Explained::Aside(Aside::Tags)),
        _ => None,
    }
}
