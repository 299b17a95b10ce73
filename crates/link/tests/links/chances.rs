//! Loss, corruption, duplication and reordering: when they strike, and what they do.

use wireproof_link::{Chance, LinkChange, LinkConfig, LinkEvent, LossReason};

use crate::{A, LINK, arrivals, at_us, emit, mishaps, numbered, numbers, pair, us, volley};

fn losing(loss: Chance) -> LinkConfig {
    LinkConfig { loss, ..LinkConfig::default() }
}

#[test]
fn chances_strike_the_ordinals_that_they_name() {
    let cases = [
        (Chance::Never, &[1, 2, 3, 4, 5, 6][..]),
        (Chance::Always, &[]),
        (Chance::Nth(vec![5, 1, 0]), &[2, 3, 4, 6]),
        (Chance::Every(3), &[1, 2, 4, 5]),
        (Chance::Every(1), &[]),
        (Chance::Every(0), &[1, 2, 3, 4, 5, 6]),
        (Chance::Rate(0), &[1, 2, 3, 4, 5, 6]),
        (Chance::Rate(1_000_000), &[]),
    ];
    for (loss, arrive) in cases {
        let mut sim = pair(1, losing(loss.clone()));
        volley(&mut sim, 6);
        assert_eq!(numbers(&mut sim), arrive, "{loss:?}");
        assert!(
            mishaps(&sim).iter().all(|m| m.1 == LinkEvent::Lost(LossReason::Impairment("loss")))
        );
        assert_eq!(sim.losses().len(), 6 - arrive.len());
    }
}

#[test]
fn ordinals_begin_again_when_a_chance_is_set_and_only_then() {
    let mut sim = pair(1, losing(Chance::Nth(vec![3])));
    volley(&mut sim, 2);
    let delay = LinkChange { delay: Some(us(1)), ..LinkChange::default() };
    sim.change_link(LINK, None, &delay).unwrap();
    emit(&mut sim, A, &[&numbered(3), &numbered(4)]);
    let again = LinkChange { loss: Some(Chance::Nth(vec![2])), ..LinkChange::default() };
    sim.change_link(LINK, None, &again).unwrap();
    emit(&mut sim, A, &[&numbered(5), &numbered(6), &numbered(7)]);
    assert_eq!(numbers(&mut sim), [1, 2, 4, 5, 7]);
}

#[test]
fn a_duplicate_comes_right_behind_and_is_counted() {
    let duplicate = Chance::Nth(vec![1]);
    let mut sim = pair(1, LinkConfig { duplicate, delay: us(9), ..LinkConfig::default() });
    volley(&mut sim, 2);
    assert_eq!(numbers(&mut sim), [1, 1, 2]);
    assert!(sim.events().iter().all(|seen| seen.time == at_us(9)));
    assert_eq!(mishaps(&sim), [(0, LinkEvent::Duplicated)]);
    let deliveries: Vec<u8> = sim.capture().iter().map(|(_, r, _)| r.deliveries).collect();
    assert_eq!(deliveries, [2, 1]);
}

#[test]
fn corruption_flips_the_noted_bit_of_the_copy_and_not_of_the_capture() {
    for seed in 0..50 {
        let corrupt = Chance::Nth(vec![2]);
        let mut sim = pair(seed, LinkConfig { corrupt, ..LinkConfig::default() });
        volley(&mut sim, 3);
        let arrived = arrivals(&mut sim);
        let [(1, LinkEvent::Corrupted { offset, bit })] = mishaps(&sim)[..] else {
            panic!("{:?}", mishaps(&sim));
        };
        let mut expected = numbered(2);
        expected[offset as usize] ^= 1 << bit;
        assert_eq!(arrived[1].1, expected);
        assert_eq!((&arrived[0].1, &arrived[2].1), (&numbered(1), &numbered(3)));
        let altered: Vec<_> =
            sim.capture().iter().map(|(_, r, f)| (r.altered, r.deliveries, f[59])).collect();
        assert_eq!(altered, [(false, 1, 1), (true, 1, 2), (false, 1, 3)]);
    }
}

#[test]
fn the_copy_of_a_corrupted_frame_is_as_emitted_and_an_empty_frame_stays() {
    let config =
        LinkConfig { corrupt: Chance::Always, duplicate: Chance::Always, ..LinkConfig::default() };
    let mut sim = pair(1, config);
    emit(&mut sim, A, &[&numbered(1), &[]]);
    let arrived: Vec<_> = arrivals(&mut sim).into_iter().map(|(_, frame)| frame).collect();
    assert_ne!(arrived[0], numbered(1));
    assert_eq!(arrived[1..], [numbered(1), vec![], vec![]]);
}

#[test]
fn a_held_back_frame_is_overtaken_by_what_arrives_before_it() {
    let config = LinkConfig {
        delay: us(100),
        reorder: Chance::Nth(vec![1]),
        reorder_delay: Some(us(30)),
        ..LinkConfig::default()
    };
    // At 30 the second is due with the first, and was scheduled after it.
    for (second_at, order) in [(29, [2, 1]), (30, [1, 2])] {
        let mut sim = pair(1, config.clone());
        volley(&mut sim, 1);
        sim.run_until(at_us(second_at)).unwrap();
        emit(&mut sim, A, &[&numbered(2)]);
        assert_eq!(numbers(&mut sim), order, "second at {second_at}");
        assert_eq!(mishaps(&sim), [(0, LinkEvent::Reordered(us(30)))]);
        let first = sim.events().iter().map(|seen| seen.time).max();
        assert_eq!(first, Some(at_us(130)));
    }
}

#[test]
fn without_a_time_a_frame_is_held_back_by_delay_jitter_and_a_millisecond() {
    let config = LinkConfig { delay: us(100), reorder: Chance::Always, ..LinkConfig::default() };
    assert_eq!(config.held_back(), us(1100));
    assert_eq!(LinkConfig { jitter: us(20), ..config.clone() }.held_back(), us(1120));
    let mut sim = pair(1, config);
    volley(&mut sim, 1);
    assert_eq!(arrivals(&mut sim)[0].0, at_us(1200));
}
