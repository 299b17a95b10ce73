//! The whole folder with and without the fast paths of the checks and of `reject`: the captures
//! are the same, and so is what is found in them, in random changes of them, and in both as
//! captures from elsewhere.

use std::path::Path;

use checks::observed::{Observed, Observer, Settings};
use checks::{Judge, PortFacts, Report};
use wire::Capture;

use super::Walk;
use crate::catalog::Root;
use crate::judge::facts;
use crate::plan::Plan;
use nodes::Home;

/// How many changed captures each scenario's is made into.
const CHANGED: usize = 12;

/// Marsaglia's xorshift: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// The plans of the folder that run on the simulated wire, by id.
fn plans(walk: &Walk) -> Vec<(String, Plan)> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder");
    let items = Root::at(project).and_then(|root| root.items()).expect("scenarios");
    let plans = items.into_iter().filter_map(|item| {
        let plan = walk.plan(&item).unwrap_or_else(|_| panic!("{} cannot be planned", item.id));
        let elsewhere = plan.nodes.iter().any(|node| node.home != Home::InProcess);
        (!elsewhere && !plan.not_on.contains_key("sim")).then_some((item.id, plan))
    });
    plans.collect()
}

/// The standard kinds, of which `reject` has no fast path.
fn general() -> Walk {
    let mut walk = Walk::standard();
    walk.registry.register(nodes::reject::kind_without_fast_path());
    walk
}

fn judged(judge: Judge, capture: &Capture, ports: &[PortFacts]) -> Report {
    let (mut judge, mut report) = (judge, Report::new());
    judge.judge(capture, ports, &mut report);
    report
}

fn observed(mut observer: Observer, capture: &Capture) -> Observed {
    for (id, record, _) in capture.iter() {
        observer.push(id, record.time, record.port, capture.captured(id));
    }
    observer.finish()
}

/// Both ways to judge find the same in the capture.
fn is_judged_alike(id: &str, capture: &Capture, ports: &[PortFacts]) {
    let fast = judged(Judge::new(), capture, ports);
    let general = judged(Judge::new().without_fast_path(), capture, ports);
    assert_eq!(fast, general, "{id}: what the checks find");
    let observer = || Observer::new(Settings { batch_frames: 16, ..Settings::default() });
    let fast = observed(observer(), capture);
    let general = observed(observer().without_fast_path(), capture);
    assert_eq!(fast, general, "{id}: what is found as in a capture from elsewhere");
}

/// The capture with some frames changed: a byte, or both checksums right again behind a change.
fn changed(capture: &Capture, rng: &mut Random) -> Capture {
    let mut other = Capture::new();
    for name in capture.interfaces() {
        other.add_interface(name.clone());
    }
    for (id, record, bytes) in capture.iter() {
        let mut bytes = bytes.to_vec();
        if !bytes.is_empty() && rng.below(3) == 0 {
            // Most in the headers of IP and TCP; a change of one bit is the hardest to see.
            let at = if rng.below(8) > 0 { 12 + rng.below(44) } else { rng.below(80) };
            let at = at % bytes.len();
            bytes[at] ^= 1 << rng.below(8);
            if bytes.len() >= 54 && rng.below(2) == 0 {
                sum_anew(&mut bytes);
            }
        }
        other.push(record.time, record.port, &bytes);
        let there = other.record_mut(id);
        there.cause = record.cause;
        there.deliberate = record.deliberate;
        there.deliveries = record.deliveries;
        there.altered = record.altered;
    }
    other
}

/// Both checksums at the places of plain TCP over IPv4.
fn sum_anew(frame: &mut [u8]) {
    let end = frame.len().min(14 + usize::from(u16::from_be_bytes([frame[16], frame[17]])));
    frame[24..26].fill(0);
    let header = wire::checksum::internet_checksum(&frame[14..34]).to_be_bytes();
    frame[24..26].copy_from_slice(&header);
    let (Ok(src), Ok(dst)) = (frame[26..30].try_into(), frame[30..34].try_into()) else { return };
    frame[50..52].fill(0);
    let sum = wire::checksum::tcp_ip4(src, dst, frame.get(34..end).unwrap_or(&[])).to_be_bytes();
    frame[50..52].copy_from_slice(&sum);
}

#[test]
fn the_whole_folder_is_the_same_without_fast_paths() {
    let (fast, general) = (Walk::standard(), general());
    let (plans, generals) = (plans(&fast), plans(&general));
    assert!(plans.len() > 250, "{} scenarios run here", plans.len());
    let mut rng = Random(0x9e37_79b9_7f4a_7c15);
    for ((id, plan), (_, general_plan)) in plans.iter().zip(&generals) {
        let transcript = |walk: &Walk, plan: &Plan| {
            walk.run(plan).unwrap_or_else(|error| panic!("{id}: {error:#}")).transcript
        };
        let (run, other) = (transcript(&fast, plan), transcript(&general, general_plan));
        assert!(run.capture.iter().eq(other.capture.iter()), "{id}: the captures differ");
        assert_eq!(run.seen, other.seen, "{id}: the events differ");
        let ports = facts::ports(plan, &run.capture);
        is_judged_alike(id, &run.capture, &ports);
        for _ in 0..CHANGED {
            is_judged_alike(id, &changed(&run.capture, &mut rng), &ports);
        }
    }
}
