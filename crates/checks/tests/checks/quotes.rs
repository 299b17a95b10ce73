//! Cases for the quotes of ICMP errors, with and without the wire's word for what they are about.

use crate::bites::Case;
use crate::checks::Answers;
use crate::support::{
    A_MAC, A4, A6, B_MAC, B4, B6, C4, Run, checksum, eth, ip4, ip6, patch, resum, summed,
};

pub(crate) const CASES: &[Case] = &[
    Case("icmp-quote", || quoted(|mut q| put(&mut q, 12, 9)), || quoted(|q| q)),
    Case(
        "icmp-quote",
        || quoted(|mut q| put(&mut q, 16, 9)),
        || quoted(|mut q| put(&mut q, 8, 63)),
    ),
    Case(
        "icmp-quote",
        || quoted(|mut q| put(&mut q, 23, 9)),
        || quoted(|mut q| put(&mut q, 10, 9)),
    ),
    Case("icmp-quote", host_byte_order, || quoted(|mut q| put(&mut q, 1, 3))),
    Case("icmp-quote", || alone_about(|mut q| put(&mut q, 40, 9)), || alone_about(|q| q)),
    // A port, an address, a length of a datagram without an identification.
    Case("icmp-quote", || nameless(|mut q| put(&mut q, 21, 9)), || nameless(|q| q)),
    Case(
        "icmp-quote",
        || nameless(|mut q| put(&mut q, 19, 9)),
        || nameless(|mut q| put(&mut q, 27, 9)),
    ),
    Case("icmp-quote", || nameless(|mut q| put(&mut q, 25, 9)), || nameless(|q| q)),
    Case(
        "icmp-quote",
        || quoted6(|mut q| put(&mut q, 58, 9)),
        || quoted6(|mut q| put(&mut q, 7, 9)),
    ),
    Case("icmp-quote-length", || quoted(|q| q[..27].to_vec()), || quoted(|q| q[..28].to_vec())),
    Case("icmp-quote-length", || quoted(|q| q[..12].to_vec()), || quoted(|q| q)),
    Case("icmp-quote-length", || quoted6(|q| q[..59].to_vec()), || quoted6(|q| q)),
    Case("icmp-quote-length", || extended(31), || extended(32)),
    Case("icmp-quote-full", || routers(|q| q[..40].to_vec()), || routers(|q| q)),
];

fn put(quote: &mut Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    quote[at] ^= byte;
    std::mem::take(quote)
}

/// Total length and fragment offset as a little-endian host keeps them.
fn host_byte_order() -> Run {
    quoted(|mut quote| {
        quote.swap(2, 3);
        quote
    })
}

fn udp(payload: usize) -> Vec<u8> {
    let length = (8 + payload as u16).to_be_bytes();
    [&[0x9c, 0x40, 0, 53, length[0], length[1], 0, 0][..], &vec![7; payload]].concat()
}

fn error4(quote: &[u8], words: u8) -> Vec<u8> {
    let message = [&[3, 3, 0, 0, 0, words, 0, 0][..], quote].concat();
    let sum = checksum(&[&message]);
    eth(A_MAC, B_MAC, 0x0800, &ip4(B4, A4, 64, 1, &patch(message, 2, &sum)))
}

fn asked() -> Vec<u8> {
    ip4(A4, B4, 64, 17, &summed(&A4, &B4, 17, udp(20), 6))
}

/// A datagram and the error about it, whose quote is what `edit` makes of it.
fn quoted(edit: fn(Vec<u8>) -> Vec<u8>) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let cause = run.script(0, &eth(B_MAC, A_MAC, 0x0800, &asked()));
    run.caused(1, cause, &error4(&edit(asked()), 0));
    run
}

/// The same where the wire does not know what caused what, behind another datagram.
fn alone_about(edit: fn(Vec<u8>) -> Vec<u8>) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let other = ip4(A4, B4, 64, 17, &summed(&A4, &B4, 17, udp(30), 6));
    run.script(0, &resum(eth(B_MAC, A_MAC, 0x0800, &patch(other, 5, &[9]))));
    run.script(0, &eth(B_MAC, A_MAC, 0x0800, &asked()));
    run.frame(1, &error4(&edit(asked()), 0));
    run
}

/// The same about a datagram whose identification is 0.
fn nameless(edit: fn(Vec<u8>) -> Vec<u8>) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let asked = patch(asked(), 4, &[0, 0]);
    run.script(0, &resum(eth(B_MAC, A_MAC, 0x0800, &asked)));
    run.frame(1, &error4(&edit(asked), 0));
    run
}

fn quoted6(edit: fn(Vec<u8>) -> Vec<u8>) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let asked = ip6(A6, B6, 64, 17, &summed(&A6, &B6, 17, udp(12), 6));
    let cause = run.script(0, &eth(B_MAC, A_MAC, 0x86dd, &asked));
    let message = [&[1, 4, 0, 0, 0, 0, 0, 0][..], &edit(asked)].concat();
    let message = summed(&B6, &A6, 58, message, 2);
    run.caused(1, cause, &eth(A_MAC, B_MAC, 0x86dd, &ip6(B6, A6, 64, 58, &message)));
    run
}

/// An error with the length attribute of RFC 4884, in words, and an extension behind the quote.
fn extended(words: u8) -> Run {
    let mut run = Run::of(Answers::Unknown);
    let cause = run.script(0, &eth(B_MAC, A_MAC, 0x0800, &asked()));
    let mut quote = asked();
    quote.resize(128, 0);
    quote.extend([0x20, 0, 0xdf, 0xff]);
    run.caused(1, cause, &error4(&quote, words));
    run
}

/// A router's error about a datagram that it cannot pass on.
fn routers(edit: fn(Vec<u8>) -> Vec<u8>) -> Run {
    let mut run = Run::routed();
    let asked = ip4(A4, C4, 1, 17, &summed(&A4, &C4, 17, udp(400), 6));
    let cause = run.script(0, &eth(B_MAC, A_MAC, 0x0800, &asked));
    run.caused(1, cause, &error4(&edit(asked), 0));
    run
}

#[test]
pub(crate) fn an_error_about_what_changed_underway_is_not_held_against_it() {
    let mut run = quoted(|mut quote| put(&mut quote, 30, 9));
    run.set(wire::FrameId(0), |record| record.altered = true);
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

#[test]
fn an_error_about_a_datagram_that_the_capture_does_not_have_is_not_called_altered() {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &error4(&asked(), 0));
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

#[test]
fn who_gets_an_error_sent_what_it_quotes() {
    let mut run = Run::of(Answers::Unknown);
    run.frame(1, &error4(&ip4([10, 9, 9, 9], B4, 64, 17, &udp(20)), 0));
    assert_eq!(run.bites(), ["icmp-quote"]);
}

/// A host quotes what it put together, with the first fragment's header and a length of its own.
#[test]
pub(crate) fn an_error_about_a_datagram_in_fragments_may_quote_the_whole() {
    let whole = asked();
    let part = |place: std::ops::Range<usize>, word: [u8; 2]| {
        let ip = ip4(A4, B4, 64, 17, &whole[20..][place]);
        resum(patch(eth(B_MAC, A_MAC, 0x0800, &ip), 20, &word))
    };
    for told in [false, true] {
        let mut run = Run::of(Answers::Unknown);
        run.script(0, &part(0..16, [0x20, 0]));
        let last = run.script(0, &part(16..28, [0, 2]));
        let error = error4(&whole, 0);
        if told {
            run.caused(1, last, &error)
        } else {
            run.frame(1, &error)
        };
        assert!(run.bites().is_empty(), "{told}: {:#?}", run.judge());
    }
}

/// The wire does not know what the error is about, and only a later copy with another
/// identification is in the capture.
#[test]
pub(crate) fn a_datagram_sent_again_is_not_what_an_older_error_quotes() {
    let mut run = Run::of(Answers::Unknown);
    let again = resum(patch(eth(B_MAC, A_MAC, 0x0800, &asked()), 18, &[0x12, 0x34]));
    run.script(0, &again);
    run.frame(1, &error4(&asked(), 0));
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}

/// The same octets from another port, as a resolver asks again: the checksum shows that what is
/// quoted is not what the capture has.
#[test]
fn a_datagram_from_another_port_is_not_what_an_error_quotes() {
    let run = nameless(|mut quote| {
        quote[21] ^= 9;
        quote[27] ^= 9;
        quote
    });
    assert!(run.bites().is_empty(), "{:#?}", run.judge());
}
