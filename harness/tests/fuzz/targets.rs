//! What is fuzzed: one function a target, from any bytes to a promise that holds for all of them.
//! `fuzz/` drives them with libFuzzer; the test beside this file replays their corpora on stable.
//!
//! Each target reads its input with [`Input`], so that every byte counts and an execution stays
//! short: a fuzzer that waits finds nothing.

use std::cell::RefCell;

use wireproof::checks::{Answers, PortFacts, Report};
use wireproof::link::{Address, Node, Peer, PortConfig};
use wireproof::nodes::{NodeConfig, Registry};
use wireproof::wire::field::Form;
use wireproof::wire::{
    Capture, Cause, Defaults, Deliberate, Frame, FrameId, Instant, Layer, LinkType, Mac, Packet,
    PortId, PortSet, Proto, Value,
};
use wireproof::{checks, link, scenario, wire};

/// A target: its name and what it does with its input.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target, by name.
pub(crate) const TARGETS: &[Target] = &[
    ("builder", builder),
    ("capture", capture),
    ("diff", diff),
    ("expression", expression),
    ("inject", inject),
    ("judge", judge),
    ("nodes", nodes),
    ("options", options),
    ("scenario", scenario),
    ("view", view),
];

/// Bytes that are taken from the front; where none are left, zeros.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// The next frame: two bytes of length, then the frame.
    fn frame(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let length = usize::from(self.word());
        Some(self.take(length))
    }
}

/// A scenario file is read, written, planned and run within small limits. What is written reads as
/// the same scenario, and written again it is the same text.
pub(crate) fn scenario(data: &[u8]) {
    let Ok(read) = scenario::parse(data) else { return };
    let text = String::from_utf8_lossy(data);
    let made = scenario::write(&read, None);
    for new in [&scenario::write(&read, Some(&text)), &made] {
        let again = scenario::parse(new.as_bytes()).expect("what is written can be read");
        assert_eq!(scenario::write(&again, None), made, "it means the same");
        assert_eq!(scenario::write(&again, Some(new)), *new, "it is a fixed point");
    }
    REGISTRY.with(|registry| {
        let Ok(mut plan) = wireproof::plan::plan(&read, &text, registry, &[]) else { return };
        plan.limits.frames = plan.limits.frames.min(200);
        plan.limits.steps = plan.limits.steps.min(2_000);
        plan.limits.queue = plan.limits.queue.min(200);
        let Ok(run) = wireproof::run::rehearse(&plan) else { return };
        assert!(run.transcript.capture.len() <= 201, "the limit of frames holds");
    });
}

/// An expression, and a quantity with a unit.
pub(crate) fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = scenario::duration(text);
    let Ok(read) = scenario::Expr::parse(text) else { return };
    let bindings = read.names().map(|name| (name.to_owned(), u64::MAX)).collect();
    for width in [1, 16, 32, 64] {
        let value = read.eval(&bindings, width).expect("every name is bound");
        assert!(width == 64 || value >> width == 0, "{value} in {width} bits");
    }
}

/// A capture file; what was read is written and read again.
pub(crate) fn capture(data: &[u8]) {
    let (file, _) = wire::pcapng::read_so_far(data);
    let read = &file.capture;
    let ethernet = read.iter().all(|(_, record, _)| read.link(record.port) == LinkType::Ethernet);
    let mut again = Vec::new();
    if !ethernet || wire::pcapng::write(read, &file.comments, &mut again).is_err() {
        return;
    }
    let again = wire::pcapng::read(&again).expect("what was written can be read");
    assert_eq!(again.capture.len(), read.len());
    for (id, record, frame) in read.iter() {
        assert_eq!(again.capture.frame(id), frame);
        assert_eq!(again.capture.record(id).time, record.time);
    }
}

/// A frame of any link type, cut or whole, in every rendering.
pub(crate) fn view(data: &[u8]) {
    let mut input = Input(data);
    let numbers = [1, 0, 9, 50, 101, 105, 108, 113, 127, 228, 229, 276, 147];
    let link = LinkType::from_number(numbers[usize::from(input.byte()) % numbers.len()]);
    let cut = usize::from(input.byte());
    let frame = Frame { bytes: input.0, link, original_len: input.0.len() + cut, fcs_len: cut & 4 };
    let view = wire::view::lax(frame);
    for layer in view.layers() {
        // Where the capture cut a frame, a layer ends behind the bytes that are there.
        assert!(layer.start <= layer.end && layer.end <= frame.original_len, "{layer:?}");
        let _ = view.checksum(layer);
    }
    let _ = view.fields().count();
    let line = wire::render::line(frame);
    assert!(!line.contains('\n'), "one line: {line}");
    assert!(wire::render::tree(frame).len() < 4_000 + frame.bytes.len() * 400);
    let _ = wire::view::strict(frame);
}

/// Two frames, field by field.
pub(crate) fn diff(data: &[u8]) {
    let mut input = Input(data);
    let Some(first) = input.frame() else { return };
    let second = input.0;
    let found = wire::diff::diff(first, second);
    assert_eq!(found.is_empty(), first == second, "equal frames and only they have no difference");
    for difference in found {
        let _ = difference.to_string();
    }
}

/// TCP options, decoded and encoded again.
pub(crate) fn options(data: &[u8]) {
    let data = &data[..data.len().min(40)];
    let decoded = wire::options::decode(data);
    let _ = wire::options::text(&decoded);
    let encoded = wire::options::encode(&decoded).expect("decoded options fit");
    assert_eq!(encoded, data, "every byte is kept");
}

/// A packet of any layers with any fields.
pub(crate) fn builder(data: &[u8]) {
    let mut input = Input(data);
    let protos = [
        Proto::Eth,
        Proto::Vlan,
        Proto::Arp,
        Proto::Ip4,
        Proto::Ip6,
        Proto::HopByHop,
        Proto::Routing,
        Proto::Fragment,
        Proto::DestOpts,
        Proto::Tcp,
        Proto::Udp,
        Proto::Icmp4,
        Proto::Icmp6,
    ];
    let mut packet = Packet::new();
    for _ in 0..input.byte() % 8 {
        let proto = protos[usize::from(input.byte()) % protos.len()];
        let mut layer = Layer::new(proto);
        for _ in 0..input.byte() % 4 {
            let fields = proto.fields();
            let field = fields[usize::from(input.byte()) % fields.len()];
            let value = match field.form {
                Form::Bytes => {
                    let length = usize::from(input.byte());
                    Value::Bytes(input.take(length).to_vec())
                }
                _ => Value::Num(u64::from(input.word())),
            };
            let _ = layer.set(field, value);
        }
        packet = packet.layer(layer);
    }
    let shape = input.byte();
    packet.fragment = (shape & 1 != 0).then(|| input.word() % 200);
    packet.pad = (shape & 2 != 0).then(|| usize::from(input.byte()));
    packet.truncate = (shape & 4 != 0).then(|| usize::from(input.byte()));
    packet = packet.payload(input.take(64).to_vec());
    let _ = packet.deliberate();
    for frame in wire::build(&packet, &port(0).defaults()).unwrap_or_default() {
        let _ = wire::view::lax(&frame);
    }
    let _ = wire::build(&packet, &Defaults::default());
}

/// A port with addresses of both families, whose peer is the port of the other number.
fn port(number: u8) -> PortConfig {
    let mac = |number| Mac([2, 0, 0, 0, 0, number + 1]);
    let addresses = |number: u8| {
        let four = Address { ip: [10, 0, 0, number + 1].into(), prefix: 24 };
        let six =
            Address { ip: [0xfd00, 0, 0, 0, 0, 0, 0, u16::from(number) + 1].into(), prefix: 64 };
        vec![four, six]
    };
    let peer = Peer { mac: mac(1 - number), addresses: addresses(1 - number) };
    PortConfig {
        name: format!("eth{number}"),
        mac: mac(number),
        addresses: addresses(number),
        peer: Some(peer),
        mtu: None,
    }
}

thread_local! {
    /// Kinds and judge are made once: an execution is about frames.
    static REGISTRY: Registry = Registry::standard();
    static JUDGE: RefCell<checks::Judge> = RefCell::new(checks::Judge::new());
}

/// A node of one of the kinds that take any frame, with an option.
fn node(choice: u8) -> Option<Box<dyn Node>> {
    let (kind, options): (&str, &[(&str, &str)]) = match choice % 8 {
        0 => ("reject", &[]),
        1 => ("reject", &[("profile", "linux-2.6")]),
        2 => ("reject", &[("arp", "true"), ("nd", "true")]),
        3 => ("firewall", &[]),
        4 => ("firewall", &[("reject", "80")]),
        5 => ("md5-receiver", &[]),
        6 => ("md5-receiver", &[("behind", "reject")]),
        _ => ("sink", &[]),
    };
    let ports = if kind == "firewall" { vec![port(0), port(1)] } else { vec![port(1)] };
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), link::Datum::Text((*value).to_owned())));
    let config = NodeConfig { name: kind.to_owned(), ports, options: options.collect() };
    REGISTRY.with(|registry| registry.build(kind, &config)).ok()
}

/// Frames into a node, with time passing between them.
pub(crate) fn nodes(data: &[u8]) {
    let mut input = Input(data);
    let Some(mut node) = node(input.byte()) else { return };
    let mut emitted = Capture::new();
    let mut now = Instant::ZERO;
    while let Some(frame) = input.frame() {
        now = Instant::from_nanos(now.as_nanos() + (u64::from(input.byte()) << 28));
        feed(node.as_mut(), now, 0, frame, &mut emitted);
    }
    let _ = node.counters();
}

/// One frame in and what comes out for it, which is never much.
fn feed(node: &mut dyn Node, now: Instant, at: u16, frame: &[u8], emitted: &mut Capture) {
    let before = emitted.len();
    if node.poll_timeout().is_some_and(|due| due <= now) {
        node.handle_timeout(now);
    }
    drain(node, now, emitted);
    node.handle_frame(now, at, frame);
    drain(node, now, emitted);
    assert!(emitted.len() - before <= 64, "{} frames for one", emitted.len() - before);
}

fn drain(node: &mut dyn Node, now: Instant, emitted: &mut Capture) {
    while let Some(out) = node.poll_transmit(now) {
        emitted.push(now, PortId(1), out.frame);
    }
    while node.poll_event(now).is_some() {}
}

/// Frames of two ports before the checks, with any causes, deliveries and facts.
pub(crate) fn judge(data: &[u8]) {
    let mut input = Input(data);
    let ports = facts(input.byte());
    let mut capture = Capture::new();
    let links = [1, 1, 1, 101, 228, 276];
    for name in ["a:eth0", "b:eth0"] {
        let link = LinkType::from_number(links[usize::from(input.byte()) % links.len()]);
        capture.add(wire::capture::Interface { name: name.to_owned(), link, fcs_len: 0 });
    }
    while let Some(frame) = input.frame() {
        let about = input.byte();
        let cause = match about >> 2 & 3 {
            0 => Cause::Unknown,
            1 => Cause::Command(0),
            2 => Cause::Timeout,
            _ => Cause::Frame(FrameId(u32::from(input.byte()))),
        };
        let deliberate = if about & 0x10 != 0 { Deliberate::SEGMENT } else { Deliberate::NOTHING };
        let time = Instant::from_nanos(capture.len() as u64 * 1_000);
        let id = capture.push_caused(time, PortId(u16::from(about & 1)), cause, deliberate, frame);
        let record = capture.record_mut(id);
        record.deliveries = about >> 5;
        record.altered = about & 2 != 0;
    }
    let mut first = Report::default();
    JUDGE.with_borrow_mut(|judge| judge.judge(&capture, &ports, &mut first));
    let mut second = Report::default();
    checks::Judge::new().judge(&capture, &ports, &mut second);
    assert_eq!(first, second, "a judge that was used before finds the same");
}

fn facts(choice: u8) -> Vec<PortFacts> {
    let answers = |choice: u8| match choice & 3 {
        0 => Answers::Unknown,
        1 => Answers::Never,
        _ => Answers::ClosedPorts(PortSet::all()),
    };
    if choice & 0x80 != 0 {
        return Vec::new();
    }
    (0..2u8)
        .map(|number| {
            let port = port(number);
            PortFacts {
                node: u16::from(number),
                mac: port.mac,
                addresses: port.addresses.iter().map(|address| address.ip).collect(),
                broadcasts: vec![[10, 0, 0, 255].into()],
                peer: Some(PortId(u16::from(1 - number))),
                answers: answers(choice >> (2 * number)),
            }
        })
        .collect()
}

/// The one rule that the node breaks, since the kernel does whose behaviour it has: a segment to
/// the host's address is answered although the frame around it is for a group.
const KNOWN: &str = "rst-on-link-broadcast";

/// A capture into a node that resets, and its answers before the checks: no answer breaks a rule.
pub(crate) fn inject(data: &[u8]) {
    let mut input = Input(data);
    // Not profile 2.6, which echoes what it is sent and breaks rules on purpose.
    let Some(mut node) = node(input.byte() % 2 * 2) else { return };
    let mut capture = Capture::new();
    for name in ["a:eth0", "b:eth0"] {
        capture.add_interface(name);
    }
    while let Some(frame) = input.frame() {
        let now = Instant::from_nanos(capture.len() as u64 * 1_000);
        let trigger =
            capture.push_caused(now, PortId(0), Cause::Command(0), Deliberate::EVERYTHING, frame);
        capture.record_mut(trigger).deliveries = 1;
        let mut emitted = Capture::new();
        feed(node.as_mut(), now, 0, frame, &mut emitted);
        for (_, _, frame) in emitted.iter() {
            let cause = Cause::Frame(trigger);
            capture.push_caused(now, PortId(1), cause, Deliberate::NOTHING, frame);
        }
    }
    let mut report = Report::default();
    JUDGE.with_borrow_mut(|judge| judge.judge(&capture, &facts(0b1001), &mut report));
    let its_own = |frame: FrameId| capture.record(frame).port == PortId(1);
    let broken = report
        .findings
        .iter()
        .filter(|finding| finding.check.id != KNOWN)
        .find(|finding| finding.frame.is_some_and(its_own));
    assert!(broken.is_none(), "the node breaks a rule: {broken:?}");
}
