//! The hosts that a capture shows: how much each emitted, what it seems to be and why, and whether
//! its checksums were left to a network interface.

use std::collections::BTreeMap;
use std::fmt;

use wire::{FrameId, Mac};

use super::aside::{Aside, Unjudged};
use super::look::{CLASSES, Class, address};
use super::offload::Left;
use super::table::{Table, Who};
use super::{Given, Observed, Part};
use crate::check::{Answers, Finding};

/// How many hosts, and how many routers, there is room for.
const MOST: usize = 1 << 16;

/// How many findings of a host are held back until it is known what they are.
const MOST_HELD: usize = 64;

/// A host and what it is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its addresses, or its station where it has none.
    pub name: String,
    /// How many frames it emitted.
    pub frames: u64,
    /// What it is taken for.
    pub guess: Guess,
}

/// What a host is taken for, and by what. None of it but [`Guess::Given`] makes a rule apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// As was given, in words.
    Given(&'static str),
    /// It accepts connections: so many SYN,ACK.
    Accepts(u64),
    /// It opens connections: so many SYN.
    Opens(u64),
    /// All TCP of it is resets: so many.
    Resets(u64),
    /// It sends in connections whose beginning was not seen: so many segments.
    Connected(u64),
    /// It emits, and no TCP.
    NoTcp,
    /// It was addressed, and nothing of it was seen.
    Silent,
}

impl fmt::Display for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(what) => write!(f, "{what}, as given"),
            Self::Accepts(n) => write!(f, "a TCP host: it accepts connections ({n} SYN,ACK)"),
            Self::Opens(n) => write!(f, "a TCP host: it opens connections ({n} SYN)"),
            Self::Resets(n) => write!(f, "closed ports: all TCP of it is resets ({n})"),
            Self::Connected(n) => {
                let s = if *n == 1 { "" } else { "s" };
                write!(f, "a TCP host: in connections that began before ({n} segment{s})")
            }
            Self::NoTcp => write!(f, "no TCP of it was seen"),
            Self::Silent => write!(f, "silent: nothing of it was seen"),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Tally {
    classes: [u64; CLASSES],
    /// How many frames show a checksum: of segments and datagrams, and of resets.
    summed: [u64; 2],
    /// How many of these checksums may be left to an interface, by the same token.
    unfilled: [u64; 2],
    /// One of them is zero, which may as well be wrong.
    zero: bool,
    /// Findings that may be an interface's work: how many, the first, and some of them.
    findings: u64,
    first: Option<FrameId>,
    held: Vec<Finding>,
}

/// Every host so far.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    tallies: BTreeMap<Who, Tally>,
    routers: BTreeMap<Mac, u64>,
    full: bool,
}

impl Hosts {
    /// Takes over what the ports counted.
    pub(super) fn absorb(&mut self, table: &mut Table) {
        for entry in &mut table.entries {
            let Some(tally) = self.of(entry.who) else { continue };
            for (sum, count) in tally.classes.iter_mut().zip(&mut entry.tally) {
                *sum += u64::from(std::mem::take(count));
            }
            for (sum, count) in tally.summed.iter_mut().zip(&mut entry.summed) {
                *sum += u64::from(std::mem::take(count));
            }
        }
    }

    fn of(&mut self, who: Who) -> Option<&mut Tally> {
        if self.tallies.len() >= MOST && !self.tallies.contains_key(&who) {
            self.full = true;
            return None;
        }
        Some(self.tallies.entry(who).or_default())
    }

    /// A datagram came by this station for the second time.
    pub(super) fn passed_on(&mut self, station: Mac) {
        if self.routers.len() < MOST || self.routers.contains_key(&station) {
            *self.routers.entry(station).or_default() += 1;
        }
    }

    /// A frame of the host has a checksum that may be left to an interface.
    pub(super) fn unfilled(&mut self, who: Who, reset: bool, left: Left) {
        let Some(tally) = self.of(who) else { return };
        tally.unfilled[usize::from(reset)] += 1;
        tally.zero |= left == Left::Zero;
    }

    /// Keeps a finding that is none if nearly all frames of the host show the same.
    pub(super) fn hold_back(&mut self, who: Who, finding: Finding) {
        let Some(tally) = self.of(who) else { return };
        tally.findings += 1;
        tally.first = tally.first.or(finding.frame);
        if tally.held.len() < MOST_HELD {
            tally.held.push(finding);
        }
    }

    /// Decides what was held back: findings, or checksums that an interface fills in.
    pub(super) fn settle(&mut self, given: &[Given]) -> (Vec<Finding>, Vec<Unjudged>) {
        let (mut findings, mut unfilled) = (Vec::new(), Vec::new());
        for (who, tally) in &mut self.tallies {
            let held = std::mem::take(&mut tally.held);
            let (Some(first), 1..) = (tally.first, tally.findings) else { continue };
            if tally.is_offloaded() {
                let host = Some(name(*who, given));
                let (why, count) = (Aside::Unfilled, tally.findings);
                unfilled.push(Unjudged { why, first, count, host });
            } else {
                findings.extend(held);
            }
        }
        (findings, unfilled)
    }

    /// Says who was seen.
    pub(super) fn tell(&self, given: &[Given], found: &mut Observed) {
        let host = |(who, tally): (&Who, &Tally)| Host {
            name: name(*who, given),
            frames: tally.classes.iter().sum(),
            guess: tally.guess(*who, given),
        };
        found.hosts = self.tallies.iter().map(host).collect();
        let seen = |index: &usize| self.tallies.contains_key(&Who::Given(*index as u16));
        found.absent = (0..given.len()).filter(|index| !seen(index)).collect();
        found.more_hosts = self.full;
        found.routers = self.routers.iter().map(|(mac, count)| (*mac, *count)).collect();
    }
}

impl Tally {
    fn of(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// Nearly all that it sent was left to an interface. A kernel fills in the sums of resets
    /// itself where they belong to no socket, so they may be the exception.
    fn is_offloaded(&self) -> bool {
        let ([sent, resets], [unfilled, unfilled_resets]) = (self.summed, self.unfilled);
        let nearly =
            |part: u64, all: u64| part * 5 >= all * 4 && (part >= 2 || (part == 1 && !self.zero));
        nearly(unfilled, sent) || nearly(unfilled + unfilled_resets, sent + resets)
    }

    fn guess(&self, who: Who, given: &[Given]) -> Guess {
        if let Who::Given(index) = who
            && let Some(given) = given.get(usize::from(index))
        {
            return Guess::Given(role(&given.part));
        }
        let [accepts, opens, resets, segments] =
            [Class::SynAck, Class::Syn, Class::Reset, Class::Segment].map(|class| self.of(class));
        match self.classes.iter().sum::<u64>() {
            0 => Guess::Silent,
            _ if accepts > 0 => Guess::Accepts(accepts),
            _ if opens > 0 => Guess::Opens(opens),
            _ if segments > 0 => Guess::Connected(segments),
            _ if resets > 0 => Guess::Resets(resets),
            _ => Guess::NoTcp,
        }
    }
}

/// The name of a role, as `--host` takes it.
fn role(part: &Part) -> &'static str {
    match part {
        Part::Scripted => "tester",
        Part::Judged(Answers::Unknown) => "host",
        Part::Judged(Answers::Never) => "silent",
        Part::Judged(Answers::ClosedPorts(_)) => "closed",
        Part::Judged(Answers::Forwards { .. }) => "router",
    }
}

fn name(who: Who, given: &[Given]) -> String {
    match who {
        Who::Ip(ip) => address(ip).to_string(),
        Who::Station(mac) => mac.to_string(),
        Who::Given(index) => {
            let Some(given) = given.get(usize::from(index)) else { return "a given host".into() };
            let mut names: Vec<String> = given.addresses.iter().map(ToString::to_string).collect();
            if names.is_empty() {
                names.extend(given.stations.iter().map(ToString::to_string));
            }
            names.join(" ")
        }
    }
}
