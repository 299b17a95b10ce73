//! Order and chance over whole runs: jitter, changed delays, seeds, and what does not disturb what.

use proptest::prelude::*;
use wire::{Capture, Instant};
use wireproof_link::{Chance, LinkChange, LinkConfig, Sim};

use crate::{A, B, LINK, arrivals, at_us, emit, numbered, numbers, pair, us, volley};

#[test]
fn jitter_stays_within_its_bounds_and_reaches_both() {
    let mut late = Vec::new();
    for seed in 0..200 {
        let config = LinkConfig { delay: us(10), jitter: us(0), ..LinkConfig::default() };
        let jitter = std::time::Duration::from_nanos(3);
        let mut sim = pair(seed, LinkConfig { jitter, ..config });
        volley(&mut sim, 1);
        late.push(arrivals(&mut sim)[0].0.since(at_us(10)).as_nanos());
    }
    late.sort_unstable();
    late.dedup();
    assert_eq!(late, [0, 1, 2, 3]);
}

#[test]
fn a_shorter_delay_lets_nothing_overtake() {
    let mut sim = pair(1, LinkConfig { delay: us(100), ..LinkConfig::default() });
    volley(&mut sim, 1);
    let change = LinkChange { delay: Some(us(1)), ..LinkChange::default() };
    sim.change_link(LINK, None, &change).unwrap();
    emit(&mut sim, A, &[&numbered(2)]);
    assert_eq!(arrivals(&mut sim), [(at_us(100), numbered(1)), (at_us(100), numbered(2))]);
}

fn impaired(loss: u32) -> LinkConfig {
    LinkConfig {
        delay: us(50),
        jitter: us(40),
        rate_bps: Some(100_000_000),
        loss: Chance::Rate(loss),
        duplicate: Chance::Rate(100_000),
        reorder: Chance::Rate(100_000),
        corrupt: Chance::Rate(100_000),
        ..LinkConfig::default()
    }
}

/// A run of both directions, as text: everything that a driver can see of it.
fn played(seed: u64, config: LinkConfig, volleys: &[(u8, u64)]) -> String {
    let mut sim = pair(seed, config);
    let mut now = Instant::ZERO;
    for &(count, pause) in volleys {
        volley(&mut sim, count);
        emit(&mut sim, B, &[&numbered(count)]);
        now += us(pause);
        sim.run_until(now).unwrap();
    }
    sim.run_until_idle().unwrap();
    let frames = |capture: &Capture| format!("{:?}", capture.iter().collect::<Vec<_>>());
    format!("{}\n{:?}\n{:?}", frames(sim.capture()), sim.losses(), sim.events())
}

/// The numbers of the frames from `a` that did not arrive.
fn lost(sim: &Sim) -> Vec<u8> {
    let of_a = sim.capture().iter().filter(|(_, record, _)| record.port.0 == 0);
    of_a.filter(|(_, record, _)| record.deliveries == 0).map(|(_, _, frame)| frame[59]).collect()
}

#[test]
fn another_seed_loses_other_frames() {
    let volleys = [(60, 10)];
    assert_ne!(played(1, impaired(300_000), &volleys), played(2, impaired(300_000), &volleys));
}

#[test]
fn jitter_and_another_link_do_not_change_what_is_lost() {
    let losing = LinkConfig { loss: Chance::Rate(300_000), ..LinkConfig::default() };
    let mut plain = pair(5, losing.clone());
    let mut other = pair(5, LinkConfig { jitter: us(7), duplicate: Chance::Rate(1), ..losing });
    let c = other.add_node("c", Box::<crate::Probe>::default(), &["l".into(), "r".into()]);
    other.connect((c, 0), (c, 1), impaired(500_000)).unwrap();
    emit(&mut other, c, &[&[7; 60], &[8; 60]]);
    for sim in [&mut plain, &mut other] {
        volley(sim, 100);
        sim.run_until_idle().unwrap();
    }
    assert_eq!(lost(&plain), lost(&other));
    assert!((15..45).contains(&lost(&plain).len()), "{:?}", lost(&plain));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_seed_and_inputs_give_the_same_run(
        seed: u64,
        loss in 0_u32..1_000_000,
        volleys in prop::collection::vec((1_u8..20, 0_u64..200), 1..6),
    ) {
        let run = || played(seed, impaired(loss), &volleys);
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn jitter_never_reorders(
        seed: u64,
        jitter in 0_u64..500,
        pauses in prop::collection::vec(0_u64..100, 1..40),
    ) {
        let mut sim = pair(seed, LinkConfig { jitter: us(jitter), ..LinkConfig::default() });
        let mut now = Instant::ZERO;
        for (number, pause) in (1..).zip(&pauses) {
            emit(&mut sim, A, &[&numbered(number)]);
            now += us(*pause);
            sim.run_until(now).unwrap();
        }
        let count = pauses.len() as u8;
        prop_assert_eq!(numbers(&mut sim), (1..=count).collect::<Vec<u8>>());
    }
}
