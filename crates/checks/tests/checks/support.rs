//! Frames by hand, byte by byte, and runs to plant them in. Shares no code with what is tested.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};

use crate::checks::{Answers, Finding, PortFacts, Report};
use wire::{Capture, Cause, Deliberate, FrameId, Instant, Mac, PortId, PortSet};

pub(crate) const FIN: u16 = 0x01;
pub(crate) const SYN: u16 = 0x02;
pub(crate) const RST: u16 = 0x04;
pub(crate) const ACK: u16 = 0x10;

/// The two hosts of every run: `A` asks, `B` answers.
pub(crate) const A_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const B_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const A4: [u8; 4] = [10, 0, 0, 1];
pub(crate) const B4: [u8; 4] = [10, 0, 0, 2];
/// All hosts of the subnet 10.0.0.0/26.
pub(crate) const BROADCAST: [u8; 4] = [10, 0, 0, 63];
pub(crate) const A6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(crate) const B6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
/// A host behind the router of a run with one.
pub(crate) const C_MAC: [u8; 6] = [2, 0, 0, 0, 0, 3];
pub(crate) const C4: [u8; 4] = [10, 0, 1, 3];

/// The checksum of RFC 1071 as it reads.
pub(crate) fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let all = parts.concat();
    let mut sum = 0u32;
    for pair in all.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// What is done to a finished frame.
pub(crate) fn patch(mut frame: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}

/// Makes the IPv4 header checksum of a frame right again, for headers of 20 bytes and more.
pub(crate) fn resum(frame: Vec<u8>) -> Vec<u8> {
    let end = 14 + usize::from(frame[14] & 15) * 4;
    let frame = patch(frame, 24, &[0, 0]);
    let sum = checksum(&[&frame[14..end]]);
    patch(frame, 24, &sum)
}

/// An Ethernet frame.
pub(crate) fn eth(dst: [u8; 6], src: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    [&dst[..], &src, &kind.to_be_bytes(), payload].concat()
}

/// The frame with a VLAN tag for each identifier, the first outermost.
pub(crate) fn tagged(mut frame: Vec<u8>, identifiers: &[u16]) -> Vec<u8> {
    for identifier in identifiers.iter().rev() {
        let [high, low] = identifier.to_be_bytes();
        frame.splice(12..12, [0x81, 0, high, low]);
    }
    frame
}

/// An IPv4 header with what it carries.
pub(crate) fn ip4(src: [u8; 4], dst: [u8; 4], ttl: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    let head = [0x45, 0, total[0], total[1], 0, 7, 0, 0, ttl, protocol];
    let sum = checksum(&[&head, &src, &dst]);
    [&head[..], &sum, &src, &dst, payload].concat()
}

/// An IPv6 header with what it carries.
pub(crate) fn ip6(src: [u8; 16], dst: [u8; 16], hops: u8, next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0, length[0], length[1], next, hops][..], &src, &dst, payload].concat()
}

/// A transport message with its checksum put in at `at`, behind any pseudo-header.
pub(crate) fn summed(src: &[u8], dst: &[u8], protocol: u8, message: Vec<u8>, at: usize) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    let sum = checksum(&[src, dst, &[0, protocol], &length, &message]);
    patch(message, at, &sum)
}

/// A TCP segment, addressed.
#[derive(Clone, Debug)]
pub(crate) struct Seg {
    pub from: ([u8; 6], [u8; 4], [u8; 16], u16),
    pub to: ([u8; 6], [u8; 4], [u8; 16], u16),
    pub seq: u32,
    pub ack: u32,
    pub flags: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
    pub ttl: u8,
    pub v6: bool,
}

impl Seg {
    /// From A:4000 to B:80.
    pub(crate) fn ask(flags: u16, seq: u32, ack: u32) -> Self {
        Self {
            from: (A_MAC, A4, A6, 4000),
            to: (B_MAC, B4, B6, 80),
            seq,
            ack,
            flags,
            options: Vec::new(),
            payload: Vec::new(),
            ttl: 64,
            v6: false,
        }
    }

    /// From B:80 to A:4000.
    pub(crate) fn answer(flags: u16, seq: u32, ack: u32) -> Self {
        let ask = Self::ask(flags, seq, ack);
        Self { from: ask.to, to: ask.from, ..ask }
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Self)) -> Self {
        let mut seg = self;
        change(&mut seg);
        seg
    }

    /// The TCP header and payload alone.
    pub(crate) fn segment(&self) -> Vec<u8> {
        let offset = (5 + self.options.len() as u16 / 4) << 12 | self.flags;
        let bytes = [
            &self.from.3.to_be_bytes()[..],
            &self.to.3.to_be_bytes(),
            &self.seq.to_be_bytes(),
            &self.ack.to_be_bytes(),
            &offset.to_be_bytes(),
            &[2, 0, 0, 0, 0, 0],
            &self.options,
            &self.payload,
        ]
        .concat();
        if self.v6 {
            summed(&self.from.2, &self.to.2, 6, bytes, 16)
        } else {
            summed(&self.from.1, &self.to.1, 6, bytes, 16)
        }
    }

    /// The whole frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let segment = self.segment();
        let (from, to) = (self.from, self.to);
        if self.v6 {
            eth(to.0, from.0, 0x86dd, &ip6(from.2, to.2, self.ttl, 6, &segment))
        } else {
            eth(to.0, from.0, 0x0800, &ip4(from.1, to.1, self.ttl, 6, &segment))
        }
    }
}

/// Captures, each with what is known of its ports.
pub(crate) type Judged = Vec<(Capture, Vec<PortFacts>)>;

thread_local! {
    static JUDGED: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

/// Every run that a test judges.
pub(crate) fn judged_by(test: fn()) -> Judged {
    JUDGED.set(Some(Vec::new()));
    test();
    JUDGED.take().unwrap_or_default()
}

/// A capture under construction, with what is known of its ports.
pub(crate) struct Run {
    pub capture: Capture,
    pub ports: Vec<PortFacts>,
}

fn facts(node: u16, mac: [u8; 6], ip4: [u8; 4], ip6: [u8; 16], peer: u16) -> PortFacts {
    PortFacts {
        node,
        mac: Mac(mac),
        addresses: vec![IpAddr::from(ip4), IpAddr::from(ip6)],
        broadcasts: vec![Ipv4Addr::from(BROADCAST)],
        peer: Some(PortId(peer)),
        answers: Answers::Unknown,
    }
}

impl Run {
    /// A (port 0, anything) and B (port 1) on one link.
    pub(crate) fn of(answers: Answers) -> Self {
        let ports =
            vec![facts(0, A_MAC, A4, A6, 1), PortFacts { answers, ..facts(1, B_MAC, B4, B6, 0) }];
        Self::with_ports(ports)
    }

    /// B has all TCP ports closed.
    pub(crate) fn closed() -> Self {
        Self::of(Answers::ClosedPorts(PortSet::all()))
    }

    /// A (port 0), a router with ports 1 and 2 that rejects port 80, and C (port 3) behind it.
    pub(crate) fn routed() -> Self {
        let forwards = Answers::Forwards { rejects: PortSet::one(80), may_reject: PortSet::none() };
        let other = [0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        Self::with_ports(vec![
            facts(0, A_MAC, A4, A6, 1),
            PortFacts { answers: forwards.clone(), ..facts(1, B_MAC, B4, B6, 0) },
            PortFacts {
                answers: forwards,
                ..facts(1, [2, 0, 0, 0, 0, 12], [10, 0, 1, 1], other, 3)
            },
            facts(2, C_MAC, C4, other, 2),
        ])
    }

    fn with_ports(ports: Vec<PortFacts>) -> Self {
        let mut capture = Capture::new();
        for index in 0..ports.len() {
            capture.add_interface(format!("node{index}:eth0"));
        }
        Self { capture, ports }
    }

    /// A frame that its node sent by itself, delivered once.
    pub(crate) fn frame(&mut self, port: u16, frame: &[u8]) -> FrameId {
        let time = Instant::from_nanos(self.capture.len() as u64 * 1000);
        let id = self.capture.push(time, PortId(port), frame);
        self.capture.record_mut(id).deliveries = 1;
        id
    }

    /// A frame that the scenario wrote, delivered once.
    pub(crate) fn script(&mut self, port: u16, frame: &[u8]) -> FrameId {
        let id = self.frame(port, frame);
        let record = self.capture.record_mut(id);
        record.deliberate = Deliberate::SEGMENT;
        record.cause = Cause::Command(0);
        id
    }

    /// A frame emitted while another was handled.
    pub(crate) fn caused(&mut self, port: u16, cause: FrameId, frame: &[u8]) -> FrameId {
        let id = self.frame(port, frame);
        self.capture.record_mut(id).cause = Cause::Frame(cause);
        id
    }

    /// A scripted question from A, then B's answer.
    pub(crate) fn exchange(mut self, ask: &Seg, answer: &Seg) -> Self {
        self.script(0, &ask.frame());
        self.frame(1, &answer.frame());
        self
    }

    /// Marks a frame.
    pub(crate) fn set(&mut self, id: FrameId, change: impl FnOnce(&mut wire::Record)) {
        change(self.capture.record_mut(id));
    }

    pub(crate) fn judge(&self) -> Vec<Finding> {
        self.report().findings
    }

    pub(crate) fn report(&self) -> Report {
        JUDGED.with_borrow_mut(|kept| {
            if let Some(kept) = kept {
                kept.push((self.capture.clone(), self.ports.clone()));
            }
        });
        crate::checks::judge(&self.capture, &self.ports)
    }

    /// The ids of the checks that bite.
    pub(crate) fn bites(&self) -> Vec<&'static str> {
        self.judge().iter().map(|finding| finding.check.id).collect()
    }
}

/// One frame that B sent by itself to A.
pub(crate) fn alone(frame: &[u8]) -> Run {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, frame);
    run
}

/// A UDP datagram from A, and B's error that its port is closed.
pub(crate) fn udp_to_closed() -> Run {
    let mut run = Run::of(Answers::Unknown);
    let message = vec![0x9c, 0x40, 0, 53, 0, 20, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9];
    let asked = ip4(A4, B4, 64, 17, &summed(&A4, &B4, 17, message, 6));
    run.script(0, &eth(B_MAC, A_MAC, 0x0800, &asked));
    let error = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &asked].concat();
    let sum = checksum(&[&error]);
    run.frame(1, &eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 1, &patch(error, 2, &sum))));
    run
}
