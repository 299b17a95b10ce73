//! Which datagrams are one and which are not, where one byte decides.

use super::*;
use wire::LinkType;

const A4: [u8; 4] = [10, 0, 0, 1];
const B4: [u8; 4] = [10, 0, 0, 2];

fn eth(kind: u16, body: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &kind.to_be_bytes()[..], body].concat()
}

/// A datagram of protocol 254; `word` is what holds the flags and the offset.
fn ip4(dst: [u8; 4], id: u16, word: u16, body: &[u8]) -> Vec<u8> {
    let (id, word) = (id.to_be_bytes(), word.to_be_bytes());
    let head = [0x45, 0, 0, 20 + body.len() as u8, id[0], id[1], word[0], word[1], 64, 254, 0, 0];
    eth(0x0800, &[&head[..], &A4, &dst, body].concat())
}

/// A fragment behind the first, of eight bytes.
fn part6(id: u32, body: u8) -> Vec<u8> {
    let head = [&[0x60, 0, 0, 0, 0, 16, 44, 64][..], &[0xfd; 16], &[0xfc; 16]].concat();
    eth(0x86dd, &[&head[..], &[254, 0, 0, 8], &id.to_be_bytes(), &[body; 8]].concat())
}

fn compare(
    before: &[u8],
    now: &[u8],
    how: impl Fn(&Datagram<'_>, &Datagram<'_>) -> Option<Kin>,
) -> Option<Kin> {
    let layout = |frame: &[u8]| {
        let mut layout = HeaderLayout::blank(frame.len());
        layout.look(frame, LinkType::Ethernet);
        layout
    };
    let (was, is) = (layout(before), layout(now));
    how(&Datagram::of(&was, before), &Datagram::of(&is, now))
}

fn exactly(before: &[u8], now: &[u8], altered: bool) -> Option<Kin> {
    compare(before, now, |before, now| exact(before, now, altered))
}

#[test]
fn what_is_not_ip_is_passed_on_as_it_is_or_not_at_all() {
    let arp = eth(0x0806, &[&[0, 1, 8, 0, 6, 4, 0, 1][..], &[7; 20]].concat());
    for frame in [arp, eth(0x88b5, &[7; 28])] {
        assert_eq!(exactly(&frame, &frame, false), Some(Kin::Same));
        for at in [0, 11, 12, frame.len() - 1] {
            let mut other = frame.clone();
            other[at] ^= 1;
            assert_eq!(exactly(&frame, &other, false), None, "byte {at}");
            assert_eq!(exactly(&frame, &other, true), None, "byte {at}");
        }
    }
}

#[test]
fn an_ip_datagram_is_the_same_by_its_ends_and_its_payload() {
    let datagram = ip4(B4, 7, 0, &[1, 2]);
    let mut hopped = datagram.clone();
    hopped[22] -= 1;
    hopped[5] = 9;
    assert_eq!(exactly(&datagram, &hopped, false), Some(Kin::Same));
    assert_eq!(exactly(&datagram, &ip4(A4, 7, 0, &[1, 2]), false), None);
    let other = ip4(B4, 7, 0, &[1, 3]);
    assert_eq!(exactly(&datagram, &other, false), None);
    assert_eq!(exactly(&datagram, &other, true), Some(Kin::Part), "changed underway");
    for id in [6, 0x0107] {
        assert_eq!(exactly(&datagram, &ip4(B4, id, 0, &[1, 3]), true), None, "{id:#06x}");
    }
    assert_eq!(exactly(&datagram, &eth(0x88b5, &datagram[14..]), true), None);
}

#[test]
fn parts_are_of_one_datagram_by_its_identification() {
    let first = ip4(B4, 7, 0x2000, &[1; 8]);
    assert_eq!(exactly(&ip4(B4, 7, 0, &[1; 16]), &first, false), Some(Kin::Part));
    assert_eq!(exactly(&first, &ip4(B4, 7, 1, &[2; 8]), false), Some(Kin::Part));
    assert_eq!(exactly(&first, &ip4(B4, 8, 1, &[2; 8]), false), None);

    let edited = |before: &[u8], now: &[u8]| compare(before, now, |b, n| edited(b, n, false));
    assert_eq!(edited(&first, &ip4(B4, 7, 1, &[2; 8])), Some(Kin::Flow));
    assert_eq!(edited(&first, &ip4(B4, 8, 1, &[2; 8])), None);
    assert_eq!(edited(&part6(0x0102_0304, 1), &part6(0x0102_0304, 2)), Some(Kin::Flow));
    for id in [0x0102_0305, 0x0102_0204, 0x0103_0304, 0x0202_0304] {
        assert_eq!(edited(&part6(0x0102_0304, 1), &part6(id, 2)), None, "{id:#010x}");
    }
}
