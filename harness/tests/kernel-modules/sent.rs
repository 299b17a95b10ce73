//! `skb_sender` against `skb-sender`: the same sends to both, the same frames and failures.

use libtest_mimic::Failed;
use testing::Stop;
use wireproof::link::{Command, Datum, Node};
use wireproof::nodes::skb_sender::STEPS;
use wireproof::wire::{Field, Form, Instant, Layer, Mac, Packet, Proto, Value};

use crate::bench::on_bench;
use crate::{drain, node, none, seed};

/// Sends in all, and in one script.
const MANY: usize = 2_000;
const BATCH: usize = 50;

struct Choices(u64);

impl Choices {
    fn next_number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.next_number().is_multiple_of(count)
    }

    fn value(&mut self, field: &Field) -> Value {
        let number = self.next_number();
        match field.form {
            Form::Mac => Value::Mac(Mac([2, 0, 0, 0, number as u8, (number >> 8) as u8])),
            Form::Ip4 => Value::Ip([10, 0, number as u8, (number >> 8) as u8].into()),
            _ => Value::Num(number & field.max().unwrap_or(0)),
        }
    }

    /// A send as a scenario may ask for it, and the step that is told to fail.
    fn send(&mut self) -> (Packet, Option<&'static str>) {
        let mut packet = Packet::new();
        for proto in [Proto::Eth, Proto::Ip4, Proto::Tcp] {
            let mut layer = Layer::new(proto);
            for field in proto.fields().iter().filter(|field| field.width > 0) {
                if self.one_in(4) {
                    layer.set.push((field, self.value(field)));
                }
            }
            // The order of what is given decides where names share bits.
            if self.one_in(2) {
                layer.set.reverse();
            }
            packet = packet.layer(layer);
        }
        if self.one_in(2) {
            let most = if self.one_in(4) { 80 } else { 19 };
            let length = (self.next_number() % most) as usize;
            let bytes: Vec<u8> = (0..length).map(|_| self.next_number() as u8).collect();
            packet = packet.payload(bytes);
        }
        let fail = self.one_in(8).then(|| STEPS[self.next_number() as usize % STEPS.len()]);
        (packet, fail)
    }
}

/// The line that asks the module for it. The node knows its peer; the module must be told.
fn line(packet: &Packet, fail: Option<&str>) -> String {
    let mut words = vec!["dev=eth0".to_owned()];
    for layer in &packet.layers {
        for (field, value) in &layer.set {
            let text = match value {
                Value::Num(number) => number.to_string(),
                Value::Mac(mac) => mac.to_string(),
                Value::Ip(ip) => ip.to_string(),
                Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            };
            match layer.proto {
                Proto::Payload => words.push(format!("payload={text}")),
                _ => words.push(format!("{}={text}", field.path())),
            }
        }
    }
    for (name, value) in
        [("eth.dst", "02:00:00:00:00:02"), ("ip4.src", "10.0.0.1"), ("ip4.dst", "10.0.0.2")]
    {
        if !words.iter().any(|word| word.starts_with(&format!("{name}="))) {
            words.push(format!("{name}={value}"));
        }
    }
    words.extend(fail.map(|step| format!("fail={step}")));
    words.join(" ")
}

/// What the node makes of it: a frame, or the step and the reason.
fn of_node(
    node: &mut dyn Node,
    packet: &Packet,
    fail: Option<&str>,
) -> Result<Result<Vec<u8>, String>, Failed> {
    if let Some(step) = fail {
        let args = [("step".to_owned(), Datum::Text(step.to_owned()))].into();
        node.handle_command(Instant::ZERO, &Command::Do { verb: "fail".into(), args })?;
    }
    let send = Command::Send { port: 0, packet: packet.clone() };
    node.handle_command(Instant::ZERO, &send)?;
    let (mut frames, events) = drain(node);
    match (frames.pop(), events.first().map(|event| event.fields.as_slice())) {
        (Some(frame), None) => Ok(Ok(frame)),
        (None, Some([(_, Datum::Text(step)), (_, Datum::Text(reason))])) => {
            Ok(Err(format!("{step}: {reason}")))
        }
        other => Err(format!("the node gives {other:?}").into()),
    }
}

/// What the module says of a send that failed.
fn failure(last: &str) -> Option<String> {
    let (step, rest) = last.strip_prefix("last failed ")?.split_once(' ')?;
    let (_, reason) = rest.split_once(' ')?;
    Some(format!("{step}: {reason}"))
}

pub(crate) fn random() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        let mut ours = node("skb-sender", 1, &[])?;
        let (mut choices, mut wrong, mut failures) = (Choices(seed() | 1), Vec::new(), 0);
        for _ in 0..MANY / BATCH {
            let sends: Vec<_> = (0..BATCH).map(|_| choices.send()).collect();
            let mut script = String::from("f=/proc/net/skb_sender\n");
            for (packet, fail) in &sends {
                let line = line(packet, *fail);
                script += &format!("echo '{line}' 2>/dev/null >$f; tail -n 1 $f\n");
            }
            let told = bench.run(&script)?;
            let told = told.lines().map(str::trim).filter(|line| line.starts_with("last "));
            let told: Vec<String> = told.map(str::to_owned).collect();
            if told.len() != BATCH {
                return Err(format!("{} of {BATCH} sends are told of", told.len()).into());
            }
            for ((packet, fail), last) in sends.iter().zip(&told) {
                let is = match failure(last) {
                    Some(failure) => Err(failure),
                    None => Ok(bench.frame()?),
                };
                let wanted = of_node(ours.as_mut(), packet, *fail)?;
                failures += usize::from(wanted.is_err());
                if is != wanted {
                    let line = line(packet, *fail);
                    wrong.push(format!("{line}\n  module {is:02x?}\n  node   {wanted:02x?}"));
                }
            }
        }
        none(&wrong, MANY)?;
        if !(MANY / 10..MANY / 2).contains(&failures) {
            return Err(format!("{failures} of {MANY} sends failed").into());
        }
        let names = ["sent", "freed", "leaked"];
        let of_node: Vec<(String, u64)> =
            ours.counters().into_iter().map(|(name, count)| (name.into_owned(), count)).collect();
        let of_module = bench.counters("skb_sender")?;
        for name in names {
            let count = |all: &[(String, u64)]| {
                all.iter().find(|(other, _)| other == name).map(|(_, count)| *count)
            };
            if count(&of_node) != count(&of_module) {
                return Err(format!("{of_node:?}, {of_module:?}").into());
            }
        }
        Ok(())
    })
}
