//! `rst_reply` against `reject`, profile `linux-2.6`.

use libtest_mimic::Failed;
use testing::Stop;
use wireproof::link::Node;
use wireproof::wire::{Instant, checksum, render};

use crate::bench::{Bench, on_bench};
use crate::trigger::Triggers;
use crate::{drain, node, none, seed};

/// Triggers of the random test.
const MANY: usize = 4_000;
/// Frames on the way to the guest at once.
const BATCH: usize = 50;

/// What both say to each frame, where it differs.
fn differences(
    bench: &mut Bench,
    ours: &mut dyn Node,
    triggers: &[(String, Vec<u8>)],
) -> Result<(Vec<String>, usize), Failed> {
    let (mut wrong, mut answers) = (Vec::new(), 0);
    for batch in triggers.chunks(BATCH) {
        let frames: Vec<Vec<u8>> = batch.iter().map(|(_, frame)| frame.clone()).collect();
        let theirs = bench.answers(2, &frames)?;
        for ((about, frame), theirs) in batch.iter().zip(theirs) {
            ours.handle_frame(Instant::ZERO, 0, frame);
            let (expected, _) = drain(ours);
            answers += theirs.len();
            if theirs != expected {
                let lines = |frames: &[Vec<u8>]| -> Vec<String> {
                    frames.iter().map(render::line).collect()
                };
                let (was, is) = (lines(&theirs), lines(&expected));
                let trigger = render::line(frame);
                wrong.push(format!("{about}: {trigger}\n  module {was:?}\n  node   {is:?}"));
            }
        }
    }
    Ok((wrong, answers))
}

pub(crate) fn random() -> Result<(), Stop> {
    on_bench(2, &["rst_reply"], |bench| {
        // The module knows IPv4 alone.
        let is_ip4 = |(_, frame): &(String, Vec<u8>)| frame[12..14] == [0x08, 0x00];
        let triggers: Vec<_> = Triggers::new(seed()).filter(is_ip4).take(MANY).collect();
        let mut ours = node("reject", 2, &[("profile", "linux-2.6")])?;
        let (wrong, answers) = differences(bench, ours.as_mut(), &triggers)?;
        // A module that never answers, or always, would be no witness.
        if !(MANY / 3..=MANY - MANY / 10).contains(&answers) {
            return Err(format!("{answers} answers to {MANY} triggers").into());
        }
        none(&wrong, MANY)?;
        let mut other = node("reject", 2, &[("profile", "linux")])?;
        let (told, _) = differences(bench, other.as_mut(), &triggers[..BATCH])?;
        if told.is_empty() {
            return Err("nothing differs from another profile".into());
        }
        Ok(())
    })
}

/// A SYN to port 80 with IPv4 options and a TOS, and a few bytes behind it.
fn trigger(options: &[u8], tos: u8) -> Vec<u8> {
    let (src, dst) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let mut tcp = vec![0x0f, 0xa0, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x5a, 0x02, 2, 0, 0, 0, 0, 0];
    tcp.extend([1, 2, 3]);
    let sum = checksum::tcp_ip4(src, dst, &tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let length = (20 + options.len() + tcp.len()) as u16;
    let mut ip = vec![0x45 + (options.len() / 4) as u8, tos];
    ip.extend(length.to_be_bytes());
    ip.extend([0, 1, 0, 0, 64, 6, 0, 0]);
    ip.extend(src.iter().chain(&dst).chain(options));
    let sum = checksum::internet_checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
    frame.extend(ip);
    frame.extend(tcp);
    frame
}

/// The same in two fragments, the first with eight bytes, each with a TOS of its own.
fn in_two(frame: &[u8], id: u8, tos: [u8; 2]) -> [Vec<u8>; 2] {
    let body = &frame[34..];
    let part = |bytes: &[u8], at: u8, more: u8, tos: u8| {
        let mut part = frame[..34].to_vec();
        part[15] = tos;
        part[16..18].copy_from_slice(&(20 + bytes.len() as u16).to_be_bytes());
        part[18..22].copy_from_slice(&[0, id, more, at]);
        part[24..26].fill(0);
        let sum = checksum::internet_checksum(&part[14..]);
        part[24..26].copy_from_slice(&sum.to_be_bytes());
        part.extend(bytes);
        part
    };
    [part(&body[..8], 0, 0x20, tos[0]), part(&body[8..], 1, 0, tos[1])]
}

/// Triggers, each with whether today's kernel lets the module be as the node.
pub(crate) fn table() -> Result<(), Stop> {
    let option = |bytes: &[u8]| vec![trigger(bytes, 0)];
    let plain = trigger(&[], 0);
    let rows = [
        ("no option", option(&[]), true),
        ("TOS with ECN", vec![trigger(&[], 0xff)], true),
        ("NOPs", vec![trigger(&[1; 8], 0x10)], true),
        ("router alert", option(&[148, 4, 0, 0]), true),
        ("unknown option", option(&[30, 4, 7, 7]), true),
        ("source route", option(&[131, 7, 4, 10, 0, 0, 9, 0]), true),
        ("end of options", option(&[1, 0, 0, 0]), true),
        ("full record route", option(&[7, 7, 8, 10, 0, 0, 9, 0]), true),
        ("two fragments", in_two(&plain, 1, [0, 0]).to_vec(), true),
        ("the later first", in_two(&plain, 2, [0x10, 0]).into_iter().rev().collect(), true),
        // The IPv4 layer answers this with an ICMP error, which is not the work of either.
        ("malformed option", option(&[30, 9, 7, 7]), false),
        // The IPv4 layer writes into these on the way in, and the module answers what it gets.
        ("record route with room", option(&[7, 7, 4, 0, 0, 0, 0, 0]), false),
        ("bytes behind the end", option(&[0, 9, 9, 9]), false),
        ("timestamp overflow", option(&[68, 4, 5, 0]), false),
        // RFC 3168 5.3: congestion that one fragment met is noted on the whole.
        ("a mark on a fragment", in_two(&plain, 3, [2, 3]).to_vec(), false),
    ];
    on_bench(2, &["rst_reply"], |bench| {
        let mut ours = node("reject", 2, &[("profile", "linux-2.6")])?;
        let mut wrong = Vec::new();
        for (name, frames, same) in &rows {
            let row: Vec<_> =
                frames.iter().map(|frame| ((*name).to_owned(), frame.clone())).collect();
            let (differ, _) = differences(bench, ours.as_mut(), &row)?;
            match (differ.is_empty(), same) {
                (true, false) => wrong.push(format!("{name}: they are the same")),
                (false, true) => wrong.extend(differ),
                _ => {}
            }
        }
        none(&wrong, rows.len())
    })
}
