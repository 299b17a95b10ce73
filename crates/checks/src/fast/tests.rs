//! Judging with and without the fast path: what it lets pass, the checks themselves find nothing
//! in, and the resets that follow are judged the same.

use proptest::prelude::*;
use wire::checksum::{internet_checksum, tcp_ip4};
use wire::{Capture, Instant, PortId, PortSet};

use super::*;
use crate::{Judge, Report};

/// A segment between two of three hosts, and what is done to it.
#[derive(Clone, Debug)]
struct Sent {
    port: u16,
    cause: Option<u8>,
    deliberate: u8,
    deliveries: u8,
    altered: bool,
    /// Answers its cause as RFC 9293 3.10.7.1 has it, where there is one.
    answers: bool,
    /// Source and destination, as the hosts' numbers, and the destination's station.
    ends: (u8, u8, u8),
    ports: (u16, u16),
    numbers: (u32, u32),
    flags: u16,
    payload: Vec<u8>,
    /// Bytes of the frame that are changed, before the sums are made or after.
    changes: Vec<(usize, u8, bool)>,
    padding: usize,
    /// The VLAN of its tag.
    vlan: Option<u8>,
}

fn host(number: u8) -> [u8; 4] {
    [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3], [10, 0, 0, 255], [224, 0, 0, 9]]
        [usize::from(number % 5)]
}

fn mac(number: u8) -> [u8; 6] {
    [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 3], [0xff; 6]][usize::from(number % 4)]
}

fn sent() -> impl Strategy<Value = Sent> {
    let rare = |most: u8| prop_oneof![8 => Just(0u8), 1 => 0..most];
    let facts = (0u16..3, prop::option::of(any::<u8>()), rare(3), 0u8..3, rare(2), rare(2));
    let some = |most: u8| prop_oneof![8 => Just(None), 1 => (0..most).prop_map(Some)];
    let own = (some(5), some(5), some(4), some(3));
    let flags =
        prop_oneof![Just(0x02u16), Just(0x10), Just(0x12), Just(0x04), Just(0x14), 0u16..0x200];
    let tcp = (0u16..3, 79u16..82, 0u32..4, 0u32..4, flags);
    let change = (0usize..64, any::<u8>(), any::<bool>());
    let changes = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(change, 1..3)];
    let rest = (prop::collection::vec(any::<u8>(), 0..30), changes, rare(9));
    (facts, own, tcp, rest).prop_map(|(facts, own, tcp, (payload, changes, padding))| {
        let (port, cause, deliberate, deliveries, altered, stray) = facts;
        let (from, to, seq, ack, flags) = tcp;
        let there = [1, 0, 0][usize::from(port)];
        Sent {
            port,
            cause,
            deliberate,
            deliveries,
            altered: altered > 0,
            answers: stray == 0,
            ends: (own.0.unwrap_or(port as u8), own.1.unwrap_or(there), own.2.unwrap_or(there)),
            ports: (from, to),
            numbers: (seq, ack),
            flags,
            payload,
            changes,
            padding: padding.into(),
            vlan: own.3,
        }
    })
}

impl Sent {
    /// The reset that the frame asks for, by its bytes.
    fn answer(&mut self, asked: &[u8]) {
        let untagged = if asked.get(12) == Some(&0x81) { &asked[4..] } else { asked };
        let asked = untagged;
        if asked.len() < 54 {
            return;
        }
        let at = |n: usize| be32(asked, n);
        self.ports = (at(34) as u16, (at(34) >> 16) as u16);
        self.payload.clear();
        let flags = be16(asked, 46);
        if flags & ACK == 0 {
            let length = asked.len() as u32 - 54 + u32::from(flags & 1) + u32::from(flags >> 1 & 1);
            (self.flags, self.numbers) = (RST | ACK, (0, at(38).wrapping_add(length)));
        } else {
            (self.flags, self.numbers) = (RST, (at(42), 0));
        }
    }

    fn frame(&self) -> Vec<u8> {
        let (src, dst, station) = self.ends;
        let total = (40 + self.payload.len() as u16).to_be_bytes();
        let mut frame = [&mac(station)[..], &mac(self.port as u8), &[8, 0, 0x45, 0]].concat();
        frame.extend([total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([host(src), host(dst)].as_flattened());
        frame.extend([self.ports.0.to_be_bytes(), self.ports.1.to_be_bytes()].as_flattened());
        frame.extend([self.numbers.0.to_be_bytes(), self.numbers.1.to_be_bytes()].as_flattened());
        frame.extend((0x5000 | self.flags).to_be_bytes());
        frame.extend([2, 0, 0, 0, 0, 0]);
        frame.extend(&self.payload);
        self.change(&mut frame, true);
        let header = internet_checksum(&frame[14..34]);
        frame[24..26].copy_from_slice(&header.to_be_bytes());
        let sum = tcp_ip4(array(&frame, 26), array(&frame, 30), &frame[34..]);
        frame[50..52].copy_from_slice(&sum.to_be_bytes());
        self.change(&mut frame, false);
        frame.resize(frame.len() + self.padding, 0);
        if let Some(vlan) = self.vlan {
            frame.splice(12..12, [0x81, 0, 0, vlan]);
        }
        frame
    }

    fn change(&self, frame: &mut [u8], before: bool) {
        for (at, byte, when) in &self.changes {
            if *when == before && *at < frame.len() && !(before && matches!(at, 24 | 25 | 50 | 51))
            {
                frame[*at] = *byte;
            }
        }
    }
}

/// Three hosts, of which the first is on a link with the second; the third hears nobody. With
/// `joined`, the third is another port of the first; the second has so many addresses of its own,
/// or, with none, that of the first.
fn hosts(answers: [Answers; 3], joined: bool, own: usize) -> Vec<PortFacts> {
    let facts = answers.into_iter().zip(0u8..).map(|(answers, n)| {
        let mut addresses = vec![host(n).into()];
        if n == 1 && own != 1 {
            addresses = [host(1).into(), host(2).into()][..own].to_vec();
            addresses.extend((own == 0).then(|| std::net::IpAddr::from(host(0))));
        }
        let node = if joined && n == 2 { 0 } else { u16::from(n) };
        let peer = [Some(PortId(1)), Some(PortId(0)), None][usize::from(n)];
        PortFacts { node, mac: Mac(mac(n)), addresses, broadcasts: Vec::new(), peer, answers }
    });
    facts.collect()
}

fn answers() -> impl Strategy<Value = Answers> {
    prop_oneof![
        1 => Just(Answers::Unknown),
        1 => Just(Answers::Never),
        1 => Just(Answers::ClosedPorts(PortSet::none())),
        3 => Just(Answers::ClosedPorts(PortSet::all())),
        1 => Just(Answers::ClosedPorts(PortSet::one(80))),
        1 => Just(Answers::ClosedPorts("1,80".parse().expect("ports"))),
        1 => Just(Answers::Forwards { rejects: PortSet::one(80), may_reject: PortSet::none() }),
    ]
}

fn record(capture: &mut Capture, mut one: Sent) {
    let len = capture.len();
    let cause = one.cause.filter(|_| len > 0).map(|at| FrameId(u32::from(at) % len as u32));
    if let Some(id) = cause
        && one.answers
    {
        one.answer(capture.frame(id));
    }
    let id = capture.push(Instant::ZERO, PortId(one.port), &one.frame());
    let record = capture.record_mut(id);
    record.cause = cause.map_or(Cause::Unknown, Cause::Frame);
    record.deliveries = one.deliveries;
    record.altered = one.altered;
    record.deliberate = [Deliberate::NOTHING, Deliberate::SEGMENT, Deliberate::EVERYTHING]
        [usize::from(one.deliberate)];
}

/// What is found, with and without the fast path.
fn both(capture: &Capture, ports: &[PortFacts]) -> [Report; 2] {
    [false, true].map(|general_only| {
        let judge = Judge::new();
        let mut judge = if general_only { judge.without_fast_path() } else { judge };
        let mut report = Report::new();
        judge.judge(capture, ports, &mut report);
        report
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_paths_find_the_same(
        frames in prop::collection::vec(sent(), 1..14),
        answers in [answers(), answers(), answers()],
        joined in prop::bool::weighted(0.1),
        addresses in prop_oneof![8 => Just(1), 1 => Just(2), 2 => Just(0)],
    ) {
        let ports = hosts(answers, joined, addresses);
        let mut capture = Capture::new();
        frames.into_iter().for_each(|one| record(&mut capture, one));
        let [fast, general] = both(&capture, &ports);
        prop_assert_eq!(fast, general);
    }
}

/// Without this the comparison above could compare one path with itself.
#[test]
fn a_segment_and_its_reset_take_the_fast_path() {
    let facts =
        hosts([Answers::Never, Answers::ClosedPorts(PortSet::all()), Answers::Unknown], false, 1);
    let stations: Vec<_> = facts.iter().map(|facts| Station::of(facts, false)).collect();
    let ask = ask();
    let reset = Sent { port: 1, cause: Some(0), answers: true, ends: (1, 0, 0), ..ask.clone() };
    let mut capture = Capture::new();
    record(&mut capture, ask);
    record(&mut capture, reset);
    let mut segments = Segments::default();
    segments.begin(2);
    for (_, record, bytes) in capture.iter() {
        assert!(passes(&stations, &mut segments, &capture, record, bytes));
    }
    assert_eq!(segments.unanswered(segments.len()).count(), 0);
}

/// A segment of the first host's to the second.
fn ask() -> Sent {
    Sent {
        port: 0,
        cause: None,
        deliberate: 0,
        deliveries: 1,
        altered: false,
        answers: false,
        ends: (0, 1, 1),
        ports: (4000, 80),
        numbers: (7, 9),
        flags: 0x01,
        payload: vec![1, 2, 3],
        changes: Vec::new(),
        padding: 0,
        vlan: None,
    }
}

/// Chance seldom makes these two.
#[test]
fn rare_frames_are_judged_alike() {
    let answers = || [Answers::Never, Answers::ClosedPorts(PortSet::all()), Answers::Unknown];
    // In a group-addressed frame, and answered all the same.
    let mut capture = Capture::new();
    record(&mut capture, Sent { ends: (0, 1, 3), ..ask() });
    let reset = Sent { port: 1, cause: Some(0), answers: true, ends: (1, 0, 0), ..ask() };
    record(&mut capture, reset);
    let [fast, general] = both(&capture, &hosts(answers(), false, 1));
    assert_eq!(fast, general);
    assert_eq!(fast.findings[0].check.id, "rst-on-link-broadcast");
    // From a host with the receiver's own address, which need not be answered.
    let mut capture = Capture::new();
    record(&mut capture, Sent { ends: (0, 0, 1), ..ask() });
    let [fast, general] = both(&capture, &hosts(answers(), false, 0));
    assert_eq!(fast, general);
    assert!(fast.findings.is_empty());
}
