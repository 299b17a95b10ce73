use super::*;
use crate::recipe::in_process;
use link::{Datum, Outbox};
use proptest::prelude::*;
use testing::{hex, port};
use wire::Packet;
use wire::segment::{ACK, FIN, RST, TcpSegment};

const NOW: Instant = Instant::ZERO;

/// The reset of Linux 6.18 to the custom packet.
fn reset() -> Vec<u8> {
    hex("020000000001 020000000002 0800
        4500 0028 0000 4000 4006 26ce 0a000002 0a000001
        0050 0fa0 00000000 0000008c 5014 0000 8b52 0000")
}

/// A UDP datagram in an IPv6 fragment that is all of it.
fn fragment() -> Vec<u8> {
    hex("020000000001 020000000002 86dd
        60000000 0010 2c 40 fd000000000000000000000000000002 fd000000000000000000000000000001
        11 00 0000 00000001 0050 0fa0 0008 f4f0")
}

fn arp() -> Vec<u8> {
    hex("020000000001 020000000002 0806
        0001 0800 06 04 0002 020000000002 0a000002 020000000001 0a000001")
}

fn config(options: &[(&str, &str)]) -> NodeConfig {
    NodeConfig {
        name: "faulty".into(),
        ports: vec![PortConfig::default()],
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Datum::Text((*value).to_owned())))
            .collect(),
    }
}

fn make(options: &[(&str, &str)]) -> Result<Faulty, ConfigError> {
    Faulty::new(&config(options), &Registry::standard())
}

fn drain(node: &mut dyn Node) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(transmit) = node.poll_transmit(NOW) {
        all.push(transmit.frame.to_vec());
    }
    all
}

/// What leaves a faulty tester that is told to send these frames one after the other.
fn emitted(fault: &str, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut node = make(&[("of", "tester"), ("fault", fault)]).unwrap();
    let mut all = Vec::new();
    for frame in frames {
        let command = Command::Send { port: 0, packet: Packet::raw(frame.clone()) };
        node.handle_command(NOW, &command).unwrap();
        all.extend(drain(&mut node));
    }
    all
}

fn spoilt(fault: &str) -> Vec<u8> {
    let mut all = emitted(fault, &[reset()]);
    assert_eq!(all.len(), 1, "{fault}");
    all.remove(0)
}

/// The offsets of the bytes that differ, checksums aside.
fn touched(fault: &str) -> Vec<usize> {
    let (was, is) = (reset(), spoilt(fault));
    let sums = [24, 25, 50, 51];
    let differs = |at: &usize| !sums.contains(at) && was.get(*at) != is.get(*at);
    (0..was.len().max(is.len())).filter(differs).collect()
}

#[test]
fn each_fault_touches_its_own_bytes_and_no_others() {
    for (fault, bytes) in [
        ("seq+1", &[41][..]),
        ("seq-1", &[38, 39, 40, 41]),
        ("ack+1", &[45]),
        ("ack-1", &[45]),
        ("no-ack-flag", &[47]),
        ("flags-fin-too", &[47]),
        ("flags-syn-too", &[47]),
        ("wrong-port", &[35]),
        ("swapped-ports", &[34, 35, 36, 37]),
        ("payload-in-rst", &[17, 54, 55, 56, 57, 58, 59]),
        ("options-in-rst", &[17, 46, 54, 55, 56, 57]),
        ("option-length", &[17, 46, 54, 55, 56, 57]),
        ("option-padding", &[17, 46, 54, 55, 56, 57]),
        ("mss-in-rst", &[17, 46, 54, 55, 56, 57]),
        ("window", &[48, 49]),
        ("urgent", &[53]),
        ("reserved-bit", &[46]),
        ("ip-reserved-bit", &[20]),
        ("data-offset", &[46]),
        ("short-length", &[17]),
        ("long-length", &[17]),
        ("trailing-byte", &[54]),
        ("cut", &[53]),
        ("wrong-source", &[29]),
        ("broadcast-source", &[26, 27, 28, 29]),
        ("multicast-source", &[26, 29]),
        ("mac-source", &[11]),
        ("mac-group", &[6]),
        ("ttl-zero", &[22]),
        ("ttl", &[22]),
        ("tos", &[15]),
        ("df-cleared", &[20]),
        ("ip-id", &[18, 19]),
        ("tcp-checksum", &[]),
        ("ip-checksum", &[]),
    ] {
        assert_eq!(touched(fault), bytes, "{fault}");
    }
}

#[test]
fn checksums_are_right_unless_they_or_the_lengths_are_the_fault() {
    for fault in FAULTS {
        let frames = emitted(fault.name, &[reset()]);
        let Some(frame) = frames.first() else { continue };
        let ip = wire::segment::IpPacket::parse(frame).unwrap();
        let lengths = ["short-length", "long-length", "trailing-byte", "cut"].contains(&fault.name);
        assert_eq!(ip.header_checksum_ok(), fault.name != "ip-checksum", "{}", fault.name);
        if !lengths {
            assert_eq!(ip.transport_checksum_ok(), fault.name != "tcp-checksum", "{}", fault.name);
        }
    }
}

#[test]
fn every_fault_shows_in_some_frame_or_in_what_is_answered() {
    let bare = {
        let mut frame = spoilt("no-ack-flag");
        frame[42..46].fill(0);
        let mut edit = Edit::default();
        edit.load(&frame);
        edit.remake_checksums();
        edit.frame().to_vec()
    };
    let mut udp = reset();
    udp[23] = 17;
    udp[38..40].copy_from_slice(&[0, 20]);
    let mut icmp = reset();
    icmp[23] = 1;
    let mut error = icmp.clone();
    error[34] = 11;
    error.extend_from_slice(&reset()[14..]);
    error[17] = 80;
    let mut first = udp.clone();
    first[20] = 0x20;
    let sent = [reset(), bare, udp, icmp, error, fragment(), first, arp()];
    let outgoing = |fault: &&Fault| !matches!(fault.act, Act::Incoming(_) | Act::Exchange(..));
    for fault in FAULTS.iter().filter(outgoing) {
        assert_ne!(emitted(fault.name, &sent), sent, "{} does nothing", fault.name);
    }
}

#[test]
fn faults_of_resets_leave_other_segments_alone() {
    let mut ack = reset();
    ack[47] = 0x10;
    for fault in FAULTS {
        let others = matches!(fault.act, Act::SwallowResets | Act::Incoming(_) | Act::Exchange(..));
        if others || matches!(fault.act, Act::Reset(_)) {
            assert_eq!(emitted(fault.name, &[ack.clone()]), [ack.clone()], "{}", fault.name);
        }
    }
}

#[test]
fn presence_faults_swallow_and_double() {
    assert!(emitted("missing-rst", &[reset()]).is_empty());
    assert_eq!(emitted("doubled", &[reset(), vec![1]]), [reset(), reset(), vec![1], vec![1]]);
}

#[test]
fn flags_go_and_come() {
    let bare = spoilt("no-ack-flag");
    assert_eq!(TcpSegment::parse(&bare).unwrap().flags(), RST);
    let again = emitted("extra-ack-flag", &[bare]).remove(0);
    assert_eq!(TcpSegment::parse(&again).unwrap().flags(), RST | ACK);
    let fin = spoilt("flags-fin-too");
    assert_eq!(TcpSegment::parse(&fin).unwrap().flags(), RST | ACK | FIN);
}

#[test]
fn udp_and_icmp_checksums_are_spoilt_where_there_are_some() {
    let mut udp = reset();
    udp[23] = 17;
    let spoilt = emitted("udp-checksum", &[udp.clone()]).remove(0);
    assert_eq!(spoilt[41], udp[41] ^ 1);
    assert_eq!(emitted("udp-checksum", &[reset()]), [reset()]);
    let mut icmp = reset();
    icmp[23] = 1;
    let spoilt = emitted("icmp-checksum", &[icmp.clone()]).remove(0);
    assert_eq!(spoilt[37], icmp[37] ^ 1);
}

#[test]
fn only_the_frames_chosen_are_faulty() {
    for (frames, wanted) in [("2", [true, false, true]), ("1,3", [false, true, false])] {
        let options = [("of", "tester"), ("fault", "ttl"), ("frames", frames)];
        let mut node = make(&options).unwrap();
        let unchanged: Vec<bool> = (0..3)
            .map(|_| {
                let command = Command::Send { port: 0, packet: Packet::raw(reset()) };
                node.handle_command(NOW, &command).unwrap();
                drain(&mut node) == [reset()]
            })
            .collect();
        assert_eq!(unchanged, wanted, "{frames}");
        assert_eq!(
            node.counters().last().unwrap().1,
            wanted.iter().filter(|w| !**w).count() as u64
        );
    }
}

/// Shows what reaches the node inside.
#[derive(Default)]
struct Echo(Outbox);

impl Node for Echo {
    fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
        self.0.push(port, frame);
    }
    fn handle_command(&mut self, _now: Instant, _command: &Command) -> Result<(), CommandError> {
        Ok(())
    }
    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.0.pop()
    }
}

fn reaches(fault: &str, frame: &[u8]) -> Vec<u8> {
    let mut registry = Registry::standard();
    registry.register(Kind::new("echo", "says it back", |_, _| {
        Ok(in_process(Role::Other, |_| Box::<Echo>::default()))
    }));
    let mut node = Faulty::new(&config(&[("of", "echo"), ("fault", fault)]), &registry).unwrap();
    node.handle_frame(NOW, 0, frame);
    drain(&mut node).pop().unwrap_or_default()
}

#[test]
fn a_node_is_made_to_answer_what_it_should_not() {
    let seen = reaches("rst-to-rst", &reset());
    let segment = TcpSegment::parse(&seen).unwrap();
    assert_eq!(segment.flags(), ACK, "no reset any more");
    assert!(segment.checksum_ok());
    let mut wrong = reset();
    wrong[50] ^= 0xff;
    assert_eq!(reaches("answers-wrong-checksum", &wrong), reset());
    assert_eq!(reaches("udp-checksum", &wrong), wrong, "other faults leave what comes in alone");
}

#[test]
fn a_node_is_made_to_answer_what_is_for_a_group_or_no_segment() {
    let port = port(2, &["10.0.0.2"]);
    let mut edit = Edit::default();
    edit.owner(&port);
    let mut group = reset();
    group[..6].fill(0xff);
    edit.load(&group);
    assert!(odd::to_group(&mut edit).is_none(), "its destination is one host");
    odd::in_group_frame(&mut edit).unwrap();
    assert_eq!(edit.frame()[..6], port.mac.0);
    assert!(odd::in_group_frame(&mut edit).is_none(), "it is for one port now");
    group[33] = 0xff;
    edit.load(&group);
    odd::to_group(&mut edit).unwrap();
    assert_eq!((&edit.frame()[..6], &edit.frame()[30..34]), (&port.mac.0[..], &[10, 0, 0, 2][..]));
    let mut udp = reset();
    udp[23] = 17;
    let syn = reaches("rst-to-udp", &udp);
    let segment = TcpSegment::parse(&syn).unwrap();
    assert_eq!((segment.flags(), segment.src_port()), (0x02, 80));
    assert!(segment.checksum_ok());
    assert_eq!(reaches("rst-to-udp", &reset()), reset(), "TCP is left alone");
}

#[test]
fn a_tag_is_taken_off_before_the_node_sees_it() {
    let mut tagged = reset();
    tagged.splice(12..12, [0x81, 0, 0, 10]);
    assert_eq!(reaches("vlan-lost", &tagged), reset());
    assert_eq!(reaches("vlan-lost", &reset()), reset());
    assert_eq!(emitted("vlan-other", &[reset()])[0][12..16], [0x81, 0, 0, 20]);
}

#[test]
fn a_syn_to_a_group_is_accepted_and_no_other() {
    let mut syn = reset();
    syn[47] = 0x02;
    let ask = |dst: u8| {
        let mut node = Faulty::new(
            &NodeConfig {
                ports: vec![port(1, &["10.0.0.1"])],
                ..config(&[("of", "reject"), ("fault", "syn-ack-to-broadcast")])
            },
            &Registry::standard(),
        )
        .unwrap();
        let mut edit = Edit::default();
        edit.load(&syn);
        edit.bytes()[33] = dst;
        edit.remake_checksums();
        node.handle_frame(NOW, 0, edit.frame());
        let answer = drain(&mut node).pop().expect("an answer");
        let segment = TcpSegment::parse(&answer).unwrap();
        assert!(segment.checksum_ok());
        segment.flags()
    };
    assert_eq!(ask(0xff), 0x12);
    assert_eq!(ask(0x01), RST | ACK);
}

#[test]
fn its_role_and_its_options_are_those_of_the_node_inside() {
    let registry = Registry::standard();
    let role = registry.role("faulty", &config(&[("of", "sink"), ("fault", "ttl")]));
    assert_eq!(role, Role::Silent);
    assert!(make(&[("of", "tester"), ("fault", "ttl"), ("arp", "true")]).is_ok());
    let error = make(&[("of", "tester"), ("fault", "ttl"), ("apr", "true")]).err().unwrap();
    assert_eq!(error.option.as_deref(), Some("apr"));
}

#[test]
fn what_is_wrong_is_named() {
    let message = |options: &[(&str, &str)]| make(options).err().unwrap().message;
    assert!(message(&[("of", "tester")]).starts_with("faulty needs `fault`: one of tcp-checksum,"));
    assert!(message(&[("fault", "tcp-chekcsum")]).ends_with("did you mean `tcp-checksum`?"));
    assert!(message(&[("fault", "ttl"), ("of", "testr")]).contains("did you mean `tester`?"));
    let zero = message(&[("fault", "ttl"), ("of", "sink"), ("frames", "0")]);
    assert_eq!(zero, "`0` for `frames`: it takes numbers from 1, or `all`");
}

#[test]
fn the_table_is_in_order() {
    for (index, fault) in FAULTS.iter().enumerate() {
        assert!(FAULTS[..index].iter().all(|other| other.name != fault.name), "{}", fault.name);
        assert!(!fault.about.is_empty() && !fault.caught_by.is_empty());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        mut frame in prop::collection::vec(any::<u8>(), 0..90),
        kind in prop_oneof![Just([0x08, 0x00, 0x45]), Just([0x86, 0xdd, 0x60])],
        protocol in prop_oneof![Just(1), Just(6), Just(17), Just(58)],
    ) {
        if frame.len() > 24 {
            frame[12..15].copy_from_slice(&kind);
            frame[if kind[0] == 8 { 23 } else { 20 }] = protocol;
        }
        for fault in FAULTS {
            emitted(fault.name, std::slice::from_ref(&frame));
            reaches(fault.name, &frame);
        }
    }
}
