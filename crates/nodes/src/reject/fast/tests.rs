//! What a port answers with the fast path and without it.

use link::{Address, Peer};
use proptest::prelude::*;
use wire::checksum::{internet_checksum, tcp_ip4};
use wire::{Instant, Mac};

use super::super::{DropReason, Reject};
use super::*;

use crate::config::NodeConfig;

fn port(prefix: u8, peer: bool) -> PortConfig {
    let address = |last| Address { ip: [10, 0, 0, last].into(), prefix };
    PortConfig {
        name: "eth0".into(),
        mac: Mac([2, 0, 0, 0, 0, 2]),
        addresses: vec![address(2)],
        peer: peer.then(|| Peer { mac: Mac([2, 0, 0, 0, 0, 1]), addresses: vec![address(1)] }),
        mtu: None,
    }
}

/// A segment from the peer to the port.
fn frame(flags: u8, numbers: [u8; 8], ports: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let total = (40 + payload.len() as u16).to_be_bytes();
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
    frame.extend([total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend(ports);
    frame.extend(numbers);
    frame.extend([0x50, flags, 2, 0, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

fn sum(frame: &mut [u8]) {
    let header = internet_checksum(&frame[14..34]).to_be_bytes();
    frame[24..26].copy_from_slice(&header);
    let (src, dst) = (frame[26..30].try_into(), frame[30..34].try_into());
    let tcp = tcp_ip4(src.unwrap(), dst.unwrap(), &frame[34..]).to_be_bytes();
    frame[50..52].copy_from_slice(&tcp);
}

fn answers(node: &mut Reject, frame: &[u8]) -> (Result<(), DropReason>, Vec<u8>) {
    let mut reply = Vec::new();
    let outcome = node.host.answer(Instant::ZERO, 0, frame, &mut reply);
    if outcome.is_err() {
        reply.clear();
    }
    (outcome, reply)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_paths_answer_alike(
        (flags, numbers, ports) in (any::<u8>(), any::<[u8; 8]>(), any::<[u8; 4]>()),
        payload in prop::collection::vec(any::<u8>(), 0..40),
        change in prop::option::of((0usize..60, any::<u8>(), any::<bool>())),
        padding in prop_oneof![3 => Just(0usize), 1 => 0usize..9],
        cut in prop_oneof![5 => Just(0usize), 1 => 0usize..60],
        prefix in prop_oneof![Just(24u8), Just(31), Just(30), Just(32)],
        (old, mtu, peer) in (
            prop::bool::weighted(0.1), prop_oneof![5 => Just(1500usize), 1 => 38usize..42],
            prop::bool::weighted(0.9),
        ),
    ) {
        let config = NodeConfig { ports: vec![port(prefix, peer)], ..NodeConfig::default() };
        let mut node = Reject::new(&config).expect("no options");
        node.host.rule.mtu = mtu;
        if old {
            node.host.rule.profile = Profile::Linux26;
        }
        node.host.fast = vec![FastPath::of(&config.ports[0], &node.host.rule)];
        let mut general = node.clone();
        general.host.fast.clear();
        let mut frame = frame(flags, numbers, ports, &payload);
        let edit = |frame: &mut Vec<u8>, when: bool| {
            if let Some((at, byte, before)) = change
                && before == when
                && at < frame.len()
                && !matches!(at, 24 | 25 | 50 | 51)
            {
                frame[at] = byte;
            }
        };
        edit(&mut frame, true);
        sum(&mut frame);
        edit(&mut frame, false);
        frame.resize(frame.len() + padding, 0);
        frame.truncate(frame.len() - cut.min(frame.len()));
        prop_assert_eq!(answers(&mut node, &frame), answers(&mut general, &frame));
    }
}

/// Without this the comparison above could compare one path with itself.
#[test]
fn a_segment_from_the_peer_takes_the_fast_path() {
    let fast = FastPath::of(&port(24, true), &Rule::new(Profile::Linux)).expect("a port");
    let mut frame = frame(0x01, [1; 8], [1; 4], &[7; 16]);
    sum(&mut frame);
    assert!(fast.answer(&Rule::new(Profile::Linux), &frame).is_some());
}
