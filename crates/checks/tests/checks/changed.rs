//! Every run that the other tests judge, with one thing in it changed: a byte of a frame, its
//! length, its order, what the wire knows of it. What is found then stands in `changed.txt`, a line
//! a test: how many changes, how many without a finding, how often each check bites, and a hash
//! over who is blamed for what. The table is no proof that the verdicts are right; the tests that
//! it is made from are. It shows that no verdict near them changes unnoticed.
//!
//! Written anew by `WIREPROOF_WRITE_DOCS=1 cargo test -p wireproof-checks changed`. Read the lines
//! that differ: a check that bites more or less often than it did needs a reason.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use wire::{
    Capture, Cause, Deliberate, FrameId, Interface, LinkType, Mac, PortId, PortSet, Record,
};

use crate::bites::{Case, cases};
use crate::checks::{Answers, Judge, PortFacts, Report};
use crate::support::{Judged, Run, checksum, judged_by};

const TABLE: &str = include_str!("changed.txt");

/// So many bytes of each frame are changed.
const HEAD: usize = 96;
/// Runs that have more frames than this are left as they are.
const MOST_FRAMES: usize = 12;
/// So many runs of each test are changed.
const MOST_RUNS: usize = 6;

macro_rules! tests {
    ($($room:ident: $($name:ident)+;)+) => {
        [$($((
            concat!(stringify!($room), "::", stringify!($name)),
            crate::$room::$name as fn(),
        )),+),+]
    };
}

/// A frame with what is known of it.
#[derive(Clone)]
struct Shown {
    bytes: Vec<u8>,
    len: u32,
    record: Record,
}

/// A run taken apart, so that each part of it can be another.
#[derive(Clone)]
struct Parts {
    interfaces: Vec<Interface>,
    frames: Vec<Shown>,
    ports: Vec<PortFacts>,
}

impl Parts {
    fn of(capture: &Capture, ports: &[PortFacts]) -> Self {
        let interface = |port: usize| {
            let port = PortId(port as u16);
            Interface { name: String::new(), link: capture.link(port), fcs_len: 0 }
        };
        let shown = |(id, record, bytes): (FrameId, &Record, &[u8])| Shown {
            bytes: bytes.to_vec(),
            len: capture.original_len(id) as u32,
            record: *record,
        };
        Self {
            interfaces: (0..capture.interfaces().len()).map(interface).collect(),
            frames: capture.iter().map(shown).collect(),
            ports: ports.to_vec(),
        }
    }

    fn judged(&self, judge: &mut Judge) -> Outcome {
        let mut capture = Capture::new();
        for interface in &self.interfaces {
            capture.add(interface.clone());
        }
        for shown in &self.frames {
            let was = &shown.record;
            let id = capture.push_cut(was.time, was.port, &shown.bytes, shown.len);
            let now = capture.record_mut(id);
            (now.cause, now.deliberate) = (was.cause, was.deliberate);
            (now.deliveries, now.altered) = (was.deliveries, was.altered);
        }
        let mut report = Report::new();
        judge.judge(&capture, &self.ports, &mut report);
        let mut told = String::new();
        for found in &report.findings {
            let (id, frame, trigger) = (found.check.id, found.frame, found.trigger);
            let _ = write!(told, "{id}{frame:?}{trigger:?}{}{};", found.expected, found.actual);
        }
        for one in report.unjudged() {
            let _ = write!(told, "{one};");
        }
        Outcome { ids: report.findings.iter().map(|found| found.check.id).collect(), told }
    }
}

pub(crate) struct Outcome {
    pub(crate) ids: Vec<&'static str>,
    pub(crate) told: String,
}

/// What a line of the table says.
#[derive(Default)]
pub(crate) struct Line {
    changes: usize,
    silent: usize,
    counts: BTreeMap<&'static str, usize>,
    hash: u64,
}

impl Line {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        self.changes += 1;
        self.silent += usize::from(outcome.ids.is_empty());
        for id in &outcome.ids {
            *self.counts.entry(id).or_default() += 1;
        }
        // FNV-1a, whose value is the same on every machine.
        for byte in outcome.told.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        let mut text = format!("{name}: {} changes, {} silent", self.changes, self.silent);
        for (id, count) in &self.counts {
            let _ = write!(text, ", {id} {count}");
        }
        let _ = writeln!(text, "; {:016x}", self.hash);
        text
    }
}

/// The frame with each byte of its head changed in two ways, the sums as they were and made anew,
/// and cut short behind each byte. The datagram begins at `ip`, or behind VLAN tags there.
pub(crate) fn others(frame: &[u8], ip: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..frame.len().min(HEAD) {
        let was = frame[at];
        let ways = [was ^ 1 << (at % 8), [0, 0xff, was ^ 0x80, was.wrapping_add(1)][at % 4]];
        for (way, byte) in (0..).zip(ways) {
            let mut other = frame.to_vec();
            other[at] = byte;
            all.push(if way == at % 2 && at % 3 == 0 { other } else { resummed(other, ip) });
        }
    }
    all.extend((0..frame.len().min(HEAD)).map(|length| frame[..length].to_vec()));
    all
}

/// The frame with right checksums, as far as its lengths say where they are.
fn resummed(mut frame: Vec<u8>, mut at: usize) -> Vec<u8> {
    while at > 1 && frame.get(at - 2..at) == Some(&[0x81, 0]) {
        at += 4;
    }
    let Some(ip) = frame.get(at..at + 20).map(<[u8]>::to_vec) else { return frame };
    let word = |at: usize| usize::from(u16::from_be_bytes([ip[at], ip[at + 1]]));
    match ip[0] >> 4 {
        4 => {
            let from = at + usize::from(ip[0] & 15) * 4;
            put_sum(&mut frame, at..from, 10, &[]);
            if word(6) & 0x3fff == 0 {
                put_upper(&mut frame, from..at + word(2), ip[9], &ip[12..20]);
            }
        }
        6 if frame.len() >= at + 40 => {
            let ends = frame[at + 8..at + 40].to_vec();
            put_upper(&mut frame, at + 40..at + 40 + word(4), ip[6], &ends);
        }
        _ => {}
    }
    frame
}

fn put_upper(frame: &mut [u8], part: Range<usize>, protocol: u8, ends: &[u8]) {
    let place = match protocol {
        1 | 58 => 2,
        6 => 16,
        17 => 6,
        _ => return,
    };
    let length = (part.len() as u32).to_be_bytes();
    let pseudo = [ends, &[0, protocol], &length].concat();
    put_sum(frame, part, place, if protocol == 1 { &[] } else { &pseudo });
}

fn put_sum(frame: &mut [u8], part: Range<usize>, place: usize, pseudo: &[u8]) {
    let Some(message) = frame.get_mut(part).filter(|message| message.len() >= place + 2) else {
        return;
    };
    message[place..place + 2].fill(0);
    let sum = checksum(&[pseudo, message]);
    message[place..place + 2].copy_from_slice(&sum);
}

/// What the scenario may have chosen.
const CHOSEN: [Deliberate; 10] = [
    Deliberate::NOTHING,
    Deliberate::LENGTHS,
    Deliberate::IP_CHECKSUM,
    Deliberate::TRANSPORT_CHECKSUM,
    Deliberate::RESERVED,
    Deliberate::SOURCE,
    Deliberate::SEGMENT,
    Deliberate::HOPS,
    Deliberate::TRAILER,
    Deliberate::EVERYTHING,
];

/// Hands over each run that differs from this one in one thing.
fn neighbours(parts: &Parts, mut judge: impl FnMut(&Parts)) {
    judge(parts);
    let mut other = parts.clone();
    for at in 0..parts.frames.len() {
        let mut with = |change: &dyn Fn(&mut Shown)| {
            change(&mut other.frames[at]);
            judge(&other);
            other.frames[at].clone_from(&parts.frames[at]);
        };
        let port = usize::from(parts.frames[at].record.port.0);
        let ip = if parts.interfaces[port].link == LinkType::Ethernet { 14 } else { 0 };
        for bytes in others(&parts.frames[at].bytes, ip) {
            with(&|shown| (shown.len, shown.bytes) = (bytes.len() as u32, bytes.clone()));
        }
        for kept in (0..parts.frames[at].bytes.len().min(HEAD)).step_by(3) {
            with(&|shown| shown.bytes.truncate(kept));
        }
        for chosen in CHOSEN {
            with(&|shown| shown.record.deliberate = chosen);
        }
        let before = FrameId(at.saturating_sub(1) as u32);
        for cause in [Cause::Unknown, Cause::Frame(FrameId(0)), Cause::Frame(before)] {
            with(&|shown| shown.record.cause = cause);
        }
        for deliveries in [0, 2] {
            with(&|shown| shown.record.deliveries = deliveries);
        }
        with(&|shown| shown.record.altered = true);
        let order = |change: &dyn Fn(&mut Vec<Shown>)| {
            let mut other = parts.clone();
            change(&mut other.frames);
            other
        };
        judge(&order(&|frames| drop(frames.remove(at))));
        judge(&order(&|frames| frames.insert(at, frames[at].clone())));
        judge(&order(&|frames| frames.swap(at, (at + 1) % parts.frames.len())));
    }
    for port in 0..parts.ports.len() {
        let mut with = |change: &dyn Fn(&mut PortFacts)| {
            change(&mut other.ports[port]);
            judge(&other);
            other.ports[port].clone_from(&parts.ports[port]);
        };
        let (none, one, all) = (PortSet::none(), PortSet::one(80), PortSet::all());
        for answers in [
            Answers::Unknown,
            Answers::Never,
            Answers::ClosedPorts(one.clone()),
            Answers::ClosedPorts(all.clone()),
            Answers::Forwards { rejects: one.clone(), may_reject: none.clone() },
            Answers::Forwards { rejects: none, may_reject: all },
        ] {
            with(&|facts| facts.answers = answers.clone());
        }
        with(&|facts| facts.mac = Mac::default());
        with(&|facts| facts.addresses.truncate(1));
        with(&|facts| facts.addresses.clear());
        with(&|facts| facts.broadcasts.clear());
        with(&|facts| facts.peer = None);
        with(&|facts| facts.node = 0);
    }
}

fn line(name: &str, runs: Judged) -> String {
    let (mut line, mut judge) = (Line::default(), Judge::new());
    let small = |(capture, ports): &&(Capture, Vec<PortFacts>)| {
        (1..=MOST_FRAMES).contains(&capture.len()) && ports.len() < 9
    };
    for (capture, ports) in runs.iter().filter(small).take(MOST_RUNS) {
        neighbours(&Parts::of(capture, ports), |other| {
            line.add(&other.judged(&mut judge));
        });
    }
    line.text(name)
}

#[test]
fn no_verdict_near_a_run_of_the_tests_changes_unnoticed() {
    let mut table = Table::new("changed.txt", TABLE);
    for (number, Case(id, _, right)) in cases().enumerate() {
        let Run { capture, ports } = right();
        table.holds(&line(&format!("case {number} of {id}"), vec![(capture, ports)]));
    }
    let tests: [(&str, fn()); _] = tests! {
        between:
            a_router_may_clamp_the_mss_and_take_options_out
            what_an_edit_breaks_is_found_once
            a_nat_translates_sources_destinations_and_ports
            answers_are_translated_back_and_later_segments_belong_to_the_flow
            a_datagram_may_change_its_ip_version
            a_group_that_a_nat_makes_the_source_is_still_found
            what_a_middlebox_sends_itself_is_judged_as_its_own
            a_reset_in_the_name_of_the_destination_is_held_against_its_segment
            a_host_with_one_port_passes_nothing_on
            a_wrong_sum_that_is_passed_on_as_it_came_is_its_senders
            the_quote_of_an_error_that_a_nat_passes_on_is_translated_too;
        borders:
            behind_a_routing_header_tcp_is_read_once_no_segment_is_left
            no_error_answers_a_group_addressed_frame_but_the_two_of_ip6
            a_router_is_shown_which_hops_it_may_pass_on;
        captured:
            a_reset_over_another_link_than_ethernet_is_held_against_its_trigger;
        fragments:
            fragments_that_overlap_are_not_judged
            an_identification_that_is_used_again_later_is_another_datagram
            what_stands_above_ip_and_is_not_known_is_reported;
        frames:
            what_was_made_wrong_on_purpose_is_passed_over
            a_forwarder_inherits_the_scenarios_choices_but_sums_the_header_itself
            a_datagram_that_was_changed_underway_is_passed_on_without_a_verdict;
        quotes:
            an_error_about_what_changed_underway_is_not_held_against_it
            an_error_about_a_datagram_in_fragments_may_quote_the_whole
            a_datagram_sent_again_is_not_what_an_older_error_quotes;
        resets:
            answers_are_told_apart_when_two_questions_are_underway
            a_stacks_own_connection_is_not_judged_by_the_rule_of_closed
            only_what_every_implementation_answers_is_missed
            a_reset_after_fragments_is_not_called_unprovoked
            a_forwarder_resets_for_the_destination_it_rejects
            a_reset_passed_on_is_not_the_forwarders
            the_cause_that_cannot_be_read_is_not_exchanged_for_another;
    };
    for (name, test) in tests {
        table.holds(&line(name, judged_by(test)));
    }
    table.ends();
}

/// A table that is held line by line, or written anew.
pub(crate) struct Table {
    name: &'static str,
    left: std::str::Lines<'static>,
    anew: Option<String>,
}

impl Table {
    pub(crate) fn new(name: &'static str, text: &'static str) -> Self {
        let anew = std::env::var_os("WIREPROOF_WRITE_DOCS").map(|_| String::new());
        Self { name, left: text.lines(), anew }
    }

    pub(crate) fn holds(&mut self, line: &str) {
        match &mut self.anew {
            Some(anew) => anew.push_str(line),
            None => assert_eq!(self.left.next(), Some(line.trim_end()), "{}", self.name),
        }
    }

    pub(crate) fn ends(mut self) {
        if let Some(anew) = self.anew {
            let path = format!("{}/tests/checks/{}", env!("CARGO_MANIFEST_DIR"), self.name);
            std::fs::write(path, anew).expect("a table that can be written");
        } else {
            assert_eq!(self.left.next(), None, "{} has a line too many", self.name);
        }
    }
}
