//! How frames are paired, and how much of them is held meanwhile.

use std::cell::RefCell;

use super::*;

type Told = RefCell<Vec<&'static str>>;

fn held(number: u64, bytes: &[u8]) -> Held {
    let time = Instant::from_nanos(number);
    Held::new(number, time, "eth0".to_owned(), bytes.into(), &Ignored::default())
}

fn noting(told: &Told) -> impl FnMut(Unlike) {
    |unlike| {
        told.borrow_mut().push(match unlike {
            Unlike::Missing(_) => "missing",
            Unlike::Extra(_) => "extra",
            Unlike::Interface(..) => "interface",
            Unlike::Bytes(..) => "bytes",
            Unlike::Time(..) => "time",
        });
    }
}

fn beside(told: &Told) -> Beside<impl FnMut(Unlike)> {
    Beside::new(Ignored::default(), false, Pairing::Place, noting(told))
}

fn numbered(number: usize) -> Vec<u8> {
    (number as u64).to_be_bytes().to_vec()
}

#[test]
fn nothing_is_counted_once_all_have_found_their_like() {
    let told = Told::default();
    let mut beside = beside(&told);
    for number in 0..10 {
        beside.expected(held(1, &numbered(number))).unwrap();
        assert_eq!((beside.waiting, beside.bytes), (1, 8));
        beside.actual(held(1, &numbered(number))).unwrap();
        assert_eq!((beside.waiting, beside.bytes), (0, 0));
    }
    // One that is missing, one that is extra, one that is another.
    for number in [1, 2, 3, 4] {
        beside.expected(held(2, &numbered(number))).unwrap();
    }
    for number in [1, 3, 4, 5] {
        beside.actual(held(2, &numbered(number))).unwrap();
    }
    assert_eq!((beside.waiting, beside.bytes), (6, 48));
    beside.finish();
    assert_eq!((beside.waiting, beside.bytes), (0, 0));
    drop(beside);
    assert_eq!(*told.borrow(), ["missing", "extra"]);
}

#[test]
fn a_window_is_aligned_once_both_sides_have_one() {
    let told = Told::default();
    let mut beside = beside(&told);
    // The first differs, and all that follow are alike: none is told of before a window is full.
    beside.expected(held(0, b"one")).unwrap();
    beside.actual(held(0, b"other")).unwrap();
    for number in 1..WINDOW - 1 {
        beside.expected(held(1, &numbered(number))).unwrap();
        beside.actual(held(1, &numbered(number))).unwrap();
    }
    beside.expected(held(1, b"last")).unwrap();
    assert_eq!(beside.waiting, 2 * WINDOW - 1);
    assert!(told.borrow().is_empty());
    beside.actual(held(1, b"last")).unwrap();
    assert_eq!(beside.waiting, 0);
    assert_eq!(*told.borrow(), ["bytes"]);
}

#[test]
fn of_a_full_window_what_stands_behind_the_last_pair_waits() {
    let told = Told::default();
    let mut beside = beside(&told);
    // The last of the window is ahead of its like by one.
    for number in 0..WINDOW {
        beside.expected(held(1, &numbered(number + 1))).unwrap();
    }
    for number in 0..WINDOW {
        beside.actual(held(1, &numbered(number))).unwrap();
    }
    assert_eq!(*told.borrow(), ["extra"]);
    assert_eq!(beside.waiting, 1);
    beside.actual(held(1, &numbered(WINDOW))).unwrap();
    assert_eq!(beside.waiting, 0);
    beside.finish();
    drop(beside);
    assert_eq!(*told.borrow(), ["extra"]);
}

#[test]
fn what_waits_has_a_limit_in_frames_and_in_bytes() {
    let told = Told::default();
    let mut many = beside(&told);
    many.waiting = MOST_WAITING - 1;
    many.expected(held(0, &[])).unwrap();
    assert!(many.expected(held(0, &[])).is_err());
    let mut long = beside(&told);
    long.bytes = MOST_BYTES - 2;
    long.expected(held(0, &[1, 2])).unwrap();
    assert!(long.expected(held(0, &[3])).is_err());
}
