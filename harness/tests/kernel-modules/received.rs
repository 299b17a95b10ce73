//! `md5_receiver` against `md5-receiver`: what each makes of frames near the custom packet.

use testing::Stop;
use wireproof::link::{Datum, Event};
use wireproof::wire::{Instant, checksum, render};

use crate::bench::{golden, on_bench};
use crate::{drain, node, none, seed};

/// Frames in all, and between two readings of the events: the module keeps 256.
const MANY: usize = 6_000;
const BATCH: usize = 100;

/// Random frames near the golden one, each with a source port of its own.
struct Near {
    state: u64,
    whole: Vec<u8>,
}

impl Near {
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8) as usize % end
    }

    /// Changes one thing; the checksums are made right before or after.
    fn change(&mut self, frame: &mut Vec<u8>) {
        match self.below(8) {
            0 => {
                let length = frame.len();
                frame.truncate(self.below(length + 1));
            }
            1 => {
                let more = self.below(20);
                frame.resize(frame.len() + more, 0xee);
            }
            2 if frame.len() > 20 => {
                let more = self.below(6) as u8;
                frame[17] = frame[17].wrapping_add(more).wrapping_sub(3);
            }
            3 if frame.len() > 50 => {
                let words = self.below(11);
                options(frame, words);
            }
            4 if frame.len() > 48 => {
                let bit = self.below(16);
                frame[46 + bit / 8] ^= 0x80 >> (bit % 8);
            }
            _ if !frame.is_empty() => {
                // Mostly in the headers, where a bit decides.
                let reach = if self.below(4) == 0 { frame.len() } else { frame.len().min(54) };
                let (at, bit) = (self.below(reach), self.below(8));
                frame[at] ^= 1 << bit;
            }
            _ => {}
        }
    }

    fn frame(&mut self, number: usize) -> Vec<u8> {
        let mut frame = self.whole.clone();
        frame[34..36].copy_from_slice(&(number as u16).to_be_bytes());
        if self.below(6) == 0 {
            let words = self.below(5);
            options(&mut frame, words);
        }
        let early = self.below(2) == 0;
        if early {
            sums(&mut frame);
        }
        for _ in 0..self.below(3) {
            self.change(&mut frame);
        }
        if !early {
            sums(&mut frame);
        }
        frame
    }
}

/// Makes room for so many words of options, NOPs, behind the TCP header.
fn options(frame: &mut Vec<u8>, words: usize) {
    if frame.len() < 54 {
        return;
    }
    frame.splice(54..54, vec![1; words * 4]);
    frame[46] = frame[46] & 0x0f | ((5 + words) << 4) as u8;
    let total = (frame.len() - 14) as u16;
    frame[16..18].copy_from_slice(&total.to_be_bytes());
}

/// Both checksums, by the lengths that the headers claim, where the bytes are there.
fn sums(frame: &mut [u8]) {
    if frame.len() < 54 {
        return;
    }
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
    if let Some(segment) = frame.get_mut(34..14 + total).filter(|segment| segment.len() >= 20) {
        segment[16..18].fill(0);
        let sum = checksum::tcp_ip4(ends[0], ends[1], segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
    }
    frame[24..26].fill(0);
    let sum = checksum::internet_checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
}

/// An event of the node as the module writes it, up to what only the module tells.
fn line(event: &Event) -> String {
    let fields = event.fields.iter().map(|(name, value)| {
        let text = match value {
            Datum::Num(number) => number.to_string(),
            Datum::Text(text) => text.clone(),
            Datum::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            other => format!("{other:?}"),
        };
        format!("{name}={text}")
    });
    fields.fold(event.kind.to_string(), |line, field| format!("{line} {field}"))
}

pub(crate) fn random() -> Result<(), Stop> {
    on_bench(2, &["md5_receiver", "rst_reply"], |bench| {
        // What is passed on is dropped behind the receiver: no answer of the stack is of interest.
        bench.run("echo ports=none >/proc/net/rst_reply; echo 4 >/proc/sys/kernel/printk")?;
        let mut ours = node("md5-receiver", 2, &[])?;
        let whole = golden("custom/fin-md5")?.remove(0);
        let mut near = Near { state: seed() | 1, whole };
        let (mut wrong, mut kinds) = (Vec::new(), std::collections::BTreeMap::new());
        for batch in 0..MANY / BATCH {
            let numbers = batch * BATCH..(batch + 1) * BATCH;
            let mut frames: Vec<Vec<u8>> = numbers.map(|number| near.frame(number)).collect();
            // No link carries less than an Ethernet header.
            frames.retain(|frame| frame.len() >= 14);
            bench.answers(2, &frames)?;
            let told = bench.run("cat /proc/net/md5_receiver_events")?;
            let mut told = told.lines().map(str::trim);
            for frame in &frames {
                ours.handle_frame(Instant::ZERO, 0, frame);
                let Some(event) = drain(ours.as_mut()).1.pop() else {
                    *kinds.entry("passed".to_owned()).or_insert(0) += 1;
                    continue;
                };
                let wanted = line(&event);
                let short = wanted.split_once(" bytes").map_or(wanted.as_str(), |(kind, _)| kind);
                *kinds.entry(short.to_owned()).or_insert(0) += 1;
                let sport = u16::from_be_bytes([frame[34], frame[35]]);
                let is = told.next().unwrap_or("nothing");
                if !(is.starts_with(&wanted) && is.contains(&format!(" sport={sport} "))) {
                    let frame = render::line(frame);
                    wrong.push(format!("{frame}\n  module {is}\n  node   {wanted} ({sport})"));
                }
            }
            wrong.extend(told.map(|line| format!("an event too many: {line}")));
        }
        none(&wrong, MANY)?;
        // Every verdict was met often enough to have been tried.
        let seldom = kinds.len() != 5 || kinds.values().any(|count| *count < 40);
        if seldom {
            return Err(format!("verdicts {kinds:?}").into());
        }
        Ok(())
    })
}
