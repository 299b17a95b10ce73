//! MTU, queue, rate, delay and going down: exact, one below and one above.

use wireproof_link::{Direction, LinkChange, LinkConfig, LinkEvent, LossReason, TopologyError};

use crate::{A, B, LINK, arrivals, at_us, emit, mishaps, numbered, numbers, pair, us, volley};

fn tagged(len: usize, tags: &[[u8; 2]]) -> Vec<u8> {
    let mut frame = vec![0; len];
    for (n, tag) in tags.iter().enumerate() {
        frame[12 + 4 * n..14 + 4 * n].copy_from_slice(tag);
    }
    frame
}

#[test]
fn delay_is_exact() {
    let mut sim = pair(1, LinkConfig { delay: us(250), ..LinkConfig::default() });
    volley(&mut sim, 1);
    assert_eq!(sim.next_event(), Some(at_us(250)));
    assert_eq!(arrivals(&mut sim), [(at_us(250), numbered(1))]);
}

#[test]
fn mtu_counts_what_follows_ethernet_and_vlan_tags() {
    let vlan = [0x81, 0x00];
    let service = [0x88, 0xa8];
    for (header, tags) in [(14, &[][..]), (18, &[vlan][..]), (22, &[service, vlan][..])] {
        let mut sim = pair(1, LinkConfig { mtu: Some(100), ..LinkConfig::default() });
        let fits = tagged(header + 100, tags);
        let longer = tagged(header + 101, tags);
        emit(&mut sim, A, &[&fits, &longer]);
        assert_eq!(arrivals(&mut sim), [(at_us(0), fits)]);
        let reason = LossReason::Mtu { length: 101, mtu: 100 };
        assert_eq!(mishaps(&sim), [(1, LinkEvent::Lost(reason))]);
    }
}

#[test]
fn an_mtu_of_nothing_lets_bare_and_cut_headers_pass() {
    let mut sim = pair(1, LinkConfig { mtu: Some(0), ..LinkConfig::default() });
    emit(&mut sim, A, &[&[], &[0; 14], &tagged(14, &[[0x81, 0x00]]), &[0; 15]]);
    assert_eq!(arrivals(&mut sim).len(), 3);
    assert_eq!(sim.losses()[0].frame.0, 3);
}

#[test]
fn a_rate_sends_one_frame_after_the_other() {
    // 60 bytes are 480 bits: 480 microseconds at 1 Mbit/s.
    let config = LinkConfig { rate_bps: Some(1_000_000), delay: us(7), ..LinkConfig::default() };
    let mut sim = pair(1, config);
    volley(&mut sim, 2);
    sim.run_until(at_us(960)).unwrap();
    emit(&mut sim, A, &[&numbered(3)]);
    let times: Vec<_> = arrivals(&mut sim).into_iter().map(|(time, _)| time).collect();
    assert_eq!(times, [at_us(487), at_us(967), at_us(1447)]);
}

#[test]
fn parts_of_a_nanosecond_are_rounded_up() {
    // 8 bits at 3 Gbit/s are 2.67 ns; at 4 Gbit/s exactly 2.
    for (rate, nanos) in [(3_000_000_000, 3), (4_000_000_000, 2)] {
        let mut sim = pair(1, LinkConfig { rate_bps: Some(rate), ..LinkConfig::default() });
        emit(&mut sim, A, &[&[1]]);
        assert_eq!(arrivals(&mut sim)[0].0.as_nanos(), nanos);
    }
}

#[test]
fn a_full_queue_loses_the_frame_that_is_one_more() {
    let config = |queue| LinkConfig {
        rate_bps: Some(1_000_000),
        queue: Some(queue),
        ..LinkConfig::default()
    };
    for queue in 0..4 {
        let mut sim = pair(1, config(queue));
        // One leaves, `queue` wait, one is too many.
        volley(&mut sim, queue as u8 + 2);
        assert_eq!(mishaps(&sim), [(queue + 1, LinkEvent::Lost(LossReason::QueueFull))]);
        assert_eq!(arrivals(&mut sim).len(), queue as usize + 1);
    }
}

#[test]
fn a_place_in_the_queue_is_free_when_the_frame_ahead_has_left() {
    let config = LinkConfig { rate_bps: Some(1_000_000), queue: Some(1), ..LinkConfig::default() };
    for (at, lost) in [(479, 1), (480, 0)] {
        let mut sim = pair(1, config.clone());
        volley(&mut sim, 2);
        sim.run_until(at_us(at)).unwrap();
        emit(&mut sim, A, &[&numbered(3)]);
        assert_eq!(sim.losses().len(), lost, "at {at}");
    }
}

#[test]
fn a_queue_without_a_rate_holds_nothing() {
    let mut sim = pair(1, LinkConfig { queue: Some(0), ..LinkConfig::default() });
    volley(&mut sim, 9);
    assert_eq!(numbers(&mut sim).len(), 9);
}

fn down() -> LinkChange {
    LinkChange { up: Some(false), ..LinkChange::default() }
}

fn up() -> LinkChange {
    LinkChange { up: Some(true), ..LinkChange::default() }
}

#[test]
fn a_cut_loses_what_is_in_flight_and_not_what_has_arrived() {
    for (cut_at, arrived) in [(100, 1), (99, 0)] {
        let mut sim = pair(1, LinkConfig { delay: us(100), ..LinkConfig::default() });
        volley(&mut sim, 1);
        sim.run_until(at_us(cut_at)).unwrap();
        sim.change_link(LINK, None, &down()).unwrap();
        assert_eq!(arrivals(&mut sim).len(), arrived, "cut at {cut_at}");
        assert_eq!(sim.losses().len(), 1 - arrived);
        if let Some(note) = sim.losses().first() {
            assert_eq!((note.time, note.link), (at_us(cut_at), Some(LINK)));
            assert_eq!(note.what, LinkEvent::Lost(LossReason::LinkDown));
        }
        assert_eq!(sim.next_event(), None);
    }
}

#[test]
fn down_loses_and_up_again_passes() {
    let mut sim = pair(1, LinkConfig { up: false, ..LinkConfig::default() });
    emit(&mut sim, A, &[&numbered(1)]);
    sim.change_link(LINK, None, &up()).unwrap();
    emit(&mut sim, A, &[&numbered(2)]);
    assert_eq!(numbers(&mut sim), [2]);
    assert_eq!(mishaps(&sim), [(0, LinkEvent::Lost(LossReason::LinkDown))]);
}

#[test]
fn a_cut_line_starts_afresh() {
    let config = LinkConfig { rate_bps: Some(1_000), delay: us(5), ..LinkConfig::default() };
    let mut sim = pair(1, config);
    volley(&mut sim, 3);
    sim.change_link(LINK, None, &down()).unwrap();
    let change = LinkChange { up: Some(true), rate_bps: Some(None), ..LinkChange::default() };
    sim.change_link(LINK, None, &change).unwrap();
    emit(&mut sim, A, &[&numbered(9)]);
    assert_eq!(arrivals(&mut sim), [(at_us(5), numbered(9))]);
    assert_eq!(sim.losses().len(), 3);
}

#[test]
fn what_waited_at_a_cut_takes_no_place_in_the_queue() {
    let config = LinkConfig { rate_bps: Some(1_000_000), queue: Some(1), ..LinkConfig::default() };
    let mut sim = pair(1, config);
    volley(&mut sim, 2);
    sim.change_link(LINK, None, &down()).unwrap();
    sim.change_link(LINK, None, &up()).unwrap();
    volley(&mut sim, 2);
    assert_eq!(numbers(&mut sim), [1, 2]);
}

#[test]
fn a_change_can_be_of_one_direction() {
    for (direction, lost) in [(Direction::AToB, 0), (Direction::BToA, 1)] {
        let mut sim = pair(1, LinkConfig { delay: us(1), ..LinkConfig::default() });
        emit(&mut sim, A, &[&numbered(1)]);
        emit(&mut sim, B, &[&numbered(2)]);
        sim.change_link(LINK, Some(direction), &down()).unwrap();
        assert_eq!(mishaps(&sim), [(lost, LinkEvent::Lost(LossReason::LinkDown))]);
        assert_eq!(arrivals(&mut sim).len(), 1);
    }
}

#[test]
fn a_rate_of_zero_is_refused() {
    let mut sim = pair(1, LinkConfig::default());
    let zero = LinkChange { rate_bps: Some(Some(0)), delay: Some(us(9)), ..Default::default() };
    assert_eq!(sim.change_link(LINK, None, &zero), Err(TopologyError::ZeroRate));
    emit(&mut sim, A, &[&numbered(1)]);
    assert_eq!(sim.next_event(), Some(at_us(0)), "nothing is changed");
}
